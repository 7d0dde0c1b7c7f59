// test_kafka_transaction: what the sink makes of every answer that a request of a transaction can
// get: the library asks again and nobody sees it, or the transaction is given up, with the reason,
// and the next one works. The mock neither hides what was aborted nor keeps positions, so nothing
// is read back here.
#include "cluster.h"
#include "support/leaks.h"

#include "base/log.h"
#include "base/metrics.h"

// The agent's time for one commit call.
#define SLICE_MS 500

static const char *const topics[] = {"in", NULL};

struct world {
    struct cluster *c;
    struct kafka_sink *sink;
    struct kafka_source *src;
};

// An answer, and what follows.
struct row {
    enum mock_request request;
    enum mock_error error;
    const char *reason; // of the failed transaction; NULL: it is committed
    bool doubtful;      // a connection broke: the producer is replaced after the commit
    bool fenced;        // another producer is to blame
};

static const struct row rows[] = {
    {MOCK_ADD_PARTITIONS, MOCK_CONCURRENT_TXNS, NULL, false, false},
    {MOCK_ADD_PARTITIONS, MOCK_COORDINATOR_LOADS, NULL, false, false},
    {MOCK_ADD_PARTITIONS, MOCK_COORDINATOR_AWAY, NULL, false, false},
    {MOCK_ADD_PARTITIONS, MOCK_NOT_COORDINATOR, NULL, false, false},
    {MOCK_ADD_PARTITIONS, MOCK_UNKNOWN_TOPIC, NULL, false, false},
    {MOCK_ADD_PARTITIONS, MOCK_DISCONNECT, NULL, true, false},
    {MOCK_ADD_PARTITIONS, MOCK_TOPIC_DENIED, "(TOPIC_AUTHORIZATION_FAILED): ", false, false},
    {MOCK_ADD_PARTITIONS, MOCK_TXN_DENIED, "(TRANSACTIONAL_ID_AUTHORIZATION_", false, false},
    {MOCK_ADD_PARTITIONS, MOCK_TXN_STATE, "(INVALID_TXN_STATE)", false, false},
    {MOCK_ADD_PARTITIONS, MOCK_PRODUCER_ID_MAPPING, "(INVALID_PRODUCER_ID_MAPP", false, false},
    {MOCK_ADD_PARTITIONS, MOCK_UNKNOWN_PRODUCER_ID, "(UNKNOWN_PRODUCER_ID)", false, false},
    {MOCK_ADD_PARTITIONS, MOCK_UNKNOWN, "(UNKNOWN)", false, false},
    {MOCK_ADD_PARTITIONS, MOCK_PRODUCER_EPOCH, "(_FENCED)", false, true},
    {MOCK_ADD_PARTITIONS, MOCK_PRODUCER_FENCED, "(_FENCED)", false, true},

    {MOCK_PRODUCE, MOCK_NOT_LEADER, NULL, false, false},
    {MOCK_PRODUCE, MOCK_TIMED_OUT, NULL, false, false},
    {MOCK_PRODUCE, MOCK_NOT_ENOUGH_REPLICAS, NULL, false, false},
    {MOCK_PRODUCE, MOCK_DISCONNECT, NULL, true, false},
    {MOCK_PRODUCE, MOCK_TOPIC_DENIED, "(TOPIC_AUTHORIZATION_FAILED): ", false, false},
    {MOCK_PRODUCE, MOCK_TOO_LARGE, "(MSG_SIZE_TOO_LARGE): ", false, false},
    {MOCK_PRODUCE, MOCK_OUT_OF_ORDER, "(OUT_OF_ORDER_SEQUENCE_NUMBER)", false, false},
    {MOCK_PRODUCE, MOCK_UNKNOWN_PRODUCER_ID, "(UNKNOWN_PRODUCER_ID)", false, false},
    {MOCK_PRODUCE, MOCK_TXN_STATE, "(INVALID_TXN_STATE)", false, false},
    {MOCK_PRODUCE, MOCK_PRODUCER_EPOCH, "(INVALID_PRODUCER_EPOCH)", false, true},
    {MOCK_PRODUCE, MOCK_PRODUCER_FENCED, "(PRODUCER_FENCED)", false, true},

    {MOCK_ADD_OFFSETS, MOCK_CONCURRENT_TXNS, NULL, false, false},
    {MOCK_ADD_OFFSETS, MOCK_COORDINATOR_LOADS, NULL, false, false},
    {MOCK_ADD_OFFSETS, MOCK_COORDINATOR_AWAY, NULL, false, false},
    {MOCK_ADD_OFFSETS, MOCK_NOT_COORDINATOR, NULL, false, false},
    {MOCK_ADD_OFFSETS, MOCK_DISCONNECT, NULL, true, false},
    {MOCK_ADD_OFFSETS, MOCK_GROUP_DENIED, "(GROUP_AUTHORIZATION_FAILED): ", false, false},
    {MOCK_ADD_OFFSETS, MOCK_TXN_DENIED, "(TRANSACTIONAL_ID_AUTHORIZATION_", false, false},
    {MOCK_ADD_OFFSETS, MOCK_TXN_STATE, "(INVALID_TXN_STATE)", false, false},
    {MOCK_ADD_OFFSETS, MOCK_PRODUCER_ID_MAPPING, "(INVALID_PRODUCER_ID_MAPPING)", false, false},
    {MOCK_ADD_OFFSETS, MOCK_UNKNOWN_PRODUCER_ID, "(UNKNOWN_PRODUCER_ID)", false, false},
    {MOCK_ADD_OFFSETS, MOCK_UNKNOWN, "(UNKNOWN)", false, false},
    {MOCK_ADD_OFFSETS, MOCK_PRODUCER_EPOCH, "(_FENCED)", false, true},
    {MOCK_ADD_OFFSETS, MOCK_PRODUCER_FENCED, "(_FENCED)", false, true},

    {MOCK_TXN_OFFSET_COMMIT, MOCK_CONCURRENT_TXNS, NULL, false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_COORDINATOR_LOADS, NULL, false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_COORDINATOR_AWAY, NULL, false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_NOT_COORDINATOR, NULL, false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_DISCONNECT, NULL, true, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_ILLEGAL_GENERATION, "(ILLEGAL_GENERATION)", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_UNKNOWN_MEMBER, "(UNKNOWN_MEMBER_ID)", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_REBALANCE, "(REBALANCE_IN_PROGRESS)", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_GROUP_DENIED, "(GROUP_AUTHORIZATION_FAILED): ", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_TXN_DENIED, "(TRANSACTIONAL_ID_AUTHORIZATION_", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_TXN_STATE, "(INVALID_TXN_STATE)", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_PRODUCER_ID_MAPPING, "(INVALID_PRODUCER_ID_M", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_UNKNOWN_PRODUCER_ID, "(UNKNOWN_PRODUCER_ID)", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_UNKNOWN, "(UNKNOWN)", false, false},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_PRODUCER_EPOCH, "(_FENCED)", false, true},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_PRODUCER_FENCED, "(_FENCED)", false, true},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_FENCED_INSTANCE, "(FENCED_INSTANCE_ID): ", false, true},

    {MOCK_END_TXN, MOCK_CONCURRENT_TXNS, NULL, false, false},
    {MOCK_END_TXN, MOCK_COORDINATOR_LOADS, NULL, false, false},
    {MOCK_END_TXN, MOCK_COORDINATOR_AWAY, NULL, false, false},
    {MOCK_END_TXN, MOCK_NOT_COORDINATOR, NULL, false, false},
    {MOCK_END_TXN, MOCK_DISCONNECT, NULL, true, false},
    {MOCK_END_TXN, MOCK_TOO_LARGE, "(MSG_SIZE_TOO_LARGE)", false, false},
    {MOCK_END_TXN, MOCK_TXN_DENIED, "(TRANSACTIONAL_ID_AUTHORIZATION_FAILED)", false, false},
    {MOCK_END_TXN, MOCK_TXN_STATE, "(INVALID_TXN_STATE)", false, false},
    {MOCK_END_TXN, MOCK_PRODUCER_ID_MAPPING, "(INVALID_PRODUCER_ID_MAPPING)", false, false},
    {MOCK_END_TXN, MOCK_UNKNOWN_PRODUCER_ID, "(UNKNOWN_PRODUCER_ID)", false, false},
    {MOCK_END_TXN, MOCK_UNKNOWN, "(UNKNOWN)", false, false},
    {MOCK_END_TXN, MOCK_PRODUCER_EPOCH, "(_FENCED)", false, true},
    {MOCK_END_TXN, MOCK_PRODUCER_FENCED, "(_FENCED)", false, true},
};

