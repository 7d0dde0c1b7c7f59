// test_avro_writers: records by other schemas than this program's: those of every release kept in
// schemas/released/, random earlier and later ones, and what is no schema of ours at all.
#include "avro/random_run.h"

#include <dirent.h>
#include <jansson.h>

#include "avro/avro_codec.h"
#include "avro/avro_priv.h"
#include "support/logs.h"

static struct avro_codec *codec;

static int setup(void **state) {
    (void)state;
    codec = avro_codec_new();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    avro_codec_free(codec);
    return 0;
}

// `flags`: JSON_DECODE_INT_AS_REAL for values that are to be compared: 0 and 0.0 are the same.
static json_t *parse(struct str text, size_t flags) {
    json_error_t error;
    json_t *json = json_loadb(text.p, text.len, flags, &error);
    if (json == NULL) {
        fail_msg("%d: %s", error.position, error.text);
    }
    return json;
}

static json_t *json_of(struct str bytes) {
    struct buf text = {0};
    struct err err = {0};
    if (avro_to_json(codec, bytes, NULL, &text, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    json_t *json = parse(buf_str(&text), JSON_DECODE_INT_AS_REAL);
    buf_fini(&text);
    return json;
}

static void assert_same(json_t *want, json_t *got) {
    if (!json_equal(want, got)) {
        char *a = json_dumps(want, JSON_SORT_KEYS), *b = json_dumps(got, JSON_SORT_KEYS);
        print_error("want %s\ngot  %s\n", a, b);
        fail();
    }
    json_decref(want);
    json_decref(got);
}

// A run must be what it was when the release wrote it: written by its schema again, it is the same
// to the byte.
static void assert_read(const char *release, struct str bytes) {
    struct pipeline_run run;
    struct buf again = {0};
    struct err err = {0};
    assert_int_equal(avro_codec_write_as(codec, release, &err), ST_OK);
    if (avro_decode_run(codec, bytes, AVRO_TAKE_STAGES, &run, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_true(run.stage_count > 0 && run.open_count > 0 && run.recommendation_count > 0);
    avro_encode_run(codec, &run, &again);
    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.data, bytes.p, bytes.len);
    pipeline_run_fini(&run);
    buf_fini(&again);
}

static void records_of_every_release_are_read(void **state) {
    (void)state;
    DIR *releases = opendir(SCHEMAS "/released");
    assert_non_null(releases);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(releases)) != NULL;) {
        for (int i = 0; entry->d_name[0] != '.' && i < AVRO_RECORD_COUNT; i++) {
            const char *name = avro_record_name((enum avro_record)i);
            char path[512];
            struct buf bytes = {0}, text = {0};
            snprintf(path, sizeof path, FIXTURES "/records/%s/%s.bin", entry->d_name, name);
            logs_read_plain(path, &bytes); // fails if a release was made without
            snprintf(path, sizeof path, FIXTURES "/records/%s/%s.json", entry->d_name, name);
            logs_read_plain(path, &text);
            json_t *want = parse(buf_str(&text), JSON_DECODE_INT_AS_REAL);
            assert_same(json_incref(json_object_get(want, name)), json_of(buf_str(&bytes)));
            if (i == AVRO_RUN) {
                assert_read(entry->d_name, buf_str(&bytes));
            }
            json_decref(want);
            buf_fini(&bytes);
            buf_fini(&text);
            count++;
        }
    }
    closedir(releases);
    assert_true(count >= 4);
    struct err err;
    assert_int_equal(avro_codec_write_as(codec, "9.9.9", &err), ST_SKIP);
    assert_int_equal(avro_codec_write_as(codec, "current", &err), ST_OK);
}

// Written by fastavro, test_fastavro.py sees to that: the run of the first release with what a
// later one has to say beside.
static void a_run_of_a_later_release_is_read(void **state) {
    (void)state;
    struct buf schema = {0}, bytes = {0}, want = {0}, got = {0};
    struct pipeline_run run;
    struct err err = {0};
    logs_read_plain(FIXTURES "/records/later/PipelineRun.avsc", &schema);
    logs_read_plain(FIXTURES "/records/later/PipelineRun.bin", &bytes);
    logs_read_plain(FIXTURES "/records/0.1.0/PipelineRun.bin", &want);
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, &err),
                     ST_RETRY);
    assert_int_equal(avro_codec_add_writer(codec, buf_str(&schema), NULL, &err), ST_OK);
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, &err), ST_OK);
    assert_int_equal(avro_codec_write_as(codec, "0.1.0", &err), ST_OK);
    avro_encode_run(codec, &run, &got);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    json_t *json = json_of(buf_str(&bytes));
    assert_true(json_number_value(json_object_get(json, "later_int")) == -5);
    json_decref(json);
    assert_int_equal(avro_codec_write_as(codec, "current", &err), ST_OK);
    pipeline_run_fini(&run);
    buf_fini(&schema);
    buf_fini(&bytes);
    buf_fini(&want);
    buf_fini(&got);
}

