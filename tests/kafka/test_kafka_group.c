// test_kafka_group: the consumer group: how partitions come and go between members, what can be
// committed while they go, and the end of a member whose name was taken.
#include "cluster.h"

// One member of the group and what it saw.
struct member {
    struct cluster *cluster;
    struct kafka_source *src;
    int owned, most, revokings;
    int64_t next[2];
    enum status committed;
};

static void on_assigned(void *ctx, const char *topic, int32_t partition) {
    struct member *m = ctx;
    assert_string_equal(topic, "in");
    assert_in_range(partition, 0, 1);
    m->owned++;
    m->most = m->owned > m->most ? m->owned : m->most;
}

static void on_revoking(void *ctx, bool lost) {
    struct member *m = ctx;
    m->revokings++;
    for (int32_t p = 0; p < 2 && !lost; p++) {
        if (m->next[p] >= 0) {
            struct source_position position = {"in", p, m->next[p]};
            m->committed = kafka_source_commit(m->src, &position, 1, WAIT_MS, &m->cluster->err);
            m->next[p] = -1;
        }
    }
}

static void on_revoked(void *ctx, const char *topic, int32_t partition, bool lost) {
    (void)topic, (void)partition, (void)lost;
    struct member *m = ctx;
    m->owned--;
}

static void join(struct cluster *c, struct member *m, const struct kafka_property *extra) {
    *m = (struct member){.cluster = c, .next = {-1, -1}, .committed = ST_FATAL};
    struct kafka_property role[3] = {quick_session[0], quick_session[1]};
    struct kafka_settings settings = c->settings;
    settings.role = role;
    settings.role_count = 2;
    if (extra != NULL) {
        role[settings.role_count++] = *extra;
    }
    const char *topic = "in";
    struct kafka_source_options options = {"g", &topic, 1, false};
    struct kafka_source_callbacks callbacks = {m, on_assigned, on_revoking, on_revoked};
    assert_int_equal(kafka_source_new(&settings, &options, callbacks, &m->src, &c->err), ST_OK);
}

static int poll_one(struct member *m, int timeout_ms) {
    struct message message;
    if (kafka_source_poll(m->src, timeout_ms, &message, &m->cluster->err) != ST_OK) {
        return 0;
    }
    m->next[message.partition] = message.offset + 1;
    return 1;
}

static void send_hundred(struct cluster *c) {
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, 0, 100);
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
}

// Two members share what one had; what the first read and committed is not read again.
static void test_two_members_share(void **state) {
    struct cluster *c = *state;
    send_hundred(c);
    struct member a, b;
    join(c, &a, NULL);
    int read = 0;
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (read < 100 && clock_mono_ms() < deadline_ms) {
        read += poll_one(&a, 50);
    }
    assert_int_equal(read, 100);
    assert_int_equal(a.most, 2);
    struct source_position positions[] = {{"in", 0, a.next[0]}, {"in", 1, a.next[1]}};
    assert_int_equal(kafka_source_commit(a.src, positions, 2, WAIT_MS, &c->err), ST_OK);
    join(c, &b, NULL);
    deadline_ms = clock_mono_ms() + WAIT_MS;
    while ((a.owned != 1 || b.owned != 1) && clock_mono_ms() < deadline_ms) {
        read += poll_one(&a, 20) + poll_one(&b, 20);
    }
    assert_int_equal(a.owned, 1);
    assert_int_equal(b.owned, 1);
    assert_true(a.revokings >= 1);
    // The mock takes no commit during a rebalance (a real broker does), and says so at once.
    assert_int_equal(a.committed, ST_ABORT);
    send_hundred(c);
    deadline_ms = clock_mono_ms() + WAIT_MS;
    int by_b = 0;
    while (read + by_b < 200 && clock_mono_ms() < deadline_ms) {
        read += poll_one(&a, 10);
        by_b += poll_one(&b, 10);
    }
    assert_int_equal(read + by_b, 200);
    assert_true(by_b > 0 && by_b < 100);
    a.committed = ST_FATAL;
    kafka_source_free(a.src);
    assert_int_equal(a.owned, 0);
    assert_int_equal(a.committed, ST_OK); // in the callback, while it leaves
    kafka_source_free(b.src);
    assert_int_equal(b.owned, 0);
}

static void test_taken_name_is_the_end(void **state) {
    struct cluster *c = *state;
    static const struct kafka_property name = {"group.instance.id", "stoker-0"};
    struct member a;
    join(c, &a, &name);
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (a.owned < 2 && clock_mono_ms() < deadline_ms) {
        poll_one(&a, 50);
    }
    assert_int_equal(a.owned, 2);
    mock_cluster_push_error(c->mock, MOCK_HEARTBEAT, MOCK_FENCED_INSTANCE, 3);
    enum status st = ST_RETRY;
    while (st != ST_FATAL && clock_mono_ms() < deadline_ms) {
        struct message m;
        st = kafka_source_poll(a.src, 50, &m, &c->err);
    }
    assert_int_equal(st, ST_FATAL);
    assert_non_null(strstr(c->err.text, "another process has the same group.instance.id"));
    struct buf reason = {0};
    assert_false(kafka_source_health(a.src, &reason));
    assert_non_null(strstr(buf_text(&reason), "finished"));
    buf_fini(&reason);
    kafka_source_free(a.src);
    assert_int_equal(a.owned, 0);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_two_members_share),
        ON_CLUSTER(test_taken_name_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
