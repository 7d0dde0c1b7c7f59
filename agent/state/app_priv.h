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
    bool written;   // to the state topic
};

enum { ACCUM_CHUNK_BITS = 8 };

// value_parts.c: marks for what is written out next.
// The value under this key ('s' stage, 'j' job) is gone.
void app_note_gone(struct app *app, char kind, int64_t number, int64_t attempt);
// What is known of an accumulator changed.
void app_touch_accum(struct app *app, int64_t id);

// app_stages.c: the stage with this id, made if need be.
struct stage *app_stage_get(struct app *app, int32_t id, int32_t attempt);
// Takes a stage over; the app must not have one with its id.
void app_stage_adopt(struct app *app, struct stage *stage);
void app_stages_fini(struct app *app);
struct stage *app_apply_stage(struct app *app, const struct event *event);
struct stage *app_apply_task_start(struct app *app, const struct event_task *task);
// False if the task end was counted before.
bool app_apply_task_end(struct app *app, const struct event_task *task, struct stage **touched);

// app_jobs.c
void app_apply_job_start(struct app *app, const struct event_job *job);
void app_apply_job_end(struct app *app, const struct event_job *job);
void app_apply_sql_end(struct app *app, const struct event_sql *sql);
// The newest open job that lists the stage, or -1.
int32_t app_job_of_stage(const struct app *app, int32_t stage);
void app_jobs_fini(struct app *app);

// app_sql.c
void app_apply_plan(struct app *app, const struct event_plan *plan);
void app_apply_driver_accums(struct app *app, const struct event_sql *sql);
// Adds a successful task's scan rows; returns its scan time in ns, -1 if it reports none.
int64_t app_apply_task_accums(struct app *app, const struct event_task *task);

// app_run.c
void app_keep_property(struct app *app, const struct event_property *property);
