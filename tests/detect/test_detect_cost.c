// test_detect_cost: what each bottleneck costs and how bad it may be called, computed by hand from
// sums made by hand; the edge of every severity step.
#include "detect_kit.h"

#include "detect/cost.h"

#define MIB (1024 * 1024)

static void severity_steps_stand_where_they_stand(void **state) {
    (void)state;
    static const struct {
        double saving_s, run_s;
        enum severity severity;
    } cases[] = {
        {7200, 1.4e6, SEVERITY_CRITICAL},
        {7199, 1.4e6, SEVERITY_SEVERE}, // seconds alone
        {1800, 3.5e5, SEVERITY_SEVERE},
        {1799, 3.5e5, SEVERITY_MODERATE},
        {300, 5.9e4, SEVERITY_MODERATE},
        {299, 5.9e4, SEVERITY_LOW},
        {60, 1.17e4, SEVERITY_LOW},
        {59, 1.17e4, SEVERITY_NEGLIGIBLE},
        {7200, 1.44e6, SEVERITY_CRITICAL}, // half a percent of the run, and less
        {7200, 1.4401e6, SEVERITY_NEGLIGIBLE},
        {10, 15, SEVERITY_CRITICAL},
        {9.99, 15, SEVERITY_SEVERE}, // seconds, share enough
        {2, 5, SEVERITY_SEVERE},
        {1.99, 5, SEVERITY_MODERATE},
        {0.8, 10, SEVERITY_MODERATE},
        {0.79, 10, SEVERITY_LOW},
        {0.3, 10, SEVERITY_LOW},
        {0.29, 10, SEVERITY_NEGLIGIBLE},
        {10, 20, SEVERITY_CRITICAL},
        {10, 20.1, SEVERITY_SEVERE}, // share, seconds enough
        {2, 10, SEVERITY_SEVERE},
        {2, 10.1, SEVERITY_MODERATE},
        {0.8, 16, SEVERITY_MODERATE},
        {0.8, 16.1, SEVERITY_LOW},
        {1, 100, SEVERITY_LOW},
        {1, 100.1, SEVERITY_NEGLIGIBLE},
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

static void spill_costs_what_its_tasks_show(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.summary = {.disk_spilled_bytes = 100LL * MIB,
                                      .memory_spilled_bytes = 400LL * MIB,
                                      .shuffle_read_bytes = 200LL * MIB,
                                      .max_task_ms = 10000,
                                      .run_ms = 20000},
                          .slots = 2,
                          .tasks_with_metrics = 3,
                          .task_ms = 20000,
                          .spill_task_ms = 20000,
                          .spill_wait_ms = 6000,
                          .spill_cpu_ns = 10000000000};
    // Of 20 s of work on two slots: 4 s on a slow disk, 1 s of serialising.
    struct verdict v = judge(KIND_MEMORY_PRESSURE, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_SPILL);
    assert_near(v.saving_s, 5 / 20.0 * 10, 1e-12);
    stage.spill_wait_ms = 3000; // the disk was faster: no task waited longer
    assert_near(judge(KIND_MEMORY_PRESSURE, &app, &stage, true).saving_s, 4 / 20.0 * 10, 1e-12);
    // Of the 3 s 2.5 were for a CPU: beside 10 s of computing, where who only computes waits a
    // fifth.
    app.computed = (struct load_computed){.run_ms = 5000, .waited_ms = 1000};
    v = judge(KIND_MEMORY_PRESSURE, &app, &stage, true);
    assert_near(evidence(&v, "spill_wait_beyond_cpu_ms"), 500, 1e-9);
    assert_near(v.saving_s, 1.5 / 20 * 10, 1e-12);
    app.computed.waited_ms = 2000; // all of it, and no less
    assert_near(judge(KIND_MEMORY_PRESSURE, &app, &stage, true).saving_s, 1 / 20.0 * 10, 1e-12);
    app.computed = (struct load_computed){0};
    stage.spill_cpu_ns = 1000000000; // half of what went through a serialiser was the spill's
    assert_near(judge(KIND_MEMORY_PRESSURE, &app, &stage, true).saving_s, 3.5 / 20 * 10, 1e-12);
    stage.cpu_untold_tasks = 1; // only the bytes are known
    assert_near(judge(KIND_MEMORY_PRESSURE, &app, &stage, true).saving_s, 5 / 20.0 * 10, 1e-12);
    stage.spill_task_ms = 2000; // never more than most of their time
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

static void running_out_of_memory_costs_the_attempts(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.slots = 2, .failed_ms = 4000};
    stage.failures[FAILURE_OOM_PYTHON] = 1;
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
    stage.failures[FAILURE_USER_CODE] = stage.failures[FAILURE_OTHER] = 1;
    struct verdict v = judge(KIND_TASK_FAILURES, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_USER_CODE); // the first of equals
    assert_near(v.saving_s, 3, 0);
    assert_int_equal(v.floor, SEVERITY_NEGLIGIBLE);
    stage.summary.failed = true;
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &stage, true).floor, SEVERITY_MODERATE);
    stage.cancelled = true; // somebody stopped it: it did not fail for its tasks
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &stage, true).floor, SEVERITY_NEGLIGIBLE);
    struct stage killed = {.summary = {.tasks_killed = 1}};
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &killed, true).rule_met, TRI_FALSE);
    struct stage nothing = {0};
    assert_int_equal(judge(KIND_TASK_FAILURES, &app, &nothing, true).rule_met, TRI_NULL);
}

