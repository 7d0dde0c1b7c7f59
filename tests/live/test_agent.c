// test_agent: the live agent against librdkafka's mock cluster: the whole way of a log, dead
// letters, a broker that goes away, a producer that is refused, a restart that reads open runs
// again.
#include "support/test.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kafka/mock.h"
#include "live/agent.h"
#include "sink/kafka_sink.h"
#include "source/eventlog.h"

static const char *const topics[TOPIC_COUNT] = {
    "events",  "runs", "bottlenecks",        "recommendations",
    "windows", "dlq",  "state.applications", "state.pipelines"};
static const char skew_log[] = FIXTURES "/logs/skew_groupbykey/events.jsonl.zst";

struct world {
    struct mock_cluster *cluster;
    struct agent *agent;
    struct agent_options options;
    char ids[64][ID_TEXT_SIZE]; // bottlenecks handed out, each id once
    int id_count, bottlenecks;
    int runs_ended;
};

static void on_bottleneck(void *ctx, const struct run_identity *identity,
                          const struct bottleneck *b) {
    struct world *w = ctx;
    (void)identity;
    w->bottlenecks++;
    for (int i = 0; i < w->id_count; i++) {
        if (strcmp(w->ids[i], b->id) == 0) {
            return;
        }
    }
    memcpy(w->ids[w->id_count++], b->id, ID_TEXT_SIZE);
}

static void on_run(void *ctx, const struct pipeline_run *run) {
    ((struct world *)ctx)->runs_ended += run->ended_ms > 0;
}

