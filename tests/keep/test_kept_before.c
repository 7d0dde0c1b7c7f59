// test_kept_before: state of stage 1 that an earlier release wrote is read, written again to the
// byte, and gone on from as if this release had written it. (That of stage 2 is in
// test_kept_pipelines_bad.) tests/fixtures/state/v1-applications is the first form, as it was
// written then, after nine tenths of the lines of three logs, one after the other, and a tick of
// three seconds. It is never to be written anew: later releases must go on from it.
#include "mixed_logs.h"

#include "keep/wire.h"
#include "state_file.h"

enum { KEPT_LOGS = 3 };
static const int kept_logs[KEPT_LOGS] = {9, 1, 8};

// Reads the logs, one after the other; *cut[i] is the first line of a log that was not read then.
static int read_kept_logs(void **state) {
    (void)state;
    struct decode_options decode = {.max_bytes = 32 << 20,
                                    .wrapper_event_key = "",
                                    .wrapper_app_key = "",
                                    .wrapper_attempt_key = ""};
    decoder = decoder_new(&decode);
    codec = avro_codec_new();
    engine_options_init(&engine_options);
    for (int i = 0; i < KEPT_LOGS; i++) {
        struct eventlog *log;
        struct err err;
        struct str line;
        assert_int_equal(eventlog_open(paths[kept_logs[i]], &log, &err), ST_OK);
        while (eventlog_next(log, &line, NULL, &err) == ST_OK && line.p != NULL) {
            MEM_GROW(lines, line_count, line_cap);
            lines[line_count++] = (struct line){mem_strndup(line.p, line.len), line.len, i, 0};
        }
        eventlog_free(log);
    }
    return 0;
}

// Feeds the first nine tenths of each log, or the rest.
static void feed_part(struct engine *engine, bool first) {
    for (size_t at = 0; at < line_count;) {
        size_t end = at;
        while (end < line_count && lines[end].log == lines[at].log) {
            end++;
        }
        size_t cut = at + (end - at) * 9 / 10;
        feed(engine, first ? at : cut, first ? cut : end);
        at = end;
    }
    if (first) {
        engine_tick(engine, 3000);
    }
}

static struct keep_table *before(void) {
    static char bytes[1 << 16];
    FILE *file = fopen(FIXTURES "/state/v1-applications", "rb");
    assert_non_null(file);
    struct keep_table *table = keep_table_new();
    size_t len = fread(bytes, 1, sizeof bytes, file);
    assert_in_range(len, 1, sizeof bytes - 1);
    state_file_read((struct str){bytes, len}, table);
    fclose(file);
    return table;
}

