// test_tiny_tasks: many tasks of little, at the edges of the rule, and what it costs by hand.
#include "detect_kit.h"

// Four hundred tasks of 10 ms on two slots for ten seconds: 4 of 20 s are work.
static struct stage many(void) {
    return (struct stage){.summary = {.stage = 3,
                                      .tasks = 400,
                                      .tasks_expected = 400,
                                      .mean_task_ms = 12,
                                      .max_task_ms = 50},
                          .completed = true,
                          .slots = 2,
                          .first_launch_ms = 1000,
                          .last_finish_ms = 11000,
                          .task_ms = 4800,
                          .metric_tasks = 400,
                          .delay_run_ms = 4000};
}

static struct verdict ask(const struct stage *stage) {
    struct app app = {0};
    return judge(KIND_TINY_TASKS, &app, stage, true);
}

static void launching_costs_what_fewer_tasks_would_save(void **state) {
    (void)state;
    struct stage stage = many();
    struct verdict v = ask(&stage);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "launching_ms"), 16000, 0);
    assert_near(evidence(&v, "best_tasks"), 4, 0); // two waves
    // The work and four launches over two slots.
    assert_near(v.saving_s, 10 - (4 + 16 * 4.0 / 400) / 2, 1e-9);
    stage.bytes = 20LL * 128 * 1024 * 1024; // so many that twenty tasks are right
    v = ask(&stage);
    assert_near(evidence(&v, "best_tasks"), 20, 0);
    stage.bytes++;
    v = ask(&stage);
    assert_near(evidence(&v, "best_tasks"), 21, 0);
}

// Half of the tasks have 10 records and take 8 ms, half have 30 and take 12: 0.2 ms a record, and 6
// ms whatever they have. Of 4 s of run time 1.6 are the records'.
static struct stage many_on_a_line(void) {
    struct stage stage = many();
    stage.records = 200 * (10 + 30);
    stage.records_squared = 200 * (100 + 900);
    stage.records_run_ms = 200 * (80 + 360);
    stage.run_squared_ms2 = 200 * (64 + 144);
    return stage;
}

static double records_ms(const struct stage *stage) {
    struct verdict v = ask(stage);
    assert_int_equal(v.rule_met, TRI_TRUE);
    return evidence(&v, "records_run_ms");
}

static void what_a_task_takes_without_records_is_spared(void **state) {
    (void)state;
    struct stage stage = many_on_a_line();
    struct verdict v = ask(&stage);
    assert_near(evidence(&v, "records_run_ms"), 1600, 1e-6);
    assert_near(evidence(&v, "run_ms"), 4000, 0);
    assert_near(evidence(&v, "launching_ms"), 16000, 0); // the rule's own, as before
    assert_near(v.saving_s, 10 - (1.6 + 18.4 * 4 / 400) / 2, 1e-9);
    // Off the line by as much as makes the slope 0.2 +- 0.01.
    stage.run_squared_ms2 += 1592; // 0.01^2 x 398 x 40,000
    assert_near(records_ms(&stage), 0.22 * 8000, 1e-6);
    stage.run_squared_ms2 = 1000000; // so far that nothing is known
    assert_near(records_ms(&stage), 4000, 0);
    stage = many_on_a_line();
    stage.records_run_ms = 200 * (120 + 240); // the fewer the longer: records cost nothing
    assert_near(records_ms(&stage), 0, 1e-6);
}

static void what_the_records_do_not_tell_is_work(void **state) {
    (void)state;
    struct stage stage = many_on_a_line();
    stage.records_squared = 400 * 20 * 20; // as many in each
    assert_near(records_ms(&stage), 4000, 0);
    stage = many_on_a_line();
    stage.io_tasks = 1; // what opening files costs stays
    assert_near(records_ms(&stage), 4000, 0);
    stage = many_on_a_line();
    stage.files = 1;
    assert_near(records_ms(&stage), 4000, 0);
    int64_t *const sums[] = {&stage.records_squared, &stage.records_run_ms, &stage.run_squared_ms2};
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) { // it is cut off
        stage = many_on_a_line();
        *sums[i] = INT64_MAX;
        assert_near(records_ms(&stage), 4000, 0);
    }
}

static void the_rule_stands_at_its_edges(void **state) {
    (void)state;
    struct stage stage = many();
    stage.delay_run_ms = 9999;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.delay_run_ms = 10000; // as much as launching: not less than half
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage = many();
    stage.summary.tasks = 200;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.summary.tasks = 199;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage = many();
    stage.summary.mean_task_ms = 200;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.summary.mean_task_ms = 200.1;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage = many();
    stage.delay_run_ms = 400;
    stage.last_finish_ms = 3000;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.last_finish_ms = 2999;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.metric_tasks = 0;
    assert_int_equal(ask(&stage).rule_met, TRI_NULL);
}

static void one_long_task_is_no_launching(void **state) {
    (void)state;
    struct stage stage = many();
    stage.summary.max_task_ms = 2500;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.summary.max_task_ms = 2501;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static void what_others_used_is_no_launching(void **state) {
    (void)state;
    struct stage stage = many();
    stage.beside.task_ms = 11999;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.beside.task_ms = 12000; // of 20 s; 4 are left for it, and 4 are its work
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.beside = (struct load_beside){.alone_ms = 3000, .outlasted = true};
    assert_near(ask(&stage).saving_s, 3, 1e-12);
}

static void a_stream_has_as_many_as_its_state(void **state) {
    (void)state;
    struct stage stage = many();
    struct app app = {.signs = {.stream = true, .endless = true}};
    assert_int_equal(judge(KIND_TINY_TASKS, &app, &stage, true).cap, SEVERITY_LOW);
    assert_int_equal(ask(&stage).cap, SEVERITY_CRITICAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launching_costs_what_fewer_tasks_would_save),
        cmocka_unit_test(what_a_task_takes_without_records_is_spared),
        cmocka_unit_test(what_the_records_do_not_tell_is_work),
        cmocka_unit_test(the_rule_stands_at_its_edges),
        cmocka_unit_test(one_long_task_is_no_launching),
        cmocka_unit_test(what_others_used_is_no_launching),
        cmocka_unit_test(a_stream_has_as_many_as_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
