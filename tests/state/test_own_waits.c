// test_own_waits: which stages waited behind other jobs of their run, and which for their own.
#include "support/test.h"

#include "support/spark.h"

// A job with stages of these ids, of a SQL execution or (NULL) none.
static void job(struct app *app, int32_t id, int32_t first, int32_t last, const char *execution) {
    struct event_property property = {STR("spark.sql.execution.id"), str_of(execution)};
    struct event event = {.kind = EVENT_JOB_START, .time_ms = 1000000};
    event.job = (struct event_job){.id = id,
                                   .first_stage = first + 1,
                                   .last_stage = last + 1,
                                   .properties = &property,
                                   .property_count = execution != NULL};
    app_apply(app, &event, NULL);
}

static void start(struct app *app, int32_t stage, int64_t id, int64_t at_ms) {
    struct event event = {.kind = EVENT_TASK_START, .time_ms = 1000000 + at_ms};
    event.task = (struct event_task){
        .stage = stage, .task_id = id, .launch_ms = 1000000 + at_ms, .executor = STR("1")};
    app_apply(app, &event, NULL);
}

// Stage 1 runs for a minute. Stage 2, submitted after a second, gets its first slot at `launch_ms`
// and runs for `took_ms`.
static const struct own_waits *waits(struct app *app, int64_t launch_ms, int64_t took_ms) {
    spark_executor(app, "1", "h1", 1);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 1, 1, 1000000, 0);
    start(app, 1, 1, 0);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 2, 1, 1001000, 0);
    start(app, 2, 2, launch_ms);
    struct event task = spark_task(2, took_ms);
    task.task.stage = 2;
    task.task.launch_ms = 1000000 + launch_ms;
    task.time_ms = task.task.finish_ms = task.task.launch_ms + took_ms;
    app_apply(app, &task, NULL);
    spark_stage(app, EVENT_STAGE_COMPLETED, 2, 1, 1001000, task.time_ms);
    return &app->own_waits;
}

static void a_stage_behind_an_older_job_is_counted(void **state) {
    (void)state;
    struct app *app = spark_app();
    job(app, 1, 0, 1, "7");
    job(app, 2, 2, 3, "8");
    const struct own_waits *w = waits(app, 31000, 2000);
    assert_int_equal(w->stages, 1);
    assert_int_equal(w->longest_ms, 30000);
    assert_int_equal(w->longest_took_ms, 2000);
    assert_int_equal(w->longest_stage, 2);
    spark_stage(app, EVENT_STAGE_COMPLETED, 2, 1, 1001000, 1034000); // came again
    assert_int_equal(w->stages, 1);
    app_free(app);
}

static void jobs_without_an_execution_are_told_apart(void **state) {
    (void)state;
    struct app *app = spark_app();
    job(app, 1, 0, 1, NULL);
    job(app, 2, 2, 3, NULL);
    assert_int_equal(waits(app, 31000, 2000)->stages, 1);
    app_free(app);
}

static void who_waits_for_its_own_work_waits_for_nobody(void **state) {
    (void)state;
    struct app *app = spark_app();
    job(app, 1, 0, 2, "7"); // of the same job
    job(app, 2, 3, 3, "8");
    assert_int_equal(waits(app, 31000, 2000)->stages, 0);
    app_free(app);
    app = spark_app();
    job(app, 1, 0, 1, "7"); // two jobs of one execution, as adaptive execution makes them
    job(app, 2, 2, 3, "7");
    assert_int_equal(waits(app, 31000, 2000)->stages, 0);
    app_free(app);
    app = spark_app();
    job(app, 1, 0, 1, "7"); // nobody knows whose it is
    job(app, 2, 5, 6, "8");
    assert_int_equal(waits(app, 31000, 2000)->stages, 0);
    app_free(app);
}

static void short_waits_and_fair_pools_are_in_order(void **state) {
    (void)state;
    struct app *app = spark_app();
    job(app, 1, 0, 1, "7");
    job(app, 2, 2, 3, "8");
    assert_int_equal(waits(app, 1999, 10)->stages, 0);
    app_free(app);
    app = spark_app();
    job(app, 1, 0, 1, "7");
    job(app, 2, 2, 3, "8");
    assert_int_equal(waits(app, 31000, 30000)->stages, 0); // no longer than it took
    app_free(app);
    app = spark_app();
    properties_put(&app->properties, STR("spark.scheduler.mode"), STR("FAIR"));
    job(app, 1, 0, 1, "7");
    job(app, 2, 2, 3, "8");
    assert_int_equal(waits(app, 31000, 2000)->stages, 0);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_behind_an_older_job_is_counted),
        cmocka_unit_test(jobs_without_an_execution_are_told_apart),
        cmocka_unit_test(who_waits_for_its_own_work_waits_for_nobody),
        cmocka_unit_test(short_waits_and_fair_pools_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