static void open_agent(struct world *w) {
    struct err err = {0};
    if (agent_new(&w->options, &w->agent, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
}

static struct world *world_new(void) {
    struct world *w = mem_zalloc(1, sizeof *w);
    struct err err = {0};
    log_configure(LOG_ERROR, LOG_LOGFMT);
    metrics_reset();
    assert_int_equal(mock_cluster_new(1, &w->cluster, &err), ST_OK);
    for (int t = 0; t < TOPIC_COUNT; t++) {
        assert_int_equal(mock_cluster_create_topic(w->cluster, topics[t], 1, &err), ST_OK);
    }
    w->options = (struct agent_options){.cluster = "test",
                                        .instance = "test",
                                        .group = "g",
                                        .dlq_enabled = true,
                                        .alone = true,
                                        .topics_trusted = true,
                                        .commit_interval_ms = 50,
                                        .decode = {.max_bytes = 32 << 20,
                                                   .wrapper_event_key = "",
                                                   .wrapper_app_key = "",
                                                   .wrapper_attempt_key = ""},
                                        .http_listen = "",
                                        .metrics_pipelines_max = 10,
                                        .hook_ctx = w,
                                        .on_bottleneck = on_bottleneck,
                                        .on_run = on_run};
    w->options.consumer = w->options.producer =
        (struct kafka_settings){.brokers = mock_cluster_bootstrap(w->cluster)};
    memcpy(w->options.topics, topics, sizeof topics);
    engine_options_init(&w->options.engine);
    pipelines_options_init(&w->options.pipelines);
    open_agent(w);
    return w;
}

static void world_free(struct world *w) {
    agent_free(w->agent);
    mock_cluster_free(w->cluster);
    mem_free(w);
}

// Sends lines [from, to) of a log under one key, to < 0: to its end.
static void send_log(struct world *w, const char *path, const char *key, int from, int to) {
    struct err err = {0};
    struct eventlog *log = NULL;
    struct kafka_sink *sink = NULL;
    struct kafka_sink_options options = {0};
    struct str line;
    assert_int_equal(kafka_sink_new(&w->options.producer, &options,
                                    (struct kafka_sink_callbacks){0}, &sink, &err),
                     ST_OK);
    assert_int_equal(eventlog_open(path, &log, &err), ST_OK);
    for (int i = 0; eventlog_next(log, &line, NULL, &err) == ST_OK && line.p != NULL; i++) {
        struct sink_record record = {.topic = "events", .key = str_of(key), .value = line};
        if (i >= from && (to < 0 || i < to)) {
            assert_int_equal(kafka_sink_send(sink, &record, &err), ST_OK);
        }
    }
    assert_int_equal(kafka_sink_flush(sink, 20000, &err), ST_OK);
    eventlog_free(log);
    kafka_sink_free(sink);
}

static void send_text(struct world *w, const char *text) {
    struct err err = {0};
    struct kafka_sink *sink = NULL;
    struct kafka_sink_options options = {0};
    assert_int_equal(kafka_sink_new(&w->options.producer, &options,
                                    (struct kafka_sink_callbacks){0}, &sink, &err),
                     ST_OK);
    struct sink_record record = {.topic = "events", .key = STR("app-x"), .value = str_of(text)};
    assert_int_equal(kafka_sink_send(sink, &record, &err), ST_OK);
    assert_int_equal(kafka_sink_flush(sink, 20000, &err), ST_OK);
    kafka_sink_free(sink);
}

// Turns the loop until `done` says so; a test fails after half a minute without.
static void turn_until(struct world *w, bool (*done)(struct world *w)) {
    struct err err = {0};
    int64_t deadline_ms = clock_mono_ms() + 30000;
    while (!done(w)) {
        assert_int_equal(agent_step(w->agent, 20, &err), ST_OK);
        assert_true(clock_mono_ms() < deadline_ms);
    }
}

static bool run_ended(struct world *w) {
    return w->runs_ended > 0;
}
static bool letter_kept(struct world *w) {
    (void)w;
    return metrics_get(METRIC_DLQ_RECORDS) > 0;
}
static bool not_ready(struct world *w) {
    struct buf reason = {0};
    bool ready = agent_ready(w->agent, &reason);
    bool said = reason.len > 0;
    buf_fini(&reason);
    return !ready && said;
}
static bool ready(struct world *w) {
    struct buf reason = {0};
    bool ready = agent_ready(w->agent, &reason);
    buf_fini(&reason);
    return ready;
}

static void a_log_goes_the_whole_way(void **state) {
    (void)state;
    struct world *w = world_new();
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    assert_true(w->id_count >= 1);
    int64_t sent = metrics_get(METRIC_BOTTLENECKS_OUT);
    agent_free(w->agent); // commits; whatever is committed was acknowledged before
    w->agent = NULL;
    assert_true(metrics_get(METRIC_BOTTLENECKS_OUT) >= sent &&
                metrics_get(METRIC_BOTTLENECKS_OUT) == w->bottlenecks);
    assert_true(metrics_get(METRIC_COMMITS) > 0);
    world_free(w);
}

static void an_unusable_message_is_kept_and_the_next_is_read(void **state) {
    (void)state;
    struct world *w = world_new();
    send_text(w, "{\"Event\":\"SparkListenerTaskEnd\"");
    turn_until(w, letter_kept);
    assert_int_equal(metrics_get(METRIC_SKIP_MALFORMED), 1);
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    world_free(w);
}

static void a_broker_that_goes_away_is_waited_for(void **state) {
    (void)state;
    struct world *w = world_new();
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

static void a_refused_producer_starts_again_from_what_is_committed(void **state) {
    (void)state;
    struct world *w = world_new();
    turn_until(w, ready);
    mock_cluster_push_error(w->cluster, MOCK_PRODUCE, MOCK_TOPIC_DENIED, 40);
    mock_cluster_clear_errors(w->cluster, MOCK_PRODUCE);
    send_log(w, skew_log, "app-1", 0, -1);
    mock_cluster_push_error(w->cluster, MOCK_PRODUCE, MOCK_TOPIC_DENIED, 3);
    turn_until(w, not_ready); // says why, drops its state
    mock_cluster_clear_errors(w->cluster, MOCK_PRODUCE);
    turn_until(w, run_ended); // and judges the run again, whole
    assert_true(metrics_get(METRIC_PUBLISH_ERRORS) > 0);
    assert_true(w->id_count >= 1 && w->bottlenecks > w->id_count - 1);
    world_free(w);
}

static bool thirty_read(struct world *w) {
    (void)w;
    return metrics_get(METRIC_EVENTS_READ) == 30;
}

static void a_restart_goes_on_where_it_was(void **state) {
    (void)state;
    struct world *w = world_new();
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
    w = world_new(); // the same without a restart
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, run_ended);
    assert_int_equal(metrics_get(METRIC_EVENTS_READ), read); // no event was read twice
    assert_int_equal(w->bottlenecks, told);
    assert_int_equal(w->id_count, count);
    assert_memory_equal(w->ids, restarted, sizeof restarted);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_goes_the_whole_way),
        cmocka_unit_test(an_unusable_message_is_kept_and_the_next_is_read),
        cmocka_unit_test(a_broker_that_goes_away_is_waited_for),
        cmocka_unit_test(a_refused_producer_starts_again_from_what_is_committed),
        cmocka_unit_test(a_restart_goes_on_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
