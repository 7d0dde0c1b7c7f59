// test_input: the live agent when its input is not what it was: deleted and made again with fewer
// or more messages, without its end, without its beginning. What is there is taken once, in order;
// what is lost is counted; an input that is the same loses nothing. And a state topic that has lost
// its beginning. (A topic that changes under a running agent: tests/faults, the mock deletes none.)
#include "kafka/source.h"
#include "keep/position.h"
#include "world.h"

enum { MESSAGES = 6, BEYOND = 40, OUT_OF_RANGE = 1 };

// An input with MESSAGES messages and a position in it.
struct row {
    const char *what;
    int64_t offset;
    int first_stamp, stamps; // the first of the messages before the position that are remembered
    int another;             // from this one on they are not those that are there; -1: none
    int64_t taken, restarts; // what comes of it
};
static const struct row rows[] = {
    {"the same, all read", 6, 2, 4, -1, 0, 0},
    {"the same, some unread", 4, 0, 4, -1, 2, 0},
    {"the same, much unread", 1, 0, 1, -1, 5, 0},
    {"nothing remembered, as by release 0.1.0", 4, 0, 0, -1, 2, 0},
    {"beyond the end, nothing remembered", 9, 0, 0, -1, 6, 1},
    {"beyond the end of another", BEYOND, 36, 4, 36, 6, 1},
    {"beyond the end of another, just", 7, 3, 4, 3, 6, 1},
    {"at the end of another", 6, 2, 4, 2, 6, 1},
    {"within another", 3, 0, 3, 0, 6, 1},
    {"within another of which one message is the same", 4, 1, 3, 2, 4, 1},
    {"the end is lost", 8, 4, 4, -1, 0, 1},
    {"the end is lost and written anew", 5, 2, 3, 4, 2, 1},
    {"more of the end is lost than is remembered", 12, 8, 4, -1, 6, 1},
};

static void put_into(struct world *w, enum topic topic, int partition, const char *key,
                     struct str value) {
    struct err err = {0};
    struct sink_record record = {.topic = w->options.topics[topic],
                                 .key = str_of(key),
                                 .value = value,
                                 .to_partition = true,
                                 .partition = partition};
    assert_int_equal(kafka_sink_send(w->sender, &record, &err), ST_OK);
}

static void put_text(struct world *w, enum topic topic, const char *key, struct str value) {
    struct err err = {0};
    put_into(w, topic, 0, key, value);
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
}

static struct kafka_source *reader_of(struct world *w, enum topic which) {
    const char *topic = w->options.topics[which];
    struct kafka_source_options options = {
        .group = "reader", .topics = &topic, .topic_count = 1, .alone = true};
    struct kafka_source *source = NULL;
    struct err err = {0};
    assert_int_equal(kafka_source_new(&w->options.consumer, &options,
                                      (struct kafka_source_callbacks){0}, &source, &err),
                     ST_OK);
    return source;
}

