// test_state_print: state that is damaged, newer or no state at all is shown as such, with and
// without --values, and never taken for something else.
#include <stdio.h>
#include <unistd.h>

#include "commands/state_print.h"
#include "support/test.h"

static char out[1 << 14];

// What a partition with this one key (NULL: none) and the keys of a sound run prints.
static struct state_print show(struct state_print print, struct str key, struct str value) {
    struct state_table *table = state_table_new();
    state_table_put(table, STR("rapp\n0"), STR("\1"));
    state_table_put(table, STR("s1.0.app\n0"), STR("\1"));
    state_table_put(table, key, value);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    state_print_partition(&print, "topic", 3, table);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(file);
    out[fread(out, 1, sizeof out - 1, file)] = '\0';
    fclose(file);
    state_table_free(table);
    return print;
}

static void test_sound(void **state) {
    (void)state;
    struct state_print print = show((struct state_print){0}, STR("e"), STR("\1"));
    assert_int_equal(print.unreadable, 0);
    assert_int_equal(print.applications, 1);
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
        {STR("q1"), STR("\1")},
        {STR("s2.0.app\n0"), STR("\1\1")},
        {STR("\0x\ny"), STR("\1")},
        {STR(""), STR("\1")},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        for (int mode = 0; mode < 4; mode++) {
            struct state_print how = {.values = mode & 1, .json = mode & 2};
            struct state_print print = show(how, bad[i].key, bad[i].value);
            assert_int_equal(print.unreadable, 1);
            assert_int_equal(print.applications, how.values ? 0 : 1);
            assert_int_equal(how.values && how.json && strstr(out, "\"unreadable\":\"") == NULL, 0);
        }
    }
}

static void test_a_run_that_cannot_be_read_is_not_running(void **state) {
    (void)state;
    struct state_print print =
        show((struct state_print){0}, STR("rapp\n0"), STR("\2 of a later release"));
    assert_int_equal(print.unreadable, 1);
    assert_non_null(strstr(out, ": unknown, 1 stages, 2 keys"));
    assert_non_null(strstr(out, "1 UNREADABLE"));
    show((struct state_print){.json = true}, STR("rapp\n0"), STR("\2 of a later release"));
    assert_non_null(strstr(out, "\"status\":\"unknown\",\"last_event_ms\":null"));
}

static void test_hostile_names_are_escaped(void **state) {
    (void)state;
    show((struct state_print){0}, STR("r\033[31m\n0"), STR("\1"));
    assert_null(strchr(out, '\033'));
    show((struct state_print){.json = true}, STR("r\033\"\n0"), STR("\1"));
    assert_null(strchr(out, '\033'));
    assert_non_null(strstr(out, "\\u001b\\\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_a_run_that_cannot_be_read_is_not_running),
        cmocka_unit_test(test_hostile_names_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
