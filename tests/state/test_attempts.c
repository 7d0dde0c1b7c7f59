// test_attempts: stage attempts that failed and were done again, tasks that lost to their copies,
// copies that lost to what they copied: what is kept of them, in whatever order it comes.
#include "support/test.h"

#include "support/spark.h"

static struct event attempt_event(enum event_kind kind, int32_t attempt, int64_t tasks,
                                  const char *failure) {
    struct event event = {.kind = kind, .time_ms = 1100000};
    event.stage = (struct event_stage){.id = 0,
                                       .attempt = attempt,
                                       .tasks = tasks,
                                       .submitted_ms = 1000500 + attempt * 50000,
                                       .failure = str_of(failure)};
    if (kind == EVENT_STAGE_COMPLETED) {
        event.stage.completed_ms = 1031000 + attempt * 50000;
    }
    return event;
}

static struct event start_of(int64_t id, int32_t attempt, int64_t launch_ms) {
    struct event event = {.kind = EVENT_TASK_START, .time_ms = launch_ms};
    event.task = (struct event_task){.task_id = id,
                                     .stage_attempt = attempt,
                                     .launch_ms = launch_ms,
                                     .executor = STR("1"),
                                     .host = STR("h1")};
    return event;
}

// A first attempt that failed at 30 s, the second that begins at 40 s.
static const struct event *story(int i) {
    static struct event events[6];
    events[0] = attempt_event(EVENT_STAGE_SUBMITTED, 0, 8, "");
    events[1] = start_of(0, 0, 1001000);
    events[2] = start_of(1, 0, 1011000);
    events[3] = attempt_event(EVENT_STAGE_COMPLETED, 0, 8, "Stage failed because barrier task ...");
    events[4] = attempt_event(EVENT_STAGE_SUBMITTED, 1, 8, "");
    events[5] = start_of(2, 1, 1041000);
    return &events[i];
}

static void a_retry_tells_the_attempt_before_it_in_any_order(void **state) {
    (void)state;
    static const int orders[][6] = {
        {0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {4, 5, 0, 3, 1, 2}, {5, 0, 1, 4, 2, 3}};
    for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
        struct app *app = spark_app();
        for (int i = 0; i < 6; i++) {
            app_apply(app, story(orders[o][i]), NULL);
        }
        struct stage *first = app_stage(app, 0, 0);
        assert_int_equal(first->retry_launch_ms, 1041000);
        assert_int_equal(first->retry_tasks, 8);
        assert_int_equal(first->last_launch_ms, 1011000);
        assert_int_equal(stage_lost_attempt_ms(first), 40000);
        assert_int_equal(stage_lost_attempt_ms(app_stage(app, 0, 1)), 0); // it did not fail
        app_free(app);
    }
    struct app *app = spark_app(); // its beginning is a reason to judge the one before
    struct stage *touched = NULL;
    for (int i = 0; i < 6; i++) {
        app_apply(app, story(i), &touched);
    }
    assert_ptr_equal(touched, app_stage(app, 0, 0));
    assert_true(touched->dirty);
    app_free(app);
}

static void attempts_beyond_any_number_are_no_harm(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event event = start_of(0, INT32_MAX, 1001000);
    app_apply(app, &event, NULL);
    event = start_of(1, INT32_MAX - 1, 1000900);
    app_apply(app, &event, NULL);
    assert_int_equal(app_stage(app, 0, INT32_MAX - 1)->retry_launch_ms, 1001000);
    app_free(app);
}

