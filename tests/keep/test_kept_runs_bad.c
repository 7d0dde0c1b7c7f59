// test_kept_runs_bad: state that is damaged, incomplete or of another release is refused in words
// and never harms.
#include "damage.h"
#include "mixed_logs.h"

#include "keep/wire.h"

static void damaged_values_never_harm(void **state) {
    (void)state;
    struct keep_table *good = keep_table_new();
    struct buf sink = {0};
    uint64_t seed = 17;
    records = &sink;
    struct engine *engine = fresh_engine();
    feed(engine, 0, line_count / 2);
    engine_all(engine, apply, good);
    engine_free(engine);
    for (int round = 0; round < 600; round++) {
        struct err err = {0};
        struct damage damage = {&seed, round % 2 == 0 ? 4 : 40, keep_table_new()};
        keep_table_each(good, copy_damaged, &damage);
        engine = fresh_engine();
        if (engine_load(engine, damage.out, &err) == ST_OK) {
            feed(engine, line_count / 2, line_count / 2 + 20);
            engine_finish(engine, false); // everything is judged and told out of what came back
        } else {
            assert_true(err.text[0] != '\0');
        }
        engine_free(engine);
        keep_table_free(damage.out);
    }
    keep_table_free(good);
    buf_fini(&sink);
}

static void refused(struct str key, struct str value, const char *words) {
    struct err err = {0};
    struct engine *engine = fresh_engine();
    struct keep_table *table = keep_table_new();
    keep_table_put(table, key, value);
    assert_int_equal(engine_load(engine, table, &err), ST_SKIP);
    if (strstr(err.text, words) == NULL) {
        fail_msg("%s", err.text);
    }
    keep_table_free(table);
    engine_free(engine);
}

static void refused_in_words(void **state) {
    (void)state;
    struct str newer = {"\x07", 1};
    refused(STR("rapp\n"), newer, "version 7");
    refused(STR("s1.0.app\n"), newer, "key s1.0.app\\x0a");
    refused(STR("e"), newer, "version 7");
    refused(STR("j1.app\n"), (struct str){"\x01", 1}, "key j1.app");
    refused(STR("r"), (struct str){"\x01", 1}, "key r");
}

// A run with `stages` open stages, as a release with another limit might keep it.
static struct keep_table *many_stages(int stages) {
    struct keep_table *table = keep_table_new();
    struct buf value = {0};
    char key[40];
    buf_add_char(&value, WIRE_VERSION);
    wire_put(&value, 100, STR("\1")); // an application of which nothing is known
    keep_table_put(table, STR("rapp\n"), buf_str(&value));
    for (int i = 0; i < stages; i++) {
        buf_clear(&value);
        buf_add_char(&value, WIRE_VERSION);
        wire_put_i64(&value, 34, i);
        size_t summary = wire_begin(&value, 213);
        wire_put_i64(&value, 1, i);
        wire_end(&value, summary);
        int n = snprintf(key, sizeof key, "s%d.0.app\n", i);
        keep_table_put(table, (struct str){key, (size_t)n}, buf_str(&value));
    }
    buf_fini(&value);
    return table;
}

static void what_is_beyond_a_limit_goes(void **state) {
    (void)state;
    struct err err = {0};
    struct str value;
    struct engine *engine = fresh_engine();
    struct keep_table *table = many_stages(APP_OPEN_STAGES_MAX + 7), *whole = keep_table_new();
    if (engine_load(engine, table, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    engine_all(engine, apply, whole);
    assert_int_equal(keep_table_count(whole), 1 + 7 + APP_OPEN_STAGES_MAX * 7 / 8);
    assert_false(keep_table_get(whole, STR("s249.0.app\n"), &value)); // the oldest eighth
    assert_true(keep_table_get(whole, STR("s250.0.app\n"), &value));
    engine_free(engine);
    keep_table_free(table);
    keep_table_free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_values_never_harm),
        cmocka_unit_test(refused_in_words),
        cmocka_unit_test(what_is_beyond_a_limit_goes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
