// looks: runs by the moment at which each is looked at next, the soonest first: whose turn it is is
// found without a walk over all others. Called by look.h, and by engine.c for a run that goes. Runs
// of one moment have an order of their own, by their keys, so that which comes first depends on
// nothing but what is kept.
#pragma once

#include <string.h>

#include "base/mem.h"
#include "engine_priv.h"

static inline bool looks_before(const struct look *a, const struct look *b) {
    if (a->at_ms != b->at_ms) {
        return a->at_ms < b->at_ms;
    }
    const struct live_run *x = a->live, *y = b->live;
    size_t shorter = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = memcmp(x->key, y->key, shorter);
    return order != 0 ? order < 0 : x->key_len < y->key_len;
}

static inline void looks_set(struct looks *looks, uint32_t at, struct look look) {
    looks->list[at] = look;
    look.live->look_place = at + 1;
}

// Whatever is at that place makes room for the look, which goes where it belongs from there.
static inline void looks_settle(struct looks *looks, uint32_t at, struct look look) {
    for (; at > 0 && looks_before(&look, &looks->list[(at - 1) / 2]); at = (at - 1) / 2) {
        looks_set(looks, at, looks->list[(at - 1) / 2]);
    }
    for (uint32_t child; (child = 2 * at + 1) < looks->count; at = child) {
        bool second =
            child + 1 < looks->count && looks_before(&looks->list[child + 1], &looks->list[child]);
        child += second;
        if (!looks_before(&looks->list[child], &look)) {
            break;
        }
        looks_set(looks, at, looks->list[child]);
    }
    looks_set(looks, at, look);
}

// The run is looked at then, whether it was there before or not.
static inline void looks_put(struct looks *looks, struct live_run *live, int64_t at_ms) {
    if (live->look_place == 0) {
        MEM_GROW(looks->list, looks->count, looks->cap);
        live->look_place = ++looks->count;
    }
    looks_settle(looks, live->look_place - 1, (struct look){at_ms, live});
}

// It is not looked at, if it was.
static inline void looks_remove(struct looks *looks, struct live_run *live) {
    if (live->look_place != 0) {
        struct look last = looks->list[--looks->count];
        if (last.live != live) {
            looks_settle(looks, live->look_place - 1, last);
        }
        live->look_place = 0;
    }
}
