// test_replay: what is sent, under whose name, in which order and at what pace. The clock is a
// number of the test, the logs are files in a scratch folder.
#include "replay/replay_support.h"

static void test_identity_from_content(void **state) {
    (void)state;
    put(0, "any", LOG_START AT("005") START("app-1-2", "", "003") AT("010"));
    expect(1, false, "app-1-2@3/0 app-1-2@5/0 app-1-2@5/0 app-1-2@10/0 ");
    put(0, "any", LOG_START START("a", ",\"App Attempt ID\":\"2\"", "003"));
    expect(1, false, "a/2@3/0 a/2@3/0 ");
}

static void test_identity_from_name(void **state) {
    (void)state;
    put(0, "events_2_application_1_2_3", LOG_START AT("005"));
    expect(1, false, "application_1_2/3@5/0 application_1_2/3@5/0 ");
}

// An id that cannot be taken as it stands is not taken at all.
static void test_odd_identities(void **state) {
    (void)state;
    put(0, "local-5", START("a\\\"b", "", "001"));
    expect(1, false, "local-5@1/0 ");
    unlink(paths[0]);
    put(0, "local-6",
        "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":"
        "\"\\\"App ID\\\":\\\"evil\\\"\",\"App ID\": \"good\"}\n");
    expect(1, false, "good@-1/0 ");
}

// A log of this one line, in a file named any, sends it so ("key@ms after T/log", -1: no time).
static void expect_line(const char *line, const char *want) {
    char text[512];
    snprintf(text, sizeof text, "%s\n", line);
    put(0, "any", text);
    expect(1, false, want);
}

static void test_time_of_a_line(void **state) {
    (void)state;
#define CORE "{\"Event\":\"SparkListener"
#define OTHER "{\"Event\":\"Other\","
    static const struct {
        const char *line, *want;
    } cases[] = {
        {CORE "TaskEnd\",\"Task Info\":{\"Launch Time\":1700000000001,\"Getting Result Time\":0,"
              "\"Finish Time\":1700000000002}}",
         "any@2/0 "},
        {CORE "TaskStart\",\"Task Info\":{\"Launch Time\":1700000000001,\"Finish Time\":"
              "1700000000002}}",
         "any@1/0 "},
        {CORE "TaskEnd\",\"Task Info\":{\"Launch Time\":1700000000001,\"Finish Time\":0}}",
         "any@1/0 "},
        {CORE "StageCompleted\",\"Stage Info\":{\"Submission Time\":1700000000001,"
              "\"Completion Time\":1700000000002}}",
         "any@2/0 "},
        {CORE "StageSubmitted\",\"Stage Info\":{\"Completion Time\":1700000000002,"
              "\"Submission Time\":1700000000001}}",
         "any@1/0 "},
        {CORE "JobEnd\",\"Job ID\":0,\"Completion Time\":1700000000003}", "any@3/0 "},
        {"{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd\","
         "\"executionId\":0,\"time\":1700000000004}",
         "any@4/0 "},
        {OTHER "\"Timestamp\": 1700000000005}", "any@5/0 "},
        {OTHER "\"x\":\"\\\"Timestamp\\\":1700000000005\"}", "any@-1/0 "},
        {OTHER "\"Timestamp\":12345}", "any@-1/0 "},
        {OTHER "\"Timestamp\":99999999999999999999}", "any@-1/0 "},
        {OTHER "\"Timestamp\":", "any@-1/0 "},
        {OTHER "\"Timestamp\":\"1700000000005\"}", "any@-1/0 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_line(cases[i].line, cases[i].want);
    }
}

static void test_identity_of_a_line(void **state) {
    (void)state;
#define BEGIN CORE "ApplicationStart\",\"App Name\":\"n\","
    static const struct {
        const char *line, *want;
    } cases[] = {
        {BEGIN "\"App ID\":\"app-1-2\",\"Timestamp\":1}", "app-1-2@-1/0 "},
        {BEGIN "\"App ID\":\"a\",\"App Attempt ID\":\"2\"}", "a/2@-1/0 "},
        {BEGIN "\"Timestamp\":1}", "any@-1/0 "},
        {BEGIN "\"App ID\":\"\"}", "any@-1/0 "},
        {BEGIN "\"App ID\":5}", "any@-1/0 "},
        {BEGIN "\"App ID\":\"cut", "any@-1/0 "},
        {BEGIN "\"App ID\":\"tab\there\"}", "any@-1/0 "},
        {BEGIN "\"App ID\":\"back\\\\slash\"}", "any@-1/0 "},
        {CORE "ApplicationEnd\",\"App ID\":\"a\"}", "any@-1/0 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_line(cases[i].line, cases[i].want);
    }
}

static void test_joined_logs_change_identity(void **state) {
    (void)state;
    put(0, "any", START("a", "", "001") AT("002") START("b", "", "003") AT("004"));
    expect(1, false, "a@1/0 a@2/0 b@3/0 b@4/0 ");
}

static void test_merged_by_time(void **state) {
    (void)state;
    put(0, "any0", START("a", "", "010") AT("030") AT("050"));
    put(1, "any1", START("b", "", "020") AT("030") AT("025") AT("060"));
    put(2, "any2", "");
    expect(3, false, "a@10/0 b@20/1 a@30/0 b@30/1 b@30/1 a@50/0 b@60/1 ");
    expect(3, true, "a@10/0 b@20/1 b@30/1 b@30/1 a@30/0 a@50/0 b@60/1 ");
}

static void test_merged_from_any_order(void **state) {
    (void)state;
    put(0, "any0", START("a", "", "030") AT("060"));
    put(1, "any1", START("b", "", "020") AT("050"));
    put(2, "any2", START("c", "", "010") AT("040") AT("055"));
    expect(3, false, "c@10/2 b@20/1 a@30/0 c@40/2 b@50/1 c@55/2 a@60/0 ");
}

static void test_values_are_the_lines(void **state) {
    (void)state;
    struct sink sink;
    bool done;
    put(0, "any", " not json \r\n\n{\"Event\":\"X\"}\ncut {");
    struct replay *replay = open_logs(1, 0, false, &sink);
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, NULL), ST_OK);
    assert_string_equal(buf_text(&sink.values), " not json \n{\"Event\":\"X\"}\ncut {\n");
    struct replay_totals totals = replay_totals(replay);
    assert_int_equal(totals.events, 3);
    assert_int_equal(totals.bytes, 10 + 13 + 5);
    sink_fini(&sink);
    replay_free(replay);
}

