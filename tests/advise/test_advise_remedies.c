// test_advise_remedies: what the general advice adds to the detectors' words: settings where one
// helps, lines that fit the run, and nothing on what another advisor has answered.
#include "advice_kit.h"

static const struct recommendation *ask(void) {
    return kit_ask("remedies");
}

static void rows_by_hand_go_in_batches(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_PYTHON_UDF, CAUSE_NONE, -1, 9);
    kit_evidence(b, "row_by_row", 1);
    const struct recommendation *r = ask();
    assert_string_equal(kit_value("spark.sql.execution.pythonUDF.arrow.enabled"), "true");
    assert_non_null(strstr(r->code, "pandas_udf"));
    assert_non_null(strstr(r->when_not, "PyArrow"));
    kit.app->spark_minor = 4; // it knows the setting, and does less by it
    ask();
    assert_string_equal(kit_value("spark.sql.execution.pythonUDF.arrow.enabled"), "");
    kit.app->spark_minor = 5;
    b->evidence[0].value = 0; // they do so already
    r = ask();
    assert_int_equal(r->setting_count, 0);
    assert_null(r->code);
    assert_non_null(strstr(r->action, "in batches already"));
}

static void a_slow_host_is_overtaken(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_STRAGGLER, CAUSE_SLOW_HOST, 0, 9);
    ask();
    assert_string_equal(kit_value("spark.speculation"), "true");
    kit_property("spark.master", "local"); // there is no other
    assert_int_equal(ask()->setting_count, 0);
    kit_property("spark.master", "yarn");
    b->cause = CAUSE_COSTLY_RECORDS; // a copy is as slow
    assert_int_equal(ask()->setting_count, 0);
}

static void fewer_copies_are_made(void **state) {
    (void)state;
    kit_verdict(KIND_SPECULATION_WASTE, CAUSE_NONE, 0, 9);
    app_stage(kit.app, 0, 0)->summary.mean_task_ms = 2500;
    ask();
    assert_string_equal(kit_value("spark.speculation.multiplier"), "3");
    assert_string_equal(kit_value("spark.speculation.quantile"), "0.9");
    assert_string_equal(kit_value("spark.speculation.minTaskRuntime"), "5s");
}

static void skew_outside_of_joins_is_no_join(void **state) {
    (void)state;
    kit_verdict(KIND_DATA_SKEW, CAUSE_DATA, 1, 9);
    assert_null(strstr(ask()->action, "join"));
    app_stage(kit.app, 1, 0)->joins = 1 << JOIN_FULL_OUTER;
    assert_non_null(strstr(ask()->action, "join"));
}

static void pods_that_come_late_are_told_from_slots(void **state) {
    (void)state;
    kit_verdict(KIND_RESOURCE_CONTENTION, CAUSE_NONE, 0, 40);
    kit.app->executors.first_added_ms = 1010000; // ten seconds after the start
    assert_null(strstr(ask()->action, "pods"));
    kit_property("spark.master", "k8s");
    assert_non_null(strstr(ask()->action, "The pods of its executors took so long to start"));
    kit.app->executors.first_added_ms = 1009999;
    assert_null(strstr(ask()->action, "pods"));
}

static void the_start_of_a_program_is_no_queue(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_RESOURCE_CONTENTION, CAUSE_NONE, 0, 40);
    assert_non_null(strstr(ask()->action, "queue"));
    kit_property("spark.master", "local");
    const struct recommendation *r = ask();
    assert_non_null(strstr(r->action, "the program's start"));
    assert_null(strstr(r->action, "queue"));
    assert_non_null(strstr(r->when_not, "a run of minutes"));
    b->cause = CAUSE_OWN_JOBS;
    assert_null(strstr(ask()->action, "the program's start"));
    b->cause = CAUSE_NONE;
    b->stage = 3;
    assert_null(strstr(ask()->action, "the program's start"));
}

// Of two stages that failed one ran out of memory, which has an advisor of its own.
static void what_is_answered_is_left_out(void **state) {
    (void)state;
    kit_property("spark.master", "yarn");
    kit_evidence(kit_verdict(KIND_TASK_FAILURES, CAUSE_OOM, 0, 40), "failed_oom", 1);
    kit_verdict(KIND_TASK_FAILURES, CAUSE_USER_CODE, 1, 9);
    assert_string_equal(kit_ask(NULL)->kind, "memory");
    assert_int_equal(kit.advice.count, 2);
    const struct recommendation *r = &kit.advice.list[1];
    assert_string_equal(r->kind, "task_failures");
    assert_int_equal(r->bottleneck_count, 1);
    assert_string_equal(r->bottlenecks[0], "id-1");
    assert_near(r->saving_s, 9, 0);
    assert_non_null(strstr(r->action, "In this run: stage 1 has it."));
    assert_non_null(strstr(r->when_not, "has to fail"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(pods_that_come_late_are_told_from_slots),
        KIT_TEST(the_start_of_a_program_is_no_queue),
        KIT_TEST(rows_by_hand_go_in_batches),
        KIT_TEST(a_slow_host_is_overtaken),
        KIT_TEST(fewer_copies_are_made),
        KIT_TEST(skew_outside_of_joins_is_no_join),
        KIT_TEST(what_is_answered_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
