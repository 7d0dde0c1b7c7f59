// test_kafka_source: positions and where reading goes on, back-pressure, lag, and every reason that
// /readyz can give.
#include "cluster.h"

static void fill(struct cluster *c, int count) {
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, 0, count);
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
}

// Reads `count` messages; next[p] gets the position after the last of partition p.
static void read_some(struct cluster *c, struct kafka_source *src, int count, int64_t next[2]) {
    for (int i = 0; i < count; i++) {
        struct message m;
        expect_message(c, src, &m);
        assert_in_range(m.partition, 0, 1);
        next[m.partition] = m.offset + 1;
    }
}

static enum status commit(struct cluster *c, struct kafka_source *src, const int64_t next[2]) {
    struct source_position positions[2];
    size_t count = 0;
    for (int32_t p = 0; p < 2; p++) {
        if (next[p] >= 0) {
            positions[count++] = (struct source_position){"in", p, next[p]};
        }
    }
    return kafka_source_commit(src, positions, count, WAIT_MS, &c->err);
}

static void test_goes_on_where_committed(void **state) {
    struct cluster *c = *state;
    fill(c, 100);
    int64_t next[2] = {-1, -1};
    struct kafka_source *src = open_source(c, "in", true);
    read_some(c, src, 60, next);
    assert_int_equal(commit(c, src, next), ST_OK);
    int64_t ignored[2] = {-1, -1};
    read_some(c, src, 20, ignored); // read, but not committed: comes again
    assert_int_equal(kafka_source_commit(src, NULL, 0, 0, &c->err), ST_OK);
    kafka_source_free(src);
    src = open_source(c, "in", true);
    bool first[2] = {true, true};
    for (int i = 0; i < 40; i++) {
        struct message m;
        expect_message(c, src, &m);
        if (first[m.partition] && next[m.partition] >= 0) {
            assert_int_equal(m.offset, next[m.partition]);
        }
        first[m.partition] = false;
    }
    struct message m;
    assert_int_equal(kafka_source_poll(src, 300, &m, &c->err), ST_RETRY);
    kafka_source_free(src);
}

static void test_commit_answers(void **state) {
    struct cluster *c = *state;
    fill(c, 10);
    struct kafka_source *src = open_source(c, "in", true);
    int64_t next[2] = {-1, -1};
    read_some(c, src, 10, next);
    mock_cluster_push_error(c->mock, MOCK_OFFSET_COMMIT, MOCK_ILLEGAL_GENERATION, 1);
    assert_int_equal(commit(c, src, next), ST_ABORT);
    mock_cluster_push_error(c->mock, MOCK_OFFSET_COMMIT, MOCK_GROUP_DENIED, 1);
    assert_int_equal(commit(c, src, next), ST_ABORT);
    assert_non_null(strstr(c->err.text, "READ on the consumer group"));
    assert_int_equal(commit(c, src, next), ST_OK);
    // An answer that comes late is not taken for the next commit's.
    mock_cluster_push_error(c->mock, MOCK_OFFSET_COMMIT, MOCK_ILLEGAL_GENERATION, 1);
    mock_cluster_rtt(c->mock, -1, 700);
    struct source_position position = {"in", 0, 0};
    assert_int_equal(kafka_source_commit(src, &position, 1, 50, &c->err), ST_RETRY);
    assert_int_equal(commit(c, src, next), ST_OK);
    mock_cluster_rtt(c->mock, -1, 0);
    kafka_source_free(src);
}

static void test_pause(void **state) {
    struct cluster *c = *state;
    fill(c, 50);
    struct kafka_source *src = open_source(c, "in", true);
    kafka_source_pause(src); // before there is anything to pause
    struct message m;
    int64_t until_ms = clock_mono_ms() + 700;
    while (clock_mono_ms() < until_ms) {
        assert_int_equal(kafka_source_poll(src, 50, &m, &c->err), ST_RETRY);
    }
    assert_int_equal(kafka_source_partitions(src), 2);
    assert_false(kafka_source_caught_up(src, "in", 0));
    kafka_source_resume(src);
    int64_t next[2] = {-1, -1};
    read_some(c, src, 20, next);
    kafka_source_pause(src);
    kafka_source_pause(src);
    until_ms = clock_mono_ms() + 500;
    while (clock_mono_ms() < until_ms) {
        assert_int_equal(kafka_source_poll(src, 50, &m, &c->err), ST_RETRY);
    }
    kafka_source_resume(src);
    for (int i = 20; i < 50; i++) {
        expect_message(c, src, &m);
        if (next[m.partition] >= 0) {
            assert_int_equal(m.offset, next[m.partition]); // neither lost nor repeated
        }
        next[m.partition] = m.offset + 1;
    }
    kafka_source_free(src);
}

