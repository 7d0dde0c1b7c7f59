// test_value_show: every value of real state can be shown field by field: valid JSON (jansson
// is the oracle), no field without a name, and damaged values never harm.
#include <jansson.h>

#include "mixed_logs.h"

#include "keep/wire.h"

#include "fleet/pipelines_kit.h"

static int shown[128];

// Bytes of the fields in a value, and in its JSON there must be as many members as the value has
// different fields.
static size_t count_fields(struct str value) {
    struct wire_reader reader;
    unsigned number;
    struct str field;
    bool counted[1000] = {false};
    size_t count = 0;
    assert_int_equal(wire_open(value, &reader, NULL), ST_OK);
    while (wire_next(&reader, &number, &field)) {
        assert_in_range(number, 1, 999);
        count += !counted[number];
        counted[number] = true;
    }
    return count;
}

// The kind of a key of either stage.
static const struct keep_kind *kind_of(struct str key) {
    const struct keep_kind *kind = keep_kind_of(&engine_kinds, key);
    return kind != NULL ? kind : keep_kind_of(&pipelines_kinds, key);
}

static void show(void *ctx, struct str key, struct str value) {
    (void)ctx;
    struct buf json = {0};
    struct err err = {0};
    json_error_t error;
    const struct keep_kind *kind = kind_of(key);
    assert_non_null(kind);
    if (value_to_json(kind->record, value, &json, &err) != ST_OK) {
        fail_msg("%.*s: %s", (int)key.len, key.p, err.text);
    }
    json_t *object = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        fail_msg("%.*s: %s: %s", (int)key.len, key.p, error.text, buf_text(&json));
    }
    assert_int_equal(json_object_size(object), count_fields(value));
    shown[(unsigned char)key.p[0] % 128]++;
    json_decref(object);
    buf_fini(&json);
}

// What an earlier release kept as it came is hidden when it is read, and when it is shown.
static void secrets_kept_before_are_hidden(void **state) {
    (void)state;
    struct stage_summary kept = {.stage = 1, .name = "read jdbc:x://u:hunter2@h"}, read = {0};
    struct buf value = {0}, json = {0};
    struct err err;
    value_write(&record_stage_summary, &kept, &value);
    assert_non_null(memmem(value.data, value.len, "hunter2", 7));
    assert_int_equal(value_read(&record_stage_summary, buf_str(&value), &read, &err), ST_OK);
    assert_string_equal(read.name, "read jdbc:x://[hidden]@h");
    assert_int_equal(value_to_json(&record_stage_summary, buf_str(&value), &json, &err), ST_OK);
    assert_non_null(strstr(buf_text(&json), "jdbc:x://[hidden]@h"));
    buf_fini(&value);
    buf_fini(&json);
}

static void every_value_can_be_shown(void **state) {
    (void)state;
    struct buf sink = {0};
    records = &sink;
    struct engine *engine = fresh_engine();
    for (size_t cut = line_count / 8; cut < line_count; cut += line_count / 8) {
        feed(engine, cut - line_count / 8, cut);
        engine_all(engine, show, NULL);
    }
    engine_free(engine);
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    run.open = &skew;
    run.open_count = 1;
    pipelines_feed(p, &run, 0, 0);
    ended(&run, RUN_SUCCEEDED, 60);
    run.revision = 2;
    pipelines_feed(p, &run, 1, 0);
    pipelines_all(p, show, NULL);
    pipelines_free(p);
    for (const char *kind = "ersjaxcPpkw"; *kind != '\0'; kind++) {
        if (shown[(unsigned char)*kind] == 0) {
            fail_msg("no key %c was there to be shown", *kind);
        }
    }
    buf_fini(&sink);
}

static void show_damaged(void *ctx, struct str key, struct str value) {
    uint64_t *seed = ctx;
    for (int round = 0; round < 20 && value.len > 0; round++) {
        char *copy = mem_strndup(value.p, value.len);
        struct buf json = {0};
        struct err err = {0};
        copy[test_random(seed) % value.len] = (char)test_random(seed);
        size_t len = test_random(seed) % 2 == 0 ? value.len : test_random(seed) % value.len;
        if (value_to_json(kind_of(key)->record, (struct str){copy, len}, &json, &err) != ST_OK) {
            assert_int_equal(json.len, 0);
            assert_true(err.text[0] != '\0');
        }
        buf_fini(&json);
        mem_free(copy);
    }
}

static void damaged_values_are_said_to_be(void **state) {
    (void)state;
    struct buf sink = {0};
    uint64_t seed = 3;
    records = &sink;
    struct engine *engine = fresh_engine();
    feed(engine, 0, line_count / 2);
    engine_all(engine, show_damaged, &seed);
    engine_free(engine);
    buf_fini(&sink);
}

// The kinds of both stages, which share no letter, and their tables.
static void every_kind_and_table_obeys_the_rules(void **state) {
    (void)state;
    const struct keep_kinds *const all[] = {&engine_kinds, &pipelines_kinds};
    bool taken[128] = {['#'] = true};
    for (size_t s = 0; s < ARRAY_LEN(all); s++) {
        for (size_t i = 0; i < all[s]->count; i++) {
            const struct keep_kind *kind = &all[s]->list[i];
            const char *fault = record_fault(kind->record);
            unsigned dots = 0;
            if (fault != NULL) {
                fail_msg("%s: %s", kind->form, fault);
            }
            for (const char *c = kind->form; *c != '\0'; c++) {
                dots += *c == '.';
            }
            assert_int_equal(dots, kind->numbers + kind->word);
            assert_int_equal(kind->form[0], kind->letter);
            assert_int_equal(kind->owned, kind->form[1] != '\0');
            assert_false(taken[(unsigned char)kind->letter % 128]);
            taken[(unsigned char)kind->letter % 128] = true;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_kept_before_are_hidden),
        cmocka_unit_test(every_kind_and_table_obeys_the_rules),
        cmocka_unit_test(every_value_can_be_shown),
        cmocka_unit_test(damaged_values_are_said_to_be),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
