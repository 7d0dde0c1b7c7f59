// test_advise_shuffle: what is said of rows that move: settings and lines that fit the run, and
// what calls of groupByKey cost.
#include "advice_kit.h"

static const struct recommendation *ask(void) {
    return kit_ask("shuffle");
}

// A stage of one slot and so much task time, which the run waits for.
static struct stage *stage_of(int32_t id, int64_t from_ms, int64_t took_ms) {
    struct stage *stage =
        spark_stage(kit.app, EVENT_STAGE_COMPLETED, id, 1, from_ms, from_ms + took_ms);
    stage->summary.tasks = 1;
    stage->task_ms = stage->summary.max_task_ms = took_ms;
    stage->slots = stage->starts = 1;
    stage->first_launch_ms = from_ms;
    stage->last_finish_ms = from_ms + took_ms;
    stage->alone_ms = took_ms;
    stage->waited_ms = (double)took_ms;
    return stage;
}

static struct stage *grouping(int64_t written_bytes) {
    struct stage *stage = stage_of(0, 1000, 40000);
    snprintf(stage->summary.name, sizeof stage->summary.name, "groupByKey at job.py:7");
    stage->summary.shuffle_write_bytes = written_bytes;
    stage->shuffle_write_ns = INT64_C(10000000000);
    stage->python = true;
    return stage;
}

static struct stage *reader(int32_t id, int64_t from_ms, int64_t read_bytes) {
    struct stage *stage = stage_of(id, from_ms, 30000);
    stage->summary.shuffle_read_bytes = read_bytes;
    return stage;
}

static void lines_fit_the_run(void **state) {
    (void)state;
    kit_verdict(KIND_NETWORK_OVERHEAD, CAUSE_NONE, -1, 9);
    struct stage *stage = spark_stage(kit.app, EVENT_STAGE_COMPLETED, 3, 1, 1000, 2000);
    stage->summary.shuffle_write_bytes = 1;
    assert_non_null(strstr(ask()->code, "reduceByKey"));
    assert_string_equal(kit_value("spark.serializer"),
                        "org.apache.spark.serializer.KryoSerializer");
    assert_string_equal(kit_value("spark.shuffle.compress"), "true");
    stage->python = true; // its rows are bytes already
    ask();
    assert_string_equal(kit_value("spark.serializer"), "");
    stage->python = false;
    stage->execution = 1;
    assert_non_null(strstr(ask()->code, "GROUP BY key"));
    assert_string_equal(kit_value("spark.serializer"), "");
}

static void one_piece_of_a_kind(void **state) {
    (void)state;
    kit_verdict(KIND_NETWORK_OVERHEAD, CAUSE_NONE, -1, 9);
    assert_string_equal(kit_ask(NULL)->kind, "network_overhead");
    assert_int_equal(kit.advice.count, 1);
    assert_near(kit.advice.list[0].saving_s, 9, 0);
}

static void groups_are_told_without_a_verdict(void **state) {
    (void)state;
    grouping(1000 * KIT_MIB);
    reader(1, 50000, 1000 * KIT_MIB);
    reader(2, 90000, 1000 * KIT_MIB);
    const struct recommendation *r = ask();
    assert_non_null(strstr(r->action, "stage 0 groups by key (groupByKey at job.py:7)"));
    assert_non_null(strstr(r->code, "reduceByKey"));
    assert_non_null(strstr(r->when_not, "all values of a key"));
    assert_near(r->saving_s, 70, 0.001); // 10 s of 40 s, and all of 30 s twice
    assert_int_equal(r->bottleneck_count, 0);
}

static void only_of_what_was_grouped(void **state) {
    (void)state;
    grouping(1000 * KIT_MIB);
    reader(1, 500, 1000 * KIT_MIB);    // before it
    reader(2, 90000, 985 * KIT_MIB);   // something else
    reader(3, 130000, 1015 * KIT_MIB); // and more
    assert_null(ask());                // 10 s of 1000 s are no twentieth
    reader(4, 170000, 995 * KIT_MIB);
    reader(5, 210000, 1000 * KIT_MIB);
    assert_near(ask()->saving_s, 70, 0.001);
}

static void little_is_not_worth_a_word(void **state) {
    (void)state;
    struct stage *stage = grouping(1000 * KIT_MIB);
    stage->shuffle_write_ns = INT64_C(20000000000);
    struct stage *read = reader(1, 50000, 1000 * KIT_MIB);
    assert_near(ask()->saving_s, 50, 0.001); // a twentieth of 1000 s
    read->waited_ms = 29900;
    assert_null(ask());
    read->waited_ms = 30000;
    snprintf(stage->summary.name, sizeof stage->summary.name, "reduceByKey at job.py:7");
    assert_null(ask());
}

static void the_larger_of_two_savings(void **state) {
    (void)state;
    kit_verdict(KIND_NETWORK_OVERHEAD, CAUSE_NONE, -1, 90);
    grouping(1000 * KIT_MIB);
    reader(1, 50000, 1000 * KIT_MIB);
    reader(2, 90000, 1000 * KIT_MIB);
    assert_near(ask()->saving_s, 90, 0);
    assert_int_equal(ask()->bottleneck_count, 1);
    assert_non_null(strstr(ask()->code, "reduceByKey"));
}

// What it sets the run does already: the lines are left.
static void lines_alone_are_advice(void **state) {
    (void)state;
    unsigned count;
    struct thresholds thresholds;
    thresholds_init(&thresholds);
    grouping(1000 * KIT_MIB);
    reader(1, 50000, 1000 * KIT_MIB);
    reader(2, 90000, 1000 * KIT_MIB);
    struct advice_view view = {
        .app = kit.app, .verdicts = &kit.verdicts, .thresholds = &thresholds, .duration_s = 1000};
    const struct advisor *const *all = advisors(&count);
    advise(all, count, &view, &kit.advice);
    assert_int_equal(kit.advice.count, 1);
    assert_int_equal(kit.advice.list[0].setting_count, 0);
    assert_non_null(kit.advice.list[0].code);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(lines_fit_the_run),
        KIT_TEST(one_piece_of_a_kind),
        KIT_TEST(groups_are_told_without_a_verdict),
        KIT_TEST(only_of_what_was_grouped),
        KIT_TEST(little_is_not_worth_a_word),
        KIT_TEST(the_larger_of_two_savings),
        KIT_TEST(lines_alone_are_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
