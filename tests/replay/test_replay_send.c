// test_replay_send: a replay into a Kafka inside this process: all acknowledged, refused, out of
// reach, too large, stopped.
#include "replay/replay_support.h"

#include "kafka/mock.h"
#include "kafka/source.h"
#include "replay/replay_send.h"

static struct mock_cluster *cluster;
static struct kafka_settings kafka;

static int start_cluster(void **state) {
    struct err err;
    if (make_root(state) != 0 || mock_cluster_new(1, &cluster, &err) != ST_OK ||
        mock_cluster_create_topic(cluster, "events", 2, &err) != ST_OK) {
        return 1;
    }
    kafka = (struct kafka_settings){.brokers = mock_cluster_bootstrap(cluster)};
    return 0;
}

static int stop_cluster(void **state) {
    mock_cluster_free(cluster);
    return remove_root(state);
}

static void note_words(void *ctx, const char *words) {
    buf_printf(ctx, "%s\n", words);
}

static void add_to_count(void *ctx) {
    ++*(int *)ctx;
}

// Sends the first `count` logs; frees the replay.
static enum status send_logs(size_t count, struct replay_send *send, struct err *err) {
    struct sink sink;
    send->replay = open_logs(count, 0, false, &sink);
    send->kafka = &kafka;
    send->topic = "events";
    enum status status = replay_send_run(send, err);
    replay_free(send->replay);
    sink_fini(&sink);
    return status;
}

