// test_engine_loss: what a listener lost, or the way from it, shows in the run and in the verdicts
// that may miss it, and in nothing else: runs whose events nobody counts are told as ever.
#include "engine_kit.h"

static const struct kit_record *told(void) {
    const struct kit_record *run = kit_find(KIT_RUN, "app-1", -1);
    assert_non_null(run);
    return run;
}

// A run with a skewed stage of 100 tasks, of which the first are lost.
static void skewed_run(int lost_tasks) {
    kit_app_start("app-1", "etl", 0);
    kit_executor("app-1", "1", 128);
    kit_stage("app-1", 0, 100, 1, 0);
    for (int task = 0; task < 100; task++) {
        if (task < lost_tasks) {
            kit.number += kit.number > 0;
        } else {
            kit_task("app-1", 0, task, 1, task == 99 ? 600 : 11, 1);
        }
    }
    kit_stage("app-1", 0, 100, 1, 600);
}

static void a_whole_run_is_complete(void **state) {
    (void)state;
    kit.number = 1;
    skewed_run(0);
    kit_app_end("app-1", 601);
    assert_true(told()->completeness == 1 && told()->events_lost == 0);
    assert_true(kit_find(KIT_VERDICT, "app-1", -1)->verdict.completeness == 1);
    assert_int_equal(metrics_get(METRIC_LISTENER_LOST), 0);
}

static void lost_tasks_are_missed_by_their_stage_alone(void **state) {
    (void)state;
    kit.number = 1;
    skewed_run(10);
    kit_stage("app-1", 1, 10, 600, 0);
    for (int task = 0; task < 10; task++) {
        kit_task("app-1", 1, 100 + task, 600, task == 9 ? 1200 : 610, 1);
    }
    kit_stage("app-1", 1, 10, 600, 1200);
    kit_app_end("app-1", 1201);
    assert_int_equal(told()->events_lost, 10);
    assert_true(told()->completeness == 100.0 / 110); // less than 106 of 116 events
    assert_int_equal(metrics_get(METRIC_LISTENER_LOST), 10);
    bool seen[2] = {false};
    for (int i = 0; i < kit.count; i++) {
        const struct bottleneck *b = &kit.records[i].verdict;
        if (kit.records[i].type == KIT_VERDICT && b->stage >= 0 && b->life == LIFE_CONFIRMED) {
            assert_true(b->completeness == (b->stage == 0 ? 0.9 : 1));
            seen[b->stage] = true;
        }
    }
    assert_true(seen[0] && seen[1]);
}

static void other_events_may_be_missed_by_every_verdict(void **state) {
    (void)state;
    kit.number = 1;
    skewed_run(0);
    assert_true(kit_find(KIT_VERDICT, "app-1", -1)->verdict.completeness == 1);
    kit.number += 26; // nobody knows of what
    kit_stage("app-1", 0, 100, 1, 600);
    kit_app_end("app-1", 601);
    assert_int_equal(told()->events_lost, 26);
    assert_true(told()->completeness == 1 - 26.0 / 132);
    assert_true(kit_find(KIT_VERDICT, "app-1", -1)->verdict.completeness == 1 - 26.0 / 131);
}

static void a_report_tells_what_is_missing_without_numbers_too(void **state) {
    (void)state;
    kit_app_start("app-1", "etl", 0);
    kit_feed("app-1", "{\"Event\":\"StokerListenerReport\",\"Accepted\":1000,\"Dropped\":{"
                      "\"SparkListenerTaskEnd\":50,\"SparkListenerBlockUpdated\":500},\"Cut\":{"
                      "\"SparkListenerTaskEnd\":1}}");
    kit_app_end("app-1", 10);
    assert_int_equal(told()->events_lost, 550);
    assert_int_equal(told()->events_cut, 1);
    assert_true(told()->completeness == 1 - 51.0 / 1000); // nobody misses the 500
    assert_int_equal(metrics_get(METRIC_LISTENER_LOST), 550);
    int64_t revision = told()->revision;
    kit_feed("app-1", "{\"Event\":\"StokerListenerReport\",\"Accepted\":1000,\"Dropped\":{"
                      "\"SparkListenerTaskEnd\":50}}"); // told again, or late
    engine_finish(kit.engine, false);
    assert_int_equal(told()->revision, revision);
    assert_int_equal(metrics_get(METRIC_LISTENER_LOST), 550);
}

// A replay of all, from a driver that sends twice: nothing is missing, nothing counted.
static void what_comes_again_is_no_loss(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        kit.number = 1;
        skewed_run(0);
    }
    kit_app_end("app-1", 601);
    assert_int_equal(told()->events_lost, 0);
    assert_true(told()->completeness == 1);
}

static void events_of_no_interest_are_not_missed(void **state) {
    (void)state;
    kit.number = 1;
    kit_app_start("app-1", "etl", 0);
    for (int i = 0; i < 10; i++) {
        kit_feed("app-1", "{\"Event\":\"com.example.Other\"}");
    }
    kit_app_end("app-1", 10);
    assert_int_equal(told()->events_lost, 0);
    kit.number = 30; // the end of the run came before them
    kit_feed("app-1", "{\"Event\":\"com.example.Other\"}");
    engine_finish(kit.engine, false);
    assert_int_equal(told()->events_lost, 17);
    kit_feed("app-2", "{\"Event\":\"com.example.Other\"}"); // makes no run
    assert_int_equal(engine_application_count(kit.engine), 1);
}

// The driver of the same application again: it numbers from 1, and its first events are taken by
// the run before, since nobody knows yet that another one begins.
static void a_driver_that_begins_anew_loses_nothing(void **state) {
    (void)state;
    for (int driver = 0; driver < 3; driver++) {
        kit.number = 1;
        kit_feed("app-1", "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.6\"}");
        kit_feed("app-1", "{\"Event\":\"SparkListenerResourceProfileAdded\"}");
        kit_app_start("app-1", "etl", driver * 1000);
        kit_stage("app-1", 0, 1, driver * 1000 + 1, 0);
        kit.number += driver == 1; // lost
        kit_app_end("app-1", driver * 1000 + 10 + driver);
        assert_int_equal(told()->events_lost, driver == 1);
    }
    assert_int_equal(metrics_get(METRIC_LISTENER_LOST), 1);
}

static void a_number_that_is_none_refuses_no_event(void **state) {
    (void)state;
    static const char *const odd[] = {
        "0",  "-1", "x", "9223372036854775807", "9223372036854775808", "1000000000000000000",
        " 7", "7.0"};
    kit_app_start("app-1", "etl", 0);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct message_header header = {MESSAGE_HEADER_NUMBER, str_of(odd[i])};
        char text[200];
        snprintf(text, sizeof text, "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":%zu}", i);
        struct message message = {
            .value = str_of(text), .key = STR("app-1"), .headers = &header, .header_count = 1};
        assert_int_equal(kit_message(message), ST_OK);
    }
    kit_app_end("app-1", 10);
    assert_int_equal(told()->events_lost, 0);
    assert_true(told()->completeness == 1);
    assert_int_equal(metrics_get(METRIC_LISTENER_NUMBERS_IGNORED), ARRAY_LEN(odd));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_whole_run_is_complete),
        TEST(lost_tasks_are_missed_by_their_stage_alone),
        TEST(other_events_may_be_missed_by_every_verdict),
        TEST(a_report_tells_what_is_missing_without_numbers_too),
        TEST(what_comes_again_is_no_loss),
        TEST(events_of_no_interest_are_not_missed),
        TEST(a_driver_that_begins_anew_loses_nothing),
        TEST(a_number_that_is_none_refuses_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
