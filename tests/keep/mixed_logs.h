// mixed_logs: the lines of several applications' logs, interleaved at random and here and there
// delivered twice, and an engine that gathers its records as Avro bytes. For the tests of kept
// state.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "avro/avro_codec.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "eventlog/eventlog.h"

// One comes under the key of the first, after it: another run with the same id.
enum { LOGS = 14, FIRST_RUN = 0, SECOND_RUN = 9 };
static const char *const paths[LOGS] = {
    FIXTURES "/logs/skew_groupbykey/events.jsonl.zst",
    FIXTURES "/logs/executor_oom/events.jsonl.zst",
    FIXTURES "/logs/task_retries/events.jsonl.zst",
    FIXTURES "/logs/contention_two_apps/events.jsonl.zst",
    FIXTURES "/logs/gc_pressure/events.jsonl.zst",
    FIXTURES "/logs/broadcastable_join/events.jsonl.zst",
    FIXTURES "/logs/ok_parquet_agg/events.jsonl.zst",
    FIXTURES "/logs/slow_host/events.jsonl.zst",
    FIXTURES "/shapes/vectored_io.jsonl",
    FIXTURES "/logs/skew_join/events.jsonl.zst",
    FIXTURES "/shapes/streaming_nan.jsonl",
    FIXTURES "/shapes/sql_retried.jsonl",
    FIXTURES "/shapes/shut_down_midway.jsonl",
    FIXTURES "/shapes/stream_stopped.jsonl",
};

// All lines of all logs, read once.
static struct line {
    char *text;
    size_t len;
    int log;
    int64_t number; // by its listener, 0: it has none
} * lines;
static size_t line_count, line_cap;

static struct decoder *decoder;
static struct avro_codec *codec;
static struct engine_options engine_options;
static struct buf *records; // where records go, as Avro bytes

static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_run(codec, run, &bytes);
    buf_add_str(records, buf_str(&bytes));
    buf_fini(&bytes);
}
static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *b) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_bottleneck(codec, identity, run_id, b, &bytes);
    buf_add_str(records, buf_str(&bytes));
    buf_fini(&bytes);
}
static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *r) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_recommendation(codec, identity, run_id, r, &bytes);
    buf_add_str(records, buf_str(&bytes));
    buf_fini(&bytes);
}

static struct engine *fresh_engine(void) {
    struct engine_output output = {NULL, on_run, on_bottleneck, on_recommendation};
    return engine_new(&engine_options, decoder, &output);
}

static void feed(struct engine *engine, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "app-%d",
                         lines[i].log == SECOND_RUN ? FIRST_RUN : lines[i].log);
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)lines[i].number);
        const struct message_header headers[] = {{MESSAGE_HEADER_NUMBER, str_of(number)},
                                                 {MESSAGE_HEADER_LISTENER, STR("0.2.0")}};
        struct message message = {.value = {lines[i].text, lines[i].len},
                                  .key = {key, (size_t)n},
                                  .headers = headers,
                                  .header_count = lines[i].number == 0 ? 0 : 2,
                                  .topic = "t",
                                  .offset = (int64_t)i};
        assert_int_equal(engine_feed(engine, &message, lines[i].len, NULL, NULL), ST_OK);
    }
}

static void add_numbered(const char *text, size_t len, int log, int64_t number) {
    MEM_GROW(lines, line_count, line_cap);
    lines[line_count++] = (struct line){mem_strndup(text, len), len, log, number};
}

// Most logs come by a listener that loses some events, and reports it now and then.
static void add_line_of(uint64_t *seed, struct str line, int log) {
    static int64_t sent[LOGS], dropped[LOGS];
    if (log == 1 || log == 3) {
        add_numbered(line.p, line.len, log, 0);
        return;
    }
    for (; test_random(seed) % 16 == 0; dropped[log]++) {
        sent[log]++;
    }
    add_numbered(line.p, line.len, log, ++sent[log]);
    if (test_random(seed) % 256 == 0) {
        char text[160];
        int n = snprintf(text, sizeof text,
                         "{\"Event\":\"StokerListenerReport\",\"Accepted\":%lld,"
                         "\"Dropped\":{\"SparkListenerTaskEnd\":%lld,\"X\":%lld},\"Slimmed\":2}",
                         (long long)sent[log], (long long)dropped[log] / 2,
                         (long long)dropped[log] / 4);
        add_numbered(text, (size_t)n, log, ++sent[log]);
    }
}

static void read_logs(uint64_t *seed) {
    struct eventlog *logs[LOGS];
    int open = LOGS;
    struct err err;
    for (int i = 0; i < LOGS; i++) {
        assert_int_equal(eventlog_open(paths[i], &logs[i], &err), ST_OK);
    }
    bool ended[LOGS] = {false};
    while (open > 0) { // interleaved at random
        int i = (int)(test_random(seed) % LOGS);
        struct str line;
        if (ended[i] || (i == SECOND_RUN && !ended[FIRST_RUN])) {
            continue;
        }
        assert_int_equal(eventlog_next(logs[i], &line, NULL, &err), ST_OK);
        if (line.p == NULL) {
            ended[i] = true;
            open--;
            continue;
        }
        add_line_of(seed, line, i);
        if (test_random(seed) % 16 == 0) { // delivered again, much later
            size_t again = test_random(seed) % line_count;
            struct line old = lines[again];
            add_numbered(old.text, old.len, old.log, old.number);
        }
    }
    for (int i = 0; i < LOGS; i++) {
        eventlog_free(logs[i]);
    }
}

static inline int set_up(void **state) {
    (void)state;
    uint64_t seed = 11;
    struct decode_options decode = {.max_bytes = 32 << 20,
                                    .wrapper_event_key = "",
                                    .wrapper_app_key = "",
                                    .wrapper_attempt_key = ""};
    decoder = decoder_new(&decode);
    codec = avro_codec_new();
    engine_options_init(&engine_options);
    read_logs(&seed);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (size_t i = 0; i < line_count; i++) {
        mem_free(lines[i].text);
    }
    mem_free(lines);
    decoder_free(decoder);
    avro_codec_free(codec);
    return 0;
}

static inline void apply(void *ctx, struct str key, struct str value) {
    keep_table_put(ctx, key, value);
}
