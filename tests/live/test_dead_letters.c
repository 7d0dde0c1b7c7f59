// test_dead_letters: what lies in the dead-letter topic of a message that could not be used: its
// key, value, headers and time as they came, where it lay, why; and what becomes of one that is too
// large, or is sent in again.
#include "kafka/source.h"
#include "world.h"

static const char broken[] = "{\"Event\":\"SparkListenerTaskEnd\"";

static struct kafka_source *open_topic(struct world *w, enum topic topic) {
    const char *name = topic_row(topic)->def;
    struct kafka_source_options options = {
        .group = "reader", .topics = &name, .topic_count = 1, .alone = true};
    struct kafka_source *src = NULL;
    struct err err = {0};
    assert_int_equal(kafka_source_new(&w->options.consumer, &options,
                                      (struct kafka_source_callbacks){0}, &src, &err),
                     ST_OK);
    return src;
}

static void send(struct world *w, struct sink_record record) {
    struct err err = {0};
    record.topic = topic_row(TOPIC_EVENTS)->def;
    assert_int_equal(kafka_sink_send(w->sender, &record, &err), ST_OK);
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
}

static int64_t letters_wanted;
static bool letters_kept(struct world *w) {
    (void)w;
    return metrics_get(METRIC_DLQ_RECORDS) >= letters_wanted;
}

// The next dead letter, once the agent has committed `nth` of them.
static void expect_letter(struct world *w, struct kafka_source *src, int nth, struct message *out) {
    struct err err = {0};
    letters_wanted = nth;
    turn_until(w, letters_kept);
    int64_t deadline_ms = clock_mono_ms() + 20000;
    while (kafka_source_poll(src, 100, out, &err) != ST_OK) {
        assert_true(clock_mono_ms() < deadline_ms);
    }
}

static void expect_header(const struct message *m, const char *name, const char *value) {
    int found = 0;
    for (uint32_t i = 0; i < m->header_count; i++) {
        found += strcmp(m->headers[i].name, name) == 0;
    }
    struct str text = message_header_last(m, name);
    if (found != 1 || !str_is(text, value)) {
        fail_msg("%d headers %s, the last is %.*s", found, name, (int)text.len, text.p);
    }
}

static void expect_said(const struct message *m, const char *reason, const char *offset,
                        const char *times) {
    expect_header(m, "stoker.error.reason", reason);
    expect_header(m, "stoker.error.times", times);
    expect_header(m, "stoker.source.topic", "spark-events");
    expect_header(m, "stoker.source.partition", "0");
    expect_header(m, "stoker.source.offset", offset);
    assert_true(message_header_last(m, "stoker.error.text").len > 0);
}

// Headers of the message itself come first, as they came.
static void expect_first(const struct message *m, const struct message_header *own, uint32_t n) {
    assert_true(m->header_count > n);
    for (uint32_t i = 0; i < n; i++) {
        assert_string_equal(m->headers[i].name, own[i].name);
        assert_true(str_eq(m->headers[i].value, own[i].value));
        assert_int_equal(m->headers[i].value.p == NULL, own[i].value.p == NULL);
    }
    assert_true(str_starts(str_of(m->headers[n].name), STR("stoker.")));
}

static void a_dead_letter_is_the_message_and_why(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct message_header own[] = {{"app_id", STR("app-1")}, {"app_attempt", STR("2")},
                                   {"trace", STR("\0\xff")}, {"none", {NULL, 0}},
                                   {"app_id", STR("app-2")}, {"stoker.mine", STR("kept")}};
    struct sink_record record = {.value = str_of(broken),
                                 .headers = own,
                                 .header_count = ARRAY_LEN(own),
                                 .timestamp_ms = 1700000000123};
    struct kafka_source *letters = open_topic(w, TOPIC_DLQ);
    struct message m;
    send(w, record); // without a key
    expect_letter(w, letters, 1, &m);
    assert_null(m.key.p);
    assert_true(str_is(m.value, broken));
    assert_int_equal(m.timestamp_ms, 1700000000123);
    expect_first(&m, own, ARRAY_LEN(own));
    expect_said(&m, "malformed", "0", "1");
    expect_header(&m, "stoker.source.timestamp_ms", "1700000000123");
    assert_int_equal(m.header_count, ARRAY_LEN(own) + 7);
    record.key = STR(""); // which is not the same as none
    record.headers = NULL;
    record.header_count = 0;
    send(w, record);
    expect_letter(w, letters, 2, &m);
    assert_non_null(m.key.p);
    assert_int_equal(m.key.len, 0);
    expect_said(&m, "malformed", "1", "1");
    assert_int_equal(m.header_count, 7);
    kafka_source_free(letters);
    world_free(w);
}

