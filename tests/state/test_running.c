// test_running: which of a stage's running tasks are known, and for how long they have run.
#include "support/test.h"

#include "support/spark.h"

static void begin(struct app *app, int64_t id, int64_t launch_ms) {
    struct event event = {.kind = EVENT_TASK_START, .time_ms = launch_ms};
    event.task = (struct event_task){.task_id = id,
                                     .index = (int32_t)id,
                                     .launch_ms = launch_ms,
                                     .executor = STR("1"),
                                     .host = STR("h1")};
    app_apply(app, &event, NULL);
}

static void end(struct app *app, int64_t id) {
    struct event event = spark_task(id, 1000);
    app_apply(app, &event, NULL);
}

static void those_that_began_first_are_known(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 100, 1000000, 0);
    struct stage *stage = app_stage(app, 0, 0);
    assert_int_equal(stage_longest_running_ms(stage, 2000000), 0);
    for (int64_t i = 1; i <= STAGE_RUNNING_MAX; i++) {
        begin(app, i, 1000000 + i * 1000);
        begin(app, i, 1000000 + i * 1000); // it comes again
    }
    struct stage_detail *detail = stage->detail;
    assert_int_equal(detail->running_count, STAGE_RUNNING_MAX);
    assert_int_equal(stage_longest_running_ms(stage, 1010000), 9000);
    assert_int_equal(stage_longest_running_ms(stage, 1000), 0);
    begin(app, 50, 1016000); // no room: as new as the newest
    begin(app, 51, 1000500); // older than all: the newest goes
    assert_int_equal(detail->running_count, STAGE_RUNNING_MAX);
    assert_int_equal(stage_longest_running_ms(stage, 1010000), 9500);
    end(app, 51);
    assert_int_equal(detail->running_count, STAGE_RUNNING_MAX - 1);
    assert_int_equal(stage_longest_running_ms(stage, 1010000), 9000);
    end(app, 16); // it went before
    assert_int_equal(detail->running_count, STAGE_RUNNING_MAX - 1);
    begin(app, 60, 0); // no time
    assert_int_equal(detail->running_count, STAGE_RUNNING_MAX - 1);
    int64_t bytes = app_bytes(app);
    spark_stage(app, EVENT_STAGE_COMPLETED, 0, 100, 1000000, 1020000);
    assert_null(detail->running);
    assert_true(app_bytes(app) < bytes);
    begin(app, 70, 1000000); // late
    assert_int_equal(stage_longest_running_ms(stage, 1010000), 0);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_began_first_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
