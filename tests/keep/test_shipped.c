// test_shipped: how far a log is shipped, written and read back; keys of others are none of ours;
// kinds of lost events are bounded; no byte of a value can do harm.
#include "support/test.h"

#include <stdio.h>

#include "keep/shipped.h"

static void test_round_trip(void **state) {
    (void)state;
    struct err err;
    struct buf value = {0};
    struct shipped in = {.position = "1:2:3",
                         .lines = 7,
                         .missing_ms = 9,
                         .app_id = "app-1",
                         .attempt = "2"},
                   out;
    shipped_write(&in, &value);
    assert_int_equal(shipped_read(buf_str(&value), &out, &err), ST_OK);
    assert_memory_equal(&in, &out, sizeof in);
    struct shipped_losses losses = {0}, read;
    shipped_lose(&losses, STR("A"), 5);
    shipped_lose(&losses, STR(""), 3);
    shipped_lose(&losses, STR("A"), 0);
    assert_int_equal(losses.total, 3);
    assert_int_equal(losses.time_ms, 5);
    shipped_losses_write(&losses, &value);
    assert_int_equal(shipped_losses_read(buf_str(&value), &read, &err), ST_OK);
    assert_int_equal(read.kind_count, 2);
    assert_string_equal(read.kinds[0].event, "A");
    assert_int_equal(read.kinds[0].count, 2);
    assert_string_equal(read.kinds[1].event, "unknown");
    for (size_t cut = 0; cut < value.len; cut++) { // none of these is read beyond its end
        (void)!shipped_losses_read((struct str){value.data, cut}, &read, &err);
        (void)!shipped_read((struct str){value.data, cut}, &out, &err);
    }
    value.data[0] = 2;
    assert_int_equal(shipped_losses_read(buf_str(&value), &read, &err), ST_SKIP);
    buf_fini(&value);
}

static void test_kinds_are_bounded(void **state) {
    (void)state;
    struct shipped_losses losses = {0};
    for (int i = 0; i < 3 * SHIPPED_KINDS; i++) {
        char name[300];
        memset(name, 'x', sizeof name);
        int n = snprintf(name, sizeof name, "kind%d", i);
        name[n] = 'x';
        shipped_lose(&losses, (struct str){name, i % 2 == 0 ? (size_t)n : sizeof name}, i);
    }
    assert_int_equal(losses.kind_count, SHIPPED_KINDS);
    assert_int_equal(losses.total, 3 * SHIPPED_KINDS);
    assert_string_equal(losses.kinds[SHIPPED_KINDS - 1].event, "other");
    assert_int_equal(losses.kinds[SHIPPED_KINDS - 1].count, 2 * SHIPPED_KINDS + 1);
}

static void test_keys(void **state) {
    (void)state;
    struct buf key = {0};
    struct str log;
    char kind;
    shipped_key('l', STR("c"), STR("/logs"), STR("a\nb"), &key); // a name of a file holds anything
    assert_true(shipped_key_read(buf_str(&key), STR("c"), STR("/logs"), &kind, &log));
    assert_true(kind == 'l' && str_is(log, "a\nb"));
    assert_false(shipped_key_read(buf_str(&key), STR("c"), STR("/log"), &kind, &log));
    assert_false(shipped_key_read(buf_str(&key), STR("c2"), STR("/logs"), &kind, &log));
    assert_false(shipped_key_read(buf_str(&key), STR("c\n/logs"), STR("a"), &kind, &log) &&
                 str_is(log, "a\nb"));
    assert_false(shipped_key_read(STR("xc\n/logs\na"), STR("c"), STR("/logs"), &kind, &log));
    assert_false(shipped_key_read(STR(""), STR("c"), STR("/logs"), &kind, &log));
    buf_fini(&key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_kinds_are_bounded),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
