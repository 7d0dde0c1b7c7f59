// pipelines_priv: what the files of stage 2 share.
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "fleet/pipelines.h"
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
    // cumulative figures of the last update, to take differences
    int64_t records, data_bytes, shuffle_read_bytes, shuffle_write_bytes;
    int64_t memory_spilled_bytes, disk_spilled_bytes, gc_ms, task_ms;
    int64_t open[SEVERITY_COUNT]; // open bottlenecks by severity
    bool touched, written;        // changed since it was written out; in the state topic
};

struct pane {
    struct pipeline_window
        window; // counters of the pane; window-wide fields filled in when handed out
    struct sketch *durations_s10; // ended runs, tenths of a second; NULL if none
    bool changed;                 // since it was last handed out
    bool touched, written;
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
    bool touched, written;
    struct pipeline *newer, *older;
    UT_hash_handle hh;
};

struct pipelines {
    const struct pipelines_options *options;
    struct pipelines_output output;
    struct pipeline *all;
    struct pipeline *oldest, *newest;  // by last update
    int64_t time_ms;                   // of the newest update, and ticks; 0 before the first
    int64_t clock_ms;                  // time that passed, jumps cut
    bool touched;                      // either of them, since it was written out
    size_t changed_panes, alert_count; // of all pipelines
    uint32_t panes_lost;               // did not fit the window when the state was read
    struct buf gone;                   // keys that are gone since, each a length and its bytes
};

// Beyond this no partition's time goes: ticks of a century after the last possible update.
#define PARTITION_TIME_MAX_MS (2 * EVENT_TIME_MAX_MS)

// pipelines.c
// The pipeline with this key, or NULL.
struct pipeline *pipelines_find(const struct pipelines *pipelines, const char *key, size_t key_len);
struct pipeline *pipelines_add(struct pipelines *pipelines, const char *key, size_t key_len);
void pipelines_drop(struct pipelines *pipelines, struct pipeline *pipeline);
void pipelines_link_newest(struct pipelines *pipelines, struct pipeline *pipeline);
void pipelines_unlink(struct pipelines *pipelines, struct pipeline *pipeline);

// known_runs.c
// The run, or NULL if it is not remembered.
struct known_run *known_runs_find(const struct pipeline *pipeline, const char *id);
// A new entry; the oldest ended run makes room, the oldest of all if none has ended.
struct known_run *known_runs_add(struct pipelines *pipelines, struct pipeline *pipeline);
struct known_run known_run_of(const struct pipeline_run *run, int64_t time_ms);
// Counts what the pipeline suffers from now.
void known_runs_count_open(struct pipeline *pipeline);

// partition_time.c
// An update of `pipeline` moves the partition's time.
void partition_time_advance(struct pipelines *pipelines, const struct pipeline *pipeline,
                            int64_t time_ms);

// snapshot_pipelines.c: they are about to go: so do their keys.
void snapshot_forget_run(struct pipelines *pipelines, const struct pipeline *pipeline,
                         const struct known_run *run);
void snapshot_forget_pane(struct pipelines *pipelines, const struct pipeline *pipeline,
                          const struct pane *pane);
void snapshot_forget_pipeline(struct pipelines *pipelines, const struct pipeline *pipeline);

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
// A place for an alert where there is none; counted.
struct pipeline_alert *alerts_add(struct pipelines *pipelines, struct pipeline *pipeline,
                                  enum bottleneck_kind kind);
// Sets what an alert of this kind always says.
void alerts_name(const struct pipeline *pipeline, struct alert *alert, enum bottleneck_kind kind);
// The pipeline is dropped: what is active ends.
void alerts_end_all(struct pipelines *pipelines, struct pipeline *pipeline);
// Alerts that ended long ago are forgotten, those of silent pipelines end.
void alerts_expire(struct pipelines *pipelines, struct pipeline *pipeline);
void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run, int64_t time_ms);