static void test_all_acknowledged(void **state) {
    (void)state;
    int ticks = 0;
    struct err err = {0};
    struct buf text = {0};
    struct replay_send send = {.timeout_ms = 20000, .tick = add_to_count, .ctx = &ticks};
    put_many(&text, AT("100"));
    put(1, "any1", START("b", ",\"App Attempt ID\":\"2\"", "001"));
    if (send_logs(2, &send, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(send.acknowledged, REPLAY_STEP_EVENTS + 5 + 1 + 1);
    assert_int_equal(send.too_large, 0);
    assert_true(send.seconds > 0);
    assert_true(ticks > 0);
    buf_fini(&text);
}

// What a consumer of the topic gets: a key, headers and a value as a listener sends them.
static void test_records_look_like_a_listeners(void **state) {
    (void)state;
    static const char *const topics[] = {"events"};
    struct kafka_source_options options = {
        .group = "test", .topics = topics, .topic_count = 1, .alone = true};
    struct kafka_source *source = NULL;
    struct err err = {0};
    struct message m;
    struct replay_send send = {.timeout_ms = 20000};
    put(0, "any0", START("a", ",\"App Attempt ID\":\"2\"", "001"));
    assert_int_equal(send_logs(1, &send, &err), ST_OK);
    assert_int_equal(
        kafka_source_new(&kafka, &options, (struct kafka_source_callbacks){0}, &source, &err),
        ST_OK);
    enum status status = ST_RETRY;
    for (int i = 0; i < 200 && status == ST_RETRY; i++) {
        status = kafka_source_poll(source, 100, &m, &err);
    }
    assert_int_equal(status, ST_OK);
    assert_true(str_is(m.key, "a/2"));
    assert_true(str_is(message_header_last(&m, "app_id"), "a"));
    assert_true(str_is(message_header_last(&m, "app_attempt"), "2"));
    assert_int_equal(m.value.len, send.bytes);
    assert_true(str_starts(m.value, STR("{\"Event\":\"SparkListenerApplicationStart\"")));
    assert_true(m.timestamp_ms > 1700000000001); // when it was sent, not when it happened
    kafka_source_free(source);
}

static void test_broker_out_of_reach(void **state) {
    (void)state;
    struct err err = {0};
    struct replay_send send = {.timeout_ms = 1500};
    put(0, "any0", START("a", "", "001"));
    mock_cluster_down(cluster, -1);
    assert_int_equal(send_logs(1, &send, &err), ST_ABORT);
    assert_int_equal(send.acknowledged, 0);
    assert_ptr_equal(strstr(err.text, "nothing acknowledged for 1 s: "), err.text);
}

static void test_topic_is_missing(void **state) {
    (void)state;
    struct err err = {0};
    struct replay_send send = {.timeout_ms = 1500};
    put(0, "any0", START("a", "", "001"));
    mock_cluster_topic_error(cluster, "events", MOCK_UNKNOWN_TOPIC);
    assert_int_equal(send_logs(1, &send, &err), ST_ABORT);
    assert_non_null(strstr(err.text, "is there a topic events?"));
}

// A broker that comes back in time has everything.
static void test_broker_comes_back(void **state) {
    (void)state;
    struct err err = {0};
    struct replay_send send = {.timeout_ms = 30000};
    put(0, "any0", START("a", "", "001") AT("002"));
    mock_cluster_push_error(cluster, MOCK_PRODUCE, MOCK_NOT_ENOUGH_REPLICAS, 2);
    if (send_logs(1, &send, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(send.acknowledged, 2);
}

static void test_refused(void **state) {
    (void)state;
    struct err err = {0};
    struct replay_send send = {.timeout_ms = 20000};
    put(0, "any0", START("a", "", "001") AT("002"));
    mock_cluster_push_error(cluster, MOCK_PRODUCE, MOCK_TOPIC_DENIED, 10);
    assert_int_equal(send_logs(1, &send, &err), ST_ABORT);
    assert_int_equal(send.acknowledged, 0);
    assert_true(err.text[0] != '\0');
}

static void test_too_large_is_passed_over(void **state) {
    (void)state;
    struct err err = {0};
    struct buf text = {0}, words = {0};
    struct replay_send send = {
        .timeout_ms = 20000, .max_record_bytes = 4000, .note = note_words, .ctx = &words};
    buf_add_text(&text, START("a", "", "001"));
    memset(buf_reserve(&text, 5000), 'x', 5000);
    text.len += 5000;
    buf_add_text(&text, "\n" AT("002"));
    put(0, "any0", buf_text(&text));
    if (send_logs(1, &send, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(send.acknowledged, 2);
    assert_int_equal(send.too_large, 1);
    assert_int_equal(send.bytes, text.len - 5000 - 3); // without line ends
    assert_true(words.len > 0);
    buf_fini(&text);
    buf_fini(&words);
}

static void test_stopped_before_the_end(void **state) {
    (void)state;
    struct err err = {0};
    _Atomic int stop = 1;
    struct replay_send send = {.timeout_ms = 20000, .stop = &stop};
    put(0, "any0", START("a", "", "001") AT("002"));
    assert_int_equal(send_logs(1, &send, &err), ST_OK);
    assert_int_equal(send.acknowledged, 0);
}

// Waiting for the next event is no outage, however long; nor is a broker that answers slowly while
// events keep coming.
static void test_patience_is_with_the_broker(void **state) {
    (void)state;
    struct err err = {0};
    struct sink sink;
    struct buf text = {0};
    struct replay_send send = {.timeout_ms = 2500, .kafka = &kafka, .topic = "events"};
    buf_add_text(&text, START("a", "", "000") "{\"Event\":\"X\",\"Timestamp\":1700000004500}\n");
    for (int i = 0; i < 30; i++) {
        buf_printf(&text, "{\"Event\":\"X\",\"Timestamp\":%lld}\n", 1700000004500LL + i * 100);
    }
    put(0, "any0", buf_text(&text));
    mock_cluster_rtt(cluster, -1, 200);
    send.replay = open_logs(1, 1.0, false, &sink);
    if (replay_send_run(&send, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(send.acknowledged, 32);
    replay_free(send.replay);
    sink_fini(&sink);
    buf_fini(&text);
}

static void test_bad_settings(void **state) {
    (void)state;
    struct err err = {0};
    struct kafka_property wrong = {"no.such.property", "1"};
    struct replay_send send = {.timeout_ms = 20000};
    put(0, "any0", START("a", "", "001"));
    kafka.role = &wrong;
    kafka.role_count = 1;
    assert_int_equal(send_logs(1, &send, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "no.such.property"));
}

#define SEND_TEST(f) cmocka_unit_test_setup_teardown(f, start_cluster, stop_cluster)

int main(void) {
    const struct CMUnitTest tests[] = {
        SEND_TEST(test_records_look_like_a_listeners),
        SEND_TEST(test_all_acknowledged),
        SEND_TEST(test_broker_out_of_reach),
        SEND_TEST(test_topic_is_missing),
        SEND_TEST(test_broker_comes_back),
        SEND_TEST(test_refused),
        SEND_TEST(test_too_large_is_passed_over),
        SEND_TEST(test_stopped_before_the_end),
        SEND_TEST(test_patience_is_with_the_broker),
        SEND_TEST(test_bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
