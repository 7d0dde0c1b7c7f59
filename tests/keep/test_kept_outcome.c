// test_kept_outcome: a run is written out after each of its events in turn, read back, and goes on:
// it ends as it would have ended. What failed, what is open and what is over is remembered.
#include "support/test.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "eventlog/eventlog.h"
#include "keep/keep.h"
#include "keep/table.h"

enum { LINES_MAX = 64 };

static struct decoder *decoder;
static struct engine_options engine_options;
static struct pipeline_run last; // of what was told of the run, its texts and numbers

static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    last = *run;
}
static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *b) {
    (void)ctx, (void)identity, (void)run_id, (void)b;
}
static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *r) {
    (void)ctx, (void)identity, (void)run_id, (void)r;
}

static struct engine *fresh_engine(void) {
    struct engine_output output = {NULL, on_run, on_bottleneck, on_recommendation};
    return engine_new(&engine_options, decoder, &output);
}

static void put(void *ctx, struct str key, struct str value) {
    keep_table_put(ctx, key, value);
}

static struct engine *restarted(struct engine *engine) {
    struct keep_table *table = keep_table_new();
    struct err err = {0};
    engine_all(engine, put, table);
    engine_free(engine);
    engine = fresh_engine();
    assert_int_equal(engine_load(engine, table, &err), ST_OK);
    keep_table_free(table);
    return engine;
}

// Feeds the lines, with a restart before line `cut`.
static void play(char *const *lines, size_t count, size_t cut) {
    struct engine *engine = fresh_engine();
    for (size_t i = 0; i < count; i++) {
        engine = i == cut ? restarted(engine) : engine;
        struct message message = {
            .value = str_of(lines[i]), .key = STR("app-1"), .topic = "t", .offset = (int64_t)i};
        assert_int_equal(engine_feed(engine, &message, message.value.len, NULL, NULL), ST_OK);
    }
    engine_finish(engine, false);
    engine_free(engine);
}

static void same_wherever_it_is_cut(const char *path) {
    struct eventlog *log;
    struct err err;
    struct str line;
    char *lines[LINES_MAX];
    size_t count = 0;
    assert_int_equal(eventlog_open(path, &log, &err), ST_OK);
    while (eventlog_next(log, &line, NULL, &err) == ST_OK && line.p != NULL) {
        assert_true(count < LINES_MAX);
        lines[count++] = mem_strndup(line.p, line.len);
    }
    eventlog_free(log);
    play(lines, count, SIZE_MAX);
    struct pipeline_run whole = last;
    for (size_t cut = 1; cut < count; cut++) {
        play(lines, count, cut);
        if (last.status != whole.status || strcmp(last.failure, whole.failure) != 0) {
            fail_msg("%s: cut before line %zu it is %s", path, cut + 1,
                     run_status_name(last.status));
        }
    }
    for (size_t i = 0; i < count; i++) {
        mem_free(lines[i]);
    }
}

static void a_run_ends_as_it_would_have(void **state) {
    (void)state;
    static const char *const paths[] = {
        FIXTURES "/shapes/sql_retried.jsonl",        FIXTURES "/shapes/commit_failed.jsonl",
        FIXTURES "/shapes/shut_down_midway.jsonl",   FIXTURES "/shapes/job_without_end.jsonl",
        FIXTURES "/shapes/job_ends_late.jsonl",      FIXTURES "/shapes/stream_stopped.jsonl",
        FIXTURES "/shapes/broadcast_too_slow.jsonl", FIXTURES "/shapes/job_cancelled.jsonl",
        FIXTURES "/shapes/job_retried.jsonl",        FIXTURES "/shapes/job_failed.jsonl",
        FIXTURES "/shapes/server_statements.jsonl",  FIXTURES "/shapes/streaming_nan.jsonl",
    };
    struct decode_options decode = {.max_bytes = 32 << 20,
                                    .wrapper_event_key = "",
                                    .wrapper_app_key = "",
                                    .wrapper_attempt_key = ""};
    decoder = decoder_new(&decode);
    engine_options_init(&engine_options);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        same_wherever_it_is_cut(paths[i]);
    }
    decoder_free(decoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_ends_as_it_would_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
