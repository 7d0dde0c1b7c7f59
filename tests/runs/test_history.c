// test_history: of a topic of runs the newest revision of each of one pipeline's stays, within
// bounds, whatever else lies there.
#include "records_kit.h"

#include "runs/history.h"

static void feed(struct records *records, struct history *history, const struct pipeline_run *run) {
    struct message message = records_of_run(records, run);
    history_take(history, &message);
}

static void the_newest_revision_of_each_run_stays(void **state) {
    struct records *records = *state;
    struct history history;
    history_init(&history, records->codec, "etl", 10);
    struct pipeline_run a = records_run("app-1", 1000), b = records_run("app-2", 2000);
    a.status = RUN_RUNNING;
    a.ended_ms = 0;
    feed(records, &history, &b);
    feed(records, &history, &a);
    a = records_run("app-1", 1000);
    a.revision = 7;
    a.duration_s = 90;
    feed(records, &history, &a); // offset 2
    a.revision = 6;
    a.duration_s = 50;
    feed(records, &history, &a); // an older one, again
    snprintf(a.identity.attempt, sizeof a.identity.attempt, "2");
    a.started_ms += 1;
    feed(records, &history, &a);
    history_settle(&history);
    assert_int_equal(history.count, 3);
    assert_string_equal(history.runs[0]->run.identity.app_id, "app-1");
    assert_int_equal(history.runs[0]->run.revision, 7);
    assert_near(history.runs[0]->run.duration_s, 90, 0);
    assert_int_equal(history.runs[0]->partition, 3);
    assert_int_equal(history.runs[0]->offset, 2);
    assert_string_equal(history.runs[1]->run.identity.attempt, "2");
    assert_string_equal(history.runs[2]->run.identity.app_id, "app-2");
    assert_false(history.cut);
    history_fini(&history);
}

static void what_a_record_lists_is_not_kept(void **state) {
    struct records *records = *state;
    struct history history;
    struct stage_summary stage = {.stage = 1};
    struct open_bottleneck open = {.kind = KIND_DATA_SKEW};
    struct told_setting setting = {.key = "spark.executor.memory", .value = "1g"};
    struct run_advice advice = {.kind = ADVICE_MEMORY, .revision = 1};
    char *text = (char[]){"do"};
    struct pipeline_run run = records_run("app-1", 1000);
    run.stages = &stage;
    run.open = &open;
    run.settings = &setting;
    run.advice = &advice;
    run.recommendations = &text;
    run.stage_count = run.open_count = run.setting_count = run.advice_count =
        run.recommendation_count = 1;
    history_init(&history, records->codec, "etl", 10);
    feed(records, &history, &run);
    history_settle(&history);
    const struct pipeline_run *kept = &history.runs[0]->run;
    assert_int_equal(kept->stage_count + kept->open_count + kept->setting_count +
                         kept->advice_count + kept->recommendation_count,
                     0);
    assert_true(kept->stages == NULL && kept->open == NULL && kept->settings == NULL &&
                kept->advice == NULL && kept->recommendations == NULL);
    history_fini(&history);
}

static void what_cannot_be_read_is_counted_with_its_place(void **state) {
    struct records *records = *state;
    struct history history;
    struct pipeline_run run = records_run("app-1", 1000);
    history_init(&history, records->codec, "etl", 10);
    feed(records, &history, &run);
    struct message message = records_of_run(records, &run);
    message.value.len -= 3; // cut
    history_take(&history, &message);
    message.value = STR("hello");
    history_take(&history, &message);
    message.key = STR("other"); // not ours to know
    history_take(&history, &message);
    message.key = (struct str){0};
    history_take(&history, &message);
    message.key = STR("etl");
    message.value = (struct str){0}; // a deletion
    history_take(&history, &message);
    history_settle(&history);
    assert_int_equal(history.count, 1);
    assert_int_equal(history.unreadable, 2);
    assert_string_equal(history.unreadable_why,
                        "partition 3 offset 1: a damaged PipelineRun record");
    history_fini(&history);
}

// Whatever their order, and however many revisions each has.
static void the_last_ones_stay_if_there_are_too_many(void **state) {
    struct records *records = *state;
    struct history history;
    history_init(&history, records->codec, "etl", 5);
    for (int i = 0; i < 100; i++) {
        char id[16];
        int n = i * 37 % 100;
        snprintf(id, sizeof id, "app-%02d", n);
        struct pipeline_run run = records_run(id, 1000 + n);
        feed(records, &history, &run);
        run.revision = 2;
        feed(records, &history, &run);
    }
    history_settle(&history);
    assert_true(history.cut);
    assert_int_equal(history.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "app-%02u", 95 + i);
        assert_string_equal(history.runs[i]->run.identity.app_id, id);
        assert_int_equal(history.runs[i]->run.revision, 2);
    }
    history_fini(&history);
    history_init(&history, records->codec, "etl", 5); // as many as there are
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "app-%d", i);
        struct pipeline_run run = records_run(id, 1000 + i);
        feed(records, &history, &run);
    }
    history_settle(&history);
    assert_false(history.cut);
    assert_int_equal(history.count, 5);
    history_fini(&history);
}

