// app: one run's life from the first event to the last: creation, what its stages and their tasks
// bring, dispatch of all other events, release. Called by engine only. One hash look-up per task at
// most (the newest stage is remembered); nothing here grows with the number of tasks.
#include "state/app.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app_priv.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "base/scrub.h"
#include "model/id.h"

struct stage *app_stage(const struct app *app, int32_t id, int32_t attempt) {
    const struct app_stage_slot *slot = app_stage_slot(app, id, attempt);
    return slot == NULL ? NULL : slot->stage;
}

void app_stage_adopt(struct app *app, struct stage *stage) {
    require(app_stage(app, stage->summary.stage, stage->summary.attempt) == NULL);
    struct app_stage_slot *slot = mem_zalloc(1, sizeof *slot);
    slot->key = app_stage_key(stage->summary.stage, stage->summary.attempt);
    slot->stage = stage;
    HASH_ADD(hh, app->stage_index, key, sizeof slot->key, slot);
    MEM_GROW(app->stages, app->stage_count, app->stage_cap);
    app->stages[app->stage_count++] = stage;
    app->open_stages += !stage->completed;
    app_count_stage(app, stage);
}

// An attempt that is a retry tells the one before it when it began and what it does again. Returns
// that one if it did not know.
static struct stage *tell_retried(struct app *app, const struct stage *retry) {
    const struct stage_summary *s = &retry->summary;
    struct stage *before = s->attempt > 0 ? app_stage(app, s->stage, s->attempt - 1) : NULL;
    if (before == NULL || (before->retry_launch_ms == retry->first_launch_ms &&
                           before->retry_tasks == s->tasks_expected)) {
        return NULL;
    }
    before->retry_launch_ms = retry->first_launch_ms;
    before->retry_tasks = s->tasks_expected;
    before->dirty = true;
    keep_touch(&before->kept);
    return before;
}

static struct stage *get_stage(struct app *app, int32_t id, int32_t attempt) {
    struct stage *recent = app->recent_stage;
    if (recent != NULL && recent->summary.stage == id && recent->summary.attempt == attempt) {
        keep_touch(&recent->kept);
        return recent;
    }
    struct stage *stage = app_stage(app, id, attempt);
    if (stage == NULL) {
        stage = stage_new(id, attempt);
        stage->number = app->stage_number++;
        app_stages_bound(app, 1);
        app_stage_adopt(app, stage);
        const struct stage *retry = attempt < INT32_MAX ? app_stage(app, id, attempt + 1) : NULL;
        if (retry != NULL) { // it came first
            tell_retried(app, retry);
        }
    }
    keep_touch(&stage->kept); // whoever asks for it changes it
    app->recent_stage = stage;
    return stage;
}

static void free_stages(struct app *app) {
    struct app_stage_slot *slot, *next;
    HASH_ITER(hh, app->stage_index, slot, next) {
        HASH_DEL(app->stage_index, slot);
        mem_free(slot);
    }
    for (uint32_t i = 0; i < app->stage_count; i++) {
        stage_free(app->stages[i]);
    }
    mem_free(app->stages);
}

static struct stage *apply_stage(struct app *app, const struct event *event) {
    bool completed = event->kind == EVENT_STAGE_COMPLETED;
    load_advance(app);
    struct stage *stage = get_stage(app, event->stage.id, event->stage.attempt);
    bool was_completed = stage->completed;
    waited_settle(app, stage);
    stage_apply_info(stage, &event->stage, completed);
    if (completed && !was_completed) {
        app->open_stages--;
        busy_add(&app->work, stage_began_ms(stage), stage->summary.completed_ms);
    }
    app_apply_outcome(app, event);
    app_count_stage(app, stage);
    if (completed && !was_completed) {
        plans_guess_files(app, stage);
        load_end(app, stage);
        load_note_computed(app, stage);
        app_count_wait(app, stage);
        app_count_slow_hosts(app, stage);
    }
    tell_retried(app, stage);
    return stage;
}

