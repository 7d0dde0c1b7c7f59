// kept_array: how a growing array is kept, as a list of its record: how many, the one at a place,
// room for one more. Private to state. What may be added beside what is there already is not known
// here: whoever has such a rule writes a `_added` of its own.
#pragma once

#include <string.h>

#include "base/mem.h"
#include "model/record.h"

// Defines `name`_size, `name`_at and `name`_add for the array `items` of struct `owner`, with its
// `len`, its `cap` and never more than `limit` items. Members may be paths: outcome.failures.
#define KEPT_ARRAY(name, owner, items, len, cap, limit)                                            \
    static uint32_t name##_size(const void *of) {                                                  \
        return (uint32_t)((const struct owner *)of)->len;                                          \
    }                                                                                              \
    static const void *name##_at(const void *of, uint32_t i, union record_scratch *scratch) {      \
        (void)scratch;                                                                             \
        return &((const struct owner *)of)->items[i];                                              \
    }                                                                                              \
    static void *name##_add(void *of, uint32_t count, union record_scratch *scratch) {             \
        struct owner *owner = of;                                                                  \
        (void)count, (void)scratch;                                                                \
        if (owner->len >= (limit)) {                                                               \
            return NULL;                                                                           \
        }                                                                                          \
        MEM_GROW(owner->items, owner->len, owner->cap);                                            \
        memset(&owner->items[owner->len], 0, sizeof *owner->items);                                \
        return &owner->items[owner->len++];                                                        \
    }                                                                                              \
    _Static_assert((limit) > 0, "ends with a semicolon")