static void memory_is_bounded_whatever_comes(void **state) {
    struct records *records = *state;
    enum { MOST = 10, RUN_BYTES = 5000, NAME_BYTES = 400, MANY = 10000 };
    struct history history;
    char name[32];
    int64_t before = mem_room_bytes(MEM_ROOM_runs);
    history_init(&history, records->codec, "etl", MOST);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "pipeline-%d", i);
        history_take(&history, &(struct message){.key = str_of(name)});
    }
    assert_true(mem_room_bytes(MEM_ROOM_runs) - before < (int64_t)HISTORY_NAMES_MAX * NAME_BYTES);
    for (int i = 0; i < MANY / 10; i++) {
        snprintf(name, sizeof name, "app-%d", i);
        struct pipeline_run run = records_run(name, 1000 + i);
        feed(records, &history, &run);
        assert_true(mem_room_bytes(MEM_ROOM_runs) - before < 2 * MOST * RUN_BYTES);
    }
    history_settle(&history);
    assert_int_equal(history.count, MOST);
    history_fini(&history);
    assert_int_equal(mem_room_bytes(MEM_ROOM_runs), before);
}

static void names_that_are_near_are_told(void **state) {
    struct records *records = *state;
    static const char *const names[] = {"orders",         "nightly-order", "nightly-orders-2", "x",
                                        "nightly-orderz", "orders",        "nightly-order"};
    struct history history;
    history_init(&history, records->codec, "nightly-orders", 10);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct message message = {.key = str_of(names[i]), .value = STR("not looked at")};
        history_take(&history, &message);
    }
    char name[32];
    for (int i = 0; i < 3 * HISTORY_NAMES_MAX; i++) { // however many come
        snprintf(name, sizeof name, "another pipeline %d", i);
        history_take(&history, &(struct message){.key = str_of(name)});
    }
    history_settle(&history);
    assert_int_equal(history.count, 0);
    assert_int_equal(history.unreadable, 0);
    assert_int_equal(history.near_count, 3);
    assert_string_equal(history.near[0], "nightly-order");
    assert_string_equal(history.near[1], "nightly-orderz");
    assert_string_equal(history.near[2], "nightly-orders-2");
    history_fini(&history);
}

static void runs_are_found_by_what_they_are_called(void **state) {
    struct records *records = *state;
    struct history history;
    history_init(&history, records->codec, "etl", 10);
    struct pipeline_run first = records_run("app-1", 1000), second = records_run("app-1", 2000);
    snprintf(first.identity.attempt, sizeof first.identity.attempt, "1");
    snprintf(second.identity.attempt, sizeof second.identity.attempt, "2");
    snprintf(second.id, sizeof second.id, "second");
    feed(records, &history, &second);
    feed(records, &history, &first);
    history_settle(&history);
    assert_string_equal(history_find(&history, "app-1")->run.identity.attempt, "2");
    assert_string_equal(history_find(&history, "app-1/1")->run.identity.attempt, "1");
    assert_string_equal(history_find(&history, "second")->run.identity.attempt, "2");
    assert_null(history_find(&history, "app-1/3"));
    assert_null(history_find(&history, "app-12"));
    assert_null(history_find(&history, "app"));
    history_fini(&history);
}

static void the_last_run_and_the_last_good_one_before_it(void **state) {
    struct records *records = *state;
    struct history history;
    history_init(&history, records->codec, "etl", 10);
    struct pipeline_run good = records_run("good", 1000), failed = records_run("failed", 2000);
    struct pipeline_run elsewhere = records_run("elsewhere", 3000),
                        last = records_run("last", 4000);
    struct pipeline_run running = records_run("running", 9000);
    failed.status = RUN_FAILED;
    snprintf(elsewhere.identity.cluster, sizeof elsewhere.identity.cluster, "other");
    last.status = RUN_KILLED;
    running.status = RUN_RUNNING;
    running.ended_ms = 0;
    struct pipeline_run *const all[] = {&running, &last, &good, &elsewhere, &failed};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        feed(records, &history, all[i]);
    }
    history_settle(&history);
    const struct history_run *b = history_last(&history), *a = history_before(&history, b);
    assert_string_equal(b->run.identity.app_id, "last");
    assert_string_equal(a->run.identity.app_id, "good");
    assert_null(history_before(&history, a));
    history_fini(&history);
}

int main(void) {
#define HISTORY_TEST(name) cmocka_unit_test_setup_teardown(name, records_set_up, records_tear_down)
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(the_newest_revision_of_each_run_stays),
        HISTORY_TEST(what_a_record_lists_is_not_kept),
        HISTORY_TEST(what_cannot_be_read_is_counted_with_its_place),
        HISTORY_TEST(the_last_ones_stay_if_there_are_too_many),
        HISTORY_TEST(memory_is_bounded_whatever_comes),
        HISTORY_TEST(names_that_are_near_are_told),
        HISTORY_TEST(runs_are_found_by_what_they_are_called),
        HISTORY_TEST(the_last_run_and_the_last_good_one_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
