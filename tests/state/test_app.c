// test_app: the state of a run: merges, duplicates, retries, names, bounds.
#include "support/test.h"

#include <stdio.h>

#include "support/spark.h"

static void a_repeated_task_end_counts_once(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(7, 500);
    assert_true(app_apply(app, &task, NULL));
    assert_false(app_apply(app, &task, NULL));
    struct stage *stage = app_stage(app, 0, 0);
    assert_int_equal(stage->summary.tasks, 1);
    assert_int_equal(stage->summary.run_ms, 500);
    assert_int_equal(app->totals.tasks, 1);
    task.task.result = TASK_RESUBMITTED; // the output was lost: no new work, no lost work either
    app_apply(app, &task, NULL);
    assert_int_equal(stage->summary.tasks, 1);
    assert_int_equal(stage->resubmitted, 1);
    app_free(app);
}

static void failed_and_killed_attempts_are_waste_not_volume(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 400);
    task.task.input_bytes = 100;
    task.task.memory_spill_bytes = 5;
    task.task.result = TASK_EXCEPTION;
    app_apply(app, &task, NULL);
    task.task.task_id = 2;
    task.task.result = TASK_COMMIT_DENIED;
    app_apply(app, &task, NULL);
    task.task.task_id = 3;
    task.task.result = TASK_SUCCESS;
    app_apply(app, &task, NULL);
    const struct stage *stage = app_stage(app, 0, 0);
    assert_int_equal(stage->summary.tasks, 1);
    assert_int_equal(stage->summary.tasks_failed, 1);
    assert_int_equal(stage->summary.tasks_killed, 1);
    assert_int_equal(stage->summary.input_bytes, 100);
    assert_int_equal(stage->summary.memory_spilled_bytes, 15); // of every attempt with metrics
    assert_int_equal(app->totals.wasted_ms, 800);
    app_free(app);
}

static void a_line_over_records_is_kept_in_sums(void **state) {
    (void)state;
    struct app *app = spark_app();
    static const struct {
        int64_t shuffled, input, run_ms;
        enum task_result result;
        bool metrics;
    } tasks[] = {{10, 2, 5, TASK_SUCCESS, true},
                 {0, 3, 7, TASK_SUCCESS, true},
                 {9, 9, 9, TASK_EXCEPTION, true}, // no volume
                 {9, 9, 9, TASK_SUCCESS, false}};
    for (int i = 0; i < 4; i++) {
        struct event task = spark_task(i, 20);
        task.task.shuffle_read_records = tasks[i].shuffled;
        task.task.input_records = tasks[i].input;
        task.task.run_ms = tasks[i].run_ms;
        task.task.result = tasks[i].result;
        task.task.has_metrics = tasks[i].metrics;
        app_apply(app, &task, NULL);
    }
    const struct stage *stage = app_stage(app, 0, 0);
    assert_int_equal(stage->records_squared, 144 + 9);
    assert_int_equal(stage->records_run_ms, 60 + 21);
    assert_int_equal(stage->run_squared_ms2, 25 + 49);
    app_free(app);
}

static void writing_waits_for_what_nothing_else_explains(void **state) {
    (void)state;
    struct app *app = spark_app();
    static const struct {
        int64_t output, cpu_ms;
        enum task_result result;
    } tasks[] = {{100, 30, TASK_SUCCESS}, // of 100 ms 10 were in GC, 5 fetching, 15 shuffling
                 {0, 30, TASK_SUCCESS},
                 {100, -1, TASK_SUCCESS}, // it does not tell its CPU time
                 {100, 30, TASK_EXCEPTION}};
    for (int i = 0; i < 4; i++) {
        struct event task = spark_task(i, 100);
        task.task.output_bytes = tasks[i].output;
        task.task.cpu_ns = tasks[i].cpu_ms * 1000000;
        task.task.gc_ms = 10;
        task.task.fetch_wait_ms = 5;
        task.task.shuffle_write_ns = 15000000;
        task.task.result = tasks[i].result;
        app_apply(app, &task, NULL);
    }
    assert_int_equal(app_stage(app, 0, 0)->write_wait_ns, 40000000);
    app_free(app);
}

