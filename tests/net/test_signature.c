// test_signature: the signature of requests against what another implementation made.
#include "support/test.h"

#include "net/signature.h"

static void as_others_make_it(void **state) {
    (void)state;
    char text[SIGNATURE_TEXT_SIZE];
    signature_of(STR("whsec"), STR("{\"a\":1}"), 1767323045, text); // by Python's hmac
    assert_string_equal(text, "t=1767323045,v1="
                              "af3d828d6594b79e2a73a666457a6af445f9b15330a6634ed1bc31053d503463");
}

static void of_key_time_and_body(void **state) {
    (void)state;
    char one[SIGNATURE_TEXT_SIZE], other[SIGNATURE_TEXT_SIZE];
    signature_of(STR("k"), STR("b"), 1, one);
    signature_of(STR("K"), STR("b"), 1, other);
    assert_string_not_equal(one + 6, other + 6);
    signature_of(STR("k"), STR("c"), 1, other);
    assert_string_not_equal(one + 6, other + 6);
    signature_of(STR("k"), STR("b"), 2, other);
    assert_string_not_equal(one + 6, other + 6);
    signature_of(STR("k"), STR(""), 0, other); // nothing in it, at the beginning of time
    assert_int_equal(strlen(other), strlen("t=0,v1=") + 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_others_make_it),
        cmocka_unit_test(of_key_time_and_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
