// test_outcome: how a run ended: what makes up for a failure and what does not, and what was still
// to do.
#include "support/test.h"

#include <stdio.h>

#include "model/event.h"
#include "support/spark.h"

enum { AT_MS = 1010000 };

#define GROUP "5e21d7c4-90ab-4f38-8c76-b1d3e5f70a92"
#define STREAM_OF(batch) "orders\nid = 0c8f6a1e-7b52\nrunId = " GROUP "\nbatch = " batch

// A run, step by step.
struct job_of {
    const char *execution, *root, *description, *site, *query;
};

static void start_job(struct app *app, int32_t id, struct job_of of) {
    const struct event_property all[] = {
        {STR("spark.sql.execution.id"), str_of(of.execution)},
        {STR("spark.sql.execution.root.id"), str_of(of.root)},
        {STR("spark.job.description"), str_of(of.description)},
        {STR("sql.streaming.queryId"), str_of(of.query)},
        {STR("spark.jobGroup.id"), STR(GROUP)},
    };
    struct event_property some[ARRAY_LEN(all)];
    uint32_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].value.len > 0) {
            some[count++] = all[i];
        }
    }
    struct event event = {.kind = EVENT_JOB_START, .time_ms = 1001000};
    event.job = (struct event_job){.id = id,
                                   .properties = some,
                                   .property_count = count,
                                   .first_stage = id * 10 + 1,
                                   .last_stage = id * 10 + 3,
                                   .site = str_of(of.site)};
    app_apply(app, &event, NULL);
}

static void end_job(struct app *app, int32_t id, const char *error, int64_t at_ms) {
    struct event event = {.kind = EVENT_JOB_END, .time_ms = at_ms};
    event.job = (struct event_job){.id = id, .succeeded = error == NULL, .error = str_of(error)};
    app_apply(app, &event, NULL);
}

static void start_sql(struct app *app, int64_t id, int64_t root, const char *what, int64_t at_ms) {
    struct event event = {.kind = EVENT_SQL_START, .time_ms = at_ms};
    event.sql = (struct event_sql){.execution_id = id,
                                   .root_execution_id = root,
                                   .description = str_of(what),
                                   .details = STR("")};
    app_apply(app, &event, NULL);
}

// error: NULL before 3.4, "" if it says that all was well.
static void end_sql(struct app *app, int64_t id, const char *error, int64_t at_ms) {
    struct event event = {.kind = EVENT_SQL_END, .time_ms = at_ms};
    event.sql =
        (struct event_sql){.execution_id = id, .has_error = error != NULL, .error = str_of(error)};
    app_apply(app, &event, NULL);
}

static void end_query(struct app *app, const char *error) {
    struct event event = {.kind = EVENT_STREAM_TERMINATED};
    event.stream = (struct event_stream){.query_id = STR("0c8f6a1e-7b52"),
                                         .run_id = STR(GROUP),
                                         .batch_id = -1,
                                         .error = str_of(error)};
    app_apply(app, &event, NULL);
}

static void end_stage(struct app *app, int32_t id, const char *failure) {
    struct event event = {.kind = EVENT_STAGE_COMPLETED, .time_ms = AT_MS};
    event.stage = (struct event_stage){.id = id, .tasks = 1, .failure = str_of(failure)};
    app_apply(app, &event, NULL);
}

static void end_app(struct app *app) {
    struct event event = {.kind = EVENT_APP_END, .time_ms = 1090000};
    app_apply(app, &event, NULL);
}

#define ABORTED "Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times"
#define SHUT "Job 0 cancelled because SparkContext was shut down"
#define ENDS(app, status)                                                                          \
    do {                                                                                           \
        end_app(app);                                                                              \
        assert_int_equal(app_status(app, true), status);                                           \
        app_free(app);                                                                             \
    } while (0)

