// test_place: whose event is it? Headers before the key before the value, what is refused, and how
// a run is told from the next one under the same key.
#include "engine_kit.h"

#define TASK                                                                                       \
    "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":0,\"Task Info\":{\"Task ID\":1,\"Launch "    \
    "Time\":1700000001000,\"Finish Time\":1700000002000}}"
#define START                                                                                      \
    "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"etl\",\"App ID\":\"%s\","         \
    "\"Timestamp\":1700000000000}"

// Where an ApplicationStart goes, as "app|attempt"; "" if it is refused as unplaced.
static const char *placed(struct message message) {
    static char where[400];
    kit_options();
    kit_begin();
    where[0] = '\0';
    if (message.value.p == NULL) {
        message.value = STR("{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"etl\","
                            "\"Timestamp\":1700000000000}");
    }
    if (kit_message(message) == ST_OK) {
        engine_finish(kit.engine, false);
        const struct kit_record *r = &kit.records[0];
        assert_true(kit.count > 0);
        snprintf(where, sizeof where, "%s|%s", r->app_id, r->attempt);
    } else {
        assert_int_equal(kit.reason, METRIC_SKIP_UNPLACED);
        assert_int_equal(metrics_get(METRIC_SKIP_UNPLACED), 1);
        assert_int_equal(engine_application_count(kit.engine), 0);
        assert_true(kit.err.text[0] != '\0');
    }
    kit_tear_down(NULL);
    return where;
}

#define VALUE_WITH_ID                                                                              \
    STR("{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"etl\",\"App ID\":\"app-v\","  \
        "\"App Attempt ID\":\"9\",\"Timestamp\":1700000000000}")

static void headers_win_over_key_over_value(void **state) {
    (void)state;
    struct message_header headers[] = {{"app_attempt", STR("1")}, {"app_id", STR("app-h")}};
    struct message all = {
        .value = VALUE_WITH_ID, .key = STR("app-k/2"), .headers = headers, .header_count = 2};
    assert_string_equal(placed(all), "app-h|1");
    headers[0].name = "App_Attempt"; // no name of ours
    // The attempt of the key belongs to the key's app. The start event itself names attempt 9.
    assert_string_equal(placed(all), "app-h|9");
    headers[1].value = (struct str){0}; // no value: as if it were not there
    assert_string_equal(placed(all), "app-k|2");
    all.key = (struct str){0};
    assert_string_equal(placed(all), "app-v|9");
    all.key = STR("");
    assert_string_equal(placed(all), "app-v|9");
}

static void the_last_header_of_a_name_counts(void **state) {
    (void)state;
    struct message_header headers[] = {{"app_id", STR("app-1")},
                                       {"app_attempt", STR("1")},
                                       {"app_attempt", STR("2")},
                                       {"app_id", STR("app-2")}};
    struct message twice = {.headers = headers, .header_count = ARRAY_LEN(headers)};
    assert_string_equal(placed(twice), "app-2|2");
    headers[3].value = STR("");
    twice.key = STR("app-k");
    assert_string_equal(placed(twice), "app-k|2");
}

static void a_key_may_hold_the_attempt(void **state) {
    (void)state;
    assert_string_equal(placed((struct message){.key = STR("app-1")}), "app-1|");
    assert_string_equal(placed((struct message){.key = STR("app-1/2")}), "app-1|2");
    assert_string_equal(placed((struct message){.key = STR("a/b/3")}), "a/b|3");
    assert_string_equal(placed((struct message){.key = STR("app-1/")}), "app-1|");
    // A header's attempt leaves the key whole: it is all app id.
    struct message_header header = {"app_attempt", STR("4")};
    assert_string_equal(
        placed((struct message){.key = STR("app-1"), .headers = &header, .header_count = 1}),
        "app-1|4");
}

static void keys_that_are_no_ids_are_refused(void **state) {
    (void)state;
    char longest[RUN_TEXT_MAX + 2];
    memset(longest, 'k', sizeof longest);
    struct message message = {.key = {longest, RUN_TEXT_MAX}};
    assert_int_equal(strlen(placed(message)), RUN_TEXT_MAX + 1); // and the bar
    message.key.len = RUN_TEXT_MAX + 1;
    assert_string_equal(placed(message), "");
    const struct str bad[] = {STR("app\n1"),
                              STR("app\x1b[2J"),
                              STR("a\0b"),
                              STR("\xff\xfe"),
                              STR("app-1\x7f"),
                              STR("/2"),
                              STR("app-1/123456789012345678901234567890123")};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        message.key = bad[i];
        assert_string_equal(placed(message), "");
    }
    message.key = (struct str){0};
    assert_string_equal(placed(message), ""); // nobody says
}