// What an agent that read them keeps of messages that are there: a row in each partition.
static void remember(struct world *w, enum topic input, struct position *positions) {
    struct kafka_source *source = reader_of(w, input);
    struct message message;
    struct err err = {0};
    for (size_t left = ARRAY_LEN(rows) * MESSAGES; left > 0;) {
        if (kafka_source_poll(source, 100, &message, &err) == ST_OK) {
            const struct row *row = &rows[message.partition];
            left--;
            message.timestamp_ms += row->another >= 0 && message.offset >= row->another;
            if (message.offset >= row->first_stamp &&
                message.offset < row->first_stamp + row->stamps) {
                position_take(&positions[message.partition], &message);
            }
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) { // those that are not there any more
        struct message gone = {.offset = MESSAGES};
        for (; gone.offset < rows[i].first_stamp + rows[i].stamps; gone.offset++) {
            if (gone.offset >= rows[i].first_stamp) {
                position_take(&positions[i], &gone);
            }
        }
        positions[i].offset = rows[i].offset;
    }
    kafka_source_free(source);
}

// An input that is judged row by row, and the positions in it.
static void make_input(struct world *w, enum topic input, const char *name, const char *state) {
    struct position positions[ARRAY_LEN(rows)] = {{.rooted = true}};
    struct buf value = {0};
    struct err err = {0};
    w->options.topics[input] = name;
    w->options.topics[topic_of_state(input)] = state;
    assert_int_equal(mock_cluster_create_topic(w->cluster, name, ARRAY_LEN(rows), &err), ST_OK);
    assert_int_equal(mock_cluster_create_topic(w->cluster, state, ARRAY_LEN(rows), &err), ST_OK);
    for (int i = 0; i < (int)ARRAY_LEN(rows) * MESSAGES; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"junk number %d", i);
        put_into(w, input, i / MESSAGES, "k", str_of(text));
    }
    put_text(w, topic_of_state(input), ROOT_KEY, STR("\1")); // of the first partition
    remember(w, input, positions);
    for (int i = 0; i < (int)ARRAY_LEN(rows); i++) {
        position_write(&positions[i], &value);
        put_into(w, topic_of_state(input), i, POSITION_KEY, buf_str(&value));
    }
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
    buf_fini(&value);
}

// What an agent committed of a row: all was read, and for a stage order went on.
static bool is_kept(const struct position *position, const struct row *row) {
    int64_t begun = MESSAGES - row->taken;
    return position->offset == MESSAGES + 1 && position->rooted &&
           position->shift == (row->restarts > 0 ? row->offset - begun : 0) &&
           position->stamps[position->stamp_count - 1].offset == MESSAGES;
}

static void expect_kept(struct world *w, enum topic input) {
    struct kafka_source *source = reader_of(w, topic_of_state(input));
    struct position positions[ARRAY_LEN(rows)] = {0};
    struct message message;
    struct err err = {0};
    size_t kept = 0;
    int64_t deadline_ms = clock_mono_ms() + 20000;
    while (kept < ARRAY_LEN(rows) && clock_mono_ms() < deadline_ms) {
        assert_int_equal(agent_step(w->agent, 5, &err), ST_OK);
        while (kafka_source_poll(source, 20, &message, &err) == ST_OK) {
            if (str_is(message.key, POSITION_KEY)) {
                struct position *position = &positions[message.partition];
                assert_int_equal(position_read(message.value, position, &err), ST_OK);
            }
        }
        for (kept = 0; kept < ARRAY_LEN(rows) && is_kept(&positions[kept], &rows[kept]);) {
            kept++;
        }
    }
    if (kept < ARRAY_LEN(rows)) {
        fail_msg("%s: offset %lld, shift %lld", rows[kept].what, (long long)positions[kept].offset,
                 (long long)positions[kept].shift);
    }
    kafka_source_free(source);
}

static int64_t letters_wanted;
static bool taken(struct world *w) {
    (void)w;
    return metrics_get(METRIC_DLQ_RECORDS) >= letters_wanted;
}

static void an_input_is_read_where_it_goes_on(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct err err = {0};
    int64_t restarts = 0;
    agent_free(w->agent);
    make_input(w, TOPIC_EVENTS, "events", "state.events");
    make_input(w, TOPIC_RUNS, "runs", "state.runs");
    metrics_reset();
    open_agent(w);
    letters_wanted = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        letters_wanted += 2 * rows[i].taken;
        restarts += 2 * rows[i].restarts;
    }
    turn_until(w, taken);
    turn_until(w, ready);
    for (int i = 0; i < (int)ARRAY_LEN(rows); i++) {
        put_into(w, TOPIC_EVENTS, i, "k", STR("{\"one more"));
        put_into(w, TOPIC_RUNS, i, "k", STR("{\"one more"));
    }
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
    letters_wanted += 2 * ARRAY_LEN(rows);
    turn_until(w, taken);
    expect_kept(w, TOPIC_EVENTS);
    expect_kept(w, TOPIC_RUNS);
    assert_int_equal(metrics_get(METRIC_DLQ_RECORDS), letters_wanted); // each once
    assert_int_equal(metrics_get(METRIC_INPUT_LOST), restarts);
    assert_int_equal(metrics_get(METRIC_INPUT_LOST_MESSAGES), 0);
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), 0);
    world_free(w);
}

