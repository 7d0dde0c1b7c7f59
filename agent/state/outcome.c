// outcome: see the header. Called by app.c for each event that begins or ends
// something; no such event costs more than a walk over what is open and what failed, both of which
// have a limit and are short in any run that is well.
#include "state/outcome.h"

#include <string.h>

#include "app_priv.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/sat.h"
#include "base/scrub.h"
#include "state/ending.h"
#include "state/failure.h"

static bool is_in(const struct rangeset *set, int64_t id) {
    size_t low = 0, high = set->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->ranges[middle].last < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->len && set->ranges[low].first <= id;
}

static int64_t hash_of(struct str text) {
    return text.len == 0 ? 0 : app_text_hash(text);
}

static bool is_known(int64_t hash, const struct work_mark *work) {
    return hash != 0 && (hash == work->description || hash == work->site);
}

static bool is_same_work(const struct work_mark *a, const struct work_mark *b) {
    return is_known(a->description, b) || is_known(a->site, b);
}

// Executions

static struct execution *find_execution(const struct app *app, int64_t id) {
    const struct outcome *outcome = &app->outcome;
    for (uint32_t i = outcome->execution_count; i > 0; i--) {
        if (outcome->executions[i - 1].id == id) {
            return &outcome->executions[i - 1];
        }
    }
    return NULL;
}

static void forget_execution(struct outcome *outcome, struct execution *execution) {
    size_t at = (size_t)(execution - outcome->executions);
    memmove(execution, execution + 1, (outcome->execution_count - at - 1) * sizeof *execution);
    outcome->execution_count--;
}

// What stands behind "NAME = " at the beginning of a line, as streams describe their batches.
static struct str line_of(struct str text, struct str name) {
    while (text.len > 0) {
        const char *newline = memchr(text.p, '\n', text.len);
        size_t len = newline == NULL ? text.len : (size_t)(newline - text.p);
        if (str_starts((struct str){text.p, len}, name)) {
            return (struct str){text.p + name.len, len - name.len};
        }
        len += newline != NULL;
        text = (struct str){text.p + len, text.len - len};
    }
    return STR("");
}

static void see_execution(struct app *app, int64_t id) {
    if (id < INT64_MAX && id >= app->outcome.newest_execution) {
        app->outcome.newest_execution = id + 1;
    }
}

static void start_execution(struct app *app, const struct event *event) {
    const struct event_sql *sql = &event->sql;
    struct outcome *outcome = &app->outcome;
    if (sql->execution_id < 0 || is_in(&outcome->ended, sql->execution_id) ||
        find_execution(app, sql->execution_id) != NULL) {
        return;
    }
    see_execution(app, sql->execution_id);
    if (outcome->execution_count == OUTCOME_EXECUTIONS_MAX) {
        forget_execution(outcome, &outcome->executions[0]);
        limit_hit(&app->limits, LIMIT_JOBS);
    }
    struct str query = line_of(sql->description, STR("id = "));
    struct str run = line_of(sql->description, STR("runId = "));
    bool stream = query.len > 0 && run.len > 0;
    MEM_GROW(outcome->executions, outcome->execution_count, outcome->execution_cap);
    outcome->executions[outcome->execution_count++] = (struct execution){
        .id = sql->execution_id,
        .root = sql->root_execution_id < 0 ? sql->execution_id : sql->root_execution_id,
        .work = {hash_of(sql->description), hash_of(stream ? query : sql->details)},
        .stream_run = stream ? app_text_hash(run) : 0,
        .started_ms = event->time_ms,
    };
}

// Failures

// The first line of an error.
static void keep_words(struct app *app, const struct failure *failure, struct str text) {
    const char *line_end = memchr(text.p, '\n', text.len);
    if (line_end != NULL) {
        text.len = (size_t)(line_end - text.p);
    }
    scrub_copy(app->failure, sizeof app->failure, text);
    app->outcome.told = failure->number;
}

static void remove_failure(struct app *app, uint32_t at) {
    struct outcome *outcome = &app->outcome;
    if (outcome->failures[at].number == outcome->told) {
        app->failure[0] = '\0';
    }
    outcome->failure_count--;
    memmove(&outcome->failures[at], &outcome->failures[at + 1],
            (outcome->failure_count - at) * sizeof *outcome->failures);
}

