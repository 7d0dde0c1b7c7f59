// test_detect_run: the detectors of a whole run at their edges, severity, and that every detector
// explains itself.
#include "detect_kit.h"

#include "base/scrub.h"

#include "support/spark.h"

static void network_needs_input_and_more_than_twice_of_it(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 1000);
    app_apply(app, &task, NULL);
    assert_int_equal(judge(KIND_NETWORK_OVERHEAD, app, NULL, true).rule_met, TRI_NULL);
    task = spark_task(2, 1000);
    task.task.input_bytes = 1000; // shuffle so far 2000
    app_apply(app, &task, NULL);
    assert_int_equal(judge(KIND_NETWORK_OVERHEAD, app, NULL, true).rule_met, TRI_FALSE);
    task = spark_task(3, 1000);
    task.task.remote_read_bytes = 0;
    task.task.shuffle_write_bytes = 1;
    app_apply(app, &task, NULL);
    struct verdict v = judge(KIND_NETWORK_OVERHEAD, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "ratio"), 2.001, 1e-9);
    app_free(app);
}

static void run_rules_stand_at_their_limits(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event end = {.kind = EVENT_APP_END, .time_ms = 1000000 + 3600000};
    app_apply(app, &end, NULL);
    assert_int_equal(judge(KIND_SLOW_RUN, app, NULL, true).rule_met, TRI_FALSE);
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, app, NULL, true).rule_met, TRI_NULL);
    app->totals.input_records = 3600000; // exactly 1000 a second
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, app, NULL, true).rule_met, TRI_FALSE);
    app->totals.input_records--;
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, app, NULL, true).rule_met, TRI_TRUE);
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, app, NULL, true).confidence, CONFIDENCE_HIGH);
    app->totals.input_records = 0;
    app->totals.output_records = 1; // what it read was not counted
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, app, NULL, true).confidence, CONFIDENCE_MEDIUM);
    end.time_ms++;
    app_apply(app, &end, NULL);
    assert_int_equal(judge(KIND_SLOW_RUN, app, NULL, true).rule_met, TRI_TRUE);
    assert_int_equal(judge(KIND_PIPELINE_FAILURE, app, NULL, true).rule_met, TRI_FALSE);
    end.app_end.has_exit_code = true;
    end.app_end.exit_code = 1;
    app_apply(app, &end, NULL);
    struct verdict v = judge(KIND_PIPELINE_FAILURE, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.floor, SEVERITY_CRITICAL);
    app_free(app);
}

static void severity_weighs_seconds_and_share(void **state) {
    (void)state;
    assert_int_equal(severity_of_loss(0.1, 10, false), SEVERITY_NEGLIGIBLE);
    assert_int_equal(severity_of_loss(0.5, 1000, false), SEVERITY_NEGLIGIBLE);
    assert_int_equal(severity_of_loss(1.0, 10, false), SEVERITY_MODERATE);
    assert_int_equal(severity_of_loss(1.0, 10, true), SEVERITY_NEGLIGIBLE); // too early to call
    assert_int_equal(severity_of_loss(3, 10, false), SEVERITY_SEVERE);
    assert_int_equal(severity_of_loss(60, 100, false), SEVERITY_CRITICAL);
    assert_int_equal(severity_of_loss(400, 7e4, false), SEVERITY_MODERATE);
    assert_int_equal(severity_of_loss(400, 1e6, false), SEVERITY_NEGLIGIBLE); // of so long a run
    assert_int_equal(severity_of_loss(1, 0, false), SEVERITY_NEGLIGIBLE);
}

static void every_detector_explains_itself(void **state) {
    (void)state;
    unsigned count;
    const struct detector *const *all = detectors(&count);
    const struct bottleneck any = {.cause = CAUSE_NONE};
    assert_int_equal(count, KIND_COUNT);
    for (unsigned i = 0; i < count; i++) {
        assert_true(strlen(all[i]->help) > 10 && strlen(all[i]->rule) > 10);
        assert_true(strlen(all[i]->unknown_when) > 0);
        assert_memory_equal(all[i]->alert_name, "Pipeline", 8);
        assert_memory_equal(all[i]->alert_summary, "Pipeline ", 9);
        assert_true(strlen(detector_remedy(all[i], &any)) > 20);
        assert_ptr_equal(detector_of(all[i]->kind), all[i]);
        assert_true(all[i]->subject == SUBJECT_RUN || all[i]->never_text != NULL);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(all[i]->help, all[k]->help);
            assert_string_not_equal(all[i]->alert_name, all[k]->alert_name);
            assert_string_not_equal(detector_remedy(all[i], &any), detector_remedy(all[k], &any));
        }
        for (unsigned t = 0; t < all[i]->threshold_count; t++) {
            const struct detector_threshold *threshold = &all[i]->thresholds[t];
            assert_true(threshold->min <= threshold->def && threshold->def <= threshold->max);
            assert_non_null(threshold->source); // the page names one for every number
            assert_true(strlen(threshold->source) > 10 && strlen(threshold->help) > 10);
            assert_null(strchr(threshold->source, '|')); // it is a cell of a table
        }
    }
}

