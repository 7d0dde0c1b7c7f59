// test_kafka_outage: brokers that are away at the start or go in the middle: everything waits, says
// so, and goes on without loss.
#include "cluster.h"

static void test_down_at_start(void **state) {
    struct cluster *c = *state;
    mock_cluster_down(c->mock, -1);
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    struct kafka_source *src = open_source(c, "in", true);
    send_numbers(c, sink, 0, 50);
    assert_int_equal(kafka_sink_flush(sink, 300, &c->err), ST_RETRY);
    expect_health(c, src, "cannot be reached");
    struct buf reason = {0};
    assert_false(kafka_sink_health(sink, &reason));
    assert_non_null(strstr(buf_text(&reason), mock_cluster_bootstrap(c->mock)));
    buf_fini(&reason);
    mock_cluster_up(c->mock, -1);
    expect_flush(c, sink, ST_OK);
    expect_numbers(c, src, 50);
    expect_health(c, src, NULL);
    kafka_source_free(src);
    kafka_sink_free(sink);
}

static void test_down_in_the_middle(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    struct kafka_source *src = open_source(c, "in", true);
    send_numbers(c, sink, 0, 50);
    expect_flush(c, sink, ST_OK);
    struct message m;
    expect_message(c, src, &m);
    int64_t first = -1;
    assert_true(str_to_i64(m.value, &first));
    mock_cluster_down(c->mock, -1);
    send_numbers(c, sink, 50, 100);
    assert_int_equal(kafka_sink_flush(sink, 300, &c->err), ST_RETRY);
    mock_cluster_up(c->mock, -1);
    expect_flush(c, sink, ST_OK);
    assert_int_equal(c->delivered, 100);
    bool seen[100] = {false};
    seen[first] = true;
    for (int i = 1; i < 100; i++) {
        int64_t number = -1;
        expect_message(c, src, &m);
        assert_true(str_to_i64(m.value, &number));
        assert_in_range(number, 0, 99);
        assert_false(seen[number]);
        seen[number] = true;
    }
    kafka_source_free(src);
    kafka_sink_free(sink);
}

// Stopping must not hang on a broker that is gone.
static void test_free_while_down(void **state) {
    struct cluster *c = *state;
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    struct kafka_source *src = open_source(c, "in", false);
    send_numbers(c, sink, 0, 10);
    expect_flush(c, sink, ST_OK);
    expect_numbers(c, src, 10);
    mock_cluster_down(c->mock, -1);
    send_numbers(c, sink, 10, 20);
    expect_health(c, src, "cannot be reached");
    int64_t began_ms = clock_mono_ms();
    kafka_source_free(src);
    kafka_sink_free(sink);
    assert_true(clock_mono_ms() - began_ms < WAIT_MS);
    assert_int_equal(c->revoked, 2);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_down_at_start),
        ON_CLUSTER(test_down_in_the_middle),
        ON_CLUSTER(test_free_while_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
