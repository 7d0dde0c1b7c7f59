// test_record_facts: what a run's record tells is what is compared and reported; what it does not
// is unknown, never nothing.
#include "records_kit.h"

#include "base/buf.h"
#include "present/render_runs.h"
#include "runs/compare.h"
#include "runs/groups.h"

// A run of 100 s with a stage of 40 s: 4 tasks of 10 s, 36 s of CPU time, 1,000 records of input.
struct told {
    struct pipeline_run run;
    struct stage_summary stages[3];
    struct open_bottleneck open[2];
    struct told_setting settings[2];
};

static void told_init(struct told *told, const char *app_id, int64_t start_s) {
    *told = (struct told){.run = records_run(app_id, start_s)};
    told->stages[0] = (struct stage_summary){.stage = 4,
                                             .name = "collect at job.py:7",
                                             .submitted_ms = start_s * 1000 + 1000,
                                             .completed_ms = start_s * 1000 + 41000,
                                             .tasks = 4,
                                             .mean_task_ms = 10000,
                                             .max_task_ms = 12000,
                                             .input_bytes = 5000,
                                             .input_records = 1000,
                                             .cpu_ns = 36000000000};
    told->run.stages = told->stages;
    told->run.stage_count = 1;
    told->run.totals.stages = 1;
    told->run.open = told->open;
    told->run.settings = told->settings;
}

static void a_stage_is_the_sum_of_its_attempts(void **state) {
    (void)state;
    struct told told;
    told_init(&told, "app-1", 1000);
    told.stages[1] = told.stages[0];
    told.stages[1].attempt = 1;
    told.stages[1].shuffle_read_bytes = 10;
    told.stages[2] = (struct stage_summary){.stage = 9}; // never began
    told.run.stage_count = 3;
    told.run.totals.stages = 5;
    struct run_facts *facts = run_facts_of_record(&told.run);
    assert_int_equal(facts->stage_count, 1);
    const struct stage_facts *stage = &facts->stages[0];
    assert_int_equal(stage->stage, 4);
    assert_int_equal(stage->attempts, 2);
    assert_int_equal(stage->wall_ms, 80000);
    assert_int_equal(stage->task_ms, 80000);
    assert_int_equal(stage->cpu_ns, 72000000000);
    assert_int_equal(stage->bytes, 10010);
    assert_int_equal(stage->records, FACTS_UNKNOWN); // of what was shuffled nobody counted them
    assert_int_equal(stage->slots, FACTS_UNKNOWN);
    assert_int_equal(stage->wait_ms, FACTS_UNKNOWN);
    assert_int_equal(facts->stages_untold, 2);
    assert_true(facts->settings_untold);
    assert_true(facts->of_record);
    run_facts_free(facts);
}

static void an_attempt_that_failed_lingered_nobody_knows_how_long(void **state) {
    (void)state;
    struct told told;
    told_init(&told, "app-1", 1000);
    told.stages[0].failed = true;
    struct run_facts *facts = run_facts_of_record(&told.run);
    assert_int_equal(facts->stages[0].wall_ms, FACTS_UNKNOWN);
    run_facts_free(facts);
    told_init(&told, "app-1", 1000);
    told.stages[0].completed_ms = 0;
    facts = run_facts_of_record(&told.run);
    assert_int_equal(facts->stages[0].wall_ms, FACTS_UNKNOWN);
    run_facts_free(facts);
}

static void numbers_that_cannot_be_do_no_harm(void **state) {
    (void)state;
    struct told told;
    told_init(&told, "app-1", 1000);
    told.stages[0].input_bytes = INT64_MAX;
    told.stages[0].shuffle_read_bytes = INT64_MAX;
    told.stages[0].tasks = INT64_MIN;
    told.stages[0].mean_task_ms = 1e300;
    told.stages[0].submitted_ms = INT64_MIN;
    told.stages[1] = told.stages[0];
    told.stages[1].tasks = INT64_MAX;
    told.run.stage_count = 2;
    told.run.totals.stages = INT64_MIN;
    told.run.open_by_severity[SEVERITY_LOW] = INT64_MAX;
    told.run.open_by_severity[SEVERITY_SEVERE] = INT64_MAX;
    struct run_facts *facts = run_facts_of_record(&told.run);
    assert_int_equal(facts->stages[0].bytes, INT64_MAX);
    assert_int_equal(facts->stages[0].wall_ms, FACTS_UNKNOWN);
    assert_int_equal(facts->stages_untold, 0);
    assert_true(facts->findings_untold);
    run_facts_free(facts);
}