static void step_at(struct replay *replay, struct sink *sink, int64_t now, const char *want,
                    int64_t wait, bool want_done) {
    bool done = !want_done;
    buf_clear(&sink->text);
    assert_int_equal(replay_step(replay, now, emit, sink, &done, NULL), ST_OK);
    assert_string_equal(buf_text(&sink->text), want);
    assert_int_equal(done, want_done);
    assert_int_equal(replay_wait_ms(replay, now), wait);
}

static void test_pace(void **state) {
    (void)state;
    struct sink sink;
    put(0, "any0", LOG_START START("a", "", "100") AT("300") AT("301") AT("900"));
    put(1, "any1", START("b", "", "200"));
    struct replay *replay = open_logs(2, 2.0, false, &sink);
    assert_int_equal(replay_wait_ms(replay, 7000), 0);
    step_at(replay, &sink, 7000, "a@100/0 a@100/0 ", 50, false);
    step_at(replay, &sink, 7049, "", 1, false);
    step_at(replay, &sink, 7050, "b@200/1 ", 50, false);
    step_at(replay, &sink, 7100, "a@300/0 ", 1, false); // half a millisecond, rounded up
    step_at(replay, &sink, 7101, "a@301/0 ", 299, false);
    step_at(replay, &sink, 9999, "a@900/0 ", 0, true);
    step_at(replay, &sink, 9999, "", 0, true);
    sink_fini(&sink);
    replay_free(replay);
}

static void test_pace_aligned(void **state) {
    (void)state;
    struct sink sink;
    put(0, "any0", START("a", "", "100") AT("300"));
    put(1, "any1", START("b", "", "950") AT("999"));
    struct replay *replay = open_logs(2, 1.0, true, &sink);
    step_at(replay, &sink, 0, "a@100/0 b@950/1 ", 49, false);
    step_at(replay, &sink, 49, "b@999/1 ", 151, false);
    step_at(replay, &sink, 200, "a@300/0 ", 0, true);
    sink_fini(&sink);
    replay_free(replay);
}

