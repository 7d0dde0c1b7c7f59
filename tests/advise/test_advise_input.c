// test_advise_input: what is said about how the input is stored and read, and that the advice on
// partitions leaves it alone.
#include "advice_kit.h"

// How much is said beside the advice on the input, if all are asked.
static uint32_t others(void) {
    assert_string_equal(kit_ask(NULL)->kind, "input");
    return kit.advice.count - 1;
}

static void small_files_are_counted(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_SMALL_FILES, CAUSE_NONE, 0, 30);
    kit_evidence(b, "files", 1200);
    kit_evidence(b, "files_bytes", 300 * 128.0 * KIT_MIB + 1);
    kit_evidence(b, "files_by_tasks", 0);
    const struct recommendation *r = kit_ask("input");
    assert_string_equal(r->kind, "input");
    assert_non_null(
        strstr(r->action, "301 files of 128 MiB would hold the 37.5 GiB of those 1,200."));
    assert_non_null(strstr(r->code, ".repartition(301).write"));
    assert_non_null(strstr(r->code, "/*+ REPARTITION(301) */"));
    assert_non_null(r->when_not);
    assert_int_equal(r->setting_count, 0);
    assert_near(r->saving_s, 30, 0);
    b->evidence[2].value = 1; // an RDD with a task for each
    assert_non_null(strstr(kit_ask("input")->code, "spark.read.text(path).rdd"));
    assert_int_equal(others(), 0);
}

static void what_cannot_be_split_is_cut_behind_the_reading(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_LOW_PARALLELISM, CAUSE_UNSPLITTABLE, 0, 30);
    kit_evidence(b, "input_bytes", 1280 * KIT_MIB);
    app_stage(kit.app, 0, 0)->live_slots = 4;
    const struct recommendation *r = kit_ask("input");
    assert_non_null(strstr(r->code, "load(path).repartition(10)"));
    assert_non_null(strstr(r->action, " 10 partitions fit it."));
    app_stage(kit.app, 0, 0)->live_slots = 40; // at least one for each slot
    assert_non_null(strstr(kit_ask("input")->code, "load(path).repartition(40)"));
    assert_int_equal(others(), 0);
    b->cause = CAUSE_SINGLE_PARTITION;
    assert_null(kit_ask("input"));
    assert_non_null(kit_ask("partitioning"));
}

static void a_database_is_read_through_several_connections(void **state) {
    (void)state;
    kit_verdict(KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, 0, 50);
    struct stage *stage = app_stage(kit.app, 0, 0);
    stage->works = WORK_JDBC;
    stage->live_slots = 4;
    const struct recommendation *r = kit_ask("input");
    assert_int_equal(strncmp(r->action, "Read the database through 4 connections", 39), 0);
    assert_null(strstr(r->action, "coalesce"));
    assert_non_null(strstr(r->code, "numPartitions=4"));
    assert_non_null(strstr(r->code, "numPartitions '4'"));
    stage->live_slots = 400;
    assert_non_null(strstr(kit_ask("input")->code, "numPartitions=16")); // it must bear them
    assert_int_equal(others(), 0);
}

static void slow_reading_is_told_by_what_is_read(void **state) {
    (void)state;
    kit_verdict(KIND_IO_BOTTLENECK, CAUSE_NONE, 0, 50);
    struct stage *stage = app_stage(kit.app, 0, 0);
    assert_null(kit_ask("input")->code);
    stage->works = WORK_FILES | WORK_TEXT;
    assert_non_null(strstr(kit_ask("input")->code, ".parquet(new_path)"));
    struct stage *again = spark_stage(kit.app, EVENT_STAGE_COMPLETED, 7, 10, 1000, 2000);
    stage->files = again->files = 12;
    stage->files_bytes = 1000;
    again->files_bytes = 999; // not the same
    assert_null(strstr(kit_ask("input")->code, "persist()"));
    again->files_bytes = 1000;
    const struct recommendation *r = kit_ask("input");
    assert_non_null(strstr(r->code, "persist()"));
    assert_non_null(strstr(r->action, "2 stages read the same files"));
}

// The dearest decides, and all are answered.
static void one_advice_for_all_of_the_input(void **state) {
    (void)state;
    struct bottleneck *io = kit_verdict(KIND_IO_BOTTLENECK, CAUSE_NONE, 0, 10);
    struct bottleneck *cut = kit_verdict(KIND_OVERSIZED_PARTITIONS, CAUSE_UNSPLITTABLE, 1, 20);
    kit_evidence(cut, "input_bytes", 0);
    const struct recommendation *r = kit_ask("input");
    assert_int_equal(kit.advice.count, 1);
    assert_int_equal(r->bottleneck_count, 2);
    assert_string_equal(r->bottlenecks[0], cut->id);
    assert_string_equal(r->bottlenecks[1], io->id);
    assert_near(r->saving_s, 30, 0);
    assert_non_null(strstr(r->code, "right after reading"));
    io->life = cut->life = LIFE_RETRACTED;
    assert_null(kit_ask("input"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(small_files_are_counted),
        KIT_TEST(what_cannot_be_split_is_cut_behind_the_reading),
        KIT_TEST(a_database_is_read_through_several_connections),
        KIT_TEST(slow_reading_is_told_by_what_is_read),
        KIT_TEST(one_advice_for_all_of_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