// True if another stage of the run had tasks on the cluster while this one waited.
static bool others_were_running(const struct app *app, const struct stage *stage) {
    return app->sums.busy > stage->counted.busy ||
           app->last_finish_ms > stage->summary.submitted_ms;
}

static void launched(struct stage *stage, int64_t launch_ms) {
    if (launch_ms > 0 && (stage->first_launch_ms == 0 || launch_ms < stage->first_launch_ms)) {
        stage->first_launch_ms = launch_ms;
    }
    if (launch_ms > stage->last_launch_ms) {
        stage->last_launch_ms = launch_ms;
    }
}

// The first sign of a task fixes what the stage waited for.
static void first_task(struct app *app, struct stage *stage, int64_t launch_ms) {
    launched(stage, launch_ms);
    if (stage->slots > 0) {
        return;
    }
    load_begin(app, stage);
    stage->waited_for_own = others_were_running(app, stage);
    stage->behind_a_job = stage->waited_for_own && app_behind_a_job(app, stage);
}

static struct stage *apply_task_start(struct app *app, const struct event_task *task) {
    load_advance(app);
    struct stage *stage = get_stage(app, task->stage, task->stage_attempt);
    first_task(app, stage, task->launch_ms);
    waited_settle(app, stage);
    bool known = task->task_id >= 0;
    if (!known || (!rangeset_has(&app->ended_tasks, task->task_id) &&
                   app_add_id(app, &app->started_tasks, task->task_id))) {
        waited_began(stage);
        int32_t host = executors_host(&app->executors, task->executor, task->host);
        stage_apply_start(stage, task, host);
    }
    waited_slots(app, stage);
    app_count_stage(app, stage);
    return tell_retried(app, stage); // of its own there is nothing to judge yet
}

static void add_totals(struct app *app, const struct event_task *task, enum task_class class) {
    struct run_totals *t = &app->totals;
    int64_t duration_ms = sat_sub0(task->finish_ms, task->launch_ms);
    app->task_ends++;
    if (task->has_metrics) {
        sat_inc(&t->memory_spilled_bytes, task->memory_spill_bytes);
        sat_inc(&t->disk_spilled_bytes, task->disk_spill_bytes);
    }
    if (class != TASK_CLASS_SUCCESS) {
        t->tasks_failed += class == TASK_CLASS_FAILED;
        t->tasks_killed += class == TASK_CLASS_KILLED;
        sat_inc(&t->wasted_ms, duration_ms);
        return;
    }
    t->tasks++;
    sat_inc(&t->task_ms, duration_ms);
    sat_inc(&t->input_bytes, task->input_bytes);
    sat_inc(&t->input_records, task->input_records);
    sat_inc(&t->output_bytes, task->output_bytes);
    sat_inc(&t->output_records, task->output_records);
    sat_inc(&t->shuffle_read_bytes, sat_add(task->remote_read_bytes, task->local_read_bytes));
    sat_inc(&t->shuffle_write_bytes, task->shuffle_write_bytes);
    sat_inc(&t->run_ms, task->run_ms);
    sat_inc(&t->cpu_ns, task->cpu_ns > 0 ? task->cpu_ns : 0);
    sat_inc(&t->gc_ms, task->gc_ms);
    sat_inc(&app->shuffle_read_records, task->shuffle_read_records);
    sat_inc(&app->fetch_wait_ms, task->fetch_wait_ms);
    sat_inc(&app->shuffle_write_ns, task->shuffle_write_ns);
}

// From 4.1 Spark tells the run time of a task times the cores it takes. It is brought to wall time
// before it is compared with anything; nothing else of a task is multiplied.
static int64_t wall_run_ms(const struct app *app, const struct stage *stage,
                           const struct event_task *task) {
    bool before = app->spark_major > 0 &&
                  (app->spark_major < 4 || (app->spark_major == 4 && app->spark_minor < 1));
    int64_t cpus = slots_task_cpus(&app->executors.slots, stage->profile);
    bool multiplied = task->run_ms > sat_sub0(task->finish_ms, task->launch_ms);
    return multiplied && !before ? task->run_ms / cpus : task->run_ms;
}

