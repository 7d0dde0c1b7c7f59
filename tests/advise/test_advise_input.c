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

// A microsecond for a row that is written by the one task, and one by the four that read.
static void moving_rows_is_no_saving(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_LOW_PARALLELISM, CAUSE_UNSPLITTABLE, 0, 30);
    kit_evidence(b, "input_bytes", 1280 * KIT_MIB);
    kit_evidence(b, "tasks", 1);
    kit_evidence(b, "live_slots", 4);
    kit_evidence(b, "records", 8e6);
    app_stage(kit.app, 0, 0)->live_slots = 4;
    const struct recommendation *r = kit_ask("input");
    assert_near(r->saving_s, 20, 1e-9);
    assert_non_null(strstr(r->saving_how, "less what moving the rows takes"));
    assert_non_null(strstr(r->code, "df = spark.read.format(fmt).load(path).repartition(10)"));
    assert_non_null(strstr(r->action, "repartition right after reading. 10 partitions fit it."));
    b->saving_s = 10;
    r = kit_ask("input");
    assert_near(r->saving_s, 0, 0);
    assert_non_null(strstr(r->saving_how, "nothing by moving the rows"));
    assert_non_null(strstr(r->code, "load(path).repartition(10).write.parquet(new_path)"));
    assert_null(strstr(r->code, "df ="));
    assert_non_null(strstr(r->action, "would take about as long as it saves."));
    b->saving_s = 10.001;
    assert_near(kit_ask("input")->saving_s, 0.001, 1e-9);
    b->kind = KIND_OVERSIZED_PARTITIONS; // too large to be left alone, whatever moving takes
    kit.verdicts.end[KIND_LOW_PARALLELISM] = 0;
    for (int k = KIND_LOW_PARALLELISM; k < KIND_OVERSIZED_PARTITIONS; k++) {
        kit.verdicts.end[k] = 0;
    }
    assert_near(kit_ask("input")->saving_s, 10.001, 1e-9);
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

// In columns, one file may again be read by one task.
static void what_cannot_be_split_comes_before_columns(void **state) {
    (void)state;
    kit_verdict(KIND_IO_BOTTLENECK, CAUSE_NONE, 0, 40);
    struct bottleneck *b = kit_verdict(KIND_LOW_PARALLELISM, CAUSE_UNSPLITTABLE, 0, 30);
    kit_evidence(b, "input_bytes", 1280 * KIT_MIB);
    assert_non_null(strstr(kit_ask("input")->code, "load(path).repartition(10)"));
    assert_int_equal(kit_ask("input")->bottleneck_count, 2);
    b->stage = 1; // of another stage: the dearest comes first
    assert_true(kit_ask("input")->code == NULL ||
                strstr(kit_ask("input")->code, "repartition(") == NULL);
}

static void small_files_of_the_run_are_mended_where_it_writes_them(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_SMALL_FILES, CAUSE_NONE, 4, 30);
    kit_evidence(b, "files", 900);
    kit_evidence(b, "files_bytes", 900.0 * KIT_MIB);
    struct stage *reader = app_stage(kit.app, 4, 0);
    reader->execution = 8;
    reader->files = 900;
    reader->files_bytes = 900 * KIT_MIB;
    struct stage *writer = spark_stage(kit.app, EVENT_STAGE_COMPLETED, 2, 1, 100, 200);
    writer->execution = 7;
    writer->summary.output_bytes = 1200 * KIT_MIB;
    kit.app->written = (struct app_written){7, 1200, 1200 * KIT_MIB, 40, 0};
    const struct recommendation *r = kit_ask("input");
    assert_non_null(
        strstr(r->action, "in stage 2: 1,200 of 1.0 MiB each, into 40 folders; repart"));
    assert_non_null(strstr(r->code, "repartition(\"day\").write.partitionBy(\"day\")"));
    assert_non_null(strstr(r->code, "/*+ REPARTITION(day) */"));
    assert_int_equal(r->bottleneck_count, 1);
    assert_near(r->saving_s, 30, 0);
    kit.app->written.folders = 601; // less than two in each
    assert_non_null(strstr(kit_ask("input")->code, "partitionBy(\"month\")"));
    kit.app->written.folders = 0;
    assert_non_null(strstr(kit_ask("input")->code, "df.repartition(8).write"));
    reader->files = 1201; // others' among them: both are told
    r = kit_ask("input");
    assert_non_null(strstr(r->code, "new_path"));
    assert_non_null(strstr(r->action, " The run itself writes small files, in stage 2: 1,200 of"));
    reader->files = 900;
    reader->execution = 7; // it read before it wrote
    assert_non_null(strstr(kit_ask("input")->code, "new_path"));
}

