// test_groups: runs by pipeline and data size, averages with their spread, and the baseline.
#include "support/test.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "runs/groups.h"

static struct report report;

static int begin(void **state) {
    (void)state;
    report = (struct report){0};
    return 0;
}
static int end(void **state) {
    (void)state;
    report_fini(&report);
    return 0;
}

// A run of so many bytes and seconds; its records are its bytes.
static struct report_run *add(const char *pipeline, double bytes, double duration_s) {
    static int64_t started_ms = 1700000000000; // 2023-11-14, 22:13:20
    struct report_run *run = report_add(&report);
    *run = (struct report_run){.log = mem_strdup("logs/v1/x.zstd"),
                               .tags = mem_strdup(""),
                               .status = RUN_SUCCEEDED,
                               .started_ms = started_ms++,
                               .duration_s = duration_s,
                               .completeness = 1,
                               .records = (int64_t)bytes,
                               .data_size_bytes = (int64_t)bytes,
                               .records_per_s = duration_s > 0 ? bytes / duration_s : 0,
                               .gb_per_h = duration_s > 0 ? bytes / duration_s : 0};
    snprintf(run->identity.pipeline, sizeof run->identity.pipeline, "%s", pipeline);
    snprintf(run->identity.app_id, sizeof run->identity.app_id, "app-%u", report.run_count);
    return run;
}

// Sizes of the runs of a pipeline's groups, as "1 2|5".
static void check_groups(uint32_t pipeline, const char *want) {
    struct buf got = {0};
    const struct report_pipeline *p = &report.pipelines[pipeline];
    for (uint32_t g = 0; g < p->group_count; g++) {
        buf_add_text(&got, g > 0 ? "|" : "");
        for (uint32_t i = 0; i < p->groups[g].count; i++) {
            buf_printf(&got, "%s%lld", i > 0 ? " " : "",
                       (long long)report.runs[p->groups[g].first + i].data_size_bytes);
        }
    }
    assert_string_equal(buf_text(&got), want);
    buf_fini(&got);
}

static void runs_of_a_size_stand_together(void **state) {
    (void)state;
    static const double sizes[] = {1000, 1030, 980, 100, 99, 5000, 2100};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        add("etl", sizes[i], 10);
    }
    add("other", 7, 10);
    report_build(&report);
    assert_int_equal(report.pipeline_count, 2);
    check_groups(0, "100 99|1000 1030 980|2100|5000"); // within a group by their start
    check_groups(1, "7");
    const struct report_group *group = &report.pipelines[0].groups[1];
    assert_int_equal(group->unit, SIZE_BYTES);
    assert_true(group->size_min == 980 && group->size_max == 1030);
    assert_true(fabs(group->size - 3010.0 / 3) < 1e-9);
}

// Just above twice the smallest: parted where the gap is widest, not where the factor ends.
static void a_group_is_parted_at_the_widest_gap(void **state) {
    (void)state;
    static const double sizes[] = {1000, 1400, 1420, 2010, 2020};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        add("etl", sizes[i], 10);
    }
    add("twice", 1000, 10);
    add("twice", 2000, 10);
    report_build(&report);
    check_groups(0, "1000 1400 1420|2010 2020");
    check_groups(1, "1000 2000");
}

static void without_bytes_records_are_the_size(void **state) {
    (void)state;
    add("etl", 1000, 10);
    add("etl", 1000, 10)->data_size_bytes = 0;
    struct report_run *run = add("etl", 1000, 10);
    run->data_size_bytes = run->records = 0;
    report_build(&report);
    const struct report_pipeline *p = &report.pipelines[0];
    assert_int_equal(p->group_count, 3);
    assert_int_equal(p->groups[0].unit, SIZE_BYTES);
    assert_int_equal(p->groups[1].unit, SIZE_RECORDS);
    assert_int_equal(p->groups[2].unit, SIZE_UNKNOWN);
    for (uint32_t i = 0; i < 3; i++) { // none has another of its kind
        assert_true(p->groups[i].is_baseline && p->groups[i].ratio == 1);
    }
}

static void a_size_that_was_asked_for_is_its_group(void **state) {
    (void)state;
    static const char *const asked[] = {"1e6", "small", "100000", "1e6", "100000"};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        add("etl", 1000 + (double)i, 10)->asked = mem_strdup(asked[i]);
    }
    report_build(&report);
    check_groups(0, "1001|1002 1004|1000 1003"); // what is no number comes first
    assert_string_equal(report.pipelines[0].groups[2].asked, "1e6");
    assert_int_equal(report.pipelines[0].groups[2].unit, SIZE_ASKED);
}

static void averages_have_their_spread(void **state) {
    (void)state;
    static const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct spread spread = spread_of(values, ARRAY_LEN(values));
    assert_true(spread.mean == 5 && spread.min == 2 && spread.max == 9);
    assert_true(fabs(spread.deviation - sqrt(32.0 / 7)) < 1e-12);
    spread = spread_of(values, 1);
    assert_true(spread.mean == 2 && spread.deviation == 0 && spread.count == 1);
    spread = spread_of(values, 0);
    assert_true(spread.mean == 0 && spread.count == 0);
    add("etl", 1000, 10);
    add("etl", 1000, 20);
    report_build(&report);
    const struct report_group *group = &report.pipelines[0].groups[0];
    assert_true(group->duration_s.mean == 15 && group->duration_s.max == 20);
    assert_true(group->records_per_s.mean == 75); // of the runs' rates, not of all over all
}

