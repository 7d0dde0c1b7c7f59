// test_pipelines: stage 2: windows, quantiles, repeats, alerts and the numbers of /metrics.
#include "pipelines_kit.h"

static struct open_bottleneck failed = {.kind = KIND_PIPELINE_FAILURE,
                                        .severity = SEVERITY_CRITICAL,
                                        .summary = "the run failed: boom"};

static void totals_become_differences(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10);
    run.totals.records = 100;
    pipelines_feed(p, &run, 0, 0);
    run = update("a", 2, 10);
    run.totals.records = 250;
    pipelines_feed(p, &run, 1, 0);
    pipelines_feed(p, &run, 2, 0); // repeated: nothing
    run = update("a", 3, 12);
    run.totals.records = 300;
    ended(&run, RUN_SUCCEEDED, 120);
    pipelines_feed(p, &run, 3, 0);
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
    pipelines_feed(p, &run, 0, 0);
    run = update("b", 1, 10);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "other");
    pipelines_feed(p, &run, 1, 0);
    assert_int_equal(seen.window_count, 0);
    run.revision = 2;
    run.time_ms += 60000;
    pipelines_feed(p, &run, 2, 0);
    assert_int_equal(seen.window_count, 2); // one of each, in the order of their last updates
    assert_string_equal(seen.windows[0].pipeline, "etl");
    assert_int_equal(seen.windows[0].records, 7);
    run = update("a", 2, 10); // more for a pane that was handed out: it comes again, whole
    run.totals.records = 9;
    pipelines_feed(p, &run, 3, 0);
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
        pipelines_feed(p, &run, i, 0);
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
    pipelines_feed(p, &run, 0, 0);
    assert_int_equal(seen.alert_count, 1);
    assert_string_equal(seen.alerts[0].name, "PipelineFailure");
    assert_string_equal(seen.alerts[0].severity, "critical");
    assert_string_equal(seen.alerts[0].summary, "Pipeline execution failed");
    assert_non_null(strstr(seen.alerts[0].description, "boom"));
    run = update("b", 1, 11); // starts: no news yet
    pipelines_feed(p, &run, 1, 0);
    run = update("lost", 1, 11);
    ended(&run, RUN_LOST, 10);
    pipelines_feed(p, &run, 2, 0);
    assert_int_equal(seen.alert_count, 1);
    run = update("b", 2, 12);
    ended(&run, RUN_SUCCEEDED, 10);
    pipelines_feed(p, &run, 3, 0);
    assert_int_equal(seen.alert_count, 2);
    assert_int_equal(seen.alerts[1].ended_ms, 12 * 60000);
    assert_int_equal(seen.alerts[1].started_ms, 10 * 60000);
    pipelines_free(p);
}

static void a_bottleneck_alerts_once_and_ends_with_a_better_run(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    run = skewed("a", 2, 11);
    pipelines_feed(p, &run, 1, 0);
    assert_int_equal(seen.alert_count, 1); // same text: told once
    assert_string_equal(seen.alerts[0].name, "PipelineDataSkew");
    struct open_bottleneck low = skew;
    low.severity = SEVERITY_LOW;
    run = update("b", 1, 12);
    run.open = &low;
    run.open_count = 1;
    pipelines_feed(p, &run, 2, 0); // runs without it, so far
    assert_int_equal(seen.alert_count, 1);
    ended(&run, RUN_SUCCEEDED, 60);
    run.revision = 2;
    pipelines_feed(p, &run, 3, 0);
    assert_int_equal(seen.alert_count, 2);
    assert_true(seen.alerts[1].ended_ms > 0);
    pipelines_free(p);
}

// Nobody is woken up by what may well be wrong; a surer one behind it still is told.
static void what_is_in_great_doubt_raises_no_alert(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct open_bottleneck open[2] = {skew, skew};
    open[0].confidence = CONFIDENCE_LOW;
    struct pipeline_run run = update("a", 1, 10);
    run.open = open;
    run.open_count = 1;
    pipelines_feed(p, &run, 0, 0);
    assert_int_equal(seen.alert_count, 0);
    open[1].severity = SEVERITY_MODERATE;
    open[1].confidence = CONFIDENCE_MEDIUM;
    run.open_count = 2;
    run.revision = 2;
    pipelines_feed(p, &run, 1, 0);
    assert_int_equal(seen.alert_count, 1);
    assert_non_null(
        strstr(seen.alerts[0].description, "(severity moderate, medium confidence, up to "));
    open[1].confidence = CONFIDENCE_LOW; // what was sure is so no more
    run.revision = 3;
    pipelines_feed(p, &run, 2, 0);
    assert_int_equal(seen.alert_count, 2);
    assert_true(seen.alerts[1].ended_ms > 0);
    pipelines_free(p);
}

