// test_advise_caching: what is read or worked out again and again: from how many readers on, what
// counts as the same, and what it must be worth.
#include "advice_kit.h"

// A stage that took so long on one slot and was waited for.
static struct stage *stage_of(int32_t id, int64_t ms) {
    struct stage *stage = spark_stage(kit.app, EVENT_STAGE_COMPLETED, id, 1, 1000000, 1000000 + ms);
    stage->summary.tasks = stage->summary.tasks_expected = stage->slots = 1;
    stage->task_ms = stage->summary.max_task_ms = ms;
    return stage;
}

// It reads 8 files of 100 MiB, a million rows, for a query of its own.
static struct stage *reader(int32_t id, int64_t ms) {
    struct stage *stage = stage_of(id, ms);
    stage->execution = id + 1;
    stage->files = 8;
    stage->files_bytes = stage->summary.input_bytes = 100 * KIT_MIB;
    stage->summary.input_records = 1000000;
    stage->works = WORK_FILES | WORK_TEXT;
    return stage;
}

static const struct recommendation *ask(void) {
    return kit_ask("caching");
}

static void three_queries_that_read_the_same(void **state) {
    (void)state;
    reader(0, 70000);
    struct stage *second = reader(1, 50000);
    assert_null(ask());
    struct stage *third = reader(2, 60000);
    const struct recommendation *r = ask();
    assert_string_equal(r->kind, "caching");
    assert_near(r->saving_s, 110, 1e-9); // all but the dearest
    assert_non_null(strstr(r->code, ".persist()"));
    assert_non_null(strstr(r->code, "CACHE TABLE"));
    assert_non_null(strstr(r->action, "3 stages read the same 8 files of together 100.0 MiB"));
    assert_non_null(strstr(r->saving_how, "but the dearest, at most"));
    assert_non_null(r->when_not);
    assert_int_equal(r->bottleneck_count, 0);
    third->execution = second->execution; // a query that reads it twice
    assert_null(ask());
    third->execution = 3;
    second->works |= WORK_CACHED; // it fills a cache, or reads it
    assert_null(ask());
    second->works = WORK_FILES;
    third->summary.failed = true;
    assert_null(ask());
    third->summary.failed = false;
    third->summary.attempt = 1; // another reader alone that is done again
    assert_null(ask());
}

static void little_is_the_same(void **state) {
    (void)state;
    reader(0, 70000);
    reader(1, 60000);
    struct stage *third = reader(2, 60000);
    third->summary.input_bytes = 99 * KIT_MIB;
    third->summary.input_records = 990000;
    assert_non_null(ask());
    third->summary.input_bytes--;
    assert_null(ask());
    third->summary.input_bytes++;
    third->summary.input_records--; // other rows
    assert_null(ask());
    third->summary.input_records++;
    third->files_bytes++; // other files
    assert_null(ask());
}

// A tenth of the run (of 1,000 s), and 2 s.
static void it_must_be_worth_it(void **state) {
    (void)state;
    reader(0, 70000);
    struct stage *second = reader(1, 50000), *third = reader(2, 50000);
    assert_non_null(ask());
    third->task_ms = third->summary.max_task_ms = 49999;
    assert_null(ask());
    third->task_ms = third->summary.max_task_ms = 50000;
    struct bottleneck small = {.kind = KIND_SMALL_FILES,
                               .rule_met = TRI_TRUE,
                               .severity = SEVERITY_SEVERE,
                               .saving_s = 0.001};
    second->verdicts = mem_zalloc(1, sizeof *second->verdicts);
    second->verdicts[0] = mem_zalloc(1, sizeof small);
    *second->verdicts[0] = small;
    second->verdict_count = 1;
    assert_null(ask()); // what another finding promises is not promised twice
    second->verdicts[0]->kind = KIND_IO_BOTTLENECK; // this one is answered
    assert_non_null(ask());
}