static void cancellations_are_told_by_their_beginning(void **state) {
    (void)state;
    static const struct {
        const char *failure;
        bool cancelled;
    } cases[] = {
        {"", false},
        {"Job 12 cancelled part of cancelled job group g", true},
        {"[SPARK_JOB_CANCELLED] Job 3 cancelled by me SQLSTATE: XXKDA", true},
        {"Stage cancelled because SparkContext was shut down", true},
        {"Job aborted due to stage failure: Job 3 cancelled", false},
        {"Job cancelled", false},
        {"java.io.IOException: Job 3 cancelled", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        struct event event = attempt_event(EVENT_STAGE_COMPLETED, 0, 8, cases[i].failure);
        app_apply(app, &event, NULL);
        assert_int_equal(app_stage(app, 0, 0)->cancelled, cases[i].cancelled);
        app_free(app);
    }
}

static struct event killed(int64_t id, int64_t duration_ms, bool copy, const char *why) {
    struct event event = spark_task(id, duration_ms);
    event.task.result = TASK_KILLED;
    event.task.killed = true;
    event.task.speculative = copy;
    event.task.error = str_of(why);
    return event;
}

static void what_lost_is_told_by_why_it_was_killed(void **state) {
    (void)state;
    static const struct {
        const char *why;
        bool lost;
    } cases[] = {
        {"another attempt succeeded", true},
        {"Stage finished", true},
        {"Finish but did not commit due to another attempt succeeded", true},
        {"", true}, // before 2.2
        {"Task ShuffleMapTask(0, 3) from barrier stage ShuffleMapStage 0 failed.", false},
        {"Stage cancelled", false},
        {"preempted", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        struct event good = spark_task(0, 1000), bad = killed(1, 9000, false, cases[i].why);
        app_apply(app, &good, NULL);
        app_apply(app, &bad, NULL);
        struct stage *stage = app_stage(app, 0, 0);
        assert_int_equal(stage->detail->slow_count, cases[i].lost ? 2 : 1);
        assert_int_equal(stage->detail->slow[0].lost, cases[i].lost);
        assert_int_equal(stage->summary.max_task_ms, 1000); // in no rule to the letter
        assert_int_equal(stage->summary.tasks_killed, 1);
        assert_int_equal(stage->copies_lost, 0);
        bad = killed(2, 7000, true, cases[i].why);
        app_apply(app, &bad, NULL);
        assert_int_equal(stage->copies_lost, cases[i].lost);
        assert_int_equal(stage->copies_lost_ms, cases[i].lost ? 7000 : 0);
        assert_int_equal(stage->copies_in_the_way_ms, 0);
        assert_int_equal(stage->detail->slow_count, cases[i].lost ? 2 : 1); // no straggler
        app_free(app);
    }
}

static void a_copy_is_in_the_way_of_stages_that_wait(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 3, 1000500, 0);
    for (int64_t id = 0; id < 2; id++) {
        struct event start = start_of(id, 0, 1001000);
        app_apply(app, &start, NULL);
    }
    struct event bad = killed(1, 1000, true, "another attempt succeeded");
    app_apply(app, &bad, NULL); // only tasks of its own wait
    assert_int_equal(app_stage(app, 0, 0)->copies_in_the_way_ms, 0);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 1, 2, 1001500, 0);
    bad = killed(2, 2000, true, "another attempt succeeded");
    app_apply(app, &bad, NULL);
    assert_int_equal(app_stage(app, 0, 0)->copies_in_the_way_ms, 2000);
    for (int64_t id = 10; id < 12; id++) { // all of it runs now
        struct event start = start_of(id, 0, 1002000);
        start.task.stage = 1;
        app_apply(app, &start, NULL);
    }
    bad = killed(3, 4000, true, "another attempt succeeded");
    app_apply(app, &bad, NULL);
    assert_int_equal(app_stage(app, 0, 0)->copies_in_the_way_ms, 2000);
    assert_int_equal(app->sums.pending, app_stage(app, 0, 0)->counted.pending);
    app_free(app);
}

static void what_lingers_is_no_wall_time(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 1, 1000500, 0);
    struct event good = spark_task(0, 1000);
    app_apply(app, &good, NULL);
    struct stage *stage = spark_stage(app, EVENT_STAGE_COMPLETED, 0, 1, 1000500, 1002500);
    struct event bad = killed(1, 90000, false, "another attempt succeeded");
    app_apply(app, &bad, NULL);
    assert_int_equal(stage_wall_ms(stage), 2000);
    stage->summary.failed = true; // tasks of a failed attempt go on and count
    assert_int_equal(stage_wall_ms(stage), 90500);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_retry_tells_the_attempt_before_it_in_any_order),
        cmocka_unit_test(attempts_beyond_any_number_are_no_harm),
        cmocka_unit_test(cancellations_are_told_by_their_beginning),
        cmocka_unit_test(what_lost_is_told_by_why_it_was_killed),
        cmocka_unit_test(a_copy_is_in_the_way_of_stages_that_wait),
        cmocka_unit_test(what_lingers_is_no_wall_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
