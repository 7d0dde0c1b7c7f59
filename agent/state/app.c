// app: one run's life from the first event to the last: creation, dispatch of each event to the
// file that merges it, release. Called by engine only.
#include "state/app.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app_priv.h"
#include "base/mem.h"
#include "model/id.h"

struct app *app_new(const char *cluster, struct str app_id, struct str attempt,
                    const struct pipeline_rule *rule) {
    struct app *app = mem_zalloc(1, sizeof *app);
    str_copy(app->identity.cluster, sizeof app->identity.cluster, str_of(cluster));
    str_copy(app->identity.app_id, sizeof app->identity.app_id, app_id);
    str_copy(app->identity.attempt, sizeof app->identity.attempt, attempt);
    app->pipeline_rule = rule;
    app->executors.task_cpus = 1;
    id_of_run(&app->identity, app->run_id);
    return app;
}

void app_free(struct app *app) {
    if (app == NULL) {
        return;
    }
    for (uint32_t i = 0; i < APP_PIPELINE_KEYS_MAX; i++) {
        mem_free(app->pipeline_values[i]);
    }
    properties_fini(&app->properties);
    executors_fini(&app->executors);
    app_stages_fini(app);
    app_jobs_fini(app);
    mem_free(app->gone.parts);
    idmap_fini(&app->accum_chunks);
    idmap_fini(&app->accum_roles);
    idmap_fini(&app->driver_values);
    rangeset_fini(&app->ended_tasks);
    rangeset_fini(&app->started_jobs);
    rangeset_fini(&app->ended_jobs);
    for (uint32_t i = 0; i < app->verdict_count; i++) {
        mem_free(app->verdicts[i]);
    }
    mem_free(app->verdicts);
    mem_free(app);
}

static void apply_app_start(struct app *app, const struct event *event) {
    const struct event_app_start *start = &event->app_start;
    str_copy(app->identity.app_name, sizeof app->identity.app_name, start->name);
    str_copy(app->identity.user, sizeof app->identity.user, start->user);
    if (app->identity.app_id[0] == '\0') {
        str_copy(app->identity.app_id, sizeof app->identity.app_id, start->app_id);
    }
    if (app->identity.attempt[0] == '\0') {
        str_copy(app->identity.attempt, sizeof app->identity.attempt, start->attempt);
    }
    app->started_ms = event->time_ms;
    id_of_run(&app->identity, app->run_id);
    app_settle_pipeline(app);
}

bool app_is_other_run(const struct app *app, const struct event *event) {
    if (event->kind != EVENT_APP_START || app->started_ms == 0) {
        return false;
    }
    const struct event_app_start *start = &event->app_start;
    bool other_id = start->app_id.len > 0 && !str_is(start->app_id, app->identity.app_id);
    bool other_attempt = !str_is(start->attempt, app->identity.attempt) && start->attempt.len > 0;
    return other_id || other_attempt || event->time_ms != app->started_ms;
}

// What does not begin like a version changes nothing: the one known stays.
static void apply_version(struct app *app, struct str version) {
    char text[sizeof app->identity.spark_version], *end;
    str_copy(text, sizeof text, version);
    long major = strtol(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || end[0] != '.' || !isdigit((unsigned char)end[1])) {
        return;
    }
    long minor = strtol(end + 1, NULL, 10);
    memcpy(app->identity.spark_version, text, sizeof text);
    app->spark_major = major > 0 && major < 1000 ? (int)major : 0;
    app->spark_minor = minor > 0 && minor < 1000 ? (int)minor : 0;
}

static void apply_environment(struct app *app, const struct event_environment *environment) {
    for (uint32_t i = 0; i < environment->property_count; i++) {
        const struct event_property *property = &environment->properties[i];
        app_keep_property(app, property);
        properties_put(&app->properties, property->key, property->value);
    }
    int64_t cpus;
    if (str_to_i64(app_property(app, PROPERTY_TASK_CPUS), &cpus)) {
        executors_set_task_cpus(&app->executors, cpus);
    }
}

struct str app_property(const struct app *app, enum property property) {
    return properties_get(&app->properties, property, NULL);
}

struct str app_property_of(const struct app *app, enum property family, const char *name) {
    return properties_get(&app->properties, family, name);
}

static void apply_time(struct app *app, const struct event *event) {
    int64_t first = event->first_ms, last = event->time_ms;
    if (first > 0 && first <= EVENT_TIME_MAX_MS && (app->first_ms == 0 || first < app->first_ms)) {
        app->first_ms = first;
    }
    if (last > app->now_ms && last <= EVENT_TIME_MAX_MS) {
        app->now_ms = last;
    }
}

// Events about SQL executions and jobs.
static void apply_work(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_JOB_START:
        app_apply_job_start(app, &event->job);
        break;
    case EVENT_JOB_END:
        app_apply_job_end(app, &event->job);
        break;
    case EVENT_SQL_START:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
        app_apply_plan(app, &event->sql.plan);
        break;
    case EVENT_SQL_END:
        app_apply_sql_end(app, &event->sql);
        break;
    case EVENT_SQL_DRIVER_ACCUMS:
        app_apply_driver_accums(app, &event->sql);
        break;
    default:
        break;
    }
}

// Events about the application and its executors.
static void apply_world(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_LOG_START:
    case EVENT_DB_METADATA:
        apply_version(app, event->version);
        break;
    case EVENT_APP_START:
        apply_app_start(app, event);
        break;
    case EVENT_APP_END:
        app->ended_ms = event->time_ms > 0 ? event->time_ms : app->now_ms;
        app->has_exit_code = event->app_end.has_exit_code;
        app->exit_code = event->app_end.exit_code;
        break;
    case EVENT_ENVIRONMENT:
        apply_environment(app, &event->environment);
        break;
    case EVENT_RESOURCE_PROFILE:
        if (event->profile.id == 0) {
            app->executor_memory_mib = event->profile.memory_mib;
        }
        break;
    case EVENT_EXECUTOR_ADDED:
        executors_add(&app->executors, event->executor.id, event->executor.host,
                      event->executor.cores, event->time_ms);
        break;
    case EVENT_EXECUTOR_REMOVED:
        executors_remove(&app->executors, event->executor.id, event->executor.reason);
        break;
    case EVENT_EXECUTOR_EXCLUDED:
    case EVENT_EXECUTOR_EXCLUDED_STAGE:
    case EVENT_NODE_EXCLUDED:
    case EVENT_NODE_EXCLUDED_STAGE:
        app->exclusions++;
        break;
    case EVENT_EXECUTOR_BLACKLISTED:
    case EVENT_EXECUTOR_BLACKLISTED_STAGE:
    case EVENT_NODE_BLACKLISTED:
    case EVENT_NODE_BLACKLISTED_STAGE:
        app->blacklistings++;
        break;
    default:
        apply_work(app, event);
        break;
    }
}

bool app_apply(struct app *app, const struct event *event, struct stage **touched) {
    struct stage *stage = NULL;
    bool changed = true;
    apply_time(app, event);
    switch (event->kind) {
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        stage = app_apply_stage(app, event);
        break;
    case EVENT_TASK_START:
        stage = app_apply_task_start(app, &event->task);
        break;
    case EVENT_TASK_END:
        changed = app_apply_task_end(app, &event->task, &stage);
        break;
    default:
        apply_world(app, event);
        break;
    }
    if (touched != NULL) {
        *touched = stage;
    }
    return changed;
}
