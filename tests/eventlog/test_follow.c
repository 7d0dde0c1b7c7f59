// test_follow: logs that grow, end, are renamed, replaced, removed, rolled and compacted while they
// are followed, and after a restart: every line once, in order, and what went wrong in words.
#include "follow_text.h"

static void test_lines_as_they_are_written(void **state) {
    (void)state;
    struct tail t = {0};
    start(&t);
    take_all(&t);
    put("app-1-2.inprogress", "{log start}\n{tw____");
    take_all(&t);
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n");
    add("app-1-2.inprogress", "o}\n{three}\n");
    take_all(&t);
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n{tw____o}\n{three}\n");
    add("app-1-2.inprogress", "{four}");
    take_all(&t);
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n{tw____o}\n{three}\n");
    rename_log("app-1-2.inprogress", "app-1-2");
    take_all(&t);
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n{tw____o}\n{three}\n{four}\n");
    struct came *c = came_of(&t, "app-1-2");
    assert_int_equal(c->ended, 1);
    assert_string_equal(c->id, "app-1-2");
    assert_true(c->known_form);
    start(&t);
    take_all(&t);
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n{tw____o}\n{three}\n{four}\n");
    assert_int_equal(c->ended, 1);
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_goes_on_after_a_restart(void **state) {
    (void)state;
    struct tail t = {0};
    start(&t);
    put("local-17.inprogress", "{log start}\n{tw____");
    take_all(&t);
    add("local-17.inprogress", "o}\n{three}\n");
    rename_log("local-17.inprogress", "local-17");
    put("application_12_34_1", "{log start}\n{b}");
    start(&t);
    take_all(&t);
    assert_string_equal(text_of(&t, "local-17"), "{log start}\n{tw____o}\n{three}\n");
    assert_string_equal(text_of(&t, "application_12_34_1"), "{log start}\n{b}\n");
    assert_string_equal(came_of(&t, "application_12_34_1")->id, "application_12_34");
    assert_string_equal(came_of(&t, "application_12_34_1")->attempt, "1");
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_as_they_are_written, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_goes_on_after_a_restart, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