static void world_begin(struct world *w, void **state) {
    w->c = *state;
    log_configure(LOG_ERROR, LOG_LOGFMT);
    w->sink = open_sink(w->c, (struct kafka_sink_options){.transactional_id = "t"});
    w->src = open_source(w->c, "in", true);
}

static void world_end(struct world *w) {
    kafka_source_free(w->src);
    kafka_sink_free(w->sink);
}

static enum status open_until(struct world *w) {
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    enum status st;
    while ((st = kafka_sink_open(w->sink, topics, SLICE_MS, &w->c->err)) == ST_RETRY) {
        assert_true(clock_mono_ms() < deadline_ms);
    }
    return st;
}

static enum status commit_for(struct world *w, int timeout_ms) {
    struct sink_position position = {.topic = "in", .partition = 0, .offset = 5, .mark = 1};
    return kafka_sink_commit(w->sink, kafka_source_client(w->src), &position, 1, timeout_ms,
                             &w->c->err);
}

// Commits as the agent does: the same call again while it says so.
static enum status commit_until(struct world *w) {
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    enum status st;
    while ((st = commit_for(w, SLICE_MS)) == ST_RETRY) {
        assert_true(clock_mono_ms() < deadline_ms);
    }
    return st;
}

static enum status one_transaction(struct world *w) {
    assert_int_equal(open_until(w), ST_OK);
    assert_int_equal(kafka_sink_begin(w->sink, &w->c->err), ST_OK);
    assert_int_equal(send_text(w->c, w->sink, "x"), ST_OK);
    return commit_until(w);
}