static void what_did_not_end_well_is_in_no_average(void **state) {
    (void)state;
    static const enum run_status statuses[] = {RUN_RUNNING, RUN_FAILED, RUN_LOST, RUN_KILLED};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        add("etl", 1000, 1)->status = statuses[i];
    }
    add("etl", 1000, 1)->completeness = 0.5;
    add("etl", 1000, 0);
    add("etl", 1000, 10);
    report_build(&report);
    const struct report_pipeline *p = &report.pipelines[0];
    assert_int_equal(p->group_count, 1);
    assert_true(p->groups[0].duration_s.mean == 10);
    assert_int_equal(p->left_out_count, 6);
    for (uint32_t i = 0; i < p->left_out_count; i++) {
        assert_non_null(report_run_left_out(&report.runs[p->left_out_first + i]));
    }
}

// Without a baseline that was named the smallest size is it.
static void a_pipeline_scales_by_its_smallest_size(void **state) {
    (void)state;
    add("etl", 1000, 10);
    add("etl", 10000, 50);
    add("etl", 100000, 2000);
    report_build(&report);
    const struct report_group *groups = report.pipelines[0].groups;
    assert_true(groups[0].is_baseline && groups[0].ratio == 1 && !groups[0].apart);
    assert_true(groups[1].ratio == 2 && groups[1].ratio_to == 0 && groups[1].apart);
    assert_true(groups[2].ratio == 0.5 && !groups[2].is_baseline);
    assert_string_equal(groups[2].ratio_of, "records/s");
}

static void a_baseline_is_named_by_whatever_tells_it(void **state) {
    (void)state;
    add("etl", 1000, 10);
    struct report_run *run = add("etl", 1000, 10);
    mem_free(run->log);
    run->log = mem_strdup("logs/v2/y.zstd");
    mem_free(run->tags);
    run->tags = mem_strdup("nightly, release-7");
    run->started_ms += 86400000;
    static const struct {
        const char *word;
        uint32_t count;
    } cases[] = {{"app-1", 1},      {"app-2", 1},      {"logs/v2/y.zstd", 1}, {"v1", 1},
                 {"v", 0},          {"release-7", 1},  {"release", 0},        {"2023-11-15", 1},
                 {"2023-11-14", 1}, {"2023-11-16", 0}, {"logs", 2},           {"", 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(report_set_baseline(&report, cases[i].word), cases[i].count);
    }
}

// The runs that are no baseline against those that are; a size without one, against the nearest.
static void the_others_are_held_against_the_baseline(void **state) {
    (void)state;
    add("etl", 1000, 10)->baseline = true;
    add("etl", 1000, 20)->baseline = true;
    add("etl", 1000, 5);
    add("etl", 1000, 4);
    add("etl", 9000, 100);
    add("etl", 30000, 100)->baseline = true;
    add("none", 1000, 10);
    report.baseline_named = true;
    report_build(&report);
    const struct report_group *groups = report.pipelines[0].groups;
    assert_int_equal(report.pipelines[0].group_count, 3);
    assert_true(fabs(groups[0].ratio - 225.0 / 75) < 1e-12); // 200 and 250 over 100 and 50
    assert_true(groups[0].ratio_to == 0 && groups[0].apart && !groups[0].is_baseline);
    assert_true(groups[1].ratio_to == 2 && fabs(groups[1].ratio - 90.0 / 300) < 1e-12);
    assert_true(groups[2].is_baseline && groups[2].ratio == 1);
    assert_int_equal(report.pipelines[1].groups[0].ratio_to, -1);
}

// Rates that are not known of all runs compare nothing.
static void a_ratio_is_of_what_is_known(void **state) {
    (void)state;
    add("etl", 1000, 10);
    struct report_run *run = add("etl", 10000, 10);
    run->records_per_s = 0;
    report_build(&report);
    assert_string_equal(report.pipelines[0].groups[1].ratio_of, "GB/h");
    assert_true(report.pipelines[0].groups[1].ratio == 10);
    report_fini(&report);
    add("etl", 1000, 10)->gb_per_h = 0;
    run = add("etl", 10000, 40);
    run->records_per_s = run->gb_per_h = 0;
    report_build(&report);
    assert_string_equal(report.pipelines[0].groups[1].ratio_of, "1/duration");
    assert_true(report.pipelines[0].groups[1].ratio == 0.25);
}

#define GROUPS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        GROUPS_TEST(runs_of_a_size_stand_together),
        GROUPS_TEST(a_group_is_parted_at_the_widest_gap),
        GROUPS_TEST(without_bytes_records_are_the_size),
        GROUPS_TEST(a_size_that_was_asked_for_is_its_group),
        GROUPS_TEST(averages_have_their_spread),
        GROUPS_TEST(what_did_not_end_well_is_in_no_average),
        GROUPS_TEST(a_pipeline_scales_by_its_smallest_size),
        GROUPS_TEST(a_baseline_is_named_by_whatever_tells_it),
        GROUPS_TEST(the_others_are_held_against_the_baseline),
        GROUPS_TEST(a_ratio_is_of_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
