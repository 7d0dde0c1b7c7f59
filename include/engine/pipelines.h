// pipelines: stage 2, for one partition of the runs topic: folds PipelineRun updates into rolling
// windows and a history per pipeline, hands out a PipelineWindow per closed pane and the pipeline's
// alerts, and keeps the numbers of /metrics. No I/O, no clock, no thread: time is the updates' own.
//
// An update may come twice (delivery is at least once): what is not newer than the last update of
// its run changes nothing.
#pragma once

#include <stdint.h>

#include "model/alert.h"
#include "model/run.h"

struct pipelines_options {
    int64_t window_ms, pane_ms; // pane divides window
    enum severity alert_min;    // bottlenecks below raise no alert
    uint32_t pipelines_max;     // beyond, the one silent for longest is dropped
    uint32_t runs_max;          // runs remembered per pipeline
};
// One hour of one-minute panes, alerts from moderate, 10,000 pipelines, 100 runs each.
void pipelines_options_init(struct pipelines_options *options);

struct pipelines_output {
    void *ctx;
    void (*window)(void *ctx, const struct pipeline_window *window);
    void (*alert)(void *ctx, const struct alert *alert); // raised, changed or ended
};

struct pipelines;

// `options` is borrowed for the object's life, the output table is copied.
struct pipelines *pipelines_new(const struct pipelines_options *options,
                                const struct pipelines_output *output);
void pipelines_free(struct pipelines *pipelines);

// Takes one update; `offset` is its place in the runs topic.
void pipelines_feed(struct pipelines *pipelines, const struct pipeline_run *run, int64_t offset);

// Hands out the panes that are still open, as they are now. For an idle partition and for the end
// of input; a pane that gets more afterwards is handed out again, whole.
void pipelines_flush(struct pipelines *pipelines);

// The smallest offset of an update that still counts in a window or an alert, or INT64_MAX.
int64_t pipelines_oldest_offset(const struct pipelines *pipelines);

// Calls `each` with the numbers of every pipeline, borrowed for the call.
void pipelines_each(const struct pipelines *pipelines,
                    void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx);
// The active alerts, one call each.
void pipelines_each_alert(const struct pipelines *pipelines,
                          void (*each)(void *ctx, const struct alert *alert), void *ctx);