static void unknown_types_need_no_owner(void **state) {
    (void)state;
    struct message message = {.value = STR("{\"Event\":\"com.vendor.Custom\",\"x\":[1]}")};
    assert_int_equal(kit_message(message), ST_OK);
    assert_int_equal(metrics_get(METRIC_EVENTS_UNKNOWN), 1);
    assert_int_equal(engine_application_count(kit.engine), 0);
}

// A message of an application that is not known is counted so often under that reason.
static void counts(struct str value, enum status status, enum metric reason, int64_t times) {
    struct message message = {.value = value, .key = STR("app-2")};
    int64_t before = metrics_get(reason);
    assert_int_equal(kit_message(message), status);
    assert_int_equal(kit.reason, reason);
    assert_int_equal(metrics_get(reason), before + times);
}

static void broken_messages_say_why_and_change_nothing(void **state) {
    (void)state;
    static const struct {
        struct str value;
        enum metric reason;
    } broken[] = {
        {STR("{\"Event\":\"SparkListenerTask"), METRIC_SKIP_MALFORMED},
        {STR("[{\"Event\":7}]"), METRIC_SKIP_NOT_AN_EVENT},
        {STR("{\"Event\":7}"), METRIC_SKIP_NOT_AN_EVENT},
        {STR("{\"Event\":\"SparkListenerTaskEnd\"}"), METRIC_SKIP_INVALID_FIELD},
    };
    kit_app_start("app-1", "etl", 0);
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        kit.err.text[0] = '\0';
        counts(broken[i].value, ST_SKIP, broken[i].reason, 1);
        assert_true(kit.err.text[0] != '\0');
    }
    assert_int_equal(engine_application_count(kit.engine), 1);
    assert_int_equal(kit.count, 0);
}

static void what_never_was_an_event_is_ignored_and_counted(void **state) {
    (void)state;
    static const struct {
        struct str value;
        enum metric reason;
        int64_t records;
    } others[] = {
        {STR(""), METRIC_IGNORED_EMPTY, 1},
        {STR("null"), METRIC_IGNORED_EMPTY, 1},
        {STR("[1]"), METRIC_IGNORED_NO_EVENT, 1},
        {STR("24/05/01 12:00:00 INFO SparkContext: Running"), METRIC_IGNORED_LOG_LINE, 1},
        {STR("{\"category\":\"Log\",\"properties\":{}}"), METRIC_IGNORED_OTHER_CATEGORY, 1},
        {STR("[{\"a\":1},{\"b\":2},{\"c\":3}]"), METRIC_IGNORED_NO_EVENT, 3},
    };
    kit_app_start("app-1", "etl", 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        counts(others[i].value, ST_OK, others[i].reason, others[i].records);
    }
    assert_int_equal(engine_application_count(kit.engine), 1);
}

// Each event of a batch counts once; a part that is damaged costs the others nothing and makes one
// dead letter, whose words are of the first.
static void a_message_may_hold_several_events(void **state) {
    (void)state;
    struct message batch = {
        .value = STR("{\"records\":["
                     "{\"applicationId\":\"app-1\",\"properties\":{\"Event\":"
                     "\"SparkListenerApplicationStart\",\"App Name\":\"etl\",\"App ID\":\"app-1\","
                     "\"Timestamp\":1700000000000}},"
                     "{\"applicationId\":\"app-1\",\"properties\":{\"Event\":"
                     "\"SparkListenerJobEnd\"}},"
                     "{\"applicationId\":\"app-1\",\"category\":\"Metrics\",\"properties\":{}},"
                     "{\"properties\":{\"Event\":\"SparkListenerApplicationEnd\"}},"
                     "{\"applicationId\":\"app-2\",\"properties\":{\"Event\":"
                     "\"SparkListenerApplicationStart\",\"App Name\":\"etl\",\"App ID\":\"app-2\","
                     "\"Timestamp\":1700000000000}}]}")};
    assert_int_equal(kit_message(batch), ST_SKIP);
    assert_int_equal(kit.reason, METRIC_SKIP_INVALID_FIELD);
    assert_int_equal(metrics_get(METRIC_SKIP_INVALID_FIELD), 1);
    assert_int_equal(metrics_get(METRIC_SKIP_UNPLACED), 0); // counted as one message
    assert_int_equal(metrics_get(METRIC_IGNORED_OTHER_CATEGORY), 1);
    assert_int_equal(engine_application_count(kit.engine), 2);
}

// What is beside an event in its message is counted, but the message is one with an event.
static void a_message_with_an_event_is_not_ignored(void **state) {
    (void)state;
    struct message batch = {
        .value = STR("{\"records\":["
                     "{\"applicationId\":\"app-1\",\"properties\":{\"Event\":"
                     "\"SparkListenerApplicationStart\",\"App Name\":\"etl\",\"App ID\":\"app-1\","
                     "\"Timestamp\":1700000000000}},"
                     "{\"applicationId\":\"app-1\",\"category\":\"Metrics\",\"properties\":{}},"
                     "{\"applicationId\":\"app-1\",\"category\":\"Log\",\"properties\":{}}]}")};
    assert_int_equal(kit_message(batch), ST_OK);
    assert_int_equal(kit.reason, METRIC_COUNT);
    assert_int_equal(metrics_get(METRIC_IGNORED_OTHER_CATEGORY), 2);
    assert_int_equal(engine_application_count(kit.engine), 1);
}

