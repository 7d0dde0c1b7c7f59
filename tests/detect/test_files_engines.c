// test_files_engines: small_files by the scans of plans and by the tasks of RDDs, python_udf and
// native_fallback: at their edges, what they cost, and where they stay silent.
#include "detect_kit.h"

#include "support/plan.h"

enum { KIB = 1024, MIB = 1 << 20 };

static void submitted(struct app *app, int32_t stage, int works, const char *execution) {
    struct event event = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1001000};
    struct event_property of = {STR("spark.sql.execution.id"), str_of(execution)};
    event.stage = (struct event_stage){.id = stage,
                                       .tasks = 4,
                                       .submitted_ms = 1001000,
                                       .works = (unsigned)works,
                                       .properties = &of,
                                       .property_count = execution != NULL};
    app_apply(app, &event, NULL);
}

// A task of 10 s that read so many bytes, 1 s of it on the CPU, in which the scan counted rows.
static void reading(struct app *app, int32_t stage, int64_t id, int64_t bytes, int64_t rows_id) {
    struct event_accum accum = {rows_id, 10};
    struct event event = spark_task(id, 10000);
    event.task.stage = stage;
    event.task.cpu_ns = INT64_C(1000000000);
    event.task.remote_read_bytes = 0;
    event.task.input_bytes = bytes;
    event.task.input_records = 10;
    event.task.accums = &accum;
    event.task.accum_count = rows_id >= 0;
    app_apply(app, &event, NULL);
}

// A scan of so many files in all of so many bytes, run by two tasks of stage 0 on two slots.
static struct app *scanned(int64_t files, int64_t bytes, bool told) {
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    spark_executor(app, "1", "h1", 2);
    plan_node(&kit, -1, "Scan parquet t");
    plan_metric(&kit, "number of output rows", 1);
    plan_metric(&kit, "number of files read", 2);
    plan_metric(&kit, "size of files read", 3);
    plan_send(app, &kit, 7, EVENT_SQL_START);
    plan_driver_value(app, 7, 2, files);
    plan_driver_value(app, 7, 3, bytes);
    submitted(app, 0, 0, "7");
    reading(app, 0, 1, bytes / 2, told ? 1 : -1);
    reading(app, 0, 2, bytes / 2, told ? 1 : -1);
    struct event done = {.kind = EVENT_STAGE_COMPLETED, .time_ms = 1012000};
    done.stage =
        (struct event_stage){.id = 0, .tasks = 2, .submitted_ms = 1001000, .completed_ms = 1012000};
    app_apply(app, &done, NULL);
    plan_end(app, 7);
    assert_int_equal(app->plans.scan_count, 0);
    return app;
}

static struct verdict files_of(int64_t files, int64_t bytes, bool told) {
    struct app *app = scanned(files, bytes, told);
    struct verdict v = judge(KIND_SMALL_FILES, app, app_stage(app, 0, 0), true);
    app_free(app);
    return v;
}

static void many_small_files_cost_their_reading(void **state) {
    (void)state;
    struct verdict v = files_of(100, 300 * MIB, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "files"), 100, 0);
    assert_near(evidence(&v, "files_needed"), 3, 0);
    // Two tasks waited 9 s each, and of the CPU's 2 s 2 ms are for each file; three of a hundred
    // files would have been needed.
    assert_near(evidence(&v, "spared_ms"), 0.97 * (18000 + 200), 1e-6);
    assert_near(v.saving_s, 0.97 * 9.1, 1e-6);
    v = files_of(2000, 2000 * KIB, true); // all of the CPU's, and no more
    assert_near(evidence(&v, "spared_ms"), 1998 / 2000.0 * (18000 + 2000), 1e-6);
    assert_int_equal(files_of(99, 99 * MIB, true).rule_met, TRI_FALSE);
    assert_int_equal(files_of(100, 300 * MIB + 2, true).rule_met, TRI_FALSE);
    v = files_of(100, 300 * MIB, false); // nobody told which scan it was: the only one
    assert_int_equal(v.rule_met, TRI_TRUE);
}

