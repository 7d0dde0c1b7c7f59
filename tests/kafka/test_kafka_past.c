// test_kafka_past: a topic is read to where it ended when that was asked, of all partitions, and a
// topic or a broker that is not there is told in time.
#include "cluster.h"

#include "kafka/past.h"

enum { ASK_MS = 5000 };

struct seen {
    int count;
    int64_t last[2];
    uint64_t done, total;
};

static void take(void *ctx, const struct message *message) {
    struct seen *seen = ctx;
    assert_in_range(message->partition, 0, 1);
    assert_true(message->offset > seen->last[message->partition]);
    assert_true(str_eq(message->key, message->value));
    seen->last[message->partition] = message->offset;
    seen->count++;
}

static void progress(void *ctx, uint64_t done, uint64_t total) {
    struct seen *seen = ctx;
    assert_true(done >= seen->done && done <= total);
    seen->done = done;
    seen->total = total;
}

static struct past *open_past(struct cluster *c) {
    struct past *past = NULL;
    assert_int_equal(past_new(&c->settings, &past, &c->err), ST_OK);
    return past;
}

static void write_numbers(struct cluster *c, int from, int to) {
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, from, to);
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
}

static struct seen read_all(struct cluster *c, struct past *past, const struct past_range *ranges,
                            uint32_t count) {
    struct seen seen = {.last = {-1, -1}};
    struct past_reading reading = {.topic = "in",
                                   .ranges = ranges,
                                   .count = count,
                                   .timeout_ms = WAIT_MS,
                                   .ctx = &seen,
                                   .take = take,
                                   .progress = progress};
    if (past_read(past, &reading, &c->err) != ST_OK) {
        fail_msg("%s", c->err.text);
    }
    return seen;
}

static void test_all_there_was_and_nothing_later(void **state) {
    struct cluster *c = *state;
    struct past *past = open_past(c);
    struct past_range *ranges = NULL;
    uint32_t count = 0;
    write_numbers(c, 0, 100);
    assert_int_equal(past_ranges(past, "in", 0, ASK_MS, &ranges, &count, &c->err), ST_OK);
    assert_int_equal(count, 2);
    assert_int_equal(ranges[0].end + ranges[1].end, 100);
    write_numbers(c, 100, 150);
    struct seen seen = read_all(c, past, ranges, count);
    assert_int_equal(seen.count, 100);
    assert_int_equal(seen.total, 100);
    assert_int_equal(seen.done, 100);
    // However much of a partition comes at once.
    seen = read_all(c, past, (struct past_range[]){{0, 0, 1}, {1, 0, 1}}, 2);
    assert_int_equal(seen.count, 2);
    struct past_range one = {1, ranges[1].end - 1, ranges[1].end}; // read again where it lies
    seen = read_all(c, past, &one, 1);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last[1], one.first);
    mem_free(ranges);
    past_free(past);
}

static void test_nothing_is_nothing(void **state) {
    struct cluster *c = *state;
    struct past *past = open_past(c);
    struct past_range *ranges = NULL;
    uint32_t count = 0;
    assert_int_equal(past_ranges(past, "in", 0, ASK_MS, &ranges, &count, &c->err), ST_OK);
    assert_int_equal(read_all(c, past, ranges, count).count, 0);
    mem_free(ranges);
    past_free(past);
}

static void test_a_topic_that_is_not_there_is_told(void **state) {
    struct cluster *c = *state;
    struct past *past = open_past(c);
    struct past_range *ranges = NULL;
    uint32_t count = 0;
    mock_cluster_topic_error(c->mock, "in", MOCK_UNKNOWN_TOPIC);
    assert_int_equal(past_ranges(past, "in", 0, ASK_MS, &ranges, &count, &c->err), ST_RETRY);
    assert_non_null(strstr(c->err.text, "topic in cannot be read"));
    assert_non_null(strstr(c->err.text, "stoker topics --create"));
    mock_cluster_topic_error(c->mock, "in", MOCK_TOPIC_DENIED);
    assert_int_equal(past_ranges(past, "in", 0, ASK_MS, &ranges, &count, &c->err), ST_RETRY);
    assert_non_null(strstr(c->err.text, "the user needs the ACL READ on it"));
    past_free(past);
}

static void test_nobody_there_is_told_in_time(void **state) {
    struct cluster *c = *state;
    struct past *past = NULL;
    struct past_range *ranges = NULL;
    uint32_t count = 0;
    int64_t from_ms = clock_mono_ms();
    c->settings.brokers = "127.0.0.1:1";
    past = open_past(c);
    assert_int_equal(past_ranges(past, "in", 0, 1000, &ranges, &count, &c->err), ST_RETRY);
    assert_true(clock_mono_ms() - from_ms < 5000);
    assert_non_null(strstr(c->err.text, "Kafka at 127.0.0.1:1 "));
    assert_non_null(strstr(c->err.text, "kafka.brokers"));
    past_free(past);
}

static void test_a_broker_that_goes_silent_ends_the_reading(void **state) {
    struct cluster *c = *state;
    struct past *past = open_past(c);
    struct past_range *ranges = NULL;
    uint32_t count = 0;
    struct seen seen = {.last = {-1, -1}};
    write_numbers(c, 0, 10);
    assert_int_equal(past_ranges(past, "in", 0, ASK_MS, &ranges, &count, &c->err), ST_OK);
    mock_cluster_down(c->mock, -1);
    struct past_reading reading = {.topic = "in",
                                   .ranges = ranges,
                                   .count = count,
                                   .timeout_ms = 500,
                                   .ctx = &seen,
                                   .take = take};
    assert_int_equal(past_read(past, &reading, &c->err), ST_RETRY);
    assert_non_null(strstr(c->err.text, "in: nothing more came after 0 of 10 offsets"));
    mem_free(ranges);
    past_free(past);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_all_there_was_and_nothing_later),
        ON_CLUSTER(test_nothing_is_nothing),
        ON_CLUSTER(test_a_topic_that_is_not_there_is_told),
        ON_CLUSTER(test_nobody_there_is_told_in_time),
        ON_CLUSTER(test_a_broker_that_goes_silent_ends_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