static void an_exit_code_proves_failure_and_nothing_else(void **state) {
    (void)state;
    for (int64_t code = 0; code < 2; code++) {
        struct app *app = spark_app();
        struct event end = {.kind = EVENT_APP_END, .time_ms = 1090000};
        end.app_end.has_exit_code = true;
        end.app_end.exit_code = code;
        assert_int_equal(app_status(app, false), RUN_RUNNING);
        assert_int_equal(app_status(app, true), RUN_LOST);
        app_apply(app, &end, NULL);
        assert_int_equal(app_status(app, true), code == 0 ? RUN_SUCCEEDED : RUN_FAILED);
        start_job(app, 0, (struct job_of){.site = "count at A:1"});
        end_job(app, 0, ABORTED, AT_MS);
        assert_int_equal(app_status(app, true), RUN_FAILED);
        app_free(app);
    }
}

static void a_failed_job_is_made_up_for_by_the_same_work(void **state) {
    (void)state;
    static const struct {
        struct job_of again;
        enum run_status status;
    } cases[] = {
        {{.site = "count at A:1"}, RUN_SUCCEEDED},
        {{.description = "load orders", .site = "count at B:9"}, RUN_SUCCEEDED},
        {{.site = "count at B:9"}, RUN_FAILED},
        {{.site = ""}, RUN_FAILED},
        {{.execution = "5", .site = "count at A:1"}, RUN_FAILED}, // it has not ended
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        start_job(app, 0, (struct job_of){.description = "load orders", .site = "count at A:1"});
        end_job(app, 0, ABORTED "\n\tat x", AT_MS);
        assert_string_equal(app->failure, ABORTED);
        start_job(app, 1, cases[i].again);
        end_job(app, 1, NULL, AT_MS + 5000);
        assert_string_equal(app->failure, cases[i].status == RUN_FAILED ? ABORTED : "");
        ENDS(app, cases[i].status);
    }
}

static void a_job_that_ran_already_makes_up_for_nothing(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct job_of of = {.site = "count at A:1"};
    start_job(app, 0, of);
    start_job(app, 1, of);
    end_job(app, 0, ABORTED, AT_MS);
    end_job(app, 1, NULL, AT_MS + 5000);
    ENDS(app, RUN_FAILED);
}

static void within_an_execution_a_later_job_does(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct app *app = spark_app();
        start_job(app, 0, (struct job_of){.execution = "5"});
        start_job(app, 1, (struct job_of){.execution = later ? "6" : "5"});
        end_job(app, 0, ABORTED, AT_MS);
        end_job(app, 1, NULL, AT_MS);
        start_job(app, 2, (struct job_of){.execution = later ? "5" : "6"});
        end_job(app, 2, NULL, AT_MS);
        end_sql(app, 5, NULL, AT_MS); // 3.3: it says nothing
        ENDS(app, later ? RUN_SUCCEEDED : RUN_FAILED);
    }
}