static void a_file_for_each_task_of_an_rdd(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 2);
    submitted(app, 0, WORK_FILES | WORK_TEXT, NULL);
    for (int64_t i = 0; i < 99; i++) {
        reading(app, 0, i, KIB, -1);
    }
    const struct stage *stage = app_stage(app, 0, 0);
    assert_int_equal(judge(KIND_SMALL_FILES, app, stage, true).rule_met, TRI_FALSE);
    reading(app, 0, 99, KIB, -1);
    struct verdict v = judge(KIND_SMALL_FILES, app, stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    // all but two, all but the CPU's
    assert_near(evidence(&v, "spared_ms"), 0.98 * (900000 + 100 * 2), 1e-6);
    submitted(app, 1, 0, NULL); // blocks that were cached are read without files
    for (int64_t i = 0; i < 200; i++) {
        reading(app, 1, 1000 + i, KIB, -1);
    }
    assert_int_equal(judge(KIND_SMALL_FILES, app, app_stage(app, 1, 0), true).rule_met, TRI_FALSE);
    submitted(app, 0, WORK_PYTHON_RDD, NULL);
    struct event python = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1001000};
    python.stage = (struct event_stage){.id = 0, .tasks = 100, .python = true};
    app_apply(app, &python, NULL); // what the time went to is not known: a little for each file
    v = judge(KIND_SMALL_FILES, app, stage, true);
    assert_near(evidence(&v, "spared_ms"), 100 * 250, 1e-6);
    assert_int_equal(v.confidence, CONFIDENCE_MEDIUM);
    app_free(app);
}

// A thousand tasks are expected; each of those that ended had read a small file.
static void ten_files_tell_of_those_to_come(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 2);
    submitted(app, 0, WORK_FILES | WORK_TEXT, NULL);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 1000, 1001000, 0);
    const struct stage *stage = app_stage(app, 0, 0);
    for (int64_t i = 0; i < 9; i++) {
        reading(app, 0, i, KIB, -1);
    }
    assert_int_equal(judge(KIND_SMALL_FILES, app, stage, false).rule_met, TRI_FALSE);
    reading(app, 0, 9, KIB, -1);
    struct verdict v = judge(KIND_SMALL_FILES, app, stage, false);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "files"), 1000, 1e-6);
    assert_near(evidence(&v, "files_bytes"), 1000 * KIB, 1e-6);
    assert_near(evidence(&v, "reading_tasks"), 10, 0);
    assert_near(evidence(&v, "spared_ms"), 0.998 * (90000 + 1000 * 2),
                1e-6); // of what ended, and no more
    // Of a run that is over no task will come, of a stage that has ended neither.
    assert_int_equal(judge(KIND_SMALL_FILES, app, stage, true).rule_met, TRI_FALSE);
    spark_stage(app, EVENT_STAGE_COMPLETED, 0, 1000, 1001000, 1012000);
    assert_int_equal(judge(KIND_SMALL_FILES, app, stage, false).rule_met, TRI_FALSE);
    app_free(app);
    app = spark_app(); // nine in ten read something else
    spark_executor(app, "1", "h1", 2);
    submitted(app, 0, WORK_FILES | WORK_TEXT, NULL);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 900, 1001000, 0);
    for (int64_t i = 0; i < 100; i++) {
        reading(app, 0, i, i % 10 == 0 ? KIB : 0, -1);
    }
    stage = app_stage(app, 0, 0);
    assert_int_equal(judge(KIND_SMALL_FILES, app, stage, false).rule_met, TRI_FALSE);
    app_free(app);
}

// Four tasks of 10 s on two slots, of which so much was on the CPU.
static struct verdict python(int works, int64_t cpu_ms) {
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 2);
    submitted(app, 0, works, "0");
    for (int64_t i = 0; i < 4; i++) {
        struct event event = spark_task(i, 10000);
        event.task.cpu_ns = cpu_ms * 1000000;
        app_apply(app, &event, NULL);
    }
    app->stages[0]->cold_tasks = 0;
    struct verdict v = judge(KIND_PYTHON_UDF, app, NULL, true);
    app_free(app);
    return v;
}

