// test_slots: the task slots of a stage: by its resource profile, over the executors that it may
// use and for as long as each was there; what is taken where executors are not known.
#include "support/test.h"

#include "support/spark.h"

// A profile that asks for cores and GPUs of executors (0: for nothing) and tells what a task needs.
static void profile(struct app *app, int32_t id, int64_t gpus, double task_cpus, double task_gpus) {
    struct event event = {.kind = EVENT_RESOURCE_PROFILE};
    event.profile = (struct event_resource_profile){
        .id = id, .asks_executors = gpus > 0, .task_cpus = task_cpus};
    if (gpus > 0 || task_gpus > 0) {
        event.profile.resources[0] =
            (struct event_resource){event_resource_id(STR("gpu")), task_gpus, gpus};
        event.profile.resource_count = 1;
    }
    app_apply(app, &event, NULL);
}

static void executor(struct app *app, const char *id, int32_t of_profile, int64_t cores,
                     int64_t gpus, int64_t time_ms) {
    struct event event = {.kind = EVENT_EXECUTOR_ADDED, .time_ms = time_ms};
    event.executor = (struct event_executor){
        .id = str_of(id), .host = STR("h"), .cores = cores, .profile_id = of_profile};
    if (gpus > 0) {
        event.executor.resources[0] =
            (struct event_resource){event_resource_id(STR("gpu")), 0, gpus};
        event.executor.resource_count = 1;
    }
    app_apply(app, &event, NULL);
}

static void removed(struct app *app, const char *id, int64_t time_ms) {
    struct event event = {.kind = EVENT_EXECUTOR_REMOVED, .time_ms = time_ms};
    event.executor = (struct event_executor){.id = str_of(id), .reason = STR("worker lost")};
    app_apply(app, &event, NULL);
}

static void says(struct app *app, const char *key, const char *value) {
    struct event_property property = {str_of(key), str_of(value)};
    struct event event = {.kind = EVENT_ENVIRONMENT};
    event.environment.properties = &property;
    event.environment.property_count = 1;
    app_apply(app, &event, NULL);
}

static struct stage *submitted(struct app *app, int32_t id, int64_t tasks, int32_t of_profile) {
    struct event event = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1000000};
    event.stage = (struct event_stage){
        .id = id, .tasks = tasks, .submitted_ms = 1000000, .profile_id = of_profile};
    struct stage *stage = NULL;
    app_apply(app, &event, &stage);
    return stage;
}

static void task(struct app *app, enum event_kind kind, int32_t stage, int64_t id, int64_t from_ms,
                 int64_t to_ms) {
    struct event event = spark_task(id, 1);
    event.kind = kind;
    event.task.stage = stage;
    event.task.launch_ms = from_ms;
    event.task.finish_ms = kind == EVENT_TASK_END ? to_ms : 0;
    event.time_ms = kind == EVENT_TASK_END ? to_ms : from_ms;
    app_apply(app, &event, NULL);
}

// The slots of a stage of a hundred tasks after the first of them.
static int64_t slots_of(struct app *app, int32_t of_profile) {
    static int32_t id = 0;
    struct stage *stage = submitted(app, ++id, 100, of_profile);
    task(app, EVENT_TASK_END, id, id, 1001000, 1002000);
    return stage->slots;
}

static void an_executor_has_room_for_the_scarcest_resource(void **state) {
    (void)state;
    static const struct {
        int64_t cores, gpus;
        double cpus, task_gpus;
        int64_t slots;
    } cases[] = {
        {8, 0, 1, 0, 8},   {8, 0, 8, 0, 1},    {7, 0, 2, 0, 3}, // cores alone
        {8, 1, 1, 1, 1},   {8, 1, 1, 0.25, 4}, {8, 2, 1, 0.25, 8},
        {8, 2, 4, 0.5, 2}, // cores are scarcer
        {8, 1, 1, 0.3, 3}, {8, 4, 1, 2, 2},    {8, 5, 1, 2, 2},
        {8, 1, 1, 0.6, 1}, {4, 0, 8, 0, 1}, // Spark starts none without room for a task
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        profile(app, 1, cases[i].gpus > 0 ? cases[i].gpus : 1, cases[i].cpus, cases[i].task_gpus);
        executor(app, "1", 1, cases[i].cores, cases[i].gpus, 1000500);
        executor(app, "2", 0, 64, 0, 1000500); // of another profile
        if (slots_of(app, 1) != cases[i].slots) {
            fail_msg("case %zu: %lld", i, (long long)slots_of(app, 1));
        }
        app_free(app);
    }
}

