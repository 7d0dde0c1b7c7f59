// test_judge: when a stage or run is judged and what becomes of a verdict: how much of a stage must
// be there, bounds of its severity, what is repeated, what could nowhere be evaluated, and how a
// report sorts and cuts.
#include "engine_kit.h"

#define APP "app-1"

static void start(void) {
    kit_app_start(APP, "etl", 0);
}

static const struct kit_record *newest(enum bottleneck_kind kind) {
    for (int i = kit.count - 1; i >= 0; i--) {
        if (kit.records[i].type == KIT_VERDICT && kit.records[i].verdict.kind == kind) {
            return &kit.records[i];
        }
    }
    return NULL;
}

// Half of a stage's tasks are enough to speak of its skew, one less is not.
static void a_share_of_the_tasks_must_have_ended(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 20, 1, 0);
    for (int i = 0; i < 8; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    kit_task(APP, 0, 8, 1, 101, 100);
    assert_null(newest(KIND_DATA_SKEW)); // nine of twenty
    kit_task(APP, 0, 9, 1, 103, 1);
    assert_non_null(newest(KIND_DATA_SKEW)); // ten
    assert_near(newest(KIND_DATA_SKEW)->verdict.completeness, 0.5, 0);
}

// Spark says fewer tasks than came: no share is beyond the whole.
static void completeness_is_never_beyond_the_whole(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 4, 1, 0);
    for (int i = 0; i < 8; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    kit_task(APP, 0, 8, 1, 101, 100);
    assert_near(newest(KIND_DATA_SKEW)->verdict.completeness, 1, 0);
}

// A failed task of a failed stage: costs nothing to speak of, but is moderate at least.
static void severity_keeps_to_its_floor(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 4, 1, 0);
    kit_feed(APP,
             "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":0,\"Stage Attempt ID\":0,\"Task "
             "End Reason\":{\"Reason\":\"ExceptionFailure\",\"Class Name\":\"E\"},\"Task "
             "Info\":{\"Task ID\":1,\"Index\":0,\"Launch Time\":%lld,\"Finish Time\":%lld,"
             "\"Executor ID\":\"1\",\"Host\":\"h\",\"Failed\":true}}",
             kit_ms(1), kit_ms(1.1));
    kit_feed(APP,
             "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{\"Stage ID\":0,\"Stage "
             "Attempt ID\":0,\"Stage Name\":\"s\",\"Number of Tasks\":4,\"Submission "
             "Time\":%lld,\"Completion Time\":%lld,\"Failure Reason\":\"boom\"}}",
             kit_ms(1), kit_ms(1.2));
    const struct kit_record *r = newest(KIND_TASK_FAILURES);
    assert_int_equal(r->verdict.severity, SEVERITY_MODERATE);
    assert_true(r->verdict.saving_s < 0.3); // negligible by itself
}