// A log without times never holds the play up, and one broken time does not either.
static void test_pace_with_bad_times(void **state) {
    (void)state;
    struct sink sink;
    put(0, "local-1", "x\ny\n");
    put(1, "any1",
        START("b", "", "100") "{\"Event\":\"Z\",\"Timestamp\":9000000000000}\n" AT("101"));
    put(2, "any2", START("c", "", "102"));
    struct replay *replay = open_logs(3, 1.0, false, &sink);
    step_at(replay, &sink, 5, "local-1@-1/0 local-1@-1/0 b@100/1 b@100/1 ", 1, false);
    step_at(replay, &sink, 6, "b@101/1 ", 1, false);
    step_at(replay, &sink, 7, "c@102/2 ", 0, true);
    sink_fini(&sink);
    replay_free(replay);
}

static void test_refused_event_comes_again(void **state) {
    (void)state;
    struct sink sink;
    struct err err = {0};
    bool done = true;
    put(0, "any", START("a", "", "001") AT("002") AT("003"));
    struct replay *replay = open_logs(1, 0, false, &sink);
    sink.fail_after = 1;
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, &err), ST_RETRY);
    assert_string_equal(err.text, "full");
    assert_false(done);
    assert_int_equal(replay_totals(replay).events, 1);
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, &err), ST_OK);
    assert_true(done);
    assert_string_equal(buf_text(&sink.text), "a@1/0 a@2/0 a@3/0 ");
    assert_int_equal(replay_totals(replay).events, 3);
    sink_fini(&sink);
    replay_free(replay);
}

// The first time that is told late is due at once; the pace counts from there.
static void test_pace_with_late_times(void **state) {
    (void)state;
    struct buf text = {0};
    struct sink sink;
    bool done = true;
    put_many(&text, AT("100") AT("110"));
    struct replay *replay = open_logs(1, 2.0, false, &sink);
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, NULL), ST_OK);
    assert_int_equal(replay_step(replay, 50, emit, &sink, &done, NULL), ST_OK);
    assert_int_equal(replay_totals(replay).events, REPLAY_STEP_EVENTS + 6);
    assert_int_equal(replay_wait_ms(replay, 50), 5);
    sink_fini(&sink);
    buf_fini(&text);
    replay_free(replay);
}

// A step is bounded, so that the caller's loop stays alive.
static void test_step_is_bounded(void **state) {
    (void)state;
    struct buf text = {0};
    struct sink sink;
    bool done = true;
    put_many(&text, "");
    struct replay *replay = open_logs(1, 0, false, &sink);
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, NULL), ST_OK);
    assert_false(done);
    assert_int_equal(replay_totals(replay).events, REPLAY_STEP_EVENTS);
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, NULL), ST_OK);
    assert_true(done);
    assert_int_equal(replay_totals(replay).events, REPLAY_STEP_EVENTS + 5);
    uint64_t have, total;
    replay_progress(replay, &have, &total);
    assert_int_equal(have, text.len);
    assert_int_equal(total, text.len);
    sink_fini(&sink);
    buf_fini(&text);
    replay_free(replay);
}

static void test_faults_are_noted(void **state) {
    (void)state;
    struct sink sink;
    bool done;
    put(0, "app-1-2.gz", "\x1f\x8b rubbish that is no gzip");
    put(1, "any1", START("b", "", "001"));
    struct replay *replay = open_logs(2, 0, false, &sink);
    assert_int_equal(replay_step(replay, 0, emit, &sink, &done, NULL), ST_OK);
    assert_true(done);
    assert_string_equal(buf_text(&sink.text), "b@1/1 ");
    assert_int_equal(replay_totals(replay).faults, 1);
    assert_non_null(strstr(buf_text(&sink.notes), "app-1-2.gz: damaged near byte"));
    sink_fini(&sink);
    replay_free(replay);
    struct replay_options options = {0};
    struct err err = {0};
    const char *const missing[] = {paths[1], "/nonexistent/log"};
    assert_int_equal(replay_new(missing, 2, &options, &replay, &err), ST_SKIP);
    assert_null(replay);
    assert_string_equal(err.text, "/nonexistent/log: No such file or directory");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_identity_from_content),
        TEST(test_identity_from_name),
        TEST(test_odd_identities),
        TEST(test_time_of_a_line),
        TEST(test_identity_of_a_line),
        TEST(test_joined_logs_change_identity),
        TEST(test_merged_by_time),
        TEST(test_merged_from_any_order),
        TEST(test_values_are_the_lines),
        TEST(test_pace),
        TEST(test_pace_aligned),
        TEST(test_pace_with_bad_times),
        TEST(test_refused_event_comes_again),
        TEST(test_pace_with_late_times),
        TEST(test_step_is_bounded),
        TEST(test_faults_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
