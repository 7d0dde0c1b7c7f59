// test_kafka_sink: what a send and a flush say about records that arrive, are refused, are too
// large or find no room; and what a reader finds of them.
#include "cluster.h"

#include "base/metrics.h"

static void expect_headers(const struct message *m, const struct message_header *headers,
                           uint32_t count) {
    assert_int_equal(m->header_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(m->headers[i].name, headers[i].name);
        assert_true(str_eq(m->headers[i].value, headers[i].value));
        assert_int_equal(m->headers[i].value.p == NULL, headers[i].value.p == NULL);
    }
}

static void test_round_trip(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    struct message_header headers[] = {{"app_id", STR("app-1")}, {"app_attempt", STR("2")},
                                       {"none", {NULL, 0}},      {"empty", STR("")},
                                       {"bytes", STR("\0\xff")}, {"app_id", STR("app-9")}};
    struct sink_record record = {.topic = "in",
                                 .key = STR("key"),
                                 .value = STR("va\0ue"),
                                 .headers = headers,
                                 .header_count = ARRAY_LEN(headers),
                                 .timestamp_ms = 1234567890123};
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    expect_flush(c, sink, ST_OK);
    struct kafka_source *src = open_source(c, "in", true);
    struct message m;
    expect_message(c, src, &m);
    assert_true(str_eq(m.key, STR("key")));
    assert_true(str_eq(m.value, STR("va\0ue")));
    expect_headers(&m, headers, ARRAY_LEN(headers));
    assert_true(str_is(message_header_last(&m, "app_id"), "app-9"));
    assert_true(str_is(message_header_last(&m, "app_attempt"), "2"));
    assert_string_equal(m.topic, "in");
    assert_int_equal(m.offset, 0);
    assert_int_equal(m.timestamp_ms, 1234567890123);
    // Neither key nor value nor headers.
    assert_int_equal(kafka_sink_send(sink, &(struct sink_record){.topic = "in"}, &c->err), ST_OK);
    expect_flush(c, sink, ST_OK);
    expect_message(c, src, &m);
    assert_int_equal(m.key.len + m.value.len + m.header_count, 0);
    assert_null(m.key.p);
    assert_non_null(m.value.p);
    assert_true(m.timestamp_ms > 1600000000000);
    assert_int_equal(c->delivered, 2);
    kafka_source_free(src);
    kafka_sink_free(sink);
}

// What goes beyond the bound is left out and counted; a smaller header behind it still comes.
static void test_headers_are_bounded(void **state) {
    struct cluster *c = *state;
    enum { MOST = MESSAGE_HEADERS_MAX_BYTES - MESSAGE_HEADER_FRAMING - 1 };
    static char big[MOST + 1];
    memset(big, 'x', sizeof big);
    struct message_header fits[] = {{"a", {big, MOST}}, {"b", STR("")}};
    struct message_header over[] = {{"a", {big, MOST + 1}}, {"app_id", STR("app-1")}};
    struct sink_record record = {.topic = "in", .to_partition = true, .header_count = 2};
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    record.headers = fits;
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    record.headers = over;
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    expect_flush(c, sink, ST_OK);
    struct kafka_source *src = open_source(c, "in", true);
    struct message m;
    int64_t hits = metrics_get(METRIC_LIMIT_HEADERS);
    expect_message(c, src, &m);
    expect_headers(&m, fits, 1);
    assert_int_equal(m.headers_dropped, 1);
    expect_message(c, src, &m);
    expect_headers(&m, over + 1, 1);
    assert_int_equal(m.headers_dropped, 1);
    assert_int_equal(metrics_get(METRIC_LIMIT_HEADERS) - hits, 2);
    kafka_source_free(src);
    kafka_sink_free(sink);
}

