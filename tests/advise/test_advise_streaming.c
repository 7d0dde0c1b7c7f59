// test_advise_streaming: more slots for a query whose batches use those it has, more tasks where
// they do not, and nothing that a checkpoint keeps as it was.
#include "advice_kit.h"

// A query that takes 1.5 times as long as its rows take to come, on 8 slots of two executors.
static void lagging(double used) {
    kit_property("spark.master", "yarn");
    kit_property("spark.executor.cores", "4");
    spark_executor(kit.app, "1", "h1", 4);
    spark_executor(kit.app, "2", "h2", 4);
    spark_stage(kit.app, EVENT_STAGE_SUBMITTED, 0, 8, 1001000, 0);
    spark_stage(kit.app, EVENT_STAGE_COMPLETED, 0, 8, 1001000, 1101000);
    kit.app->totals.task_ms = (int64_t)(8 * 100000 * used);
    struct bottleneck *b = kit_verdict(KIND_STREAMING_LAG, CAUSE_NONE, -1, 9);
    kit_evidence(b, "load", 1.5);
}

static void slots_that_are_used_become_more(void **state) {
    (void)state;
    lagging(0.9);
    const struct recommendation *r = kit_ask("streaming");
    assert_string_equal(r->kind, "streaming");
    assert_non_null(
        strstr(r->action, "Give the query 12 slots instead of 8: its batches use 90 %"));
    assert_string_equal(kit_value("spark.executor.instances"), "3");
    assert_int_equal(r->setting_count, 1);
    assert_null(r->code);
    kit_property("spark.dynamicAllocation.enabled", "true");
    kit_ask("streaming");
    assert_string_equal(kit_value("spark.executor.instances"), "");
    assert_string_equal(kit_value("spark.dynamicAllocation.maxExecutors"), "3");
    kit_property("spark.master", "local");
    assert_int_equal(kit_ask("streaming")->setting_count, 0);
}

static void slots_that_idle_get_more_tasks(void **state) {
    (void)state;
    lagging(0.4);
    const struct recommendation *r = kit_ask("streaming");
    assert_int_equal(r->setting_count, 0);
    assert_non_null(strstr(r->action, "they use only 40 % of the time of 8 slots"));
    assert_non_null(strstr(r->code, "\"minPartitions\", 8"));
}

static void state_that_makes_garbage_leaves_the_heap(void **state) {
    (void)state;
    lagging(0.9);
    kit.app->totals.run_ms = 1000;
    kit.app->totals.gc_ms = 100;
    kit_ask("streaming");
    assert_string_equal(kit_value("spark.sql.streaming.stateStore.providerClass"), "");
    kit.app->totals.gc_ms = 101;
    const struct recommendation *r = kit_ask("streaming");
    assert_non_null(strstr(kit_value("spark.sql.streaming.stateStore.providerClass"), "RocksDB"));
    assert_non_null(strstr(r->when_not, "checkpoint"));
    kit.app->spark_minor = 1; // has none
    kit_ask("streaming");
    assert_string_equal(kit_value("spark.sql.streaming.stateStore.providerClass"), "");
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(slots_that_are_used_become_more),
        KIT_TEST(slots_that_idle_get_more_tasks),
        KIT_TEST(state_that_makes_garbage_leaves_the_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
