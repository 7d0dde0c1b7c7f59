// test_alert_queue: what is sent when, byte for byte, with time as an argument; what an answer
// means and how long it puts off the next request.
#include "support/test.h"

#include <stdio.h>

#include "alert/alert_queue.h"

#define L1 "{\"alertname\":\"A\"}"
#define L2 "{\"alertname\":\"B\"}"
#define L3 "{\"alertname\":\"C\"}"
#define NOTE "{\"summary\":\"s\"}"
#define ME "me"

enum { MINUTE = 60000 };
// 2026-01-02T03:04:05.678Z
static const int64_t T0 = 1767323045678;

static struct alert_table *table_of(size_t alerts_max, size_t batch_max) {
    struct alert_table_options options = {MINUTE, 15 * MINUTE, alerts_max, batch_max, false};
    return alert_table_new(&options);
}

static struct alert_time at(int64_t after_ms) {
    return (struct alert_time){T0 + after_ms, 5000 + after_ms};
}

static size_t put(struct alert_table *table, const char *labels, const char *annotations,
                  int64_t started_ms, int64_t ended_ms, struct alert_time now) {
    return alert_table_put(table, ME, labels, annotations, started_ms, ended_ms, now);
}

// The next batch as an Alertmanager gets it.
static size_t take(struct alert_table *table, bool changes_only, struct alert_time now,
                   struct buf *body, size_t *lost) {
    unsigned doors;
    const struct alert_message *messages;
    size_t count = alert_table_take(table, changes_only, now, &messages, lost);
    buf_clear(body);
    if (count > 0) {
        alert_door_table(&doors)[0]->render(messages, count, body);
    }
    return count;
}

// Takes and settles; leaves the body.
static size_t round_trip(struct alert_table *table, int64_t after_ms, enum alert_verdict verdict,
                         struct buf *body) {
    size_t lost = 0;
    size_t count = take(table, false, at(after_ms), body, &lost);
    if (count > 0) {
        alert_table_settle(table, verdict, at(after_ms));
    }
    return count;
}

static void a_condition_is_told_repeated_and_ended(void **state) {
    (void)state;
    struct alert_table *table = table_of(10, 256);
    struct buf body = {0};
    assert_true(alert_table_due_ms(table) == INT64_MAX);
    put(table, L1, NOTE, T0 - 5678, 0, at(0));
    assert_int_equal(alert_table_due_ms(table), 0);
    assert_int_equal(round_trip(table, 0, ALERT_TAKEN, &body), 1);
    assert_string_equal(buf_text(&body), "[{\"labels\":" L1 ",\"annotations\":" NOTE
                                         ",\"startsAt\":\"2026-01-02T03:04:00.000Z\""
                                         ",\"endsAt\":\"2026-01-02T03:08:05.678Z\"}]");
    assert_int_equal(alert_table_due_ms(table), 5000 + MINUTE);
    assert_int_equal(round_trip(table, MINUTE - 1, ALERT_TAKEN, &body), 0);
    assert_string_equal(buf_text(&body), "");
    assert_int_equal(round_trip(table, MINUTE, ALERT_TAKEN, &body), 1);
    assert_non_null(strstr(body.data, "\"startsAt\":\"2026-01-02T03:04:00.000Z\""));
    assert_non_null(strstr(body.data, "\"endsAt\":\"2026-01-02T03:09:05.678Z\""));
    assert_int_equal(alert_table_firing(table), 1);
    put(table, L1, NOTE, T0, T0 + 2 * MINUTE, at(3 * MINUTE));
    assert_int_equal(alert_table_firing(table), 0);
    for (int minute = 3; minute < 18; minute++) {
        assert_int_equal(round_trip(table, minute * MINUTE, ALERT_TAKEN, &body), 1);
        assert_non_null(strstr(body.data, "\"startsAt\":\"2026-01-02T03:04:00.000Z\""));
        assert_non_null(strstr(body.data, "\"endsAt\":\"2026-01-02T03:06:05.678Z\""));
    }
    assert_int_equal(round_trip(table, 18 * MINUTE, ALERT_TAKEN, &body), 0);
    assert_true(alert_table_due_ms(table) == INT64_MAX);
    buf_fini(&body);
    alert_table_free(table);
}

