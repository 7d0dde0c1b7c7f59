// test_kafka_topics: what verify and create say about missing and denied topics and about a cluster
// that does not answer. The mock has no admin API: what needs one is tested on a real broker.
#include "cluster.h"

#include "kafka/topics.h"

static const struct topic_spec specs[] = {
    {.name = "in", .partitions = 2, .replication = -1},
    {.name = "missing", .partitions = 2, .replication = -1},
};

struct lines {
    int fine, note, wrong;
    struct buf text;
};

static void on_line(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    struct lines *lines = ctx;
    lines->fine += mark == TOPICS_FINE;
    lines->note += mark == TOPICS_NOTE;
    lines->wrong += mark >= TOPICS_WRONG;
    buf_printf(&lines->text, "%s: %s\n", topic, text);
}

static void test_missing_and_denied(void **state) {
    struct cluster *c = *state;
    mock_cluster_topic_error(c->mock, "in", MOCK_TOPIC_DENIED);
    mock_cluster_topic_error(c->mock, "missing", MOCK_UNKNOWN_TOPIC);
    struct lines lines = {0};
    struct topics_report report = {&lines, on_line};
    size_t wrong = 99;
    assert_int_equal(topics_verify(&c->settings, specs, 2, 5000, report, &wrong, &c->err), ST_OK);
    assert_int_equal(wrong, 2);
    assert_int_equal(lines.wrong, 2);
    assert_int_equal(lines.fine + lines.note, 0);
    assert_non_null(
        strstr(buf_text(&lines.text), "in: cannot be used: Broker: Topic authorization"));
    assert_non_null(strstr(buf_text(&lines.text), "needs an ACL"));
    assert_non_null(
        strstr(buf_text(&lines.text), "missing: cannot be used: Broker: Unknown topic"));
    assert_non_null(strstr(buf_text(&lines.text), "topics --create"));
    buf_fini(&lines.text);
}

static void test_unanswered(void **state) {
    struct cluster *c = *state;
    struct lines lines = {0};
    struct topics_report report = {&lines, on_line};
    size_t wrong = 99;
    struct kafka_settings nobody = {.brokers = "127.0.0.1:1"};
    int64_t began_ms = clock_mono_ms();
    assert_int_equal(topics_verify(&nobody, specs, 2, 700, report, &wrong, &c->err), ST_RETRY);
    assert_non_null(strstr(c->err.text, "Kafka at 127.0.0.1:1 cannot be reached: "));
    assert_int_equal(topics_create(&nobody, specs, 2, 700, report, &wrong, &c->err), ST_RETRY);
    assert_non_null(strstr(c->err.text, "Connection refused"));
    assert_true(clock_mono_ms() - began_ms < WAIT_MS);
    // The mock answers, but not to this.
    assert_int_equal(topics_create(&c->settings, specs, 2, 700, report, &wrong, &c->err), ST_RETRY);
    assert_true(str_starts(str_of(c->err.text), STR("creating topics: ")));
    assert_int_equal(lines.fine + lines.note + lines.wrong, 0);
    buf_fini(&lines.text);
}

static void test_bad_requests(void **state) {
    struct cluster *c = *state;
    struct lines lines = {0};
    struct topics_report report = {&lines, on_line};
    size_t wrong = 99;
    struct kafka_property property = {"ssl.caa", "x"};
    struct kafka_settings bad = c->settings;
    bad.common = &property;
    bad.common_count = 1;
    assert_int_equal(topics_verify(&bad, specs, 2, 700, report, &wrong, &c->err), ST_FATAL);
    assert_true(str_starts(str_of(c->err.text), STR("kafka.common.ssl.caa: ")));
    assert_int_equal(topics_create(&bad, specs, 2, 700, report, &wrong, &c->err), ST_FATAL);
    struct topic_spec no_partitions = {.name = "in", .partitions = -2, .replication = -1};
    assert_int_equal(topics_create(&c->settings, &no_partitions, 1, 700, report, &wrong, &c->err),
                     ST_FATAL);
    assert_true(str_starts(str_of(c->err.text), STR("topic in: ")));
    buf_fini(&lines.text);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_missing_and_denied),
        ON_CLUSTER(test_unanswered),
        ON_CLUSTER(test_bad_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
