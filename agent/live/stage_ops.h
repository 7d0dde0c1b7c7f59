// stage_ops: all that the live agent knows of a stage. A stage reads one input topic, keeps state
// for each of its partitions, and hands out records and alerts; which those are is known to its own
// file alone. Workers, commits and restores see this table and must not see engine or fleet.
#pragma once

#include "avro/avro_codec.h"
#include "base/buf.h"
#include "base/log.h"
#include "decode/decode.h"
#include "keep/table.h"
#include "live/agent.h"
#include "model/alert.h"
#include "model/message.h"
#include "transaction.h"

// What all stages of a worker use. Borrowed by their state for its life, and touched by the
// worker's thread alone: while state is loaded, in the restorer's thread, only `options` is read.
struct stage_home {
    const struct agent_options *options;
    struct decoder *decoder;
    struct avro_codec *codec;
    struct transaction *transaction; // takes what is handed out
    struct buf encoded;              // scratch for one record
    int64_t events_read, events_skipped;
    struct log_gate limits_gate; // of limits that runs hit
    struct log_gate loss_gate;   // of events that runs miss
};

// Sends what is in `encoded`, under the key that all records have. As transaction_send.
static inline enum status stage_publish(struct stage_home *home, enum topic topic,
                                        const char *pipeline) {
    struct sink_record record = {.topic = home->options->topics[topic],
                                 .key = str_of(pipeline),
                                 .value = buf_str(&home->encoded)};
    return transaction_send(home->transaction, topic, &record);
}

// The state of one partition. Every stage puts it first in a struct of its own, and turns it back
// in one place that looks at `ops`.
struct stage_state {
    const struct stage_ops *ops;
    struct stage_home *home;
    int32_t partition;
};

// All are set but the last three. `waits`, `newest_ms` and the last three change nothing.
struct stage_ops {
    const char *name;
    enum topic input; // topic_of_state knows where its state goes
    // Empty state, to be loaded or thrown away; any thread, as is `load`.
    struct stage_state *(*new)(struct stage_home *home, int32_t partition);
    void (*free)(struct stage_state *state);
    // Fills empty state with all values of its partition. ST_SKIP with words: damaged, or written
    // by a later release; the state must be thrown away.
    enum status (*load)(struct stage_state *state, const struct keep_table *table, struct err *err);
    // Takes the next message, and hands out what it causes. ST_SKIP: it cannot be used; *reason is
    // the metric that counts why (already counted), *err has the words.
    enum status (*feed)(struct stage_state *state, const struct message *message,
                        enum metric *reason, struct err *err);
    // The partition is idle and read to its end: its time goes on by `by_ms`. Part of the state.
    void (*tick)(struct stage_state *state, int64_t by_ms);
    // True if a tick can matter.
    bool (*waits)(const struct stage_state *state);
    // Hands out what changed since the last call or the load, each key once; then forgets that.
    void (*changes)(struct stage_state *state, keep_each_fn each, void *ctx);
    // Event time of the newest event, ms, kept with the position; 0: none, or not this stage's.
    int64_t (*newest_ms)(const struct stage_state *state);
    // The alerts that hold or ended of late; NULL: a stage without alerts.
    void (*each_alert)(const struct stage_state *state,
                       void (*each)(void *ctx, const struct alert *alert), void *ctx);
    // The numbers of its pipelines for the pages; NULL: a stage without.
    void (*each_pipeline)(const struct stage_state *state,
                          void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx);
    // The setting whose limit is reached, so that what is new pushes out what is old; NULL: none.
    // NULL: a stage that does not tell.
    const char *(*full)(const struct stage_state *state);
};

#define STAGE(name) extern const struct stage_ops stage_##name;
#include "stages.def"
#undef STAGE

enum {
#define STAGE(name) STAGE_NUMBER_##name,
#include "stages.def"
#undef STAGE
    STAGES
};

static inline const struct stage_ops *stage_at(int number) {
    static const struct stage_ops *const table[STAGES] = {
#define STAGE(name) &stage_##name,
#include "stages.def"
#undef STAGE
    };
    return table[number];
}