static void end_running(struct app *app, struct stage *stage, const struct event_task *task) {
    waited_settle(app, stage);
    bool started = task->task_id < 0 ? stage->tasks_running > 0
                                     : rangeset_has(&app->started_tasks, task->task_id);
    if (started) {
        waited_ended(app, stage, task->finish_ms);
    } else { // its start was never seen
        sat_inc(&app->load.task_ms, sat_sub0(task->finish_ms, task->launch_ms));
    }
    waited_slots(app, stage);
}

static bool apply_task_end(struct app *app, const struct event_task *task, struct stage **touched) {
    enum task_class class = stage_task_class(task);
    if (class == TASK_CLASS_NONE) { // an earlier success whose output was lost: no new work
        *touched = app_stage(app, task->stage, task->stage_attempt);
        if (*touched != NULL) {
            (*touched)->resubmitted++;
            keep_touch(&(*touched)->kept);
        }
        return true;
    }
    if (task->task_id >= 0 && !app_add_id(app, &app->ended_tasks, task->task_id)) {
        metrics_add(METRIC_DUPLICATES, 1);
        *touched = NULL;
        return false;
    }
    load_advance(app);
    struct stage *stage = get_stage(app, task->stage, task->stage_attempt);
    first_task(app, stage, task->launch_ms);
    end_running(app, stage, task);
    bool cold;
    int32_t host = executors_task(&app->executors, task->executor, task->host, &cold);
    int64_t scan_ns = class == TASK_CLASS_SUCCESS ? app_apply_task_accums(app, task) : -1;
    if (class == TASK_CLASS_SUCCESS) {
        plans_count_files(app, stage, task);
    }
    int64_t run_ms = wall_run_ms(app, stage, task);
    struct event_task wall;
    if (run_ms != task->run_ms) {
        wall = *task;
        wall.run_ms = run_ms;
        task = &wall;
    }
    bool others_wait = app->sums.pending > stage->counted.pending;
    stage_apply_task(stage, task, host, cold, scan_ns, others_wait);
    app_count_stage(app, stage);
    busy_add(&app->work, task->launch_ms, task->finish_ms);
    peaks_see(&app->peaks, task);
    tell_retried(app, stage);
    add_totals(app, task, class);
    *touched = stage;
    return true;
}

struct app *app_new(const char *cluster, struct str app_id, struct str attempt,
                    const struct pipeline_rule *rule) {
    struct app *app = mem_zalloc(1, sizeof *app);
    str_copy(app->identity.cluster, sizeof app->identity.cluster, str_of(cluster));
    str_copy(app->identity.app_id, sizeof app->identity.app_id, app_id);
    str_copy(app->identity.attempt, sizeof app->identity.attempt, attempt);
    app->pipeline_rule = rule;
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
    delivery_fini(&app->delivery);
    properties_fini(&app->properties);
    properties_fini(&app->session);
    executors_fini(&app->executors);
    run_signs_fini(&app->signs);
    streams_fini(&app->streams);
    free_stages(app);
    app_outcome_fini(app);
    plans_fini(&app->plans);
    mem_free(app->gone.parts);
    idmap_fini(&app->accum_chunks);
    idmap_fini(&app->accum_roles);
    idmap_fini(&app->driver_values);
    rangeset_fini(&app->started_tasks);
    rangeset_fini(&app->ended_tasks);
    rangeset_fini(&app->started_jobs);
    rangeset_fini(&app->ended_jobs);
    for (uint32_t i = 0; i < app->verdict_count; i++) {
        mem_free(app->verdicts[i]);
    }
    mem_free(app->verdicts);
    mem_free(app);
}

void app_note_limit(struct app *app, enum limit limit) {
    app->limits |= 1u << limit;
    app->limit_hit = true;
}

static void apply_app_start(struct app *app, const struct event *event) {
    const struct event_app_start *start = &event->app_start;
    bool whole = start->name.len == 0 || // what a property said stays
                 scrub_copy(app->identity.app_name, sizeof app->identity.app_name, start->name);
    whole &= scrub_copy(app->identity.user, sizeof app->identity.user, start->user);
    if (!whole) {
        limit_hit(&app->limits, LIMIT_NAMES);
    }
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
    executors_environment(&app->executors, environment, app->now_ms);
}

