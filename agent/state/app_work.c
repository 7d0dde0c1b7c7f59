// app_work: the work of an app as Spark plans it: which jobs are open, which SQL execution they
// belong to and how they ended. Called by app.c; bounded: the oldest open job is forgotten beyond
// the limit. What the plans say is app_plan's.
#include "app_priv.h"

#include <string.h>

#include "base/mem.h"
#include "base/sat.h"
#include "base/scrub.h"
#include "state/failure.h"

static int64_t execution_of(const struct event_job *job) {
    for (uint32_t i = 0; i < job->property_count; i++) {
        int64_t id;
        if (str_is(job->properties[i].key, "spark.sql.execution.id") &&
            str_to_i64(job->properties[i].value, &id) && id >= 0) {
            return id;
        }
    }
    return -1;
}

static struct app_job *find_job(const struct app *app, int32_t id) {
    for (uint32_t i = app->job_count; i > 0; i--) {
        if (app->jobs[i - 1].id == id) {
            return &app->jobs[i - 1];
        }
    }
    return NULL;
}

static void forget_job(struct app *app, struct app_job *job) {
    keep_gone(&app->gone, &job->kept, (struct kept_part){'j', {job->id}});
    size_t at = (size_t)(job - app->jobs);
    memmove(job, job + 1, (app->job_count - at - 1) * sizeof *job);
    app->job_count--;
}

static void apply_job_start(struct app *app, const struct event *event) {
    const struct event_job *job = &event->job;
    for (uint32_t i = 0; i < job->property_count; i++) {
        app_keep_property(app, &job->properties[i]);
    }
    app_job_signs(app, job);
    if (!app_add_id(app, &app->started_jobs, job->id)) {
        return;
    }
    app->totals.jobs++;
    if (app->job_count == APP_OPEN_JOBS_MAX) {
        forget_job(app, &app->jobs[0]);
        limit_hit(&app->limits, LIMIT_JOBS);
    }
    MEM_GROW(app->jobs, app->job_count, app->job_cap);
    struct app_job *open = &app->jobs[app->job_count++];
    *open = (struct app_job){.id = job->id,
                             .execution_id = execution_of(job),
                             .number = app->totals.jobs,
                             .started_ms = event->time_ms};
    keep_touch(&open->kept);
}

static void set_failed(struct app *app, int64_t key, bool failed) {
    uint32_t at = 0;
    while (at < app->failed_key_count && app->failed_keys[at] != key) {
        at++;
    }
    bool present = at < app->failed_key_count;
    if (failed && !present && app->failed_key_count == APP_FAILED_KEYS_MAX) {
        limit_hit(&app->limits, LIMIT_FAILED_JOBS);
    } else if (failed && !present) {
        MEM_GROW(app->failed_keys, app->failed_key_count, app->failed_key_cap);
        app->failed_keys[app->failed_key_count++] = key;
    } else if (!failed && present) {
        app->failed_keys[at] = app->failed_keys[--app->failed_key_count];
    }
}

// The first line of an error.
static void keep_failure(struct app *app, struct str text) {
    const char *line_end = memchr(text.p, '\n', text.len);
    if (line_end != NULL) {
        text.len = (size_t)(line_end - text.p);
    }
    scrub_copy(app->failure, sizeof app->failure, text);
}

static void apply_job_end(struct app *app, const struct event *event) {
    const struct event_job *job = &event->job;
    struct app_job *open = find_job(app, job->id);
    int64_t key = open == NULL ? -1 : open->execution_id;
    bool first = app_add_id(app, &app->ended_jobs, job->id);
    bool cancelled =
        !job->succeeded && (str_contains_nocase(job->error, STR("cancelled")) ||
                            str_contains_nocase(job->error, STR("SparkContext was shut down")));
    if (first && !cancelled) {
        app->totals.jobs_failed += !job->succeeded;
        set_failed(app, key, !job->succeeded);
        if (!job->succeeded) {
            keep_failure(app, job->error);
        }
    }
    if (open != NULL) {
        busy_add(&app->in_jobs, open->started_ms, event->time_ms);
        forget_job(app, open);
    }
}

static void apply_sql_end(struct app *app, const struct event_sql *sql) {
    app->sql_error = sql->has_error && sql->error.len > 0;
    if (app->sql_error) {
        app->drivers_oom = failure_is_drivers_oom(sql->whole_error);
    }
    if (app->sql_error && app->failure[0] == '\0') {
        keep_failure(app, sql->error);
    }
}

void app_jobs_fini(struct app *app) {
    while (app->job_count > 0) {
        forget_job(app, &app->jobs[app->job_count - 1]);
    }
    mem_free(app->jobs);
    mem_free(app->failed_keys);
}

void app_apply_work(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_JOB_START:
        apply_job_start(app, event);
        break;
    case EVENT_JOB_END:
        apply_job_end(app, event);
        break;
    case EVENT_SQL_START:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        app_apply_plan(app, event);
        break;
    case EVENT_SQL_END:
        apply_sql_end(app, &event->sql);
        plans_end(app, event->sql.execution_id);
        break;
    case EVENT_STREAM_PROGRESS:
        streams_progress(&app->streams, &event->stream);
        app_other_signs(app, event);
        break;
    case EVENT_STREAM_TERMINATED:
        streams_ended(&app->streams, &event->stream);
        app_other_signs(app, event);
        break;
    default:
        app_other_signs(app, event);
        break;
    }
}
