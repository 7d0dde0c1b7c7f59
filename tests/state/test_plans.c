// test_plans: the joins of plans: which accumulators tell of their sides, that the last plan counts
// and what came before it stays, what is kept of an execution that is over, and bounds.
#include "support/test.h"

#include "support/plan.h"

// Rows out, then rows, bytes and shuffled bytes of the left and of the right side.
static void values(struct app *app, int32_t stage, int64_t task, int64_t ms, int64_t base,
                   const int64_t of[7]) {
    struct event_accum accums[7];
    for (int i = 0; i < 7; i++) {
        accums[i] = (struct event_accum){base + i, of[i]};
    }
    plan_task(app, stage, task, ms, accums, 7);
}

static void the_sides_of_a_join_are_counted(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    int32_t root = plan_node(&kit, -1, "AdaptiveSparkPlan");
    plan_join(&kit, root, "SortMergeJoin(skew=true)", 10, JOIN_LEFT_OUTER);
    plan_send(app, &kit, 3, EVENT_SQL_START);
    assert_int_equal(app->plans.join_count, 1);
    values(app, 0, 1, 500, 10, (int64_t[]){7, 100, 2000, 900, 5, 60, 40});
    values(app, 0, 2, 700, 10, (int64_t[]){3, 100, 2000, 900, 5, 60, 40});
    struct join_over join = plans_join_now(app, &app->plans.joins[0]);
    assert_int_equal(join.execution, 3);
    assert_int_equal(join.way, JOIN_WAY_SHUFFLED);
    assert_int_equal(join.type, JOIN_LEFT_OUTER);
    assert_int_equal(join.out, 10);
    assert_int_equal(join.left.rows, 200);
    assert_int_equal(join.left.bytes, 4000);
    assert_int_equal(join.left.moved, 1800);
    assert_int_equal(join.right.rows, 10);
    assert_int_equal(join.right.moved, 80);
    assert_int_equal(join.cost_ms, 700); // 1200 of work on one slot, 700 of wall time
    assert_true(join.final);
    plan_end(app, 3);
    assert_int_equal(app->plans.join_count, 0);
    assert_int_equal(app->plans.value_count, 0);
    assert_int_equal(app->plans.over_count, 1);
    assert_false(idmap_get(&app->accum_roles, 10, NULL));       // nobody asks for them any more
    assert_true(idmap_get(&app->accum_roles, 9101 + 10, NULL)); // a scan's stay
    app_free(app);
}

// Shuffled ones alone, while their execution goes on and when it is over.
static void a_stage_knows_the_joins_it_did(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    int32_t root = plan_node(&kit, -1, "AdaptiveSparkPlan");
    plan_join(&kit, root, "SortMergeJoin", 10, JOIN_LEFT_OUTER);
    plan_join(&kit, root, "BroadcastHashJoin", 30, JOIN_INNER);
    plan_send(app, &kit, 3, EVENT_SQL_START);
    const struct stage *stage = spark_stage(app, EVENT_STAGE_SUBMITTED, 4, 1, 1000000, 0);
    assert_int_equal(plans_joins_of(app, stage), 0);
    values(app, 4, 1, 500, 10, (int64_t[]){7, 100, 2000, 900, 5, 60, 40});
    values(app, 4, 2, 500, 30, (int64_t[]){7, 100, 2000, 900, 5, 60, 40});
    assert_int_equal(plans_joins_of(app, stage), 1 << JOIN_LEFT_OUTER);
    assert_int_equal(stage->joins, 0);
    plan_end(app, 3);
    assert_int_equal(stage->joins, 1 << JOIN_LEFT_OUTER);
    assert_int_equal(plans_joins_of(app, stage), 1 << JOIN_LEFT_OUTER);
    assert_int_equal(plans_joins_of(app, spark_stage(app, EVENT_STAGE_SUBMITTED, 5, 1, 1000000, 0)),
                     0);
    app_free(app);
}

static void rows_are_counted_next_to_the_join(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    int32_t join = plan_node(&kit, -1, "BroadcastNestedLoopJoin");
    plan_metric(&kit, "number of output rows", 1);
    int32_t filter = plan_node(&kit, join, "Filter");
    plan_metric(&kit, "number of output rows", 2);
    plan_node(&kit, filter, "Scan parquet t");
    plan_metric(&kit, "number of output rows", 3);
    int32_t broadcast = plan_node(&kit, join, "BroadcastExchange");
    plan_metric(&kit, "number of output rows", 4);
    plan_metric(&kit, "data size", 5);
    plan_node(&kit, broadcast, "Scan parquet u");
    plan_metric(&kit, "number of output rows", 6);
    plan_driver_value(app, 0, 4, 40); // before the plan that explains it
    plan_send(app, &kit, 0, EVENT_SQL_START);
    plan_driver_value(app, 0, 5, 500);
    plan_driver_value(app, 0, 5, 600); // the last counts
    plan_task(app, 0, 1, 100, (struct event_accum[]){{1, 9}, {2, 30}, {3, 99}}, 3);
    struct join_over now = plans_join_now(app, &app->plans.joins[0]);
    assert_int_equal(now.left.rows, 30);
    assert_int_equal(now.left.bytes, PLANS_UNKNOWN); // nothing is shuffled
    assert_int_equal(now.right.rows, 40);
    assert_int_equal(now.right.bytes, 600);
    app_free(app);
}