static const char *remedy(enum bottleneck_kind kind, enum cause cause, const char *evidence,
                          double value) {
    struct bottleneck verdict = {.cause = cause, .evidence = {{"other", 1}, {evidence, value}}};
    verdict.evidence_count = evidence == NULL ? 1 : 2;
    return detector_remedy(detector_of(kind), &verdict);
}

static void the_remedy_is_that_of_the_cause(void **state) {
    (void)state;
    const char *any = remedy(KIND_MEMORY_PRESSURE, CAUSE_NONE, NULL, 0);
    assert_ptr_equal(remedy(KIND_MEMORY_PRESSURE, CAUSE_SPILL, NULL, 0), any); // none of its own
    assert_non_null(strstr(remedy(KIND_MEMORY_PRESSURE, CAUSE_GC, NULL, 0), "Less garbage"));
    assert_non_null(strstr(remedy(KIND_PIPELINE_FAILURE, CAUSE_OOM, NULL, 0), "driver.memory"));
    static const struct {
        enum cause cause;
        const char *evidence, *words;
    } rows[] = {
        {CAUSE_OOM, NULL, "more executor memory"},
        {CAUSE_OOM, "failed_direct_memory", "memoryOverhead"},
        {CAUSE_OOM, "failed_execution_memory", "memory.fraction"},
        {CAUSE_OOM, "failed_off_heap_memory", "offHeap.size"},
        {CAUSE_OOM, "failed_gpu_memory", "concurrentGpuTasks"},
        {CAUSE_OOM, "failed_python_memory", "pyspark.memory"},
        {CAUSE_CONTAINER_KILLED, NULL, "memoryOverhead"},
        {CAUSE_USER_CODE, NULL, "aside"},
        {CAUSE_USER_CODE, "failed_python_crashes", "stderr"},
        {CAUSE_OTHER, "failed_threads", "ulimit"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *plain = remedy(KIND_TASK_FAILURES, rows[i].cause, NULL, 0);
        const char *fine = remedy(KIND_TASK_FAILURES, rows[i].cause, rows[i].evidence, 1);
        assert_non_null(strstr(fine, rows[i].words));
        bool aside = strstr(fine, "aside") != NULL, kryo = strstr(fine, "Kryo") != NULL;
        assert_int_equal(aside, rows[i].cause == CAUSE_USER_CODE && rows[i].evidence == NULL);
        assert_int_equal(kryo, rows[i].cause == CAUSE_OOM && rows[i].evidence == NULL);
        assert_ptr_equal(remedy(KIND_TASK_FAILURES, rows[i].cause, rows[i].evidence, 0), plain);
        assert_ptr_equal(remedy(KIND_TASK_FAILURES, CAUSE_EXECUTOR_LOST, rows[i].evidence, 1),
                         remedy(KIND_TASK_FAILURES, CAUSE_EXECUTOR_LOST, NULL, 0));
    }
}

static void sql_end(struct app *app, int64_t id, const char *error) {
    struct event event = {.kind = EVENT_SQL_END, .time_ms = 1005000};
    event.sql.execution_id = id;
    event.sql.has_error = true;
    event.sql.error = event.sql.whole_error = str_of(error);
    app_apply(app, &event, NULL);
}

static void a_driver_without_memory_is_told_apart(void **state) {
    (void)state;
    struct app *app = spark_app();
    sql_end(app, 1, "Not enough memory to build and broadcast the table to all worker nodes.");
    struct verdict v = judge(KIND_PIPELINE_FAILURE, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_OOM);
    assert_near(evidence(&v, "driver_out_of_memory"), 1, 0);
    sql_end(app, 2,
            "Job aborted due to stage failure: java.lang.OutOfMemoryError: Java heap space");
    v = judge(KIND_PIPELINE_FAILURE, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_NONE); // that is its stages' to tell
    app_free(app);
}

static void a_killed_run_is_told_apart(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event job = {.kind = EVENT_JOB_START, .time_ms = 1001000};
    struct event end = {.kind = EVENT_APP_END, .time_ms = 1061000};
    app_apply(app, &job, NULL);
    struct verdict v = judge(KIND_PIPELINE_FAILURE, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_FALSE); // lost
    app_apply(app, &end, NULL);
    v = judge(KIND_PIPELINE_FAILURE, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.floor, SEVERITY_SEVERE);
    assert_near(evidence(&v, "killed"), 1, 0);
    assert_near(evidence(&v, "jobs_cut_off"), 1, 0);
    assert_non_null(strstr(v.summary, "stopped from outside before its work was done: 1 job was"));
    assert_non_null(strstr(remedy(KIND_PIPELINE_FAILURE, CAUSE_NONE, "killed", 1), "from outside"));
    assert_null(strstr(remedy(KIND_PIPELINE_FAILURE, CAUSE_NONE, NULL, 0), "from outside"));
    struct event connect = {.kind = EVENT_CONNECT}; // a server is stopped while it is used
    app_apply(app, &connect, NULL);
    v = judge(KIND_PIPELINE_FAILURE, app, NULL, true);
    assert_int_equal(v.rule_met, TRI_FALSE);
    assert_int_equal(app_status(app, true), RUN_KILLED);
    app_free(app);
}

// alertname is the identity of an alert that fires: none may change with a release.
static void alerts_keep_their_names(void **state) {
    (void)state;
    static const char *const names[KIND_COUNT] = {
        [KIND_DATA_SKEW] = "PipelineDataSkew",
        [KIND_MEMORY_PRESSURE] = "PipelineMemoryPressure",
        [KIND_NETWORK_OVERHEAD] = "PipelineNetworkOverhead",
        [KIND_IO_BOTTLENECK] = "PipelineIoBottleneck",
        [KIND_RESOURCE_CONTENTION] = "PipelineResourceContention",
        [KIND_SLOW_RUN] = "PipelineSlowRun",
        [KIND_LOW_THROUGHPUT] = "PipelineLowThroughput",
        [KIND_STRAGGLER] = "PipelineStraggler",
        [KIND_TASK_FAILURES] = "PipelineTaskFailures",
        [KIND_PIPELINE_FAILURE] = "PipelineFailure",
        [KIND_JOIN_STRATEGY] = "PipelineJoinStrategy",
        [KIND_SMALL_FILES] = "PipelineSmallFiles",
        [KIND_PYTHON_UDF] = "PipelinePythonUdf",
        [KIND_NATIVE_FALLBACK] = "PipelineNativeFallback",
        [KIND_DRIVER_BOUND] = "PipelineDriverBound",
        [KIND_IDLE_EXECUTORS] = "PipelineIdleExecutors",
        [KIND_LOW_PARALLELISM] = "PipelineLowParallelism",
        [KIND_SPECULATION_WASTE] = "PipelineSpeculationWaste",
        [KIND_TINY_TASKS] = "PipelineTinyTasks",
        [KIND_OVERSIZED_PARTITIONS] = "PipelineOversizedPartitions",
        [KIND_STREAMING_LAG] = "PipelineStreamingLag",
    };
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct detector *detector = detector_of((enum bottleneck_kind)kind);
        assert_true(names[kind] == NULL || strcmp(detector->alert_name, names[kind]) == 0);
        assert_int_equal(detector->alert_critical, kind == KIND_PIPELINE_FAILURE);
    }
}