static bool is_of(const struct failure *failure, int64_t execution) {
    return execution >= 0 && (failure->execution == execution || failure->family - 1 == execution);
}

// A failure of the same execution, or of one that belongs to it; of a query's, the same query's.
static struct failure *find_failure(struct app *app, const struct failure *like) {
    struct outcome *outcome = &app->outcome;
    for (uint32_t i = 0; i < outcome->failure_count; i++) {
        struct failure *failure = &outcome->failures[i];
        bool same = like->of == FAILURE_OF_QUERY
                        ? failure->of == FAILURE_OF_QUERY && failure->work.site == like->work.site
                        : is_of(failure, like->execution);
        if (same) {
            return failure;
        }
    }
    return NULL;
}

// What one execution suffers is one failure: a job that failed says more than its execution's
// error, and an error that comes of the shutdown is none of its own.
static bool says_more(const struct app *app, const struct failure *now,
                      const struct failure *before) {
    if (now->of == FAILURE_OF_SHUTDOWN) {
        return before->of == FAILURE_OF_EXECUTION && app->ended_ms > 0 &&
               before->ended_ms >= app->ended_ms;
    }
    return now->of == FAILURE_OF_JOB && before->of != FAILURE_OF_JOB;
}

static void stand(struct app *app, struct failure failure, struct str words) {
    struct outcome *outcome = &app->outcome;
    if (is_in(&outcome->well, failure.execution) || is_in(&outcome->well, failure.family - 1)) {
        return; // what it was for ended well
    }
    failure.executions = outcome->newest_execution;
    failure.jobs = app->totals.jobs;
    struct failure *before = find_failure(app, &failure);
    if (before != NULL && !says_more(app, &failure, before)) {
        return;
    }
    if (before == NULL && outcome->failure_count == OUTCOME_FAILURES_MAX) {
        limit_hit(&app->limits, LIMIT_FAILED_JOBS);
        return;
    }
    if (before == NULL) {
        MEM_GROW(outcome->failures, outcome->failure_count, outcome->failure_cap);
        require(outcome->failures != NULL);
        before = &outcome->failures[outcome->failure_count++];
    }
    failure.number = ++outcome->failures_seen;
    *before = failure;
    if (failure.of != FAILURE_OF_SHUTDOWN || app->failure[0] == '\0') {
        keep_words(app, before, words);
    }
}

static void settle_sql_error(struct app *app) {
    app->sql_error = false;
    for (uint32_t i = 0; i < app->outcome.failure_count; i++) {
        enum failure_of of = app->outcome.failures[i].of;
        app->sql_error |= of == FAILURE_OF_EXECUTION || of == FAILURE_OF_QUERY;
    }
}

// True if the execution began after the failure.
static bool began_after(const struct execution *execution, const struct failure *failure) {
    return execution->started_ms > 0 && failure->ended_ms > 0
               ? execution->started_ms >= failure->ended_ms
               : execution->id >= failure->executions;
}

static bool makes_up(const struct execution *execution, const struct failure *failure) {
    if (is_of(failure, execution->id)) {
        return true;
    }
    return failure->of != FAILURE_OF_SHUTDOWN && began_after(execution, failure) &&
           (failure->of == FAILURE_OF_EXECUTION || is_same_work(&failure->work, &execution->work));
}

static void execution_makes_up(struct app *app, const struct execution *execution) {
    for (uint32_t i = app->outcome.failure_count; i > 0; i--) {
        if (makes_up(execution, &app->outcome.failures[i - 1])) {
            remove_failure(app, i - 1);
        }
    }
}

// Within an execution a later job, else one that does the same work.
static void job_makes_up(struct app *app, const struct app_job *job) {
    for (uint32_t i = app->outcome.failure_count; i > 0; i--) {
        const struct failure *failure = &app->outcome.failures[i - 1];
        bool same = job->execution_id >= 0 ? failure->execution == job->execution_id
                                           : is_same_work(&failure->work, &job->work);
        if (failure->of == FAILURE_OF_JOB && same && job->number > failure->jobs) {
            remove_failure(app, i - 1);
        }
    }
}

static bool has_failure(const struct app *app, int64_t execution) {
    for (uint32_t i = 0; i < app->outcome.failure_count; i++) {
        if (is_of(&app->outcome.failures[i], execution)) {
            return true;
        }
    }
    return false;
}