// B computes three times as long for as many records, and has a setting and a finding of its own.
static void told_pair(struct told *a, struct told *b) {
    told_init(a, "app-1", 1000);
    told_init(b, "app-2", 5000);
    b->run.duration_s = 180;
    b->stages[0].completed_ms += 80000;
    b->stages[0].mean_task_ms = 30000;
    b->stages[0].cpu_ns = 112000000000;
    b->open[0] = (struct open_bottleneck){
        .kind = KIND_DATA_SKEW, .severity = SEVERITY_SEVERE, .stage = 4, .summary = "uneven"};
    b->run.open_count = 1;
    a->settings[0] = (struct told_setting){"spark.executor.memory", "1g", "4g", "memory"};
    b->settings[0] = (struct told_setting){"spark.executor.memory", "2g", "", ""};
    b->settings[1] = (struct told_setting){"spark.serializer", "", "kryo", "memory"}; // not told
    a->run.setting_count = 1;
    b->run.setting_count = 2;
}

// Both forms, one after the other.
static const char *rendered(const struct comparison *c, struct buf *out) {
    struct render_style style = {.width = 120};
    buf_clear(out);
    render_compare_text(out, c, &style);
    render_compare_json(out, c);
    return buf_text(out);
}

static void two_records_are_compared_by_what_they_tell(void **state) {
    (void)state;
    struct told a, b;
    struct comparison c;
    struct buf out = {0};
    told_pair(&a, &b);
    struct run_facts *x = run_facts_of_record(&a.run), *y = run_facts_of_record(&b.run);
    comparison_init(&c, x, y);
    assert_near(c.seconds, 80, 1e-9);
    assert_int_equal(c.stage_count, 1);
    assert_true(c.stages[0].known);
    assert_near(c.stages[0].seconds, 80, 1e-9);
    assert_int_equal(c.stages[0].reason_count, 0);
    assert_int_equal(c.setting_count, 1);
    assert_string_equal(c.settings[0].b, "2g");
    assert_int_equal(c.finding_count, 1);
    const char *page = rendered(&c, &out);
    assert_non_null(
        strstr(page, "time of all tasks 40.0 s -> 2 m 00 s, CPU time 36.0 s -> 1 m 52 s"));
    assert_non_null(strstr(page, "Not known by them"));
    assert_null(strstr(page, "start-up"));
    assert_non_null(strstr(page, "\"start_up_s\":null"));
    assert_non_null(strstr(page, "\"reasons\":null"));
    comparison_fini(&c);
    buf_fini(&out);
    run_facts_free(x);
    run_facts_free(y);
}

// It is told as such, and never left out.
static void what_is_not_known_is_said(void **state) {
    (void)state;
    struct told a, b;
    struct comparison c;
    struct buf out = {0};
    told_pair(&a, &b);
    b.stages[0].failed = true;
    b.run.setting_count = 0;
    a.run.totals.stages = 7;
    struct run_facts *x = run_facts_of_record(&a.run), *y = run_facts_of_record(&b.run);
    comparison_init(&c, x, y);
    assert_false(c.stages[0].known);
    assert_true(stage_change_matters(&c.stages[0]));
    assert_int_equal(c.setting_count, 0);
    const char *page = rendered(&c, &out);
    assert_non_null(strstr(page, "Not known by how much"));
    assert_non_null(strstr(page, ": 40.0 s -> not known"));
    assert_non_null(strstr(page, "The record of B has no properties"));
    assert_non_null(strstr(page, "The record of A has left out 6 attempts of stages"));
    assert_non_null(strstr(page, "\"wall_ms\":null"));
    assert_non_null(strstr(page, "\"seconds\":null"));
    comparison_fini(&c);
    buf_fini(&out);
    run_facts_free(x);
    run_facts_free(y);
}

static void a_report_has_what_the_records_have(void **state) {
    (void)state;
    struct told told;
    struct report report = {0};
    told_init(&told, "app-1", 1000);
    told.run.totals.data_size_bytes = 1000;
    told.run.records_per_s = 10;
    report_run_of_record(report_add(&report), &told.run, "runs partition 0 offset 1");
    told_init(&told, "app-2", 2000);
    told.run.status = RUN_LOST;
    report_run_of_record(report_add(&report), &told.run, "runs partition 0 offset 2");
    assert_int_equal(report_set_baseline(&report, "id-of-app-1"), 1);
    assert_int_equal(report_set_baseline(&report, ""), 0);
    report_build(&report);
    assert_int_equal(report.pipeline_count, 1);
    assert_int_equal(report.pipelines[0].group_count, 1);
    assert_near(report.pipelines[0].groups[0].duration_s.mean, 100, 0);
    assert_near(report.pipelines[0].groups[0].records_per_s.mean, 10, 0);
    assert_int_equal(report.pipelines[0].left_out_count, 1);
    assert_string_equal(report_run_left_out(&report.runs[1]), "no end of it was seen");
    report_fini(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stage_is_the_sum_of_its_attempts),
        cmocka_unit_test(an_attempt_that_failed_lingered_nobody_knows_how_long),
        cmocka_unit_test(numbers_that_cannot_be_do_no_harm),
        cmocka_unit_test(two_records_are_compared_by_what_they_tell),
        cmocka_unit_test(what_is_not_known_is_said),
        cmocka_unit_test(a_report_has_what_the_records_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
