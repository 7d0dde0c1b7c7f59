// test_detect_cost: what each bottleneck costs and how bad it may be called, computed by hand from
// sums made by hand; the edge of every severity step.
#include "detect_kit.h"

#define MIB (1024 * 1024)

static void severity_steps_stand_where_they_stand(void **state) {
    (void)state;
    static const struct {
        double saving_s, run_s;
        enum severity severity;
    } cases[] = {
        {7200, 1e9, SEVERITY_CRITICAL}, {7199, 1e9, SEVERITY_SEVERE}, // seconds alone
        {1800, 1e9, SEVERITY_SEVERE},   {1799, 1e9, SEVERITY_MODERATE},
        {300, 1e9, SEVERITY_MODERATE},  {299, 1e9, SEVERITY_LOW},
        {60, 1e9, SEVERITY_LOW},        {59, 1e9, SEVERITY_NEGLIGIBLE},
        {10, 15, SEVERITY_CRITICAL},    {9.99, 15, SEVERITY_SEVERE}, // seconds, share enough
        {2, 5, SEVERITY_SEVERE},        {1.99, 5, SEVERITY_MODERATE},
        {0.8, 10, SEVERITY_MODERATE},   {0.79, 10, SEVERITY_LOW},
        {0.3, 10, SEVERITY_LOW},        {0.29, 10, SEVERITY_NEGLIGIBLE},
        {10, 20, SEVERITY_CRITICAL},    {10, 20.1, SEVERITY_SEVERE}, // share, seconds enough
        {2, 10, SEVERITY_SEVERE},       {2, 10.1, SEVERITY_MODERATE},
        {0.8, 16, SEVERITY_MODERATE},   {0.8, 16.1, SEVERITY_LOW},
        {1, 100, SEVERITY_LOW},         {1, 100.1, SEVERITY_NEGLIGIBLE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (severity_of_loss(cases[i].saving_s, cases[i].run_s, false) != cases[i].severity) {
            fail_msg("%g s of %g s", cases[i].saving_s, cases[i].run_s);
        }
    }
    // A run that goes on is five minutes long at least, one that ended is as long as it was.
    assert_int_equal(severity_of_loss(3, 10, true), SEVERITY_LOW);
    assert_int_equal(severity_of_loss(2.95, 10, true), SEVERITY_NEGLIGIBLE);
    assert_int_equal(severity_of_loss(3.05, 301, true), SEVERITY_LOW);
    assert_int_equal(severity_of_loss(2.95, 10, false), SEVERITY_SEVERE);
}

static void waiting_for_own_stages_costs_nothing(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.summary = {.submitted_ms = 1000},
                          .first_launch_ms = 3000,
                          .slots = 4,
                          .metric_tasks = 2,
                          .delay_ms = 450,
                          .delay_run_ms = 1000};
    struct verdict v = judge(KIND_RESOURCE_CONTENTION, &app, &stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 2 + 0.1, 1e-12); // the wait, and a share of the delay beyond 50 ms
    stage.waited_for_own = true;
    v = judge(KIND_RESOURCE_CONTENTION, &app, &stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 0.1, 1e-12);
    assert_near(evidence(&v, "waited_for_own_stages"), 1, 0);
    assert_non_null(strstr(v.summary, "held by the run's own stages"));
    stage.delay_ms = 50; // what two launches cost
    v = judge(KIND_RESOURCE_CONTENTION, &app, &stage, true);
    assert_near(v.saving_s, 0, 0);
    stage.delay_ms = 0;
    assert_near(judge(KIND_RESOURCE_CONTENTION, &app, &stage, true).saving_s, 0, 0);
}

static void spill_costs_bytes_over_speeds(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.summary = {.disk_spilled_bytes = 150LL * MIB,
                                      .memory_spilled_bytes = 400LL * MIB,
                                      .run_ms = 10000},
                          .slots = 2,
                          .tasks_with_metrics = 3,
                          .spill_task_ms = 100000};
    struct verdict v = judge(KIND_MEMORY_PRESSURE, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_SPILL);
    assert_near(v.saving_s, (2 + 1) / 2.0, 1e-12); // written and read back, serialised; two slots
    stage.spill_task_ms = 2000;                    // never more than most of their time
    assert_near(judge(KIND_MEMORY_PRESSURE, &app, &stage, true).saving_s, 0.8, 1e-12);
    stage.summary.memory_spilled_bytes = 0; // the disk alone meets the rule
    v = judge(KIND_MEMORY_PRESSURE, &app, &stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
}

static void garbage_costs_what_is_beyond_the_usual(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {
        .summary = {.run_ms = 10000, .gc_ms = 3000}, .slots = 2, .tasks_with_metrics = 3};
    struct verdict v = judge(KIND_MEMORY_PRESSURE, &app, &stage, true);
    assert_true(v.opens);
    assert_near(v.saving_s, (3 - 0.5) / 2, 1e-12);
    stage.summary.gc_ms = 1000; // a tenth: not more than a tenth
    assert_false(judge(KIND_MEMORY_PRESSURE, &app, &stage, true).opens);
}

