// test_advise_executors: how many executors would do where they idle: never fewer than the run had
// tasks for at once, and nothing of what is not known.
#include "advice_kit.h"

static const struct recommendation *ask(void) {
    return kit_ask("executors");
}

static void executors_that_idle_may_go(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_IDLE_EXECUTORS, CAUSE_NONE, -1, 0);
    kit_evidence(b, "executors_added", 12);
    ask();
    assert_string_equal(kit_value("spark.dynamicAllocation.enabled"), "true");
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "12");
    assert_string_equal(kit_value("spark.dynamicAllocation.minExecutors"), "1");
    assert_string_equal(kit_value("spark.dynamicAllocation.shuffleTracking.enabled"), "true");
    assert_string_equal(kit_value("spark.dynamicAllocation.executorIdleTimeout"), "60s");
    kit_property("spark.shuffle.service.enabled", "true");
    ask();
    assert_string_equal(kit_value("spark.dynamicAllocation.shuffleTracking.enabled"), "");
    kit_property("spark.dynamicAllocation.enabled", "true");
    ask();
    assert_string_equal(kit_value("spark.dynamicAllocation.minExecutors"), "");
    kit_property("spark.shuffle.service.enabled", "false");
    kit_property("spark.dynamicAllocation.enabled", "false");
    kit.app->spark_major = 2; // shuffled data would go with its executor
    assert_int_equal(ask()->setting_count, 0);
    kit.app->spark_major = 3;
    kit.app->signs.stream = kit.app->signs.endless = true;
    assert_int_equal(ask()->setting_count, 0);
}

// Twelve executors of four cores, and a stage of so many tasks at once, all seen to begin.
static struct stage *at_once(int64_t tasks) {
    struct bottleneck *b = kit_verdict(KIND_IDLE_EXECUTORS, CAUSE_NONE, -1, 0);
    kit_evidence(b, "executors_added", 12);
    kit_evidence(b, "core_hours_held", 48);
    kit_evidence(b, "idle_share", 0.75);
    kit_property("spark.executor.cores", "4");
    struct stage *stage = spark_stage(kit.app, EVENT_STAGE_COMPLETED, 1, tasks, 900, 2000);
    stage->summary.tasks = stage->starts = 100;
    stage->running_most = tasks;
    stage->slots = 48;
    stage->first_launch_ms = 1000;
    stage->last_finish_ms = 2000;
    return stage;
}

static void as_many_as_ran_at_once_would_do(void **state) {
    (void)state;
    struct stage *stage = at_once(9); // half as many again: 13.5 tasks
    const struct recommendation *r = ask();
    assert_int_equal(strncmp(r->action, "4 executors would do, of 12: no more than 9 tasks", 48),
                     0);
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "4");
    assert_string_equal(kit_value("spark.dynamicAllocation.initialExecutors"), "1");
    assert_string_equal(kit_value("spark.dynamicAllocation.minExecutors"), "1");
    assert_near(r->saving_s, 0, 0);
    assert_non_null(strstr(r->saving_how, "no time: up to 36.0 core hours"));
    assert_int_equal(r->bottleneck_count, 1);
    stage->beside.task_ms = 6000; // six more ran beside it
    ask();
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "6");
    stage->starts = 99; // not all were seen to begin: it may have used what it could
    ask();
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "12");
}

static void what_the_run_bounds_itself_is_bounded_lower(void **state) {
    (void)state;
    at_once(9);
    kit_property("spark.dynamicAllocation.enabled", "true");
    kit_property("spark.dynamicAllocation.minExecutors", "10");
    ask();
    assert_string_equal(kit_value("spark.dynamicAllocation.minExecutors"), "4");
    assert_string_equal(kit_value("spark.dynamicAllocation.initialExecutors"), "4");
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "4");
}

static void a_stream_has_fewer_all_the_time(void **state) {
    (void)state;
    at_once(9);
    kit.app->signs.stream = kit.app->signs.endless = true;
    assert_int_equal(ask()->setting_count, 1);
    assert_string_equal(kit_value("spark.executor.instances"), "4");
}

static void nothing_is_taken_from_what_is_not_known(void **state) {
    (void)state;
    at_once(9);
    kit.app->executors.gone_slots = 8;
    assert_null(strstr(ask()->action, "would do"));
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "12");
    kit.app->executors.gone_slots = 0;
    kit.app->gone_slots_most = 48; // of a stage that was let go
    assert_null(strstr(ask()->action, "would do"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(executors_that_idle_may_go),
        KIT_TEST(as_many_as_ran_at_once_would_do),
        KIT_TEST(what_the_run_bounds_itself_is_bounded_lower),
        KIT_TEST(a_stream_has_fewer_all_the_time),
        KIT_TEST(nothing_is_taken_from_what_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
