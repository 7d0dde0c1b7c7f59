// damage: a copy of kept state with bytes changed, values cut and keys lost at random. For the
// tests of kept state.
#pragma once

#include "support/test.h"

#include "base/mem.h"
#include "keep/table.h"

struct damage {
    uint64_t *seed;
    unsigned one_in; // so many values is damaged
    struct keep_table *out;
};

static void copy_damaged(void *ctx, struct str key, struct str value) {
    struct damage *damage = ctx;
    uint64_t *seed = damage->seed;
    if (test_random(seed) % 30 == 0) {
        return; // lost
    }
    char *copy = mem_strndup(value.len == 0 ? "" : value.p, value.len);
    size_t len = value.len;
    if (len > 0 && test_random(seed) % damage->one_in == 0) {
        copy[test_random(seed) % len] = (char)test_random(seed);
        len = test_random(seed) % 3 == 0 ? test_random(seed) % len : len;
    }
    keep_table_put(damage->out, key, (struct str){copy, len});
    mem_free(copy);
}
