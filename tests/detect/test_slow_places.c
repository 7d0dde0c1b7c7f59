// test_slow_places: slow tasks that are slow for where they ran: far from their data, on a host
// that was slow before.
#include "slow_tasks_kit.h"

// As even, but the slow ones read in 10 s of waiting what the others, near their data, had in one.
static const struct shape far = {.slow_bytes = 1000,
                                 .rest_bytes = 1000,
                                 .slow_run_ms = 10000,
                                 .slow_cpu_ms = 900,
                                 .rest_cpu_ms = 900,
                                 .there = 2,
                                 .there_ms = 1000,
                                 .wall_ms = 30000,
                                 .slots = 4,
                                 .far = SLOW,
                                 .near = REST,
                                 .input_bytes = 24000};

static void who_waits_far_from_the_data_is_told_so(void **state) {
    (void)state;
    struct shape s = far;
    assert_cause(s, CAUSE_LOCALITY);
    s.far = 3; // three in four; the fourth is near
    s.near = REST + 1;
    assert_cause(s, CAUSE_LOCALITY);
    s.far = 2;
    s.near = REST + 2;
    assert_cause(s, CAUSE_BLOCKED);
    s = far;
    s.near = REST / 2; // most of the others must be near: of the rest nobody told where they ran
    assert_cause(s, CAUSE_BLOCKED);
    s.near = REST / 2 + 1;
    assert_cause(s, CAUSE_LOCALITY);
    s.input_bytes = 0; // nothing is near or far of a shuffle
    assert_cause(s, CAUSE_BLOCKED);
    s.input_records = 1; // a source that counts no bytes
    assert_cause(s, CAUSE_LOCALITY);
    s = far; // reading from disk is waiting, too
    s.rest_cpu_ms = s.slow_cpu_ms = 200;
    assert_cause(s, CAUSE_LOCALITY);
    s.python = true; // or working elsewhere
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s = far;
    s.lost = true; // a copy that was near won
    s.near = REST + SLOW;
    assert_cause(s, CAUSE_LOCALITY);
}

static void what_else_explains_it_comes_before_the_distance(void **state) {
    (void)state;
    struct shape s = far;
    s.slow_cpu_ms = 4500; // half of it is waiting, but there is far more work
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s = far;
    s.slow_run_ms = 9999; // of ten seconds, half and no more is waiting
    s.slow_cpu_ms = 2999;
    s.fetch_ms = 2000;
    assert_cause(s, CAUSE_BLOCKED);
    s.slow_run_ms = 10000;
    assert_cause(s, CAUSE_LOCALITY);
    s = far;
    s.slow_bytes = 10000;
    assert_cause(s, CAUSE_DATA);
    s = far;
    s.there = 3;
    s.there_ms = 2000;
    assert_cause(s, CAUSE_SLOW_HOST);
    s = far;
    s.gc_ms = 5001;
    assert_cause(s, CAUSE_GC);
    s = far;
    s.fetch_ms = 5001;
    assert_cause(s, CAUSE_FETCH_WAIT);
    s = far;
    s.delay_ms = 5001;
    assert_cause(s, CAUSE_SCHEDULING);
    s = far;
    s.cold = SLOW;
    assert_cause(s, CAUSE_COLD_START);
    s = far;
    s.cpu_untold = true;
    assert_cause(s, CAUSE_UNKNOWN);
}

static void the_distance_is_told_with_its_numbers(void **state) {
    (void)state;
    struct stage stage = stage_of(&far);
    struct verdict v = judge(KIND_STRAGGLER, &nobody, &stage, true);
    assert_int_equal(v.cause, CAUSE_LOCALITY);
    assert_near(evidence(&v, "slow_tasks_far"), SLOW, 0);
    assert_near(evidence(&v, "other_tasks_near"), REST, 0);
    assert_non_null(strstr(v.summary, ": it read its data from another node, which most others had "
                                      "on their own, and waited: CPU 9 % of its run time"));
    struct app foreign = {.foreign_engine = true}; // Photon, Gluten: who knows what they did
    assert_int_equal(judge(KIND_STRAGGLER, &foreign, &stage, true).cause, CAUSE_BLOCKED);
    struct bottleneck b = {.kind = KIND_STRAGGLER, .cause = CAUSE_LOCALITY};
    assert_non_null(
        strstr(detector_remedy(detector_of(KIND_STRAGGLER), &b), "spark.locality.wait"));
}

// Two hosts, and one slow task: it may be anything, unless the run has met that host before.
static void a_host_that_was_slow_in_two_stages_is_slow(void **state) {
    (void)state;
    struct app app = {0};
    assert_int_equal(executors_host(&app.executors, STR("1"), STR("h0")), 0);
    assert_int_equal(executors_host(&app.executors, STR("2"), STR("worker-7")), 1);
    struct shape s = even;
    s.there_ms = 2000;
    s.there = SLOW;
    for (int stages = 0; stages <= 2; stages++) {
        struct stage stage = stage_of(&s);
        detail.slow_count = 1;
        stage.task_ms = 23 * 1000 + 10000;
        stage.summary.mean_task_ms = (double)stage.task_ms / 24;
        struct verdict v = judge(KIND_STRAGGLER, &app, &stage, true);
        assert_int_equal(v.cause, stages == 2 ? CAUSE_SLOW_HOST : CAUSE_COSTLY_RECORDS);
        assert_near(evidence(&v, "slow_host_stages"), stages, 0);
        if (stages == 2) {
            assert_non_null(
                strstr(v.summary, ": the slow task ran on one host, worker-7, where tasks take 2.0 "
                                  "s against 1.0 s elsewhere; 2 stages of the run found it slow"));
        }
        hosts[1].task_ms = 14 * 1999; // not in this one
        v = judge(KIND_STRAGGLER, &app, &stage, true);
        assert_int_equal(v.cause, CAUSE_COSTLY_RECORDS);
        executors_note_slow_stage(&app.executors, 1);
    }
    executors_fini(&app.executors);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_far_from_the_data_is_told_so),
        cmocka_unit_test(what_else_explains_it_comes_before_the_distance),
        cmocka_unit_test(the_distance_is_told_with_its_numbers),
        cmocka_unit_test(a_host_that_was_slow_in_two_stages_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