// A failed job of an execution, and another execution: the same again, or not.
static void a_failed_job_of_an_execution_needs_the_same_execution_again(void **state) {
    (void)state;
    static const struct {
        const char *what;
        int64_t begins_ms;
        const char *ends;
        enum run_status status;
    } cases[] = {
        {"save at A:30", AT_MS + 20, "", RUN_SUCCEEDED},
        {"save at A:30", AT_MS + 20, NULL, RUN_SUCCEEDED},
        {"save at A:30", AT_MS + 20, "boom", RUN_FAILED},
        {"save at A:30", AT_MS - 5, "", RUN_FAILED}, // it ran already
        {"save at A:31", AT_MS + 20, "", RUN_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "save at A:30", AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0", .site = "save at A:30"});
        end_job(app, 0, ABORTED, AT_MS);
        end_sql(app, 0, ABORTED, AT_MS + 10);
        start_sql(app, 1, 1, cases[i].what, cases[i].begins_ms);
        start_job(app, 1, (struct job_of){.execution = "1", .site = "save at A:30"});
        end_job(app, 1, NULL, AT_MS + 5000);
        end_sql(app, 1, cases[i].ends, AT_MS + 5010);
        end_sql(app, 0, ABORTED, AT_MS + 10); // told again
        ENDS(app, cases[i].status);
    }
}

// What comes by a listener has no descriptions: the names of stages tell where it is called from.
static void an_execution_is_known_by_the_call_site_of_its_job(void **state) {
    (void)state;
    for (int same = 0; same < 2; same++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "", AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0", .site = "save at A:30"});
        end_job(app, 0, ABORTED, AT_MS);
        end_sql(app, 0, ABORTED, AT_MS);
        start_sql(app, 1, 1, "", AT_MS + 100);
        start_job(app, 1, (struct job_of){.execution = "1", .site = same ? "save at A:30" : "b"});
        end_job(app, 1, NULL, AT_MS + 200);
        end_sql(app, 1, "", AT_MS + 200);
        ENDS(app, same ? RUN_SUCCEEDED : RUN_FAILED);
    }
}

// 3.3 does not say that the second try was cancelled: its job does, unless a later one ended well.
static void a_try_that_was_cancelled_makes_up_for_nothing(void **state) {
    (void)state;
    for (int dropped = 0; dropped < 2; dropped++) {
        struct app *app = spark_app();
        for (int64_t id = 0; id < 2; id++) {
            start_sql(app, id, id, "save at A:30", AT_MS + id * 100);
            start_job(app, (int32_t)id, (struct job_of){.execution = id == 0 ? "0" : "1"});
            end_job(app, (int32_t)id, id == 0 ? ABORTED : "Job 1 cancelled ", AT_MS + id * 150);
            if (id == 1 && dropped) { // a side that nobody needed
                start_job(app, 2, (struct job_of){.execution = "1"});
                end_job(app, 2, NULL, AT_MS + 160);
            }
            end_sql(app, id, NULL, AT_MS + id * 170);
        }
        ENDS(app, dropped ? RUN_SUCCEEDED : RUN_FAILED);
    }
}

// The job's end comes behind that of its execution: the failure is the job's all the same.
static void the_ends_of_an_execution_and_its_job_come_in_any_order(void **state) {
    (void)state;
    for (int well = 0; well < 2; well++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "save at A:30", AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0"});
        end_sql(app, 0, well ? "" : "[CAST_INVALID_INPUT] x", AT_MS);
        end_job(app, 0, "[CAST_INVALID_INPUT] x", AT_MS);
        start_sql(app, 1, 1, "other work", AT_MS + 50);
        end_sql(app, 1, "", AT_MS + 60);
        assert_int_equal(app->sql_error, false); // it is the job's
        ENDS(app, well ? RUN_SUCCEEDED : RUN_FAILED);
    }
}

static void an_execution_without_a_failed_job_is_made_up_for_by_any_later_one(void **state) {
    (void)state;
    for (int when = 0; when < 3; when++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "save at A:40", AT_MS - 100);
        start_sql(app, 1, 1, "save at A:41", AT_MS - 99);
        start_job(app, 0, (struct job_of){.execution = "0"});
        end_job(app, 0, NULL, AT_MS - 1);
        end_sql(app, 0, "java.io.IOException: Failed to rename", AT_MS);
        assert_true(app->sql_error);
        end_sql(app, 1, "", AT_MS + 500);
        if (when > 0) {
            start_sql(app, 2, 2, "count at A:42", AT_MS + (when == 1 ? -1 : 0));
            end_sql(app, 2, "", AT_MS + 900);
        }
        ENDS(app, when == 2 ? RUN_SUCCEEDED : RUN_FAILED);
    }
}

static void what_belongs_to_an_execution_is_its_own(void **state) {
    (void)state;
    for (int well = 0; well < 2; well++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "CTAS", AT_MS - 100);
        start_sql(app, 1, 0, "insert", AT_MS - 90);
        start_job(app, 0, (struct job_of){.execution = "1", .root = "0"});
        end_job(app, 0, ABORTED, AT_MS);
        end_sql(app, 1, ABORTED, AT_MS);
        end_sql(app, 0, well ? "" : ABORTED, AT_MS);
        assert_int_equal(app->outcome.failure_count, !well);
        start_sql(app, 2, 2, "other work", AT_MS + 10); // its job failed: that is not enough
        end_sql(app, 2, "", AT_MS + 20);
        ENDS(app, well ? RUN_SUCCEEDED : RUN_FAILED);
    }
}

