// agent: the live agent: owns the doors, one engine per input partition and one set of pipelines
// per runs partition, and turns the loop. Called by the commands run and demo from one thread.
//
// Delivery is at least once: input offsets are committed only after the output they caused was
// acknowledged, and never past the first event of a run that is still open, so that a restart
// rebuilds the state by reading again. Ids and revisions come out the same.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "decode/decode.h"
#include "engine/engine.h"
#include "engine/pipelines.h"
#include "kafka/client.h"
#include "sink/alertmanager.h"

enum agent_topic {
    TOPIC_EVENTS,
    TOPIC_RUNS,
    TOPIC_BOTTLENECKS,
    TOPIC_RECOMMENDATIONS,
    TOPIC_WINDOWS,
    TOPIC_DLQ,
    TOPIC_COUNT
};

// Everything is borrowed for the agent's life.
struct agent_options {
    const char *cluster, *instance, *group;
    struct kafka_settings consumer, producer;
    const char *topics[TOPIC_COUNT];
    bool dlq_enabled;
    bool alone; // no group: all partitions at once (demo)
    int64_t commit_interval_ms, max_record_bytes;
    struct decode_options decode;
    struct engine_options engine;
    struct pipelines_options pipelines;
    struct alertmanager_settings alerts;
    const char *http_listen; // "" = none
    size_t metrics_pipelines_max;
    // Told of records as they are handed to Kafka, and of run updates as stage 2 takes them; may be
    // NULL.
    void *hook_ctx;
    void (*on_bottleneck)(void *ctx, const struct run_identity *identity,
                          const struct bottleneck *bottleneck);
    void (*on_run)(void *ctx, const struct pipeline_run *run);
};

struct agent;

// Opens the doors without waiting for any of them. ST_FATAL for settings that cannot work.
enum status agent_new(const struct agent_options *options, struct agent **out,
                      struct err *err) MUST_USE;
// Turns the loop once: takes what is there, for at most about `budget_ms`, commits when due, keeps
// the pages fresh. ST_OK, or ST_FATAL when the agent cannot go on.
enum status agent_step(struct agent *agent, int budget_ms, struct err *err) MUST_USE;
// Confirms and commits what is done, leaves the group, says goodbye to the Alertmanagers without
// resolving anything, and frees. Takes NULL.
void agent_free(struct agent *agent);
// True if all doors answer; else the reasons are appended.
bool agent_ready(struct agent *agent, struct buf *reason);
// The port of its pages, 0 if there are none.
uint16_t agent_http_port(const struct agent *agent);
// Calls `each` for every pipeline known.
void agent_each_pipeline(struct agent *agent,
                         void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx);