static void expect_outcome(struct world *w, const struct row *row, enum status st) {
    const char *text = st == ST_OK ? "" : w->c->err.text;
    bool replaced = st == ST_OK && !kafka_sink_is_open(w->sink);
    // Whether something was under way to a coordinator that the library then forgot is chance.
    bool chance = row->error == MOCK_COORDINATOR_AWAY || row->error == MOCK_NOT_COORDINATOR;
    // So is who hears first of a record that met a fence: its report or the transaction.
    bool told = row->reason == NULL || strstr(text, row->reason) != NULL ||
                (row->request == MOCK_PRODUCE && row->fenced && strstr(text, "(_FENCED)") != NULL);
    if (st != (row->reason == NULL ? ST_OK : ST_ABORT) || !told ||
        (replaced != row->doubtful && !chance) || kafka_sink_was_fenced(w->sink) != row->fenced) {
        fail_msg("request %d, error %d: %s, replaced %d, fenced %d: %s", row->request, row->error,
                 status_name(st), replaced, kafka_sink_was_fenced(w->sink), text);
    }
}

static void try_row(struct world *w, const struct row *row) {
    int64_t replaced = metrics_get(METRIC_PRODUCERS_REPLACED);
    assert_int_equal(open_until(w), ST_OK);
    mock_cluster_push_error(w->c->mock, row->request, row->error, 1);
    enum status st = one_transaction(w);
    expect_outcome(w, row, st);
    assert_true(!row->doubtful || metrics_get(METRIC_PRODUCERS_REPLACED) == replaced + 1);
    mock_cluster_clear_errors(w->c->mock, row->request);
    if (st != ST_OK) {
        kafka_sink_abandon(w->sink);
        assert_false(kafka_sink_is_open(w->sink));
    }
    assert_int_equal(one_transaction(w), ST_OK);
    assert_false(kafka_sink_was_fenced(w->sink));
}

static void test_every_error_of_every_request(void **state) {
    struct world w;
    world_begin(&w, state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        try_row(&w, &rows[i]);
    }
    world_end(&w);
}

