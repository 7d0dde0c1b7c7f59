// engine: stage 1, for one partition of the input topic. A message is placed on its run once, by
// headers or key, else by what the event says; the run's state takes the event; what it touched is
// judged, at most once a second and stage while events come, and what changed leaves as records.
// Runs stand in a table by their key and in two queues, running and ended, in the order of their
// last event: the partition's own time, moved by events and ticks, lets go of the oldest. No I/O,
// no clock, no thread: the live agent and `analyze` run this same code, so live = offline.
//
// Invariants: a run is in exactly one queue; a subject (run or stage attempt) has at most one
// verdict of a kind, whose id never changes and whose revision rises by one with each record; the
// pipeline's name does not change once a record of the run has left; nothing depends on where
// commits fall or on the order of a hash table.
#pragma once

#include <stdint.h>

#include "advise/advise.h"
#include "base/budget.h"
#include "base/err.h"
#include "base/metrics.h"
#include "decode/decode.h"
#include "detect/detector.h"
#include "keep/keep.h"
#include "model/message.h"
#include "model/run.h"
#include "state/app.h"

struct engine_options {
    const char *cluster;
    struct pipeline_rule pipeline;
    struct thresholds thresholds;
    const struct advisor *const *advisors; // in the order they are asked
    unsigned advisor_count;
    enum severity publish_min; // verdicts below stay inside
    bool no_failure_text;      // why a run failed is not kept, let alone handed out
    int64_t idle_ms;           // a run silent for so long is lost
    int64_t grace_ms;          // an ended run still takes late events for so long
    uint32_t applications_max;
    struct budget *budget; // of the bytes that all engines keep together; NULL: no bound
    bool one_application;  // every message is of one application (an event log), whatever its key
};
// The built-in defaults: cluster "default", pipeline by app_name, thresholds of the detectors,
// all advisors.
void engine_options_init(struct engine_options *options);

// Where records go. All pointers are borrowed for the call.
struct engine_output {
    void *ctx;
    void (*run)(void *ctx, const struct pipeline_run *run);
    void (*bottleneck)(void *ctx, const struct run_identity *identity, const char *run_id,
                       const struct bottleneck *bottleneck);
    void (*recommendation)(void *ctx, const struct run_identity *identity, const char *run_id,
                           const struct recommendation *recommendation);
};

struct engine;

// `options` (with what it points to) and `decoder` are borrowed for the engine's life; the output
// table is copied. NULL: its records go nowhere, for who looks at the runs alone.
struct engine *engine_new(const struct engine_options *options, struct decoder *decoder,
                          const struct engine_output *output);
void engine_free(struct engine *engine);

// Takes one message; `readable` is how many bytes may be read from message->value.p (>= its
// length). Of a message with several events each is taken. ST_OK also for events of no interest,
// and for a message of which nothing ever was a listener event: *reason (may be NULL) then gets a
// metric that counts it as ignored, else METRIC_COUNT. ST_SKIP: the message, or a part of it,
// cannot be used; *reason gets the metric that counts why (already counted) and err the words.
enum status engine_feed(struct engine *engine, const struct message *message, size_t readable,
                        enum metric *reason, struct err *err);

// The partition is idle and read to its end: its time goes on by `by_ms`. Runs that were silent for
// too long are given up, as if an event of another run had moved the time. Part of the state: what
// a tick did is not undone by a restart.
void engine_tick(struct engine *engine, int64_t by_ms);
// True if a tick can matter: some run is held.
bool engine_waits(const struct engine *engine);

// No more events will come (end of a log): judges what is open. Runs without an end are lost, or
// still running if `in_progress` says that the log is being written.
void engine_finish(struct engine *engine, bool in_progress);

// Time of the newest event seen, ms; 0 before the first.
int64_t engine_newest_ms(const struct engine *engine);

// Applications that were given up: silent for too long, or without room. Not kept.
uint32_t engine_let_go_count(const struct engine *engine);

// Applications held now.
uint32_t engine_application_count(const struct engine *engine);

// Calls `each` for every run held, in order of appearance, with what `analyze` prints: the app and
// its recommendations (borrowed for the call).
void engine_each_run(struct engine *engine,
                     void (*each)(void *ctx, const struct app *app, enum run_status status,
                                  const struct recommendation *recommendations, uint32_t count),
                     void *ctx);

// The state of an engine as values under keys, and back: see keep/keep.h. The live agent writes
// what changed with every commit and loads it after a restart, from where everything goes on as if
// nothing had happened.
extern const struct keep_kinds engine_kinds;
// Hands out what changed since the last call, since the load or since the beginning.
void engine_changes(struct engine *engine, keep_each_fn each, void *ctx);
// Hands out all of it; no change is forgotten.
void engine_all(struct engine *engine, keep_each_fn each, void *ctx);
// Loads an engine that has seen nothing yet. ST_SKIP with words on damaged values, on those of
// another version, or if a part is missing; the engine must then be thrown away.
enum status engine_load(struct engine *engine, const struct keep_table *table,
                        struct err *err) MUST_USE;