static void test_lag_and_end(void **state) {
    struct cluster *c = *state;
    fill(c, 100);
    struct kafka_source *src = open_source(c, "in", true);
    assert_int_equal(kafka_source_lag(src), 0); // nothing is known yet
    int64_t next[2] = {-1, -1};
    while (next[0] < 0 || next[1] < 0) {
        read_some(c, src, 1, next);
        assert_false(kafka_source_caught_up(src, "in", 0) && kafka_source_caught_up(src, "in", 1));
    }
    assert_int_equal(kafka_source_lag(src), 100 - next[0] - next[1]);
    read_some(c, src, (int)(100 - next[0] - next[1]), next);
    assert_int_equal(kafka_source_lag(src), 0);
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    struct message m;
    while (!kafka_source_caught_up(src, "in", 0) || !kafka_source_caught_up(src, "in", 1)) {
        assert_int_equal(kafka_source_poll(src, 50, &m, &c->err), ST_RETRY);
        assert_true(clock_mono_ms() < deadline_ms);
    }
    fill(c, 1);
    expect_message(c, src, &m);
    assert_false(kafka_source_caught_up(src, "in", m.partition));
    assert_false(kafka_source_caught_up(src, "in", 7));
    assert_false(kafka_source_caught_up(src, "other", 0));
    kafka_source_free(src);
}

static void test_callbacks(void **state) {
    struct cluster *c = *state;
    struct kafka_source *src = open_source(c, "in", true);
    expect_health(c, src, NULL);
    assert_int_equal(c->assigned, 2);
    assert_int_equal(c->revoked, 0);
    kafka_source_free(src);
    assert_int_equal(c->revoked, 2);
    assert_int_equal(c->lost, 0);
}

// A source that is freed with messages fetched ahead drops them, whatever it was doing.
static void test_free_in_the_middle(void **state) {
    struct cluster *c = *state;
    fill(c, 1000);
    for (int i = 0; i < 20; i++) {
        struct kafka_source *src = open_source(c, "in", true);
        struct message m;
        expect_message(c, src, &m);
        assert_int_equal(m.offset, 0);
        kafka_source_free(src);
    }
    assert_int_equal(c->assigned, 40);
    assert_int_equal(c->revoked, 40);
}

static void test_health_of_topics(void **state) {
    struct cluster *c = *state;
    mock_cluster_topic_error(c->mock, "in", MOCK_UNKNOWN_TOPIC);
    struct kafka_source *src = open_source(c, "in", true);
    expect_health(c, src, "topic in cannot be read: Broker: Unknown topic");
    mock_cluster_topic_error(c->mock, "in", MOCK_TOPIC_DENIED);
    expect_health(c, src, "needs an ACL");
    mock_cluster_topic_error(c->mock, "in", 0);
    expect_health(c, src, NULL);
    // Refused later: the topic is known, and yet nothing may be read.
    mock_cluster_push_error(c->mock, MOCK_FETCH, MOCK_TOPIC_DENIED, 1000);
    expect_health(c, src, "needs an ACL");
    mock_cluster_clear_errors(c->mock, MOCK_FETCH);
    fill(c, 10);
    expect_numbers(c, src, 10);
    expect_health(c, src, NULL);
    kafka_source_free(src);
}

static void test_health_without_broker(void **state) {
    struct cluster *c = *state;
    struct kafka_settings settings = {.brokers = "127.0.0.1:1"};
    const char *topic = "in";
    struct kafka_source_options options = {"g", &topic, 1, false};
    struct kafka_source *src = NULL;
    assert_int_equal(
        kafka_source_new(&settings, &options, (struct kafka_source_callbacks){0}, &src, &c->err),
        ST_OK);
    expect_health(c, src, "Kafka at 127.0.0.1:1 cannot be reached: ");
    expect_health(c, src, "Connection refused");
    int64_t began_ms = clock_mono_ms();
    kafka_source_free(src);
    assert_true(clock_mono_ms() - began_ms < WAIT_MS);
}

static void test_health_of_group(void **state) {
    struct cluster *c = *state;
    mock_cluster_push_error(c->mock, MOCK_FIND_COORDINATOR, MOCK_GROUP_DENIED, 1);
    struct kafka_source *src = open_source(c, "in", false);
    expect_health(c, src, "READ on the consumer group");
    expect_health(c, src, NULL);
    kafka_source_free(src);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_goes_on_where_committed),
        ON_CLUSTER(test_commit_answers),
        ON_CLUSTER(test_pause),
        ON_CLUSTER(test_lag_and_end),
        ON_CLUSTER(test_callbacks),
        ON_CLUSTER(test_free_in_the_middle),
        ON_CLUSTER(test_health_of_topics),
        ON_CLUSTER(test_health_without_broker),
        ON_CLUSTER(test_health_of_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