// Uneven times that are not the data's fault: a lot of time, but the skew is negligible.
static void severity_keeps_to_its_cap(void **state) {
    (void)state;
    kit.options.publish_min = SEVERITY_NEGLIGIBLE;
    start();
    kit_stage(APP, 0, 10, 1, 0);
    for (int i = 0; i < 9; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    kit_task(APP, 0, 9, 1, 101, 1);
    kit_stage(APP, 0, 10, 1, 101);
    assert_int_equal(newest(KIND_DATA_SKEW)->verdict.severity, SEVERITY_NEGLIGIBLE);
    assert_true(newest(KIND_DATA_SKEW)->verdict.saving_s > 40);
    assert_int_equal(newest(KIND_STRAGGLER)->verdict.severity, SEVERITY_MODERATE);
    assert_string_equal(newest(KIND_DATA_SKEW)->verdict.explained_by, // one thing, told once
                        newest(KIND_STRAGGLER)->id);
}

// Tasks that ran out of memory failed the stage, and the stage the run: one root, one advice.
static void one_cause_is_one_finding(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 4, 1, 0);
    for (int i = 0; i < 4; i++) {
        kit_feed(APP,
                 "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":0,\"Stage Attempt ID\":0,\"Task "
                 "End Reason\":{\"Reason\":\"ExceptionFailure\",\"Class Name\":"
                 "\"java.lang.OutOfMemoryError\"},\"Task Info\":{\"Task ID\":%d,\"Index\":0,"
                 "\"Launch Time\":%lld,\"Finish Time\":%lld,\"Executor ID\":\"1\",\"Host\":\"h\","
                 "\"Failed\":true}}",
                 i, kit_ms(1 + i * 20), kit_ms(20 + i * 20));
    }
    kit_feed(APP,
             "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{\"Stage ID\":0,\"Stage "
             "Attempt ID\":0,\"Stage Name\":\"s\",\"Number of Tasks\":4,\"Submission "
             "Time\":%lld,\"Completion Time\":%lld,\"Failure Reason\":\"boom\"}}",
             kit_ms(1), kit_ms(81));
    kit_feed(APP, "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":%lld,\"ExitCode\":1}",
             kit_ms(82));
    const struct bottleneck *root = &newest(KIND_TASK_FAILURES)->verdict;
    assert_int_equal(root->cause, CAUSE_OOM);
    assert_string_equal(root->explained_by, "");
    assert_true(bottleneck_is_root(root) && root->severity >= SEVERITY_MODERATE);
    const struct bottleneck *memory = &newest(KIND_MEMORY_PRESSURE)->verdict;
    assert_string_equal(memory->explained_by, root->id);
    assert_int_equal(memory->severity, SEVERITY_LOW);
    assert_int_equal(memory->life, LIFE_CONFIRMED); // it stands, and is told with its root
    const struct bottleneck *failure = &newest(KIND_PIPELINE_FAILURE)->verdict;
    assert_string_equal(failure->explained_by, root->id);
    assert_int_equal(failure->severity, SEVERITY_CRITICAL); // a failed run is always told
    assert_true(bottleneck_is_open(failure) && !bottleneck_is_root(failure));
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 2);
    for (int i = 0; i < kit.count; i++) {
        assert_true(kit.records[i].type != KIT_ADVICE ||
                    strcmp(kit.records[i].advice_kind, "memory") == 0);
    }
    kit_check_revisions();
}

// What a stage cost may exceed the run as known so far (its start came late): share 1 at most.
static void no_share_is_beyond_the_run(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 95);
    kit_stage(APP, 0, 10, 1, 0);
    for (int i = 0; i < 9; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    kit_task(APP, 0, 9, 1, 101, 100);
    kit_stage(APP, 0, 10, 1, 101);
    assert_near(newest(KIND_DATA_SKEW)->verdict.saving_share, 1, 0);
}

// Numbers that change leave once a minute, what matters at once.
static void changed_numbers_leave_once_a_minute(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 40, 1, 0);
    for (int i = 0; i < 25; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    kit_task(APP, 0, 25, 1, 101, 100); // opened at 101
    assert_int_equal(kit_count(KIT_VERDICT, APP), 1);
    kit_task(APP, 0, 26, 102, 103, 1); // the first update is another life
    assert_int_equal(kit_count(KIT_VERDICT, APP), 2);
    kit_task(APP, 0, 27, 102, 162.999, 1); // not a minute after that
    assert_int_equal(kit_count(KIT_VERDICT, APP), 2);
    kit_task(APP, 0, 28, 102, 164, 1);
    assert_int_equal(kit_count(KIT_VERDICT, APP), 3);
    kit_task(APP, 0, 29, 165, 224, 1); // a minute after the third, to the millisecond
    assert_int_equal(kit_count(KIT_VERDICT, APP), 4);
    kit_check_revisions();
}

// A stage is judged when a second has passed since, not sooner.
static void a_stage_is_judged_once_a_second(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 20, 1, 0);
    for (int i = 0; i < 11; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    kit_task(APP, 0, 11, 1, 100, 1); // judged: a straggler so far
    kit_task(APP, 0, 12, 1, 100.999, 100);
    assert_null(newest(KIND_DATA_SKEW));
    kit_task(APP, 0, 13, 1, 101, 1);
    assert_non_null(newest(KIND_DATA_SKEW));
}

// Rules of a run that need its end are not looked at before; those that do not are, every minute.
static void a_run_is_judged_as_a_whole_at_its_end(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 20, 1, 0);
    for (int i = 0; i < 4; i++) {
        kit_task(APP, 0, i, 1, 3700.0 + i * 60, 1);
    }
    assert_non_null(newest(KIND_SLOW_RUN));
    assert_null(newest(KIND_LOW_THROUGHPUT));
    kit_app_end(APP, 40000);
    assert_non_null(newest(KIND_LOW_THROUGHPUT));
}

