// test_roots: what explains what, at the edges of its conditions; that nothing severe is hidden
// behind something small, and that what explains is not explained away itself.
#include "support/test.h"

#include "base/compiler.h"
#include "base/mem.h"
#include "detect/roots.h"
#include "support/spark.h"

static struct verdict verdicts[KIND_COUNT];
static struct finding findings[KIND_COUNT];
static struct stage_detail detail;
static struct stage stage;

static int fresh(void **state) {
    (void)state;
    memset(verdicts, 0, sizeof verdicts);
    memset(findings, 0, sizeof findings);
    memset(&detail, 0, sizeof detail);
    stage = (struct stage){.detail = &detail};
    return 0;
}

static void found(enum bottleneck_kind kind, enum cause cause, enum severity severity) {
    verdicts[kind] = (struct verdict){.rule_met = TRI_TRUE,
                                      .cause = cause,
                                      .saving_s = 10 * (double)severity,
                                      .floor = severity,
                                      .cap = SEVERITY_CRITICAL,
                                      .summary = "stage 1"};
    findings[kind] = (struct finding){.holds = true,
                                      .severity = severity,
                                      .cause = cause,
                                      .saving_s = verdicts[kind].saving_s,
                                      .verdict = &verdicts[kind]};
}

// Twenty tasks, of which the slowest two spilled `slow` bytes and all together `all`.
static void spilled(int64_t slow, int64_t all) {
    stage.summary.tasks = 20;
    stage.summary.mean_task_ms = 1000;
    stage.summary.memory_spilled_bytes = all;
    detail.slow_count = 3;
    detail.slow[0] = (struct stage_task){.duration_ms = 9000, .spill_bytes = slow / 2};
    detail.slow[1] = (struct stage_task){.duration_ms = 8000, .spill_bytes = slow - slow / 2};
    detail.slow[2] = (struct stage_task){.duration_ms = 900, .spill_bytes = all}; // no slow one
}

static bool explains(enum bottleneck_kind root, enum bottleneck_kind kind) {
    roots_find(&stage, findings);
    return findings[kind].is_explained && findings[kind].root == root;
}

