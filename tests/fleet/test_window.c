// test_window: what a pane counts and what it must not: late news of ended runs, lost runs, panes
// of a later lap of the ring. (The rest of stage 2 is in test_pipelines.c.)
#include "support/quiet.h"
#include "support/test.h"

#include <stdio.h>

#include "fleet/pipelines.h"

enum { MAX = 64 };
static struct pipeline_window windows[MAX];
static int count;
static struct pipelines_options options;

static void on_window(void *ctx, const struct pipeline_window *window) {
    (void)ctx;
    assert_true(count < MAX);
    windows[count++] = *window;
}

static struct pipelines *fresh(void) {
    struct pipelines_output output = {NULL, on_window, quiet_alert, quiet_recommendation};
    count = 0;
    pipelines_options_init(&options);
    return pipelines_new(&options, &output);
}

// An update of a run that has ended at `minute` after `duration_s`.
static struct pipeline_run over(const char *id, int64_t minute, enum run_status status,
                                double duration_s) {
    struct pipeline_run run = {.revision = 1,
                               .time_ms = minute * 60000,
                               .started_ms = 1,
                               .ended_ms = minute * 60000,
                               .status = status,
                               .duration_s = duration_s};
    snprintf(run.id, sizeof run.id, "%s", id);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "etl");
    return run;
}

static void late_news_of_an_ended_run_is_no_other_run(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = over("a", 10, RUN_SUCCEEDED, 60);
    run.totals.records = 100;
    pipelines_feed(p, &run, 0, 0);
    run.revision = 2;
    run.totals.records = 130;
    pipelines_feed(p, &run, 1, 0);
    pipelines_flush(p);
    assert_int_equal(count, 1);
    assert_int_equal(windows[0].runs, 1);
    assert_int_equal(windows[0].window_runs, 1);
    assert_int_equal(windows[0].records, 130);
    pipelines_free(p);
}

static void only_failed_runs_are_failed(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run runs[] = {over("a", 10, RUN_SUCCEEDED, 60), over("b", 10, RUN_LOST, 60),
                                  over("c", 10, RUN_FAILED, 60)};
    for (int i = 0; i < 3; i++) {
        pipelines_feed(p, &runs[i], i, 0);
    }
    pipelines_flush(p);
    assert_int_equal(windows[0].runs, 3);
    assert_int_equal(windows[0].runs_failed, 1);
    assert_int_equal(windows[0].window_runs_failed, 1);
    pipelines_free(p);
}

static void an_older_pane_does_not_count_what_came_after_it(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run newer = over("a", 100, RUN_FAILED, 600),
                        late = over("b", 95, RUN_SUCCEEDED, 60);
    pipelines_feed(p, &newer, 0, 0);
    pipelines_feed(p, &late, 1, 0);
    pipelines_flush(p);
    assert_int_equal(count, 2);
    assert_int_equal(windows[0].pane_start_ms, 95 * 60000);
    assert_int_equal(windows[0].window_runs, 1);
    assert_int_equal(windows[0].window_runs_failed, 0);
    assert_near(windows[0].duration_max_s, 60, 0);
    assert_int_equal(windows[1].window_runs, 2);
    assert_near(windows[1].duration_max_s, 600, 0);
    pipelines_free(p);
}

static void quantiles_are_never_beyond_the_longest(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    static const double lengths_s[] = {16.191, 14.812, 0.3, 1, 3600.001, 7};
    for (int i = 0; i < 6; i++) {
        struct pipeline_run run = over("a", 100 * i + 100, RUN_SUCCEEDED, lengths_s[i]);
        run.id[1] = (char)('a' + i);
        pipelines_feed(p, &run, i, 0);
        pipelines_flush(p);
        const struct pipeline_window *w = &windows[count - 1];
        assert_int_equal(w->window_runs, 1);
        assert_near(w->duration_max_s, lengths_s[i], 0);
        assert_true(w->duration_p50_s <= w->duration_max_s);
        assert_true(w->duration_p99_s <= w->duration_max_s);
        assert_near(w->duration_p50_s, lengths_s[i], lengths_s[i] * 0.0625 + 0.1);
    }
    pipelines_free(p);
}

// News that change nothing of a pane that was handed out do not bring it again.
static void a_pane_comes_again_only_with_other_figures(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = over("a", 10, RUN_SUCCEEDED, 60), other = over("b", 11, RUN_LOST, 5);
    run.totals.records = 100;
    pipelines_feed(p, &run, 0, 0);
    pipelines_feed(p, &other, 1, 0);
    assert_int_equal(count, 1);
    for (int64_t revision = 2; revision < 6; revision++) {
        run.revision = revision;
        pipelines_feed(p, &run, revision, 0);
        other.revision = revision;
        other.time_ms += 60000;
        other.totals.records = 7 * revision;
        pipelines_feed(p, &other, revision, 0);
    }
    for (int i = 1; i < count; i++) {
        assert_true(windows[i].pane_start_ms > windows[i - 1].pane_start_ms);
    }
    assert_int_equal(count, 5);
    run.revision = 6;
    run.totals.records = 101;
    pipelines_feed(p, &run, 6, 0);
    pipelines_flush(p);
    assert_int_equal(windows[5].pane_start_ms, windows[0].pane_start_ms);
    assert_int_equal(windows[5].records, 101);
    pipelines_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pane_comes_again_only_with_other_figures),
        cmocka_unit_test(late_news_of_an_ended_run_is_no_other_run),
        cmocka_unit_test(only_failed_runs_are_failed),
        cmocka_unit_test(an_older_pane_does_not_count_what_came_after_it),
        cmocka_unit_test(quantiles_are_never_beyond_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