static void the_largest_memory_is_what_was_sampled(void **state) {
    (void)state;
    struct app *app = spark_app();
    static const int64_t heaps[] = {0, -1, 500, 200}, pythons[] = {-1, 30, 0, 20};
    for (int i = 0; i < 4; i++) {
        struct event task = spark_task(i, 400);
        task.task.result = i == 2 ? TASK_EXCEPTION : TASK_SUCCESS; // it held that, too
        task.task.jvm_heap_bytes = heaps[i];
        task.task.python_rss_bytes = pythons[i];
        app_apply(app, &task, NULL);
    }
    assert_int_equal(app->peaks.heap_bytes, 500);
    assert_int_equal(app->peaks.python_bytes, 30);
    assert_int_equal(app->peaks.tasks, 2);
    app_free(app);
}

static void order_does_not_matter(void **state) {
    (void)state;
    struct app *a = spark_app(), *b = spark_app();
    spark_executor(a, "1", "h1", 2);
    spark_executor(b, "1", "h1", 2);
    spark_stage(a, EVENT_STAGE_SUBMITTED, 0, 3, 1000500, 0);
    for (int i = 0; i < 3; i++) {
        struct event task = spark_task(i, 100 * (i + 1));
        app_apply(a, &task, NULL);
    }
    spark_stage(a, EVENT_STAGE_COMPLETED, 0, 3, 1000500, 1002000);
    spark_stage(b, EVENT_STAGE_COMPLETED, 0, 3, 1000500, 1002000);
    for (int i = 2; i >= 0; i--) {
        struct event task = spark_task(i, 100 * (i + 1));
        app_apply(b, &task, NULL);
    }
    spark_stage(b, EVENT_STAGE_SUBMITTED, 0, 3, 1000500, 0);
    const struct stage *x = app_stage(a, 0, 0), *y = app_stage(b, 0, 0);
    assert_memory_equal(&x->summary, &y->summary, sizeof x->summary);
    assert_int_equal(x->slots, y->slots);
    assert_int_equal(stage_wall_ms(x), stage_wall_ms(y));
    assert_near(app_completeness(b), 1, 0);
    app_free(a);
    app_free(b);
}

static void slots_are_those_that_were_there_for_as_long(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event environment = {.kind = EVENT_ENVIRONMENT};
    struct event_property cpus = {STR("spark.task.cpus"), STR("2")};
    environment.environment.properties = &cpus;
    environment.environment.property_count = 1;
    app_apply(app, &environment, NULL);
    spark_executor(app, "1", "h1", 5);
    spark_executor(app, "2", "h2", 5);
    struct event removed = {.kind = EVENT_EXECUTOR_REMOVED, .time_ms = 1000001};
    removed.executor.id = STR("2");
    removed.executor.reason = STR("Container from a bad node");
    app_apply(app, &removed, NULL);
    app_apply(app, &removed, NULL);
    assert_int_equal(app->executors.lost_infra, 1);
    struct event task = spark_task(1, 10);
    app_apply(app, &task, NULL);
    assert_int_equal(app_stage(app, 0, 0)->slots, 2); // floor(5 / 2), one executor left
    spark_executor(app, "3", "h2", 50);               // 25 more, from the first task's end on
    task = spark_task(2, 10);
    task.task.finish_ms = task.time_ms = 1001110; // 100 ms later
    app_apply(app, &task, NULL);
    assert_int_equal(app_stage(app, 0, 0)->slots, 27);
    removed.executor.id = STR("3");
    app_apply(app, &removed, NULL);
    task = spark_task(3, 10);
    task.task.finish_ms = task.time_ms = 1001210; // 2 and 25 for a half of the time
    app_apply(app, &task, NULL);
    assert_int_equal(app_stage(app, 0, 0)->slots, 15); // 14.5, rounded
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 9, 1000500, 0);
    task = spark_task(4, 10);
    app_apply(app, &task, NULL);
    assert_int_equal(app_stage(app, 0, 0)->slots, 9); // never more than it has tasks
    app_free(app);
}

