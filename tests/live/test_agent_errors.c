// test_agent_errors: the live agent, when a request of its transaction is answered by an error: it
// gives the transaction up, counts it, reads its state again and goes on. It ends only if another
// process uses its name or it may not use transactions. The mock shows aborted records to everyone
// and keeps no positions, so what stands in the topics is proved on real Kafka (tests/faults).
#include "support/leaks.h"
#include "world.h"

struct row {
    enum mock_request request;
    enum mock_error error;
};

// What fails a transaction and is nobody's fault.
static const struct row rows[] = {
    {MOCK_ADD_PARTITIONS, MOCK_TOPIC_DENIED},
    {MOCK_ADD_PARTITIONS, MOCK_TXN_STATE},
    {MOCK_ADD_PARTITIONS, MOCK_PRODUCER_ID_MAPPING},
    {MOCK_ADD_PARTITIONS, MOCK_UNKNOWN_PRODUCER_ID},
    {MOCK_ADD_PARTITIONS, MOCK_TXN_DENIED},
    {MOCK_PRODUCE, MOCK_TOO_LARGE},
    {MOCK_PRODUCE, MOCK_OUT_OF_ORDER},
    {MOCK_PRODUCE, MOCK_UNKNOWN_PRODUCER_ID},
    {MOCK_ADD_OFFSETS, MOCK_GROUP_DENIED},
    {MOCK_ADD_OFFSETS, MOCK_TXN_STATE},
    {MOCK_ADD_OFFSETS, MOCK_PRODUCER_ID_MAPPING},
    {MOCK_ADD_OFFSETS, MOCK_TXN_DENIED},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_TXN_STATE},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_PRODUCER_ID_MAPPING},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_UNKNOWN_PRODUCER_ID},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_TXN_DENIED},
    {MOCK_END_TXN, MOCK_TXN_STATE},
    {MOCK_END_TXN, MOCK_PRODUCER_ID_MAPPING},
    {MOCK_END_TXN, MOCK_UNKNOWN_PRODUCER_ID},
    {MOCK_END_TXN, MOCK_UNKNOWN},
    {MOCK_END_TXN, MOCK_TXN_DENIED},
};

// What a member of a group hears that is thrown out of it meanwhile.
static const struct row group_rows[] = {
    {MOCK_TXN_OFFSET_COMMIT, MOCK_ILLEGAL_GENERATION},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_UNKNOWN_MEMBER},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_REBALANCE},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_GROUP_DENIED},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_FENCED_INSTANCE}, // once, which is no proof
};

// What the library asks again, unseen.
static const struct row passing[] = {
    {MOCK_ADD_PARTITIONS, MOCK_CONCURRENT_TXNS},
    {MOCK_ADD_PARTITIONS, MOCK_NOT_COORDINATOR},
    {MOCK_ADD_OFFSETS, MOCK_COORDINATOR_AWAY},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_COORDINATOR_LOADS},
    {MOCK_TXN_OFFSET_COMMIT, MOCK_DISCONNECT},
    {MOCK_END_TXN, MOCK_CONCURRENT_TXNS},
    {MOCK_END_TXN, MOCK_DISCONNECT},
};

static int64_t aborts_before, commits_before;

static bool gave_up(struct world *w) {
    (void)w;
    return metrics_get(METRIC_TXN_ABORTS) > aborts_before;
}
static bool committed(struct world *w) {
    (void)w;
    return metrics_get(METRIC_COMMITS) > commits_before;
}

// Gives the agent something to commit, and its requests of one kind an answer.
static void answer_next(struct world *w, const struct row *row, int count) {
    aborts_before = metrics_get(METRIC_TXN_ABORTS);
    commits_before = metrics_get(METRIC_COMMITS);
    send_text(w, "{\"Event\":\"SparkListenerTaskEnd\"");
    mock_cluster_push_error(w->cluster, row->request, row->error, count);
}

static void expect_given_up(struct world *w, const struct row *row) {
    answer_next(w, row, 1);
    turn_until(w, gave_up);
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), aborts_before + 1);
    // A slow turn may hold the next try, too, which counts.
    assert_true(metrics_get(METRIC_COMMITS) <= commits_before + 1);
    mock_cluster_clear_errors(w->cluster, row->request);
    turn_until(w, ready);
}

static void expect_judged(struct world *w) {
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    assert_true(w->id_count >= 1);
    turn_until(w, ready);
}

static void a_failed_transaction_begins_again(void **state) {
    (void)state;
    struct world *w = world_new(true);
    turn_until(w, ready);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect_given_up(w, &rows[i]);
    }
    assert_int_equal(metrics_get(METRIC_FENCED), 0);
    assert_int_equal(metrics_get(METRIC_COMMIT_ERRORS), ARRAY_LEN(rows));
    expect_judged(w);
    world_free(w);
}

static void a_group_goes_on(void **state) {
    (void)state;
    struct world *w = world_new(false);
    turn_until(w, ready);
    for (size_t i = 0; i < ARRAY_LEN(group_rows); i++) {
        expect_given_up(w, &group_rows[i]);
    }
    assert_int_equal(metrics_get(METRIC_FENCED), 1);
    expect_judged(w);
    world_free(w);
}

