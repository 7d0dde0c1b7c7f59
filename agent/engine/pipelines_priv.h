// pipelines_priv: what the files of stage 2 share.
#pragma once

#include <uthash.h>

#include "engine/pipelines.h"
#include "stats/ring.h"
#include "stats/sketch.h"

// One run as last heard of.
struct known_run {
    char id[ID_TEXT_SIZE];
    int64_t revision, time_ms, started_ms, ended_ms, offset;
    double duration_s;
    enum run_status status;
    // cumulative figures of the last update, to take differences
    int64_t records, data_bytes, shuffle_read_bytes, shuffle_write_bytes;
    int64_t memory_spilled_bytes, disk_spilled_bytes, gc_ms, task_ms;
    enum severity worst[KIND_COUNT]; // open bottlenecks by kind, negligible = none
    int64_t open[SEVERITY_COUNT];
};

struct pane {
    struct pipeline_window
        window; // counters of the pane; window-wide fields filled in when handed out
    struct sketch *durations_s10; // ended runs, tenths of a second; NULL if none
    bool changed;                 // since it was last handed out
};

struct pipeline {
    char key[2 * (RUN_TEXT_MAX + 1)]; // cluster, newline, name
    size_t key_len;
    struct ring ring;
    struct pane *panes;     // ring.panes of them
    struct known_run *runs; // oldest first
    uint32_t run_count, run_cap;
    struct pipeline_stats stats;
    struct alert alerts[KIND_COUNT];          // name "" = not active
    char alert_run[KIND_COUNT][ID_TEXT_SIZE]; // the run that keeps the alert up
    struct pipeline *newer, *older;
    UT_hash_handle hh;
};

struct pipelines {
    const struct pipelines_options *options;
    struct pipelines_output output;
    struct pipeline *all;
    struct pipeline *oldest, *newest; // by last update
    int64_t newest_pane;              // of any update of the partition; INT64_MIN before the first
};

// window.c
void window_init(struct pipeline *pipeline, const struct pipelines_options *options);
void window_fini(struct pipeline *pipeline);
// Adds what an update brought over the one before (NULL: the first), closing panes that are past.
void window_add(struct pipelines *pipelines, struct pipeline *pipeline,
                const struct known_run *before, const struct known_run *now);
void window_flush(struct pipelines *pipelines, struct pipeline *pipeline);
// Start of the oldest pane that still counts; INT64_MIN if nothing was added yet.
int64_t window_start_ms(const struct pipeline *pipeline);

// alerts.c
void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run);
