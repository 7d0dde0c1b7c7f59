// test_waited: what a run waited for a stage: the time in which no other stage ran, and its share
// of that in which most slots were taken; and what it therefore saves to mend it.
#include "support/test.h"

#include "detect/cost.h"
#include "support/spark.h"

static void task(struct app *app, enum event_kind kind, int32_t stage, int64_t id, int64_t from_s,
                 int64_t to_s) {
    struct event event = spark_task(id, 1);
    event.kind = kind;
    event.task.stage = stage;
    event.task.launch_ms = 1000000 + 1000 * from_s;
    event.task.finish_ms = kind == EVENT_TASK_END ? 1000000 + 1000 * to_s : 0;
    event.time_ms = kind == EVENT_TASK_END ? event.task.finish_ms : event.task.launch_ms;
    app_apply(app, &event, NULL);
}

// `count` tasks of a stage that start at once, the first with that id; those that end do so apart.
static void start(struct app *app, int32_t stage, int64_t id, int count, int64_t from_s) {
    for (int i = 0; i < count; i++) {
        task(app, EVENT_TASK_START, stage, id + i, from_s, 0);
    }
}
static void end(struct app *app, int32_t stage, int64_t id, int count, int64_t from_s,
                int64_t to_s) {
    for (int i = 0; i < count; i++) {
        task(app, EVENT_TASK_END, stage, id + i, from_s, to_s);
    }
}

static struct app *four_slots(void) {
    struct app *app = spark_app();
    spark_executor(app, "1", "h", 4);
    return app;
}

// Four tasks of 10 s, one of which takes 90 s longer.
static void a_stage_alone_loses_nothing(void **state) {
    (void)state;
    struct app *app = four_slots();
    start(app, 0, 0, 4, 0);
    end(app, 0, 0, 3, 0, 10);
    end(app, 0, 3, 1, 0, 100);
    const struct stage *stage = app_stage(app, 0, 0);
    struct stage_time time = waited_of(app, stage);
    assert_true(time.known);
    assert_near(time.alone_ms, 100000, 0);
    assert_near(time.alone_task_ms, 4 * 10000 + 90000, 0);
    assert_near(time.waited_ms, 100000, 1e-6);
    // 67.5 s of idle slots, 90 s of work of the slow one over four slots.
    assert_near(cost_of_tail(app, stage, 1000), 67.5 + 90 / 4.0, 0.5);
    assert_near(cost_of_tail(app, stage, 60), 60, 0);
    assert_near(cost_running_s(stage), 100, 0);
    assert_near(cost_of_work(stage, 13), 10, 1e-9); // a tenth of all work
    app_free(app);
}

// What comes next is launched on both before the ends of what came before are taken in.
static void slots_that_hand_over_together_are_no_more_slots(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "1", "h", 2);
    start(app, 0, 0, 2, 0);
    start(app, 0, 2, 2, 10);
    end(app, 0, 0, 2, 0, 10);
    assert_int_equal(app_stage(app, 0, 0)->running_most, 2);
    assert_int_equal(app_stage(app, 0, 0)->slots, 2);
    end(app, 0, 2, 2, 10, 20);
    start(app, 0, 4, 3, 20); // the driver is late: there are cores for two
    end(app, 0, 4, 3, 20, 30);
    assert_int_equal(app_stage(app, 0, 0)->slots, 2);
    app_free(app);
}

static void tasks_at_once_tell_slots_where_no_executor_does(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "2", "h", 1); // the tasks' own was never told of
    start(app, 0, 0, 3, 0);
    end(app, 0, 0, 3, 0, 10);
    assert_int_equal(app_stage(app, 0, 0)->slots, 3);
    app_free(app);
}

static void a_tail_beside_a_longer_stage_saves_nothing(void **state) {
    (void)state;
    struct app *app = four_slots();
    start(app, 0, 0, 4, 0);
    end(app, 0, 0, 3, 0, 10);
    start(app, 1, 10, 1, 10); // two slots idle: nobody waits for one
    end(app, 0, 3, 1, 0, 100);
    end(app, 1, 10, 1, 10, 120);
    const struct stage *tail = app_stage(app, 0, 0), *longer = app_stage(app, 1, 0);
    assert_near(waited_of(app, tail).alone_ms, 10000, 0);
    assert_near(waited_of(app, tail).waited_ms, 10000, 1e-6);
    assert_near(waited_of(app, longer).alone_ms, 20000, 0);
    assert_near(cost_of_tail(app, tail, 1000), 10, 0.5); // of its own beginning
    assert_near(cost_of_work(longer, 1000), 20, 1e-9);
    app_free(app);
}

static void stages_that_take_all_slots_share_the_time(void **state) {
    (void)state;
    struct app *app = four_slots();
    start(app, 0, 0, 1, 0);
    start(app, 1, 10, 3, 0);
    end(app, 0, 0, 1, 0, 40);
    end(app, 1, 10, 3, 0, 40);
    const struct stage *one = app_stage(app, 0, 0), *three = app_stage(app, 1, 0);
    assert_near(waited_of(app, one).alone_ms, 0, 0);
    assert_near(waited_of(app, one).waited_ms, 10000, 1e-6);
    assert_near(waited_of(app, three).waited_ms, 30000, 1e-6);
    assert_near(cost_of_work(one, 1000), 10, 1e-6); // together no more than the 40 s
    assert_near(cost_of_work(three, 1000), 30, 1e-6);
    app_free(app);
}

static void what_is_not_seen_to_start_is_not_bounded(void **state) {
    (void)state;
    struct app *app = four_slots();
    end(app, 0, 0, 4, 0, 40);
    const struct stage *stage = app_stage(app, 0, 0);
    assert_false(waited_of(app, stage).known);
    assert_near(cost_of_tail(app, stage, 1000), 1000, 0);
    assert_near(cost_of_work(stage, 1000), 40, 0);
    app_free(app);
}

static void a_stage_that_goes_on_is_told_so_far(void **state) {
    (void)state;
    struct app *app = four_slots();
    start(app, 0, 0, 2, 0);
    end(app, 0, 0, 1, 0, 10);
    task(app, EVENT_TASK_START, 1, 10, 30, 0); // another begins
    const struct stage *stage = app_stage(app, 0, 0);
    assert_near(waited_of(app, stage).alone_ms, 30000, 0);
    assert_near(waited_of(app, stage).alone_task_ms, 2 * 10000 + 20000, 0);
    assert_near(waited_of(NULL, stage).alone_ms, 10000, 0); // up to its last event
    spark_stage(app, EVENT_STAGE_COMPLETED, 0, 2, 1000000, 1035000);
    end(app, 1, 10, 1, 30, 50);
    end(app, 0, 1, 1, 0, 60); // a task that goes on after the end of its stage
    assert_near(waited_of(app, stage).alone_ms, 30000, 0);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_alone_loses_nothing),
        cmocka_unit_test(tasks_at_once_tell_slots_where_no_executor_does),
        cmocka_unit_test(slots_that_hand_over_together_are_no_more_slots),
        cmocka_unit_test(a_tail_beside_a_longer_stage_saves_nothing),
        cmocka_unit_test(stages_that_take_all_slots_share_the_time),
        cmocka_unit_test(what_is_not_seen_to_start_is_not_bounded),
        cmocka_unit_test(a_stage_that_goes_on_is_told_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
