// pipelines_priv: what the files of stage 2 share.
#pragma once

#include <sys/queue.h>

#include "base/hash.h"
#include "fleet/pipelines.h"
#include "keep/keep.h"
#include "model/event.h"
#include "stats/ring.h"
#include "stats/sketch.h"

// One run as last heard of.
struct known_run {
    char id[ID_TEXT_SIZE];
    int64_t number; // order of appearance in the pipeline
    int64_t revision, time_ms, started_ms, ended_ms;
    double duration_s;
    enum run_status status;
    // cumulative figures of the last update, to take differences: records ... task_ms
#define WINDOW_FIGURE(pane_number, run_number, name, from) int64_t name;
#include "model/window_figures.def"
#undef WINDOW_FIGURE
    int64_t open[SEVERITY_COUNT]; // open bottlenecks by severity
    struct kept kept;
};

struct pane {
    struct pipeline_window
        window; // counters of the pane; window-wide fields filled in when handed out
    struct sketch *durations_s10; // ended runs, tenths of a second; NULL if none
    bool changed;                 // since it was last handed out
    struct kept kept;
};

// alert.ended_ms != 0: it ended, and is kept to be told once more.
struct pipeline_alert {
    struct alert alert;
    int64_t kind;           // its bottleneck kind and 1; 0: there is none
    char run[ID_TEXT_SIZE]; // the run that keeps it up
    int64_t ended_clock_ms; // the clock when it ended
};

struct pipeline {
    char key[2 * (RUN_TEXT_MAX + 1)]; // cluster, newline, name
    size_t key_len;
    struct ring ring;
    struct pane **panes;    // ring.panes of them, NULL where nothing happened
    struct known_run *runs; // oldest first
    uint32_t run_count, run_cap;
    int64_t run_number;     // of the next run
    uint32_t changed_panes; // not handed out as they are
    uint32_t alert_count;   // active or kept
    struct pipeline_stats stats;
    struct pipeline_alert *alerts[KIND_COUNT]; // NULL: there is none
    int64_t seen_offset;                       // of the last update: the order of the list
    int64_t seen_clock_ms;                     // the clock at the last update
    struct kept kept;                          // with its alerts; runs and panes have their own
    TAILQ_ENTRY(pipeline) link;
    UT_hash_handle hh;
};

TAILQ_HEAD(pipeline_list, pipeline); // the pipeline with the oldest last update first

struct pipelines {
    const struct pipelines_options *options;
    struct pipelines_output output;
    struct pipeline *all;
    struct pipeline_list by_update;
    int64_t time_ms;                   // of the newest update, and ticks; 0 before the first
    int64_t clock_ms;                  // time that passed, jumps cut
    struct kept kept;                  // of both times
    size_t changed_panes, alert_count; // of all pipelines
    uint32_t panes_lost;               // did not fit the window when the state was read
    struct keep keep;
};

// Beyond this no partition's time goes: ticks of a century after the last possible update.
#define PARTITION_TIME_MAX_MS (2 * EVENT_TIME_MAX_MS)

// pipelines.c
// The pipeline with this key, or NULL.
struct pipeline *pipelines_find(const struct pipelines *pipelines, struct str key);
// A new one, the newest of the list.
struct pipeline *pipelines_add(struct pipelines *pipelines, struct str key);
// Which run makes room for another one: the oldest that ended, the oldest of all if none has. There
// is at least one.
uint32_t known_runs_victim(const struct known_run *runs, uint32_t count);

// pipelines_kept.c: they are about to go: so do their keys.
void pipelines_forget_run(struct pipelines *pipelines, const struct pipeline *pipeline,
                          const struct known_run *run);
void pipelines_forget_pane(struct pipelines *pipelines, const struct pipeline *pipeline,
                           const struct pane *pane);
void pipelines_forget(struct pipelines *pipelines, struct pipeline *pipeline);

// window.c
void window_init(struct pipeline *pipeline, const struct pipelines_options *options);
void window_fini(struct pipelines *pipelines, struct pipeline *pipeline);
// So many panes more (or less) have news that were not handed out.
void window_count_changed(struct pipelines *pipelines, struct pipeline *pipeline, int by);
// Adds what an update brought over the one before (NULL: the first), closing panes that are past.
void window_add(struct pipelines *pipelines, struct pipeline *pipeline,
                const struct known_run *before, const struct known_run *now);
void window_flush(struct pipelines *pipelines, struct pipeline *pipeline);
// The pane of a number inside the ring; NULL if nothing happened in it.
struct pane *window_pane(const struct pipeline *pipeline, int64_t number);
// A new pane in that place, which must be empty.
struct pane *window_open_pane(struct pipeline *pipeline, int64_t number);

// alerts.c
bool alerts_is_active(const struct pipeline_alert *alert);
// So many alerts more (or less) are active or kept.
void alerts_count(struct pipelines *pipelines, struct pipeline *pipeline, int by);
// Sets what an alert of this kind always says.
void alerts_name(const struct pipeline *pipeline, struct alert *alert, enum bottleneck_kind kind);
// The pipeline is dropped: what is active ends.
void alerts_end_all(struct pipelines *pipelines, struct pipeline *pipeline);
// Alerts that ended long ago are forgotten, those of silent pipelines end.
void alerts_expire(struct pipelines *pipelines, struct pipeline *pipeline);
void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run, int64_t time_ms);