static void rdds_tell_by_their_numbers_alone(void **state) {
    (void)state;
    for (int32_t id = 0; id < 3; id++) {
        struct stage *stage = reader(id, 60000);
        stage->execution = 0;
        stage->files = stage->files_bytes = 0;
    }
    assert_non_null(strstr(ask()->action, "3 stages read the same 100.0 MiB from the beginning"));
    app_stage(kit.app, 2, 0)->summary.input_records++;
    assert_null(ask());
    app_stage(kit.app, 2, 0)->summary.input_records--;
    app_stage(kit.app, 2, 0)->summary.input_bytes--;
    assert_null(ask());
    app_stage(kit.app, 2, 0)->summary.input_bytes++;
    app_stage(kit.app, 2, 0)->works = 0; // from a cache that is not told: no file
    assert_null(ask());
    app_stage(kit.app, 2, 0)->works = WORK_FILES;
    for (int32_t id = 0; id < 3; id++) {
        app_stage(kit.app, id, 0)->execution = 7; // of a query, whose plan tells no files
    }
    assert_null(ask());
}

// Slow reading of these stages is answered with it, and nowhere else.
static void slow_reading_of_the_same_is_answered_once(void **state) {
    (void)state;
    kit_verdict(KIND_IO_BOTTLENECK, CAUSE_NONE, 1, 20);
    kit_verdict(KIND_IO_BOTTLENECK, CAUSE_NONE, 9, 30);
    reader(0, 70000);
    reader(1, 60000);
    reader(2, 60000);
    const struct recommendation *r = kit_ask(NULL);
    assert_string_equal(r->kind, "caching");
    assert_int_equal(r->bottleneck_count, 1);
    assert_string_equal(r->bottlenecks[0], "id-0");
    assert_near(r->saving_s, 120, 1e-9);
    assert_int_equal(kit.advice.count, 2);
    assert_string_equal(kit.advice.list[1].kind, "input"); // of the other stage
    assert_int_equal(kit.advice.list[1].bottleneck_count, 1);
    assert_string_equal(kit.advice.list[1].bottlenecks[0], "id-1");
}

// It goes through 16 partitions that are kept in memory alone, of which half are found: in 100 ms
// each, where one that is worked out takes 10 s.
static struct stage *half_found(int32_t id) {
    struct stage *stage = stage_of(id, 80800);
    stage->summary.tasks = stage->summary.tasks_expected = stage->memory_only = 16;
    stage->partitions_most = 16;
    stage->works = WORK_CACHED;
    stage->io_tasks = 8;
    stage->io_run_ms = 800;
    stage->summary.run_ms = 80800;
    return stage;
}

static void what_has_no_room_in_memory(void **state) {
    (void)state;
    struct stage *makes = half_found(0);
    makes->io_tasks = makes->io_run_ms = 0;
    struct stage *second = half_found(1), *third = half_found(2);
    const struct recommendation *r = ask();
    assert_near(r->saving_s, 2 * (80 - 0.8), 1e-9);
    assert_non_null(strstr(r->action, "2 stages worked up to 8 of its 16 partitions out again"));
    assert_non_null(strstr(r->code, "persist(StorageLevel.MEMORY_AND_DISK)"));
    assert_non_null(strstr(r->code, "df = df.persist()"));
    third->io_tasks = 16; // all are found
    third->io_run_ms = third->summary.run_ms;
    assert_null(ask());
    third->io_tasks = 8;
    third->io_run_ms = 800;
    assert_non_null(ask());
    second->io_tasks = 1; // what a look at the first row left
    assert_null(ask());
    second->io_tasks = 2;
    assert_non_null(ask());
    second->memory_only = 15; // of a union, others are no part of it
    assert_null(ask());
    second->memory_only = 16;
    kit.app->executors.lost_infra = 1; // what it kept went with it
    assert_null(ask());
    kit.app->executors.lost_infra = 0;
    makes->memory_only = 0; // then the second makes it
    assert_null(ask());
}

static void a_stream_reads_what_is_new(void **state) {
    (void)state;
    reader(0, 70000);
    reader(1, 60000);
    reader(2, 60000);
    assert_non_null(ask());
    kit.app->signs.stream = kit.app->signs.endless = true;
    assert_null(ask());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(three_queries_that_read_the_same),
        KIT_TEST(little_is_the_same),
        KIT_TEST(it_must_be_worth_it),
        KIT_TEST(rdds_tell_by_their_numbers_alone),
        KIT_TEST(slow_reading_of_the_same_is_answered_once),
        KIT_TEST(what_has_no_room_in_memory),
        KIT_TEST(a_stream_reads_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