// Before 3.4 the end of an execution says nothing: it was good if none of its jobs failed, and the
// last one was not cancelled.
static void end_well(struct app *app, const struct execution *execution, bool says_so) {
    if (says_so) {
        app_add_id(app, &app->outcome.well, execution->id);
    } else if (execution->doubtful || has_failure(app, execution->id)) {
        return;
    }
    execution_makes_up(app, execution);
}

static void end_execution(struct app *app, const struct event *event) {
    const struct event_sql *sql = &event->sql;
    struct execution *open = find_execution(app, sql->execution_id);
    struct execution now = {.id = sql->execution_id, .root = sql->execution_id};
    bool repeated =
        sql->execution_id >= 0 && !app_add_id(app, &app->outcome.ended, sql->execution_id);
    if (open != NULL) {
        now = *open;
        forget_execution(&app->outcome, open);
    }
    if (repeated) {
        return;
    }
    see_execution(app, now.id);
    struct failure failure = {.execution = now.id,
                              .family = now.root + 1,
                              .of = FAILURE_OF_EXECUTION,
                              .work = now.work,
                              .ended_ms = event->time_ms};
    struct str error = sql->whole_error.len > 0 ? sql->whole_error : sql->error;
    switch (now.stream_run != 0 ? ending_of_stream(error, now.stream_run) : ending_of(error)) {
    case ENDING_WELL:
        end_well(app, &now, sql->has_error);
        break;
    case ENDING_CANCELLED:
        if (now.stream_run != 0) {
            app_stream_cut(app);
        }
        break;
    case ENDING_SHUT_DOWN:
        failure.of = FAILURE_OF_SHUTDOWN;
        stand(app, failure, sql->error);
        break;
    case ENDING_ERROR:
        app->drivers_oom = failure_is_drivers_oom(error);
        stand(app, failure, sql->error);
        break;
    }
    settle_sql_error(app);
}

// Jobs

