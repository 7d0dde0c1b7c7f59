// test_load: what a run did beside a stage: integrals over the tasks that run, whatever is
// repeated, missing or late.
#include "support/test.h"

#include "support/spark.h"

// The start of a task of a stage, `at_ms` after the run's.
static void start(struct app *app, int32_t stage, int64_t id, int64_t at_ms) {
    struct event event = {.kind = EVENT_TASK_START, .time_ms = 1000000 + at_ms};
    event.task = (struct event_task){
        .stage = stage, .task_id = id, .launch_ms = 1000000 + at_ms, .executor = STR("1")};
    app_apply(app, &event, NULL);
}

static void end(struct app *app, int32_t stage, int64_t id, int64_t from_ms, int64_t to_ms) {
    struct event event = spark_task(id, to_ms - from_ms);
    event.time_ms = 1000000 + to_ms;
    event.task.stage = stage;
    event.task.launch_ms = 1000000 + from_ms;
    event.task.finish_ms = 1000000 + to_ms;
    app_apply(app, &event, NULL);
}

static struct stage *complete(struct app *app, int32_t stage, int64_t at_ms) {
    return spark_stage(app, EVENT_STAGE_COMPLETED, stage, 1, 1000000, 1000000 + at_ms);
}

static struct app *eight_slots(void) {
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 8);
    return app;
}

static void a_stage_alone_has_all_slots(void **state) {
    (void)state;
    struct app *app = eight_slots();
    start(app, 1, 1, 100);
    end(app, 1, 1, 100, 5100);
    struct stage *stage = complete(app, 1, 5200);
    struct load_beside beside = load_beside(app, stage);
    assert_int_equal(stage->live_slots, 8);
    assert_int_equal(beside.task_ms, 0);
    assert_int_equal(beside.alone_ms, 5000);
    assert_false(beside.outlasted);
    start(app, 2, 2, 6000); // what comes later is not beside it
    end(app, 2, 2, 6000, 9000);
    assert_int_equal(load_beside(app, stage).task_ms, 0);
    assert_int_equal(load_beside(app, stage).alone_ms, 5000);
    app_free(app);
}

static void what_others_use_is_counted_while_it_runs(void **state) {
    (void)state;
    struct app *app = eight_slots();
    start(app, 1, 1, 0);
    start(app, 1, 2, 0);
    start(app, 2, 3, 1000); // the stage that is looked at: beside two tasks, one from 3000 on
    end(app, 1, 1, 0, 3000);
    struct stage *open = app_stage(app, 2, 0);
    assert_int_equal(load_beside(app, open).task_ms, 2 * 2000);
    assert_int_equal(load_beside(app, open).alone_ms, 0);
    assert_true(load_beside(app, open).outlasted); // as far as is known
    end(app, 2, 3, 1000, 5000);
    struct stage *stage = complete(app, 2, 5000);
    assert_int_equal(load_beside(app, stage).task_ms, 2 * 2000 + 2000);
    assert_true(load_beside(app, stage).outlasted);
    end(app, 1, 2, 0, 7000);
    struct load_beside first = load_beside(app, complete(app, 1, 7000));
    assert_int_equal(first.task_ms, 4000);
    assert_int_equal(first.alone_ms, 1000 + 2000); // before the other began and after it ended
    assert_false(first.outlasted);
    app_free(app);
}

static void a_task_without_a_start_counts_at_its_end(void **state) {
    (void)state;
    struct app *app = eight_slots();
    start(app, 2, 1, 0);
    end(app, 1, 2, 500, 2500);
    end(app, 1, 2, 500, 2500); // came again: counts once
    end(app, 2, 1, 0, 4000);
    assert_int_equal(load_beside(app, complete(app, 2, 4000)).task_ms, 2000);
    app_free(app);
}

static void a_stage_whose_tasks_come_after_its_end_is_beside_nothing(void **state) {
    (void)state;
    struct app *app = eight_slots();
    start(app, 1, 1, 0);
    end(app, 1, 1, 0, 4000);
    struct stage *stage = complete(app, 2, 4000);
    end(app, 2, 2, 0, 4000);
    assert_int_equal(load_beside(app, stage).task_ms, 0);
    assert_int_equal(load_beside(app, stage).alone_ms, 0);
    app_free(app);
}

// A stage that ended with tasks that never did occupies nothing any more.
static void tasks_that_never_end_stop_with_their_stage(void **state) {
    (void)state;
    struct app *app = eight_slots();
    start(app, 1, 1, 0);
    start(app, 1, 1, 0); // came again
    end(app, 1, 1, 0, 1000);
    complete(app, 1, 1000);
    start(app, 2, 2, 2000);
    end(app, 2, 2, 2000, 3000);
    struct load_beside beside = load_beside(app, complete(app, 2, 3000));
    assert_int_equal(beside.task_ms, 0);
    assert_int_equal(beside.alone_ms, 1000);
    assert_false(beside.outlasted);
    app_free(app);
}

// One task that computed for a part of its seconds, and `input` bytes.
static void compute(struct app *app, int32_t stage, int64_t ms, int64_t cpu_ms, int64_t input) {
    struct event event = spark_task(stage, ms);
    event.task.stage = stage;
    event.task.cpu_ns = cpu_ms * 1000000;
    event.task.input_bytes = input;
    app_apply(app, &event, NULL);
    complete(app, stage, 1000 + ms);
}

static void the_stage_that_waited_least_for_a_cpu_is_known(void **state) {
    (void)state;
    struct app *app = eight_slots();
    compute(app, 1, 1999, 1999, 0); // too short
    compute(app, 2, 5000, 5000, 1); // it reads
    assert_int_equal(app->computed.run_ms, 0);
    compute(app, 3, 4000, 1000, 0);
    assert_int_equal(app->computed.run_ms, 4000);
    assert_int_equal(app->computed.waited_ms, 3000);
    compute(app, 4, 2000, 1000, 0);
    compute(app, 5, 9000, 2000, 0);
    assert_int_equal(app->computed.run_ms, 2000);
    assert_int_equal(app->computed.waited_ms, 1000);
    app->foreign_engine = true; // whose work the JVM's CPU time does not tell
    compute(app, 6, 2000, 2000, 0);
    assert_int_equal(app->computed.waited_ms, 1000);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stage_that_waited_least_for_a_cpu_is_known),
        cmocka_unit_test(a_stage_alone_has_all_slots),
        cmocka_unit_test(what_others_use_is_counted_while_it_runs),
        cmocka_unit_test(a_task_without_a_start_counts_at_its_end),
        cmocka_unit_test(a_stage_whose_tasks_come_after_its_end_is_beside_nothing),
        cmocka_unit_test(tasks_that_never_end_stop_with_their_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