static void test_keys_stay_in_order(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    for (int i = 0; i < 100; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        struct sink_record record = {.topic = "in", .key = STR("same"), .value = str_of(text)};
        assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    }
    expect_flush(c, sink, ST_OK);
    struct kafka_source *src = open_source(c, "in", true);
    int32_t partition = -1;
    for (int i = 0; i < 100; i++) {
        struct message m;
        int64_t number = -1;
        expect_message(c, src, &m);
        assert_true(i == 0 || m.partition == partition);
        partition = m.partition;
        assert_true(str_to_i64(m.value, &number));
        assert_int_equal(number, i);
    }
    kafka_source_free(src);
    kafka_sink_free(sink);
}

static void test_passing_errors_are_not_seen(void **state) {
    struct cluster *c = *state;
    static const enum mock_error passing[] = {MOCK_NOT_LEADER, MOCK_NOT_ENOUGH_REPLICAS,
                                              MOCK_TIMED_OUT, MOCK_DISCONNECT};
    // One request at a time: unlike a broker, the mock takes a batch although the one before it was
    // refused, and the library then holds that one for taken as well.
    static const struct kafka_property one[] = {{"max.in.flight", "1"}};
    c->settings.role = one;
    c->settings.role_count = ARRAY_LEN(one);
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        mock_cluster_push_error(c->mock, MOCK_PRODUCE, passing[i], 2);
        send_numbers(c, sink, (int)i * 10, (int)i * 10 + 10);
        expect_flush(c, sink, ST_OK);
    }
    assert_int_equal(c->delivered, 10 * ARRAY_LEN(passing));
    // All are there. The mock takes a batch that comes again for a new one: that nothing is doubled
    // is tested on a real broker.
    struct kafka_source *src = open_source(c, "in", true);
    bool seen[10 * ARRAY_LEN(passing)] = {false};
    for (size_t left = ARRAY_LEN(seen); left > 0;) {
        struct message m;
        int64_t number = -1;
        expect_message(c, src, &m);
        assert_true(str_to_i64(m.value, &number));
        assert_in_range(number, 0, ARRAY_LEN(seen) - 1);
        left -= !seen[number];
        seen[number] = true;
    }
    kafka_source_free(src);
    kafka_sink_free(sink);
}

static void expect_refusal(struct cluster *c, struct kafka_sink *sink, enum mock_error error,
                           const char *words) {
    int64_t errors = metrics_get(METRIC_PUBLISH_ERRORS);
    uint64_t delivered = c->delivered;
    mock_cluster_push_error(c->mock, MOCK_PRODUCE, error, 1);
    assert_int_equal(send_text(c, sink, "refused"), ST_OK);
    expect_flush(c, sink, ST_ABORT);
    assert_non_null(strstr(c->err.text, words));
    assert_true(metrics_get(METRIC_PUBLISH_ERRORS) > errors);
    assert_int_equal(c->delivered, delivered);
    mock_cluster_clear_errors(c->mock, MOCK_PRODUCE);
    // The next batch begins anew, at the latest when the topic was looked up again.
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (send_text(c, sink, "taken") != ST_OK) {
        expect_flush(c, sink, ST_ABORT);
        clock_sleep_ms(50);
        assert_true(clock_mono_ms() < deadline_ms);
    }
    expect_flush(c, sink, ST_OK);
    assert_int_equal(c->delivered, delivered + 1);
}

static void test_refusals(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    expect_refusal(c, sink, MOCK_TOO_LARGE, "MSG_SIZE_TOO_LARGE");
    expect_refusal(c, sink, MOCK_TOPIC_DENIED, "topic in cannot be written: ");
    expect_refusal(c, sink, MOCK_TOPIC_DENIED, "needs the ACL WRITE on it");
    kafka_sink_free(sink);
}

static void test_fatal_producer_is_replaced(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, 0, 10);
    expect_flush(c, sink, ST_OK);
    expect_refusal(c, sink, MOCK_OUT_OF_ORDER, "OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect_refusal(c, sink, MOCK_OUT_OF_ORDER, "OUT_OF_ORDER_SEQUENCE_NUMBER");
    assert_int_equal(kafka_sink_outstanding(sink), 0);
    kafka_sink_free(sink);
}