static void without_a_profile_the_properties_tell_it(void **state) {
    (void)state;
    struct app *app = spark_app();
    executor(app, "1", -1, 8, 2, 1000500);
    assert_int_equal(slots_of(app, -1), 8);
    says(app, "spark.task.cpus", "2");
    assert_int_equal(slots_of(app, -1), 4);
    says(app, "spark.task.resource.gpu.amount", "1");
    assert_int_equal(slots_of(app, -1), 2);
    says(app, "spark.task.resource.gpu.amount", "nonsense");
    says(app, "spark.task.resource.gpu.vendor", "4");
    assert_int_equal(slots_of(app, -1), 2);
    says(app, "spark.task.resource.fpga.amount", "1"); // nobody says how many there are
    assert_int_equal(slots_of(app, -1), 2);
    says(app, "spark.executor.resource.fpga.amount", "1");
    assert_int_equal(slots_of(app, -1), 1);
    app_free(app);
}

static void a_profile_of_tasks_shares_the_default_executors(void **state) {
    (void)state;
    struct app *app = spark_app();
    executor(app, "1", 0, 8, 0, 1000500);
    profile(app, 3, 0, 4, 0); // asks nothing of executors
    assert_int_equal(slots_of(app, 3), 2);
    assert_int_equal(executors_live_slots(&app->executors), 8); // they are the same cores
    says(app, "spark.dynamicAllocation.enabled", "true");       // then it has its own
    executor(app, "2", 3, 4, 0, 1000600);
    assert_int_equal(slots_of(app, 3), 1);
    assert_int_equal(executors_live_slots(&app->executors), 9);
    app_free(app);
}

static void slots_are_weighted_by_how_long_they_were_there(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct stage *stage = submitted(app, 0, 1000, 0);
    executor(app, "1", 0, 1, 0, 1001000);
    task(app, EVENT_TASK_START, 0, 1, 1001000, 0);
    assert_int_equal(stage->slots, 1);
    executor(app, "2", 0, 19, 0, 1002000); // nine tenths of the time
    task(app, EVENT_TASK_END, 0, 1, 1001000, 1011000);
    assert_int_equal(stage->slots, 18); // 18.1
    removed(app, "2", 1011000);
    removed(app, "2", 1011000); // again
    task(app, EVENT_TASK_END, 0, 2, 1001000, 1021000);
    assert_int_equal(stage->slots, 10);     // (10 x 1 + 9 x 20 + 1) / 20
    executor(app, "3", 0, 100, 0, 1001000); // came late: from now on
    task(app, EVENT_TASK_END, 0, 3, 1001000, 1021001);
    assert_int_equal(stage->slots, 10);
    struct event done = {.kind = EVENT_STAGE_COMPLETED, .time_ms = 1021002};
    done.stage = (struct event_stage){.tasks = 1000, .completed_ms = 1021002};
    app_apply(app, &done, NULL);
    task(app, EVENT_TASK_END, 0, 4, 1001000, 1031000); // after its end it used none
    assert_int_equal(stage->slots, 10);
    app_free(app);
}

