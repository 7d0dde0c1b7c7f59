// world: a live agent on a mock cluster with all topics, one partition each, and the few things
// that every test of it does. The agent is turned by the test itself. Included by tests/live only.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "eventlog/eventlog.h"
#include "kafka/mock.h"
#include "kafka/sink.h"
#include "kafka/source.h"
#include "live/agent.h"

static const char skew_log[] = FIXTURES "/logs/skew_groupbykey/events.jsonl.zst";

struct world {
    struct mock_cluster *cluster;
    struct agent *agent;
    struct agent_options options;
    struct kafka_sink *sender;  // of the events
    char ids[64][ID_TEXT_SIZE]; // bottlenecks handed out, each id once
    int id_count, bottlenecks;
    int runs_ended;
};

static inline void on_bottleneck(void *ctx, const struct run_identity *identity,
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

static inline void on_run(void *ctx, const struct pipeline_run *run) {
    ((struct world *)ctx)->runs_ended += run->ended_ms > 0;
}

static inline void open_agent(struct world *w) {
    struct err err = {0};
    if (agent_new(&w->options, &w->agent, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
}

// `alone`: the agent takes all partitions at once. Else it joins a group, which takes the mock of
// 2.0.2 three seconds.
static inline struct world *world_new(bool alone) {
    struct world *w = mem_zalloc(1, sizeof *w);
    struct err err = {0};
    log_configure(LOG_ERROR, LOG_LOGFMT);
    metrics_reset();
    assert_int_equal(mock_cluster_new(1, &w->cluster, &err), ST_OK);
    w->options = (struct agent_options){.cluster = "test",
                                        .instance = "test",
                                        .group = "g",
                                        .dlq_enabled = true,
                                        .alone = alone,
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
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        const char *name = w->options.topics[t] = topic_row(t)->def;
        assert_int_equal(mock_cluster_create_topic(w->cluster, name, 1, &err), ST_OK);
    }
    engine_options_init(&w->options.engine);
    pipelines_options_init(&w->options.pipelines);
    struct kafka_sink_options sender = {0};
    assert_int_equal(kafka_sink_new(&w->options.producer, &sender, (struct kafka_sink_callbacks){0},
                                    &w->sender, &err),
                     ST_OK);
    open_agent(w);
    return w;
}

static inline void world_free(struct world *w) {
    agent_free(w->agent);
    kafka_sink_free(w->sender);
    mock_cluster_free(w->cluster);
    mem_free(w);
}

// Sends lines [from, to) of a log under one key, to < 0: to its end.
static inline void send_log(struct world *w, const char *path, const char *key, int from, int to) {
    struct err err = {0};
    struct eventlog *log = NULL;
    struct str line;
    assert_int_equal(eventlog_open(path, &log, &err), ST_OK);
    for (int i = 0; eventlog_next(log, &line, NULL, &err) == ST_OK && line.p != NULL; i++) {
        struct sink_record record = {
            .topic = topic_row(TOPIC_EVENTS)->def, .key = str_of(key), .value = line};
        if (i >= from && (to < 0 || i < to)) {
            assert_int_equal(kafka_sink_send(w->sender, &record, &err), ST_OK);
        }
    }
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
    eventlog_free(log);
}

static inline void send_as(struct world *w, const char *key, const char *text) {
    struct err err = {0};
    struct sink_record record = {
        .topic = topic_row(TOPIC_EVENTS)->def, .key = str_of(key), .value = str_of(text)};
    assert_int_equal(kafka_sink_send(w->sender, &record, &err), ST_OK);
    assert_int_equal(kafka_sink_flush(w->sender, 20000, &err), ST_OK);
}
static inline void send_text(struct world *w, const char *text) {
    send_as(w, "app-x", text);
}

// Records that stand in a topic, of transactions that failed too: the mock hides none.
static inline int records_in(struct world *w, enum topic which) {
    const char *topic = w->options.topics[which];
    struct kafka_source_options options = {
        .group = "reader", .topics = &topic, .topic_count = 1, .alone = true};
    struct kafka_source *source = NULL;
    struct message message;
    struct err err = {0};
    int count = 0;
    int64_t deadline_ms = clock_mono_ms() + 30000;
    assert_int_equal(kafka_source_new(&w->options.consumer, &options,
                                      (struct kafka_source_callbacks){0}, &source, &err),
                     ST_OK);
    while (!kafka_source_caught_up(source, topic, 0) && clock_mono_ms() < deadline_ms) {
        count += kafka_source_poll(source, 20, &message, &err) == ST_OK;
    }
    assert_true(clock_mono_ms() < deadline_ms);
    kafka_source_free(source);
    return count;
}

// Turns the loop until `done` says so; a test fails after half a minute without.
static inline void turn_until(struct world *w, bool (*done)(struct world *w)) {
    struct err err = {0};
    int64_t deadline_ms = clock_mono_ms() + 30000;
    while (!done(w)) {
        assert_int_equal(agent_step(w->agent, 20, &err), ST_OK);
        if (clock_mono_ms() >= deadline_ms) {
            struct buf reason = {0};
            fail_msg("waited in vain, ready %d: %s", agent_ready(w->agent, &reason),
                     buf_text(&reason));
        }
    }
}

static inline bool run_ended(struct world *w) {
    return w->runs_ended > 0;
}
static inline bool letter_kept(struct world *w) {
    (void)w;
    return metrics_get(METRIC_DLQ_RECORDS) > 0;
}
static inline bool not_ready(struct world *w) {
    struct buf reason = {0};
    bool ready = agent_ready(w->agent, &reason);
    bool said = reason.len > 0;
    buf_fini(&reason);
    return !ready && said;
}
static inline bool ready(struct world *w) {
    struct buf reason = {0};
    bool ready = agent_ready(w->agent, &reason);
    buf_fini(&reason);
    return ready;
}
