// test_advise_partitioning: the advice on how data is cut: its formula, which setting it dares to
// give, one piece of advice for all that shows it, and none of the general kind beside it.
#include "advice_kit.h"

// A verdict on a stage of 900 tasks on 4 slots that read 1.25 GiB of a shuffle.
static struct stage *on_stage(int32_t n, enum bottleneck_kind kind, enum cause cause,
                              double saving_s) {
    kit_verdict(kind, cause, n, saving_s);
    struct stage *stage = app_stage(kit.app, n, 0);
    stage->summary.tasks = 900;
    stage->live_slots = 4;
    stage->summary.shuffle_read_bytes = stage->bytes = 1280 * KIT_MIB;
    return stage;
}

static const struct recommendation *ask(void) {
    return kit_ask("partitioning");
}

static void one_advice_answers_all_that_shows_it(void **state) {
    (void)state;
    on_stage(0, KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, 30);
    on_stage(1, KIND_TINY_TASKS, CAUSE_NONE, 50);
    unsigned count;
    const struct advisor *const *all = advisors(&count);
    struct thresholds thresholds;
    thresholds_init(&thresholds);
    struct advice_view view = {
        .app = kit.app, .verdicts = &kit.verdicts, .thresholds = &thresholds, .duration_s = 1000};
    advise(all, count, &view, &kit.advice);
    const struct recommendation *r = &kit.advice.list[0];
    assert_int_equal(kit.advice.count, 1); // and no remedies beside it
    assert_string_equal(r->kind, "partitioning");
    assert_int_equal(r->bottleneck_count, 2);
    assert_string_equal(r->bottlenecks[0], "id-1"); // the dearer first
    assert_near(r->saving_s, 80, 0);
    assert_int_equal(strncmp(r->action, "Make fewer tasks of more", 24), 0);
    assert_non_null(strstr(r->action, "All of the stage's data is in one partition"));
    assert_non_null(strstr(r->action, " 10 partitions fit stage 1 (4 slots, 1.2 GiB)."));
    assert_non_null(strstr(r->action, " In this run: stage 1 has it; "));
    assert_non_null(strstr(r->code, "df.coalesce(10)")); // no setting made its partitions
    assert_non_null(r->when_not);
    kit.found[0].life = kit.found[1].life = LIFE_RETRACTED;
    assert_null(ask());
}

static void the_shuffle_is_set_where_the_setting_made_it(void **state) {
    (void)state;
    static const char key[] = "spark.sql.shuffle.partitions";
    struct stage *stage = on_stage(0, KIND_TINY_TASKS, CAUSE_NONE, 50);
    assert_int_equal(ask()->setting_count, 0); // 900 is not the default: the code asks for it
    kit_property(key, "900");
    const struct recommendation *r = ask();
    assert_int_equal(r->setting_count, 1);
    assert_string_equal(kit_value(key), "10");
    assert_null(r->code);
    stage->bytes = 0; // as many as slots at least
    ask();
    assert_string_equal(kit_value(key), "4");
    stage->bytes = 900000 * KIT_MIB; // a thousand at most, which is within a fifth of what it has
    assert_int_equal(ask()->setting_count, 0);
    stage->summary.input_bytes = 1281 * KIT_MIB; // not the shuffle's doing
    stage->bytes = 0;
    assert_int_equal(ask()->setting_count, 0);
}

static void exactly_a_fifth_is_near_enough(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, 50);
    kit_property("spark.sql.shuffle.partitions", "100");
    stage->summary.tasks = stage->summary.tasks_expected = 100;
    stage->bytes = 120 * 128 * KIT_MIB;
    assert_int_equal(ask()->setting_count, 0);
    stage->bytes = 121 * 128 * KIT_MIB;
    ask();
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), "121");
}