// Eight slots; an attempt of a stage began at 1 s and failed at 31 s, with one task of 4 s failed.
static struct stage failed_attempt(void) {
    struct stage stage = {.summary = {.tasks_failed = 1,
                                      .tasks = 6,
                                      .tasks_expected = 8,
                                      .failed = true,
                                      .completed_ms = 31000},
                          .completed = true,
                          .slots = 8,
                          .first_launch_ms = 1000,
                          .last_launch_ms = 26000,
                          .failed_ms = 4000,
                          .longest_failed_ms = 4000};
    return stage;
}

static double failures_cost(const struct stage *stage) {
    struct app app = {0};
    return judge(KIND_TASK_FAILURES, &app, stage, true).saving_s;
}

static void a_failed_attempt_costs_the_time_until_its_retry(void **state) {
    (void)state;
    struct stage stage = failed_attempt();
    assert_near(failures_cost(&stage), 30, 1e-12); // none yet: all it took
    stage.retry_launch_ms = 41000;                 // parents were done again
    stage.retry_tasks = 8;                         // all of it is done again
    assert_near(failures_cost(&stage), 40, 1e-12);
    stage.retry_tasks = 7; // some successes count: it stopped where it last began a task
    assert_near(failures_cost(&stage), 15, 1e-12);
    stage.summary.tasks = 0; // there was none: parents' output was found
    assert_near(failures_cost(&stage), 40, 1e-12);
    stage.cancelled = true; // that it is done again says that nobody wanted it stopped
    assert_near(failures_cost(&stage), 40, 1e-12);
    stage.retry_launch_ms = 0;
    assert_near(failures_cost(&stage), 0.5, 1e-12); // the floor
    stage = failed_attempt();
    stage.first_launch_ms = 30800;
    assert_near(failures_cost(&stage), 0.5, 1e-12);
    stage.first_launch_ms = 0; // no start was seen
    assert_near(failures_cost(&stage), 0.5, 1e-12);
}

