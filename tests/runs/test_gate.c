// test_gate: a run held against limits: each at its edge, who is named, and what cannot be told.
#include "facts_kit.h"
#include "runs/gate.h"

static struct run_facts *run;
static struct gate_limits limits;
static struct gate gate;

static int begin(void **state) {
    (void)state;
    run = facts_run("app");
    gate_limits_init(&limits);
    return 0;
}
static int end(void **state) {
    (void)state;
    run_facts_free(run);
    return 0;
}

static enum gate_verdict judged(void) {
    gate_judge(run, &limits, &gate);
    return gate.verdict;
}

static void without_limits_all_is_fine(void **state) {
    (void)state;
    assert_false(gate_limits_any(&limits));
    assert_int_equal(judged(), GATE_FINE);
    assert_int_equal(gate.line_count, 0);
}

static void a_run_may_take_so_long(void **state) {
    (void)state;
    facts_stage(run, "short at A:1", 1);
    facts_stage(run, "long at B:1", 2)->wall_ms = 61000;
    limits.duration_ms = 100000;
    assert_true(gate_limits_any(&limits));
    assert_int_equal(judged(), GATE_FINE);
    limits.duration_ms = 99999;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_int_equal(gate.line_count, 1);
    assert_string_equal(gate.lines[0].limit, "max-duration");
    assert_string_equal(gate.lines[0].words, "the run took 1 m 40 s, more than 1 m 40 s; its "
                                             "longest stage is 1 (long at B:1) with 1 m 01 s");
    assert_true(gate.lines[0].stage == 1 && gate.lines[0].value == 100);
    limits.duration_ms = 0;
    assert_int_equal(judged(), GATE_BREACHED);
}

static void tasks_may_be_so_uneven(void **state) {
    (void)state;
    struct stage_facts *stage = facts_stage(run, "s at A:1", 1);
    stage->max_task_ms = 9000;
    stage->mean_task_ms = 3000;
    limits.skew = 3;
    assert_int_equal(judged(), GATE_FINE);
    limits.skew = 2.9;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_string_equal(gate.lines[0].limit, "max-skew");
    assert_string_equal(gate.lines[0].words, "stage 0 (s at A:1): its longest task took 9.0 s, 3.0 "
                                             "times the mean of 3.0 s, more than 2.9 times");
    stage->max_task_ms = 999; // a second above the mean, or a hundredth of the run
    stage->mean_task_ms = 10;
    assert_int_equal(judged(), GATE_FINE);
    stage->max_task_ms = 1010;
    assert_int_equal(judged(), GATE_BREACHED);
    run->duration_s = 200;
    assert_int_equal(judged(), GATE_FINE);
}

static void a_run_may_spill_so_much(void **state) {
    (void)state;
    facts_stage(run, "s at A:1", 1)->disk_spilled_bytes = 1000;
    facts_stage(run, "c at B:1", 2)->disk_spilled_bytes = 2000;
    run->totals.disk_spilled_bytes = 3000;
    limits.spill_bytes = 3000;
    assert_int_equal(judged(), GATE_FINE);
    limits.spill_bytes = 2999;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_string_equal(gate.lines[0].limit, "max-spill");
    assert_int_equal(gate.lines[0].stage, 1);
    limits.spill_bytes = 0;
    assert_int_equal(judged(), GATE_BREACHED);
    run->totals.disk_spilled_bytes = 0;
    assert_int_equal(judged(), GATE_FINE);
}

static void so_many_tasks_may_fail(void **state) {
    (void)state;
    facts_stage(run, "s at A:1", 1)->tasks_failed = 3;
    run->totals.tasks_failed = 3;
    limits.failed_tasks = 3;
    assert_int_equal(judged(), GATE_FINE);
    limits.failed_tasks = 2;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_string_equal(gate.lines[0].words,
                        "3 task attempts failed, more than 2; most of stage 0 (s at A:1) with 3");
}

static void findings_may_be_so_severe(void **state) {
    (void)state;
    facts_finding(run, KIND_DATA_SKEW, 4, SEVERITY_SEVERE)->cause = CAUSE_DATA;
    facts_finding(run, KIND_SLOW_RUN, -1, SEVERITY_MODERATE);
    limits.fail_on = SEVERITY_CRITICAL;
    assert_int_equal(judged(), GATE_FINE);
    limits.fail_on = SEVERITY_SEVERE;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_int_equal(gate.line_count, 1);
    assert_int_equal(gate.lines[0].stage, 4);
    assert_string_equal(gate.lines[0].words, "severe data_skew (data): stage 4: data_skew");
    limits.fail_on = SEVERITY_MODERATE;
    judged();
    assert_int_equal(gate.line_count, 2);
}

