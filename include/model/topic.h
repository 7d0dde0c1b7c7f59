// topic: which topics the agent works with: one row of topics.def each. Read by everyone who needs
// to know all of them; their real names come from the settings.
#pragma once

#include <stdbool.h>

#include "base/metrics.h"

enum topic {
#define TOPIC(id, setting, def, use, state_of, counts, too_large, help) TOPIC_##id,
#include "model/topics.def"
#undef TOPIC
    TOPIC_COUNT
};

enum topic_use {
    TOPIC_INPUT,        // written by others, read
    TOPIC_OUTPUT,       // written
    TOPIC_LINK,         // written by one stage, read by the next
    TOPIC_DEAD_LETTERS, // written, unless topics.dlq_enabled is off
    TOPIC_STATE,        // compacted; written, read back by a restore
    TOPIC_POSITIONS,    // compacted; written and read back by whoever ships event logs, nobody else
};

// No record of ours is larger, key and framing included: what a topic must take so that nothing is
// shortened or, of state, kept in pieces. Below the second there is no room for pieces either.
enum { TOPIC_RECORD_BYTES = 1000000, TOPIC_STATE_LEAST_BYTES = 4096 };

struct topic_row {
    const char *setting; // key of the setting that names it, "topics.runs"
    const char *def;     // its name unless the setting says otherwise
    const char *help;    // one sentence
    enum topic_use use;
    enum topic state_of;   // TOPIC_STATE: the topic whose partitions it keeps the state of, one of
                           // the same number each; else TOPIC_COUNT
    enum metric counts;    // records committed to it; METRIC_COUNT: not counted
    enum metric too_large; // of those, were too large for it; METRIC_COUNT: never written
};

// The row of a topic (static).
const struct topic_row *topic_row(enum topic topic);
// True if the agent's workers write to it; to that of the dead letters only if they are kept.
bool topic_is_written(enum topic topic, bool dead_letters_kept);
// The state topic of an input, TOPIC_COUNT if it has none.
enum topic topic_of_state(enum topic input);