static void waiting_for_python_is_what_single_rows_cost(void **state) {
    (void)state;
    struct verdict v = python(WORK_PYTHON_ROWS, 6999);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 3.001, 1e-6);
    assert_int_equal(v.cap, SEVERITY_SEVERE);
    assert_int_equal(python(WORK_PYTHON_ROWS, 7000).rule_met, TRI_FALSE);
    v = python(WORK_PYTHON_BATCHES, 1000);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cap, SEVERITY_LOW); // the better way
    assert_int_equal(python(WORK_PYTHON_RDD, 1000).rule_met, TRI_FALSE);
    assert_int_equal(python(WORK_FILES, 1000).rule_met, TRI_FALSE);
}

static void a_plan_tells_of_python_where_no_rdd_does(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    plan_node(&kit, plan_node(&kit, -1, "Project"), "BatchEvalPython");
    plan_send(app, &kit, 0, EVENT_SQL_START);
    submitted(app, 0, 0, "0");
    submitted(app, 1, 0, "1"); // of another execution
    struct event task = spark_task(1, 60000);
    task.task.cpu_ns = 0;
    for (int32_t stage = 0; stage < 2; stage++) {
        task.task.stage = stage;
        task.task.task_id++;
        task.task.cpu_ns = 1;
        app_apply(app, &task, NULL);
        app->stages[stage]->cold_tasks = 0;
    }
    struct verdict v = judge(KIND_PYTHON_UDF, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 60, 0.001);
    assert_int_equal(v.confidence, CONFIDENCE_LOW);
    // There is no engine that it could fall back from.
    assert_int_equal(judge(KIND_NATIVE_FALLBACK, app, NULL, true).rule_met, TRI_FALSE);
    app_free(app);
}

// A plan of native operators, of which so many fell back, beside what is in every plan.
static struct verdict engine(int native, int jvm) {
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    spark_executor(app, "1", "h1", 1);
    int32_t at = plan_node(&kit, plan_node(&kit, -1, "AdaptiveSparkPlan"), "CometColumnarToRow");
    for (int i = 0; i < jvm; i++) {
        at = plan_node(&kit, plan_node(&kit, at, "WholeStageCodegen (1)"), "HashAggregate");
    }
    for (int i = 0; i < native; i++) {
        at = plan_node(&kit, at, i == 0 ? "CometNativeScan parquet" : "CometProject");
    }
    plan_send(app, &kit, 3, EVENT_SQL_START);
    plan_send(app, &kit, 3, EVENT_SQL_ADAPTIVE_PLAN);
    submitted(app, 0, 0, "3");
    struct event task = spark_task(1, 10000);
    app_apply(app, &task, NULL);
    submitted(app, 1, 0, "4"); // of another execution
    plan_task(app, 1, 2, 10000, NULL, 0);
    plan_end(app, 3);
    struct verdict v = judge(KIND_NATIVE_FALLBACK, app, NULL, true);
    app_free(app);
    return v;
}

static void operators_of_the_jvm_in_native_plans_fell_back(void **state) {
    (void)state;
    struct verdict v = engine(3, 1);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 2.5, 1e-9); // a quarter of 10 s
    assert_near(evidence(&v, "native_operators"), 3, 0);
    assert_near(evidence(&v, "transitions"), 1, 0);
    assert_int_equal(v.cap, SEVERITY_MODERATE);
    assert_int_equal(engine(4, 1).rule_met, TRI_FALSE); // a fifth
    assert_int_equal(engine(4, 0).rule_met, TRI_FALSE); // handing the result over is none
    assert_int_equal(engine(0, 4).rule_met, TRI_FALSE); // Spark's own
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_small_files_cost_their_reading),
        cmocka_unit_test(a_file_for_each_task_of_an_rdd),
        cmocka_unit_test(ten_files_tell_of_those_to_come),
        cmocka_unit_test(waiting_for_python_is_what_single_rows_cost),
        cmocka_unit_test(a_plan_tells_of_python_where_no_rdd_does),
        cmocka_unit_test(operators_of_the_jvm_in_native_plans_fell_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
