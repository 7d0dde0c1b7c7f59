// test_pipelines: stage 2: windows, quantiles, repeats, alerts and what must be read again after a
// restart.
#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "engine/pipelines.h"

enum { MAX = 256 };
struct seen {
    struct pipeline_window windows[MAX];
    int window_count;
    struct alert alerts[MAX];
    int alert_count;
};

static void on_window(void *ctx, const struct pipeline_window *window) {
    struct seen *seen = ctx;
    assert_true(seen->window_count < MAX);
    seen->windows[seen->window_count++] = *window;
}
static void on_alert(void *ctx, const struct alert *alert) {
    struct seen *seen = ctx;
    assert_true(seen->alert_count < MAX);
    seen->alerts[seen->alert_count++] = *alert;
}

static struct seen seen;
static struct pipelines_options options;

static struct pipelines *fresh(void) {
    memset(&seen, 0, sizeof seen);
    pipelines_options_init(&options);
    struct pipelines_output output = {&seen, on_window, on_alert};
    return pipelines_new(&options, &output);
}

static struct pipeline_run update(const char *run_id, int64_t revision, int64_t minute) {
    struct pipeline_run run = {.revision = revision,
                               .time_ms = minute * 60000,
                               .started_ms = 60000,
                               .status = RUN_RUNNING,
                               .duration_s = (double)(minute - 1) * 60};
    snprintf(run.id, sizeof run.id, "%s", run_id);
    snprintf(run.identity.cluster, sizeof run.identity.cluster, "c");
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "etl");
    snprintf(run.identity.app_id, sizeof run.identity.app_id, "%s", run_id);
    return run;
}

static void ended(struct pipeline_run *run, enum run_status status, double duration_s) {
    run->status = status;
    run->ended_ms = run->time_ms;
    run->duration_s = duration_s;
}

static struct open_bottleneck skew = {
    .kind = KIND_DATA_SKEW, .severity = SEVERITY_SEVERE, .summary = "hot key"};
static struct open_bottleneck failed = {.kind = KIND_PIPELINE_FAILURE,
                                        .severity = SEVERITY_CRITICAL,
                                        .summary = "the run failed: boom"};

static void totals_become_differences(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    run.totals.records = 100;
    pipelines_feed(p, &run, 0);
    run = update("a", 2, 10);
    run.totals.records = 250;
    pipelines_feed(p, &run, 1);
    pipelines_feed(p, &run, 2); // repeated: nothing
    run = update("a", 3, 12);
    run.totals.records = 300;
    ended(&run, RUN_SUCCEEDED, 120);
    pipelines_feed(p, &run, 3);
    assert_int_equal(seen.window_count, 1); // minute 10 closed when minute 12 came
    assert_int_equal(seen.windows[0].records, 250);
    assert_int_equal(seen.windows[0].pane_start_ms, 600000);
    pipelines_flush(p);
    assert_int_equal(seen.window_count, 2);
    assert_int_equal(seen.windows[1].records, 50);
    assert_int_equal(seen.windows[1].runs, 1);
    assert_near(seen.windows[1].duration_p50_s, 120, 120 * 0.0625);
    assert_near(seen.windows[1].duration_max_s, 120, 0);
    pipelines_flush(p); // nothing new
    assert_int_equal(seen.window_count, 2);
    pipelines_free(p);
}

static void another_pipelines_time_closes_panes_too(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    run.totals.records = 7;
    pipelines_feed(p, &run, 0);
    run = update("b", 1, 10);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "other");
    pipelines_feed(p, &run, 1);
    assert_int_equal(seen.window_count, 0);
    run.revision = 2;
    run.time_ms += 60000;
    pipelines_feed(p, &run, 2);
    assert_int_equal(seen.window_count, 2); // one of each, in the order of their last updates
    assert_string_equal(seen.windows[0].pipeline, "etl");
    assert_int_equal(seen.windows[0].records, 7);
    run = update("a", 2, 10); // more for a pane that was handed out: it comes again, whole
    run.totals.records = 9;
    pipelines_feed(p, &run, 3);
    pipelines_flush(p);
    assert_string_equal(seen.windows[2].pipeline, "other");
    assert_int_equal(seen.windows[3].records, 9);
    pipelines_free(p);
}

static void quantiles_cover_the_window_and_forget(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    char id[16];
    for (int i = 0; i < 100; i++) { // 100 s .. 199 s, one a minute, window 60 minutes
        snprintf(id, sizeof id, "r%d", i);
        struct pipeline_run run = update(id, 1, 100 + i);
        ended(&run, i % 10 == 0 ? RUN_FAILED : RUN_SUCCEEDED, 100 + i);
        pipelines_feed(p, &run, i);
        seen.window_count = 0;
        seen.alert_count = 0;
    }
    pipelines_flush(p);
    const struct pipeline_window *w = &seen.windows[0];
    assert_int_equal(w->window_runs, 60); // 140 s .. 199 s
    assert_int_equal(w->window_runs_failed, 6);
    assert_near(w->duration_p50_s, 169, 169 * 0.0625);
    assert_near(w->duration_p99_s, 199, 199 * 0.0625);
    assert_near(w->duration_max_s, 199, 0);
    pipelines_free(p);
}

