// test_delivery: gaps in the numbers of a run's events are losses, whatever order they come in, how
// often, and whatever nonsense stands among them; what a listener reports only ever adds to it.
#include "support/test.h"

#include "base/metrics.h"
#include "base/sat.h"
#include "keep/value.h"
#include "state/delivery.h"

static struct delivery delivery;

static int set_up(void **state) {
    (void)state;
    delivery = (struct delivery){0};
    metrics_reset();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    delivery_fini(&delivery);
    return 0;
}

static void take(int64_t from, int64_t to) {
    for (int64_t n = from; n <= to; n++) {
        delivery_take(&delivery, n);
    }
}

static void expect(int64_t sent, int64_t lost) {
    struct delivery_loss loss = delivery_loss(&delivery);
    assert_int_equal(loss.sent, sent);
    assert_int_equal(loss.lost, lost);
}

static void a_gap_is_a_loss_until_it_is_filled(void **state) {
    (void)state;
    expect(0, 0);
    assert_true(delivery_share(&delivery, 0) == 1);
    take(1, 10);
    expect(10, 0);
    assert_true(delivery_take(&delivery, 13));
    expect(13, 2);
    assert_true(delivery_share(&delivery, 0) == 1 - 2.0 / 13);
    assert_false(delivery_take(&delivery, 13)); // came twice
    assert_false(delivery_take(&delivery, 14));
    assert_true(delivery_take(&delivery, 12)); // late
    expect(14, 1);
    take(1, 14); // the whole topic again
    expect(14, 0);
}

static void the_first_events_count_too(void **state) {
    (void)state;
    delivery_take(&delivery, 5);
    expect(5, 4);
}

static void who_follows_a_run_misses_nothing_of_its_head(void **state) {
    (void)state;
    delivery.follows = true;
    take(5, 7);
    expect(7, 0);
    delivery_fini(&delivery);
    delivery = (struct delivery){.follows = true};
    delivery_take(&delivery, DELIVERY_HEAD_MAX + 1); // no head is as long
    expect(DELIVERY_HEAD_MAX + 1, DELIVERY_HEAD_MAX);
}

// Random numbers, each in its place or a little off, some lost, some twice, against a plain list.
static void losses_are_counted_exactly_in_any_order(void **state) {
    (void)state;
    enum { N = 2000, OFF = 8 };
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = seed;
        bool came[N + 1] = {false};
        int64_t most = 0, count = 0, number[N];
        delivery_fini(&delivery);
        delivery = (struct delivery){0};
        for (int i = 0; i < N; i++) {
            number[i] = i + 1;
        }
        for (int i = 0; i + OFF < N; i++) {
            int other = i + (int)(test_random(&random) % OFF);
            int64_t moved = number[i];
            number[i] = number[other];
            number[other] = moved;
        }
        for (int i = 0; i < N; i++) {
            if (test_random(&random) % 100 == 0) {
                continue; // lost
            }
            for (uint64_t times = 1 + (test_random(&random) % 10 == 0); times > 0; times--) {
                delivery_take(&delivery, number[i]);
            }
            came[number[i]] = true;
            most = number[i] > most ? number[i] : most;
            count = 0;
            for (int64_t n = 1; n <= most; n++) {
                count += came[n];
            }
            expect(most, most - count);
        }
    }
}

static void gaps_beyond_the_bound_stay_lost(void **state) {
    (void)state;
    for (int64_t n = 1; n <= 100000; n += 2) { // every other one is lost
        delivery_take(&delivery, n);
        assert_true(delivery.numbers.len <= DELIVERY_RANGES_MAX);
    }
    expect(99999, 49999);
    delivery_take(&delivery, 2); // long given up
    expect(99999, 49999);
    delivery_take(&delivery, 99998);
    expect(99999, 49998);
}

static void nonsense_does_no_harm(void **state) {
    (void)state;
    static const int64_t odd[] = {
        0, -1, INT64_MIN, INT64_MAX, INT64_C(1000000000000000000), INT64_C(1) << 62};
    take(1, 100);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        assert_false(delivery_take(&delivery, odd[i]));
    }
    expect(100, 0);
    assert_int_equal(metrics_get(METRIC_LISTENER_NUMBERS_IGNORED), ARRAY_LEN(odd));
    uint64_t random = 7;
    for (int i = 0; i < 100000; i++) { // each another
        delivery_take(&delivery, (int64_t)test_random(&random));
        assert_true(delivery.numbers.len <= DELIVERY_RANGES_MAX);
        double share = delivery_share(&delivery, 0);
        assert_true(share >= 0 && share <= 1);
    }
}

