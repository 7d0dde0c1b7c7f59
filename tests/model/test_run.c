// test_run: what may be left out of a run's record, and what may not.
#include "support/test.h"

#include "model/run.h"

// Kinds by a letter, worst first.
static uint32_t shortened(const char *kinds, uint32_t most, char *left) {
    struct open_bottleneck open[32] = {0};
    uint32_t count = (uint32_t)strlen(kinds);
    for (uint32_t i = 0; i < count; i++) {
        open[i].kind = (enum bottleneck_kind)(kinds[i] - 'a');
        open[i].stage = (int32_t)i;
    }
    uint32_t n = run_shorten_open(open, count, most);
    for (uint32_t i = 0; i < n; i++) {
        left[i] = (char)('a' + open[i].kind);
        assert_true(i == 0 || open[i].stage > open[i - 1].stage); // worst first, still
    }
    left[n] = '\0';
    return n;
}

static void the_worst_of_each_kind_is_never_left_out(void **state) {
    static const struct {
        const char *open;
        uint32_t most;
        const char *left;
    } cases[] = {
        {"", 3, ""},          {"aab", 3, "aab"},    {"aaaab", 3, "aab"}, {"aaaabc", 3, "abc"},
        {"aaaabc", 1, "abc"}, {"abacb", 4, "abac"}, {"aaa", 0, "a"},     {"cbaabc", 5, "cbaab"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char left[32];
        shortened(cases[i].open, cases[i].most, left);
        assert_string_equal(left, cases[i].left);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_of_each_kind_is_never_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