static void test_too_large_is_not_sent(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){.max_record_bytes = 2000});
    char big[2000];
    memset(big, 'x', sizeof big);
    struct message_header header = {"h", {big, 1500}};
    struct sink_record fits = {.topic = "in", .value = {big, 1872}}; // and 128 bytes of framing
    struct sink_record over = {.topic = "in", .value = {big, 1873}};
    struct sink_record headed = {
        .topic = "in", .value = {big, 500}, .headers = &header, .header_count = 1};
    assert_int_equal(kafka_sink_send(sink, &over, &c->err), ST_SKIP);
    assert_non_null(strstr(c->err.text, "over the limit of 1872"));
    assert_int_equal(kafka_sink_send(sink, &headed, &c->err), ST_SKIP);
    assert_int_equal(kafka_sink_send(sink, &fits, &c->err), ST_OK);
    expect_flush(c, sink, ST_OK);
    assert_int_equal(c->delivered, 1);
    kafka_sink_free(sink);
}

// A record that the broker once refused for its size must not come back for ever.
static void test_learns_the_limit_of_a_topic(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink =
        open_sink(c, (struct kafka_sink_options){.max_record_bytes = 4000000});
    char *big = mem_zalloc(1, 3000000);
    struct sink_record record = {.topic = "in", .value = {big, 3000000}};
    mock_cluster_push_error(c->mock, MOCK_PRODUCE, MOCK_TOO_LARGE, 1);
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    expect_flush(c, sink, ST_ABORT);
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_SKIP);
    assert_non_null(strstr(c->err.text, "over the limit of 2999999"));
    record.value.len = 2999999;
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    expect_flush(c, sink, ST_OK);
    mem_free(big);
    kafka_sink_free(sink);
}

// A broker may refuse records that are too old: the next attempt gets the present time.
static void test_learns_that_times_are_refused(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    struct sink_record record = {.topic = "in", .value = STR("x"), .timestamp_ms = 1234567890123};
    mock_cluster_push_error(c->mock, MOCK_PRODUCE, MOCK_BAD_TIMESTAMP, 1);
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    expect_flush(c, sink, ST_ABORT);
    assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    expect_flush(c, sink, ST_OK);
    struct kafka_source *src = open_source(c, "in", true);
    struct message m;
    expect_message(c, src, &m);
    assert_true(m.timestamp_ms > 1600000000000);
    kafka_source_free(src);
    kafka_sink_free(sink);
}

static void test_full_queue_says_retry(void **state) {
    struct cluster *c = *state;
    static const struct kafka_property small = {"queue.buffering.max.messages", "10"};
    c->settings.role = &small;
    c->settings.role_count = 1;
    mock_cluster_down(c->mock, -1);
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){.queue_wait_ms = 100});
    send_numbers(c, sink, 0, 10);
    assert_int_equal(send_text(c, sink, "10"), ST_RETRY);
    assert_int_equal(kafka_sink_outstanding(sink), 10);
    assert_int_equal(kafka_sink_flush(sink, 100, &c->err), ST_RETRY);
    mock_cluster_up(c->mock, -1);
    expect_flush(c, sink, ST_OK);
    assert_int_equal(send_text(c, sink, "10"), ST_OK);
    expect_flush(c, sink, ST_OK);
    assert_int_equal(c->delivered, 11);
    kafka_sink_free(sink);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_round_trip),
        ON_CLUSTER(test_headers_are_bounded),
        ON_CLUSTER(test_keys_stay_in_order),
        ON_CLUSTER(test_passing_errors_are_not_seen),
        ON_CLUSTER(test_refusals),
        ON_CLUSTER(test_fatal_producer_is_replaced),
        ON_CLUSTER(test_too_large_is_not_sent),
        ON_CLUSTER(test_learns_the_limit_of_a_topic),
        ON_CLUSTER(test_learns_that_times_are_refused),
        ON_CLUSTER(test_full_queue_says_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
