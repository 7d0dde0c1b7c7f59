// test_kafka_changelog: what restore asks of Kafka goes on when the leader of a partition changes,
// and what it reads is all that is there.
#include "cluster.h"

#include "kafka/changelog.h"

enum { ASK_MS = 2000 };

static struct changelog *two_nodes(struct cluster *c) {
    struct changelog *changelog = NULL;
    mock_cluster_free(c->mock);
    assert_int_equal(mock_cluster_new(2, &c->mock, &c->err), ST_OK);
    assert_int_equal(mock_cluster_create_topic(c->mock, "in", 1, &c->err), ST_OK);
    mock_cluster_move(c->mock, "in", 0, 1);
    c->settings.brokers = mock_cluster_bootstrap(c->mock);
    assert_int_equal(changelog_new(&c->settings, "g", &changelog, &c->err), ST_OK);
    return changelog;
}

static void count(void *ctx, const struct message *message) {
    assert_true(message->value.len > 0);
    ++*(int *)ctx;
}

static enum status bounds(struct cluster *c, struct changelog *changelog, int64_t *end) {
    int64_t first = -1;
    enum status st = changelog_bounds(changelog, "in", 0, ASK_MS, &first, end, &c->err);
    assert_true(st != ST_OK || first == 0);
    return st;
}

static void test_a_new_leader_is_found_at_once(void **state) {
    struct cluster *c = *state;
    struct changelog *changelog = two_nodes(c);
    int64_t end = -1;
    int records = 0;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, 0, 5);
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
    assert_int_equal(bounds(c, changelog, &end), ST_OK);
    assert_int_equal(end, 5);
    for (int round = 0; round < 4; round++) { // there and back
        mock_cluster_move(c->mock, "in", 0, 2 - round % 2);
        end = -1;
        // The old leader's refusal may be the first answer; the next is the new one's.
        if (bounds(c, changelog, &end) != ST_OK) {
            assert_int_equal(c->err.status, ST_RETRY);
            assert_non_null(strstr(c->err.text, "in partition 0: asking where it ends"));
            assert_int_equal(bounds(c, changelog, &end), ST_OK);
        }
        assert_int_equal(end, 5);
        struct changelog_reading reading = {
            .topic = "in", .end = end, .timeout_ms = WAIT_MS, .ctx = &records, .take = count};
        assert_int_equal(changelog_read(changelog, &reading, &c->err), ST_OK);
        assert_int_equal(records, 5 * (round + 1));
    }
    changelog_free(changelog);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_a_new_leader_is_found_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
