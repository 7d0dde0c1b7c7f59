// test_kept_pipelines_bad: state of stage 2 that is damaged, incomplete, made by an enemy or of
// another release is refused in words; updates with impossible figures do no harm; and state that
// an earlier release wrote is read for ever.
#include "damage.h"
#include "updates_kit.h"

#include <float.h>

#include "keep/wire.h"
#include "state_file.h"

static void damaged_values_never_harm(void **state) {
    (void)state;
    struct buf out = {0};
    uint64_t seed = 5;
    int refused = 0;
    struct keep_table *good = keep_table_new();
    told = &out;
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    for (int i = 0; i < 100; i++) {
        feed_one(p, 1, i);
    }
    pipelines_all(p, apply, good);
    pipelines_free(p);
    for (int round = 0; round < 500; round++) {
        struct err err = {0};
        struct damage damage = {&seed, 9, keep_table_new()};
        keep_table_each(good, copy_damaged, &damage);
        p = fresh();
        if (pipelines_load(p, damage.out, &err) == ST_OK) {
            feed_one(p, 1, 100);
        } else {
            refused++;
            assert_true(err.text[0] != '\0');
        }
        pipelines_free(p);
        keep_table_free(damage.out);
    }
    assert_true(refused > 0);
    keep_table_free(good);
    buf_fini(&out);
}

static void put_numbers(struct keep_table *table, const char *key, const int64_t (*numbers)[2],
                        size_t count) {
    struct buf value = {0};
    buf_add_char(&value, WIRE_VERSION);
    for (size_t i = 0; i < count; i++) {
        wire_put_i64(&value, (unsigned)numbers[i][0], numbers[i][1]);
    }
    keep_table_put(table, str_of(key), buf_str(&value));
    buf_fini(&value);
}

enum { CLOCK_MS = 60000, NEWEST = 28333333, RUNS = 5 };
static const int64_t partition[][2] = {{1, INT64_C(1700000000000)}, {2, CLOCK_MS}};
static const int64_t pipeline[][2] = {{1, NEWEST}, {2, 1},        {3, RUNS},
                                      {4, 77},     {5, CLOCK_MS}, {14, 60000}};

// A partition with the pipeline "c, newline, x": nothing is wrong with it.
static struct keep_table *fine(void) {
    struct keep_table *table = keep_table_new();
    put_numbers(table, "P", partition, 2);
    put_numbers(table, "pc\nx", pipeline, 6);
    return table;
}

// What becomes of the table, which is freed; words NULL: it is read.
static void loads(struct keep_table *table, const char *words) {
    struct err err = {0};
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    enum status status = pipelines_load(p, table, &err);
    if (status != (words == NULL ? ST_OK : ST_SKIP) ||
        (words != NULL && strstr(err.text, words) == NULL)) {
        fail_msg("%s instead of %s", err.text, words == NULL ? "success" : words);
    }
    pipelines_free(p);
    keep_table_free(table);
}

static void refused_alone(struct str key, struct str value, const char *words) {
    struct keep_table *table = fine();
    keep_table_put(table, key, value);
    loads(table, words);
}

static void refused_in_words(void **state) {
    (void)state;
    const struct str empty = STR("\x01"), newer = STR("\x07");
    loads(fine(), NULL);
    refused_alone(STR("pc\nx"), newer, "version 7");
    refused_alone(STR("pc\nx"), newer, "key pc\\x0ax");
    refused_alone(STR("P"), newer, "key P: state of version 7");
    refused_alone(STR("P"), STR("\x01\x01"), "key P");
    refused_alone(STR("p"), empty, "key p");
    refused_alone(STR("pno newline"), empty, "key pno newline");
    refused_alone(STR("k.c\ny"), empty, "key k.c");           // no such pipeline
    refused_alone(STR("kother.c\nx"), empty, "key kother.c"); // the value says another run
    refused_alone(STR("kXc\nx"), empty, "key kXc");           // no dot behind the id
    refused_alone(STR("k"), empty, "key k");
    refused_alone(STR("w28333333.c\ny"), empty, "key w28333333.c");
    refused_alone(STR("w9999999999999999999.c\nx"), empty, "key w9999999999999999999.c");
    refused_alone(STR("w-1.c\nx"), empty, "key w-1.c");
    refused_alone(STR("w28333333"), empty, "key w28333333");
    refused_alone(STR("w"), empty, "key w");
    refused_alone(STR("w28333333.c\nx"), STR("\x01\x0c\x08\0\0\0\0\0\0\xf8\x7f"),
                  "key w28333333.c"); // no number
    refused_alone(STR("w28333333.c\nx"), STR("\x01\x0c\x08\0\0\0\0\0\0\xf0\xbf"),
                  "key w28333333.c");                       // -1
    refused_alone(STR("f8.c\nx"), empty, "key f8.c\\x0ax"); // no such place
    refused_alone(STR("f-1.c\nx"), empty, "key f-1.c\\x0ax");
    refused_alone(STR("f0.c\nx"), STR("\x01\x64\0"), "key f0.c\\x0ax"); // a setting of no name
    struct keep_table *table = fine();                                  // two runs of one number
    keep_table_put(table, STR("k.c\nx"), empty);
    keep_table_put(table, STR("kb.c\nx"), STR("\x01\x10\x01\x62"));
    loads(table, "c\\x0ax: damaged");
    table = fine();
    keep_table_put(table, STR("P"), (struct str){NULL, 0}); // lost
    loads(table, "key pc\\x0ax");
    table = fine();
    keep_table_put(table, STR("#mark"), newer); // the caller's own
    loads(table, NULL);
}

