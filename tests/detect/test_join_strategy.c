// test_join_strategy: joins that cost more than they must, at the edges of what is one: the rows
// and bytes of the small side, which side may be broadcast, pairs, explosions, and what takes no
// time.
#include "detect_kit.h"

#include "support/plan.h"

enum { MIB = 1 << 20 };

// A join of execution 0 whose numbers came with one task of 60 s on two slots: rows out, then rows,
// bytes and shuffled bytes of the left and of the right side.
static struct app *joined(const char *way, enum join_type type, const int64_t of[7]) {
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    struct event_accum accums[7];
    spark_executor(app, "1", "h1", 2);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 1, 2, 1001000, 0);
    plan_join(&kit, -1, way, 10, type);
    plan_send(app, &kit, 0, EVENT_SQL_START);
    for (int i = 0; i < 7; i++) {
        accums[i] = (struct event_accum){10 + i, of[i]};
    }
    plan_task(app, 1, 1, 60000, accums, 7);
    return app;
}

static struct verdict of(const char *way, enum join_type type, const int64_t numbers[7]) {
    struct app *app = joined(way, type, numbers);
    struct verdict open = judge(KIND_JOIN_STRATEGY, app, NULL, false);
    plan_end(app, 0);
    struct verdict over = judge(KIND_JOIN_STRATEGY, app, NULL, true);
    assert_int_equal(open.cause, over.cause);
    assert_near(open.saving_s, over.saving_s, 1e-9);
    app_free(app);
    return over;
}

static const int64_t small_right[7] = {5000000, 5000000, 0, 64 * MIB, 99999, 64 * MIB, MIB};

static void a_small_side_could_be_broadcast(void **state) {
    (void)state;
    struct verdict v = of("SortMergeJoin", JOIN_INNER, small_right);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_BROADCASTABLE);
    assert_near(v.saving_s, 30, 1e-9); // 60 s of work on two slots
    assert_int_equal(v.confidence, CONFIDENCE_HIGH);
    assert_near(evidence(&v, "right_rows"), 99999, 0);
    static const struct {
        int place;
        int64_t value;
    } edges[] = {{4, 100000}, {5, 64 * MIB + 1}, {3, 64 * MIB - 1}, {1, 99999}};
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        int64_t numbers[7];
        memcpy(numbers, small_right, sizeof numbers);
        numbers[0] = 99999; // no explosion either
        numbers[edges[i].place] = edges[i].value;
        assert_int_equal(of("SortMergeJoin", JOIN_INNER, numbers).rule_met, TRI_FALSE);
    }
    const int64_t little[7] = {99999, 5000000, 0, 16 * MIB - 1, 99999, MIB, MIB};
    assert_int_equal(of("SortMergeJoin", JOIN_INNER, little).rule_met, TRI_FALSE);
    assert_int_equal(of("GpuShuffledHashJoin", JOIN_INNER, small_right).rule_met, TRI_TRUE);
    assert_int_equal(of("BroadcastHashJoin", JOIN_INNER, small_right).rule_met, TRI_FALSE);
}

static void only_some_sides_may_be_broadcast(void **state) {
    (void)state;
    const int64_t small_left[7] = {5000000, 1000, 24000, MIB, 5000000, 0, 400 * MIB};
    static const struct {
        enum join_type type;
        bool left, right;
    } cases[] = {{JOIN_INNER, true, true},
                 {JOIN_LEFT_OUTER, false, true},
                 {JOIN_RIGHT_OUTER, true, false},
                 {JOIN_FULL_OUTER, false, false},
                 {JOIN_LEFT_SEMI, false, true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(of("SortMergeJoin", cases[i].type, small_left).rule_met == TRI_TRUE,
                         cases[i].left);
        assert_int_equal(of("SortMergeJoin", cases[i].type, small_right).rule_met == TRI_TRUE,
                         cases[i].right);
    }
    assert_int_equal(of("SortMergeJoin", JOIN_UNKNOWN, small_left).confidence, CONFIDENCE_MEDIUM);
}

static void pairs_of_many_rows_are_a_finding(void **state) {
    (void)state;
    const int64_t pairs[7] = {100, 1000, 0, 0, 10, 0, 0}, few[7] = {100, 1000, 0, 0, 9, 0, 0};
    assert_int_equal(of("CartesianProduct", JOIN_INNER, pairs).cause, CAUSE_CARTESIAN);
    assert_int_equal(of("BroadcastNestedLoopJoin", JOIN_INNER, pairs).cause, CAUSE_NESTED_LOOP);
    assert_int_equal(of("CartesianProduct", JOIN_INNER, few).rule_met, TRI_FALSE);
    assert_int_equal(of("BroadcastNestedLoopJoin", JOIN_INNER, few).rule_met, TRI_FALSE);
}

static void more_rows_come_out_than_go_in(void **state) {
    (void)state;
    const int64_t explodes[7] = {2000010, 200000, 0, MIB, 100000, 0, MIB};
    struct verdict v = of("BroadcastHashJoin", JOIN_INNER, explodes);
    assert_int_equal(v.cause, CAUSE_EXPLODING);
    assert_near(v.saving_s, 30 * (1 - 200000.0 / 2000010), 1e-9);
    const int64_t ten_times[7] = {2000000, 200000, 0, MIB, 200000, 0, MIB};
    assert_int_equal(of("SortMergeJoin", JOIN_INNER, ten_times).rule_met, TRI_FALSE);
    const int64_t few[7] = {999999, 100, 0, MIB, 100, 0, MIB};
    assert_int_equal(of("BroadcastHashJoin", JOIN_INNER, few).rule_met, TRI_FALSE);
}

// A plan that an adaptive one replaced ran nowhere: no task told of its rows.
static void a_join_that_did_not_run_is_none(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    plan_join(&kit, -1, "SortMergeJoin", 10, JOIN_INNER);
    plan_send(app, &kit, 0, EVENT_SQL_START);
    plan_task(app, 0, 1, 60000,
              (struct event_accum[]){{11, 5000000}, {13, 400 * MIB}, {14, 10}, {15, 24}}, 4);
    plan_end(app, 0);
    assert_int_equal(judge(KIND_JOIN_STRATEGY, app, NULL, true).rule_met, TRI_FALSE);
    app_free(app);
}

static void rdds_are_paired_without_a_plan(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event info = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1000300};
    info.stage = (struct event_stage){.tasks = 2, .works = WORK_CARTESIAN};
    app_apply(app, &info, NULL);
    struct event task = spark_task(1, 60000);
    app_apply(app, &task, NULL);
    struct verdict v = judge(KIND_JOIN_STRATEGY, app, NULL, true);
    assert_int_equal(v.cause, CAUSE_CARTESIAN);
    assert_near(v.saving_s, 60, 1e-9);
    assert_int_equal(v.confidence, CONFIDENCE_MEDIUM);
    struct event_property of_sql = {STR("spark.sql.execution.id"), STR("0")};
    info.stage.properties = &of_sql;
    info.stage.property_count = 1;
    app_apply(app, &info, NULL); // its plan tells more
    assert_int_equal(judge(KIND_JOIN_STRATEGY, app, NULL, true).rule_met, TRI_FALSE);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_side_could_be_broadcast),
        cmocka_unit_test(only_some_sides_may_be_broadcast),
        cmocka_unit_test(pairs_of_many_rows_are_a_finding),
        cmocka_unit_test(more_rows_come_out_than_go_in),
        cmocka_unit_test(a_join_that_did_not_run_is_none),
        cmocka_unit_test(rdds_are_paired_without_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