// A field whose words nobody fills would be published as its default for ever.
static void every_field_of_our_schemas_is_written(void **state) {
    (void)state;
    static const char *const by_hand[] = {"data_size_gb", "bottleneck_kinds", "recommendations",
                                          "bottlenecks",  "limits",           "outcome_with"};
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        const struct avro_node *root = &codec->current[i].root;
        for (unsigned f = 0; f < root->count; f++) {
            const struct avro_node *field = &root->children[f];
            bool known = field->row != NULL;
            for (size_t k = 0; k < ARRAY_LEN(by_hand); k++) {
                known |= strcmp(by_hand[k], field->name) == 0;
            }
            const struct avro_node *item = field->count == 1 ? field->children : NULL;
            for (unsigned k = 0; item != NULL && k < item->count; k++) {
                known &= item->children[k].row != NULL;
            }
            if (!known) {
                fail_msg("%s.%s is in the schema, but nothing fills it",
                         avro_record_name((enum avro_record)i), field->name);
            }
        }
    }
}

static const char *const additions[] = {
    "{\"name\":\"new_long\",\"type\":\"long\",\"default\":-7}",
    "{\"name\":\"new_int\",\"type\":{\"type\":\"int\"},\"default\":2147483647}",
    "{\"name\":\"new_text\",\"type\":\"string\",\"default\":\"a \\u00e9 \\ud83d\\ude00\"}",
    "{\"name\":\"new_flag\",\"type\":\"boolean\",\"default\":true}",
    "{\"name\":\"new_real\",\"type\":\"double\",\"default\":0.125}",
    "{\"name\":\"new_null\",\"type\":[\"null\",\"string\"],\"default\":null}",
    "{\"name\":\"new_or\",\"type\":[\"long\",\"null\",\"string\"],\"default\":99}",
    "{\"name\":\"new_list\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[\"x\","
    "\"\"]}",
    "{\"name\":\"new_map\",\"type\":{\"type\":\"map\",\"values\":\"double\"},\"default\":{\"k\":1,"
    "\"l\":2}}",
    "{\"name\":\"new_part\",\"type\":{\"type\":\"record\",\"name\":\"Part\",\"fields\":[{\"name\":"
    "\"a\",\"type\":\"long\",\"default\":3},{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":"
    "[\"null\",\"long\"]}}]},\"default\":{\"b\":[null,5]}}",
    "{\"name\":\"new_parts\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
    "\"Piece\",\"fields\":[{\"name\":\"c\",\"type\":\"string\"}]}},\"default\":[{\"c\":\"one\"},{"
    "\"c\":\"two\"}]}",
};

static json_t *field_named(json_t *record, const char *name) {
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(record, "fields"), i, field) {
        if (strcmp(json_string_value(json_object_get(field, "name")), name) == 0) {
            return field;
        }
    }
    return NULL;
}

static json_t *item_of(json_t *record, const char *list) {
    return json_object_get(json_object_get(field_named(record, list), "type"), "items");
}

