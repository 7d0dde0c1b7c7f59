// test_pipeline_name: what a run is called: the order of the places where a name may stand, and
// what of a name is the mark of one run.
#include "support/test.h"

#include <string.h>

#include "support/spark.h"

#define LABEL "spark.kubernetes.driver.label.sparkoperator.k8s.io/"

struct named {
    const char *name, *expected;
};

static void is_unmarked(const struct named *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct str bare = app_name_unmarked(str_of(cases[i].name));
        if (!str_is(bare, cases[i].expected)) {
            fail_msg("\"%s\" became \"%.*s\", not \"%s\"", cases[i].name, (int)bare.len, bare.p,
                     cases[i].expected);
        }
    }
}

static void dates_and_times_are_marks(void **state) {
    (void)state;
    static const struct named cases[] = {
        {"NewYorkTaxiData_2025_06_27_03_56_52", "NewYorkTaxiData"},
        {"etl-20260101", "etl"},
        {"etl 2026-01-01T03:04:05", "etl"},
        {"etl 2026-01-01T03:04:05.123456+00:00", "etl"},
        {"etl-20260101T030405Z", "etl"},
        {"etl-2026-01-01t03-04-05z", "etl"},
        {"hourly-2025-10-09-03", "hourly"},
        {"hourly-2025-10-9-3", "hourly"},
        {"hourly_20251009_03", "hourly"},
        {"hourly_20251009_0315", "hourly"},
        {"hourly/2025/10/09/03", "hourly"},
        {"monthly-2025-10", "monthly"},
        {"weekly-2025-W41", "weekly"},
        {"report (2025-10-09)", "report"},
        {"report 09.10.2025", "report"},
        {"report 09/10/2025 03:15", "report"},
        {"report 9 Oct 2025", "report"},
        {"report October 9, 2025", "report"},
        {"report-09-Oct-2025", "report"},
        {"report Oct 2025", "report"},
        {"report 2025-10-09 03:15:00 UTC", "report"},
        {"report 03:15", "report"},
        {"report 3:04:05.678", "report"},
        {"etl-2025-10-09-42", "etl"}, // a number behind a date counts the runs of the day
        {"etl20251009", "etl"},
        {"etl_dt=2025-10-09", "etl_dt"},
        {"data2025-10-09", "data"},
        {"Customer 360 2025-10-09", "Customer 360"},
        {"region-7-2025-10-09", "region-7"},
        {"region-7-8-2025-10-09", "region-7-8"},
        {"etl \xE2\x80\x93 2025-10-09", "etl"},
        {"\xE6\x97\xA5\xE5\xA0\xB1"
         "20251009",
         "\xE6\x97\xA5\xE5\xA0\xB1"},
        {"\xE6\x97\xA5\xE5\xA0\xB1 2025-10-09", "\xE6\x97\xA5\xE5\xA0\xB1"},
    };
    is_unmarked(cases, ARRAY_LEN(cases));
}

static void long_numbers_uuids_and_hashes_are_marks(void **state) {
    (void)state;
    static const struct named cases[] = {
        {"nightly-etl-1760000000123456789", "nightly-etl"}, // nanoseconds
        {"nightly-etl-1760000000123456", "nightly-etl"},
        {"nightly-etl-1760000000123", "nightly-etl"},
        {"nightly-etl-1760000000", "nightly-etl"},
        {"nightly-etl-29333333", "nightly-etl"}, // minutes
        {"run 123456", "run"},
        {"run 12345", "run 12345"},
        {"job-123e4567-e89b-12d3-a456-426614174000", "job"},
        {"job 123E4567-E89B-12D3-A456-426614174000 20251009", "job"},
        {"job-123e4567-e89b-12d3-a456-42661417400g", "job-123e4567-e89b-12d3-a456-42661417400g"},
        {"x-deadbeefdeadbeef01", "x"},
        {"x-deadbeefdeadbeef", "x"},
        {"x-deadbeefdeadbee", "x-deadbeefdeadbee"},
        {"etl_application_1748649600000_0017", "etl_application"},
    };
    is_unmarked(cases, ARRAY_LEN(cases));
}

static void one_random_word_goes_with_a_date(void **state) {
    (void)state;
    static const struct named cases[] = {
        {"etl-2025-10-09-x7k2p", "etl"},
        {"etl-2025-10-09-03-x7k2pq9z", "etl"},
        {"etl-20251009-abcde", "etl"},
        {"etl-1760000000-abcde", "etl"},
        {"etl-2025-10-09-abcd", "etl-2025-10-09-abcd"},           // too short
        {"etl-2025-10-09-abcdefghi", "etl-2025-10-09-abcdefghi"}, // too long
        {"etl-2025-10-09-Abcde", "etl-2025-10-09-Abcde"},
        {"etl-2025-10-09-abcde-fghij", "etl-2025-10-09-abcde-fghij"}, // two
        {"etl-abcdefg2-2025-10-09-abcde", "etl-abcdefg2"},
        {"etl-x7k2pq9z", "etl-x7k2pq9z"}, // cannot be told from a word
        {"load-orders", "load-orders"},
        {"load-123456-orders", "load-123456-orders"}, // no date
    };
    is_unmarked(cases, ARRAY_LEN(cases));
}

