// ends: how far the topics that the agents alone write have grown, by what the brokers
// acknowledged. There, a record lies behind every earlier one of its partition. One that does not
// lies in another topic of that name, or in one that lost its end: what was written before is not
// below it. Known to the sink alone; one thread, as it. Must not be asked about topics that others
// may empty.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

// Of one topic. Zeroed at first.
struct ends {
    bool kept;     // else nothing is known of it
    int64_t *next; // owned; by partition: behind our last record there; 0: none yet
    int32_t count;
};

// A record was acknowledged at `offset`, negative if nobody said where. False: an earlier one lies
// there or behind it, so the topic is not the one that it was written to. True also if the ends are
// not kept.
static inline bool ends_rise(struct ends *ends, int32_t partition, int64_t offset) {
    if (!ends->kept || offset < 0 || partition < 0) {
        return true;
    }
    if (partition >= ends->count) {
        ends->next = mem_resize(ends->next, (size_t)partition + 1, sizeof *ends->next);
        while (ends->count <= partition) {
            ends->next[ends->count++] = 0;
        }
    }
    bool rises = offset >= ends->next[partition];
    ends->next[partition] = offset + 1;
    return rises;
}

static inline void ends_fini(struct ends *ends) {
    mem_free(ends->next);
}