// 1,200 files of 1 MiB in 40 folders, written in 20 s on two slots: of 40 s of task time 30 were
// waited, 8 were the CPU's.
static struct stage *many_written(void) {
    struct stage *writer = spark_stage(kit.app, EVENT_STAGE_COMPLETED, 2, 1, 100, 200);
    writer->execution = 7;
    writer->summary.output_bytes = 1200 * KIT_MIB;
    writer->slots = 2;
    writer->task_ms = 40000;
    writer->summary.cpu_ns = INT64_C(8000000000);
    writer->write_wait_ns = INT64_C(30000000000);
    kit.app->written = (struct app_written){7, 1200, 1200 * KIT_MIB, 40, 600};
    return writer;
}

static void fewer_files_save_what_writing_waited_for(void **state) {
    (void)state;
    struct stage *writer = many_written();
    // 1,160 of the 1,200 go, each with 25 ms of waiting, 2 of the CPU's and half a one of the
    // commit: over two slots, but for the driver's.
    const struct recommendation *r = kit_ask("input");
    assert_near(r->saving_s, 1160 * (27.0 / 2 + 0.5) / 1000, 1e-9);
    assert_non_null(strstr(r->saving_how, "the commit"));
    kit.app->written.folders = 601; // too many folders: ten files of 128 MiB would have done
    assert_near(kit_ask("input")->saving_s, 1190 * 14.0 / 1000, 1e-9);
    kit.app->written.folders = 0;
    writer->slots = 20; // a file for each slot at least
    assert_near(kit_ask("input")->saving_s, 1180 * (27.0 / 20 + 0.5) / 1000, 1e-9);
    writer->slots = 2;
    writer->summary.cpu_ns = 1200000000; // 1 ms for each file
    assert_near(kit_ask("input")->saving_s, 1190 * (26.0 / 2 + 0.5) / 1000, 1e-9);
    writer->summary.read_ns = INT64_C(18000000000); // 15 of the 25 were waited for the reading
    assert_near(kit_ask("input")->saving_s, 1190 * (11.0 / 2 + 0.5) / 1000, 1e-9);
    // Who only computes waits four times as long: 4.8 s of the 12 that are left were for a CPU.
    kit.app->computed = (struct load_computed){.run_ms = 5000, .waited_ms = 4000};
    assert_near(kit_ask("input")->saving_s, 1190 * (7.0 / 2 + 0.5) / 1000, 1e-9);
}

static void what_a_writer_waited_for_must_be_known(void **state) {
    (void)state;
    struct stage *writer = many_written();
    double commit_s = 1160 * 0.5 / 1000;
    writer->works = WORK_JDBC; // whose bytes nobody counts
    assert_near(kit_ask("input")->saving_s, commit_s, 1e-9);
    writer->io_tasks = 1;
    assert_true(kit_ask("input")->saving_s > 10);
    writer->python = true;
    assert_near(kit_ask("input")->saving_s, commit_s, 1e-9);
    writer->python = false;
    kit.app->foreign_engine = true;
    assert_near(kit_ask("input")->saving_s, commit_s, 1e-9);
    kit.app->foreign_engine = false;
    // What reads them adds its own, if the lines are the writer's.
    struct bottleneck *b = kit_verdict(KIND_SMALL_FILES, CAUSE_NONE, 4, 30);
    kit_evidence(b, "files", 1200);
    kit_evidence(b, "files_bytes", 1200.0 * KIT_MIB);
    struct stage *reader = app_stage(kit.app, 4, 0);
    reader->execution = 8;
    reader->files = 1200;
    reader->files_bytes = 1200 * KIT_MIB;
    assert_near(kit_ask("input")->saving_s, 30 + 1160 * 14.0 / 1000, 1e-9);
    reader->files = 1201; // others' among them: the lines are the reader's
    assert_near(kit_ask("input")->saving_s, 30, 0);
}

// By small_files' own thresholds, whoever will read them.
static void small_files_are_told_if_nobody_reads_them_here(void **state) {
    (void)state;
    kit.app->written = (struct app_written){7, 100, 300 * KIT_MIB, 0, 0};
    const struct recommendation *r = kit_ask("input");
    assert_int_equal(r->bottleneck_count, 0);
    assert_near(r->saving_s, 0, 0);
    assert_non_null(strstr(r->code, "df.repartition(3).write"));
    assert_int_equal(others(), 0);
    kit.app->written.bytes++;
    assert_null(kit_ask("input"));
    kit.app->written = (struct app_written){7, 99, 0, 0, 0};
    assert_null(kit_ask("input"));
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
        KIT_TEST(moving_rows_is_no_saving),
        KIT_TEST(a_database_is_read_through_several_connections),
        KIT_TEST(slow_reading_is_told_by_what_is_read),
        KIT_TEST(what_cannot_be_split_comes_before_columns),
        KIT_TEST(small_files_of_the_run_are_mended_where_it_writes_them),
        KIT_TEST(fewer_files_save_what_writing_waited_for),
        KIT_TEST(what_a_writer_waited_for_must_be_known),
        KIT_TEST(small_files_are_told_if_nobody_reads_them_here),
        KIT_TEST(one_advice_for_all_of_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