static void adaptive_execution_puts_tiny_ones_together(void **state) {
    (void)state;
    on_stage(0, KIND_TINY_TASKS, CAUSE_NONE, 50);
    kit_property("spark.sql.shuffle.partitions", "900");
    kit_property("spark.sql.adaptive.enabled", "false");
    assert_int_equal(ask()->setting_count, 3);
    assert_string_equal(kit_value("spark.sql.adaptive.enabled"), "true");
    kit.app->spark_major = 2; // where it was not fit for use
    assert_int_equal(ask()->setting_count, 1);
}

static void the_parallelism_of_rdds_is_a_setting_too(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_TINY_TASKS, CAUSE_NONE, 50);
    kit_property("spark.default.parallelism", "900");
    ask();
    assert_string_equal(kit_value("spark.default.parallelism"), "10");
    stage->execution = 1; // of SQL it is not
    assert_int_equal(ask()->setting_count, 0);
}

static void a_default_of_two_hundred_is_a_setting_too(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, 50);
    stage->summary.tasks = stage->summary.tasks_expected = 200;
    stage->bytes = stage->summary.shuffle_read_bytes = 400LL * 1024 * KIT_MIB;
    assert_int_equal(ask()->setting_count, 1);
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), "1000");
}

static void a_split_is_set_where_the_setting_made_it(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, 50);
    stage->works = WORK_FILES;
    stage->summary.tasks = 10;
    stage->summary.shuffle_read_bytes = 0;
    stage->summary.input_bytes = stage->bytes = 20LL * 1024 * KIT_MIB;
    assert_int_equal(ask()->setting_count, 0); // of Spark's own splits that is not to be had
    kit_property("spark.sql.files.maxPartitionBytes", "2g");
    assert_int_equal(ask()->setting_count, 1);
    assert_string_equal(kit_value("spark.sql.files.maxPartitionBytes"), "128m");
    kit.found[0].cause = CAUSE_UNSPLITTABLE; // no setting splits it
    assert_string_equal(kit_ask(NULL)->kind, "input");
    assert_int_equal(kit.advice.count, 1);
}

// What stands behind a coalesce gets more tasks by leaving it out: behind it, all rows would go
// through its tasks first.
static void a_coalesce_is_left_out(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, 50);
    stage->summary.tasks = stage->summary.tasks_expected = 2;
    assert_non_null(strstr(ask()->code, "df = df.repartition(10)"));
    assert_non_null(strstr(ask()->when_not, "moving the rows"));
    kit_evidence(&kit.found[0], "partitions_before_coalesce", 0);
    const struct recommendation *r = ask();
    assert_non_null(strstr(r->code, "no coalesce in front of the work"));
    assert_non_null(strstr(r->code, "df.repartition(2).write")); // as many files as it was for
    assert_non_null(strstr(r->code, "/*+ REPARTITION(2) */"));
    assert_null(strstr(r->code, "df = df.repartition"));
    assert_int_equal(strncmp(r->action, "The stage works behind a coalesce", 33), 0);
    assert_null(strstr(r->when_not, "moving the rows"));
    assert_near(r->saving_s, 50, 0);
}

static void a_stage_that_was_let_go_is_told_without_numbers(void **state) {
    (void)state;
    on_stage(0, KIND_TINY_TASKS, CAUSE_NONE, 50);
    kit.found[0].stage = 77;
    const struct recommendation *r = ask();
    assert_non_null(strstr(r->action, "In this run: stage 0 has it."));
    assert_int_equal(r->setting_count, 0);
    assert_null(r->code);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(one_advice_answers_all_that_shows_it),
        KIT_TEST(the_shuffle_is_set_where_the_setting_made_it),
        KIT_TEST(exactly_a_fifth_is_near_enough),
        KIT_TEST(adaptive_execution_puts_tiny_ones_together),
        KIT_TEST(the_parallelism_of_rdds_is_a_setting_too),
        KIT_TEST(a_default_of_two_hundred_is_a_setting_too),
        KIT_TEST(a_split_is_set_where_the_setting_made_it),
        KIT_TEST(a_coalesce_is_left_out),
        KIT_TEST(a_stage_that_was_let_go_is_told_without_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
