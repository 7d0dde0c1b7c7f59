// app_jobs: which jobs are open, which SQL execution they belong to and how they ended. Called by
// app.c; bounded: the oldest open job is forgotten beyond the limit.
#include "app_priv.h"

#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "base/secret.h"

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
    mem_free(job->stages);
    size_t at = (size_t)(job - app->jobs);
    memmove(job, job + 1, (app->job_count - at - 1) * sizeof *job);
    app->job_count--;
}

void app_apply_job_start(struct app *app, const struct event_job *job) {
    for (uint32_t i = 0; i < job->property_count; i++) {
        app_keep_property(app, &job->properties[i]);
    }
    if (!rangeset_add(&app->started_jobs, job->id, APP_TASK_RANGES_MAX, NULL)) {
        return;
    }
    app->totals.jobs++;
    if (app->job_count == APP_OPEN_JOBS_MAX) {
        forget_job(app, &app->jobs[0]);
        app->limit_hit = true;
        metrics_add(METRIC_LIMIT_HITS, 1);
    }
    MEM_GROW(app->jobs, app->job_count, app->job_cap);
    struct app_job *open = &app->jobs[app->job_count++];
    *open = (struct app_job){
        .id = job->id, .execution_id = execution_of(job), .number = app->totals.jobs};
    keep_touch(&open->kept);
    open->stages = mem_alloc(job->stage_count * sizeof *open->stages);
    if (job->stage_count > 0) {
        memcpy(open->stages, job->stages, job->stage_count * sizeof *open->stages);
    }
    open->stage_count = job->stage_count;
}

static void set_failed(struct app *app, int64_t key, bool failed) {
    uint32_t at = 0;
    while (at < app->failed_key_count && app->failed_keys[at] != key) {
        at++;
    }
    bool present = at < app->failed_key_count;
    if (failed && !present && app->failed_key_count < APP_FAILED_KEYS_MAX) {
        MEM_GROW(app->failed_keys, app->failed_key_count, app->failed_key_cap);
        app->failed_keys[app->failed_key_count++] = key;
    } else if (!failed && present) {
        app->failed_keys[at] = app->failed_keys[--app->failed_key_count];
    }
}

// The first line of an error, without what looks like a secret's value.
static void keep_failure(struct app *app, struct str text) {
    const char *line_end = memchr(text.p, '\n', text.len);
    if (line_end != NULL) {
        text.len = (size_t)(line_end - text.p);
    }
    if (secret_mentioned(text)) {
        text = STR("(withheld: the message mentions a credential)");
    }
    str_copy(app->failure, sizeof app->failure, text);
}

void app_apply_job_end(struct app *app, const struct event_job *job) {
    struct app_job *open = find_job(app, job->id);
    int64_t key = open == NULL ? -1 : open->execution_id;
    bool first = rangeset_add(&app->ended_jobs, job->id, APP_TASK_RANGES_MAX, NULL);
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
        forget_job(app, open);
    }
}

void app_apply_sql_end(struct app *app, const struct event_sql *sql) {
    app->sql_error = sql->has_error && sql->error.len > 0;
    if (app->sql_error && app->failure[0] == '\0') {
        keep_failure(app, sql->error);
    }
}

int32_t app_job_of_stage(const struct app *app, int32_t stage) {
    for (uint32_t i = app->job_count; i > 0; i--) {
        const struct app_job *job = &app->jobs[i - 1];
        for (uint32_t k = 0; k < job->stage_count; k++) {
            if (job->stages[k] == stage) {
                return job->id;
            }
        }
    }
    return -1;
}

void app_jobs_fini(struct app *app) {
    while (app->job_count > 0) {
        forget_job(app, &app->jobs[app->job_count - 1]);
    }
    mem_free(app->jobs);
    mem_free(app->failed_keys);
}
