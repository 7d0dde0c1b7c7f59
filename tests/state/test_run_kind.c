// test_run_kind: what kind of run it is by names, events and properties of jobs; and when a
// streaming query is batch work.
#include "support/test.h"

#include <stdio.h>

#include "support/spark.h"

static struct app *named(const char *name) {
    struct app *app = app_new("c", STR("app-1"), STR(""), &spark_rule);
    struct event start = {.kind = EVENT_APP_START, .time_ms = 1000000};
    start.app_start.name = str_of(name);
    app_apply(app, &start, NULL);
    return app;
}

static void servers_and_shells_are_known_by_name(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum run_kind kind;
    } cases[] = {
        {"Thrift JDBC/ODBC Server", RUN_KIND_SERVER_OR_SHELL},
        {"Spark Connect server", RUN_KIND_SERVER_OR_SHELL},
        {"SparkSQL::10.0.0.7", RUN_KIND_SERVER_OR_SHELL},
        {"Spark shell", RUN_KIND_SERVER_OR_SHELL},
        {"PySparkShell", RUN_KIND_SERVER_OR_SHELL},
        {"SparkR", RUN_KIND_SERVER_OR_SHELL},
        {"Databricks Shell", RUN_KIND_SERVER_OR_SHELL},
        {"livy-session-12", RUN_KIND_SERVER_OR_SHELL},
        {"Zeppelin-spark-shared_process", RUN_KIND_SERVER_OR_SHELL},
        {"livy-session-", RUN_KIND_BATCH},
        {"livy-session-report", RUN_KIND_BATCH},
        {"PySparkShell-export", RUN_KIND_BATCH},
        {"copy to Zeppelin", RUN_KIND_BATCH},
        {"SparkRisk", RUN_KIND_BATCH},
        {"pyspark-shell", RUN_KIND_BATCH},
        {"", RUN_KIND_BATCH},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = named(cases[i].name);
        if (app_run_kind(app) != cases[i].kind) {
            fail_msg("%s", cases[i].name);
        }
        app_free(app);
    }
}

static void the_environment_names_it_too(void **state) {
    (void)state;
    struct app *app = app_new("c", STR("app-1"), STR(""), &spark_rule);
    struct event environment = {.kind = EVENT_ENVIRONMENT};
    struct event_property name = {STR("spark.app.name"), STR("PySparkShell")};
    environment.environment.properties = &name;
    environment.environment.property_count = 1;
    app_apply(app, &environment, NULL);
    assert_int_equal(app_run_kind(app), RUN_KIND_SERVER_OR_SHELL);
    app_free(app);
}

static void servers_are_known_by_their_events(void **state) {
    (void)state;
    static const char *const names[] = {
        "org.apache.spark.sql.hive.thriftserver.ui.SparkListenerThriftServerOperationStart",
        "org.apache.spark.sql.connect.service.SparkListenerConnectOperationFailed",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct app *app = named("gateway");
        struct event event = {.kind = event_kind_of(str_of(names[i]))};
        assert_int_equal(app_run_kind(app), RUN_KIND_BATCH);
        app_apply(app, &event, NULL);
        assert_int_equal(app_run_kind(app), RUN_KIND_SERVER_OR_SHELL);
        app_free(app);
    }
}

static void job(struct app *app, int32_t id, const char *key, const char *value) {
    struct event event = {.kind = EVENT_JOB_START, .time_ms = 1001000};
    struct event_property property = {str_of(key), str_of(value)};
    event.job = (struct event_job){.id = id, .properties = &property, .property_count = 1};
    app_apply(app, &event, NULL);
}

static void streams_are_known_by_their_jobs(void **state) {
    (void)state;
    static const char *const keys[] = {"sql.streaming.queryId", "streaming.sql.batchId",
                                       "spark.streaming.internal.batchTime",
                                       "spark.streaming.internal.outputOpId"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct app *app = named("clicks");
        job(app, 0, "spark.job.description", "streaming.sql.batchId");
        assert_int_equal(app_run_kind(app), RUN_KIND_BATCH);
        job(app, 1, keys[i], "3");
        assert_int_equal(app_run_kind(app), RUN_KIND_STREAM);
        app_free(app);
    }
}

