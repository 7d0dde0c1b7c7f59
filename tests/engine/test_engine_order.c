// test_engine_order: what one run is told does not depend on what runs beside it: logs interleaved
// at random give each run the very records, byte for byte and in order, that it gets alone. And the
// same input gives the same records twice, however its tables are hashed.
#include "support/logs.h"
#include "support/quiet.h"
#include "support/test.h"

#include "avro/avro_codec.h"
#include "base/hash.h"
#include "engine/engine.h"

static const char *const names[] = {
    "logs/skew_groupbykey/events.jsonl.zst",
    "logs/executor_oom/events.jsonl.zst",
    "logs/task_retries/events.jsonl.zst",
    "logs/contention_two_apps/events.jsonl.zst",
    "logs/gc_pressure/events.jsonl.zst",
    "logs/broadcastable_join/events.jsonl.zst",
    "logs/slow_host/events.jsonl.zst",
    "logs/spill_sort/events.jsonl.zst",
    "logs/skew_fixed_by_aqe/events.jsonl.zst",
    "logs/failed_stage/events.jsonl.zst",
    "shapes/attempts.jsonl",
    "shapes/duplicates.jsonl",
    "shapes/out_of_order.jsonl",
    "shapes/over_one_hour.jsonl",
};
enum { LOGS = ARRAY_LEN(names) };

static struct log {
    struct str *lines;
    size_t count, cap;
    char key[16];
    struct buf alone, beside; // the records it gave
} logs[LOGS];

static struct decoder *decoder;
static struct avro_codec *codec;
static struct engine_options options;
static bool beside;
static int64_t offset;

static void keep(const struct run_identity *identity, struct buf *bytes) {
    for (int i = 0; i < (int)LOGS; i++) {
        if (strcmp(logs[i].key, identity->app_id) == 0) {
            buf_add_str(beside ? &logs[i].beside : &logs[i].alone, buf_str(bytes));
            buf_fini(bytes);
            return;
        }
    }
    fail_msg("a record of %s, which was never fed", identity->app_id);
}
static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_run(codec, run, &bytes);
    keep(&run->identity, &bytes);
}
static void on_verdict(void *ctx, const struct run_identity *identity, const char *run_id,
                       const struct bottleneck *b) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_bottleneck(codec, identity, run_id, b, &bytes);
    keep(identity, &bytes);
}
static void on_advice(void *ctx, const struct run_identity *identity, const char *run_id,
                      const struct recommendation *r) {
    (void)ctx;
    struct buf bytes = {0};
    avro_encode_recommendation(codec, identity, run_id, r, &bytes);
    keep(identity, &bytes);
}

static struct engine *fresh(bool is_beside) {
    struct engine_output output = {NULL, on_run, on_verdict, on_advice};
    beside = is_beside;
    offset = 0;
    return engine_new(&options, decoder, &output);
}

static void feed(struct engine *engine, const struct log *log, size_t line) {
    struct message message = {.value = log->lines[line],
                              .key = str_of(log->key),
                              .topic = "spark-events",
                              .offset = offset++};
    (void)!engine_feed(engine, &message, message.value.len, NULL, NULL);
}

static void each_alone(void) {
    for (int i = 0; i < (int)LOGS; i++) {
        struct engine *engine = fresh(false);
        buf_clear(&logs[i].alone);
        for (size_t n = 0; n < logs[i].count; n++) {
            feed(engine, &logs[i], n);
        }
        engine_finish(engine, false);
        engine_free(engine);
    }
}

static void all_interleaved(uint64_t *seed) {
    struct engine *engine = fresh(true);
    size_t at[LOGS] = {0};
    int open = LOGS;
    for (int i = 0; i < (int)LOGS; i++) {
        buf_clear(&logs[i].beside);
    }
    while (open > 0) {
        int i = (int)(test_random(seed) % LOGS);
        size_t burst = 1 + test_random(seed) % (test_random(seed) % 4 == 0 ? 200 : 3);
        bool was_open = at[i] < logs[i].count;
        for (; burst > 0 && at[i] < logs[i].count; burst--) {
            feed(engine, &logs[i], at[i]++);
        }
        open -= was_open && at[i] == logs[i].count;
    }
    engine_finish(engine, false);
    engine_free(engine);
}

static void assert_same_records(void) {
    for (int i = 0; i < (int)LOGS; i++) {
        const struct buf *a = &logs[i].alone, *b = &logs[i].beside;
        assert_true(a->len > 0);
        if (a->len != b->len || memcmp(a->data, b->data, a->len) != 0) {
            fail_msg("%s: %zu bytes of records alone, %zu beside others", names[i], a->len, b->len);
        }
    }
}

static void a_run_is_told_the_same_whatever_runs_beside_it(void **state) {
    (void)state;
    uint64_t seed = 20240229;
    each_alone();
    for (int round = 0; round < 25; round++) {
        all_interleaved(&seed);
        assert_same_records();
    }
}

static void the_same_input_gives_the_same_records(void **state) {
    (void)state;
    each_alone();
    for (int i = 0; i < (int)LOGS; i++) {
        buf_clear(&logs[i].beside);
        buf_add_str(&logs[i].beside, buf_str(&logs[i].alone));
    }
    hash_key_set(1, 2); // under another key of its hash tables
    each_alone();
    assert_same_records();
}

// Every task's end twice in a row, as a producer without idempotence may send it.
static void task_ends_that_come_twice_change_nothing(void **state) {
    (void)state;
    each_alone();
    for (int i = 0; i < (int)LOGS; i++) {
        struct engine *engine = fresh(true);
        buf_clear(&logs[i].beside);
        for (size_t n = 0; n < logs[i].count; n++) {
            feed(engine, &logs[i], n);
            if (str_starts(logs[i].lines[n], STR("{\"Event\":\"SparkListenerTaskEnd\""))) {
                feed(engine, &logs[i], n);
            }
        }
        engine_finish(engine, false);
        engine_free(engine);
    }
    assert_same_records();
}

static void keep_line(const char *path, struct str line, void *context) {
    (void)path;
    struct log *log = context;
    MEM_GROW(log->lines, log->count, log->cap);
    log->lines[log->count++] = (struct str){mem_strndup(line.p, line.len), line.len};
}

static int set_up(void **state) {
    (void)state;
    decoder = decoder_new(&plain_decode);
    codec = avro_codec_new();
    engine_options_init(&options);
    for (int i = 0; i < (int)LOGS; i++) {
        char path[256];
        snprintf(path, sizeof path, FIXTURES "/%s", names[i]);
        snprintf(logs[i].key, sizeof logs[i].key, "app-%d", i);
        logs_file(path, keep_line, &logs[i]);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < (int)LOGS; i++) {
        for (size_t n = 0; n < logs[i].count; n++) {
            mem_free((char *)logs[i].lines[n].p);
        }
        mem_free(logs[i].lines);
        buf_fini(&logs[i].alone);
        buf_fini(&logs[i].beside);
    }
    decoder_free(decoder);
    avro_codec_free(codec);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_told_the_same_whatever_runs_beside_it),
        cmocka_unit_test(the_same_input_gives_the_same_records),
        cmocka_unit_test(task_ends_that_come_twice_change_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
