// test_contention: slots that outnumber the cores behind them, told from everything else that keeps
// tasks off a CPU; and waits behind the run's own stages, which are one cause.
#include "detect_kit.h"

#include "model/operator.h"

// Sixteen tasks of two seconds on eight slots, a quarter of it on a CPU, whatever they do.
static struct stage crowded(void) {
    return (struct stage){.summary = {.stage = 4,
                                      .tasks = 16,
                                      .mean_task_ms = 2000,
                                      .max_task_ms = 2500,
                                      .run_ms = 32000,
                                      .cpu_ns = 8000000000},
                          .completed = true,
                          .slots = 8,
                          .first_launch_ms = 1000,
                          .last_finish_ms = 5000,
                          .task_ms = 32000,
                          .deserialize_ms = 1000,
                          .deserialize_cpu_ns = 200000000,
                          .metric_tasks = 16,
                          .delay_run_ms = 32000};
}

static struct verdict ask(const struct stage *stage) {
    struct app app = {0};
    return judge(KIND_RESOURCE_CONTENTION, &app, stage, true);
}

static void tasks_that_hardly_get_a_cpu_share_few_cores(void **state) {
    (void)state;
    struct stage stage = crowded();
    struct verdict v = ask(&stage);
    assert_int_equal(v.rule_met, TRI_FALSE); // they waited for no slot
    assert_true(v.opens);
    assert_int_equal(v.cause, CAUSE_OVERSUBSCRIBED);
    assert_int_equal(v.confidence, CONFIDENCE_MEDIUM);
    assert_near(v.saving_s, 3, 1e-9); // three quarters of four seconds
    assert_near(evidence(&v, "cores_used"), 2, 1e-9);
    assert_non_null(strstr(v.summary, "8 slots share what 2.0 cores can do"));
    stage.summary.cpu_ns = 11200000000; // 35 %
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.deserialize_cpu_ns = 250000000; // they get a CPU, and wait for something in their work
    assert_false(ask(&stage).opens);
}

static void whatever_else_keeps_tasks_off_a_cpu_is_no_crowd(void **state) {
    (void)state;
    struct stage stage = crowded();
    stage.summary.input_bytes = 1;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.summary.output_bytes = 1;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.summary.disk_spilled_bytes = 1;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.works = WORK_JDBC;
    assert_false(ask(&stage).opens);
    stage.works = WORK_PYTHON_ROWS;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.python = true;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.cpu_untold_tasks = 1;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.fetch_wait_ms = 3200; // a tenth
    assert_false(ask(&stage).opens);
    stage.fetch_wait_ms = 3199;
    assert_true(ask(&stage).opens);
    stage.summary.gc_ms = 1;
    assert_false(ask(&stage).opens);
}

static void few_short_or_uneven_tasks_tell_nothing(void **state) {
    (void)state;
    struct stage stage = crowded();
    stage.summary.tasks = 15;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.summary.mean_task_ms = 499;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.summary.max_task_ms = 4001;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.summary.run_ms = 9999;
    stage.summary.cpu_ns = 1;
    assert_false(ask(&stage).opens);
    stage = crowded();
    stage.deserialize_ms = 199;
    stage.deserialize_cpu_ns = 0;
    assert_false(ask(&stage).opens);
}

static void a_wait_behind_own_stages_has_one_cause(void **state) {
    (void)state;
    struct stage stage = {.summary = {.submitted_ms = 1000},
                          .first_launch_ms = 3000,
                          .slots = 4,
                          .metric_tasks = 2,
                          .delay_ms = 450,
                          .delay_run_ms = 1000};
    assert_int_equal(ask(&stage).cause, CAUSE_NONE);
    stage.waited_for_own = true;
    assert_int_equal(ask(&stage).cause, CAUSE_OWN_JOBS);
    stage.delay_ms = 8000; // its tasks waited as long one by one
    assert_int_equal(ask(&stage).cause, CAUSE_NONE);
}

// What is said of the run as a whole.
static struct verdict ask_run(const struct app *app) {
    const struct detector *detector = detector_of(KIND_RESOURCE_CONTENTION);
    struct thresholds thresholds;
    thresholds_init(&thresholds);
    struct detector_view view = {app, NULL, true, thresholds.of[KIND_RESOURCE_CONTENTION]};
    struct verdict verdict = {.rule_met = TRI_FALSE, .cap = SEVERITY_CRITICAL};
    detector->judge_run(&view, &verdict);
    return verdict;
}

static void long_waits_behind_own_jobs_are_one_finding(void **state) {
    (void)state;
    struct app app = {.own_waits = {3, 10000, 2000, 7}};
    struct verdict v = ask_run(&app);
    assert_true(v.opens);
    assert_int_equal(v.rule_met, TRI_FALSE);
    assert_int_equal(v.cause, CAUSE_OWN_JOBS);
    assert_int_equal(v.cap, SEVERITY_MODERATE);
    assert_int_equal(v.confidence, CONFIDENCE_LOW); // batch work may take as long
    assert_near(v.saving_s, 10, 0);
    assert_non_null(strstr(v.summary, "stage 7 waited 10.0 s"));
    app.own_waits.longest_ms = 9999;
    assert_false(ask_run(&app).opens);
    app.own_waits = (struct own_waits){3, 10000, 2001, 7};
    assert_false(ask_run(&app).opens);
    app.own_waits.longest_took_ms = 2000;
    app.signs.server = true; // somebody waits for it
    assert_int_equal(ask_run(&app).confidence, CONFIDENCE_HIGH);
    app.signs.server = false;
    app.signs.stream = app.signs.endless = true;
    assert_int_equal(ask_run(&app).cap, SEVERITY_LOW);
    app.own_waits = (struct own_waits){0};
    assert_false(ask_run(&app).opens);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_that_hardly_get_a_cpu_share_few_cores),
        cmocka_unit_test(whatever_else_keeps_tasks_off_a_cpu_is_no_crowd),
        cmocka_unit_test(few_short_or_uneven_tasks_tell_nothing),
        cmocka_unit_test(long_waits_behind_own_jobs_are_one_finding),
        cmocka_unit_test(a_wait_behind_own_stages_has_one_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
