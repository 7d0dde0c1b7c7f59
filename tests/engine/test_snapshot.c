// test_snapshot: state written out at any point and read back goes on as if nothing had happened:
// the records that follow are equal, byte for byte, to those of the engine that was never
// interrupted. And damaged values are refused.
#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "engine/snapshot.h"
#include "sink/avro_codec.h"
#include "source/eventlog.h"
#include "state/wire.h"

enum { LOGS = 9 };
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
};

// All lines of all logs, read once.
static struct line {
    char *text;
    size_t len;
    int log;
} * lines;
static size_t line_count, line_cap;

static struct decoder *decoder;
static struct avro_codec *codec;
static struct engine_options options;
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

static struct engine *fresh(void) {
    struct engine_output output = {NULL, on_run, on_bottleneck, on_recommendation};
    return engine_new(&options, decoder, &output);
}

static void feed(struct engine *engine, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "app-%d", lines[i].log);
        struct message message = {.value = {lines[i].text, lines[i].len},
                                  .key = {key, (size_t)n},
                                  .topic = "t",
                                  .offset = (int64_t)i};
        assert_int_equal(engine_feed(engine, &message, lines[i].len, NULL, NULL), ST_OK);
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
        if (ended[i]) {
            continue;
        }
        assert_int_equal(eventlog_next(logs[i], &line, NULL, &err), ST_OK);
        if (line.p == NULL) {
            ended[i] = true;
            open--;
            continue;
        }
        MEM_GROW(lines, line_count, line_cap);
        lines[line_count++] = (struct line){mem_strndup(line.p, line.len), line.len, i};
        if (test_random(seed) % 16 == 0) { // delivered again, much later
            size_t again = test_random(seed) % line_count;
            struct line old = lines[again];
            MEM_GROW(lines, line_count, line_cap);
            lines[line_count++] = (struct line){mem_strndup(old.text, old.len), old.len, old.log};
        }
    }
    for (int i = 0; i < LOGS; i++) {
        eventlog_free(logs[i]);
    }
}

static int set_up(void **state) {
    (void)state;
    uint64_t seed = 11;
    struct decode_options decode = {.max_bytes = 32 << 20,
                                    .wrapper_event_key = "",
                                    .wrapper_app_key = "",
                                    .wrapper_attempt_key = ""};
    decoder = decoder_new(&decode);
    codec = avro_codec_new();
    engine_options_init(&options);
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

static void copy_value(void *ctx, struct str key, struct str value) {
    struct err err = {0};
    if (snapshot_take(ctx, key, value, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
}

static void a_restored_engine_goes_on_byte_for_byte(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 60; round++) {
        size_t cut = round == 0 ? 0 : test_random(&seed) % line_count;
        struct buf before = {0}, expected = {0}, got = {0};
        struct engine *whole = fresh();
        records = &before;
        feed(whole, 0, cut);
        struct engine *restored = fresh();
        snapshot_each(whole, copy_value, restored);
        records = &expected;
        feed(whole, cut, line_count);
        engine_finish(whole, false);
        records = &got;
        feed(restored, cut, line_count);
        engine_finish(restored, false);
        assert_int_equal(got.len, expected.len);
        assert_memory_equal(got.data, expected.data, expected.len);
        assert_true(expected.len > 0);
        engine_free(whole);
        engine_free(restored);
        buf_fini(&before);
        buf_fini(&expected);
        buf_fini(&got);
    }
}

struct values {
    struct buf *items;
    size_t len, cap;
};
static void keep_value(void *ctx, struct str key, struct str value) {
    struct values *values = ctx;
    for (int i = 0; i < 2; i++) {
        MEM_GROW(values->items, values->len, values->cap);
        values->items[values->len] = (struct buf){0};
        buf_add_str(&values->items[values->len++], i == 0 ? key : value);
    }
}

static void damaged_values_never_harm(void **state) {
    (void)state;
    struct values values = {0};
    struct buf sink = {0};
    uint64_t seed = 17;
    struct err err;
    records = &sink;
    struct engine *engine = fresh();
    feed(engine, 0, line_count / 2);
    snapshot_each(engine, keep_value, &values);
    engine_free(engine);
    for (int round = 0; round < 1000; round++) {
        engine = fresh();
        for (size_t i = 0; i < values.len; i += 2) {
            struct buf *value = &values.items[i + 1];
            char *copy = mem_strndup(value->data == NULL ? "" : value->data, value->len);
            size_t len = value->len;
            if (len > 0 && test_random(&seed) % 4 == 0) {
                copy[test_random(&seed) % len] = (char)test_random(&seed);
                len = test_random(&seed) % 3 == 0 ? test_random(&seed) % len : len;
            }
            (void)!snapshot_take(engine, buf_str(&values.items[i]), (struct str){copy, len}, &err);
            mem_free(copy);
        }
        feed(engine, line_count / 2, line_count / 2 + 20);
        engine_free(engine);
    }
    for (size_t i = 0; i < values.len; i++) {
        buf_fini(&values.items[i]);
    }
    mem_free(values.items);
    buf_fini(&sink);
}

static void another_version_is_refused_in_words(void **state) {
    (void)state;
    struct err err = {0};
    struct engine *engine = fresh();
    struct buf value = {0};
    wire_put(&value, 100, (struct str){"\x07", 1});
    assert_int_equal(snapshot_take(engine, STR("rapp\n"), buf_str(&value), &err), ST_SKIP);
    assert_non_null(strstr(err.text, "version 7"));
    assert_int_equal(snapshot_take(engine, STR("s1.0.app\n"), buf_str(&value), &err), ST_SKIP);
    assert_int_equal(snapshot_take(engine, STR("x"), buf_str(&value), &err), ST_SKIP);
    assert_int_equal(snapshot_take(engine, (struct str){"", 0}, buf_str(&value), &err), ST_SKIP);
    buf_fini(&value);
    engine_free(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_engine_goes_on_byte_for_byte),
        cmocka_unit_test(damaged_values_never_harm),
        cmocka_unit_test(another_version_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