static void times_stay_in_order_whatever_the_event_says(void **state) {
    (void)state;
    static const struct {
        int64_t started_ms, ended_ms;
        const char *starts_at, *ends_at;
    } cases[] = {
        {T0 + MINUTE, 0, "03:04:05.678Z", "03:08:05.678Z"},           // starts in the future
        {0, 0, "03:04:05.678Z", "03:08:05.678Z"},                     // no start
        {-7, T0 - MINUTE, "03:04:05.678Z", "03:04:05.678Z"},          // ended before it began
        {T0 - MINUTE, T0 + MINUTE, "03:03:05.678Z", "03:04:05.678Z"}, // ends in the future
        {T0 - MINUTE, INT64_MAX, "03:03:05.678Z", "03:04:05.678Z"},
        {INT64_MAX, 1, "03:04:05.678Z", "03:04:05.678Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct alert_table *table = table_of(10, 256);
        struct buf body = {0};
        put(table, L1, NOTE, cases[i].started_ms, cases[i].ended_ms, at(0));
        assert_int_equal(round_trip(table, 0, ALERT_TAKEN, &body), 1);
        char want[128];
        snprintf(want, sizeof want, "\"startsAt\":\"2026-01-02T%s\",\"endsAt\":\"2026-01-02T%s\"}]",
                 cases[i].starts_at, cases[i].ends_at);
        assert_non_null(strstr(body.data, want));
        buf_fini(&body);
        alert_table_free(table);
    }
}

static void only_changes_are_news(void **state) {
    (void)state;
    struct alert_table *table = table_of(10, 256);
    struct buf body = {0};
    put(table, L1, NOTE, T0, 0, at(0));
    round_trip(table, 0, ALERT_TAKEN, &body);
    put(table, L1, NOTE, T0 + 5, 0, at(1000)); // the same again
    assert_int_equal(alert_table_waiting(table), 0);
    put(table, L1, "{\"summary\":\"t\"}", T0 + 5, 0, at(1000));
    assert_int_equal(alert_table_waiting(table), 1);
    assert_int_equal(round_trip(table, 1000, ALERT_TAKEN, &body), 1);
    assert_non_null(strstr(body.data, "\"annotations\":{\"summary\":\"t\"}"));
    assert_non_null(strstr(body.data, "\"startsAt\":\"2026-01-02T03:04:05.678Z\"")); // the first
    put(table, L1, NOTE, T0, T0 + 2000, at(3000));
    round_trip(table, 3000, ALERT_TAKEN, &body);
    put(table, L1, NOTE, T0, T0 + 2500, at(3500)); // its end told twice
    assert_int_equal(alert_table_waiting(table), 0);
    put(table, L1, NOTE, T0 + 4000, 0, at(4000)); // it fires again
    assert_int_equal(round_trip(table, 4000, ALERT_TAKEN, &body), 1);
    assert_non_null(strstr(body.data, "\"startsAt\":\"2026-01-02T03:04:09.678Z\""));
    assert_non_null(strstr(body.data, "\"endsAt\":\"2026-01-02T03:08:09.678Z\""));
    alert_table_remove(table, ME, L1); // forgotten, not resolved
    assert_true(alert_table_due_ms(table) == INT64_MAX);
    assert_int_equal(alert_table_firing(table), 0);
    buf_fini(&body);
    alert_table_free(table);
}

// Its partition went to another worker, which told it before the former one learnt of its loss.
static void who_lost_a_condition_cannot_silence_its_new_holder(void **state) {
    (void)state;
    struct alert_table *table = table_of(10, 256);
    const char *other = "other";
    put(table, L1, NOTE, T0, 0, at(0));
    alert_table_put(table, other, L1, NOTE, T0, 0, at(1));
    alert_table_remove(table, ME, L1);
    assert_int_equal(alert_table_firing(table), 1);
    alert_table_remove(table, other, L1);
    assert_int_equal(alert_table_firing(table), 0);
    alert_table_free(table);
}

static void news_go_before_repeats_in_bounded_batches(void **state) {
    (void)state;
    struct alert_table *table = table_of(10, 2);
    struct buf body = {0};
    put(table, L1, NOTE, T0, 0, at(0));
    put(table, L2, NOTE, T0, 0, at(0));
    round_trip(table, 0, ALERT_TAKEN, &body);
    put(table, L3, NOTE, T0, 0, at(2 * MINUTE));
    assert_int_equal(round_trip(table, 2 * MINUTE, ALERT_TAKEN, &body), 1);
    assert_non_null(strstr(body.data, L3));
    assert_int_equal(round_trip(table, 2 * MINUTE, ALERT_TAKEN, &body), 2);
    assert_non_null(strstr(body.data, L1));
    assert_non_null(strstr(body.data, "},{\"labels\":" L2));
    assert_int_equal(round_trip(table, 2 * MINUTE, ALERT_TAKEN, &body), 0);
    // Nearly due repeats ride along with a due one.
    put(table, L1, "{}", T0, 0, at(2 * MINUTE + 3000));
    round_trip(table, 2 * MINUTE + 3000, ALERT_TAKEN, &body);
    assert_int_equal(round_trip(table, 3 * MINUTE, ALERT_TAKEN, &body), 2);
    buf_fini(&body);
    alert_table_free(table);
}

static void what_failed_stays_due_and_what_changed_meanwhile_too(void **state) {
    (void)state;
    struct alert_table *table = table_of(10, 256);
    struct buf body = {0};
    size_t lost = 0;
    put(table, L1, NOTE, T0, 0, at(0));
    assert_int_equal(round_trip(table, 0, ALERT_FAILED, &body), 1);
    assert_int_equal(alert_table_due_ms(table), 0);
    assert_int_equal(take(table, true, at(1), &body, &lost), 1);
    put(table, L1, "{}", T0, 0, at(2));
    alert_table_settle(table, ALERT_TAKEN, at(3));
    assert_int_equal(alert_table_waiting(table), 1);
    assert_int_equal(round_trip(table, 4, ALERT_TAKEN, &body), 1);
    assert_non_null(strstr(body.data, "\"annotations\":{}"));
    // At the end of the agent repeats are left out: nothing but news.
    assert_int_equal(take(table, true, at(5 * MINUTE), &body, &lost), 0);
    assert_int_equal(take(table, false, at(5 * MINUTE), &body, &lost), 1);
    alert_table_remove(table, ME, L1); // gone while under way
    assert_int_equal(alert_table_settle(table, ALERT_TAKEN, at(5 * MINUTE)), 0);
    // An end that could not be told within the time it is kept is lost, and counted.
    put(table, L2, NOTE, T0, T0 + 1, at(5 * MINUTE));
    assert_int_equal(take(table, false, at(20 * MINUTE), &body, &lost), 0);
    assert_int_equal(lost, 1);
    buf_fini(&body);
    alert_table_free(table);
}

static void a_refused_batch_is_searched_for_the_culprit(void **state) {
    (void)state;
    struct alert_table *table = table_of(10, 256);
    struct buf body = {0};
    size_t lost = 0;
    put(table, L1, NOTE, T0, 0, at(0));
    put(table, L2, NOTE, T0, 0, at(0));
    put(table, L3, NOTE, T0, 0, at(0));
    assert_int_equal(take(table, false, at(0), &body, &lost), 3);
    assert_int_equal(alert_table_settle(table, ALERT_REFUSED, at(0)), 0);
    assert_int_equal(take(table, false, at(0), &body, &lost), 1);
    assert_int_equal(alert_table_settle(table, ALERT_TAKEN, at(0)), 0);
    put(table, L1, "{}", T0, 0, at(0)); // news of the one that was taken: the suspects stay behind
    assert_int_equal(round_trip(table, 0, ALERT_TAKEN, &body), 1);
    assert_non_null(strstr(body.data, L1));
    assert_int_equal(take(table, false, at(0), &body, &lost), 1);
    assert_non_null(strstr(body.data, L2));
    assert_int_equal(alert_table_settle(table, ALERT_REFUSED, at(0)), 1); // given up
    assert_int_equal(round_trip(table, 0, ALERT_TAKEN, &body), 1);
    assert_int_equal(round_trip(table, MINUTE, ALERT_TAKEN, &body), 2); // together again
    assert_null(strstr(body.data, L2));
    buf_fini(&body);
    alert_table_free(table);
}

static void a_full_table_gives_up_what_matters_least(void **state) {
    (void)state;
    struct alert_table *table = table_of(2, 256);
    struct buf body = {0};
    assert_int_equal(put(table, L1, NOTE, T0, 0, at(0)), 0);
    assert_int_equal(put(table, L2, NOTE, T0, T0, at(0)), 0);
    round_trip(table, 0, ALERT_TAKEN, &body);
    assert_int_equal(put(table, L3, NOTE, T0, 0, at(1)), 0); // the ended one goes
    assert_int_equal(alert_table_firing(table), 2);
    assert_int_equal(put(table, L2, NOTE, T0, 0, at(2)), 1); // the oldest goes
    assert_int_equal(alert_table_firing(table), 2);
    assert_int_equal(round_trip(table, 2, ALERT_TAKEN, &body), 2);
    assert_null(strstr(body.data, L1));
    assert_int_equal(put(table, L2, NOTE, T0, T0, at(3)), 0);
    round_trip(table, 3, ALERT_TAKEN, &body);
    assert_int_equal(put(table, L1, NOTE, T0, 0, at(4)), 0); // the ended one again
    buf_fini(&body);
    alert_table_free(table);
}

static void an_answer_means_the_same_to_every_door(void **state) {
    (void)state;
    static const struct {
        int code;
        enum alert_verdict verdict;
    } cases[] = {
        {100, ALERT_FAILED},    {200, ALERT_TAKEN},     {204, ALERT_TAKEN},
        {299, ALERT_TAKEN},     {300, ALERT_FORBIDDEN}, {302, ALERT_FORBIDDEN},
        {307, ALERT_FORBIDDEN}, {400, ALERT_REFUSED},   {401, ALERT_FORBIDDEN},
        {403, ALERT_FORBIDDEN}, {404, ALERT_FORBIDDEN}, {407, ALERT_FORBIDDEN},
        {408, ALERT_FAILED},    {409, ALERT_FORBIDDEN}, {413, ALERT_REFUSED},
        {415, ALERT_FORBIDDEN}, {422, ALERT_REFUSED},   {428, ALERT_FORBIDDEN},
        {429, ALERT_FAILED},    {431, ALERT_FORBIDDEN}, {499, ALERT_FORBIDDEN},
        {500, ALERT_FAILED},    {503, ALERT_FAILED},    {999, ALERT_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(alert_verdict_of(cases[i].code), cases[i].verdict);
    }
    assert_string_equal(alert_verdict_name(ALERT_TAKEN), "taken");
    assert_string_equal(alert_verdict_name(ALERT_FAILED), "failed");
}

static void failures_put_the_next_try_off(void **state) {
    (void)state;
    int64_t pause_ms = 0;
    static const int64_t want_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, MINUTE, MINUTE};
    for (size_t i = 0; i < ARRAY_LEN(want_ms); i++) {
        pause_ms = alert_pause_ms(ALERT_FAILED, pause_ms, MINUTE);
        assert_int_equal(pause_ms, want_ms[i]);
    }
    assert_int_equal(alert_pause_ms(ALERT_TAKEN, pause_ms, MINUTE), 0);
    assert_int_equal(alert_pause_ms(ALERT_REFUSED, pause_ms, MINUTE), 0);
    assert_int_equal(alert_pause_ms(ALERT_FORBIDDEN, 0, MINUTE), MINUTE);
    assert_int_equal(alert_pause_ms(ALERT_FAILED, MINUTE, MINUTE), MINUTE);
    assert_int_equal(alert_pause_ms(ALERT_FAILED, 0, 100), 100); // never longer than the interval
    assert_int_equal(alert_pause_ms(ALERT_FAILED, INT64_MAX - 1, INT64_MAX), INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_is_told_repeated_and_ended),
        cmocka_unit_test(times_stay_in_order_whatever_the_event_says),
        cmocka_unit_test(only_changes_are_news),
        cmocka_unit_test(who_lost_a_condition_cannot_silence_its_new_holder),
        cmocka_unit_test(news_go_before_repeats_in_bounded_batches),
        cmocka_unit_test(what_failed_stays_due_and_what_changed_meanwhile_too),
        cmocka_unit_test(a_refused_batch_is_searched_for_the_culprit),
        cmocka_unit_test(a_full_table_gives_up_what_matters_least),
        cmocka_unit_test(an_answer_means_the_same_to_every_door),
        cmocka_unit_test(failures_put_the_next_try_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