static void what_spark_cancels_is_told_by_its_execution(void **state) {
    (void)state;
    static const struct {
        const char *error;
        enum run_status status;
    } cases[] = {
        {"", RUN_SUCCEEDED}, // AQE dropped a side
        {"Could not execute broadcast in 300 secs.", RUN_FAILED},
        {"Job 0 cancelled part of cancelled job group g", RUN_SUCCEEDED}, // by its user
        {NULL, RUN_SUCCEEDED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "join", AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0"});
        end_job(app, 0, "Job 0 cancelled part of cancelled job group broadcast exchange (runId a)",
                AT_MS);
        end_sql(app, 0, cases[i].error, AT_MS);
        assert_int_equal(app->totals.jobs_failed, 0);
        ENDS(app, cases[i].status);
    }
}

static void what_was_cut_off_with_the_context_was_killed(void **state) {
    (void)state;
    struct app *app = spark_app();
    start_job(app, 0, (struct job_of){.site = "save at A:30"});
    end_app(app);
    assert_int_equal(app_status(app, true), RUN_KILLED); // no end of the job was seen
    assert_int_equal(app_jobs_undone(app), 1);
    end_stage(app, 1, "Stage cancelled because SparkContext was shut down");
    assert_int_equal(app_status(app, true), RUN_KILLED);
    end_job(app, 0, SHUT, 1090020);
    assert_int_equal(app_status(app, true), RUN_KILLED);
    assert_int_equal(app_jobs_undone(app), 1);
    assert_string_equal(app->failure, SHUT);
    end_sql(app, 7, "boom", 1090030);
    ENDS(app, RUN_FAILED);
}

static void an_execution_that_is_cut_off_fails_of_it_whatever_it_says(void **state) {
    (void)state;
    static const char *const errors[] = {SHUT, "java.io.IOException: Filesystem closed"};
    for (int order = 0; order < 4; order++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "save", AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0"});
        end_app(app);
        for (int step = 0; step < 2; step++) {
            if (step == order % 2) {
                end_job(app, 0, SHUT, 1090010);
            } else {
                end_sql(app, 0, errors[order / 2], 1090020);
            }
        }
        ENDS(app, RUN_KILLED);
    }
}

static void work_that_was_done_is_not_cut_off(void **state) {
    (void)state;
    for (int how = 0; how < 7; how++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, "save", AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = how < 5 ? "0" : NULL});
        if (how != 1 && how != 6) {
            end_stage(app, 2, ""); // its result: number 3
        }
        if (how == 1) {
            end_stage(app, 1, "");
        }
        if (how == 2 || how == 4) {
            end_sql(app, 0, how == 2 ? "" : NULL, AT_MS);
        } else if (how == 3) {
            end_job(app, 0, SHUT, AT_MS); // of a side that nobody needs any more
            end_sql(app, 0, "", AT_MS);
        }
        end_app(app);
        bool done = how >= 2 && how != 6;
        assert_int_equal(app_status(app, true), done ? RUN_SUCCEEDED : RUN_KILLED);
        end_job(app, 0, NULL, 1090010); // late, and good
        assert_int_equal(app_status(app, true), RUN_SUCCEEDED);
        app_free(app);
    }
}

