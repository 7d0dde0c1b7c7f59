// pipelines_priv: what the files of stage 2 share.
#pragma once

#include <string.h>
#include <sys/queue.h>

#include "base/budget.h"
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
    int64_t settings;             // a hash of its settings, once it ended
    struct kept kept;
};

// A piece of advice that was given to a pipeline and is followed up: see followed.c.
struct followed_setting {
    const char *key; // of the table of settings
    int32_t towards; // 1: more than the run had that it was given to; -1: less; 0: just that
    char value[80];
};
struct advised {
    enum advice_kind kind;
    char id[ID_TEXT_SIZE]; // of the recommendation that gave it last
    int32_t revision;      // told of that
    int64_t finding; // kind of bottleneck that is gone if it is applied, and 1; 0: settings tell
    double share;    // of the run's time that would be saved at most
    int64_t given;   // number of the run that it was given to last
    bool had;        // by the last run since
    int64_t applied; // number of the run that first had it
    int64_t before, after;             // settings of the runs before that one, and its own
    int64_t with;                      // advice applied by the same run (model/run.h, advice_bit)
    int32_t judged;                    // how many runs told what it did since it was applied
    int32_t misses;                    // of those that are sure, in a row, how many it did not help
    struct followed_setting *settings; // owned
    uint32_t setting_count;
    struct kept kept;
};
enum { FOLLOWED_MAX = 8, FOLLOWED_SETTINGS_MAX = 16 };
struct followed {
    struct advised *of[FOLLOWED_MAX]; // owned; NULL: there is none
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
    int64_t kind;              // its bottleneck kind and 1; 0: there is none
    char run[ID_TEXT_SIZE];    // the run that keeps it up
    int64_t ended_clock_ms;    // the clock when it ended
    struct pipeline *pipeline; // while it is in the list of those that ended
    TAILQ_ENTRY(pipeline_alert) ended_link;
};

// How a pipeline stands when room is needed: see registry.c. Those that shrank have no runs.
enum standing {
    STANDING_NONE, // in no list: it is being updated or loaded
    STANDING_QUIET,
    STANDING_ALERTING,
    STANDING_SHRUNK,
    STANDING_COUNT
};

struct pipeline {
    char key[2 * (RUN_TEXT_MAX + 1)]; // cluster, newline, name
    size_t key_len;
    struct ring ring;
    struct pane **panes;    // ring.panes of them, NULL where nothing happened
    uint32_t pane_count;    // not NULL
    struct known_run *runs; // oldest first
    uint32_t run_count, run_cap;
    int64_t run_number;     // of the next run
    uint32_t changed_panes; // not handed out as they are
    uint32_t alert_count;   // active or kept
    uint32_t firing_count;  // of them, active
    struct pipeline_stats stats;
    struct pipeline_alert *alerts[KIND_COUNT]; // NULL: there is none
    struct followed followed;
    int64_t seen_offset;   // of the last update: the order of the list
    int64_t seen_clock_ms; // the clock at the last update
    struct kept kept;      // with its alerts; runs, panes and advice have their own
    // What follows is registry.c's.
    enum standing standing;
    int64_t bytes;                     // of it in the account
    uint32_t quiet_at;                 // its place in the heap
    bool is_foreign;                   // of another cluster than is set now
    bool is_open, is_firing;           // in the list
    TAILQ_ENTRY(pipeline) link;        // of all
    TAILQ_ENTRY(pipeline) open_link;   // of those with changed panes
    TAILQ_ENTRY(pipeline) firing_link; // of those with active alerts
    TAILQ_ENTRY(pipeline) standing_link;
    UT_hash_handle hh;
};

TAILQ_HEAD(pipeline_list, pipeline); // the pipeline with the oldest last update first
TAILQ_HEAD(ended_list, pipeline_alert);

struct pipelines {
    const struct pipelines_options *options;
    struct pipelines_output output;
    struct pipeline *all;
    struct pipeline_list by_update, open;
    struct pipeline_list firing[2]; // of our cluster, of others
    struct ended_list ended;        // alerts that ended, the first first
    struct pipeline_list standing[STANDING_COUNT];
    uint32_t standing_count[STANDING_COUNT]; // but of those that are quiet
    struct pipeline **quiet;                 // a heap, the oldest on top
    uint32_t quiet_count, quiet_cap;
    struct pipelines_pushed_out pushed_out;
    struct budget_account account;     // the bytes of all pipelines
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
// Which run makes room for another one: the oldest that ended, the oldest of all if none has. There
// is at least one.
uint32_t known_runs_victim(const struct known_run *runs, uint32_t count);

// The order of the last updates, oldest first.
static inline bool pipeline_is_older(const struct pipeline *a, const struct pipeline *b) {
    if (a->seen_offset == b->seen_offset) { // no two can be, but the order must be one
        return strcmp(a->key, b->key) < 0;
    }
    return a->seen_offset < b->seen_offset;
}

static inline bool alerts_is_active(const struct pipeline_alert *alert) {
    return alert != NULL && alert->alert.ended_ms == 0;
}

// registry.c
// The pipeline with this key, or NULL.
struct pipeline *registry_find(const struct pipelines *pipelines, struct str key);
// A new one, in no list yet.
struct pipeline *registry_add(struct pipelines *pipelines, struct str key);
// The pipeline of an update, for which others may have to go. In no list: what it is may change
// freely until it enters.
struct pipeline *registry_take(struct pipelines *pipelines, const struct run_identity *identity);
// It is in the lists that it belongs to, the newest of each.
void registry_enter(struct pipelines *pipelines, struct pipeline *pipeline);
// Lets pipelines go, in the order in which they make room, until the budget is kept.
void registry_trim(struct pipelines *pipelines);
// It lost alerts or news while it is in the lists. One that had shrunk and has no alerts left goes.
void registry_change(struct pipelines *pipelines, struct pipeline *pipeline);

// followed.c
// A run of the pipeline has ended that is known now (as `now`, whose settings are set here): what
// became of the advice given before is handed out, and what it is advised itself is followed up
// from now on.
void followed_end(struct followed *followed, struct pipelines *pipelines,
                  const struct pipeline *pipeline, const struct pipeline_run *run,
                  struct known_run *now);
// Memory that it takes.
int64_t followed_bytes(const struct followed *followed);
void followed_fini(struct followed *followed);

// judged.c
// What an applied piece of advice is judged by.
struct application {
    int64_t number;      // of the run that first had it: the runs before it are compared with
    int64_t settings;    // theirs
    double share;        // of a run's time that it would save at most
    bool by_finding;     // told by what is gone, not by settings
    double completeness; // of what is known of the run
};
struct judged {
    struct advice_outcome outcome;
    const char *why;   // static text: what was told from, where no times were compared; else NULL
    const char *doubt; // static text: what it is in doubt for; NULL: it is not
};
void judged_by(struct judged *judged, const struct pipeline *pipeline, const struct known_run *now,
               const struct application *application);

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
// The clock went on: alerts that ended long ago are forgotten, those of silent pipelines end.
void alerts_age(struct pipelines *pipelines);
// All pipelines are loaded, with what was kept of their alerts: the rest is worked out. Those of
// another cluster end, without a word: whoever loads tells all alerts.
void alerts_complete(struct pipelines *pipelines);
void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run, int64_t time_ms);