static void a_run_may_be_so_much_slower_than_the_baseline(void **state) {
    (void)state;
    struct run_facts *base = facts_run("base");
    limits.baseline = base;
    facts_stage(base, "s at A:1", 1);
    struct stage_facts *stage = facts_stage(run, "s at A:1", 1);
    stage->wall_ms = 31000;
    stage->max_task_ms = 31000;
    run->duration_s = 120;
    assert_int_equal(judged(), GATE_FINE);
    run->duration_s = 121;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_string_equal(gate.lines[0].limit, "max-slowdown");
    assert_int_equal(gate.lines[0].stage, 0);
    assert_non_null(strstr(gate.lines[0].words, "21 % longer, more than 20 %; most of it stage 0 "
                                                "(s at A:1) with 21.0 s: uneven tasks: the longest "
                                                "31.0 s against a mean of 10.0 s"));
    limits.slowdown = 0.25;
    assert_int_equal(judged(), GATE_FINE);
    limits.slowdown = 0.2;
    run->totals.records = base->totals.records * 2; // twice the data
    run->duration_s = 240;
    assert_int_equal(judged(), GATE_FINE);
    run->duration_s = 241;
    assert_int_equal(judged(), GATE_BREACHED);
    run->duration_s = 121; // half of it is no excuse, nor is it held against the run
    run->totals.records = base->totals.records / 2;
    assert_int_equal(judged(), GATE_BREACHED);
    run->duration_s = 120;
    assert_int_equal(judged(), GATE_FINE);
    base->duration_s = 1; // less than a second is noise
    run->duration_s = 2;
    assert_int_equal(judged(), GATE_FINE);
    run_facts_free(base);
}

static void only_what_the_baseline_has_not_is_new(void **state) {
    (void)state;
    struct run_facts *base = facts_run("base");
    limits.baseline = base;
    limits.fail_on_new = SEVERITY_SEVERE;
    facts_stage(base, "s at A:1", 1);
    facts_stage(run, "s at A:1", 1);
    facts_finding(base, KIND_DATA_SKEW, 0, SEVERITY_SEVERE);
    facts_finding(run, KIND_DATA_SKEW, 0, SEVERITY_SEVERE);
    assert_int_equal(judged(), GATE_FINE);
    base->findings[0].severity = SEVERITY_MODERATE;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_string_equal(gate.lines[0].limit, "fail-on-new");
    assert_string_equal(gate.lines[0].words,
                        "worse than in the baseline: severe data_skew: stage 0: data_skew");
    base->finding_count = 0;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_non_null(strstr(gate.lines[0].words, "new: severe data_skew"));
    run_facts_free(base);
}

static void what_cannot_be_told_is_not_fine(void **state) {
    (void)state;
    static const enum run_status statuses[] = {RUN_RUNNING, RUN_FAILED, RUN_LOST, RUN_KILLED};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        run->status = statuses[i];
        limits.duration_ms = 100000;
        assert_int_equal(judged(), GATE_INCONCLUSIVE);
        assert_string_equal(gate.lines[0].limit, "");
        limits.duration_ms = 99000; // it has taken longer already
        assert_int_equal(judged(), GATE_BREACHED);
    }
    limits.duration_ms = -1;
    run->status = RUN_SUCCEEDED;
    run->completeness = 0.94;
    assert_int_equal(judged(), GATE_INCONCLUSIVE);
    run->completeness = 0.95;
    assert_int_equal(judged(), GATE_FINE);
    run->totals.tasks = 0;
    assert_int_equal(judged(), GATE_INCONCLUSIVE);
    run->totals.tasks = 1;
    run->limits = 1u << LIMIT_STAGES;
    assert_int_equal(judged(), GATE_INCONCLUSIVE);
    run->limits = 1u << LIMIT_NAMES; // of no number
    assert_int_equal(judged(), GATE_FINE);
}

static void a_baseline_that_says_nothing_is_inconclusive(void **state) {
    (void)state;
    struct run_facts *base = facts_run("base");
    limits.baseline = base;
    assert_int_equal(judged(), GATE_FINE);
    base->status = RUN_FAILED;
    assert_int_equal(judged(), GATE_INCONCLUSIVE);
    base->status = RUN_SUCCEEDED;
    run->totals.records = base->totals.records * 11;
    assert_int_equal(judged(), GATE_INCONCLUSIVE);
    run->totals.records_from = RECORDS_SHUFFLE; // then by the bytes, which are the same
    assert_int_equal(judged(), GATE_FINE);
    run_facts_free(base);
}

// More than are told are still breached.
static void there_is_an_end_to_the_lines(void **state) {
    (void)state;
    for (int i = 0; i < GATE_LINES_MAX + 9; i++) {
        facts_finding(run, KIND_DATA_SKEW, i, SEVERITY_SEVERE);
    }
    limits.fail_on = SEVERITY_LOW;
    assert_int_equal(judged(), GATE_BREACHED);
    assert_int_equal(gate.line_count, GATE_LINES_MAX);
}

#define GATE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        GATE_TEST(without_limits_all_is_fine),
        GATE_TEST(a_run_may_take_so_long),
        GATE_TEST(tasks_may_be_so_uneven),
        GATE_TEST(a_run_may_spill_so_much),
        GATE_TEST(so_many_tasks_may_fail),
        GATE_TEST(findings_may_be_so_severe),
        GATE_TEST(a_run_may_be_so_much_slower_than_the_baseline),
        GATE_TEST(only_what_the_baseline_has_not_is_new),
        GATE_TEST(what_cannot_be_told_is_not_fine),
        GATE_TEST(a_baseline_that_says_nothing_is_inconclusive),
        GATE_TEST(there_is_an_end_to_the_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
