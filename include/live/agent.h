// agent: the live agent: owns the pages, the alerts and the workers that do the work. Called by the
// commands run and demo from one thread.
//
// Each event takes effect exactly once: a worker puts what it hands out, how its state changed, and
// how far it has read into one Kafka transaction. What was not committed never happened: after a
// crash, a rebalance or a failed transaction the state is read back from Kafka and work goes on
// from there. Alerts are sent after the commit and again after every restart.
//
// A worker is one consumer, one producer of transactions and the partitions that the group gives
// it, each with the state of one stage (stages.def): what a stage does is known to its file alone.
// Threads: the caller's, which watches and shows; one per worker; one restorer per worker, which
// reads state back while other partitions run; those of the doors. A worker's state is touched by
// its own thread only; a load goes to the restorer and comes back as a whole; the agent reads the
// view that a worker leaves behind a lock.
//
// The order that makes it true. To begin: the producer is opened, which ends what an earlier owner
// of its name left open; the group's position is read, once no transaction over it is open; then
// where the state topic ends; then the state below that; position and state must agree. To commit:
// records as they come, at the end changed state with its position, the consumer's position, and
// the commit; only then alerts are told. To give a partition away: commit first. Whatever fails, or
// nobody knows the outcome of: the producer is replaced and all state is read again; nothing is
// mended.
//
// Always: a partition that runs has state; one that does not takes no message. Nothing is sent
// outside a transaction, nor in one that broke. Only what runs is touched, and a commit takes all
// that is touched. The position of a partition never falls while it runs, unless its input turns
// out to be another topic than was read, which is told. State that was kept over a rebalance counts
// only if the group's position is still its own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "alert/alert_doors.h"
#include "base/err.h"
#include "decode/decode.h"
#include "engine/engine.h"
#include "fleet/pipelines.h"
#include "kafka/client.h"
#include "model/topic.h"
#include "serve/http.h"

// Everything is borrowed for the agent's life.
struct agent_options {
    const char *cluster, *instance, *group;
    struct kafka_settings consumer, producer;
    const char *topics[TOPIC_COUNT];
    const char *write_version; // whose schemas records are written by; NULL: this program's own
    bool dlq_enabled;
    bool alone;          // no group: all partitions at once (demo)
    bool topics_trusted; // the state topics need no look: a broker of a test or of the demo
    bool dynamic;        // members without a name: their partitions go at once when they leave
    int workers;         // threads; 0: the one that calls agent_step does the work
    int64_t commit_interval_ms, max_record_bytes;
    int64_t tick_ms;  // how often an idle partition's time goes on; 0: never
    int64_t stuck_ms; // a worker that stands still for so long ends the process; 0: a minute
    struct decode_options decode;
    struct engine_options engine;
    struct pipelines_options pipelines;
    const struct alert_target *alert_targets;
    size_t alert_target_count;
    const char *http_listen;       // "" = none
    const char *const *http_hosts; // names by which its pages may be asked: serve/hosts.h
    unsigned http_host_count;
    struct http_web http_web; // TLS and users of its pages
    size_t metrics_pipelines_max;
    // What else must be well for the agent to be ready; appends why it is not. May be NULL.
    void *ready_ctx;
    bool (*also_ready)(void *ctx, struct buf *reason);
    // Told of records as they are handed to Kafka, and of run updates as stage 2 takes them; from
    // the workers' threads; may be NULL.
    void *hook_ctx;
    void (*on_bottleneck)(void *ctx, const struct run_identity *identity,
                          const struct bottleneck *bottleneck);
    void (*on_run)(void *ctx, const struct pipeline_run *run);
};

struct agent;

// Opens the doors without waiting for any of them, and starts the workers. ST_FATAL for settings
// that cannot work, ST_RETRY for what the machine does not give now, such as a port that is taken.
enum status agent_new(const struct agent_options *options, struct agent **out,
                      struct err *err) MUST_USE;
// Keeps the pages fresh for about `budget_ms`, and does the work if there are no threads for it.
// ST_OK, or ST_FATAL when a worker cannot go on. Ends the process if one stands still although the
// brokers answer: see options.stuck_ms.
enum status agent_step(struct agent *agent, int budget_ms, struct err *err) MUST_USE;
// Commits what is done, leaves the group, says goodbye to the Alertmanagers without resolving
// anything, and frees. Takes NULL.
void agent_free(struct agent *agent);
// True if all doors answer and all state is loaded; else the reasons are appended.
bool agent_ready(struct agent *agent, struct buf *reason);
// The port of its pages, 0 if there are none.
uint16_t agent_http_port(const struct agent *agent);
// Calls `each` for every pipeline known, as of at most a second ago.
void agent_each_pipeline(struct agent *agent,
                         void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx);