static void short_numbers_belong_to_the_name(void **state) {
    (void)state;
    static const struct named cases[] = {
        {"Customer 360", "Customer 360"},
        {"region-9", "region-9"},
        {"daily report #17", "daily report #17"},
        {"etl (42)", "etl (42)"},
        {"load-v2", "load-v2"},
        {"load-1.2.3", "load-1.2.3"},
        {"load-10-11-12", "load-10-11-12"},
        {"q72", "q72"},
        {"TPC-H 22", "TPC-H 22"},
        {"budget 2025", "budget 2025"},
        {"etl-2025-13", "etl-2025-13"},
        {"etl-2025-10-32", "etl-2025-10-32"},
        {"ratio 16:9", "ratio 16:9"},
        {"in May", "in May"},
        {"facade", "facade"},
        {"Caf\xC3\xA9 7", "Caf\xC3\xA9 7"},
    };
    is_unmarked(cases, ARRAY_LEN(cases));
}

static void nothing_is_left_without_a_name(void **state) {
    (void)state;
    static const struct named cases[] = {
        {"", ""},
        {"-", "-"},
        {" - ", " - "},
        {"2026", "2026"},
        {"20251009", "20251009"},
        {"2025-10-09", "2025-10-09"},
        {"-2025-10-09-", "-2025-10-09-"},
        {"123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"},
        {"123456 20251009", "123456"},
        {"1760000000-abcde", "1760000000-abcde"},
    };
    is_unmarked(cases, ARRAY_LEN(cases));
}

static void tell(struct app *app, const char *key, const char *value) {
    struct event event = {.kind = EVENT_ENVIRONMENT};
    struct event_property property = {str_of(key), str_of(value)};
    event.environment.properties = &property;
    event.environment.property_count = 1;
    app_apply(app, &event, NULL);
}

static void the_first_place_that_says_something_wins(void **state) {
    (void)state;
    static const char *const keys[] = {"spark.stoker.pipeline", LABEL "scheduled-app-name",
                                       LABEL "app-name", "spark.databricks.job.id", "app_name"};
    static const struct pipeline_rule rule = {keys, ARRAY_LEN(keys)};
    static const struct {
        const char *key, *value, *expected;
    } steps[] = {
        {"spark.app.name", "a-20251009", "a"},
        {"spark.app.name", "later-20251009", "a"}, // the first word stays
        {"spark.databricks.job.id", "123456789", "123456789"},
        {LABEL "app-name", "", "123456789"},
        {LABEL "app-name", "nightly-1760000000", "nightly"},
        {LABEL "scheduled-app-name", "night-1760000000", "night-1760000000"}, // as it is
        {"spark.stoker.pipeline", "orders-20251009", "orders-20251009"},
    };
    struct app *app = app_new("c", STR("a"), STR(""), &rule);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        tell(app, steps[i].key, steps[i].value);
        assert_string_equal(app->identity.pipeline, steps[i].expected);
    }
    app_free(app);
}

static void the_start_knows_the_name_better_than_a_property(void **state) {
    (void)state;
    struct app *app = app_new("c", STR("a"), STR(""), &spark_rule);
    struct event job = {.kind = EVENT_JOB_START, .time_ms = 1000};
    struct event_property property = {STR("spark.app.name"), STR("etl-2025-10-09")};
    job.job.properties = &property;
    job.job.property_count = 1;
    app_apply(app, &job, NULL);
    assert_string_equal(app->identity.pipeline, "etl");
    assert_string_equal(app->identity.app_name, "etl-2025-10-09");
    struct event start = {.kind = EVENT_APP_START, .time_ms = 1000};
    app_apply(app, &start, NULL); // says no name
    assert_string_equal(app->identity.pipeline, "etl");
    start.app_start.name = STR("orders 7");
    app_apply(app, &start, NULL);
    assert_string_equal(app->identity.pipeline, "orders 7");
    app_free(app);
}

static void a_property_may_tell_whose_log_it_is(void **state) {
    (void)state;
    struct app *app = app_new("c", STR(""), STR(""), &spark_rule);
    char unknown[ID_TEXT_SIZE];
    memcpy(unknown, app->run_id, sizeof unknown);
    struct event event = {
        .kind = EVENT_ENVIRONMENT, .app_id = STR("app-7"), .app_attempt = STR("2")};
    app_apply(app, &event, NULL);
    assert_string_equal(app->identity.app_id, "app-7");
    assert_string_equal(app->identity.attempt, "2");
    assert_string_not_equal(app->run_id, unknown);
    event.app_id = STR("app-8"); // it has its id
    app_apply(app, &event, NULL);
    assert_string_equal(app->identity.app_id, "app-7");
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_times_are_marks),
        cmocka_unit_test(long_numbers_uuids_and_hashes_are_marks),
        cmocka_unit_test(one_random_word_goes_with_a_date),
        cmocka_unit_test(short_numbers_belong_to_the_name),
        cmocka_unit_test(nothing_is_left_without_a_name),
        cmocka_unit_test(the_first_place_that_says_something_wins),
        cmocka_unit_test(the_start_knows_the_name_better_than_a_property),
        cmocka_unit_test(a_property_may_tell_whose_log_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