// A union has several inputs and counts none of them; a cache was filled by somebody else.
static void what_cannot_be_counted_is_unknown(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit kit = {0};
    int32_t join = plan_node(&kit, -1, "SortMergeJoin");
    plan_metric(&kit, "number of output rows", 1);
    int32_t both = plan_node(&kit, join, "Union");
    for (int64_t id = 2; id < 4; id++) {
        plan_node(&kit, both, "Filter");
        plan_metric(&kit, "number of output rows", id);
    }
    int32_t cache = plan_node(&kit, join, "InMemoryTableScan");
    plan_node(&kit, cache, "Exchange");
    plan_metric(&kit, "shuffle records written", 5);
    plan_send(app, &kit, 0, EVENT_SQL_START);
    plan_task(app, 0, 1, 100, (struct event_accum[]){{1, 9}, {2, 30}, {5, 99}}, 3);
    struct join_over now = plans_join_now(app, &app->plans.joins[0]);
    assert_int_equal(now.left.rows, PLANS_UNKNOWN);
    assert_int_equal(now.right.rows, PLANS_UNKNOWN);
    app_free(app);
}

static void the_last_plan_counts_and_keeps_what_came(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct plan_kit first = {0}, last = {0}, other = {0};
    int32_t root = plan_node(&first, -1, "AdaptiveSparkPlan");
    first.nodes[root].unfinished = true;
    plan_join(&first, root, "SortMergeJoin", 10, JOIN_INNER);
    plan_join(&first, root, "SortMergeJoin", 20, JOIN_INNER);
    plan_send(app, &first, 0, EVENT_SQL_START);
    assert_false(plans_join_now(app, &app->plans.joins[0]).final);
    values(app, 0, 1, 500, 10, (int64_t[]){7, 100, 2000, 900, 5, 60, 40});
    root = plan_node(&last, -1, "AdaptiveSparkPlan");
    plan_join(&last, root, "SortMergeJoin", 10, JOIN_INNER);
    plan_send(app, &last, 0, EVENT_SQL_ADAPTIVE_PLAN);
    plan_send(app, &first, 0, EVENT_SQL_START); // again, late
    plan_join(&other, -1, "SortMergeJoin", 30, JOIN_INNER);
    plan_send(app, &other, 1, EVENT_SQL_START);
    assert_int_equal(app->plans.join_count, 2);
    struct join_over now = plans_join_now(app, &app->plans.joins[0]);
    assert_true(now.final);
    assert_int_equal(now.left.rows, 100);
    assert_int_equal(now.cost_ms, 500);
    assert_false(idmap_get(&app->accum_roles, 20, NULL)); // of the join that went
    app_free(app);
}

// Of joins that are over the costliest are kept, of those that may matter.
static void little_is_kept_of_what_is_over(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int64_t e = 0; e < PLANS_OVERS_MAX + 3; e++) {
        struct plan_kit kit = {0};
        plan_join(&kit, -1, "SortMergeJoin", 10 * e, JOIN_INNER);
        plan_send(app, &kit, e, EVENT_SQL_START);
        int64_t rows = e == 2 ? 2 * PLANS_SMALL_ROWS : 5;
        values(app, (int32_t)e, e, 100 + (e * 7) % 5, 10 * e,
               (int64_t[]){7, rows, 2000, 900, rows, 60, 40});
        plan_end(app, e);
        assert_int_equal(app->plans.join_count, 0);
    }
    // 100, 102, 104 (matters not: both sides are large), 101, 103, 100, 102
    assert_int_equal(app->plans.over_count, PLANS_OVERS_MAX);
    const int64_t costs[] = {103, 102, 102, 101};
    for (uint32_t i = 0; i < PLANS_OVERS_MAX; i++) {
        assert_int_equal(app->plans.overs[i].cost_ms, costs[i]);
    }
    assert_int_equal(app->plans.overs[1].execution, 1); // of equal ones the first
    app_free(app);
}

static void open_joins_are_bounded_over_all_executions(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int64_t e = 0; e < PLANS_JOINS_MAX + 5; e++) {
        struct plan_kit kit = {0};
        plan_join(&kit, -1, "SortMergeJoin", 10 * e, JOIN_INNER);
        plan_send(app, &kit, e, EVENT_SQL_START);
    }
    assert_int_equal(app->plans.join_count, PLANS_JOINS_MAX);
    assert_int_equal(app->plans.joins[0].execution, 5); // the oldest went
    assert_int_equal(app->limits, 0);
    int64_t before = app_bytes(app);
    assert_true(app_let_go(app, LET_GO_DETAILS));
    assert_int_equal(app->plans.join_count, 0);
    assert_true(app_bytes(app) < before - PLANS_JOINS_MAX * (int64_t)sizeof(struct plan_join));
    app_free(app);
    app = spark_app();
    struct plan_kit kit = {0};
    int32_t parent = -1;
    for (int i = 0; i < 20; i++) { // nested: more metrics than a test's plan has room for
        parent = plan_node(&kit, parent, "SortMergeJoin");
        plan_metric(&kit, "number of output rows", 100 + i);
        plan_node(&kit, parent, "Exchange");
        plan_metric(&kit, "shuffle records written", 200 + i);
        plan_node(&kit, parent, "Exchange");
    }
    plan_send(app, &kit, 0, EVENT_SQL_START);
    assert_int_equal(app->plans.join_count, 20);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sides_of_a_join_are_counted),
        cmocka_unit_test(a_stage_knows_the_joins_it_did),
        cmocka_unit_test(rows_are_counted_next_to_the_join),
        cmocka_unit_test(what_cannot_be_counted_is_unknown),
        cmocka_unit_test(the_last_plan_counts_and_keeps_what_came),
        cmocka_unit_test(little_is_kept_of_what_is_over),
        cmocka_unit_test(open_joins_are_bounded_over_all_executions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
