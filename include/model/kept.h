// kept: the mark on whatever is kept under a key of its own: it changed since it was written out,
// and it is in the state topic. Who changes a thing says keep_touch, who lets one go keep_gone;
// both cost nothing to speak of. Only keep reads and clears the marks (keep/keep.h): nothing else
// may set or look at them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct kept {
    bool touched; // changed since it was written out, or never written
    bool written; // its key has a value in the state topic
};

// It changed.
static inline void keep_touch(struct kept *kept) {
    kept->touched = true;
}

// A part of something kept, by what its key says: a letter and up to two numbers.
struct kept_part {
    char letter;
    int64_t numbers[2];
};

// Parts whose keys are to be forgotten with the next changes.
struct kept_gone {
    struct kept_part *parts; // owned
    uint32_t count, cap;
};

// The part is about to go. Nothing is noted of one that was never written.
static inline void keep_gone(struct kept_gone *gone, const struct kept *kept,
                             struct kept_part part) {
    if (kept->written) {
        MEM_GROW(gone->parts, gone->count, gone->cap);
        gone->parts[gone->count++] = part;
    }
}
