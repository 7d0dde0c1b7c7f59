// test_setting: the table of settings is whole, values are written as Spark reads them and only
// within their bounds, and what a run has of them is read whatever unit it was written in.
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "advise/setting.h"
#include "base/scrub.h"
#include "support/spark.h"

#define MIB (1024.0 * 1024)

// A recommendation of a kind that may set it.
static struct recommendation allowed(enum setting setting) {
    int kind = ADVICE_PARTITIONING;
    while ((setting_row(setting)->by & (1u << (kind - ADVICE_PARTITIONING))) == 0) {
        kind++;
    }
    return (struct recommendation){.kind = advice_kind_name((enum advice_kind)kind)};
}

static bool set_number(struct recommendation *r, enum setting setting, double value) {
    switch (setting_row(setting)->type) {
    case AS_INT:
        return advice_set_int(r, setting, value);
    case AS_FRACTION:
        return advice_set_fraction(r, setting, value);
    case AS_BYTES:
    case AS_MIB:
        return advice_set_bytes(r, setting, value);
    case AS_MS:
    case AS_S:
        return advice_set_ms(r, setting, value);
    case AS_BOOL:
        return advice_set_bool(r, setting, value != 0);
    case AS_TEXT:
        break;
    }
    return false;
}

static void every_row_is_whole(void **state) {
    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting setting = (enum setting)i;
        const struct setting_row *row = setting_row(setting);
        assert_int_equal(strncmp(row->key, "spark.", 6), 0);
        assert_true(row->by != 0 && row->since > 0 && row->since % 100 < 20);
        assert_int_equal(row->key[strlen(row->key) - 1] == '.', row->family);
        char key[256];
        snprintf(key, sizeof key, "%s%s", row->key, row->example_name);
        assert_int_equal(setting_of_key(str_of(key)), i); // so no key is another's
        enum property property = event_property_of(str_of(row->key));
        assert_int_equal(property != PROPERTY_NONE && property_is_of_run(property),
                         !row->family && !scrub_hides_property(str_of(row->key)));
        // The example is written as it stands.
        struct recommendation r = allowed(setting);
        double number, least, most, own;
        if (row->family) {
            assert_true(advice_set_member(&r, setting, row->example_name, row->example));
        } else if (row->type == AS_TEXT) {
            assert_true(advice_set_text(&r, setting, row->example));
        } else {
            assert_true(setting_parse(setting, str_of(row->example), &number));
            assert_true(set_number(&r, setting, number));
        }
        assert_string_equal(r.settings[0].key, key);
        assert_string_equal(r.settings[0].value, row->example);
        recommendation_fini(&r);
        if (row->type != AS_TEXT && row->type != AS_BOOL) {
            assert_true(setting_parse(setting, str_of(row->least), &least));
            assert_true(setting_parse(setting, str_of(row->most), &most));
            assert_true(least < most);
        }
        for (int spark = 106; spark <= 430; spark++) {
            struct str text = setting_default(setting, spark);
            assert_true(row->type == AS_TEXT || text.len == 0 ||
                        setting_parse(setting, text, &own));
        }
    }
    assert_int_equal(setting_of_key(STR("spark.executor.memoryx")), -1);
    assert_int_equal(setting_of_key(STR("spark.kubernetes.node.selector.")), -1); // of what?
}

