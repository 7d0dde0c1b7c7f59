// test_detect_lag: streaming_lag on queries that fall behind, and on healthy ones that look like
// it: a first or a single slow batch, a query that is busy all the time, bursts, working off what
// had gathered, a length that settles.
#include "detect_kit.h"

#include "base/mem.h"
#include "support/spark.h"

// Batches of one query, each in seconds: when it began and how long it took.
static struct app *query(const double (*batches)[2], size_t count) {
    struct app *app = spark_app();
    app->now_ms = app->started_ms + 3600000;
    for (size_t i = 0; i < count; i++) {
        struct event event = {.kind = EVENT_STREAM_PROGRESS};
        event.stream = (struct event_stream){.query_id = STR("q"),
                                             .run_id = STR("r"),
                                             .name = STR("clicks"),
                                             .batch_id = (int64_t)i,
                                             .began_ms = 1000000 + (int64_t)(batches[i][0] * 1000),
                                             .trigger_ms = (int64_t)(batches[i][1] * 1000),
                                             .input_rows = 100};
        app_apply(app, &event, NULL);
    }
    return app;
}

// The same where each begins when the one before is done, or at the next multiple of a trigger.
static struct app *query_of(const double *took_s, size_t count, double trigger_s) {
    double batches[32][2], at_s = 0;
    assert_true(count <= ARRAY_LEN(batches));
    for (size_t i = 0; i < count; i++) {
        batches[i][0] = at_s;
        batches[i][1] = took_s[i];
        at_s += fmax(took_s[i], trigger_s);
    }
    return query(batches, count);
}

static struct verdict lag_of(const double *took_s, size_t count, double trigger_s) {
    struct app *app = query_of(took_s, count, trigger_s);
    struct verdict v = judge(KIND_STREAMING_LAG, app, NULL, false);
    app_free(app);
    return v;
}
#define LAG_OF(trigger_s, ...)                                                                     \
    lag_of((const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double),        \
           trigger_s)

static void a_query_that_falls_behind_is_told(void **state) {
    (void)state;
    // Rows come a fifth faster than they are processed.
    struct verdict v = LAG_OF(0, 10, 10, 12, 14.4, 17.28, 20.736);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.floor, SEVERITY_MODERATE);
    assert_near(v.saving_s, 10.736, 1e-9); // since the batch that took 10 s
    assert_near(evidence(&v, "batches_behind"), 4, 0);
    assert_near(evidence(&v, "growth"), 38.016 / 22, 1e-9);
    // It kept its trigger first, then no more, slowly worsening.
    v = LAG_OF(10, 9, 4, 9, 11.5, 12, 12.6, 13.2, 13.9, 14.6, 15.3, 16, 16.8);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "trigger_s"), 10, 0);
    assert_int_equal(v.confidence, CONFIDENCE_HIGH);
    assert_int_equal(LAG_OF(0, 10, 12, 15, 18, 22, 27, 33).confidence, CONFIDENCE_MEDIUM);
    assert_int_equal(LAG_OF(0, 10, 12, 15, 18, 22, 27).confidence, CONFIDENCE_LOW);
}

static void a_query_that_keeps_up_is_silent(void **state) {
    (void)state;
    // With time to spare, at every length.
    assert_int_equal(LAG_OF(10, 2, 3, 4, 5, 6, 7, 8, 9).rule_met, TRI_FALSE);
    // Busy all the time, by noise now longer and now shorter.
    assert_int_equal(LAG_OF(0, 10, 11, 9, 12, 10, 9, 13, 10, 11).rule_met, TRI_FALSE);
    // Longer than its trigger, and no worse.
    assert_int_equal(LAG_OF(10, 8, 12, 12, 12, 12, 12, 12).rule_met, TRI_FALSE);
    // It worked off what had gathered while it was stopped.
    assert_int_equal(LAG_OF(0, 300, 200, 130, 90, 60, 40, 30).rule_met, TRI_FALSE);
    // It settles: what comes during a batch takes 0.7 of its length, and 5 s at least.
    assert_int_equal(LAG_OF(0, 5, 8.5, 10.95, 12.67, 13.87, 14.71, 15.3, 15.7, 16, 16.2).rule_met,
                     TRI_FALSE);
    assert_int_equal(LAG_OF(0, 5, 8.5, 10.95, 12.67, 13.87).rule_met, TRI_FALSE); // and so far
}

static void one_slow_batch_is_no_lag(void **state) {
    (void)state;
    assert_int_equal(LAG_OF(10, 60, 15, 3, 3, 3, 3).rule_met, TRI_FALSE); // the first
    assert_int_equal(LAG_OF(10, 3, 3, 3, 3, 3, 90).rule_met, TRI_FALSE);  // the last
    assert_int_equal(LAG_OF(0, 3, 3, 3, 90, 20, 5, 3, 3).rule_met, TRI_FALSE);
}