static void reports_are_totals_of_which_the_larger_count(void **state) {
    (void)state;
    struct event_listener_report first = {.accepted = 1000,
                                          .lost_task_ends = 5,
                                          .lost_others = 1,
                                          .lost_unread = 4,
                                          .cut = 2,
                                          .slimmed = 3},
                                 later = {.accepted = 2000,
                                          .lost_task_ends = 9,
                                          .lost_others = 1,
                                          .lost_unread = 4,
                                          .cut = 2,
                                          .slimmed = 7};
    delivery_report(&delivery, &first);
    expect(1000, 10);
    delivery_report(&delivery, &later);
    delivery_report(&delivery, &first); // again, and late
    delivery_report(&delivery, &later);
    expect(2000, 14);
    assert_true(delivery_share(&delivery, 0) == 1 - (14.0 - 4 + 2) / 2000); // of use, and cut
    assert_true(delivery_share(&delivery, 9) == 1 - (14.0 - 4 - 9 + 2) / 2000);
    assert_true(delivery_share(&delivery, 500) == 1 - 2.0 / 2000);
    assert_int_equal(metrics_get(METRIC_LISTENER_CUT), 2);
    assert_int_equal(metrics_get(METRIC_LISTENER_SLIMMED), 7);
    take(1, 1990); // gaps say less than the report: they are the same losses
    expect(2000, 14);
    delivery_take(&delivery, 2100);
    expect(2100, 109); // and more
}

static void totals_at_the_ends_of_their_range_do_no_harm(void **state) {
    (void)state;
    struct event_listener_report all = {.accepted = INT64_MAX,
                                        .lost_task_ends = INT64_MAX,
                                        .lost_others = INT64_MAX,
                                        .lost_unread = INT64_MAX,
                                        .cut = INT64_MAX,
                                        .slimmed = INT64_MAX};
    delivery_report(&delivery, &all);
    double share = delivery_share(&delivery, 0);
    assert_true(share >= 0 && share <= 1);
    struct event_listener_report little = {.accepted = 1, .lost_others = 50, .cut = 20};
    delivery = (struct delivery){0};
    delivery_report(&delivery, &little);
    expect(70, 50); // there were at least as many as are missing
    assert_true(delivery_share(&delivery, 0) == 0);
}

static void a_listener_is_named_by_its_version(void **state) {
    (void)state;
    static const char *const odd[] = {"", "1 2", "<b>", "1234567890123456789012345678901234567890"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        delivery_name(&delivery, str_of(odd[i]));
        assert_string_equal(delivery.listener, "");
    }
    delivery_name(&delivery, STR("0.2.0-SNAPSHOT+x"));
    delivery_name(&delivery, STR("0.3.0"));
    assert_string_equal(delivery.listener, "0.2.0-SNAPSHOT+x");
}

static void what_is_kept_comes_back(void **state) {
    (void)state;
    struct event_listener_report report = {.accepted = 90,
                                           .lost_task_ends = 1,
                                           .lost_others = 2,
                                           .lost_unread = 3,
                                           .cut = 4,
                                           .slimmed = 5};
    struct delivery back = {0};
    struct buf value = {0}, again = {0};
    struct err err = {0};
    take(1, 10);
    take(13, 40);
    delivery_take(&delivery, 50);
    delivery_report(&delivery, &report);
    delivery_name(&delivery, STR("0.2.0"));
    value_write(&record_delivery, &delivery, &value);
    assert_int_equal(value_read(&record_delivery, buf_str(&value), &back, &err), ST_OK);
    value_write(&record_delivery, &back, &again);
    assert_int_equal(value.len, again.len);
    assert_memory_equal(buf_text(&value), buf_text(&again), value.len);
    assert_memory_equal(&back.report, &report, sizeof report);
    assert_int_equal(back.came, delivery.came);
    assert_int_equal(back.numbers.len, 3);
    delivery_fini(&back);
    buf_fini(&value);
    buf_fini(&again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_gap_is_a_loss_until_it_is_filled),
        TEST(the_first_events_count_too),
        TEST(who_follows_a_run_misses_nothing_of_its_head),
        TEST(losses_are_counted_exactly_in_any_order),
        TEST(gaps_beyond_the_bound_stay_lost),
        TEST(nonsense_does_no_harm),
        TEST(reports_are_totals_of_which_the_larger_count),
        TEST(totals_at_the_ends_of_their_range_do_no_harm),
        TEST(a_listener_is_named_by_its_version),
        TEST(what_is_kept_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
