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
// before, which was another number then, and without what was judged: a stage that ended then was
// judged by the rules of then, and by what was kept of it then. Beside it the verdicts that were
// handed out: of each id its kind and rule.
enum { VERDICTS_MAX = 200 };
struct last_runs {
    struct buf of[KEPT_LOGS];
    struct last_verdict {
        char id[ID_TEXT_SIZE];
        enum bottleneck_kind kind;
        enum tri rule_met;
    } verdicts[VERDICTS_MAX];
    size_t verdict_count;
};
static struct last_runs *last_runs;

static void keep_verdict(void *ctx, const struct run_identity *identity, const char *run_id,
                         const struct bottleneck *b) {
    (void)ctx, (void)identity, (void)run_id;
    size_t i = 0;
    while (i < last_runs->verdict_count && strcmp(last_runs->verdicts[i].id, b->id) != 0) {
        i++;
    }
    assert_true(i < VERDICTS_MAX);
    last_runs->verdict_count += i == last_runs->verdict_count;
    struct last_verdict *last = &last_runs->verdicts[i];
    *last = (struct last_verdict){.kind = b->kind, .rule_met = b->rule_met};
    memcpy(last->id, b->id, sizeof last->id);
}

static void keep_last_run(void *ctx, const struct pipeline_run *run) {
    struct pipeline_run standing = *run;
    (void)ctx;
    assert_true(str_starts(str_of(run->identity.app_id), STR("app-")));
    int log = run->identity.app_id[4] - '0';
    assert_in_range(log, 0, KEPT_LOGS - 1);
    standing.revision = 0;
    standing.open_count = standing.recommendation_count = 0;
    standing.setting_count = standing.advice_count = 0; // it kept fewer properties
    standing.shortened = false;
    memset(standing.open_by_severity, 0, sizeof standing.open_by_severity);
    avro_encode_run(codec, &standing, &last_runs->of[log]);
}

static struct engine *engine_to_the_end(struct keep_table *kept, struct last_runs *last) {
    struct engine_output output = {NULL, keep_last_run, keep_verdict, on_recommendation};
    struct engine *engine = engine_new(&engine_options, decoder, &output);
    struct err err = {0};
    last_runs = last;
    if (kept == NULL) {
        struct buf unused = {0}, *sink = records;
        records = &unused;
        feed_part(engine, true);
        buf_fini(&unused);
        records = sink;
        last_runs->verdict_count = 0;
    } else if (engine_load(engine, kept, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    feed_part(engine, false);
    engine_finish(engine, false);
    return engine;
}

// Goes on like an engine of this release that saw it all: the same runs in the end, and of what is
// judged from now on the same verdicts. (What was kept then may be told once more.)
static void it_goes_on_as_our_own(void **state) {
    (void)state;
    struct buf sink = {0};
    static struct last_runs old_runs, own_runs;
    struct keep_table *table = before();
    records = &sink;
    struct engine *own = engine_to_the_end(NULL, &own_runs);
    struct engine *old = engine_to_the_end(table, &old_runs);
    assert_true(own_runs.verdict_count > 0);
    for (size_t i = 0; i < own_runs.verdict_count; i++) {
        const struct last_verdict *mine = &own_runs.verdicts[i];
        size_t k = 0;
        while (k < old_runs.verdict_count && strcmp(old_runs.verdicts[k].id, mine->id) != 0) {
            k++;
        }
        assert_true(k < old_runs.verdict_count);
        assert_int_equal(old_runs.verdicts[k].kind, mine->kind);
        assert_int_equal(old_runs.verdicts[k].rule_met, mine->rule_met);
    }
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
    buf_fini(&sink);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_written_again_to_the_byte),
        cmocka_unit_test(it_goes_on_as_our_own),
    };
    return cmocka_run_group_tests(tests, read_kept_logs, tear_down);
}
