// test_streams: which batches of a query count, and the time in which their rows came, by rates and
// by begins; what comes again, late, idle, of another run of the query, or of too many queries.
#include "support/test.h"

#include <stdio.h>

#include "keep/value.h"
#include "state/streams.h"

static struct streams streams;

static int tear_down(void **state) {
    (void)state;
    streams_fini(&streams);
    return 0;
}

enum { T0_MS = 1000000 };

static struct event_stream batch_of(const char *query, int64_t batch, int64_t began_ms,
                                    int64_t took_ms) {
    return (struct event_stream){.query_id = str_of(query),
                                 .run_id = STR("r1"),
                                 .name = STR("clicks"),
                                 .batch_id = batch,
                                 .began_ms = T0_MS + began_ms,
                                 .trigger_ms = took_ms,
                                 .input_rows = 100};
}

static void take(int64_t batch, int64_t began_ms, int64_t took_ms) {
    struct event_stream progress = batch_of("q", batch, began_ms, took_ms);
    streams_progress(&streams, &progress);
}

static void a_batch_counts_once_and_the_first_warms_up(void **state) {
    (void)state;
    take(7, 0, 9000);
    assert_int_equal(streams.count, 1);
    assert_int_equal(streams.list[0].recent_count, 0);
    take(8, 10000, 2000);
    take(8, 10000, 2000);
    take(7, 0, 9000);
    assert_int_equal(streams.list[0].recent_count, 1);
    assert_int_equal(streams.list[0].recent[0].took_ms, 2000);
    assert_int_equal(streams.list[0].recent[0].came_ms, 10000);
    assert_int_equal(streams.list[0].batch, 8);
    assert_int_equal(streams.list[0].batches, 2);
    assert_int_equal(streams.list[0].trigger_ms, 0); // it did not wait: nine of ten seconds
    take(9, 20000, 1000);
    assert_int_equal(streams.list[0].trigger_ms, 10000);
    assert_string_equal(streams.list[0].name, "clicks");
    for (int64_t i = 10; i < 30; i++) {
        take(i, i * 10000, i);
    }
    assert_int_equal(streams.list[0].recent_count, STREAM_BATCHES);
    assert_int_equal(streams.list[0].recent[0].took_ms, 30 - STREAM_BATCHES);
    assert_int_equal(streams.list[0].recent[STREAM_BATCHES - 1].took_ms, 29);
}

// Rows that came in a burst have a rate far above what comes; the longer time is the true one.
static void rows_came_in_the_longer_of_two_times(void **state) {
    (void)state;
    struct event_stream progress = batch_of("q", 0, 0, 1000);
    streams_progress(&streams, &progress);
    progress = batch_of("q", 1, 5000, 2000);
    progress.input_per_s = 1000000;
    progress.processed_per_s = 100000;
    streams_progress(&streams, &progress);
    assert_int_equal(streams.list[0].recent[0].came_ms, 5000);
    progress = batch_of("q", 2, 5001, 2000);
    progress.input_per_s = 100;
    progress.processed_per_s = 150;
    streams_progress(&streams, &progress);
    assert_int_equal(streams.list[0].recent[1].came_ms, 3000);
    progress = batch_of("q", 3, 0, 2000);
    progress.began_ms = 0; // only the rates are known
    progress.input_per_s = 1e-300;
    progress.processed_per_s = 1e300; // and they are nonsense
    streams_progress(&streams, &progress);
    assert_int_equal(streams.list[0].recent_count, 2);
    progress = batch_of("q", 4, 0, 0);
    progress.began_ms = 0;
    progress.batch_ms = 700; // what older Spark tells
    progress.input_per_s = progress.processed_per_s = 5;
    streams_progress(&streams, &progress);
    assert_int_equal(streams.list[0].recent[2].took_ms, 700);
    assert_int_equal(streams.list[0].recent[2].came_ms, 700);
}

static void what_is_idle_has_caught_up(void **state) {
    (void)state;
    take(0, 0, 1000);
    take(1, 1000, 1000);
    take(2, 2000, 1000);
    assert_int_equal(streams.list[0].recent_count, 2);
    struct event_stream idle = batch_of("q", 3, 12000, 5);
    idle.input_rows = 0;
    streams_progress(&streams, &idle);
    assert_int_equal(streams.list[0].recent_count, 0);
    streams_progress(&streams, &idle);
    take(3, 22000, 1000); // the batch that was to come, with its rows
    take(3, 22000, 1000);
    assert_int_equal(streams.list[0].recent_count, 1);
    assert_int_equal(streams.list[0].recent[0].came_ms, 10000);
}

static void a_query_that_starts_again_warms_up_again(void **state) {
    (void)state;
    take(0, 0, 1000);
    take(1, 1000, 1000);
    struct event_stream end = batch_of("q", -1, 0, 0);
    end.run_id = STR("r0");
    streams_ended(&streams, &end);
    assert_false(streams.list[0].ended); // another run's end
    end.run_id = STR("r1");
    streams_ended(&streams, &end);
    assert_true(streams.list[0].ended);
    struct event_stream again = batch_of("q", 2, 60000, 30000);
    again.run_id = STR("r2");
    streams_progress(&streams, &again);
    assert_false(streams.list[0].ended);
    assert_int_equal(streams.list[0].recent_count, 0);
    take(1, 1000, 1000); // of the run before, late
    again = batch_of("q", 3, 90000, 30000);
    again.run_id = STR("r2");
    streams_progress(&streams, &again);
    assert_int_equal(streams.list[0].recent_count, 1);
    assert_int_equal(streams.count, 1);
}

static void queries_are_few(void **state) {
    (void)state;
    char names[STREAMS_MAX + 2][8];
    struct event_stream progress;
    for (int i = 0; i < STREAMS_MAX + 1; i++) {
        snprintf(names[i], sizeof names[i], "q%d", i);
        progress = batch_of(names[i], 0, 0, 1000);
        streams_progress(&streams, &progress);
    }
    assert_int_equal(streams.count, STREAMS_MAX);
    progress = batch_of("q3", -1, 0, 0);
    streams_ended(&streams, &progress);
    progress = batch_of("new", 5, 0, 1000);
    streams_progress(&streams, &progress);
    assert_int_equal(streams.count, STREAMS_MAX);
    assert_int_equal(streams.list[3].batch, 5); // in the place of the one that ended
}

static void a_query_is_kept_whole(void **state) {
    (void)state;
    struct buf value = {0};
    struct stream_query back = {0};
    struct err err;
    take(0, 0, 1000);
    take(1, 1000, 700);
    take(2, 2000, 900);
    value_write(&record_stream, &streams.list[0], &value);
    assert_int_equal(value_read(&record_stream, buf_str(&value), &back, &err), ST_OK);
    assert_memory_equal(&back, &streams.list[0], sizeof back);
    buf_fini(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_batch_counts_once_and_the_first_warms_up, tear_down),
        cmocka_unit_test_teardown(rows_came_in_the_longer_of_two_times, tear_down),
        cmocka_unit_test_teardown(what_is_idle_has_caught_up, tear_down),
        cmocka_unit_test_teardown(a_query_that_starts_again_warms_up_again, tear_down),
        cmocka_unit_test_teardown(queries_are_few, tear_down),
        cmocka_unit_test_teardown(a_query_is_kept_whole, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