static void a_summary_is_cut_at_no_mark(void **state) {
    (void)state;
    struct verdict verdict = {0};
    enum { CAP = sizeof verdict.summary };
    char text[CAP + 64];
    for (size_t at = 0; at < CAP; at++) { // words; they are no secret
        text[at] = "lorem "[at % 6];
    }
    text[CAP - 1] = '\0';
    verdict_summary(&verdict, "%s", text); // it just fits
    assert_string_equal(verdict.summary, text);
    strcpy(text + CAP - 5, SCRUB_MARK " for a while");
    verdict_summary(&verdict, "%s", text); // the mark does not
    assert_in_range(strlen(verdict.summary), 1, CAP - 1);
    assert_null(strchr(verdict.summary, SCRUB_MARK[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_needs_input_and_more_than_twice_of_it),
        cmocka_unit_test(run_rules_stand_at_their_limits),
        cmocka_unit_test(severity_weighs_seconds_and_share),
        cmocka_unit_test(every_detector_explains_itself),
        cmocka_unit_test(the_remedy_is_that_of_the_cause),
        cmocka_unit_test(a_driver_without_memory_is_told_apart),
        cmocka_unit_test(a_killed_run_is_told_apart),
        cmocka_unit_test(alerts_keep_their_names),
        cmocka_unit_test(a_summary_is_cut_at_no_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