// Turns until this many messages were taken or lost and the position behind them is committed.
static int64_t read_wanted;
static bool all_read(struct world *w) {
    (void)w;
    return metrics_get(METRIC_DLQ_RECORDS) + metrics_get(METRIC_INPUT_LOST_MESSAGES) >= read_wanted;
}

// The mock keeps 5 MB of a partition.
static void what_retention_took_is_counted(void **state) {
    (void)state;
    struct world *w = world_new(true);
    put_text(w, TOPIC_EVENTS, "k", STR("{\"junk"));
    letters_wanted = 1;
    turn_until(w, taken);
    agent_free(w->agent);
    char *large = mem_alloc(500000);
    for (uint32_t i = 0, x = 1; i < 500000; i++) { // which no codec makes small
        large[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    }
    for (int i = 0; i < 20; i++) {
        put_text(w, TOPIC_EVENTS, "k", (struct str){large, 500000});
    }
    mem_free(large);
    metrics_reset();
    open_agent(w);
    turn_until(w, ready);
    put_text(w, TOPIC_EVENTS, "k", STR("{\"junk"));
    read_wanted = 21;
    turn_until(w, all_read);
    assert_int_equal(metrics_get(METRIC_INPUT_LOST), 1);
    int64_t lost = metrics_get(METRIC_INPUT_LOST_MESSAGES);
    assert_true(lost > 5 && lost < 20);
    assert_int_equal(lost + metrics_get(METRIC_DLQ_RECORDS), 21);
    world_free(w);
}

// An answer that only says so, as one of a leader that has just changed may.
static void an_input_that_is_there_loses_nothing(void **state) {
    (void)state;
    struct world *w = world_new(true);
    put_text(w, TOPIC_EVENTS, "k", STR("{\"junk"));
    letters_wanted = 1;
    turn_until(w, taken);
    mock_cluster_push_error(w->cluster, MOCK_FETCH, (enum mock_error)OUT_OF_RANGE, 1);
    struct err err = {0};
    while (metrics_get(METRIC_TXN_ABORTS) == 0) {
        assert_int_equal(agent_step(w->agent, 20, &err), ST_OK);
    }
    put_text(w, TOPIC_EVENTS, "k", STR("{\"junk"));
    letters_wanted = 2;
    turn_until(w, taken);
    assert_int_equal(metrics_get(METRIC_DLQ_RECORDS), 2);
    assert_int_equal(metrics_get(METRIC_INPUT_LOST), 0);
    world_free(w);
}

static void state_without_its_beginning_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct position position = {.rooted = true};
    struct buf value = {0};
    struct err err = {0};
    position_write(&position, &value);
    agent_free(w->agent);
    put_text(w, TOPIC_STATE_PIPELINES, POSITION_KEY, buf_str(&value));
    buf_fini(&value);
    open_agent(w);
    int64_t deadline_ms = clock_mono_ms() + 20000;
    while (agent_step(w->agent, 20, &err) == ST_OK) {
        assert_true(clock_mono_ms() < deadline_ms);
    }
    assert_non_null(strstr(err.text, "is missing from stoker.state.pipelines partition 0"));
    assert_non_null(strstr(err.text, "Begin anew"));
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_input_is_read_where_it_goes_on),
        cmocka_unit_test(what_retention_took_is_counted),
        cmocka_unit_test(an_input_that_is_there_loses_nothing),
        cmocka_unit_test(state_without_its_beginning_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
