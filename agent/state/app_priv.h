// app_priv: what the files of app share and nobody else may see.
#pragma once

#include "base/hash.h"
#include "state/app.h"

struct app_stage_slot {
    int64_t key; // stage id and attempt
    struct stage *stage;
    UT_hash_handle hh;
};

struct app_job {
    int32_t id;
    int64_t execution_id; // SQL execution, -1 none
    int32_t *stages;      // owned
    uint32_t stage_count;
    int64_t number; // how many jobs began before it
    struct kept kept;
};

// app_kept.c: what is known of an accumulator changed.
void app_touch_accum(struct app *app, int64_t id);

// executors.c: EXECUTORS_PER_CHUNK executors and as many hosts, as they are kept.
struct executor_chunk {
    struct executors *executors;
    uint32_t number;
};
extern const struct record record_executor_sums; // of struct executors
// Chunks that are in use.
uint32_t executors_chunks(const struct executors *executors);
// True if chunks came complete: no gap among hosts and executors, every host known.
bool executors_complete(const struct executors *executors);

// app.c
// Takes a stage over; the app must not have one with its id.
void app_stage_adopt(struct app *app, struct stage *stage);
// Forgets stages until there is room for so many more within the limits.
void app_stages_bound(struct app *app, uint32_t coming);

// app_work.c
// Merges an event about jobs and SQL executions.
void app_apply_work(struct app *app, const struct event *event);
// The newest open job that lists the stage, or -1.
int32_t app_job_of_stage(const struct app *app, int32_t stage);
// Adds a successful task's scan rows; returns its scan time in ns, -1 if it reports none.
int64_t app_apply_task_accums(struct app *app, const struct event_task *task);
void app_jobs_fini(struct app *app);

// app_run.c
void app_keep_property(struct app *app, const struct event_property *property);