static void a_failed_run_alerts_until_one_succeeds(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    ended(&run, RUN_FAILED, 10);
    run.open = &failed;
    run.open_count = 1;
    pipelines_feed(p, &run, 0);
    assert_int_equal(seen.alert_count, 1);
    assert_string_equal(seen.alerts[0].name, "PipelineFailure");
    assert_string_equal(seen.alerts[0].severity, "critical");
    assert_string_equal(seen.alerts[0].summary, "Pipeline execution failed");
    assert_non_null(strstr(seen.alerts[0].description, "boom"));
    run = update("b", 1, 11); // starts: no news yet
    pipelines_feed(p, &run, 1);
    run = update("lost", 1, 11);
    ended(&run, RUN_LOST, 10);
    pipelines_feed(p, &run, 2);
    assert_int_equal(seen.alert_count, 1);
    run = update("b", 2, 12);
    ended(&run, RUN_SUCCEEDED, 10);
    pipelines_feed(p, &run, 3);
    assert_int_equal(seen.alert_count, 2);
    assert_int_equal(seen.alerts[1].ended_ms, 12 * 60000);
    assert_int_equal(seen.alerts[1].started_ms, 10 * 60000);
    pipelines_free(p);
}

static void a_bottleneck_alerts_once_and_ends_with_a_better_run(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    run.open = &skew;
    run.open_count = 1;
    pipelines_feed(p, &run, 0);
    run = update("a", 2, 11);
    run.open = &skew;
    run.open_count = 1;
    pipelines_feed(p, &run, 1);
    assert_int_equal(seen.alert_count, 1); // same text: told once
    assert_string_equal(seen.alerts[0].name, "PipelineDataSkew");
    struct open_bottleneck low = skew;
    low.severity = SEVERITY_LOW;
    run = update("b", 1, 12);
    run.open = &low;
    run.open_count = 1;
    pipelines_feed(p, &run, 2); // runs without it, so far
    assert_int_equal(seen.alert_count, 1);
    ended(&run, RUN_SUCCEEDED, 60);
    run.revision = 2;
    pipelines_feed(p, &run, 3);
    assert_int_equal(seen.alert_count, 2);
    assert_true(seen.alerts[1].ended_ms > 0);
    pipelines_free(p);
}

static void a_retracted_bottleneck_ends_its_alert_at_once(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    run.open = &skew;
    run.open_count = 1;
    pipelines_feed(p, &run, 0);
    run = update("a", 2, 10);
    pipelines_feed(p, &run, 1);
    assert_int_equal(seen.alert_count, 2);
    assert_true(seen.alerts[1].ended_ms > 0);
    pipelines_free(p);
}

static struct pipeline_stats last_stats;
static void keep_stats(void *ctx, const struct pipeline_stats *stats) {
    (void)ctx;
    last_stats = *stats;
}

static void numbers_for_metrics_add_up(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    static const double durations[] = {30, 60, 61, 3599, 3601, 99999};
    char id[16];
    for (int i = 0; i < 6; i++) {
        snprintf(id, sizeof id, "r%d", i);
        struct pipeline_run run = update(id, 1, 10);
        run.totals.records = 1000;
        run.records_per_s = 5 + i;
        ended(&run, i == 3 ? RUN_FAILED : RUN_SUCCEEDED, durations[i]);
        pipelines_feed(p, &run, i);
    }
    struct pipeline_run older = update("older", 1, 5); // ended before the others, told after them
    older.records_per_s = 77;
    ended(&older, RUN_SUCCEEDED, 7300);
    pipelines_feed(p, &older, 6);
    pipelines_each(p, keep_stats, NULL);
    static const int64_t expected[] = {2, 1, 0, 0, 1, 1, 2};
    for (int i = 0; i < 7; i++) {
        assert_int_equal(last_stats.duration_buckets[i], expected[i]);
    }
    assert_int_equal(last_stats.records_total, 6000);
    assert_int_equal(last_stats.errors_total, 1);
    assert_int_equal(last_stats.runs, 7);
    assert_near(last_stats.records_per_s, 10, 0);
    pipelines_free(p);
}

static void the_oldest_offset_still_needed_is_known(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    assert_true(pipelines_oldest_offset(p) == INT64_MAX);
    struct pipeline_run run = update("a", 1, 10);
    pipelines_feed(p, &run, 5);
    run.revision = 2;
    ended(&run, RUN_SUCCEEDED, 60);
    pipelines_feed(p, &run, 9);
    assert_int_equal(pipelines_oldest_offset(p), 5);
    run = update("b", 1, 200); // an hour and more later: a has left the window
    pipelines_feed(p, &run, 20);
    assert_int_equal(pipelines_oldest_offset(p), 20);
    pipelines_free(p);
}

static void memory_is_bounded(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    options.pipelines_max = 10;
    options.runs_max = 3;
    char id[16];
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "r%d", i);
        struct pipeline_run run = update(id, 1, 10 + i);
        snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "p%d", i % 20);
        pipelines_feed(p, &run, i);
    }
    int count = 0;
    pipelines_each(p, keep_stats, &count);
    assert_int_equal(pipelines_oldest_offset(p), 90); // the ten last pipelines, one run each
    pipelines_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_become_differences),
        cmocka_unit_test(another_pipelines_time_closes_panes_too),
        cmocka_unit_test(quantiles_cover_the_window_and_forget),
        cmocka_unit_test(a_failed_run_alerts_until_one_succeeds),
        cmocka_unit_test(a_bottleneck_alerts_once_and_ends_with_a_better_run),
        cmocka_unit_test(a_retracted_bottleneck_ends_its_alert_at_once),
        cmocka_unit_test(numbers_for_metrics_add_up),
        cmocka_unit_test(the_oldest_offset_still_needed_is_known),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
