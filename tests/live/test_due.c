// test_due: when a worker commits, tries again and lets idle time go on.
#include "support/test.h"

#include "base/compiler.h"

#include "live/due.h"

static void commits(void **state) {
    (void)state;
    static const struct {
        const char *what;
        int64_t interval_ms, took_ms;
        bool urgent, behind;
        int64_t due_ms;
    } rows[] = {
        {"nothing special", 1000, 10, false, false, 1000},
        {"nothing special, slow commits", 1000, 5000, false, false, 1000},
        {"urgent, never committed yet", 1000, 0, true, false, 0},
        {"urgent: a third of the time at most", 1000, 50, true, false, 100},
        {"urgent, but commits are slow", 1000, 700, true, false, 1000},
        {"behind: a twentieth of the time", 1000, 100, false, true, 1900},
        {"behind, the interval is longer", 1000, 50, false, true, 1000},
        {"behind, slow commits: not for ever", 1000, 60000, false, true, 5000},
        {"behind, slow commits, a long interval", 30000, 60000, false, true, 30000},
        {"behind has no news to be urgent about", 1000, 10, true, true, 1000},
        {"an interval of nothing", 0, 10, false, false, 0},
        {"an interval of nothing, behind", 0, 10, false, true, 190},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t due_ms =
            due_commit_ms(rows[i].interval_ms, rows[i].took_ms, rows[i].urgent, rows[i].behind);
        if (due_ms != rows[i].due_ms) {
            fail_msg("%s: due after %lld ms, not %lld", rows[i].what, (long long)due_ms,
                     (long long)rows[i].due_ms);
        }
    }
}

static void what_is_large_is_committed_early(void **state) {
    (void)state;
    assert_false(due_for_size(0, 0));
    assert_false(due_for_size(49999, (16 << 20) - 1));
    assert_true(due_for_size(50000, 0));
    assert_true(due_for_size(0, 16 << 20));
}

static void one_failure_is_tried_again_at_once(void **state) {
    (void)state;
    assert_int_equal(due_again_ms(0), 0);
    assert_int_equal(due_again_ms(1), 0);
    assert_int_equal(due_again_ms(2), 1000);
    assert_int_equal(due_again_ms(1000000), 1000);
}

static void time_goes_on_after_silence(void **state) {
    (void)state;
    assert_int_equal(due_tick_ms(1000, false), 5000); // a producer may only be slow
    assert_int_equal(due_tick_ms(1000, true), 1000);
    assert_int_equal(due_tick_ms(60000, false), 60000);
    assert_int_equal(due_tick_ms(60000, true), 60000);
}

static void memory_of_a_backlog_is_given_back_once_it_is_read(void **state) {
    (void)state;
    static const struct {
        int64_t now_ms, events, lag;
        bool due;
    } rows[] = {
        {1000, 0, 1000000, false},     // a backlog
        {3000, 900000, 100000, false}, // is being read
        {5000, 1000000, 0, false},     // has been
        {9999, 1000000, 5000, false},  // some come in still
        {10000, 1000000, 0, true},     // for five seconds
        {11000, 1000000, 0, false},    // once
        {30000, 2000000, 0, false},    // not soon again
        {69999, 2000000, 0, false},    //
        {70000, 2000000, 5001, false}, // not in the midst of the next
        {71000, 2000000, 0, false},    //
        {76000, 2000000, 0, true},     //
        {2000000, 2099999, 0, false},  // not for a few
        {2001000, 2100000, 0, true},   //
    };
    struct due_memory memory = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (due_for_memory(&memory, rows[i].now_ms, rows[i].events, rows[i].lag) != rows[i].due) {
            fail_msg("at %lld ms", (long long)rows[i].now_ms);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits),
        cmocka_unit_test(what_is_large_is_committed_early),
        cmocka_unit_test(one_failure_is_tried_again_at_once),
        cmocka_unit_test(time_goes_on_after_silence),
        cmocka_unit_test(memory_of_a_backlog_is_given_back_once_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