static void job_start(struct app *app, int32_t id, const char *execution) {
    struct event event = {.kind = EVENT_JOB_START, .time_ms = 1001000};
    struct event_property property = {STR("spark.sql.execution.id"), str_of(execution)};
    event.job =
        (struct event_job){.id = id, .properties = &property, .property_count = execution != NULL};
    app_apply(app, &event, NULL);
}

static void another_start_is_another_run(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event start = {.kind = EVENT_APP_START, .time_ms = 1000000};
    start.app_start.app_id = STR("app-1");
    assert_false(app_is_other_run(app, &start)); // delivered twice
    start.app_start.attempt = STR("2");
    assert_true(app_is_other_run(app, &start));
    start.app_start.attempt = STR("");
    start.time_ms = 2000000;
    assert_true(app_is_other_run(app, &start));
    app_free(app);
}

static void what_is_no_version_leaves_the_one_known(void **state) {
    (void)state;
    struct app *app = spark_app();
    static const char *const texts[] = {"", "x", "4", "-4.1", " 4.1", "4.", "4.x"};
    struct event event = {.kind = EVENT_LOG_START, .version = STR("3.5.6")};
    app_apply(app, &event, NULL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        event.version = str_of(texts[i]);
        app_apply(app, &event, NULL);
        assert_string_equal(app->identity.spark_version, "3.5.6");
        assert_int_equal(app->spark_major, 3);
        assert_int_equal(app->spark_minor, 5);
    }
    event.version = STR("4.1.0-SNAPSHOT");
    app_apply(app, &event, NULL);
    assert_int_equal(app->spark_major, 4);
    assert_int_equal(app->spark_minor, 1);
    app_free(app);
}

static void stages_and_jobs_are_bounded(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int i = 0; i < APP_OPEN_STAGES_MAX + 50; i++) {
        spark_stage(app, EVENT_STAGE_SUBMITTED, i, 1, 1000000 + i, 0);
    }
    assert_in_range(app->stage_count, APP_OPEN_STAGES_MAX * 7 / 8, APP_OPEN_STAGES_MAX);
    assert_true(app->limit_hit);
    assert_null(app_stage(app, 0, 0));
    assert_non_null(app_stage(app, APP_OPEN_STAGES_MAX + 49, 0));
    for (int i = 0; i < APP_STAGES_MAX + 100; i++) {
        spark_stage(app, EVENT_STAGE_COMPLETED, 100000 + i, 1, 1000000, 1000001);
    }
    assert_in_range(app->stage_count, APP_STAGES_MAX * 7 / 8, APP_STAGES_MAX);
    for (int i = 0; i < APP_OPEN_JOBS_MAX + 10; i++) {
        job_start(app, i, NULL);
    }
    assert_int_equal(app->job_count, APP_OPEN_JOBS_MAX);
    app_free(app);
}

static void hostile_numbers_saturate(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int i = 0; i < 3; i++) {
        struct event task = spark_task(i, 1);
        task.task.finish_ms = INT64_MAX;
        task.task.run_ms = task.task.cpu_ns = task.task.gc_ms = task.task.input_bytes = INT64_MAX;
        task.task.memory_spill_bytes = task.task.disk_spill_bytes = task.task.local_read_bytes =
            INT64_MAX;
        app_apply(app, &task, NULL);
    }
    assert_true(app->totals.input_bytes == INT64_MAX);
    assert_true(app_stage(app, 0, 0)->summary.run_ms == INT64_MAX);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeated_task_end_counts_once),
        cmocka_unit_test(failed_and_killed_attempts_are_waste_not_volume),
        cmocka_unit_test(a_line_over_records_is_kept_in_sums),
        cmocka_unit_test(writing_waits_for_what_nothing_else_explains),
        cmocka_unit_test(the_largest_memory_is_what_was_sampled),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(slots_are_those_that_were_there_for_as_long),
        cmocka_unit_test(another_start_is_another_run),
        cmocka_unit_test(what_is_no_version_leaves_the_one_known),
        cmocka_unit_test(stages_and_jobs_are_bounded),
        cmocka_unit_test(hostile_numbers_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