static struct engine *load(const struct keep_table *table) {
    struct err err = {0};
    struct engine *engine = fresh_engine();
    if (engine_load(engine, table, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return engine;
}

// The fields of a value; of accumulators in the order of their bytes, as it is another one today.
static int by_bytes(const void *x, const void *y) {
    const struct str *a = x, *b = y;
    int order = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}
// Without those that this release does not keep any more.
static void kept_fields(struct str key, struct str value, struct buf *out) {
    const struct record *record = keep_kind_of(&engine_kinds, key)->record;
    struct str list[600];
    size_t count = 0;
    struct wire_reader reader;
    unsigned number;
    struct str field;
    assert_int_equal(wire_open(value, &reader, NULL), ST_OK);
    for (const char *at = reader.at; wire_next(&reader, &number, &field); at = reader.at) {
        assert_true(count < ARRAY_LEN(list));
        size_t base;
        const struct record_row *row = record_by_number(record, number, &base);
        assert_non_null(row);
        if (row->type == RECORD_RETIRED) {
            continue;
        }
        list[count++] = (struct str){at, (size_t)(reader.at - at)};
    }
    if (key.p[0] == 'a') {
        qsort(list, count, sizeof *list, by_bytes);
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_str(out, list[i]);
    }
}

static int seen[128];
static void assert_same(void *ctx, struct str key, struct str value) {
    struct str then;
    struct buf x = {0}, y = {0};
    assert_true(keep_table_get(ctx, key, &then));
    kept_fields(key, value, &x);
    kept_fields(key, then, &y);
    if (!str_eq(buf_str(&x), buf_str(&y))) {
        fail_msg("%.*s is written otherwise", (int)key.len, key.p);
    }
    seen[(unsigned char)key.p[0] % 128]++;
    buf_fini(&x);
    buf_fini(&y);
}

static void nothing_changed(void *ctx, struct str key, struct str value) {
    (void)ctx, (void)value;
    fail_msg("%.*s is written although nothing happened", (int)key.len, key.p);
}

static void it_is_written_again_to_the_byte(void **state) {
    (void)state;
    struct buf sink = {0};
    records = &sink;
    struct keep_table *table = before(), *again = keep_table_new();
    struct engine *engine = load(table);
    engine_changes(engine, nothing_changed, NULL);
    engine_all(engine, assert_same, table);
    engine_all(engine, apply, again);
    assert_int_equal(keep_table_count(again), keep_table_count(table));
    for (const char *kind = "ersjax"; *kind != '\0'; kind++) {
        assert_true(seen[(unsigned char)*kind] > 0);
    }
    keep_table_free(again);
    keep_table_free(table);
    engine_free(engine);
    buf_fini(&sink);
}

// What stands at the end of each run: its last record, without what says how often it was told
// before, which was another number then.
struct last_runs {
    struct buf of[KEPT_LOGS];
};
static struct last_runs *last_runs;

static void keep_last_run(void *ctx, const struct pipeline_run *run) {
    struct pipeline_run standing = *run;
    (void)ctx;
    assert_true(str_starts(str_of(run->identity.app_id), STR("app-")));
    int log = run->identity.app_id[4] - '0';
    assert_in_range(log, 0, KEPT_LOGS - 1);
    standing.revision = 0;
    avro_encode_run(codec, &standing, &last_runs->of[log]);
}

static struct engine *engine_to_the_end(struct keep_table *kept, struct last_runs *last) {
    struct engine_output output = {NULL, keep_last_run, on_bottleneck, on_recommendation};
    struct engine *engine = engine_new(&engine_options, decoder, &output);
    struct err err = {0};
    last_runs = last;
    if (kept == NULL) {
        struct buf unused = {0}, *sink = records;
        records = &unused;
        feed_part(engine, true);
        buf_fini(&unused);
        records = sink;
    } else if (engine_load(engine, kept, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    feed_part(engine, false);
    engine_finish(engine, false);
    return engine;
}

// Goes on like an engine of this release that saw it all: the same verdicts and advice, with the
// same revisions, and the same runs in the end.
static void it_goes_on_as_our_own(void **state) {
    (void)state;
    struct buf then = {0}, now = {0};
    struct last_runs old_runs = {0}, own_runs = {0};
    struct keep_table *table = before();
    records = &now;
    struct engine *own = engine_to_the_end(NULL, &own_runs);
    records = &then;
    struct engine *old = engine_to_the_end(table, &old_runs);
    assert_true(now.len > 0);
    assert_int_equal(then.len, now.len);
    assert_memory_equal(then.data, now.data, now.len);
    for (int i = 0; i < KEPT_LOGS; i++) {
        assert_true(own_runs.of[i].len > 0);
        assert_int_equal(old_runs.of[i].len, own_runs.of[i].len);
        assert_memory_equal(old_runs.of[i].data, own_runs.of[i].data, own_runs.of[i].len);
        buf_fini(&old_runs.of[i]);
        buf_fini(&own_runs.of[i]);
    }
    engine_free(old);
    engine_free(own);
    keep_table_free(table);
    buf_fini(&then);
    buf_fini(&now);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_written_again_to_the_byte),
        cmocka_unit_test(it_goes_on_as_our_own),
    };
    return cmocka_run_group_tests(tests, read_kept_logs, tear_down);
}