static void gone(void *ctx, struct str key, struct str value) {
    int *count = ctx;
    assert_true(str_is(key, "f0.c\ny") && value.p == NULL);
    ++*count;
}

// As an agent of 0.1.0 leaves it, which lets pipelines go and does not know such keys.
static void advice_of_no_pipeline_goes(void **state) {
    (void)state;
    struct keep_table *table = fine();
    struct err err = {0};
    int count = 0;
    keep_table_put(table, STR("f0.c\ny"), STR("\x01\x64\x03\x01\x01k"));
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    assert_int_equal(pipelines_load(p, table, &err), ST_OK);
    pipelines_changes(p, gone, &count);
    assert_int_equal(count, 1);
    pipelines_free(p);
    keep_table_free(table);
}

// No more settings than are followed.
static void a_list_without_end_is_refused(void **state) {
    (void)state;
    for (int more = 0; more <= 1; more++) {
        struct keep_table *table = fine();
        struct buf value = {0};
        buf_add_char(&value, WIRE_VERSION);
        for (int i = 0; i < 16 + more; i++) {
            buf_add_str(&value, STR("\x64\x03\x01\x01k"));
        }
        keep_table_put(table, STR("f0.c\nx"), buf_str(&value));
        buf_fini(&value);
        loads(table, more ? "key f0.c\\x0ax" : NULL);
    }
}

static const struct {
    const char *key;
    int64_t number, bad;
} impossible[] = {
    {"P", 1, -1},
    {"P", 1, INT64_MAX},
    {"P", 2, -1},
    {"P", 2, INT64_MAX},
    {"pc\nx", 1, NEWEST + 1}, // newer than the partition
    {"pc\nx", 1, INT64_MIN},
    {"pc\nx", 2, 2},
    {"pc\nx", 3, INT64_MAX},
    {"pc\nx", 3, -1},
    {"pc\nx", 4, -1},
    {"pc\nx", 5, CLOCK_MS + 1},
    {"pc\nx", 5, INT64_MIN},
    {"pc\nx", 6, 1}, // not eight bytes
    {"pc\nx", 7, INT64_MAX},
    {"pc\nx", 8, -1},
    {"pc\nx", 9, INT64_MAX},
    {"pc\nx", 11, RUN_STATUS_COUNT},
    {"pc\nx", 11, -1},
    {"f0.c\nx", 1, ADVICE_PARTITIONING - 1},
    {"f0.c\nx", 1, ADVICE_CACHING + 1},
    {"f0.c\nx", 3, -1},
    {"f0.c\nx", 3, INT32_MAX},
    {"f0.c\nx", 4, KIND_COUNT + 1},
    {"f0.c\nx", 4, -1},
    {"f0.c\nx", 6, -1},
    {"f0.c\nx", 7, 2},
    {"f0.c\nx", 8, -1},
    {"f0.c\nx", 12, -1},
    {"f0.c\nx", 13, -1},
    {"k.c\nx", 1, RUNS},
    {"k.c\nx", 1, -1},
    {"k.c\nx", 7, RUN_STATUS_COUNT},
    {"w28333333.c\nx", 2, INT64_MAX},
    {"w28333333.c\nx", 3, -1},
};

static void impossible_numbers_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(impossible); i++) {
        struct keep_table *table = fine();
        int64_t numbers[8][2];
        size_t count = impossible[i].key[0] == 'P' ? 2 : impossible[i].key[0] == 'p' ? 6 : 0;
        if (count > 0) {
            memcpy(numbers, count == 2 ? partition : pipeline, count * sizeof *numbers);
        }
        numbers[count][0] = impossible[i].number;
        numbers[count][1] = impossible[i].bad;
        put_numbers(table, impossible[i].key, numbers, count + 1);
        char words[40];
        snprintf(words, sizeof words, "key %.*s", (int)strcspn(impossible[i].key, "\n"),
                 impossible[i].key);
        loads(table, words);
    }
}

// The same in a list: bottlenecks of a run, counts of a sketch.
static void impossible_lists_are_refused(void **state) {
    (void)state;
    struct buf list = {0}, value = {0};
    wire_put_i64(&list, 1, INT64_C(1) << 40);
    buf_add_char(&value, WIRE_VERSION);
    wire_put(&value, 101, buf_str(&list));
    refused_alone(STR("k.c\nx"), buf_str(&value), "key k.c");
    buf_clear(&value);
    buf_add_char(&value, WIRE_VERSION);
    wire_put(&value, 103, buf_str(&list));
    refused_alone(STR("w28333333.c\nx"), buf_str(&value), "key w28333333.c");
    buf_fini(&list);
    buf_fini(&value);
}

