// test_topic: the rows of topics.def hold together: what is written, whose state is where, and that
// nothing is named twice.
#include "support/test.h"

#include "model/topic.h"

static void what_is_written(void **state) {
    (void)state;
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        enum topic_use use = topic_row(t)->use;
        bool others = use == TOPIC_INPUT || use == TOPIC_POSITIONS;
        assert_int_equal(topic_is_written(t, true), !others);
        assert_int_equal(topic_is_written(t, false), !others && use != TOPIC_DEAD_LETTERS);
    }
    assert_false(topic_is_written(TOPIC_EVENTS, true));
    assert_true(topic_is_written(TOPIC_RUNS, false));
    assert_true(topic_is_written(TOPIC_STATE_PIPELINES, false));
    assert_true(topic_is_written(TOPIC_DLQ, true));
    assert_false(topic_is_written(TOPIC_DLQ, false));
}

static void state_belongs_to_one_input(void **state) {
    (void)state;
    assert_int_equal(topic_of_state(TOPIC_EVENTS), TOPIC_STATE_APPLICATIONS);
    assert_int_equal(topic_of_state(TOPIC_RUNS), TOPIC_STATE_PIPELINES);
    assert_int_equal(topic_of_state(TOPIC_DLQ), TOPIC_COUNT);
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        const struct topic_row *row = topic_row(t);
        assert_int_equal(row->use == TOPIC_STATE, row->state_of != TOPIC_COUNT);
        if (row->use == TOPIC_STATE) { // of what is read, and of nothing else's
            enum topic_use input = topic_row(row->state_of)->use;
            assert_true(input == TOPIC_INPUT || input == TOPIC_LINK);
            assert_int_equal(topic_of_state(row->state_of), t);
        }
    }
}

static void nothing_is_named_twice(void **state) {
    (void)state;
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        const struct topic_row *row = topic_row(t);
        assert_true(strncmp(row->setting, "topics.", 7) == 0 && row->def[0] != '\0' &&
                    row->help[0] != '\0');
        for (enum topic other = 0; other < t; other++) {
            assert_string_not_equal(row->setting, topic_row(other)->setting);
            assert_string_not_equal(row->def, topic_row(other)->def);
            assert_true(row->counts == METRIC_COUNT || row->counts != topic_row(other)->counts);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written),
        cmocka_unit_test(state_belongs_to_one_input),
        cmocka_unit_test(nothing_is_named_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
