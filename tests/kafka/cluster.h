// cluster: a mock cluster with one topic, a sink and a source on it, and the few things that every
// Kafka test does with them. Included by tests/kafka only.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kafka/mock.h"
#include "kafka/sink.h"
#include "kafka/source.h"

#define WAIT_MS 20000

static inline const char *status_name(enum status status) {
    static const char *const names[] = {"ok", "skip", "retry", "abort", "fatal"};
    return names[status];
}

struct owner {
    int32_t partition;
    bool owned;
};

struct cluster {
    struct mock_cluster *mock;
    struct kafka_settings settings;
    struct err err;
    uint64_t delivered;
    int assigned, revoked, lost;
    struct owner owners[40];
};

// A group of the mock gives up a silent member after its session; a rebalance waits as long.
static const struct kafka_property quick_session[] = {{"session.timeout.ms", "3000"},
                                                      {"heartbeat.interval.ms", "300"}};

static inline int cluster_set_up(void **state) {
    struct cluster *c = mem_zalloc(1, sizeof *c);
    assert_int_equal(mock_cluster_new(1, &c->mock, &c->err), ST_OK);
    assert_int_equal(mock_cluster_create_topic(c->mock, "in", 2, &c->err), ST_OK);
    c->settings.brokers = mock_cluster_bootstrap(c->mock);
    *state = c;
    return 0;
}

static inline int cluster_tear_down(void **state) {
    struct cluster *c = *state;
    mock_cluster_free(c->mock);
    mem_free(c);
    return 0;
}

static inline void count_delivered(void *ctx, const char *topic) {
    struct cluster *c = ctx;
    assert_non_null(topic);
    c->delivered++;
}

// The owner of a partition is the place where its number is kept.
static inline void *count_assigned(void *ctx, const char *topic, int32_t partition) {
    struct cluster *c = ctx;
    assert_non_null(topic);
    assert_in_range(partition, 0, ARRAY_LEN(c->owners) - 1);
    assert_false(c->owners[partition].owned);
    c->assigned++;
    c->owners[partition] = (struct owner){.partition = partition, .owned = true};
    return &c->owners[partition];
}

static inline void count_revoked(void *ctx, void *owner, bool lost) {
    struct cluster *c = ctx;
    struct owner *revoked = owner;
    assert_ptr_equal(revoked, &c->owners[revoked->partition]);
    assert_true(revoked->owned);
    revoked->owned = false;
    c->revoked++;
    c->lost += lost;
}

static inline struct kafka_sink *open_sink(struct cluster *c, struct kafka_sink_options options) {
    struct kafka_sink *sink = NULL;
    struct kafka_sink_callbacks callbacks = {.ctx = c, .delivered = count_delivered};
    enum status st = kafka_sink_new(&c->settings, &options, callbacks, &sink, &c->err);
    if (st != ST_OK) {
        fail_msg("%s", c->err.text);
    }
    return sink;
}

// A source of topic `topic` that takes all partitions at once, or joins group "g".
static inline struct kafka_source *open_source(struct cluster *c, const char *topic, bool alone) {
    struct kafka_source *src = NULL;
    struct kafka_settings settings = c->settings;
    settings.role = quick_session;
    settings.role_count = ARRAY_LEN(quick_session);
    struct kafka_source_options options = {
        .group = "g", .topics = &topic, .topic_count = 1, .alone = alone};
    struct kafka_source_callbacks callbacks = {
        .ctx = c, .assigned = count_assigned, .revoked = count_revoked};
    enum status st = kafka_source_new(&settings, &options, callbacks, &src, &c->err);
    if (st != ST_OK) {
        fail_msg("%s", c->err.text);
    }
    return src;
}

static inline enum status send_text(struct cluster *c, struct kafka_sink *sink, const char *text) {
    struct sink_record record = {.topic = "in", .key = str_of(text), .value = str_of(text)};
    return kafka_sink_send(sink, &record, &c->err);
}

static inline void send_numbers(struct cluster *c, struct kafka_sink *sink, int from, int to) {
    for (int i = from; i < to; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(send_text(c, sink, text), ST_OK);
    }
}

static inline void expect_flush(struct cluster *c, struct kafka_sink *sink, enum status expected) {
    enum status st = kafka_sink_flush(sink, WAIT_MS, &c->err);
    if (st != expected) {
        fail_msg("flush: %s: %s", status_name(st), st == ST_OK ? "" : c->err.text);
    }
}

// Polls until a message comes. Fails if none does.
static inline void expect_message(struct cluster *c, struct kafka_source *src,
                                  struct message *out) {
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    while (kafka_source_poll(src, 100, out, &c->err) != ST_OK) {
        assert_true(clock_mono_ms() < deadline_ms);
    }
    assert_ptr_equal(out->owner, &c->owners[out->partition]);
    assert_true(c->owners[out->partition].owned);
}

// Reads messages that hold a number below `count` until each was seen, and fails on one seen twice.
static inline void expect_numbers(struct cluster *c, struct kafka_source *src, int count) {
    bool *seen = mem_zalloc((size_t)count, sizeof *seen);
    for (int left = count; left > 0; left--) {
        struct message m;
        expect_message(c, src, &m);
        int64_t number = -1;
        assert_true(str_to_i64(m.value, &number));
        assert_in_range(number, 0, count - 1);
        assert_false(seen[number]);
        seen[number] = true;
    }
    mem_free(seen);
}

// Polls until the health text says `part`; NULL: until it is well. Fails if it never does.
static inline void expect_health(struct cluster *c, struct kafka_source *src, const char *part) {
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    struct buf reason = {0};
    for (bool done = false; !done;) {
        struct message m;
        if (kafka_source_poll(src, 50, &m, &c->err) == ST_FATAL) {
            deadline_ms = 0;
        }
        buf_clear(&reason);
        bool well = kafka_source_health(src, &reason);
        done = part == NULL ? well : !well && str_contains(buf_str(&reason), str_of(part));
        if (!done && clock_mono_ms() > deadline_ms) {
            fail_msg("health is \"%s\", not \"%s\"", buf_text(&reason), part == NULL ? "" : part);
        }
    }
    buf_fini(&reason);
}