// Figures no run can have, from a topic that anyone may write to.
static void impossible_updates_do_no_harm(void **state) {
    (void)state;
    static const int64_t integers[] = {INT64_MIN, -1, 0, 1700000000000, INT64_MAX};
    static const double reals[] = {-DBL_MAX, 0, DBL_MAX, INFINITY, NAN};
    struct buf out = {0};
    struct keep_table *table = keep_table_new();
    told = &out;
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    for (int i = 0; i < 500; i++) {
        struct pipeline_run run = {.id = "r", .revision = i, .status = RUN_SUCCEEDED};
        memset(run.identity.cluster, i % 7 == 0 ? '\n' : 'c', RUN_TEXT_MAX);
        memset(run.identity.pipeline, i % 11 == 0 ? '\n' : 'p', RUN_TEXT_MAX);
        snprintf(run.id, sizeof run.id, "%d", i / 3);
        run.time_ms = integers[i % 5];
        run.ended_ms = integers[i / 5 % 5];
        run.totals.records = run.totals.gc_ms = integers[i / 25 % 5];
        run.duration_s = reals[i / 5 % 5];
        run.records_per_s = reals[i % 5];
        pipelines_feed(p, &run, i, integers[i / 125 % 5]);
        if (i % 50 == 0) {
            pipelines_tick(p, integers[i / 50 % 5]);
        }
        pipelines_changes(p, apply, table);
        pipelines_free(p);
        p = restore(table); // what was taken can be read
    }
    pipelines_flush(p);
    assert_non_null(strstr(buf_text(&out), "window"));
    pipelines_free(p);
    keep_table_free(table);
    buf_fini(&out);
}

static struct pipeline_stats of_etl;
static void keep_stats(void *ctx, const struct pipeline_stats *stats) {
    ++*(int *)ctx;
    of_etl = strcmp(stats->pipeline, "etl") == 0 ? *stats : of_etl;
}

// The first form of the state, as it was written then. Never to be written anew: later releases
// must go on from it.
static void the_first_form_is_read(void **state) {
    (void)state;
    char bytes[4096];
    struct buf out = {0};
    struct keep_table *table = keep_table_new();
    FILE *file = fopen(FIXTURES "/state/v1-pipelines", "rb");
    assert_non_null(file);
    state_file_read((struct str){bytes, fread(bytes, 1, sizeof bytes, file)}, table);
    fclose(file);
    assert_int_equal(keep_table_count(table), 10);
    told = &out;
    pipelines_options_init(&options);
    struct pipelines *p = restore(table);
    int pipelines = 0;
    pipelines_each(p, keep_stats, &pipelines);
    assert_int_equal(pipelines, 2);
    assert_int_equal(of_etl.runs, 2);
    assert_int_equal(of_etl.errors_total, 1);
    assert_int_equal(of_etl.records_total, 1050);
    assert_int_equal(of_etl.last_status, RUN_FAILED);
    assert_near(of_etl.duration_sum_s, 180, 0);
    pipelines_each_alert(p, on_alert, NULL);
    assert_non_null(strstr(buf_text(&out), "alert PipelineDataSkew warning prod etl "));
    assert_non_null(strstr(buf_text(&out), "alert PipelineFailure critical prod etl "));
    assert_non_null(strstr(buf_text(&out), "1700000160000-0\n"));
    assert_non_null(strstr(buf_text(&out), "alert PipelineDataSkew warning c other "));
    assert_non_null(strstr(buf_text(&out), "1700000160000-1700000220000\n"));
    buf_clear(&out);
    struct pipeline_run run = {.id = "0b6cf9b2-0000-5000-8000-00000000000a", // heard before
                               .revision = 3,
                               .identity = {.cluster = "prod", .pipeline = "etl"}};
    pipelines_feed(p, &run, 4, 0);
    snprintf(run.id, sizeof run.id, "new");
    run.time_ms = 1700000280000;
    pipelines_feed(p, &run, 5, 0);
    pipelines_flush(p);
    assert_non_null(strstr(buf_text(&out), "window other 1700000220000 runs 0/0"));
    assert_non_null(strstr(buf_text(&out), "runs 0/0 records 0 in 2/1 p50 60"));
    pipelines_free(p);
    keep_table_free(table);
    buf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_values_never_harm),
        cmocka_unit_test(refused_in_words),
        cmocka_unit_test(advice_of_no_pipeline_goes),
        cmocka_unit_test(a_list_without_end_is_refused),
        cmocka_unit_test(impossible_numbers_are_refused),
        cmocka_unit_test(impossible_lists_are_refused),
        cmocka_unit_test(impossible_updates_do_no_harm),
        cmocka_unit_test(the_first_form_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