static void attempts_of_one_app_are_runs_of_their_own(void **state) {
    (void)state;
    kit_app_start("app-1/1", "etl", 0);
    kit_app_start("app-1/2", "etl", 100);
    kit_app_end("app-1/1", 50);
    kit_app_end("app-1/2", 200);
    assert_int_equal(kit_count(KIT_RUN, "app-1"), 2);
    const struct kit_record *one = kit_find(KIT_RUN, "app-1", 0);
    const struct kit_record *two = kit_find(KIT_RUN, "app-1", 1);
    assert_string_equal(one->attempt, "1");
    assert_string_equal(two->attempt, "2");
    assert_string_not_equal(one->id, two->id);
    assert_near(one->duration_s, 50, 0);
    assert_near(two->duration_s, 100, 0);
    assert_string_equal(one->pipeline, "etl");
}

static void a_second_start_under_a_key_is_another_run(void **state) {
    (void)state;
    kit_app_start("app-1", "etl", 0);
    kit_stage("app-1", 0, 1, 1, 0);
    kit_task("app-1", 0, 7, 1, 2, 1);
    kit_app_start("app-1", "etl", 0); // the same one, delivered again
    assert_int_equal(kit_count(KIT_RUN, "app-1"), 0);
    kit_app_start("app-1", "etl", 500); // restarted: the first will get no end
    assert_int_equal(kit_count(KIT_RUN, "app-1"), 1);
    assert_int_equal(kit_find(KIT_RUN, "app-1", 0)->status, RUN_LOST);
    assert_int_equal(kit_find(KIT_RUN, "app-1", 0)->tasks, 1);
    assert_int_equal(engine_application_count(kit.engine), 1);
    kit_app_end("app-1", 560);
    const struct kit_record *r = kit_find(KIT_RUN, "app-1", -1);
    assert_int_equal(r->status, RUN_SUCCEEDED);
    assert_int_equal(r->tasks, 0); // nothing of the first is left
    assert_near(r->duration_s, 60, 0);
}

static void a_key_unlike_the_app_id_does_not_split_a_run(void **state) {
    (void)state;
    kit_feed("team-a", START, "app-1");
    kit_feed("team-a", TASK);
    kit_feed("team-a", START, "app-1"); // delivered again
    kit_app_end("team-a", 10);
    assert_int_equal(kit_count(KIT_RUN, "team-a"), 1);
    assert_int_equal(kit_find(KIT_RUN, "team-a", 0)->status, RUN_SUCCEEDED);
    assert_int_equal(kit_find(KIT_RUN, "team-a", 0)->tasks, 1);
}

static void an_ended_run_is_not_told_again_by_its_successor(void **state) {
    (void)state;
    kit_app_start("app-1", "etl", 0);
    kit_app_end("app-1", 10);
    int told = kit.count;
    kit_app_start("app-1", "etl", 500);
    assert_int_equal(kit.count, told);
    assert_int_equal(engine_application_count(kit.engine), 1);
}

static void an_event_log_is_one_application_whatever_its_keys(void **state) {
    (void)state;
    kit_options();
    kit.options.one_application = true;
    kit_begin();
    kit_feed("", START, "app-1");
    kit_feed("x", TASK);
    kit_feed("\x01", TASK);
    engine_finish(kit.engine, false);
    assert_int_equal(engine_application_count(kit.engine), 1);
    assert_int_equal(kit_find(KIT_RUN, "app-1", -1)->tasks, 1); // the same task twice
    assert_int_equal(metrics_get(METRIC_DUPLICATES), 1);
    kit_tear_down(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_win_over_key_over_value),
        cmocka_unit_test(the_last_header_of_a_name_counts),
        cmocka_unit_test(a_key_may_hold_the_attempt),
        cmocka_unit_test(keys_that_are_no_ids_are_refused),
        cmocka_unit_test_setup_teardown(unknown_types_need_no_owner, kit_set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(broken_messages_say_why_and_change_nothing, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(what_never_was_an_event_is_ignored_and_counted, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_message_with_an_event_is_not_ignored, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_message_may_hold_several_events, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(attempts_of_one_app_are_runs_of_their_own, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_second_start_under_a_key_is_another_run, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(an_ended_run_is_not_told_again_by_its_successor, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(a_key_unlike_the_app_id_does_not_split_a_run, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test(an_event_log_is_one_application_whatever_its_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