static struct app_job *find_job(const struct app *app, int64_t id) {
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

static int64_t id_of(struct str value) {
    int64_t id;
    return str_to_i64(value, &id) && id >= 0 && id < INT64_MAX ? id : -1;
}

// What its properties say of a job.
static void read_properties(struct app_job *job, const struct event_job *event) {
    for (uint32_t i = 0; i < event->property_count; i++) {
        struct str value = event->properties[i].value;
        switch (event_property_of(event->properties[i].key)) {
        case PROPERTY_SQL_EXECUTION_ID:
            job->execution_id = id_of(value);
            break;
        case PROPERTY_SQL_ROOT_EXECUTION_ID:
            job->family = id_of(value) + 1;
            break;
        case PROPERTY_JOB_DESCRIPTION:
            job->work.description = hash_of(value);
            break;
        case PROPERTY_CALL_SITE:
            job->work.site = job->stream ? job->work.site : hash_of(value);
            break;
        case PROPERTY_STREAMING_QUERY_ID:
            job->stream = value.len > 0;
            job->work.site = hash_of(value);
            break;
        default:
            break;
        }
    }
}

// The run of its streaming query is the group of a job.
static int64_t read_run(const struct event_job *event) {
    for (uint32_t i = 0; i < event->property_count; i++) {
        if (event_property_of(event->properties[i].key) == PROPERTY_JOB_GROUP_ID) {
            return app_text_hash(event->properties[i].value);
        }
    }
    return 1; // of a run that nobody knows
}

static void start_job(struct app *app, const struct event_job *event, int64_t started_ms) {
    for (uint32_t i = 0; i < event->property_count; i++) {
        app_keep_property(app, &event->properties[i]);
    }
    if (!app_add_id(app, &app->started_jobs, event->id)) {
        return;
    }
    app->totals.jobs++;
    if (is_in(&app->ended_jobs, event->id)) {
        return; // its end came first
    }
    if (app->job_count == APP_OPEN_JOBS_MAX) {
        forget_job(app, &app->jobs[0]);
        limit_hit(&app->limits, LIMIT_JOBS);
    }
    MEM_GROW(app->jobs, app->job_count, app->job_cap);
    struct app_job *job = &app->jobs[app->job_count++];
    *job = (struct app_job){.id = event->id,
                            .execution_id = -1,
                            .number = app->totals.jobs,
                            .started_ms = started_ms,
                            .first_stage = event->first_stage,
                            .last_stage = event->last_stage,
                            .work = {0, hash_of(event->site)}};
    read_properties(job, event);
    struct execution *execution = find_execution(app, job->execution_id);
    if (execution != NULL && job->stream && execution->stream_run == 0) {
        execution->work.site = job->work.site; // its description does not tell
        execution->stream_run = read_run(event);
    }
    if (execution != NULL && execution->work.description == 0 && execution->work.site == 0) {
        execution->work = job->work; // a listener sends no description: where it is called from
    }
    if (execution != NULL) {
        job->family = execution->root + 1;
        job->work = execution->work;
    }
    keep_touch(&job->kept);
}

static void fail_job(struct app *app, const struct app_job *job, const struct event *event,
                     enum failure_of of) {
    struct failure failure = {
        .execution = -1, .of = of, .ended_ms = event->time_ms, .work = {0, 0}};
    if (job != NULL) {
        failure.execution = job->execution_id;
        failure.family = job->family;
        failure.work = job->work;
    }
    app->totals.jobs_failed += of == FAILURE_OF_JOB;
    stand(app, failure, event->job.error);
}

// A job that came without its stages' names: the stage itself has one.
static void name_work(const struct app *app, struct app_job *job) {
    if (job != NULL && job->work.description == 0 && job->work.site == 0 && job->last_stage > 0) {
        const struct stage *stage = app_stage(app, (int32_t)(job->last_stage - 1), 0);
        job->work.site = stage == NULL ? 0 : hash_of(str_of(stage->summary.name));
    }
}

static void end_job(struct app *app, const struct event *event) {
    struct app_job *job = find_job(app, event->job.id);
    name_work(app, job);
    bool first = app_add_id(app, &app->ended_jobs, event->job.id);
    enum ending ending = event->job.succeeded        ? ENDING_WELL
                         : event->job.error.len == 0 ? ENDING_ERROR
                                                     : ending_of(event->job.error);
    if (!first) {
        ending = ENDING_CANCELLED; // it changes nothing
    } else if (ending == ENDING_CANCELLED && job != NULL && job->stream) {
        app_stream_cut(app);
    }
    struct execution *execution = job == NULL ? NULL : find_execution(app, job->execution_id);
    if (first && execution != NULL) {
        execution->doubtful = ending != ENDING_WELL;
    }
    if (ending == ENDING_WELL && job != NULL) {
        job_makes_up(app, job);
    } else if (ending == ENDING_SHUT_DOWN) {
        fail_job(app, job, event, FAILURE_OF_SHUTDOWN);
    } else if (ending == ENDING_ERROR) {
        fail_job(app, job, event, FAILURE_OF_JOB);
    }
    if (ending == ENDING_ERROR || ending == ENDING_SHUT_DOWN) {
        settle_sql_error(app);
    }
    if (job != NULL) {
        busy_add(&app->in_jobs, job->started_ms, event->time_ms);
        forget_job(app, job);
    }
}

static void sign_job(struct app_job *job, enum job_sign sign) {
    if (job != NULL && job->sign < sign) {
        job->sign = sign;
        keep_touch(&job->kept);
    }
}

// A stage tells how its job ends, whose own end may never come. A job's last stage is its result.
static void end_stage(struct app *app, const struct event_stage *stage) {
    enum ending ending = ending_of(stage->failure);
    app->outcome.stage_cut |= ending == ENDING_SHUT_DOWN;
    if (ending == ENDING_CANCELLED) {
        sign_job(find_job(app, ending_job(stage->failure)), JOB_CANCELLED);
    }
    bool abort = ending == ENDING_ERROR && ending_is_abort(stage->failure);
    for (uint32_t i = 0; i < app->job_count && (abort || ending == ENDING_WELL); i++) {
        struct app_job *job = &app->jobs[i];
        int64_t number = (int64_t)stage->id + 1;
        if (abort && job->first_stage <= number && number <= job->last_stage) {
            sign_job(job, JOB_ABORTED);
        } else if (!abort && job->last_stage == number) {
            sign_job(job, JOB_DONE);
        }
    }
}

// A query that ended without an error makes up for what failed in it: Spark says that it was
// stopped, or had done all. A batch that was under way is cancelled with it, and the end of its job
// may come after the application's, or not at all.
static void end_query(struct app *app, const struct event_stream *stream) {
    struct failure failure = {.execution = -1,
                              .of = FAILURE_OF_QUERY,
                              .work = {0, hash_of(stream->query_id)},
                              .ended_ms = app->now_ms};
    enum ending ending = ending_of(stream->error);
    if (ending != ENDING_WELL) {
        failure.of = ending == ENDING_SHUT_DOWN ? FAILURE_OF_SHUTDOWN : FAILURE_OF_QUERY;
        stand(app, failure, stream->error);
    }
    for (uint32_t i = app->outcome.failure_count; i > 0 && ending == ENDING_WELL; i--) {
        const struct failure *before = &app->outcome.failures[i - 1];
        if (before->of != FAILURE_OF_SHUTDOWN && is_known(failure.work.site, &before->work)) {
            remove_failure(app, i - 1);
        }
    }
    for (uint32_t i = 0; i < app->job_count && ending == ENDING_WELL; i++) {
        if (app->jobs[i].stream && is_known(failure.work.site, &app->jobs[i].work)) {
            sign_job(&app->jobs[i], JOB_CANCELLED);
        }
    }
    settle_sql_error(app);
}

void app_apply_outcome(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_JOB_START:
        start_job(app, &event->job, event->time_ms);
        break;
    case EVENT_JOB_END:
        end_job(app, event);
        break;
    case EVENT_SQL_START:
        start_execution(app, event);
        break;
    case EVENT_SQL_END:
        end_execution(app, event);
        break;
    case EVENT_STAGE_COMPLETED:
        end_stage(app, &event->stage);
        break;
    case EVENT_STREAM_TERMINATED:
        end_query(app, &event->stream);
        break;
    default:
        break;
    }
}

