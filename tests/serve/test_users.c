// test_users: who may see the pages: right and wrong words, what is remembered, how many are tried.
#include "support/test.h"

#include "serve/users.h"

// "open sesame" and "other", with the least cost: a test need not be slow.
static const struct http_user list[] = {
    {"prom", "$2b$04$btqgVI/Iz18qyiAu.55bke4M7FN0D6tDLMquQ48ELpO8qA4CEqh6a"},
    {"ops", "$2b$04$.dScayNJsC6u3kuZWpcdOuEXqou.2W.PNaaXit9xyUuS2Eze5Gg6K"}};

static void nobody_is_asked_without_a_list(void **state) {
    (void)state;
    struct users *users = users_new(NULL, 0);
    assert_int_equal(users_judge(users, NULL, NULL, 0), USERS_ALLOWED);
    users_free(users);
    users_free(NULL);
}

static void a_name_and_its_own_word(void **state) {
    (void)state;
    struct users *users = users_new(list, ARRAY_LEN(list));
    int64_t now_ms = 1000;
    assert_int_equal(users_judge(users, NULL, NULL, now_ms), USERS_REFUSED);
    assert_int_equal(users_judge(users, "prom", NULL, now_ms), USERS_REFUSED);
    assert_int_equal(users_judge(users, "prom", "open sesame", now_ms), USERS_ALLOWED);
    assert_int_equal(users_judge(users, "prom", "open sesamf", now_ms += 1000), USERS_REFUSED);
    assert_int_equal(users_judge(users, "prom", "other", now_ms += 1000), USERS_REFUSED);
    assert_int_equal(users_judge(users, "ops", "open sesame", now_ms += 1000), USERS_REFUSED);
    assert_int_equal(users_judge(users, "ops", "other", now_ms += 1000), USERS_ALLOWED);
    assert_int_equal(users_judge(users, "nobody", "open sesame", now_ms += 1000), USERS_REFUSED);
    assert_int_equal(users_judge(users, "", "", now_ms += 1000), USERS_REFUSED);
    users_free(users);
}

static void few_are_tried_in_a_second(void **state) {
    (void)state;
    struct users *users = users_new(list, ARRAY_LEN(list));
    assert_int_equal(users_judge(users, "prom", "open sesame", 5000), USERS_ALLOWED);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(users_judge(users, "prom", "wrong", 5000), USERS_REFUSED);
    }
    assert_int_equal(users_judge(users, "prom", "wrong", 5999), USERS_BUSY);
    assert_int_equal(users_judge(users, "ops", "other", 5999), USERS_BUSY); // not remembered yet
    assert_int_equal(users_judge(users, "prom", "open sesame", 5999), USERS_ALLOWED);
    assert_int_equal(users_judge(users, "ops", "other", 6000), USERS_ALLOWED);
    users_free(users);
}

static void what_a_hash_is(void **state) {
    (void)state;
    assert_true(http_hash_good(list[0].hash));
    assert_true(http_hash_good("$2y$10$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234"));
    static const char *const bad[] = {
        "",
        "open sesame",
        "$2b$10$short",
        "$6$rounds=5000$salt$hash",
        "$2x$10$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234",
        "$2b$99$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(http_hash_good(bad[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_asked_without_a_list),
        cmocka_unit_test(a_name_and_its_own_word),
        cmocka_unit_test(few_are_tried_in_a_second),
        cmocka_unit_test(what_a_hash_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
