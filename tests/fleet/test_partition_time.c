// test_partition_time: what time does to windows and alerts when no update comes, and what an
// update with a wrong clock must not do.
#include "pipelines_kit.h"

static int64_t minutes(int64_t count) {
    return count * 60000;
}

static struct alert alerts[KIND_COUNT];
static int alert_count;
static void keep_alert(void *ctx, const struct alert *alert) {
    (void)ctx;
    alerts[alert_count++] = *alert;
}
static int count_alerts(const struct pipelines *p) {
    alert_count = 0;
    pipelines_each_alert(p, keep_alert, NULL);
    return alert_count;
}

static void a_tick_closes_the_pane_that_is_past(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    pipelines_tick(p, minutes(5)); // nothing was ever heard
    assert_false(pipelines_waits(p));
    struct pipeline_run run = update("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    assert_true(pipelines_waits(p));
    pipelines_tick(p, 59999);
    assert_int_equal(seen.window_count, 0);
    pipelines_tick(p, 1);
    assert_int_equal(seen.window_count, 1);
    assert_false(pipelines_waits(p));
    pipelines_tick(p, minutes(10));
    assert_int_equal(seen.window_count, 1); // once
    run = update("a", 2, 10);               // late: again, whole
    run.totals.records = 1;
    pipelines_feed(p, &run, 1, 0);
    assert_true(pipelines_waits(p));
    pipelines_tick(p, minutes(1));
    assert_int_equal(seen.window_count, 2);
    pipelines_free(p);
}

static void count_pipelines(void *ctx, struct str key, struct str value) {
    *(int *)ctx += key.p[0] == 'p' && value.p != NULL;
}

static void the_alert_of_a_silent_pipeline_ends(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    run.revision = 2; // a week of updates: not silent
    for (int day = 0; day < 8; day++) {
        pipelines_tick(p, minutes(24 * 60));
        run.revision++;
        pipelines_feed(p, &run, day, 0);
    }
    pipelines_tick(p, minutes(24 * 60));
    run.revision--; // heard before, but heard
    pipelines_feed(p, &run, 9, 0);
    assert_int_equal(seen.alert_count, 1);
    pipelines_tick(p, minutes(7 * 24 * 60));
    assert_int_equal(seen.alert_count, 1);
    int changed = 0;
    pipelines_changes(p, count_pipelines, &changed);
    changed = 0;
    pipelines_tick(p, minutes(1));
    assert_int_equal(seen.alert_count, 2);
    assert_int_equal(seen.alerts[1].ended_ms, minutes(10 + (9 + 7) * 24 * 60 + 1));
    pipelines_changes(p, count_pipelines, &changed);
    assert_int_equal(changed, 1); // the state knows
    pipelines_free(p);
}

static void an_ended_alert_is_kept_for_a_while(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    run = update("a", 2, 12);
    ended(&run, RUN_SUCCEEDED, 60);
    pipelines_feed(p, &run, 1, 0);
    assert_int_equal(count_alerts(p), 1);
    assert_int_equal(alerts[0].ended_ms, minutes(12));
    assert_int_equal(alerts[0].started_ms, minutes(10));
    pipelines_tick(p, minutes(15));
    assert_int_equal(count_alerts(p), 1);
    pipelines_tick(p, minutes(1));
    assert_int_equal(count_alerts(p), 0);
    assert_false(pipelines_waits(p));
    assert_int_equal(seen.alert_count, 2); // told when it ended, not when it was forgotten
    pipelines_free(p);
}

static void an_alert_that_begins_again_is_a_new_one(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10);
    pipelines_feed(p, &run, 0, 0);
    run = update("a", 2, 12);
    pipelines_feed(p, &run, 1, 0);
    run = skewed("a", 3, 13);
    pipelines_feed(p, &run, 2, 0);
    assert_int_equal(seen.alert_count, 3);
    assert_int_equal(count_alerts(p), 1);
    assert_int_equal(alerts[0].started_ms, minutes(13));
    assert_int_equal(alerts[0].ended_ms, 0);
    pipelines_free(p);
}

static void one_jump_ends_nothing(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = skewed("a", 1, 10), other = update("b", 1, 10 + 60 * 24 * 60);
    pipelines_feed(p, &run, 0, 0);
    snprintf(other.identity.pipeline, sizeof other.identity.pipeline, "other");
    pipelines_feed(p, &other, 1, 0);
    assert_int_equal(seen.alert_count, 1);
    pipelines_free(p);
}

// In 2100, says one application's clock; the record was written at minute 10.
static void a_wrong_clock_does_not_empty_the_window(void **state) {
    (void)state;
    struct pipelines *p = fresh();
    struct pipeline_run run = update("a", 1, 10), wrong = update("b", 1, 68374080);
    run.totals.records = 5;
    pipelines_feed(p, &run, 0, minutes(10));
    pipelines_feed(p, &wrong, 1, minutes(10));
    run.revision = 2;
    run.time_ms = minutes(12);
    run.totals.records = 7;
    pipelines_feed(p, &run, 2, minutes(12));
    pipelines_flush(p);
    assert_int_equal(seen.window_count, 3);
    assert_int_equal(seen.windows[0].pane_start_ms, minutes(10));
    assert_int_equal(seen.windows[1].pane_start_ms, minutes(12));
    assert_int_equal(seen.windows[1].records, 2);
    assert_int_equal(seen.windows[2].pane_start_ms, minutes(20)); // ten minutes ahead at most
    pipelines_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_closes_the_pane_that_is_past),
        cmocka_unit_test(the_alert_of_a_silent_pipeline_ends),
        cmocka_unit_test(an_ended_alert_is_kept_for_a_while),
        cmocka_unit_test(an_alert_that_begins_again_is_a_new_one),
        cmocka_unit_test(one_jump_ends_nothing),
        cmocka_unit_test(a_wrong_clock_does_not_empty_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