// The outcome

// Its result is there, and what it was for ended; or that ended well without it.
static bool is_done(const struct app *app, const struct app_job *job) {
    return is_in(&app->outcome.well, job->execution_id) ||
           (job->sign == JOB_DONE &&
            (job->execution_id < 0 || is_in(&app->outcome.ended, job->execution_id)));
}

// Those that came of the shutdown, or the others.
static uint32_t count_failures(const struct app *app, bool shutdown) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < app->outcome.failure_count; i++) {
        count += (app->outcome.failures[i].of == FAILURE_OF_SHUTDOWN) == shutdown;
    }
    return count;
}

uint32_t app_jobs_undone(const struct app *app) {
    uint32_t count = count_failures(app, true);
    // Where events are known to be missing, one that is not there says nothing.
    bool known = app->ended_ms > 0 && delivery_loss(&app->delivery).lost == 0;
    for (uint32_t i = 0; i < app->job_count && known; i++) {
        const struct app_job *job = &app->jobs[i];
        count += job->sign != JOB_CANCELLED && job->sign != JOB_ABORTED && !is_done(app, job);
    }
    return count;
}

static bool is_aborted(const struct app *app) {
    for (uint32_t i = 0; i < app->job_count; i++) {
        if (app->jobs[i].sign == JOB_ABORTED && !is_done(app, &app->jobs[i])) {
            return true;
        }
    }
    return false;
}

enum run_status app_status(const struct app *app, bool over) {
    bool ended = app->ended_ms > 0;
    if (app->has_exit_code && app->exit_code != 0) {
        return RUN_FAILED;
    }
    if (!ended && !over) {
        return RUN_RUNNING;
    }
    bool failed = app->sql_error || count_failures(app, false) > 0 || is_aborted(app);
    if (failed && app_run_kind(app) != RUN_KIND_SERVER_OR_SHELL) {
        return RUN_FAILED;
    }
    bool cut = app->outcome.stage_cut && app->totals.jobs == 0; // its job began before the log
    if (cut || app_jobs_undone(app) > 0) {
        return RUN_KILLED;
    }
    return ended ? RUN_SUCCEEDED : RUN_LOST;
}

void app_outcome_fini(struct app *app) {
    while (app->job_count > 0) {
        forget_job(app, &app->jobs[app->job_count - 1]);
    }
    mem_free(app->jobs);
    mem_free(app->outcome.failures);
    mem_free(app->outcome.executions);
    rangeset_fini(&app->outcome.ended);
    rangeset_fini(&app->outcome.well);
}