static void unknown_executors_have_as_many_as_tasks_were_seen_at_once(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct stage *stage = submitted(app, 0, 100, 0);
    for (int round = 0; round < 2; round++) { // each start comes twice
        for (int id = 0; id < 6; id++) {
            task(app, EVENT_TASK_START, 0, id, 1001000, 0);
        }
    }
    assert_int_equal(stage->tasks_running, 6);
    task(app, EVENT_TASK_END, 0, 0, 1001000, 1005000);
    assert_int_equal(stage->slots, 6);
    // A slot's next task is launched before the end of the one before is known.
    task(app, EVENT_TASK_START, 0, 7, 1006000, 0);
    task(app, EVENT_TASK_START, 0, 8, 1006000, 0);
    task(app, EVENT_TASK_END, 0, 1, 1001000, 1006049);
    assert_int_equal(stage->slots, 6);
    task(app, EVENT_TASK_START, 0, 0, 1001000, 0); // a start that came after its end
    task(app, EVENT_TASK_START, 0, 9, 1006000, 0);
    task(app, EVENT_TASK_END, 0, 2, 1001000, 1006050);
    assert_int_equal(stage->slots, 7);
    executor(app, "1", 0, 4, 0, 1006050); // one is known, the others are not
    task(app, EVENT_TASK_END, 0, 3, 1001000, 1016050);
    assert_int_equal(stage->slots, 7);
    assert_int_equal(stage->live_slots, 7);
    struct stage *small = submitted(app, 1, 3, 0);
    task(app, EVENT_TASK_END, 1, 20, 1017000, 1018000);
    assert_int_equal(small->slots, 3); // no more than it has tasks
    assert_int_equal(small->live_slots, 4);
    app_free(app);
}

static void executors_that_were_let_go_count_once(void **state) {
    (void)state;
    struct app *app = spark_app();
    executor(app, "1", 0, 4, 0, 1000500);
    executor(app, "2", 0, 4, 0, 1000500);
    assert_int_equal(slots_of(app, 0), 8);
    assert_true(app_let_go(app, LET_GO_DETAILS));
    assert_int_equal(slots_of(app, 0), 8);
    executor(app, "1", 0, 4, 0, 1002000); // heard of again, or a new one: nobody knows
    assert_int_equal(slots_of(app, 0), 8);
    executor(app, "3", 0, 6, 0, 1002000);
    assert_int_equal(slots_of(app, 0), 10);
    app_free(app);
}

static void profiles_are_bounded(void **state) {
    (void)state;
    struct app *app = spark_app();
    executor(app, "1", 0, 4, 0, 1000500);
    for (int32_t id = 1; id < 1000; id++) {
        profile(app, id, 1, 1, 0.5);
        executor(app, "x", id, 4, 0, 1000500);
    }
    assert_int_equal(app->executors.slots.count, SLOT_PROFILES_MAX - 2);
    assert_int_equal(slots_of(app, 999), slots_of(app, 0)); // beyond: as the default one
    app_free(app);
}

static void run_time_is_wall_time(void **state) {
    (void)state;
    static const struct {
        int major, minor;
        int64_t run_ms, kept_ms;
    } cases[] = {{4, 1, 4000, 1000}, {4, 0, 4000, 4000}, {3, 5, 4000, 4000}, {0, 0, 4000, 1000},
                 {5, 0, 4000, 1000}, {4, 1, 1001, 250},  {4, 1, 1000, 1000}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        profile(app, 2, 1, 4, 0);
        submitted(app, 0, 10, 2);
        app->spark_major = cases[i].major;
        app->spark_minor = cases[i].minor;
        struct event event = spark_task(1, 1000);
        event.task.run_ms = cases[i].run_ms;
        app_apply(app, &event, NULL);
        assert_int_equal(app_stage(app, 0, 0)->summary.run_ms, cases[i].kept_ms);
        assert_int_equal(app->totals.run_ms, cases[i].kept_ms);
        app_free(app);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_executor_has_room_for_the_scarcest_resource),
        cmocka_unit_test(without_a_profile_the_properties_tell_it),
        cmocka_unit_test(a_profile_of_tasks_shares_the_default_executors),
        cmocka_unit_test(slots_are_weighted_by_how_long_they_were_there),
        cmocka_unit_test(unknown_executors_have_as_many_as_tasks_were_seen_at_once),
        cmocka_unit_test(executors_that_were_let_go_count_once),
        cmocka_unit_test(profiles_are_bounded),
        cmocka_unit_test(run_time_is_wall_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
