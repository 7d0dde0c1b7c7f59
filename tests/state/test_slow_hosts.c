// test_slow_hosts: in which stages a host counts as slow, and where a task ran as seen from its
// data.
#include "support/test.h"

#include "support/spark.h"

// Tasks of one host: how many, what each takes and reads.
struct shape {
    int tasks;
    int64_t ms, bytes;
};

static void run_on(struct app *app, int32_t stage, const char *host, struct shape shape) {
    static int64_t id = 0;
    for (int i = 0; i < shape.tasks; i++) {
        struct event event = spark_task(id++, shape.ms);
        event.task.stage = stage;
        event.task.executor = event.task.host = str_of(host);
        event.task.remote_read_bytes = shape.bytes;
        app_apply(app, &event, NULL);
    }
}

// How many stages found host "there" slow, after one of such tasks there and on "here".
static int32_t slow_after(struct shape there, struct shape here) {
    struct app *app = spark_app();
    run_on(app, 0, "there", there);
    run_on(app, 0, "here", here);
    assert_int_equal(executors_slow_stages(&app->executors, 0), 0); // it goes on
    spark_stage(app, EVENT_STAGE_COMPLETED, 0, 1, 1001000, 1090000);
    int32_t slow = executors_slow_stages(&app->executors, 0);
    assert_int_equal(executors_slow_stages(&app->executors, 1), 0);
    app_free(app);
    return slow;
}

static void a_host_is_slow_whose_tasks_take_twice_as_long(void **state) {
    (void)state;
    assert_int_equal(slow_after((struct shape){2, 2000, 10}, (struct shape){2, 1000, 10}), 1);
    assert_int_equal(slow_after((struct shape){2, 1999, 10}, (struct shape){2, 1000, 10}), 0);
    assert_int_equal(slow_after((struct shape){1, 9000, 10}, (struct shape){9, 1000, 10}), 0);
    assert_int_equal(slow_after((struct shape){9, 9000, 10}, (struct shape){1, 1000, 10}), 0);
    assert_int_equal(slow_after((struct shape){9, 9000, 10}, (struct shape){0, 0, 0}), 0);
    // A second more in all, whatever the ratio.
    assert_int_equal(slow_after((struct shape){3, 600, 10}, (struct shape){2, 100, 10}), 1);
    assert_int_equal(slow_after((struct shape){3, 599, 10}, (struct shape){2, 100, 10}), 0);
    assert_int_equal(slow_after((struct shape){11, 200, 10}, (struct shape){2, 100, 10}), 1);
    // Not one that was given twice the data.
    assert_int_equal(slow_after((struct shape){2, 9000, 19}, (struct shape){2, 1000, 10}), 1);
    assert_int_equal(slow_after((struct shape){2, 9000, 20}, (struct shape){2, 1000, 10}), 0);
    assert_int_equal(slow_after((struct shape){2, 9000, 1}, (struct shape){2, 1000, 0}), 0);
    assert_int_equal(slow_after((struct shape){2, 9000, 0}, (struct shape){2, 1000, 0}), 1);
}

// Its mean is far above that elsewhere, but for one task it is not.
static void one_long_task_is_no_slow_host(void **state) {
    (void)state;
    for (int64_t others_ms = 1999; others_ms <= 2000; others_ms++) {
        struct app *app = spark_app();
        run_on(app, 0, "there", (struct shape){1, 90000, 10});
        run_on(app, 0, "there", (struct shape){3, others_ms, 10});
        run_on(app, 0, "here", (struct shape){4, 1000, 10});
        spark_stage(app, EVENT_STAGE_COMPLETED, 0, 8, 1001000, 1095000);
        assert_int_equal(executors_slow_stages(&app->executors, 0), others_ms == 2000);
        app_free(app);
    }
}

static void each_stage_counts_once(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int32_t stage = 0; stage < 3; stage++) {
        run_on(app, stage, "here", (struct shape){4, 1000, 10});
        run_on(app, stage, "there", (struct shape){4, stage == 1 ? 1000 : 5000, 10});
        spark_stage(app, EVENT_STAGE_COMPLETED, stage, 8, 1001000, 1090000);
        spark_stage(app, EVENT_STAGE_COMPLETED, stage, 8, 1001000, 1090000); // it came again
        assert_int_equal(executors_slow_stages(&app->executors, 1), stage < 2 ? 1 : 2);
    }
    assert_int_equal(executors_slow_stages(&app->executors, 0), 0);
    assert_int_equal(executors_slow_stages(&app->executors, -1), 0); // nobody's
    assert_int_equal(executors_slow_stages(&app->executors, 2), 0);
    executors_note_slow_stage(&app->executors, -1);
    executors_note_slow_stage(&app->executors, 2);
    app_free(app);
}

static void where_a_task_ran_is_kept_of_the_slowest(void **state) {
    (void)state;
    struct app *app = spark_app();
    static const enum task_locality localities[] = {LOCALITY_NEAR, LOCALITY_FAR, LOCALITY_NONE,
                                                    LOCALITY_NEAR, LOCALITY_FAR};
    for (int i = 0; i < 5; i++) {
        struct event event = spark_task(i, 5000 - 1000 * i);
        event.task.locality = localities[i];
        event.task.result = i == 3 ? TASK_EXCEPTION : i == 4 ? TASK_KILLED : TASK_SUCCESS;
        event.task.error = STR("another attempt succeeded");
        app_apply(app, &event, NULL);
    }
    const struct stage *stage = app_stage(app, 0, 0);
    const struct stage_task *slow = stage->detail->slow;
    assert_int_equal(stage->near_tasks, 1); // of those that succeeded
    assert_int_equal(stage->detail->slow_count, 4);
    assert_true(slow[0].near && !slow[0].far);
    assert_true(slow[1].far && !slow[1].near);
    assert_false(slow[2].near || slow[2].far);
    assert_true(slow[3].far && slow[3].lost);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_slow_whose_tasks_take_twice_as_long),
        cmocka_unit_test(one_long_task_is_no_slow_host),
        cmocka_unit_test(each_stage_counts_once),
        cmocka_unit_test(where_a_task_ran_is_kept_of_the_slowest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
