// test_detect_time: what a run's time and cores went to: driver_bound, idle_executors, and how much
// slow_run and low_throughput weigh. Edges, computed by hand.
#include "detect_kit.h"

#include "support/spark.h"

enum { START_MS = 1000000 };

// A batch run that is busy between two times and ends at a third, all in seconds since its start.
static struct app busy_run(int64_t from_s, int64_t to_s, int64_t end_s) {
    struct app app = {.started_ms = START_MS,
                      .now_ms = START_MS + end_s * 1000,
                      .ended_ms = START_MS + end_s * 1000,
                      .totals = {.jobs = 3}};
    busy_add(&app.work, START_MS + from_s * 1000, START_MS + to_s * 1000);
    return app;
}

static void a_run_is_bound_by_its_driver_for_more_than_half_of_it(void **state) {
    (void)state;
    struct app app = busy_run(30, 130, 230); // the first 30 s are starting up
    struct verdict v = judge(KIND_DRIVER_BOUND, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_FALSE);
    app = busy_run(30, 130, 260); // half of it
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_FALSE);
    app.ended_ms++;
    app.ended_ms++;
    v = judge(KIND_DRIVER_BOUND, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 130.002, 1e-9);
    assert_int_equal(v.cap, SEVERITY_MODERATE);
    assert_near(evidence(&v, "start_up_s"), 30, 0);
    assert_near(evidence(&v, "driver_between_jobs_s"), 130.002, 1e-9);
    assert_null(strstr(v.summary, "inside"));
    busy_add(&app.in_jobs, app.work.from_ms, app.work.to_ms + 1400);
    v = judge(KIND_DRIVER_BOUND, &app, NULL, true);
    assert_non_null(strstr(v.summary, "1.4 s inside"));
    app.ended_ms = 0; // so long it goes on it counts as five minutes
    app.now_ms += 2;
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, false).rule_met, TRI_FALSE);
    app = busy_run(30, 130, 300);
    app.ended_ms = 0;
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, false).rule_met, TRI_TRUE);
    app = busy_run(30, 100, 399); // minutes are not the worst there is
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).cap, SEVERITY_MODERATE);
    app = busy_run(30, 100, 400);
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).cap, SEVERITY_SEVERE);
}

static void short_waits_are_not_worth_a_word(void **state) {
    (void)state;
    struct app app = busy_run(2, 4, 23);
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_FALSE);
    app = busy_run(2, 4, 24);
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_TRUE);
    // Starting up is nobody's fault, however much of a short run it is.
    app = busy_run(29, 31, 32);
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_FALSE);
}

static void many_short_waits_are_one_long_one(void **state) {
    (void)state;
    struct app app = busy_run(1, 2, 600);
    for (int64_t i = 0; i < 5000; i++) { // 40 ms of work, 80 ms of the driver
        int64_t at_ms = START_MS + 2000 + 120 * i;
        busy_add(&app.work, at_ms + 80, at_ms + 120);
    }
    struct verdict v = judge(KIND_DRIVER_BOUND, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    // The run ends 2 s before the last of it.
    assert_near(v.saving_s, 600 - 1 - evidence(&v, "busy_s"), 1e-9);
    assert_near(evidence(&v, "busy_s"), 1 + 5000 * 0.040 - 2, 1e-9);
}

static void too_little_is_known_to_blame_the_driver(void **state) {
    (void)state;
    struct app app = busy_run(30, 60, 1000);
    app.work = (struct busy){0}; // no stage, no task
    struct verdict v = judge(KIND_DRIVER_BOUND, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_NULL);
    assert_non_null(strstr(v.reason, "no stage or task"));
    app = busy_run(30, 60, 1000);
    app.delivery.came = 89;
    app.delivery.report.accepted = 100;
    app.delivery.report.lost_others = 11;
    v = judge(KIND_DRIVER_BOUND, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_NULL);
    assert_non_null(strstr(v.reason, "events"));
    app.delivery.report.lost_others = 10;
    app.delivery.came = 90;
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_TRUE);
    // Jobs 5 to 14 without one of them, and without two.
    struct rangeset_range ids[] = {{5, 8}, {10, 14}};
    app.started_jobs = (struct rangeset){ids, 2, 2};
    app.totals.jobs = 9;
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_TRUE);
    app.totals.jobs = 8;
    assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_NULL);
}

// Eight cores for 100 hours since the run's start, tasks for so many of the 800 core hours.
static struct app held_cores(double used_h) {
    struct app app = busy_run(1, 100 * 3600, 100 * 3600);
    app.executors.cores = 8;
    app.executors.cores_from_ms = START_MS;
    app.executors.slots.task_cpus = 1;
    app.totals.task_ms = (int64_t)(used_h * 3600000);
    return app;
}

