// test_id: ids are the same for ever, and never the same for two things.
#include "support/test.h"

#include "model/id.h"

static const struct run_identity run = {.cluster = "prod", .app_id = "app-1", .attempt = "2"};

// As `uuid.uuid5` of Python gives them: whoever keeps ids finds them again after every upgrade.
static void ids_are_those_of_every_release(void **state) {
    (void)state;
    char id[ID_TEXT_SIZE];
    id_of_run(&run, id);
    assert_string_equal(id, "04e267f7-84c1-5c58-8d17-d08118f6e36b");
    id_of_bottleneck(&run, 7, 1, KIND_DATA_SKEW, id);
    assert_string_equal(id, "d9804b00-edeb-58c6-b2e0-10f3d42f4654");
    id_of_bottleneck(&run, -1, -1, KIND_SLOW_RUN, id);
    assert_string_equal(id, "d1855c27-029d-5d02-b714-fb2d06e83b7b");
    id_of_recommendation(&run, "data_skew", id);
    assert_string_equal(id, "d21465b8-1e5d-54bc-a2e3-c0cd0dda86d9");
}

// The same letters, cut elsewhere.
static void parts_do_not_run_into_each_other(void **state) {
    (void)state;
    static const struct run_identity runs[] = {
        {.cluster = "ab", .app_id = "c", .attempt = "1"},
        {.cluster = "a", .app_id = "bc", .attempt = "1"},
        {.cluster = "ab", .app_id = "c1"},
        {.cluster = "", .app_id = "abc", .attempt = "1"},
        {.cluster = "ab;1:", .app_id = "c"},
        {.cluster = "ab", .app_id = "1:c;"},
    };
    char ids[ARRAY_LEN(runs)][ID_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        id_of_run(&runs[i], ids[i]);
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(ids[i], ids[other]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_every_release),
        cmocka_unit_test(parts_do_not_run_into_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
