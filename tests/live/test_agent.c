// test_agent: the live agent against librdkafka's mock cluster: the whole way of a log, dead
// letters, what is urgent, a broker that goes away, a producer that is refused, a restart that
// reads open runs again.
#include "world.h"

static void a_log_goes_the_whole_way(void **state) {
    (void)state;
    struct world *w = world_new(true);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    agent_free(w->agent); // commits what is left
    w->agent = NULL;
    assert_int_equal(w->id_count, 1);
    assert_int_equal(w->bottlenecks, 1);
    assert_int_equal(records_in(w, TOPIC_BOTTLENECKS), 1);
    assert_int_equal(metrics_get(METRIC_BOTTLENECKS_OUT), 1);
    assert_int_equal(records_in(w, TOPIC_RUNS), metrics_get(METRIC_RUNS_OUT));
    assert_true(metrics_get(METRIC_COMMITS) > 0);
    world_free(w);
}

static void send_short_run(struct world *w, const char *app_id, long long time_ms) {
    char text[400];
    snprintf(text, sizeof text,
             "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"etl\",\"App ID\":\"%s\","
             "\"Timestamp\":%lld,\"User\":\"u\"}",
             app_id, time_ms);
    send_as(w, app_id, text);
    snprintf(text, sizeof text, "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":%lld}",
             time_ms + 10000);
    send_as(w, app_id, text);
}

static bool a_window_is_out(struct world *w) {
    (void)w;
    return metrics_get(METRIC_WINDOWS_OUT) > 0;
}

static void every_record_goes_to_the_topic_of_its_kind(void **state) {
    (void)state;
    struct world *w = world_new(true);
    send_short_run(w, "app-1", 1700000000000);
    send_short_run(w, "app-2", 1700003600000); // closes the pane of the first
    turn_until(w, a_window_is_out);
    agent_free(w->agent);
    w->agent = NULL;
    assert_int_equal(records_in(w, TOPIC_WINDOWS), 1);
    assert_int_equal(records_in(w, TOPIC_RUNS), metrics_get(METRIC_RUNS_OUT));
    assert_int_equal(records_in(w, TOPIC_BOTTLENECKS), 0);
    assert_int_equal(records_in(w, TOPIC_RECOMMENDATIONS), 0);
    assert_int_equal(records_in(w, TOPIC_DLQ), 0);
    world_free(w);
}

static bool urgent_twice(struct world *w) {
    (void)w;
    return metrics_get(METRIC_URGENT_COMMITS) == 2;
}

static void an_alert_and_its_cause_do_not_wait_for_the_interval(void **state) {
    (void)state;
    struct world *w = world_new(true);
    agent_free(w->agent);
    w->options.commit_interval_ms = 600000;
    open_agent(w);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, urgent_twice); // the bottleneck, and the alert that stage 2 makes of it
    assert_int_equal(metrics_get(METRIC_COMMITS), 2);
    assert_int_equal(metrics_get(METRIC_BOTTLENECKS_OUT), 1);
    world_free(w);
}

static void an_unusable_message_is_kept_and_the_next_is_read(void **state) {
    (void)state;
    struct world *w = world_new(true);
    send_text(w, "{\"Event\":\"SparkListenerTaskEnd\"");
    turn_until(w, letter_kept);
    assert_int_equal(metrics_get(METRIC_SKIP_MALFORMED), 1);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    world_free(w);
}

// Not waited for, which would let anybody stop the partition; the letter can be played again once
// all agents know the schema.
static void a_run_of_an_unknown_schema_is_kept_under_its_own_reason(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct err err = {0};
    static const char later[] = "\xC3\x01"
                                "8 bytes."
                                "what a later release has to say";
    struct sink_record record = {
        .topic = topic_row(TOPIC_RUNS)->def, .key = STR("etl"), .value = STR(later)};
    assert_int_equal(kafka_sink_send(w->sender, &record, &err), ST_OK);
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
    turn_until(w, letter_kept);
    assert_int_equal(metrics_get(METRIC_SKIP_UNKNOWN_SCHEMA), 1);
    assert_int_equal(metrics_get(METRIC_SKIP_UNREADABLE_RUN), 0);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    world_free(w);
}