// Sent in again just as it lies there, it is placed by its header, and if it fails again its dead
// letter looks the same but for place and times.
static void a_dead_letter_may_be_sent_in_again(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct message_header own[] = {{"app_id", STR("app-1")}, {"stoker.error.times", STR("none")}};
    struct kafka_source *letters = open_topic(w, TOPIC_DLQ);
    struct message m;
    send(w, (struct sink_record){.value = str_of(broken), .headers = own, .header_count = 2});
    for (int times = 1; times <= 3; times++) {
        char offset[4], said[4];
        snprintf(offset, sizeof offset, "%d", times - 1);
        snprintf(said, sizeof said, "%d", times);
        expect_letter(w, letters, times, &m);
        expect_first(&m, own, 1);
        expect_said(&m, "malformed", offset, said);
        assert_int_equal(m.header_count, 1 + 7);
        send(w, (struct sink_record){.key = m.key,
                                     .value = m.value,
                                     .headers = m.headers,
                                     .header_count = m.header_count,
                                     .timestamp_ms = m.timestamp_ms});
    }
    kafka_source_free(letters);
    world_free(w);
}

static void a_dead_letter_that_is_too_large_loses_its_value_only(void **state) {
    (void)state;
    struct world *w = world_new(true);
    agent_free(w->agent);
    w->options.max_record_bytes = 4000;
    open_agent(w);
    static char large[8000];
    memset(large, '\1', sizeof large); // neither JSON nor a line of a log
    struct message_header own = {"app_id", STR("app-1")};
    struct kafka_source *letters = open_topic(w, TOPIC_DLQ);
    struct message m;
    send(w, (struct sink_record){.key = STR("key"),
                                 .value = {large, sizeof large},
                                 .headers = &own,
                                 .header_count = 1,
                                 .timestamp_ms = 1700000000123});
    expect_letter(w, letters, 1, &m);
    assert_int_equal(m.value.len, 0);
    assert_true(str_is(m.key, "key"));
    assert_int_equal(m.timestamp_ms, 1700000000123);
    expect_first(&m, &own, 1);
    expect_said(&m, "malformed", "0", "1");
    send(w, (struct sink_record){.key = STR("key"), .value = {large, 1000}}); // one that fits
    expect_letter(w, letters, 2, &m);
    assert_int_equal(m.value.len, 1000);
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), 0);
    kafka_source_free(letters);
    world_free(w);
}

// Its own headers, then its key, if those alone are too large.
static void a_dead_letter_loses_what_is_too_large_and_says_so(void **state) {
    (void)state;
    struct world *w = world_new(true);
    agent_free(w->agent);
    w->options.max_record_bytes = 4000;
    open_agent(w);
    static char large[5000];
    memset(large, 'x', sizeof large);
    struct message_header own[] = {{"app_id", STR("app-1")}, {"large", {large, sizeof large}}};
    struct kafka_source *letters = open_topic(w, TOPIC_DLQ);
    struct message m;
    send(w, (struct sink_record){
                .key = STR("key"), .value = str_of(broken), .headers = own, .header_count = 2});
    expect_letter(w, letters, 1, &m);
    assert_true(str_is(m.key, "key"));
    assert_int_equal(m.value.len, 0);
    expect_said(&m, "malformed", "0", "1");
    expect_header(&m, "stoker.headers.dropped", "2");
    assert_null(message_header_last(&m, "stoker.key.dropped").p);
    char value_bytes[16];
    snprintf(value_bytes, sizeof value_bytes, "%zu", strlen(broken));
    expect_header(&m, "stoker.value.dropped", value_bytes);
    send(w, (struct sink_record){.key = {large, sizeof large}, .value = str_of(broken)});
    expect_letter(w, letters, 2, &m);
    assert_null(m.key.p);
    expect_said(&m, "malformed", "1", "1");
    expect_header(&m, "stoker.key.dropped", "5000");
    assert_int_equal(metrics_get(METRIC_DLQ_TOO_LARGE), 2);
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), 0);
    kafka_source_free(letters);
    world_free(w);
}

static void headers_that_are_not_kept_are_declared(void **state) {
    (void)state;
    struct world *w = world_new(true);
    static char large[MESSAGE_HEADERS_MAX_BYTES];
    memset(large, 'x', sizeof large);
    struct message_header own[] = {{"a", {large, sizeof large}}, {"app_id", STR("app-1")}};
    struct kafka_source *letters = open_topic(w, TOPIC_DLQ);
    struct message m;
    send(w, (struct sink_record){.value = str_of(broken), .headers = own, .header_count = 2});
    expect_letter(w, letters, 1, &m);
    expect_first(&m, own + 1, 1);
    expect_header(&m, "stoker.headers.dropped", "1");
    kafka_source_free(letters);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_letter_is_the_message_and_why),
        cmocka_unit_test(a_dead_letter_may_be_sent_in_again),
        cmocka_unit_test(a_dead_letter_that_is_too_large_loses_its_value_only),
        cmocka_unit_test(a_dead_letter_loses_what_is_too_large_and_says_so),
        cmocka_unit_test(headers_that_are_not_kept_are_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