static void a_failure_near_the_end_holds_the_stage_up(void **state) {
    (void)state;
    struct stage stage = failed_attempt();
    stage.summary.failed = false;
    stage.summary.submitted_ms = 1000;
    stage.summary.max_task_ms = 5000;
    stage.task_ms = 200000;
    stage.last_failure_ms = 21000; // twice the longest before the end
    assert_near(failures_cost(&stage), 4, 1e-12);
    stage.last_failure_ms--; // before: the slots had other work
    assert_near(failures_cost(&stage), 0.5, 1e-12);
    stage.last_failure_ms = 25000;
    stage.task_ms = 8 * 28000; // the stage took two seconds longer than its work
    assert_near(failures_cost(&stage), 2, 1e-12);
    stage.completed = false; // who knows yet
    assert_near(failures_cost(&stage), 0.5, 1e-12);
}

static void copies_cost_the_slots_that_others_waited_for(void **state) {
    (void)state;
    struct app app = {0};
    struct stage stage = {.summary = {.tasks = 10}, .task_ms = 100000, .slots = 4};
    assert_int_equal(judge(KIND_SPECULATION_WASTE, &app, &stage, true).rule_met, TRI_FALSE);
    stage.copies_lost = 2;
    stage.copies_lost_ms = 5000; // a twentieth: not more than that
    assert_int_equal(judge(KIND_SPECULATION_WASTE, &app, &stage, true).rule_met, TRI_FALSE);
    stage.copies_lost_ms = 8000;
    struct verdict v = judge(KIND_SPECULATION_WASTE, &app, &stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cap, SEVERITY_NEGLIGIBLE); // the slots were idle anyway
    assert_near(v.saving_s, 0, 0);
    stage.copies_in_the_way_ms = 6000;
    v = judge(KIND_SPECULATION_WASTE, &app, &stage, true);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    assert_near(v.saving_s, 1.5, 1e-12);
    stage.summary.tasks = 0;
    assert_int_equal(judge(KIND_SPECULATION_WASTE, &app, &stage, true).rule_met, TRI_NULL);
}

static void shuffling_costs_what_its_stages_show_of_the_excess(void **state) {
    (void)state;
    struct stage fetching = {
        .summary = {.shuffle_read_bytes = 1, .run_ms = 20000, .cpu_ns = 10000000000, .gc_ms = 1000},
        .slots = 4,
        .fetch_wait_ms = 2000,
        .shuffle_write_ns = 1000000000};
    struct stage other = {.summary = {.run_ms = 20000}, .slots = 8, .shuffle_write_ns = 8000000000};
    struct stage *stages[] = {&fetching, &other};
    struct app app = {.stages = stages, .stage_count = 2};
    app.totals.input_bytes = 100LL * MIB;
    app.totals.shuffle_read_bytes = 300LL * MIB;
    app.totals.shuffle_write_bytes = 100LL * MIB;
    // Half of it is above the ratio. 3.25 s show, 400 MiB at 20 MiB/s in eight slots take 2.5 s.
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 2.5 / 2, 1e-12);
    other.shuffle_write_ns = 0; // fetching waits 2 s, writes 1 s, and 6 s are explained by nothing
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 9 / 4.0 / 2, 1e-12);
    fetching.spill_wait_ms = 4000; // but these are
    fetching.summary.read_ns = 1000000000;
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 4 / 4.0 / 2, 1e-12);
    app.foreign_engine = true; // it may be work
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 3 / 4.0 / 2, 1e-12);
    app.foreign_engine = false;
    fetching.cpu_untold_tasks = 1;
    assert_near(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).saving_s, 3 / 4.0 / 2, 1e-12);
    app.totals.shuffle_read_bytes = 100LL * MIB; // twice: not more than twice
    assert_int_equal(judge(KIND_NETWORK_OVERHEAD, &app, NULL, true).rule_met, TRI_FALSE);
}

