// test_kafka_group: the consumer group: how partitions come and go between members, and the
// end of a member whose name was taken.
#include "cluster.h"

// One member of the group and what it saw.
struct member {
    struct cluster *cluster;
    struct kafka_source *src;
    int owned, most, revokings, lost;
};

static void *on_assigned(void *ctx, const char *topic, int32_t partition) {
    struct member *m = ctx;
    assert_string_equal(topic, "in");
    assert_in_range(partition, 0, 1);
    m->owned++;
    m->most = m->owned > m->most ? m->owned : m->most;
    return m;
}

static void on_revoking(void *ctx, bool lost) {
    (void)lost;
    ((struct member *)ctx)->revokings++;
}

static void on_revoked(void *ctx, void *owner, bool lost) {
    struct member *m = ctx;
    assert_ptr_equal(owner, m);
    m->lost += lost;
    m->owned--;
}

static void join(struct cluster *c, struct member *m, const char *name) {
    *m = (struct member){.cluster = c};
    struct kafka_settings settings = c->settings;
    settings.role = quick_session;
    settings.role_count = ARRAY_LEN(quick_session);
    const char *topic = "in";
    struct kafka_source_options options = {
        .group = "g", .topics = &topic, .topic_count = 1, .member = name};
    struct kafka_source_callbacks callbacks = {m, on_assigned, on_revoking, on_revoked};
    assert_int_equal(kafka_source_new(&settings, &options, callbacks, &m->src, &c->err), ST_OK);
}

static int poll_one(struct member *m, int timeout_ms) {
    struct message message;
    return kafka_source_poll(m->src, timeout_ms, &message, &m->cluster->err) == ST_OK;
}

static void send_hundred(struct cluster *c) {
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, 0, 100);
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
}

// Two members share what one had, and each gets what its partition gets.
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
    join(c, &b, NULL);
    deadline_ms = clock_mono_ms() + WAIT_MS;
    while ((a.owned != 1 || b.owned != 1) && clock_mono_ms() < deadline_ms) {
        read += poll_one(&a, 20) + poll_one(&b, 20);
    }
    assert_int_equal(a.owned, 1);
    assert_int_equal(b.owned, 1);
    assert_true(a.revokings >= 1);
    int by_b = 0;
    while (by_b == 0 && clock_mono_ms() < deadline_ms) {
        (void)poll_one(&a, 10);
        by_b += poll_one(&b, 10);
    }
    assert_true(by_b > 0);
    kafka_source_free(a.src);
    assert_int_equal(a.owned, 0);
    kafka_source_free(b.src);
    assert_int_equal(b.owned, 0);
}

// A member that the group threw out is told that its partitions are lost, and joins again.
static void test_a_member_that_was_thrown_out(void **state) {
    struct cluster *c = *state;
    struct member a;
    join(c, &a, NULL);
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (a.owned < 2) {
        (void)poll_one(&a, 50);
        assert_true(clock_mono_ms() < deadline_ms);
    }
    mock_cluster_push_error(c->mock, MOCK_HEARTBEAT, MOCK_UNKNOWN_MEMBER, 1);
    while (a.lost < 2 || a.owned < 2) {
        (void)poll_one(&a, 50);
        assert_true(clock_mono_ms() < deadline_ms);
    }
    assert_int_equal(a.lost, 2);
    kafka_source_free(a.src);
    assert_int_equal(a.lost, 2);
    assert_int_equal(a.owned, 0);
}

static void test_taken_name_is_the_end(void **state) {
    struct cluster *c = *state;
    struct member a;
    join(c, &a, "stoker-0");
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
        ON_CLUSTER(test_a_member_that_was_thrown_out),
        ON_CLUSTER(test_taken_name_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