struct str app_property(const struct app *app, enum property property) {
    return properties_get(&app->properties, property, NULL);
}

struct str app_property_of(const struct app *app, enum property family, const char *name) {
    return properties_get(&app->properties, family, name);
}

struct str app_session_property(const struct app *app, enum property property, const char *name) {
    return properties_get(&app->session, property, name);
}

// Jobs of SQL bring all settings of their session. What the environment has, too, nobody set since,
// unless it was something else in between.
static void apply_session(struct app *app, const struct event_job *job) {
    for (uint32_t i = 0; i < job->property_count; i++) {
        struct str key = job->properties[i].key, value = job->properties[i].value;
        enum property property = event_property_of(key);
        if (!str_starts(key, STR("spark.sql.")) || !property_is_of_run(property)) {
            continue;
        }
        char rest[PROPERTY_NAME_MAX + 1];
        const char *name = property_is_family(property) ? rest : NULL;
        size_t own = strlen(property_key(property));
        if (!str_copy(rest, sizeof rest, (struct str){key.p + own, key.len - own})) {
            continue;
        }
        bool same = str_eq(properties_get(&app->properties, property, name), value);
        if (!same || properties_get(&app->session, property, name).len > 0) {
            properties_put(&app->session, key, value);
        }
    }
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

// Events about jobs, SQL executions and streaming queries.
static void apply_work(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_JOB_START:
        apply_session(app, &event->job);
        break;
    case EVENT_SQL_START:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        app_apply_plan(app, event);
        break;
    case EVENT_SQL_END:
        plans_end(app, event->sql.execution_id);
        break;
    case EVENT_STREAM_PROGRESS:
        streams_progress(&app->streams, &event->stream);
        break;
    case EVENT_STREAM_TERMINATED:
        streams_ended(&app->streams, &event->stream);
        break;
    default:
        break;
    }
    app_see_signs(app, event);
    app_apply_outcome(app, event);
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
    case EVENT_LISTENER_REPORT:
        delivery_report(&app->delivery, &event->report);
        break;
    case EVENT_RESOURCE_PROFILE:
        if (event->profile.id == 0) {
            app->executor_memory_mib = event->profile.memory_mib;
        }
        executors_profile(&app->executors, &event->profile, app->now_ms);
        break;
    case EVENT_EXECUTOR_ADDED:
        executors_add(&app->executors, &event->executor, event->time_ms, app->now_ms);
        break;
    case EVENT_EXECUTOR_REMOVED:
        executors_remove(&app->executors, &event->executor, event->time_ms, app->now_ms);
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

// Whoever knows whose events these are made the app with its id. Of a log that nobody knows, and
// that has no ApplicationStart, a property may tell.
static void apply_identity(struct app *app, const struct event *event) {
    struct run_identity *identity = &app->identity;
    if (identity->app_id[0] == '\0' && event->app_id.len > 0) {
        str_copy(identity->app_id, sizeof identity->app_id, event->app_id);
        str_copy(identity->attempt, sizeof identity->attempt, event->app_attempt);
        id_of_run(identity, app->run_id);
    }
}

bool app_apply(struct app *app, const struct event *event, struct stage **touched) {
    struct stage *stage = NULL;
    bool changed = true;
    apply_time(app, event);
    apply_identity(app, event);
    switch (event->kind) {
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        stage = apply_stage(app, event);
        break;
    case EVENT_TASK_START:
        stage = apply_task_start(app, &event->task);
        break;
    case EVENT_TASK_END:
        changed = apply_task_end(app, &event->task, &stage);
        break;
    default:
        apply_world(app, event);
        break;
    }
    if (touched != NULL) {
        *touched = stage;
    }
    app->limits |= app->executors.limits | app->properties.limits | app->session.limits;
    app->limit_hit = app->limits != 0;
    return changed;
}