static void passing_errors_are_not_seen(void **state) {
    (void)state;
    struct world *w = world_new(true);
    turn_until(w, ready);
    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        int64_t replaced = metrics_get(METRIC_PRODUCERS_REPLACED);
        answer_next(w, &passing[i], 2);
        turn_until(w, committed);
        mock_cluster_clear_errors(w->cluster, passing[i].request);
        assert_true(passing[i].error != MOCK_DISCONNECT ||
                    metrics_get(METRIC_PRODUCERS_REPLACED) > replaced);
    }
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), 0);
    assert_int_equal(metrics_get(METRIC_DLQ_RECORDS), ARRAY_LEN(passing));
    expect_judged(w);
    world_free(w);
}

// Nothing was written before the partitions were added, so here even the mock shows that no event
// is lost and none counts twice.
static void a_run_that_was_given_up_is_judged_as_ever(void **state) {
    (void)state;
    static const int steps[] = {0, 10, 25, 40}; // of 45 lines
    struct world *w = world_new(true);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    char whole[64][ID_TEXT_SIZE];
    int count = w->id_count;
    int64_t read = metrics_get(METRIC_EVENTS_READ);
    memcpy(whole, w->ids, sizeof whole);
    world_free(w);
    w = world_new(true);
    turn_until(w, ready);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        bool last = i + 1 == ARRAY_LEN(steps);
        aborts_before = metrics_get(METRIC_TXN_ABORTS);
        mock_cluster_push_error(w->cluster, MOCK_ADD_PARTITIONS, MOCK_PRODUCER_ID_MAPPING, 1);
        send_log(w, skew_log, "app-1", steps[i], last ? -1 : steps[i + 1]);
        turn_until(w, gave_up);
        turn_until(w, ready);
    }
    turn_until(w, run_ended);
    assert_int_equal(w->id_count, count);
    assert_memory_equal(w->ids, whole, sizeof whole);
    agent_free(w->agent); // commits what is left
    w->agent = NULL;
    assert_int_equal(metrics_get(METRIC_BOTTLENECKS_OUT),
                     count);                             // what was given up is not counted
    assert_true(metrics_get(METRIC_EVENTS_READ) > read); // some twice, of which none counted twice
    world_free(w);
}

// Turns until the agent ends, and expects the words.
static void expect_end(struct world *w, const char *words) {
    struct err err = {0};
    int64_t deadline_ms = clock_mono_ms() + 30000;
    while (agent_step(w->agent, 20, &err) == ST_OK) {
        assert_true(clock_mono_ms() < deadline_ms);
    }
    assert_int_equal(err.status, ST_FATAL);
    if (strstr(err.text, words) == NULL) {
        fail_msg("%s", err.text);
    }
}

static void another_with_our_name_is_the_end(void **state) {
    (void)state;
    static const struct row fences[][3] = {{{MOCK_ADD_PARTITIONS, MOCK_PRODUCER_FENCED},
                                            {MOCK_PRODUCE, MOCK_PRODUCER_EPOCH},
                                            {MOCK_END_TXN, MOCK_PRODUCER_FENCED}},
                                           {{MOCK_TXN_OFFSET_COMMIT, MOCK_PRODUCER_EPOCH},
                                            {MOCK_ADD_OFFSETS, MOCK_PRODUCER_FENCED},
                                            {MOCK_ADD_PARTITIONS, MOCK_PRODUCER_EPOCH}}};
    for (size_t i = 0; i < ARRAY_LEN(fences); i++) {
        struct world *w = world_new(true);
        turn_until(w, ready);
        for (int times = 1; times <= 2; times++) {
            expect_given_up(w, &fences[i][times - 1]);
            assert_int_equal(metrics_get(METRIC_FENCED), times);
            clock_sleep_ms(300); // sooner it would be the same one
        }
        answer_next(w, &fences[i][2], 1);
        expect_end(w, "another process uses the name g-test-0");
        assert_int_equal(metrics_get(METRIC_FENCED), 3);
        world_free(w);
    }
}

static void no_right_to_transactions_is_the_end(void **state) {
    (void)state;
    struct world *w = world_new(true);
    mock_cluster_push_error(w->cluster, MOCK_INIT_PRODUCER_ID, MOCK_TXN_DENIED, 3);
    expect_end(w, "ACL WRITE on transactional ids");
    world_free(w);
    // It is taken away later: the request under way fails, the next producer is not opened.
    static const struct row denied = {MOCK_END_TXN, MOCK_TXN_DENIED};
    w = world_new(true);
    turn_until(w, ready);
    answer_next(w, &denied, 1);
    mock_cluster_push_error(w->cluster, MOCK_INIT_PRODUCER_ID, MOCK_TXN_DENIED, 3);
    expect_end(w, "ACL WRITE on transactional ids");
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), 1);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_transaction_begins_again),
        cmocka_unit_test(a_group_goes_on),
        cmocka_unit_test(passing_errors_are_not_seen),
        cmocka_unit_test(a_run_that_was_given_up_is_judged_as_ever),
        cmocka_unit_test(another_with_our_name_is_the_end),
        cmocka_unit_test(no_right_to_transactions_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