// Opening waits whatever comes, except for the right to use transactions.
static void test_opening_waits(void **state) {
    static const struct {
        enum mock_request request;
        enum mock_error error;
        enum status says;
    } openings[] = {{MOCK_INIT_PRODUCER_ID, MOCK_CONCURRENT_TXNS, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_NOT_COORDINATOR, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_COORDINATOR_LOADS, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_DISCONNECT, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_PRODUCER_EPOCH, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_PRODUCER_FENCED, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_TXN_STATE, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_UNKNOWN, ST_OK},
                    {MOCK_FIND_COORDINATOR, MOCK_COORDINATOR_AWAY, ST_OK},
                    {MOCK_INIT_PRODUCER_ID, MOCK_TXN_DENIED, ST_FATAL},
                    {MOCK_FIND_COORDINATOR, MOCK_TXN_DENIED, ST_FATAL}};
    struct world w;
    world_begin(&w, state);
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        mock_cluster_push_error(w.c->mock, openings[i].request, openings[i].error, 1);
        enum status st = open_until(&w);
        if (st != openings[i].says) {
            fail_msg("request %d, error %d: %s", openings[i].request, openings[i].error,
                     status_name(st));
        }
        if (st == ST_FATAL) {
            assert_non_null(strstr(w.c->err.text, "ACL WRITE on transactional ids"));
        }
        mock_cluster_clear_errors(w.c->mock, openings[i].request);
        assert_int_equal(one_transaction(&w), ST_OK);
        // What broke before the transaction is no doubt about it.
        assert_true(openings[i].error != MOCK_DISCONNECT || kafka_sink_is_open(w.sink));
        kafka_sink_abandon(w.sink);
    }
    world_end(&w);
}

// The library asks a coordinator on the move again after half a second, which a short call must
// leave it.
static void test_positions_have_time(void **state) {
    struct world w;
    world_begin(&w, state);
    assert_int_equal(open_until(&w), ST_OK);
    mock_cluster_push_error(w.c->mock, MOCK_TXN_OFFSET_COMMIT, MOCK_NOT_COORDINATOR, 3);
    assert_int_equal(one_transaction(&w), ST_OK);
    world_end(&w);
}

static void test_a_commit_in_time_or_later(void **state) {
    struct world w;
    world_begin(&w, state);
    assert_int_equal(open_until(&w), ST_OK);
    mock_cluster_push_error(w.c->mock, MOCK_END_TXN, MOCK_COORDINATOR_AWAY, 2);
    assert_int_equal(kafka_sink_begin(w.sink, &w.c->err), ST_OK);
    assert_int_equal(send_text(w.c, w.sink, "x"), ST_OK);
    assert_int_equal(commit_for(&w, 100), ST_RETRY);
    assert_non_null(strstr(w.c->err.text, "committing the transaction: "));
    assert_int_equal(commit_until(&w), ST_OK);
    assert_int_equal(one_transaction(&w), ST_OK);
    // No broker at all: it says so, and is there again in time.
    assert_int_equal(kafka_sink_begin(w.sink, &w.c->err), ST_OK);
    assert_int_equal(send_text(w.c, w.sink, "x"), ST_OK);
    mock_cluster_down(w.c->mock, -1);
    assert_int_equal(commit_for(&w, 100), ST_RETRY);
    mock_cluster_up(w.c->mock, -1);
    assert_int_equal(commit_until(&w), ST_OK);
    assert_false(kafka_sink_is_open(w.sink));
    assert_int_equal(one_transaction(&w), ST_OK);
    world_end(&w);
}

// A transaction that failed takes no more records, and says why, however late.
static void fence_when_sending(void **state, enum mock_request request) {
    struct world w;
    world_begin(&w, state);
    assert_int_equal(open_until(&w), ST_OK);
    mock_cluster_push_error(w.c->mock, request, MOCK_PRODUCER_FENCED, 1);
    assert_int_equal(kafka_sink_begin(w.sink, &w.c->err), ST_OK);
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (send_text(w.c, w.sink, "x") == ST_OK) {
        assert_true(clock_mono_ms() < deadline_ms);
        clock_sleep_ms(5);
    }
    assert_int_equal(w.c->err.status, ST_ABORT);
    assert_true(kafka_sink_was_fenced(w.sink));
    kafka_sink_abandon(w.sink);
    assert_int_equal(one_transaction(&w), ST_OK);
    world_end(&w);
}

static void test_a_fence_shows_when_sending(void **state) {
    fence_when_sending(state, MOCK_ADD_PARTITIONS);
}

// The record knows it; the call that fails for it only that the transaction is in a wrong state.
static void test_a_fence_of_a_record_shows_when_sending(void **state) {
    fence_when_sending(state, MOCK_PRODUCE);
}

int main(void) {
#define ON_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_set_up, cluster_tear_down)
    const struct CMUnitTest tests[] = {
        ON_CLUSTER(test_every_error_of_every_request),
        ON_CLUSTER(test_opening_waits),
        ON_CLUSTER(test_positions_have_time),
        ON_CLUSTER(test_a_commit_in_time_or_later),
        ON_CLUSTER(test_a_fence_shows_when_sending),
        ON_CLUSTER(test_a_fence_of_a_record_shows_when_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