static void idle_cores_cost_money_and_no_time(void **state) {
    (void)state;
    struct app app = held_cores(400);
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).rule_met, TRI_FALSE);
    app = held_cores(399.9);
    struct verdict v = judge(KIND_IDLE_EXECUTORS, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 0, 0);
    assert_int_equal(v.floor, SEVERITY_LOW);
    assert_near(evidence(&v, "core_hours_held"), 800, 1e-9);
    app = held_cores(160.1);
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_LOW);
    app = held_cores(159.9);
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_MODERATE);
    app.executors.slots.task_cpus = 2; // each task uses two
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_LOW);
    app = held_cores(100);
    app.totals.wasted_ms = 61 * 3600000; // work thrown away was work
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_LOW);
    app = held_cores(0);
    app.signs.server = true; // who waits for users waits rightly
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_LOW);
}

static void few_idle_core_hours_are_not_worth_a_word(void **state) {
    (void)state;
    struct app app = held_cores(0);
    app.executors.cores = 1;
    app.ended_ms = START_MS + 3599999;
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).rule_met, TRI_FALSE);
    app.ended_ms++;
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_LOW);
    app.executors.cores = 10;
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).cap, SEVERITY_MODERATE);
    app.executors.gone_slots = 1;
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).rule_met, TRI_NULL);
    app = busy_run(1, 2, 36000); // local mode
    assert_int_equal(judge(KIND_IDLE_EXECUTORS, &app, NULL, true).rule_met, TRI_FALSE);
}

static void a_run_is_slow_for_as_long_as_it_is_busy(void **state) {
    (void)state;
    struct app app = busy_run(100, 8000, 9000);
    struct verdict v = judge(KIND_SLOW_RUN, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 7900 - 3600, 1e-9);
    assert_near(evidence(&v, "busy_s"), 7900, 0);
    assert_non_null(strstr(v.summary, "busy for"));
    app = busy_run(100, 8200, 9000);
    assert_null(strstr(judge(KIND_SLOW_RUN, &app, NULL, true).summary, "busy"));
    app = busy_run(100, 200, 9000); // to the letter, but it idled
    v = judge(KIND_SLOW_RUN, &app, NULL, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 0, 0);
}

// What waits for its data or its users, whatever it is told to the letter.
static void only_batch_runs_are_slow_or_bound(void **state) {
    (void)state;
    for (int server = 0; server < 2; server++) {
        struct app app = busy_run(100, 9000, 20000);
        app.totals.input_records = 60000;
        app.signs.server = server == 1;
        app.signs.endless = server == 0;
        struct verdict v = judge(KIND_SLOW_RUN, &app, NULL, true);
        assert_int_equal(v.rule_met, TRI_TRUE);
        assert_int_equal(v.cap, SEVERITY_LOW);
        v = judge(KIND_LOW_THROUGHPUT, &app, NULL, true);
        assert_int_equal(v.rule_met, TRI_TRUE);
        assert_int_equal(v.cap, SEVERITY_LOW);
        app = busy_run(100, 200, 20000);
        app.signs.server = server == 1;
        app.signs.endless = server == 0;
        assert_int_equal(judge(KIND_DRIVER_BOUND, &app, NULL, true).rule_met, TRI_FALSE);
    }
    struct app app = busy_run(100, 9000, 20000);
    app.totals.input_records = 60000;
    assert_int_equal(judge(KIND_SLOW_RUN, &app, NULL, true).cap, SEVERITY_CRITICAL);
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, &app, NULL, true).cap, SEVERITY_MODERATE);
}

static void few_records_weigh_for_as_long_as_it_is_busy(void **state) {
    (void)state;
    struct app app = busy_run(0, 600, 9000);
    app.totals.input_records = 60000;
    struct verdict v = judge(KIND_LOW_THROUGHPUT, &app, NULL, true);
    assert_near(v.saving_s, 540, 1e-9); // a minute's worth of records
    assert_int_equal(v.cap, SEVERITY_MODERATE);
    app.work.to_ms--;
    assert_int_equal(judge(KIND_LOW_THROUGHPUT, &app, NULL, true).cap, SEVERITY_NEGLIGIBLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_bound_by_its_driver_for_more_than_half_of_it),
        cmocka_unit_test(short_waits_are_not_worth_a_word),
        cmocka_unit_test(many_short_waits_are_one_long_one),
        cmocka_unit_test(too_little_is_known_to_blame_the_driver),
        cmocka_unit_test(idle_cores_cost_money_and_no_time),
        cmocka_unit_test(few_idle_core_hours_are_not_worth_a_word),
        cmocka_unit_test(a_run_is_slow_for_as_long_as_it_is_busy),
        cmocka_unit_test(only_batch_runs_are_slow_or_bound),
        cmocka_unit_test(few_records_weigh_for_as_long_as_it_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
