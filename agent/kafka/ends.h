// ends: how far the topics that the agents alone write have grown, by what the brokers
// acknowledged. There, a record lies behind every earlier one of its partition. One that does not
// lies in another topic of that name, or in one that lost its end: what was written before is not
// below it. Known to the sink alone; one thread, as it. Must not be asked about topics that others
// may empty.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

// Of one topic, which is told from others by its address alone.
struct topic_ends {
    const void *topic;
    int64_t *next; // by partition: behind our last record there; 0: none yet
    int32_t count;
};

// Zeroed at first.
struct ends {
    struct topic_ends *topics; // owned
    uint32_t count, cap;
};

// From here on the ends of this topic are kept.
static inline void ends_keep(struct ends *ends, const void *topic) {
    for (uint32_t i = 0; i < ends->count; i++) {
        if (ends->topics[i].topic == topic) {
            return;
        }
    }
    MEM_GROW(ends->topics, ends->count, ends->cap);
    ends->topics[ends->count++] = (struct topic_ends){.topic = topic};
}

// A record was acknowledged at `offset`, negative if nobody said where. False: an earlier one lies
// there or behind it, so the topic is not the one that it was written to. True also for a topic
// whose ends are not kept.
static inline bool ends_rise(struct ends *ends, const void *topic, int32_t partition,
                             int64_t offset) {
    struct topic_ends *of = ends->topics;
    while (of < ends->topics + ends->count && of->topic != topic) {
        of++;
    }
    if (of == ends->topics + ends->count || offset < 0 || partition < 0) {
        return true;
    }
    if (partition >= of->count) {
        of->next = mem_resize(of->next, (size_t)partition + 1, sizeof *of->next);
        while (of->count <= partition) {
            of->next[of->count++] = 0;
        }
    }
    bool rises = offset >= of->next[partition];
    of->next[partition] = offset + 1;
    return rises;
}

static inline void ends_fini(struct ends *ends) {
    for (uint32_t i = 0; i < ends->count; i++) {
        mem_free(ends->topics[i].next);
    }
    mem_free(ends->topics);
}