static void a_broker_that_goes_away_is_waited_for(void **state) {
    (void)state;
    struct world *w = world_new(true);
    turn_until(w, ready);
    send_log(w, skew_log, "app-1", 0, 20);
    mock_cluster_down(w->cluster, -1);
    turn_until(w, not_ready);
    mock_cluster_up(w->cluster, -1);
    send_log(w, skew_log, "app-1", 20, -1);
    turn_until(w, run_ended);
    turn_until(w, ready);
    world_free(w);
}

// The first bottleneck is in the transaction: all that comes behind it is refused. None of its
// state may stand: the mock would show it.
static void refuse_what_follows(void *ctx, const struct run_identity *identity,
                                const struct bottleneck *bottleneck) {
    struct world *w = ctx;
    on_bottleneck(w, identity, bottleneck);
    if (w->bottlenecks == 1) {
        mock_cluster_push_error(w->cluster, MOCK_PRODUCE, MOCK_TOPIC_DENIED, 100);
    }
}

static bool told_twice(struct world *w) {
    return w->bottlenecks == 2;
}

static void a_refused_producer_starts_again_from_what_is_committed(void **state) {
    (void)state;
    struct world *w = world_new(true);
    agent_free(w->agent);
    w->options.on_bottleneck = refuse_what_follows;
    open_agent(w);
    turn_until(w, ready);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, not_ready); // says why, drops its state
    mock_cluster_clear_errors(w->cluster, MOCK_PRODUCE);
    turn_until(w, told_twice); // and judges the run again, whole
    agent_free(w->agent);
    w->agent = NULL;
    assert_true(metrics_get(METRIC_PUBLISH_ERRORS) > 0); // a batch holds several records
    assert_int_equal(metrics_get(METRIC_TXN_ABORTS), 1);
    assert_int_equal(w->id_count, 1); // the same bottleneck
    assert_int_equal(metrics_get(METRIC_BOTTLENECKS_OUT), 1);
    world_free(w);
}

static bool thirty_read(struct world *w) {
    (void)w;
    return metrics_get(METRIC_EVENTS_READ) == 30;
}

static void a_restart_goes_on_where_it_was(void **state) {
    (void)state;
    struct world *w = world_new(true);
    send_log(w, skew_log, "app-1", 0, 30); // the run is open
    turn_until(w, thirty_read);
    agent_free(w->agent);
    int64_t restored = metrics_get(METRIC_RESTORE_RECORDS);
    open_agent(w);
    send_log(w, skew_log, "app-1", 30, -1);
    turn_until(w, run_ended);
    int64_t read = metrics_get(METRIC_EVENTS_READ);
    assert_true(metrics_get(METRIC_RESTORE_RECORDS) > restored + 3);
    int told = w->bottlenecks;
    char restarted[64][ID_TEXT_SIZE];
    int count = w->id_count;
    memcpy(restarted, w->ids, sizeof restarted);
    world_free(w);
    w = world_new(true); // the same without a restart
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    assert_int_equal(metrics_get(METRIC_EVENTS_READ), read); // no event was read twice
    assert_int_equal(w->bottlenecks, told);
    assert_int_equal(w->id_count, count);
    assert_memory_equal(w->ids, restarted, sizeof restarted);
    world_free(w);
}

// A group whose name has a '-' is joined, although this broker cannot say who was in it before.
static void a_group_of_two_words_is_joined(void **state) {
    (void)state;
    struct world *w = world_new(true);
    agent_free(w->agent);
    w->options.alone = false;
    w->options.group = "g-eu";
    open_agent(w);
    turn_until(w, ready);
    agent_free(w->agent);
    open_agent(w); // and ended while it still looks for a predecessor
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_goes_the_whole_way),
        cmocka_unit_test(every_record_goes_to_the_topic_of_its_kind),
        cmocka_unit_test(an_alert_and_its_cause_do_not_wait_for_the_interval),
        cmocka_unit_test(an_unusable_message_is_kept_and_the_next_is_read),
        cmocka_unit_test(a_run_of_an_unknown_schema_is_kept_under_its_own_reason),
        cmocka_unit_test(a_broker_that_goes_away_is_waited_for),
        cmocka_unit_test(a_refused_producer_starts_again_from_what_is_committed),
        cmocka_unit_test(a_restart_goes_on_where_it_was),
        cmocka_unit_test(a_group_of_two_words_is_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
