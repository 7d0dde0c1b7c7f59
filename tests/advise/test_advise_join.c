// test_advise_join: a hint for a small side, adaptive execution or salt for a key with too many
// rows, at the edges of what Spark can split and of what is a hot key.
#include "advice_kit.h"

static struct bottleneck *strategy(enum cause cause, double bytes) {
    struct bottleneck *b = kit_verdict(KIND_JOIN_STRATEGY, cause, -1, 40);
    kit_evidence(b, "left_rows", 5e6);
    kit_evidence(b, "right_rows", 99999);
    kit_evidence(b, "right_bytes", bytes);
    return b;
}

static void a_small_side_gets_a_hint(void **state) {
    (void)state;
    strategy(CAUSE_BROADCASTABLE, 10 * KIT_MIB);
    const struct recommendation *r = kit_ask("join");
    assert_string_equal(r->kind, "join");
    assert_non_null(strstr(r->action, "It is the right side of the join."));
    assert_non_null(strstr(r->code, "F.broadcast(small)"));
    assert_non_null(strstr(r->code, "/*+ BROADCAST(small) */"));
    assert_string_equal(kit_value("spark.sql.autoBroadcastJoinThreshold"), ""); // it is within
    assert_string_equal(kit_value("spark.sql.adaptive.enabled"), "");
    kit_property("spark.sql.adaptive.enabled", "false");
    kit_ask("join");
    assert_string_equal(kit_value("spark.sql.adaptive.enabled"), "true");
}

static void the_threshold_follows_the_small_side(void **state) {
    (void)state;
    static const struct {
        double mib;
        const char *want;
    } cases[] = {{10, ""}, {10.1, "16m"}, {16, "16m"}, {17, "32m"}, {64, "64m"}, {5000, "128m"}};
    struct bottleneck *b = strategy(CAUSE_BROADCASTABLE, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        b->evidence[2].value = cases[i].mib * KIT_MIB;
        kit_ask("join");
        assert_string_equal(kit_value("spark.sql.autoBroadcastJoinThreshold"), cases[i].want);
    }
    kit_property("spark.sql.autoBroadcastJoinThreshold", "-1");
    const struct recommendation *r = kit_ask("join");
    assert_string_equal(kit_value("spark.sql.autoBroadcastJoinThreshold"), "");
    assert_non_null(strstr(r->action, "is set to -1 here; the hint holds nevertheless"));
}

static void a_nested_loop_gets_an_equality(void **state) {
    (void)state;
    struct bottleneck *b = strategy(CAUSE_NESTED_LOOP, 0);
    assert_non_null(strstr(kit_ask("join")->code, "sequence(floor(lo / 3600), floor(hi / 3600))"));
    b->cause = CAUSE_EXPLODING;
    assert_null(kit_ask("join")->code);
}

// Stage 1 joins, and one task of it read 200 MiB and 11 % of its rows, the others 20 MiB.
static struct bottleneck *skewed(enum join_type type) {
    struct bottleneck *b = kit_verdict(KIND_DATA_SKEW, CAUSE_DATA, 1, 60);
    struct stage *stage = app_stage(kit.app, 1, 0);
    stage->joins = 1 << type;
    stage->records = 1000;
    kit_evidence(b, "slow_task_bytes", 200 * KIT_MIB);
    kit_evidence(b, "other_task_bytes", 20 * KIT_MIB);
    kit_evidence(b, "slow_task_records", 110);
    return b;
}

static void adaptive_execution_splits_what_it_can(void **state) {
    (void)state;
    skewed(JOIN_INNER);
    const struct recommendation *r = kit_ask("join");
    assert_string_equal(kit_value("spark.sql.adaptive.enabled"), "true");
    assert_string_equal(kit_value("spark.sql.adaptive.skewJoin.enabled"), "true");
    // 100 MiB a side: below Spark's own 256 MiB
    assert_string_equal(kit_value("spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes"),
                        "32m");
    assert_string_equal(kit_value("spark.sql.adaptive.advisoryPartitionSizeInBytes"), "8m");
    assert_string_equal(kit_value("spark.sql.adaptive.skewJoin.skewedPartitionFactor"), "");
    assert_string_equal(kit_value("spark.sql.adaptive.forceOptimizeSkewedJoin"), "");
    assert_non_null(strstr(r->action, "join in stage 1 that have 200.0 MiB, where the others have "
                                      "20.0 MiB; where it cannot, salt the hot key instead."));
    assert_non_null(strstr(r->action, "One task had 11 % of the rows."));
    assert_null(r->code); // one way at a time: salting copies the other side
    assert_int_equal(r->bottleneck_count, 1);
}

static void what_it_left_although_it_might_is_forced(void **state) {
    (void)state;
    struct bottleneck *b = skewed(JOIN_LEFT_OUTER);
    b->evidence[0].value = 2048 * KIT_MIB;
    assert_non_null(strstr(kit_ask("join")->code, "10 buckets")); // it had its chance
    assert_string_equal(kit_value("spark.sql.adaptive.forceOptimizeSkewedJoin"), "true");
    kit.app->spark_minor = 2; // which does not know it
    kit_ask("join");
    assert_string_equal(kit_value("spark.sql.adaptive.forceOptimizeSkewedJoin"), "");
    kit.app->spark_minor = 5;
    b->evidence[1].value = 1024 * KIT_MIB; // twice the others, which is no skew to it
    kit_ask("join");
    assert_string_equal(kit_value("spark.sql.adaptive.forceOptimizeSkewedJoin"), "");
    assert_string_equal(kit_value("spark.sql.adaptive.skewJoin.skewedPartitionFactor"), "2");
}

// Rows of both sides are kept, or it is older than adaptive execution: salt, if there is a hot key.
static void what_cannot_be_split_is_salted(void **state) {
    (void)state;
    struct bottleneck *b = skewed(JOIN_FULL_OUTER);
    const struct recommendation *r = kit_ask("join");
    assert_int_equal(r->setting_count, 0);
    assert_int_equal(
        strncmp(r->action, "Salt the hot key of the join in stage 1 with 10 buckets.", 56), 0);
    assert_non_null(strstr(r->code, "CROSS JOIN range(10)"));
    b->evidence[2].value = 100; // a tenth of the rows is not more than a tenth
    assert_null(kit_ask("join"));
    b->evidence[2].value = 101;
    assert_non_null(kit_ask("join"));
    app_stage(kit.app, 1, 0)->joins = 1 << JOIN_INNER;
    kit.app->spark_major = 2;
    assert_int_equal(kit_ask("join")->setting_count, 0);
}

static void skew_without_a_join_is_left_to_the_remedies(void **state) {
    (void)state;
    struct bottleneck *b = skewed(JOIN_INNER);
    app_stage(kit.app, 1, 0)->joins = 0;
    assert_null(kit_ask("join"));
    const struct recommendation *r = kit_ask("remedies");
    assert_string_equal(r->kind, "data_skew");
    assert_non_null(strstr(r->code, "pmod(xxhash64(id), 10)"));
    app_stage(kit.app, 1, 0)->joins = 1 << JOIN_INNER;
    b->cause = CAUSE_UNKNOWN;
    assert_null(kit_ask("join"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_small_side_gets_a_hint),
        KIT_TEST(the_threshold_follows_the_small_side),
        KIT_TEST(a_nested_loop_gets_an_equality),
        KIT_TEST(adaptive_execution_splits_what_it_can),
        KIT_TEST(what_it_left_although_it_might_is_forced),
        KIT_TEST(what_cannot_be_split_is_salted),
        KIT_TEST(skew_without_a_join_is_left_to_the_remedies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