static void stages_tell_what_became_of_a_job_without_an_end(void **state) {
    (void)state;
    static const struct {
        int32_t stage;
        const char *failure;
        enum run_status status;
    } cases[] = {
        {1, ABORTED, RUN_FAILED},
        {9, ABORTED, RUN_KILLED}, // of no job that is open
        {1, "Job 0 cancelled because killed via the Web UI", RUN_SUCCEEDED},
        {1, "Job 7 cancelled because killed via the Web UI", RUN_KILLED},
        {1, "FetchFailed(BlockManagerId(1)", RUN_KILLED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        start_job(app, 0, (struct job_of){.site = "save"});
        end_stage(app, cases[i].stage, cases[i].failure);
        ENDS(app, cases[i].status);
    }
    struct app *app = spark_app(); // its job began before the log
    end_stage(app, 4, "Stage cancelled because SparkContext was shut down");
    ENDS(app, RUN_KILLED);
}

static void what_is_known_to_be_missing_proves_nothing(void **state) {
    (void)state;
    struct app *app = spark_app();
    start_job(app, 0, (struct job_of){.site = "save"});
    struct event report = {.kind = EVENT_LISTENER_REPORT};
    report.report.lost_others = 1;
    app_apply(app, &report, NULL);
    ENDS(app, RUN_SUCCEEDED);
}

static void an_end_that_comes_before_its_beginning_counts(void **state) {
    (void)state;
    struct app *app = spark_app();
    end_job(app, 0, NULL, AT_MS);
    start_job(app, 0, (struct job_of){.site = "save"});
    assert_int_equal(app->job_count, 0);
    end_sql(app, 4, "", AT_MS);
    start_sql(app, 4, 4, "save", AT_MS);
    assert_int_equal(app->outcome.execution_count, 0);
    ENDS(app, RUN_SUCCEEDED);
}

static void a_stopped_stream_did_not_fail(void **state) {
    (void)state;
    static const struct {
        const char *job, *sql;
        enum run_status status;
    } cases[] = {
        {"Job 0 cancelled part of cancelled job group " GROUP,
         "Job 0 cancelled part of cancelled job group " GROUP, RUN_SUCCEEDED},
        {"[SPARK_JOB_CANCELLED] Job 0 cancelled Query q was stopped SQLSTATE: XXKDA",
         "[SPARK_JOB_CANCELLED] Job 0 cancelled Query q was stopped SQLSTATE: XXKDA",
         RUN_SUCCEEDED},
        {NULL, "java.lang.InterruptedException\n\tat x", RUN_SUCCEEDED},
        {NULL, "org.apache.spark.SparkException: cancelled job group " GROUP, RUN_SUCCEEDED},
        {NULL, "java.io.IOException: disk full", RUN_FAILED},
        {ABORTED, ABORTED, RUN_FAILED},
        {SHUT, SHUT, RUN_KILLED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, STREAM_OF("0"), AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0", .query = "0c8f6a1e-7b52"});
        end_job(app, 0, cases[i].job, AT_MS);
        end_sql(app, 0, cases[i].sql, AT_MS);
        assert_int_equal(app_run_kind(app), RUN_KIND_STREAM);
        ENDS(app, cases[i].status);
    }
    struct app *app = spark_app(); // a batch run that is interrupted did fail
    start_sql(app, 0, 0, "save", AT_MS - 100);
    end_sql(app, 0, "java.lang.InterruptedException\n\tat x", AT_MS);
    ENDS(app, RUN_FAILED);
}

static void the_end_of_a_query_decides(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, STREAM_OF("0"), AT_MS - 100);
        start_job(app, 0, (struct job_of){.execution = "0", .query = "0c8f6a1e-7b52"});
        end_job(app, 0, how == 0 ? ABORTED : NULL, AT_MS);
        end_sql(app, 0, how == 3 ? "" : "org.acme.Closed: while it was stopped", AT_MS);
        end_query(app, how == 1 || how == 3 ? "java.lang.RuntimeException: no" : "");
        assert_int_equal(app_status(app, true), how == 1 || how == 3 ? RUN_FAILED : RUN_LOST);
        start_sql(app, 1, 1, STREAM_OF("1"), AT_MS + 100); // it was started again
        end_sql(app, 1, "", AT_MS + 200);
        ENDS(app, RUN_SUCCEEDED);
    }
}