// Nor is a run of which the start was not seen, until it is over.
static void a_run_without_a_start_is_not_judged_while_it_goes_on(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        kit_task(APP, 0, i, 1, 3700.0 + i * 60, 1);
    }
    assert_null(newest(KIND_SLOW_RUN));
    kit_app_end(APP, 4000);
    assert_non_null(newest(KIND_SLOW_RUN));
}

static const struct app *seen;
static void see(void *ctx, const struct app *app, enum run_status status,
                const struct recommendation *recommendations, uint32_t count) {
    (void)ctx, (void)status, (void)recommendations, (void)count;
    seen = app;
}

// What no stage of the run could evaluate is told once with its reason, until a late event brings
// what was missing.
static void what_could_nowhere_be_evaluated_is_told(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 2, 1, 0);
    kit_task(APP, 0, 0, 1, 11, 1);
    kit_task(APP, 0, 1, 1, 11, 1);
    kit_stage(APP, 0, 2, 1, 11);
    kit_app_end(APP, 20);
    engine_each_run(kit.engine, see, NULL);
    const struct bottleneck *io = app_verdict(seen, KIND_IO_BOTTLENECK);
    assert_non_null(io);
    assert_int_equal(io->rule_met, TRI_NULL);
    assert_string_equal(io->reason,
                        "no successful task of the run read input bytes and told its CPU time");
    assert_int_equal(io->life, LIFE_CONFIRMED);
    // These could be: several kinds, not the last one only.
    assert_null(app_verdict(seen, KIND_DATA_SKEW));
    assert_null(app_verdict(seen, KIND_MEMORY_PRESSURE));
    assert_null(app_verdict(seen, KIND_TASK_FAILURES));
    kit_feed(APP,
             "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Stage Attempt ID\":0,\"Task "
             "End Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":9,\"Index\":0,"
             "\"Launch Time\":%lld,\"Finish Time\":%lld,\"Executor ID\":\"1\",\"Host\":\"h\"},"
             "\"Task Metrics\":{\"Executor Run Time\":1000,\"Executor CPU Time\":900000000,"
             "\"Input Metrics\":{\"Bytes Read\":1000,\"Records Read\":10}}}",
             kit_ms(12), kit_ms(13));
    engine_tick(kit.engine, 10000);
    engine_each_run(kit.engine, see, NULL);
    assert_int_equal(app_verdict(seen, KIND_IO_BOTTLENECK)->life, LIFE_RETRACTED);
}

// Stages of which ever longer ones are skewed: the worst first, no more than a record may hold.
static uint32_t open_count;
static void on_run(void *ctx, const struct pipeline_run *run) {
    kit_on_run(ctx, run);
    open_count = run->open_count;
    for (uint32_t i = 1; i < run->open_count; i++) {
        const struct open_bottleneck *a = &run->open[i - 1], *b = &run->open[i];
        assert_true(a->severity > b->severity ||
                    (a->severity == b->severity && a->confidence < b->confidence) ||
                    (a->severity == b->severity && a->confidence == b->confidence &&
                     a->saving_s >= b->saving_s));
    }
    assert_true(run->stage_count <= RUN_STAGES_MAX && run->open_count <= RUN_OPEN_MAX);
    for (uint32_t i = 1; i < run->stage_count && run->ended_ms > 0; i++) {
        const struct stage_summary *a = &run->stages[i - 1], *b = &run->stages[i];
        assert_true(a->completed_ms - a->submitted_ms >= b->completed_ms - b->submitted_ms);
    }
}

static void a_report_is_sorted_and_cut(void **state) {
    (void)state;
    struct engine_output output = {NULL, on_run, kit_on_verdict, kit_on_advice};
    engine_free(kit.engine);
    kit.engine = engine_new(&kit.options, kit.decoder, &output);
    start();
    for (int s = 0; s < RUN_STAGES_MAX + 20; s++) {
        kit_stage(APP, s, 10, 1, 0);
        int long_s = s < RUN_OPEN_MAX + 10 ? 60 + (s * 37) % 200 : 12;
        for (int i = 0; i < 9; i++) {
            kit_task(APP, s, s * 10 + i, 1, 11, 1);
        }
        kit_task(APP, s, s * 10 + 9, 1, 1 + long_s, 100);
        kit_stage(APP, s, 10, 1, 1 + long_s);
        kit.count = 0; // they are many
    }
    kit_app_end(APP, 300);
    assert_int_equal(open_count, RUN_OPEN_MAX);
}