static void few_batches_and_few_seconds_are_none(void **state) {
    (void)state;
    assert_int_equal(LAG_OF(0, 10, 20, 40).rule_met, TRI_FALSE);
    assert_int_equal(LAG_OF(0, 10, 13, 18, 25.9).rule_met, TRI_FALSE); // three count
    assert_int_equal(LAG_OF(0, 10, 13, 18, 26).rule_met, TRI_TRUE);    // the last twice the first
    assert_int_equal(LAG_OF(0, 10, 13, 13, 26).rule_met, TRI_FALSE);   // and each behind
    assert_int_equal(LAG_OF(0, 10, 13, 16.9, 22).rule_met, TRI_FALSE);
    assert_int_equal(LAG_OF(0, 10, 13, 16.9, 22, 28.6).rule_met, TRI_TRUE);
    assert_int_equal(LAG_OF(0, 1, 1.5, 2.2, 3.3, 3.999).rule_met, TRI_FALSE);
    assert_int_equal(LAG_OF(0, 1, 1.5, 2.2, 3.3, 4).rule_met, TRI_TRUE);
    // A little more with every batch.
    assert_int_equal(LAG_OF(0, 4, 2.4, 3, 3.6, 4.2, 4.8, 5.4, 6, 6.6, 7.2).rule_met, TRI_TRUE);
}

// Two of three batches, more than 1.05 times as long as their rows came in, growing by 1.5.
static void thresholds_stand_where_they_stand(void **state) {
    (void)state;
    assert_int_equal(LAG_OF(0, 40, 40, 40, 42.1, 54.7, 71.1, 92.4).rule_met, TRI_TRUE);
    assert_int_equal(LAG_OF(0, 40, 40, 40, 41.9, 54.7, 71.1, 92.4).rule_met, TRI_FALSE);
    assert_int_equal(LAG_OF(0, 40, 50, 50, 60, 90).rule_met, TRI_TRUE); // grows by 1.5
    assert_int_equal(LAG_OF(0, 40, 50, 50, 60, 89.9).rule_met, TRI_FALSE);
    assert_int_equal(LAG_OF(0, 40, 46, 46, 46, 90).rule_met, TRI_FALSE); // two of four
    // Of many, the last but one will do.
    assert_int_equal(LAG_OF(0, 10, 12, 15, 18, 22, 27, 33, 40, 40).rule_met, TRI_TRUE);
    assert_int_equal(LAG_OF(0, 10, 12, 15, 18, 22, 27, 27).rule_met, TRI_FALSE);
}

// Rows that come in bursts are taken at once; between them the query has time.
static void bursts_are_no_lag(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int64_t i = 0; i < 12; i++) {
        struct event event = {.kind = EVENT_STREAM_PROGRESS};
        event.stream = (struct event_stream){.query_id = STR("q"),
                                             .run_id = STR("r"),
                                             .batch_id = i,
                                             .began_ms = 1000000 + i * 30000,
                                             .trigger_ms = 6000 + 300 * i,
                                             .input_rows = 100000,
                                             .input_per_s = 1e7,
                                             .processed_per_s = 1e4};
        app_apply(app, &event, NULL);
    }
    assert_int_equal(judge(KIND_STREAMING_LAG, app, NULL, true).rule_met, TRI_FALSE);
    app_free(app);
}

// Rates alone, of a log whose instants cannot be read: in every batch so many rows more than it
// took that nothing has to grow.
static void rates_alone_tell_it(void **state) {
    (void)state;
    const double inputs[] = {1250, 1249};
    for (size_t round = 0; round < ARRAY_LEN(inputs); round++) {
        struct app *app = spark_app();
        app->now_ms = app->started_ms + 1000000;
        for (int64_t i = 0; i < 6; i++) {
            struct event event = {.kind = EVENT_STREAM_PROGRESS};
            event.stream = (struct event_stream){.query_id = STR("q"),
                                                 .run_id = STR("r"),
                                                 .batch_id = i,
                                                 .batch_ms = 20000,
                                                 .input_rows = 100000,
                                                 .input_per_s = inputs[round],
                                                 .processed_per_s = 1000};
            app_apply(app, &event, NULL);
        }
        struct verdict v = judge(KIND_STREAMING_LAG, app, NULL, true);
        assert_int_equal(v.rule_met, round == 0 ? TRI_TRUE : TRI_FALSE);
        app_free(app);
    }
}

static void the_worst_query_is_named_and_saves_no_more_than_the_run(void **state) {
    (void)state;
    const double took_s[] = {10, 20, 40, 80, 160, 320};
    struct app *app = query_of(took_s, ARRAY_LEN(took_s), 0);
    for (int64_t i = 0; i < 6; i++) {
        struct event event = {.kind = EVENT_STREAM_PROGRESS};
        event.stream = (struct event_stream){.query_id = STR("other"),
                                             .run_id = STR("r"),
                                             .name = STR("orders"),
                                             .batch_id = i,
                                             .began_ms = 1000000 + 1000 * i,
                                             .trigger_ms = 900,
                                             .input_rows = 1};
        app_apply(app, &event, NULL);
    }
    struct verdict v = judge(KIND_STREAMING_LAG, app, NULL, true);
    assert_non_null(strstr(v.summary, "clicks"));
    assert_near(v.saving_s, 310, 1e-9);
    app->now_ms = app->started_ms + 100000;
    assert_near(judge(KIND_STREAMING_LAG, app, NULL, true).saving_s, 100, 1e-9);
    app_free(app);
    app = spark_app(); // no query at all
    assert_int_equal(judge(KIND_STREAMING_LAG, app, NULL, true).rule_met, TRI_FALSE);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_that_falls_behind_is_told),
        cmocka_unit_test(a_query_that_keeps_up_is_silent),
        cmocka_unit_test(one_slow_batch_is_no_lag),
        cmocka_unit_test(few_batches_and_few_seconds_are_none),
        cmocka_unit_test(thresholds_stand_where_they_stand),
        cmocka_unit_test(bursts_are_no_lag),
        cmocka_unit_test(rates_alone_tell_it),
        cmocka_unit_test(the_worst_query_is_named_and_saves_no_more_than_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
