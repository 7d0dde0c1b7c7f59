// test_known_runs: which run of a pipeline is forgotten when there is room for no more: one that
// goes on only if no other is left, and always the oldest of its like.
#include "fleet/pipelines_priv.h"

#include "support/test.h"

// The run that goes of those given, oldest first: 'r' is running, 'e' has ended.
static uint32_t victim(const char *runs) {
    struct known_run list[8] = {{.number = 0}};
    uint32_t count = 0;
    for (; runs[count] != '\0'; count++) {
        list[count].ended_ms = runs[count] == 'e' ? 1700000000000 - count : 0;
    }
    return known_runs_victim(list, count);
}

static void the_oldest_that_ended_goes(void **state) {
    (void)state;
    assert_int_equal(victim("e"), 0);
    assert_int_equal(victim("eee"), 0);
    assert_int_equal(victim("re"), 1);
    assert_int_equal(victim("rrere"), 2);
}

static void one_that_goes_on_only_if_there_is_no_other(void **state) {
    (void)state;
    assert_int_equal(victim("r"), 0);
    assert_int_equal(victim("rrr"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_that_ended_goes),
        cmocka_unit_test(one_that_goes_on_only_if_there_is_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