// Only so many closed stages keep the detail by which tasks are compared; what comes later for the
// others judges what needs none, and harms no verdict.
static void late_tasks_of_a_stage_long_closed_change_no_cause(void **state) {
    (void)state;
    start();
    for (int s = 0; s < APP_CLOSED_DETAILS + 2; s++) {
        kit_stage(APP, s, 10, 1, 0);
        for (int i = 0; i < 9; i++) {
            kit_task(APP, s, s * 100 + i, 1, 11, 1);
        }
        kit_task(APP, s, s * 100 + 9, 1, 101 + s, 100);
        kit_stage(APP, s, 10, 1, 101 + s);
    }
    kit.count = 0;
    kit_task(APP, 0, 50, 1, 500, 1);
    kit_app_end(APP, 600);
    const struct kit_record *r = NULL;
    for (int i = 0; i < kit.count; i++) {
        if (kit.records[i].type == KIT_VERDICT && kit.records[i].verdict.stage == 0 &&
            kit.records[i].verdict.kind == KIND_DATA_SKEW) {
            r = &kit.records[i];
        }
    }
    engine_each_run(kit.engine, see, NULL);
    const struct stage *stage = app_stage(seen, 0, 0);
    assert_null(stage->detail);
    assert_int_equal(stage_verdict(stage, KIND_DATA_SKEW)->cause, CAUSE_DATA);
    assert_true(r == NULL || r->verdict.cause == CAUSE_DATA);
}

static void plan_of_a_database(void) {
    kit_feed(APP,
             "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart\","
             "\"executionId\":0,\"sparkPlanInfo\":{\"nodeName\":\"Scan JDBCRelation(t)\","
             "\"metrics\":[{\"name\":\"number of output rows\",\"accumulatorId\":1,"
             "\"metricType\":\"sum\"}]},\"time\":%lld}",
             kit_ms(1));
}

static void reading_task(int id, long long bytes, long long rows, long long shuffled) {
    kit_feed(APP,
             "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":0,\"Stage Attempt ID\":0,\"Task "
             "End Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":%d,\"Index\":%d,"
             "\"Launch Time\":%lld,\"Finish Time\":%lld,\"Executor ID\":\"1\",\"Host\":\"h\"},"
             "\"Task Metrics\":{\"Executor Run Time\":99000,\"Shuffle Read Metrics\":{\"Fetch Wait "
             "Time\":90000,\"Local Bytes "
             "Read\":%lld},\"Input Metrics\":{\"Bytes Read\":%lld,\"Records Read\":%lld}}}",
             id, id, kit_ms(2), kit_ms(101), shuffled, bytes, rows);
}

// What a database's rows take nobody knows: what was told while they had not come is taken back,
// and the rule stands as not evaluated.
static void a_rule_that_cannot_be_told_of_the_whole_run_is_retracted(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 2, 1, 0);
    plan_of_a_database();
    reading_task(0, 1000, 10, 1LL << 40);
    kit_stage(APP, 0, 2, 1, 101);
    kit_feed(APP, "{\"Event\":\"SparkListenerUnpersistRDD\",\"RDD ID\":1,\"Timestamp\":%lld}",
             kit_ms(200));
    const struct kit_record *told = newest(KIND_NETWORK_OVERHEAD);
    assert_non_null(told);
    assert_int_equal(told->verdict.rule_met, TRI_TRUE);
    reading_task(1, 0, 1000, 0);
    kit_app_end(APP, 300);
    assert_int_equal(newest(KIND_NETWORK_OVERHEAD)->verdict.life, LIFE_RETRACTED);
    engine_each_run(kit.engine, see, NULL);
    const struct bottleneck *network = app_verdict(seen, KIND_NETWORK_OVERHEAD);
    assert_int_equal(network->rule_met, TRI_NULL);
    assert_non_null(strstr(network->reason, "nobody counted"));
    assert_int_equal(network->life, LIFE_CONFIRMED);
}

