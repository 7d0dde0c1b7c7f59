// test_kafka_source: from where a partition is read, lag, and every reason that
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

// Nothing comes of a partition before it was started; then from where it was started, also when it
// is started again elsewhere in the middle.
static void test_held_until_started(void **state) {
    struct cluster *c = *state;
    fill(c, 100);
    struct kafka_source *src = NULL;
    const char *topic = "in";
    struct kafka_source_options options = {
        .group = "g", .topics = &topic, .topic_count = 1, .alone = true, .held = true};
    struct kafka_source_callbacks callbacks = {
        .ctx = c, .assigned = count_assigned, .revoked = count_revoked};
    assert_int_equal(kafka_source_new(&c->settings, &options, callbacks, &src, &c->err), ST_OK);
    struct message m;
    int64_t until_ms = clock_mono_ms() + 700;
    while (clock_mono_ms() < until_ms) {
        assert_int_equal(kafka_source_poll(src, 50, &m, &c->err), ST_RETRY);
    }
    assert_int_equal(c->assigned, 2);
    if (kafka_source_start(src, "in", 0, 3, &c->err) != ST_OK) {
        fail_msg("%s", c->err.text);
    }
    for (int64_t offset = 3; offset < 13; offset++) {
        expect_message(c, src, &m);
        assert_int_equal(m.partition, 0);
        assert_int_equal(m.offset, offset);
    }
    kafka_source_hold(src, "in", 0);
    kafka_source_hold(src, "in", 0);
    until_ms = clock_mono_ms() + 500;
    while (clock_mono_ms() < until_ms) {
        assert_int_equal(kafka_source_poll(src, 50, &m, &c->err), ST_RETRY);
    }
    assert_int_equal(kafka_source_start(src, "in", 0, 5, &c->err), ST_OK);
    expect_message(c, src, &m);
    assert_int_equal(m.offset, 5);
    // While it is read: nothing that was fetched ahead of the old position may come.
    assert_int_equal(kafka_source_start(src, "in", 0, 2, &c->err), ST_OK);
    expect_message(c, src, &m);
    assert_int_equal(m.offset, 2);
    assert_int_equal(kafka_source_start(src, "in", 0, SOURCE_FROM_BEGINNING, &c->err), ST_OK);
    expect_message(c, src, &m);
    assert_int_equal(m.offset, 0);
    kafka_source_free(src);
}

// A position that the topic does not have any more is a loss, and never passed over.
static void test_a_position_that_is_gone(void **state) {
    struct cluster *c = *state;
    fill(c, 100);
    const char *topic = "in";
    struct kafka_source_options options = {
        .group = "g", .topics = &topic, .topic_count = 1, .alone = true, .held = true};
    struct kafka_source_callbacks callbacks = {
        .ctx = c, .assigned = count_assigned, .revoked = count_revoked};
    struct kafka_source *src = NULL;
    struct message m;
    assert_int_equal(kafka_source_new(&c->settings, &options, callbacks, &src, &c->err), ST_OK);
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (c->assigned < 2) {
        assert_int_equal(kafka_source_poll(src, 50, &m, &c->err), ST_RETRY);
        assert_true(clock_mono_ms() < deadline_ms);
    }
    assert_int_equal(kafka_source_start(src, "in", 0, 1000, &c->err), ST_OK);
    enum status st = ST_RETRY;
    while (st == ST_RETRY) {
        st = kafka_source_poll(src, 50, &m, &c->err);
        assert_true(clock_mono_ms() < deadline_ms);
    }
    assert_int_equal(st, ST_ABORT);
    assert_non_null(strstr(c->err.text, "in partition 0 has nothing at offset"));
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

struct table {
    int partitions, owners[40];
};

static void *keep_number(void *ctx, const char *topic, int32_t partition) {
    struct table *table = ctx;
    int number = partition + (strcmp(topic, "one") == 0 ? 0 : table->partitions);
    table->owners[number] = number;
    return &table->owners[number];
}

// Three messages into each partition of two topics, one after the other.
static void fill_two(struct cluster *c, const char *const topics[2], int partitions) {
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    for (int i = 0; i < 3 * 2 * partitions; i++) {
        int number = i % (2 * partitions);
        struct sink_record record = {.topic = topics[number / partitions],
                                     .value = {(char *)&number, sizeof number},
                                     .to_partition = true,
                                     .partition = number % partitions};
        assert_int_equal(kafka_sink_send(sink, &record, &c->err), ST_OK);
    }
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
}

static void expect_owners(struct cluster *c, const char *const topics[2], int partitions) {
    struct table table = {.partitions = partitions};
    struct kafka_source_options options = {
        .group = "g", .topics = topics, .topic_count = 2, .alone = true};
    struct kafka_source_callbacks callbacks = {.ctx = &table, .assigned = keep_number};
    struct kafka_source *src = NULL;
    assert_int_equal(kafka_source_new(&c->settings, &options, callbacks, &src, &c->err), ST_OK);
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    int seen[40] = {0};
    for (int left = 3 * 2 * partitions; left > 0;) {
        struct message m;
        int sent;
        assert_true(clock_mono_ms() < deadline_ms);
        if (kafka_source_poll(src, 50, &m, &c->err) != ST_OK) {
            continue;
        }
        assert_int_equal(m.value.len, sizeof sent);
        memcpy(&sent, m.value.p, sizeof sent);
        assert_ptr_equal(m.owner, &table.owners[sent]);
        assert_string_equal(m.topic, topics[sent / partitions]);
        assert_int_equal(m.partition, sent % partitions);
        seen[sent]++;
        left--;
    }
    for (int i = 0; i < 2 * partitions; i++) {
        assert_int_equal(table.owners[i], i);
        assert_int_equal(seen[i], 3);
    }
    kafka_source_free(src);
}

// Each message comes with the owner of its partition, whichever was read before: in topics of many
// partitions, and of one, which have the same number.
static void test_owners(void **state) {
    static const char *const topics[] = {"one", "other"};
    struct cluster *c = *state;
    for (int partitions = 1; partitions <= 20; partitions += 19) {
        mock_cluster_free(c->mock);
        assert_int_equal(mock_cluster_new(1, &c->mock, &c->err), ST_OK);
        c->settings.brokers = mock_cluster_bootstrap(c->mock);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(mock_cluster_create_topic(c->mock, topics[i], partitions, &c->err),
                             ST_OK);
        }
        fill_two(c, topics, partitions);
        expect_owners(c, topics, partitions);
    }
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
    expect_health(c, src, "needs the ACL READ on it");
    mock_cluster_topic_error(c->mock, "in", 0);
    expect_health(c, src, NULL);
    // Refused later: the topic is known, and yet nothing may be read.
    mock_cluster_push_error(c->mock, MOCK_FETCH, MOCK_TOPIC_DENIED, 1000);
    expect_health(c, src, "needs the ACL READ on it");
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
    struct kafka_source_options options = {.group = "g", .topics = &topic, .topic_count = 1};
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
    expect_health(c, src, "consumer group g: ");
    expect_health(c, src, NULL);
    kafka_source_free(src);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_a_position_that_is_gone),
        ON_CLUSTER(test_held_until_started),
        ON_CLUSTER(test_lag_and_end),
        ON_CLUSTER(test_callbacks),
        ON_CLUSTER(test_free_in_the_middle),
        ON_CLUSTER(test_health_of_topics),
        ON_CLUSTER(test_health_without_broker),
        ON_CLUSTER(test_health_of_group),
        ON_CLUSTER(test_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