// What is not in its record may have gone with a stage.
static void a_run_without_room_for_its_stages_ends_no_alert(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    for (int i = 0; i < 2; i++) {
        run = update(i == 0 ? "a" : "b", 2, 11 + i);
        run.limits = 1u << LIMIT_MEMORY;
        ended(&run, RUN_SUCCEEDED, 60);
        pipelines_feed(p, &run, 1 + i, 0);
    }
    assert_int_equal(seen.alert_count, 1);
    run = update("c", 1, 13);
    ended(&run, RUN_SUCCEEDED, 60);
    pipelines_feed(p, &run, 3, 0);
    assert_int_equal(seen.alert_count, 2);
    assert_int_equal(seen.alerts[1].ended_ms, 13 * 60000);
    pipelines_free(p);
}

static void a_retracted_bottleneck_ends_its_alert_at_once(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    run = update("a", 2, 10);
    pipelines_feed(p, &run, 1, 0);
    assert_int_equal(seen.alert_count, 2);
    assert_true(seen.alerts[1].ended_ms > 0);
    pipelines_free(p);
}

// A run that goes on lists a few of what is open, all of them are counted.
static void what_a_shortened_update_leaves_out_is_counted(void **state) {
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("r1", 1, 1);
    (void)state;
    run.open_by_severity[SEVERITY_SEVERE] = 3;
    run.open_by_severity[SEVERITY_LOW] = 1000000;
    pipelines_feed(p, &run, 1, 0);
    run = update("r1", 2, 2);
    pipelines_feed(p, &run, 2, 0);
    assert_int_equal(seen.windows[0].open_bottlenecks[SEVERITY_SEVERE], 3);
    assert_int_equal(seen.windows[0].open_bottlenecks[SEVERITY_LOW], RUN_OPEN_MAX);
    assert_int_equal(seen.windows[0].open_bottlenecks[SEVERITY_MODERATE], 0);
    run = skewed("r1", 3, 3); // as releases wrote it that counted nothing
    pipelines_feed(p, &run, 3, 0);
    run = update("r1", 4, 4);
    pipelines_feed(p, &run, 4, 0);
    assert_int_equal(seen.windows[2].open_bottlenecks[SEVERITY_SEVERE], 1);
    pipelines_free(p);
}

static struct pipeline_stats last_stats;
static void keep_stats(void *ctx, const struct pipeline_stats *stats) {
    *(int *)ctx += 1;
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
        pipelines_feed(p, &run, i, 0);
    }
    struct pipeline_run older = update("older", 1, 5); // ended before the others, told after them
    older.records_per_s = 77;
    ended(&older, RUN_SUCCEEDED, 7300);
    pipelines_feed(p, &older, 6, 0);
    int pipelines = 0;
    pipelines_each(p, keep_stats, &pipelines);
    assert_int_equal(pipelines, 1);
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
        pipelines_feed(p, &run, i, 0);
    }
    int count = 0;
    pipelines_each(p, keep_stats, &count);
    assert_int_equal(count, 10);
    pipelines_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_become_differences),
        cmocka_unit_test(another_pipelines_time_closes_panes_too),
        cmocka_unit_test(quantiles_cover_the_window_and_forget),
        cmocka_unit_test(a_failed_run_alerts_until_one_succeeds),
        cmocka_unit_test(a_bottleneck_alerts_once_and_ends_with_a_better_run),
        cmocka_unit_test(what_is_in_great_doubt_raises_no_alert),
        cmocka_unit_test(a_run_without_room_for_its_stages_ends_no_alert),
        cmocka_unit_test(a_retracted_bottleneck_ends_its_alert_at_once),
        cmocka_unit_test(what_a_shortened_update_leaves_out_is_counted),
        cmocka_unit_test(numbers_for_metrics_add_up),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