// A task of 100 s, 40 of them on a CPU, and `bytes` of input.
static void waiting_task(int stage, double from_s, long long bytes) {
    kit_feed(APP,
             "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task "
             "End Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":%d,\"Index\":0,"
             "\"Launch Time\":%lld,\"Finish Time\":%lld,\"Executor ID\":\"1\",\"Host\":\"h\"},"
             "\"Task Metrics\":{\"Executor Run Time\":100000,\"Executor CPU Time\":40000000000,"
             "\"Input Metrics\":{\"Bytes Read\":%lld,\"Records Read\":1}}}",
             stage, stage, kit_ms(from_s), kit_ms(from_s + 100), bytes);
}

// What a stage waited for only those that come after it may tell.
static void reading_is_looked_at_again_when_the_run_is_over(void **state) {
    (void)state;
    start();
    kit_stage(APP, 0, 1, 1, 0);
    waiting_task(0, 1, 1000);
    kit_stage(APP, 0, 1, 1, 102);
    assert_int_equal(newest(KIND_IO_BOTTLENECK)->verdict.cause, CAUSE_NONE);
    assert_true(newest(KIND_IO_BOTTLENECK)->verdict.severity > SEVERITY_NEGLIGIBLE);
    kit_stage(APP, 1, 1, 102, 0);
    waiting_task(1, 102, 0);
    kit_stage(APP, 1, 1, 102, 203);
    kit_app_end(APP, 204);
    assert_int_equal(newest(KIND_IO_BOTTLENECK)->verdict.cause, CAUSE_OVERSUBSCRIBED);
    assert_int_equal(newest(KIND_IO_BOTTLENECK)->verdict.severity, SEVERITY_NEGLIGIBLE);
    assert_int_equal(newest(KIND_IO_BOTTLENECK)->verdict.rule_met, TRI_TRUE);
}

// A short job waits twice behind a long one: one finding of the run, beside those of the rule on
// its stages.
static void waits_behind_own_jobs_are_one_finding_of_the_run(void **state) {
    (void)state;
    start();
    kit_executor(APP, "1", 1);
    for (int job = 0; job < 2; job++) {
        kit_feed(
            APP,
            "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":%d,\"Submission Time\":%lld,\"Stage "
            "IDs\":[%d,%d],\"Properties\":{\"spark.sql.execution.id\":\"%d\"}}",
            job, kit_ms(1), 2 * job, 2 * job + 1, job);
    }
    kit_stage(APP, 0, 40, 1, 0);
    kit_task(APP, 0, 0, 1, 2, 1);
    for (int stage = 2; stage < 4; stage++) {
        kit_stage(APP, stage, 1, 1, 0);
        kit_task(APP, stage, stage, 39, 40, 1);
        kit_stage(APP, stage, 1, 1, 40);
    }
    kit_app_end(APP, 45);
    int on_run = 0, on_stages = 0;
    for (int i = 0; i < kit.count; i++) {
        const struct kit_record *r = &kit.records[i];
        if (r->type == KIT_VERDICT && r->verdict.kind == KIND_RESOURCE_CONTENTION) {
            on_run += r->verdict.stage == -1;
            on_stages += r->verdict.stage >= 0 && r->verdict.severity > SEVERITY_NEGLIGIBLE;
        }
    }
    assert_int_equal(on_run, 1);
    assert_int_equal(on_stages, 0);
    const struct kit_record *r = newest(KIND_RESOURCE_CONTENTION);
    assert_int_equal(r->verdict.rule_met, TRI_FALSE);
    assert_int_equal(r->verdict.cause, CAUSE_OWN_JOBS);
    assert_int_equal(r->verdict.life, LIFE_CONFIRMED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waits_behind_own_jobs_are_one_finding_of_the_run,
                                        kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(a_share_of_the_tasks_must_have_ended, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(completeness_is_never_beyond_the_whole, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(severity_keeps_to_its_floor, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(severity_keeps_to_its_cap, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(one_cause_is_one_finding, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(no_share_is_beyond_the_run, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(changed_numbers_leave_once_a_minute, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_stage_is_judged_once_a_second, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(a_run_is_judged_as_a_whole_at_its_end, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_run_without_a_start_is_not_judged_while_it_goes_on,
                                        kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(a_rule_that_cannot_be_told_of_the_whole_run_is_retracted,
                                        kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(reading_is_looked_at_again_when_the_run_is_over, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(what_could_nowhere_be_evaluated_is_told, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_report_is_sorted_and_cut, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(late_tasks_of_a_stage_long_closed_change_no_cause,
                                        kit_set_up, kit_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
