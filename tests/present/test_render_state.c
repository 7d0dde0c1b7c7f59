// test_render_state: state that is damaged, newer or no state at all is shown as such, with and
// without --values, and never taken for something else.
#include "present/render_state.h"

#include <stdio.h>

#include "support/test.h"

static char out[1 << 14];

static void add_line(void *ctx, const char *text) {
    size_t *len = ctx;
    int n = snprintf(out + *len, sizeof out - *len, "%s\n", text);
    assert_true(n > 0 && (size_t)n < sizeof out - *len);
    *len += (size_t)n;
}

// What a partition with this one key and the keys of a sound run shows.
static struct render_state show(struct render_state render, struct str key, struct str value) {
    struct keep_table *table = keep_table_new();
    size_t len = 0;
    keep_table_put(table, STR("rapp\n0"), STR("\1"));
    keep_table_put(table, STR("s1.0.app\n0"), STR("\1"));
    keep_table_put(table, key, value);
    out[0] = '\0';
    render.line = add_line;
    render.ctx = &len;
    render_state_partition(&render, "topic", 3, table);
    keep_table_free(table);
    return render;
}

static void test_sound(void **state) {
    (void)state;
    struct render_state shown = show((struct render_state){0}, STR("e"), STR("\1"));
    assert_int_equal(shown.unreadable, 0);
    assert_int_equal(shown.applications, 1);
    assert_non_null(strstr(out, "app attempt 0  of : running, 1 stages"));
    assert_null(strstr(out, "UNREADABLE"));
}

static void test_damaged(void **state) {
    (void)state;
    static const struct {
        struct str key, value;
    } bad[] = {
        {STR("#pos"), STR("\2")},
        {STR("e"), STR("")},
        {STR("P"), STR("\1\1")},
        {STR("z1"), STR("\1")},
        {STR("s2.0.app\n0"), STR("\1\1")},
        {STR("\0x\ny"), STR("\1")},
        {STR(""), STR("\1")},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        for (int mode = 0; mode < 4; mode++) {
            struct render_state how = {.values = mode & 1, .json = mode & 2};
            struct render_state shown = show(how, bad[i].key, bad[i].value);
            assert_int_equal(shown.unreadable, 1);
            assert_int_equal(shown.applications, how.values ? 0 : 1);
            assert_int_equal(how.values && how.json && strstr(out, "\"unreadable\":\"") == NULL, 0);
        }
    }
}

static void test_a_run_that_cannot_be_read_is_not_running(void **state) {
    (void)state;
    struct render_state shown =
        show((struct render_state){0}, STR("rapp\n0"), STR("\2 of a later release"));
    assert_int_equal(shown.unreadable, 1);
    assert_non_null(strstr(out, ": unknown, 1 stages, 2 keys"));
    assert_non_null(strstr(out, "1 UNREADABLE"));
    show((struct render_state){.json = true}, STR("rapp\n0"), STR("\2 of a later release"));
    assert_non_null(strstr(out, "\"status\":\"unknown\",\"last_event_ms\":null"));
}

static void test_hostile_names_are_escaped(void **state) {
    (void)state;
    show((struct render_state){0}, STR("r\033[31m\n0"), STR("\1"));
    assert_null(strchr(out, '\033'));
    show((struct render_state){.json = true}, STR("r\033\"\n0"), STR("\1"));
    assert_null(strchr(out, '\033'));
    assert_non_null(strstr(out, "\\u001b\\\""));
}

// Programs read them: every byte counts.
static void test_lines(void **state) {
    (void)state;
    show((struct render_state){.json = true}, STR("pc\nname"), STR("\1"));
    assert_string_equal(
        out,
        "{\"topic\":\"topic\",\"partition\":3,\"cluster\":\"c\",\"pipeline\":\"name\",\"runs\":0,"
        "\"panes\":0,\"alerts\":0,\"keys\":1,\"bytes\":8,\"unreadable\":0}\n"
        "{\"topic\":\"topic\",\"partition\":3,\"app_id\":\"app\",\"attempt\":\"0\",\"stages\":1,"
        "\"status\":\"running\",\"last_event_ms\":null,\"pipeline\":\"\",\"keys\":2,\"bytes\":18,"
        "\"unreadable\":0}\n");
    // a pipeline a"b, its newest event at 2 ms
    struct str run = STR("\1d\11\1\4\3a\"b\15\1\4");
    show((struct render_state){.json = true}, STR("rapp\n0"), run);
    assert_string_equal(
        out,
        "{\"topic\":\"topic\",\"partition\":3,\"app_id\":\"app\",\"attempt\":\"0\",\"stages\":1,"
        "\"status\":\"running\",\"last_event_ms\":2,\"pipeline\":\"a\\\"b\",\"keys\":2,"
        "\"bytes\":29,\"unreadable\":0}\n");
    show((struct render_state){0}, STR("rapp\n0"), run);
    assert_string_equal(out, "        3  app attempt 0  of a\\\"b: running, 1 stages, 2 keys, 29 "
                             "bytes\n");
    show((struct render_state){.json = true, .values = true, .app = "app"}, STR("rapp\n0"), run);
    assert_non_null(
        strstr(out, "{\"topic\":\"topic\",\"partition\":3,\"key\":\"rapp\\u000a0\",\"value\":"
                    "{\"application\":{\"pipeline\":\"a\\\"b\",\"now_ms\":2}}}\n"));
    show((struct render_state){.json = true, .values = true}, STR("z\n"), STR("\1"));
    assert_non_null(
        strstr(out, "{\"topic\":\"topic\",\"partition\":3,\"key\":\"z\\u000a\",\"unreadable\":"
                    "\"a key of a later release\"}\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_a_run_that_cannot_be_read_is_not_running),
        cmocka_unit_test(test_hostile_names_are_escaped),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