static void the_spill_of_skewed_tasks_is_their_skew(void **state) {
    (void)state;
    found(KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    spilled(100, 200);
    assert_true(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
    assert_int_equal(verdicts[KIND_MEMORY_PRESSURE].cap, SEVERITY_LOW);
    assert_int_equal(verdicts[KIND_MEMORY_PRESSURE].floor, SEVERITY_LOW);
    assert_string_equal(verdicts[KIND_DATA_SKEW].summary, "stage 1; it explains its spill");
    assert_string_equal(verdicts[KIND_DATA_SKEW].evidence[0].name, "explained_spill_s");
    assert_near(verdicts[KIND_DATA_SKEW].evidence[0].value, 20, 0);
    assert_int_equal(verdicts[KIND_DATA_SKEW].floor, SEVERITY_SEVERE);
}

static void the_spill_of_all_tasks_is_not(void **state) {
    found(KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    spilled(99, 200);
    assert_false(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
    assert_int_equal(verdicts[KIND_MEMORY_PRESSURE].cap, SEVERITY_CRITICAL);
    assert_string_equal(verdicts[KIND_DATA_SKEW].summary, "stage 1");
    fresh(state);
    found(KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    spilled(100, 100);
    stage.summary.tasks = 3; // two of three are no few
    assert_false(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
    fresh(state);
    found(KIND_DATA_SKEW, CAUSE_SLOW_HOST, SEVERITY_SEVERE); // not the data's fault
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    spilled(100, 100);
    assert_false(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
}

static void what_weighs_more_is_not_explained(void **state) {
    (void)state;
    found(KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_LOW);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_SEVERE);
    spilled(100, 100);
    assert_false(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
    findings[KIND_DATA_SKEW].severity = SEVERITY_SEVERE;
    findings[KIND_DATA_SKEW].holds = false; // nor by what does not hold
    assert_false(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
}

// What was said while the slow tasks were known stays when they are not.
static void without_detail_it_stays_as_it_was(void **state) {
    (void)state;
    found(KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    findings[KIND_DATA_SKEW].verdict = NULL; // not asked any more
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    stage.detail = NULL;
    assert_false(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
    findings[KIND_MEMORY_PRESSURE].was_explained = true;
    findings[KIND_MEMORY_PRESSURE].was_root = KIND_DATA_SKEW;
    assert_true(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
}

// The failed attempts carry it, with the larger figure, however small they look by themselves.
static void running_out_of_memory_is_one_finding(void **state) {
    (void)state;
    found(KIND_TASK_FAILURES, CAUSE_OOM, SEVERITY_LOW);
    found(KIND_MEMORY_PRESSURE, CAUSE_OOM, SEVERITY_SEVERE);
    assert_true(explains(KIND_TASK_FAILURES, KIND_MEMORY_PRESSURE));
    assert_int_equal(verdicts[KIND_TASK_FAILURES].floor, SEVERITY_SEVERE);
    assert_near(verdicts[KIND_TASK_FAILURES].saving_s, 30, 0);
    assert_int_equal(verdicts[KIND_MEMORY_PRESSURE].cap, SEVERITY_LOW);
    found(KIND_TASK_FAILURES, CAUSE_USER_CODE, SEVERITY_SEVERE); // failed for something else
    found(KIND_MEMORY_PRESSURE, CAUSE_OOM, SEVERITY_MODERATE);
    assert_false(explains(KIND_TASK_FAILURES, KIND_MEMORY_PRESSURE));
}

// Which of two is the root, their weight tells; and what is explained explains nothing more.
static void the_heavier_one_is_the_root(void **state) {
    found(KIND_STRAGGLER, CAUSE_GC, SEVERITY_MODERATE);
    found(KIND_MEMORY_PRESSURE, CAUSE_GC, SEVERITY_MODERATE);
    found(KIND_DATA_SKEW, CAUSE_GC, SEVERITY_NEGLIGIBLE);
    assert_true(explains(KIND_MEMORY_PRESSURE, KIND_STRAGGLER));
    assert_false(findings[KIND_MEMORY_PRESSURE].is_explained);
    assert_true(findings[KIND_DATA_SKEW].is_explained); // by the root of what explains it
    assert_int_equal(findings[KIND_DATA_SKEW].root, KIND_MEMORY_PRESSURE);
    fresh(state);
    found(KIND_STRAGGLER, CAUSE_GC, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_GC, SEVERITY_MODERATE);
    assert_true(explains(KIND_STRAGGLER, KIND_MEMORY_PRESSURE));
    assert_false(findings[KIND_STRAGGLER].is_explained);
}

static void one_partition_explains_what_it_holds(void **state) {
    found(KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_SEVERE);
    found(KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, SEVERITY_LOW);
    stage.task_ms = stage.spill_task_ms = 10;
    assert_true(explains(KIND_LOW_PARALLELISM, KIND_MEMORY_PRESSURE));
    assert_true(explains(KIND_LOW_PARALLELISM, KIND_OVERSIZED_PARTITIONS));
    fresh(state);
    found(KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_OOM, SEVERITY_SEVERE); // that is told by itself
    assert_false(explains(KIND_LOW_PARALLELISM, KIND_MEMORY_PRESSURE));
    fresh(state);
    found(KIND_LOW_PARALLELISM, CAUSE_FEW_PARTITIONS, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL,
          SEVERITY_SEVERE); // of several: they may be short of it
    assert_false(explains(KIND_LOW_PARALLELISM, KIND_MEMORY_PRESSURE));
}

static void the_spill_of_most_tasks_names_their_partitions(void **state) {
    (void)state;
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    found(KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, SEVERITY_MODERATE);
    stage.task_ms = 20;
    stage.spill_task_ms = 10;
    assert_false(explains(KIND_MEMORY_PRESSURE, KIND_OVERSIZED_PARTITIONS));
    stage.spill_task_ms = 11;
    assert_true(explains(KIND_MEMORY_PRESSURE, KIND_OVERSIZED_PARTITIONS));
    assert_string_equal(verdicts[KIND_MEMORY_PRESSURE].summary,
                        "stage 1; it explains its large partitions");
}

static void a_task_for_each_file_is_one_finding(void **state) {
    found(KIND_SMALL_FILES, CAUSE_NONE, SEVERITY_MODERATE);
    found(KIND_TINY_TASKS, CAUSE_NONE, SEVERITY_MODERATE);
    assert_true(explains(KIND_SMALL_FILES, KIND_TINY_TASKS));
    assert_false(findings[KIND_SMALL_FILES].is_explained);
    fresh(state);
    found(KIND_SMALL_FILES, CAUSE_NONE, SEVERITY_LOW);
    found(KIND_TINY_TASKS, CAUSE_NONE, SEVERITY_SEVERE);
    assert_true(explains(KIND_TINY_TASKS, KIND_SMALL_FILES));
}

static void tiny_tasks_wait_to_be_launched(void **state) {
    (void)state;
    found(KIND_TINY_TASKS, CAUSE_NONE, SEVERITY_SEVERE);
    found(KIND_RESOURCE_CONTENTION, CAUSE_NONE, SEVERITY_MODERATE);
    stage.slots = 2;
    stage.summary.submitted_ms = 1000;
    stage.first_launch_ms = 2000;
    stage.delay_ms = 4000; // twice the wait of the slots
    assert_false(explains(KIND_TINY_TASKS, KIND_RESOURCE_CONTENTION));
    stage.delay_ms++;
    assert_true(explains(KIND_TINY_TASKS, KIND_RESOURCE_CONTENTION));
}

// A run of two stages, of which the second one's verdict takes that share of it.
static struct app *with_stage_verdict(enum bottleneck_kind kind, enum severity severity,
                                      double share) {
    struct app *app = spark_app();
    for (int id = 0; id < 2; id++) {
        struct stage *of = spark_stage(app, EVENT_STAGE_SUBMITTED, id, 10, 1001000, 0);
        of->verdicts = mem_zalloc(1, sizeof *of->verdicts);
        of->verdicts[of->verdict_count++] = mem_zalloc(1, sizeof **of->verdicts);
        of->summary.failed = true;
        of->summary.completed_ms = 1000 * id;
        *of->verdicts[0] = (struct bottleneck){.kind = kind,
                                               .severity = severity,
                                               .stage = id,
                                               .rule_met = TRI_TRUE,
                                               .saving_share = id == 0 ? share / 2 : share,
                                               .saving_s = 100.0 * (id + 1)};
    }
    return app;
}

static void stages_explain_what_their_run_lacks(void **state) {
    struct app *app = with_stage_verdict(KIND_LOW_PARALLELISM, SEVERITY_SEVERE, 0.5);
    found(KIND_IDLE_EXECUTORS, CAUSE_NONE, SEVERITY_MODERATE);
    roots_find_on_stages(app, findings);
    assert_ptr_equal(findings[KIND_IDLE_EXECUTORS].on_stage, app->stages[1]->verdicts[0]);
    assert_int_equal(verdicts[KIND_IDLE_EXECUTORS].cap, SEVERITY_LOW);
    app->stages[1]->verdicts[0]->saving_share = 0.49; // most of the run is not its
    fresh(state);
    found(KIND_IDLE_EXECUTORS, CAUSE_NONE, SEVERITY_MODERATE);
    roots_find_on_stages(app, findings);
    assert_null(findings[KIND_IDLE_EXECUTORS].on_stage);
    app_free(app);
    app = with_stage_verdict(KIND_DATA_SKEW, SEVERITY_LOW, 0.9); // weighs less
    roots_find_on_stages(app, findings);
    assert_null(findings[KIND_IDLE_EXECUTORS].on_stage);
    assert_int_equal(verdicts[KIND_IDLE_EXECUTORS].cap, SEVERITY_CRITICAL);
    app_free(app);
}

static void a_failed_run_is_as_severe_with_its_root(void **state) {
    (void)state;
    struct app *app = with_stage_verdict(KIND_TASK_FAILURES, SEVERITY_MODERATE, 0.1);
    found(KIND_PIPELINE_FAILURE, CAUSE_NONE, SEVERITY_CRITICAL);
    roots_find_on_stages(app, findings);
    assert_ptr_equal(findings[KIND_PIPELINE_FAILURE].on_stage, app->stages[1]->verdicts[0]);
    assert_int_equal(verdicts[KIND_PIPELINE_FAILURE].floor, SEVERITY_CRITICAL);
    app->stages[1]->summary.failed = false; // the last that failed
    roots_find_on_stages(app, findings);
    assert_ptr_equal(findings[KIND_PIPELINE_FAILURE].on_stage, app->stages[0]->verdicts[0]);
    app_free(app);
}

static void a_long_summary_is_left_as_it_is(void **state) {
    (void)state;
    found(KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    found(KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_MODERATE);
    spilled(100, 100);
    struct verdict *skew = &verdicts[KIND_DATA_SKEW];
    memset(skew->summary, 'x', sizeof skew->summary - 5);
    skew->summary[sizeof skew->summary - 5] = '\0';
    skew->evidence_count = EVIDENCE_MAX;
    assert_true(explains(KIND_DATA_SKEW, KIND_MEMORY_PRESSURE));
    assert_int_equal(strlen(skew->summary), sizeof skew->summary - 5);
    assert_int_equal(skew->evidence_count, EVIDENCE_MAX);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, fresh)
    const struct CMUnitTest tests[] = {
        TEST(the_spill_of_skewed_tasks_is_their_skew),
        TEST(the_spill_of_all_tasks_is_not),
        TEST(what_weighs_more_is_not_explained),
        TEST(without_detail_it_stays_as_it_was),
        TEST(one_partition_explains_what_it_holds),
        TEST(the_spill_of_most_tasks_names_their_partitions),
        TEST(a_task_for_each_file_is_one_finding),
        TEST(tiny_tasks_wait_to_be_launched),
        TEST(running_out_of_memory_is_one_finding),
        TEST(the_heavier_one_is_the_root),
        TEST(stages_explain_what_their_run_lacks),
        TEST(a_failed_run_is_as_severe_with_its_root),
        TEST(a_long_summary_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
