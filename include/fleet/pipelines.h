// pipelines: stage 2, for one partition of the runs topic: folds PipelineRun updates into rolling
// windows and a history per pipeline, hands out a PipelineWindow per closed pane and the pipeline's
// alerts, and keeps the numbers of /metrics. No I/O, no clock, no thread: time is the updates' own.
//
// A pipeline has a ring of panes (NULL where nothing happened), the runs it was told of as last
// heard of, oldest first, and at most one alert per kind of bottleneck. An update of a run counts
// as what it brought over the one before, so an update that was missed is made up for by the next,
// and one that comes twice (not newer than the last of its run) changes nothing. What holds:
// - pipelines are in the hash table by key and in lists by last update, oldest first;
// - `changed_panes` and `alert_count` of all pipelines add up to those of the partition;
// - nothing in a pipeline is newer than its partition's time.
//
// The partition's time is that of its newest update, and goes on by ticks while it is idle: by it
// panes close. No more than `pipelines_max` pipelines are held: those that are silent for longest
// and have no alerts make room first, and a pipeline that goes is never told to have recovered
// (fleet/registry.c). Alerts age by a clock that one update moves by at most a minute, so that a
// jump in the updates' times ends nothing at a stroke.
//
// Of each pipeline a few pieces of advice are followed up: later runs show by their settings
// whether they were applied, and by their times what that did (fleet/followed.c).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/budget.h"
#include "keep/keep.h"
#include "model/alert.h"
#include "model/run.h"

struct pipelines_options {
    const char *cluster;              // ours, borrowed; NULL: pipelines of all clusters are ours
    int64_t window_ms, pane_ms;       // pane divides window
    enum severity alert_min;          // bottlenecks below raise no alert
    enum confidence alert_confidence; // nor those that are less sure
    uint32_t pipelines_max;           // beyond, others make room
    uint32_t runs_max;                // runs remembered per pipeline
    struct budget *budget;    // of the bytes that all partitions keep together; NULL: no bound
    int64_t alert_keep_ms;    // an alert that ended is still told for so long, after a restart;
                              // one of another cluster ends after so long without updates
    int64_t alert_silence_ms; // one of ours ends after so long without updates
};
// One hour of one-minute panes, alerts from moderate and medium confidence, 10,000 pipelines, 100
// runs each; alerts are kept for 15 minutes and end after 7 days of silence.
void pipelines_options_init(struct pipelines_options *options);

struct pipelines_output {
    void *ctx;
    void (*window)(void *ctx, const struct pipeline_window *window);
    void (*alert)(void *ctx, const struct alert *alert); // raised, changed, ended or silenced
    // What became of advice, as the run tells that ended now.
    void (*outcome)(void *ctx, const struct run_identity *identity, const char *run_id,
                    const struct recommendation *recommendation);
};

struct pipelines;

// `options` is borrowed for the object's life, the output table is copied.
struct pipelines *pipelines_new(const struct pipelines_options *options,
                                const struct pipelines_output *output);
void pipelines_free(struct pipelines *pipelines);

// Takes one update; `offset` is its place in the runs topic, `record_ms` the time its record was
// written (0: not known): an update dated far beyond it counts as of then.
void pipelines_feed(struct pipelines *pipelines, const struct pipeline_run *run, int64_t offset,
                    int64_t record_ms);

// The partition is idle and read to its end: its time goes on by `by_ms`. Panes that are past are
// handed out (again, whole, if more comes later), alerts expire. Part of the state: what a tick did
// is not undone by a restart.
void pipelines_tick(struct pipelines *pipelines, int64_t by_ms);
// True if a tick can matter: a pane is open, or an alert is active or kept.
bool pipelines_waits(const struct pipelines *pipelines);

// How many panes of the state that was loaded the window set now has no room for: its panes are of
// another length, or it is shorter. All else of that state was kept.
uint32_t pipelines_panes_lost(const struct pipelines *pipelines);

// True while every new pipeline pushes another one out.
bool pipelines_full(const struct pipelines *pipelines);
// What has been pushed out since the object was made: pipelines, whole or but for their alerts, and
// alerts that held and are told no more; how often a pipeline or what was left of one gave way to
// the budget of bytes, not to the number of others.
struct pipelines_pushed_out {
    uint64_t pipelines, alerts, for_memory;
};
struct pipelines_pushed_out pipelines_pushed_out(const struct pipelines *pipelines);

// Hands out the panes that are still open, as they are now: the end of input.
void pipelines_flush(struct pipelines *pipelines);

// Calls `each` with the numbers of every pipeline, borrowed for the call.
void pipelines_each(const struct pipelines *pipelines,
                    void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx);
// The active alerts and those that ended of late, one call each.
void pipelines_each_alert(const struct pipelines *pipelines,
                          void (*each)(void *ctx, const struct alert *alert), void *ctx);

// The state of a partition as values under keys, and back: see keep/keep.h and engine/engine.h,
// whose functions these are like.
extern const struct keep_kinds pipelines_kinds;
void pipelines_changes(struct pipelines *pipelines, keep_each_fn each, void *ctx);
void pipelines_all(struct pipelines *pipelines, keep_each_fn each, void *ctx);
enum status pipelines_load(struct pipelines *pipelines, const struct keep_table *table,
                           struct err *err) MUST_USE;
