// test_kafka_ends: a record that lies before an earlier one of its partition is noticed, in topics
// whose ends are kept and in no other.
#include "support/test.h"

#include "kafka/ends.h"

static void records_lie_one_behind_the_other(void **state) {
    (void)state;
    struct ends ends = {.kept = true};
    assert_true(ends_rise(&ends, 2, 0));
    assert_true(ends_rise(&ends, 2, 1));
    assert_true(ends_rise(&ends, 2, 9)); // aborted ones and markers lie between
    assert_true(ends_rise(&ends, 0, 3)); // of another partition
    assert_true(ends_rise(&ends, 7, 3));
    assert_true(ends_rise(&ends, 2, -1)); // nobody said where
    assert_true(ends_rise(&ends, 2, 10));
    ends_fini(&ends);
}

static void one_before_an_earlier_one_is_noticed(void **state) {
    (void)state;
    struct ends ends = {.kept = true};
    assert_true(ends_rise(&ends, 1, 500));
    assert_true(ends_rise(&ends, 3, 0));
    assert_false(ends_rise(&ends, 1, 500)); // the end was lost
    assert_false(ends_rise(&ends, 1, 0));   // made anew
    assert_false(ends_rise(&ends, 3, 0));
    assert_true(ends_rise(&ends, 1, 1)); // told once
    ends_fini(&ends);
}

static void of_other_topics_nothing_is_known(void **state) {
    (void)state;
    struct ends state_topic = {.kept = true}, other = {0};
    assert_true(ends_rise(&other, 0, 5));
    assert_true(ends_rise(&other, 0, 5));
    assert_true(ends_rise(&state_topic, 0, 5));
    assert_true(ends_rise(&other, 0, 1));
    ends_fini(&state_topic);
    ends_fini(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_lie_one_behind_the_other),
        cmocka_unit_test(one_before_an_earlier_one_is_noticed),
        cmocka_unit_test(of_other_topics_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