static void query(struct app *app, enum event_kind kind, const char *run, const char *error) {
    struct event event = {.kind = kind};
    event.stream = (struct event_stream){
        .query_id = STR("q"), .run_id = str_of(run), .batch_id = -1, .error = str_of(error)};
    app_apply(app, &event, NULL);
}

// A batch of so many ms that ends at a time.
static void batch(struct app *app, const char *run, int64_t id, int64_t ms, int64_t at_ms) {
    struct event end = {.kind = EVENT_JOB_END, .time_ms = at_ms};
    struct event event = {.kind = EVENT_STREAM_PROGRESS};
    end.job = (struct event_job){.id = (int32_t)id, .succeeded = true};
    app_apply(app, &end, NULL);
    event.stream = (struct event_stream){.run_id = str_of(run), .batch_id = id, .trigger_ms = ms};
    app_apply(app, &event, NULL);
}

static void end(struct app *app, int64_t at_ms) {
    struct event event = {.kind = EVENT_APP_END, .time_ms = at_ms};
    app_apply(app, &event, NULL);
}

static void a_query_that_ends_by_itself_is_batch_work(void **state) {
    (void)state;
    struct app *app = named("load");
    job(app, 0, "sql.streaming.queryId", "q");
    query(app, EVENT_STREAM_STARTED, "r", "");
    assert_int_equal(app_run_kind(app), RUN_KIND_STREAM); // who knows
    batch(app, "r", 0, 500000, 1510000);
    batch(app, "r", 1, 480000, 1990000);
    batch(app, "r", 1, 480000, 1990000); // told twice
    assert_int_equal(app_run_kind(app), RUN_KIND_STREAM);
    query(app, EVENT_STREAM_TERMINATED, "r", "");
    assert_int_equal(app_run_kind(app), RUN_KIND_BATCH);
    end(app, 2000000);
    assert_int_equal(app_run_kind(app), RUN_KIND_BATCH);
    app_free(app);
}

static void a_query_that_is_stopped_is_a_stream(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct app *app = named("clicks");
        query(app, EVENT_STREAM_STARTED, "r", "");
        batch(app, "r", 0, how == 0 ? 790000 : 960000, 2000000); // 79 % or 96 % busy
        if (how == 1) {                                          // then it waited
            query(app, EVENT_STREAM_TERMINATED, "r", "");
            end(app, 9000000);
        } else if (how == 2) { // in a batch
            app_stream_cut(app);
        }
        if (how != 1) {
            query(app, EVENT_STREAM_TERMINATED, "r", how == 3 ? "java.io.IOException" : "");
        }
        assert_int_equal(app_run_kind(app), RUN_KIND_STREAM);
        app_free(app);
    }
}

static void other_work_after_a_query_does_not_make_it_wait(void **state) {
    (void)state;
    struct app *app = named("load");
    query(app, EVENT_STREAM_STARTED, "r", "");
    batch(app, "r", 0, 960000, 2000000);
    query(app, EVENT_STREAM_TERMINATED, "r", "");
    job(app, 7, "spark.sql.execution.id", "5");
    end(app, 9000000);
    assert_int_equal(app_run_kind(app), RUN_KIND_BATCH);
    query(app, EVENT_STREAM_IDLE, "s", ""); // another one, that goes on
    assert_int_equal(app_run_kind(app), RUN_KIND_STREAM);
    app_free(app);
}

static void more_queries_than_are_told_apart_are_streams(void **state) {
    (void)state;
    struct app *app = named("load");
    char run[16];
    for (int i = 0; i <= RUN_QUERIES_MAX; i++) {
        snprintf(run, sizeof run, "r%d", i);
        query(app, EVENT_STREAM_STARTED, run, "");
    }
    assert_int_equal(app->signs.query_count, RUN_QUERIES_MAX);
    assert_true(app->signs.endless);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_and_shells_are_known_by_name),
        cmocka_unit_test(the_environment_names_it_too),
        cmocka_unit_test(servers_are_known_by_their_events),
        cmocka_unit_test(streams_are_known_by_their_jobs),
        cmocka_unit_test(a_query_that_ends_by_itself_is_batch_work),
        cmocka_unit_test(a_query_that_is_stopped_is_a_stream),
        cmocka_unit_test(other_work_after_a_query_does_not_make_it_wait),
        cmocka_unit_test(more_queries_than_are_told_apart_are_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