static void a_killed_container_is_out_of_memory(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.slots = 2, .failed_ms = 4000};
    stage.failures[FAILURE_CONTAINER_KILLED] = 1;
    struct verdict v = judge(KIND_MEMORY_PRESSURE, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_OOM);
    assert_int_equal(v.rule_met, TRI_NULL); // no metrics: the rule is not evaluated
    assert_true(v.opens && v.reason != NULL);
    assert_int_equal(v.floor, SEVERITY_MODERATE);
    assert_near(v.saving_s, 2, 0);
}

static void reading_outside_the_jvm_is_told_from_work(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {
        .summary = {.read_ns = 8000000000, .input_bytes = 99LL * 1000}, .slots = 4, .io_tasks = 99};
    struct verdict v = judge(KIND_IO_BOTTLENECK, &app, &stage, true);
    assert_near(v.saving_s, 2, 0);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    stage.python = true; // cannot be told
    assert_int_equal(judge(KIND_IO_BOTTLENECK, &app, &stage, true).cap, SEVERITY_NEGLIGIBLE);
    stage.scan_tasks = 1; // but the scans report their time
    assert_int_equal(judge(KIND_IO_BOTTLENECK, &app, &stage, true).cap, SEVERITY_CRITICAL);
    stage.scan_tasks = 0;
    stage.io_tasks = 100; // and a hundred tiny files say it, too
    assert_int_equal(judge(KIND_IO_BOTTLENECK, &app, &stage, true).cap, SEVERITY_CRITICAL);
    stage.summary.input_bytes = 100LL * MIB;
    assert_int_equal(judge(KIND_IO_BOTTLENECK, &app, &stage, true).cap, SEVERITY_NEGLIGIBLE);
    stage.summary.input_bytes--;
    assert_int_equal(judge(KIND_IO_BOTTLENECK, &app, &stage, true).cap, SEVERITY_CRITICAL);
}

static void failures_cost_their_time_and_what_is_done_again(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.summary = {.tasks_failed = 2, .mean_task_ms = 1000},
                          .slots = 2,
                          .failed_ms = 4000,
                          .resubmitted = 2};
    stage.failures[FAILURE_OOM] = stage.failures[FAILURE_USER_CODE] = 1;
    struct verdict v = judge(KIND_TASK_FAILURES, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_OOM); // the first of equals
    assert_near(v.saving_s, 3, 0);
    assert_int_equal(v.floor, SEVERITY_NEGLIGIBLE);
    stage.summary.failed = true;
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &stage, true).floor, SEVERITY_MODERATE);
    struct stage killed = {.summary = {.tasks_killed = 1}};
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &killed, true).rule_met, TRI_FALSE);
    struct stage nothing = {0};
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &nothing, true).rule_met, TRI_NULL);
}

static void shuffling_costs_what_moving_the_excess_takes(void **state) {
    (void)state;
    struct stage fetching = {.summary = {.shuffle_read_bytes = 1}, .slots = 4, .task_ms = 40000};
    struct stage other = {.slots = 8, .task_ms = 80000};
    struct stage *stages[] = {&fetching, &other};
    struct app app = {.stages = stages, .stage_count = 2};
    app.totals.input_bytes = 100LL * MIB;
    app.totals.shuffle_read_bytes = 300LL * MIB;
    app.totals.shuffle_write_bytes = 100LL * MIB;
    // Half of 400 MiB is above the ratio: at 20 MiB/s in eight slots.
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 1.25, 1e-12);
    fetching.task_ms = 4000; // no more than half of the second that the fetching stage took
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 0.5, 1e-12);
    app.totals.shuffle_read_bytes = 100LL * MIB; // twice: not more than twice
    assert_int_equal(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).rule_met, TRI_FALSE);
}

static void runs_cost_what_is_beyond_their_limits(void **state) {
    (void)state;
    struct app app = {.started_ms = 1000, .now_ms = 1000 + 3610000};
    struct verdict v = judge(KIND_SLOW_RUN, &app, NULL, false);
    assert_near(v.saving_s, 10, 0);
    assert_non_null(strstr(v.summary, "has taken"));
    assert_non_null(strstr(judge(KIND_SLOW_RUN, &app, NULL, true).summary, "took"));
    app.now_ms = 1000 + 600000;
    app.totals.input_records = 60000;
    v = judge(KIND_LOW_THROUGHPUT, &app, NULL, true);
    assert_near(v.saving_s, 540, 1e-9); // a minute's worth of records
    assert_int_equal(v.cap, SEVERITY_MODERATE);
    app.now_ms--;
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, &app, NULL, true).cap, SEVERITY_NEGLIGIBLE);
    app.has_exit_code = true;
    app.exit_code = 1;
    assert_near(judge(KIND_PIPELINE_FAILURE, &app, NULL, true).saving_s, 599.999, 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(severity_steps_stand_where_they_stand),
        cmocka_unit_test(waiting_for_own_stages_costs_nothing),
        cmocka_unit_test(spill_costs_bytes_over_speeds),
        cmocka_unit_test(garbage_costs_what_is_beyond_the_usual),
        cmocka_unit_test(a_killed_container_is_out_of_memory),
        cmocka_unit_test(reading_outside_the_jvm_is_told_from_work),
        cmocka_unit_test(failures_cost_their_time_and_what_is_done_again),
        cmocka_unit_test(shuffling_costs_what_moving_the_excess_takes),
        cmocka_unit_test(runs_cost_what_is_beyond_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