static void values_are_written_as_spark_reads_them(void **state) {
    (void)state;
    static const struct {
        enum setting setting;
        double value;
        const char *text;
    } cases[] = {
        {SETTING_SQL_SHUFFLE_PARTITIONS, 1, "1"},
        {SETTING_SQL_SHUFFLE_PARTITIONS, 1000.9, "1000"},
        {SETTING_EXECUTOR_MEMORY, 4096 * MIB, "4g"},
        {SETTING_EXECUTOR_MEMORY, 4097 * MIB, "4097m"},
        {SETTING_EXECUTOR_MEMORY, 4096 * MIB + 1, "4097m"}, // what must fit does
        {SETTING_EXECUTOR_MEMORY, 512 * MIB, "512m"},
        {SETTING_SQL_FILES_MAX_PARTITION_BYTES, 128 * MIB, "128m"},
        {SETTING_SQL_FILES_MAX_PARTITION_BYTES, 128 * MIB + 1024, "131073k"},
        {SETTING_SQL_FILES_MAX_PARTITION_BYTES, 128 * MIB + 0.5, "134217729b"},
        {SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, -1, "-1"},
        {SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, 0, "0"},
        {SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, 60000, "60s"},
        {SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, 60001, "61s"},
        {SETTING_LOCALITY_WAIT, 0, "0"},
        {SETTING_LOCALITY_WAIT, 1500, "1500ms"},
        {SETTING_LOCALITY_WAIT, 2000, "2s"},
        {SETTING_MEMORY_FRACTION, 0.75, "0.75"},
        {SETTING_MEMORY_FRACTION, 2.0 / 3, "0.6667"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct recommendation r = allowed(cases[i].setting);
        assert_true(set_number(&r, cases[i].setting, cases[i].value));
        assert_string_equal(r.settings[0].value, cases[i].text);
        double again;
        assert_true(setting_parse(cases[i].setting, str_of(cases[i].text), &again));
        recommendation_fini(&r);
    }
}

static void nothing_is_said_beyond_its_bounds(void **state) {
    (void)state;
    static const struct {
        enum setting setting;
        double value;
    } cases[] = {
        {SETTING_SQL_SHUFFLE_PARTITIONS, 0},
        {SETTING_SQL_SHUFFLE_PARTITIONS, 100001},
        {SETTING_SQL_SHUFFLE_PARTITIONS, NAN},
        {SETTING_SQL_SHUFFLE_PARTITIONS, INFINITY},
        {SETTING_EXECUTOR_MEMORY, 512 * MIB - 1},
        {SETTING_EXECUTOR_MEMORY_OVERHEAD, 383 * MIB}, // Spark's own minimum
        {SETTING_EXECUTOR_MEMORY, 1e300},
        {SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, -2},
        {SETTING_MEMORY_FRACTION, 1},
        {SETTING_LOCALITY_WAIT, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct recommendation r = allowed(cases[i].setting);
        assert_false(set_number(&r, cases[i].setting, cases[i].value));
        assert_int_equal(r.setting_count, 0);
        assert_false(advice_sets(&r, cases[i].setting));
    }
    static const char *const texts[] = {"",     "a b",     "a\nb",     "it's", "\"x\"",
                                        "a\\b", "\x1b[1m", "\xC3\xA9", "`id`"};
    struct recommendation r = allowed(SETTING_KUBERNETES_NODE_SELECTOR);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_false(advice_set_text(&r, SETTING_KUBERNETES_NAMESPACE, texts[i]));
        assert_false(advice_set_member(&r, SETTING_KUBERNETES_NODE_SELECTOR, texts[i], "a"));
        assert_false(advice_set_member(&r, SETTING_KUBERNETES_NODE_SELECTOR, "zone", texts[i]));
    }
    char longest[65];
    memset(longest, 'n', sizeof longest);
    longest[64] = '\0';
    assert_false(advice_set_text(&r, SETTING_KUBERNETES_NAMESPACE, longest)); // a label has 63
    assert_true(advice_set_text(&r, SETTING_KUBERNETES_NAMESPACE, longest + 1));
    recommendation_fini(&r);
}

static void the_first_value_of_a_key_stays(void **state) {
    (void)state;
    struct recommendation r = allowed(SETTING_KUBERNETES_NODE_SELECTOR);
    assert_true(advice_set_bytes(&r, SETTING_EXECUTOR_MEMORY, 1024 * MIB));
    assert_false(advice_set_bytes(&r, SETTING_EXECUTOR_MEMORY, 2048 * MIB));
    assert_true(advice_sets(&r, SETTING_EXECUTOR_MEMORY));
    assert_false(advice_sets(&r, SETTING_DRIVER_MEMORY));
    assert_true(advice_set_member(&r, SETTING_KUBERNETES_NODE_SELECTOR, "zone", "a"));
    assert_true(advice_set_member(&r, SETTING_KUBERNETES_NODE_SELECTOR, "disk", "ssd"));
    assert_false(advice_set_member(&r, SETTING_KUBERNETES_NODE_SELECTOR, "zone", "b"));
    assert_int_equal(r.setting_count, 3);
    assert_string_equal(r.settings[0].value, "1g");
    assert_string_equal(r.settings[1].key, "spark.kubernetes.node.selector.zone");
    recommendation_fini(&r);
}

static void sparks_differ(void **state) {
    (void)state;
    static const struct {
        enum setting setting;
        int spark;
        const char *text;
    } cases[] = {
        {SETTING_SQL_ADAPTIVE_ENABLED, 301, "false"}, {SETTING_SQL_ADAPTIVE_ENABLED, 302, "true"},
        {SETTING_SQL_ADAPTIVE_ENABLED, 401, "true"},  {SETTING_SQL_ADAPTIVE_ENABLED, 0, ""},
        {SETTING_SQL_SHUFFLE_PARTITIONS, 0, "200"},   {SETTING_SPECULATION_QUANTILE, 305, "0.75"},
        {SETTING_SPECULATION_QUANTILE, 400, "0.9"},   {SETTING_EXECUTOR_INSTANCES, 305, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(str_is(setting_default(cases[i].setting, cases[i].spark), cases[i].text));
    }
}

static void tell(struct app *app, const char *key, const char *value) {
    properties_put(&app->properties, str_of(key), str_of(value));
}

static void assert_in_force(const struct app *app, enum setting setting, double expected) {
    double value = -7;
    bool known = setting_number(app, setting, &value);
    assert_int_equal(known, expected != -7);
    assert_near(value, expected, 0);
}

static void what_a_run_has_is_read(void **state) {
    (void)state;
    struct app *app = spark_app();
    assert_int_equal(setting_spark_of(app), 0);
    assert_in_force(app, SETTING_SQL_SHUFFLE_PARTITIONS, 200);
    assert_in_force(app, SETTING_SQL_ADAPTIVE_ENABLED, -7); // of which Spark?
    assert_in_force(app, SETTING_EXECUTOR_INSTANCES, -7);
    app->spark_major = 3;
    app->spark_minor = 5;
    assert_int_equal(setting_spark_of(app), 305);
    assert_in_force(app, SETTING_SQL_ADAPTIVE_ENABLED, 1);
    assert_in_force(app, SETTING_EXECUTOR_MEMORY, 1024 * MIB);
    tell(app, "spark.sql.adaptive.enabled", "False");
    tell(app, "spark.executor.memory", "512"); // MiB
    tell(app, "spark.sql.files.maxPartitionBytes", "512");
    tell(app, "spark.sql.autoBroadcastJoinThreshold", "-1");
    tell(app, "spark.dynamicAllocation.executorIdleTimeout", "2min");
    tell(app, "spark.locality.wait", "7");
    tell(app, "spark.speculation.multiplier", "2.5");
    tell(app, "spark.executor.cores", "four");
    assert_true(str_is(setting_told(app, SETTING_EXECUTOR_MEMORY), "512"));
    assert_true(str_is(setting_told(app, SETTING_DRIVER_MEMORY), ""));
    assert_true(str_is(setting_told(app, SETTING_KUBERNETES_SERVICE_ACCOUNT), "")); // never kept
    assert_in_force(app, SETTING_SQL_ADAPTIVE_ENABLED, 0);
    assert_in_force(app, SETTING_EXECUTOR_MEMORY, 512 * MIB);
    assert_in_force(app, SETTING_SQL_FILES_MAX_PARTITION_BYTES, 512);
    assert_in_force(app, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, -1);
    assert_in_force(app, SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, 120000);
    assert_in_force(app, SETTING_LOCALITY_WAIT, 7);
    assert_in_force(app, SETTING_SPECULATION_MULTIPLIER, 2.5);
    assert_in_force(app, SETTING_EXECUTOR_CORES, -7);
    assert_in_force(app, SETTING_SERIALIZER, -7);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(values_are_written_as_spark_reads_them),
        cmocka_unit_test(nothing_is_said_beyond_its_bounds),
        cmocka_unit_test(the_first_value_of_a_key_stays),
        cmocka_unit_test(sparks_differ),
        cmocka_unit_test(what_a_run_has_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