static void a_stage_is_replayed_on_its_slots(void **state) {
    (void)state;
    struct stage stage = {.summary = {.max_task_ms = 30000}, .task_ms = 80000, .slots = 4};
    assert_near(cost_running_s(&stage), 30, 0); // the longest task, not 80 / 4
    assert_near(cost_of_work(&stage, 8), 3, 1e-12);
    assert_near(cost_of_work(&stage, 1000), 30, 0);
    assert_near(cost_of_work(&stage, -1), 0, 0);
    assert_near(cost_of_rest(&stage, 60, 10), 15, 1e-12); // work over slots
    assert_near(cost_of_rest(&stage, 60, 20), 10, 1e-12); // the longest that is left
    assert_near(cost_of_rest(&stage, 1000, 20), 0, 0);
    stage.slots = 0; // one
    assert_near(cost_running_s(&stage), 80, 0);
    stage.first_launch_ms = 1000;
    stage.last_finish_ms = 41000; // it took no longer
    assert_near(cost_running_s(&stage), 40, 0);
    struct stage failed = {.slots = 4}; // no task ended well
    assert_near(cost_of_work(&failed, 8), 2, 0);
}

static void no_saving_exceeds_the_stage_with_its_retries_nor_the_run(void **state) {
    (void)state;
    struct app *app = app_new("c", STR("a"), STR(""), &(struct pipeline_rule){0});
    struct event stages[] = {
        {.kind = EVENT_STAGE_COMPLETED, .time_ms = 21000, .first_ms = 1000},
        {.kind = EVENT_STAGE_COMPLETED, .time_ms = 51000},
        {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 52000},
    };
    struct stage *stage[3];
    for (int i = 0; i < 3; i++) {
        stages[i].stage.id = i / 2;
        stages[i].stage.attempt = i % 2;
        stages[i].stage.submitted_ms = i == 0 ? 11000 : i == 1 ? 31000 : 52000;
        stages[i].stage.completed_ms = i < 2 ? stages[i].time_ms : 0;
        app_apply(app, &stages[i], &stage[i]);
    }
    assert_near(cost_at_most(app, NULL, 1000), 51, 0);
    assert_near(cost_at_most(app, stage[0], 1000), 40, 0); // until the retry was done
    assert_near(cost_at_most(app, stage[0], 39), 39, 0);
    assert_near(cost_at_most(app, stage[1], 1000), 20, 0);
    assert_near(cost_at_most(app, stage[2], 1000), 51, 0); // not known yet how long it takes
    app->now_ms = 62000;
    assert_near(cost_at_most(app, stage[2], 1000), 10, 0); // so far
    assert_near(cost_at_most(app, stage[1], 1000), 20, 0);
    app_free(app);
}

static void runs_cost_what_is_beyond_their_limits(void **state) {
    (void)state;
    struct app app = {.started_ms = 1000, .now_ms = 1000 + 3610000};
    busy_add(&app.work, 1000, 1000 + 3610000);
    struct verdict v = judge(KIND_SLOW_RUN, &app, NULL, false);
    assert_near(v.saving_s, 10, 0);
    assert_non_null(strstr(v.summary, "has taken"));
    assert_non_null(strstr(judge(KIND_SLOW_RUN, &app, NULL, true).summary, "took"));
    app.now_ms = 1000 + 600000;
    app.work.to_ms = app.now_ms;
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
        cmocka_unit_test(spill_costs_what_its_tasks_show),
        cmocka_unit_test(garbage_costs_what_is_beyond_the_usual),
        cmocka_unit_test(running_out_of_memory_costs_the_attempts),
        cmocka_unit_test(reading_outside_the_jvm_is_told_from_work),
        cmocka_unit_test(failures_cost_their_time_and_what_is_done_again),
        cmocka_unit_test(shuffling_costs_what_its_stages_show_of_the_excess),
        cmocka_unit_test(a_stage_is_replayed_on_its_slots),
        cmocka_unit_test(no_saving_exceeds_the_stage_with_its_retries_nor_the_run),
        cmocka_unit_test(a_failed_attempt_costs_the_time_until_its_retry),
        cmocka_unit_test(a_failure_near_the_end_holds_the_stage_up),
        cmocka_unit_test(copies_cost_the_slots_that_others_waited_for),
        cmocka_unit_test(runs_cost_what_is_beyond_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