// Fields with a default go now and then, new ones come, and all are put into another order. A name
// may be defined once in a schema, so a new record comes in one place only.
static void mutate(uint64_t *seed, json_t *record, bool records_too) {
    json_t *fields = json_object_get(record, "fields");
    for (size_t i = json_array_size(fields); i-- > 0;) {
        json_t *field = json_array_get(fields, i);
        if (json_object_get(field, "default") != NULL && test_random(seed) % 4 == 0) {
            json_array_remove(fields, i);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(additions) - (records_too ? 0 : 2); i++) {
        if (test_random(seed) % 2 == 0) {
            json_array_append_new(fields, json_loads(additions[i], 0, NULL));
        }
    }
    for (size_t i = json_array_size(fields); i-- > 1;) {
        size_t other = test_random(seed) % (i + 1);
        json_t *a = json_incref(json_array_get(fields, i));
        json_array_set(fields, i, json_array_get(fields, other));
        json_array_set_new(fields, other, a);
    }
}

// What the record becomes for whoever reads it by `reader` when it was written by `writer`: the
// reader's fields, with its defaults where the writer had none. `bare` is the record as full as it
// can be.
static json_t *as_read(json_t *bare, json_t *writer, json_t *reader) {
    size_t i, k;
    json_t *field, *each, *out = json_object();
    json_array_foreach(json_object_get(reader, "fields"), i, field) {
        const char *name = json_string_value(json_object_get(field, "name"));
        json_t *known = field_named(writer, name), *value = json_object_get(bare, name);
        json_t *items = json_object_get(json_object_get(field, "type"), "items");
        if (known == NULL) {
            json_object_set(out, name, json_object_get(field, "default"));
        } else if (json_is_object(items)) {
            json_t *list = json_array();
            json_array_foreach(value, k, each) {
                json_array_append_new(list, as_read(each, item_of(writer, name), items));
            }
            json_object_set_new(out, name, list);
        } else {
            json_object_set(out, name, value);
        }
    }
    return out;
}

// What is worked out of other fields when it is written.
static json_t *without_computed(json_t *run) {
    json_object_del(run, "data_size_gb");
    json_object_del(run, "bottleneck_kinds");
    return run;
}

static struct pipeline_run decode(struct str bytes) {
    struct pipeline_run run;
    struct err err = {0};
    if (avro_decode_run(codec, bytes, AVRO_TAKE_STAGES, &run, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return run;
}

static void check_random_writer(uint64_t *seed, json_t *own, json_t *reader) {
    json_t *writer = json_deep_copy(own);
    mutate(seed, item_of(writer, "stages"), false);
    mutate(seed, item_of(writer, "open_bottlenecks"), false);
    mutate(seed, writer, true);
    if (item_of(writer, "stages") == NULL || item_of(writer, "open_bottlenecks") == NULL) {
        json_decref(writer);
        return; // nothing of them to compare
    }
    char *text = json_dumps(writer, 0);
    uint64_t fingerprint = 0;
    struct err err = {0};
    struct buf bytes = {0}, back = {0};
    struct pipeline_run run = random_run(seed);
    if (avro_codec_add_writer(codec, str_of(text), &fingerprint, &err) != ST_OK) {
        fail_msg("%s: %s", err.text, text);
    }
    avro_encode_run(codec, &run, &bytes);
    json_t *full = json_of(buf_str(&bytes));
    codec->writes[AVRO_RUN] = avro_codec_find(codec, fingerprint);
    avro_encode_run(codec, &run, &bytes);
    assert_int_equal(avro_codec_write_as(codec, "current", NULL), ST_OK);
    struct pipeline_run got = decode(buf_str(&bytes));
    avro_encode_run(codec, &got, &back);
    pipeline_run_fini(&got);
    assert_same(without_computed(as_read(full, writer, reader)),
                without_computed(json_of(buf_str(&back))));
    json_decref(json_of(buf_str(&bytes)));                             // and any of it as JSON
    for (size_t len = 0; len < bytes.len; len += 1 + bytes.len / 50) { // never beyond its end
        char *cut = mem_strndup(bytes.data, len);
        assert_int_not_equal(
            avro_decode_run(codec, (struct str){cut, len}, AVRO_TAKE_STAGES, &got, &err), ST_OK);
        mem_free(cut);
    }
    pipeline_run_fini(&run);
    buf_fini(&bytes);
    buf_fini(&back);
    json_decref(full);
    json_decref(writer);
    free(text);
}

static void runs_by_other_schemas_are_read(void **state) {
    (void)state;
    struct str text = str_of(avro_schema_text(AVRO_RUN));
    json_t *own = parse(text, 0), *reader = parse(text, JSON_DECODE_INT_AS_REAL);
    uint64_t seed = 77;
    for (int i = 0; i < 200; i++) {
        check_random_writer(&seed, own, reader);
    }
    json_decref(own);
    json_decref(reader);
}

static const char least[] = "{\"type\":\"record\",\"name\":\"PipelineRun\",\"namespace\":\"io."
                            "stoker\",\"fields\":[{\"name\":\"pipeline\",\"type\":\"string\"},"
                            "{\"name\":\"app_id\",\"type\":\"string\"},{\"name\":\"cluster\","
                            "\"type\":\"string\"},{\"name\":\"attempt\",\"type\":\"string\"}]}";

static void a_schema_that_nobody_told_is_told_apart_from_damage(void **state) {
    (void)state;
    struct avro_codec *fresh = avro_codec_new();
    struct buf bytes = {0};
    struct pipeline_run run;
    struct err err = {0};
    uint64_t fingerprint;
    assert_int_equal(avro_fingerprint(str_of(least), &fingerprint, NULL, NULL), ST_OK);
    buf_add(&bytes, "\xC3\x01", 2);
    for (int i = 0; i < 8; i++) {
        buf_add_char(&bytes, (char)(fingerprint >> (8 * i)));
    }
    buf_add(&bytes, "\6etl\4a1\2c\0", 10);
    char word[32];
    snprintf(word, sizeof word, "%016llx", (unsigned long long)fingerprint);
    for (int told = 0; told < 2; told++) {
        enum status wanted = told ? ST_OK : ST_RETRY;
        assert_int_equal(avro_decode_run(fresh, buf_str(&bytes), AVRO_TAKE_STAGES, &run, &err),
                         wanted);
        if (!told) {
            assert_non_null(strstr(err.text, word));
            assert_int_equal(avro_to_json(fresh, buf_str(&bytes), NULL, &(struct buf){0}, &err),
                             ST_RETRY);
            assert_int_equal(avro_codec_add_writer(fresh, str_of(least), NULL, &err), ST_OK);
        }
    }
    assert_string_equal(run.identity.pipeline, "etl");
    assert_string_equal(run.identity.app_id, "a1");
    assert_true(run.completeness == 1 && run.status == RUN_RUNNING && run.ended_ms == 0);
    pipeline_run_fini(&run);
    bytes.len--;
    assert_int_equal(avro_decode_run(fresh, buf_str(&bytes), AVRO_TAKE_STAGES, &run, &err),
                     ST_SKIP);
    assert_int_equal(
        avro_decode_run(fresh, STR("\xC3\x02xxxxxxxxxx"), AVRO_TAKE_STAGES, &run, &err), ST_SKIP);
    buf_fini(&bytes);
    avro_codec_free(fresh);
}

#define RECORD(name, fields)                                                                       \
    "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[{\"name\":\"pipeline\",\"type\":"      \
    "\"string\"},{\"name\":\"app_id\",\"type\":\"string\"},{\"name\":\"cluster\",\"type\":"        \
    "\"string\"},{\"name\":\"attempt\",\"type\":\"string\"}" fields "]}"
#define RUN(fields) RECORD("io.stoker.PipelineRun", ",{\"name\":\"x\"," fields "}")

static const struct {
    const char *schema, *words;
} refused[] = {
    {"", "line 1"},
    {"{", "line 1"},
    {"\"string\"", "not that of a record"},
    {"[]", "union"},
    {"[\"null\"]", "not that of a record"},
    {RECORD("io.stoker.Other", ""), "io.stoker.Other is no record of Stoker"},
    {RECORD("PipelineRun", ""), "PipelineRun is no record of Stoker"},
    {RECORD("io.sparky.PipelineRun", ""), "io.sparky.PipelineRun is no record of Stoker"},
    {RUN("\"type\":\"long\"},{\"name\":\"ended_ms\",\"type\":[\"null\",\"long\",\"int\"]"),
     "ended_ms: it has another"},
    {"{\"type\":\"record\",\"name\":\"io.stoker.PipelineRun\",\"fields\":[]}",
     "it has no field cluster"},
    {"{\"type\":\"record\",\"name\":\"io.stoker.PipelineRun\"}", "without fields"},
    {RUN("\"type\":\"bytes\""), "bytes: a type"},
    {RUN("\"type\":{\"type\":\"fixed\",\"size\":4,\"name\":\"F\"}"), "fixed: a type"},
    {RUN("\"type\":\"Unknown\""), "Unknown: a type"},
    {RUN("\"type\":7"), "a type"},
    {RUN("\"doc\":\"\""), "a type"},
    {RUN("\"type\":\"io.stoker.PipelineRun\""), "too deep"},
    {RUN("\"type\":[\"null\",\"PipelineRun\"]"), "too deep"},
    {RUN("\"type\":\"long\",\"default\":\"1\""), "x: its default"},
    {RUN("\"type\":\"int\",\"default\":2147483648"), "x: its default"},
    {RUN("\"type\":[\"null\",\"long\"],\"default\":\"1\""), "x: its default"},
    {RUN("\"type\":{\"type\":\"array\",\"items\":\"long\"},\"default\":[1,null]"),
     "x: its default"},
    {RUN("\"type\":\"long\"},{\"name\":\"x\",\"type\":\"int\""), "x: two fields"},
    {RUN("\"type\":\"long\"},{\"type\":\"int\""), "without a name"},
    {RUN("\"type\":\"long\"},{\"name\":\"tasks\",\"type\":\"double\""), "tasks: it has another"},
    {RUN("\"type\":\"long\"},{\"name\":\"ended_ms\",\"type\":\"long\""),
     "ended_ms: it has another"},
    {RUN("\"type\":\"long\"},{\"name\":\"stages\",\"type\":{\"type\":\"array\",\"items\":"
         "\"string\"}"),
     "stages: it has another"},
};

static void what_is_no_schema_of_ours_is_refused(void **state) {
    (void)state;
    struct avro_codec *fresh = avro_codec_new();
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err err = {0};
        enum status status = avro_codec_add_writer(fresh, str_of(refused[i].schema), NULL, &err);
        if (status != ST_SKIP || strstr(err.text, refused[i].words) == NULL) {
            fail_msg("%s: %d, %s", refused[i].schema, (int)status, err.text);
        }
    }
    avro_codec_free(fresh);
}

static void a_record_is_named_once_and_used_again_but_not_without_end(void **state) {
    (void)state;
    struct avro_codec *fresh = avro_codec_new();
    struct buf text = {0};
    buf_add_text(&text, RUN("\"type\":{\"type\":\"record\",\"name\":\"P\",\"fields\":[{\"name\":"
                            "\"a\",\"type\":\"int\"}]},\"default\":{\"a\":1}"));
    text.len -= 2;
    for (int i = 0; i < 100; i++) {
        buf_printf(&text, ",{\"name\":\"y%d\",\"type\":[\"null\",\"io.stoker.P\"]}", i);
    }
    struct buf wide = {0};
    buf_printf(&wide, "%s]}", buf_text(&text));
    assert_int_equal(avro_codec_add_writer(fresh, buf_str(&wide), NULL, NULL), ST_OK);
    buf_clear(&wide);
    buf_add_str(&wide, buf_str(&text));
    for (int i = 0; i < 2000; i++) {
        buf_printf(&wide, ",{\"name\":\"z%d\",\"type\":[\"null\",\"io.stoker.P\"]}", i);
    }
    buf_add_text(&wide, "]}");
    assert_int_equal(avro_codec_add_writer(fresh, buf_str(&wide), NULL, NULL), ST_SKIP);
    buf_clear(&wide);
    buf_printf(&wide, "%s,{\"name\":\"deep\",\"type\":", buf_text(&text));
    for (int i = 0; i < 20; i++) {
        buf_add_text(&wide, "{\"type\":\"array\",\"items\":");
    }
    buf_printf(&wide, "\"int\"%.20s}]}", "}}}}}}}}}}}}}}}}}}}}");
    struct err err = {0};
    assert_int_equal(avro_codec_add_writer(fresh, buf_str(&wide), NULL, &err), ST_SKIP);
    assert_non_null(strstr(err.text, "too deep"));
    buf_fini(&wide);
    buf_fini(&text);
    avro_codec_free(fresh);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_every_release_are_read),
        cmocka_unit_test(a_run_of_a_later_release_is_read),
        cmocka_unit_test(every_field_of_our_schemas_is_written),
        cmocka_unit_test(runs_by_other_schemas_are_read),
        cmocka_unit_test(a_schema_that_nobody_told_is_told_apart_from_damage),
        cmocka_unit_test(what_is_no_schema_of_ours_is_refused),
        cmocka_unit_test(a_record_is_named_once_and_used_again_but_not_without_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