// The end of its job comes after the application's.
static void a_batch_is_cut_off_with_its_query(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct app *app = spark_app();
        start_sql(app, 0, 0, STREAM_OF("0"), AT_MS - 100);
        start_job(app, 0,
                  (struct job_of){.execution = "0", .query = how == 1 ? NULL : "0c8f6a1e-7b52"});
        if (how == 1) {
            start_job(app, 1, (struct job_of){.site = "save"}); // no query's
        }
        end_query(app, how == 2 ? "java.lang.RuntimeException: no" : "");
        ENDS(app, how == 0 ? RUN_SUCCEEDED : how == 1 ? RUN_KILLED : RUN_FAILED);
    }
}

static void a_server_does_not_fail_by_a_statement(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event session = {.kind = EVENT_THRIFT_SERVER};
    start_job(app, 0, (struct job_of){.site = "select"});
    end_job(app, 0, ABORTED, AT_MS);
    end_sql(app, 3, "[TABLE_OR_VIEW_NOT_FOUND] x", AT_MS);
    assert_int_equal(app_status(app, true), RUN_FAILED);
    app_apply(app, &session, NULL);
    assert_int_equal(app_status(app, true), RUN_LOST);
    ENDS(app, RUN_SUCCEEDED);
}

static void failures_and_executions_are_bounded(void **state) {
    (void)state;
    struct app *app = spark_app();
    char what[32];
    for (int i = 0; i <= OUTCOME_FAILURES_MAX; i++) {
        snprintf(what, sizeof what, "%d", i);
        start_sql(app, i, i, what, AT_MS);
        start_job(app, i, (struct job_of){.site = what});
        end_job(app, i, "boom", AT_MS);
    }
    assert_int_equal(app->outcome.failure_count, OUTCOME_FAILURES_MAX);
    assert_int_equal(app->outcome.execution_count, OUTCOME_EXECUTIONS_MAX);
    assert_int_equal(app->outcome.executions[0].id, 1); // the oldest went
    assert_true(limit_in(app->limits, LIMIT_FAILED_JOBS) && limit_in(app->limits, LIMIT_JOBS));
    ENDS(app, RUN_FAILED);
}

static void secrets_in_a_failure_are_hidden(void **state) {
    (void)state;
    struct app *app = spark_app();
    start_job(app, 4, (struct job_of){.execution = "6"});
    end_job(app, 4, "the password=hunter2 was refused", AT_MS);
    assert_null(strstr(app->failure, "hunter2"));
    ENDS(app, RUN_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exit_code_proves_failure_and_nothing_else),
        cmocka_unit_test(a_failed_job_is_made_up_for_by_the_same_work),
        cmocka_unit_test(a_job_that_ran_already_makes_up_for_nothing),
        cmocka_unit_test(within_an_execution_a_later_job_does),
        cmocka_unit_test(a_failed_job_of_an_execution_needs_the_same_execution_again),
        cmocka_unit_test(an_execution_is_known_by_the_call_site_of_its_job),
        cmocka_unit_test(a_try_that_was_cancelled_makes_up_for_nothing),
        cmocka_unit_test(the_ends_of_an_execution_and_its_job_come_in_any_order),
        cmocka_unit_test(an_execution_without_a_failed_job_is_made_up_for_by_any_later_one),
        cmocka_unit_test(what_belongs_to_an_execution_is_its_own),
        cmocka_unit_test(what_spark_cancels_is_told_by_its_execution),
        cmocka_unit_test(what_was_cut_off_with_the_context_was_killed),
        cmocka_unit_test(an_execution_that_is_cut_off_fails_of_it_whatever_it_says),
        cmocka_unit_test(work_that_was_done_is_not_cut_off),
        cmocka_unit_test(stages_tell_what_became_of_a_job_without_an_end),
        cmocka_unit_test(what_is_known_to_be_missing_proves_nothing),
        cmocka_unit_test(an_end_that_comes_before_its_beginning_counts),
        cmocka_unit_test(a_stopped_stream_did_not_fail),
        cmocka_unit_test(the_end_of_a_query_decides),
        cmocka_unit_test(a_batch_is_cut_off_with_its_query),
        cmocka_unit_test(a_server_does_not_fail_by_a_statement),
        cmocka_unit_test(failures_and_executions_are_bounded),
        cmocka_unit_test(secrets_in_a_failure_are_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
