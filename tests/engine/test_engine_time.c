// test_engine_time: when a run is let go: idle, after its end, at the limit; what comes late; what
// must be read again after a restart. Event time only: nothing here looks at a clock.
#include "engine_kit.h"

static void begin(int64_t idle_s, int64_t grace_s, uint32_t applications) {
    kit_options();
    kit.options.idle_ms = idle_s * 1000;
    kit.options.grace_ms = grace_s * 1000;
    kit.options.applications_max = applications;
    kit_begin();
}

static void a_tick(const char *key, int task, double at_s) {
    kit_task(key, 0, task, at_s - 1, at_s, 1);
}

static void a_silent_run_is_lost_after_idle_time_of_the_others(void **state) {
    (void)state;
    begin(600, 60, 100);
    kit_app_start("silent", "etl", 0);
    a_tick("silent", 1, 5);
    kit_app_start("busy", "etl", 6);
    for (int i = 1; i <= 10; i++) {
        a_tick("busy", i, 60 * i);
        assert_int_equal(engine_application_count(kit.engine), 2);
    }
    assert_int_equal(kit_count(KIT_RUN, "silent"), 0);
    a_tick("busy", 11, 606); // 601 s since it was heard
    assert_int_equal(engine_application_count(kit.engine), 1);
    assert_int_equal(metrics_get(METRIC_APPLICATIONS_EVICTED), 1);
    assert_int_equal(metrics_get(METRIC_APPLICATIONS_LIVE), 1);
    const struct kit_record *r = kit_find(KIT_RUN, "silent", -1);
    assert_int_equal(r->status, RUN_LOST);
    assert_int_equal(r->ended_ms, kit_ms(5)); // not when it was given up
    assert_int_equal(kit_find(KIT_RUN, "busy", -1)->status, RUN_RUNNING);
}

static void a_run_that_is_heard_of_stays(void **state) {
    (void)state;
    begin(600, 60, 100);
    kit_app_start("a", "etl", 0);
    kit_app_start("b", "etl", 0);
    for (int i = 1; i <= 100; i++) {
        a_tick("a", i, 60 * i);
        if (i % 9 == 0) {
            a_tick("b", i, 60 * i);
        }
    }
    assert_int_equal(engine_application_count(kit.engine), 2);
    assert_int_equal(metrics_get(METRIC_APPLICATIONS_EVICTED), 0);
}

static void one_wrong_clock_expires_nobody(void **state) {
    (void)state;
    begin(600, 60, 100);
    kit_app_start("a", "etl", 0);
    kit_app_start("b", "etl", 0);
    kit_app_start("wrong", "etl", 2000000000); // decades ahead
    a_tick("wrong", 1, 2000000100);
    a_tick("wrong", 2, 99999999999.0); // beyond any time
    assert_int_equal(engine_application_count(kit.engine), 3);
    a_tick("a", 1, 10);
    a_tick("b", 1, 10);
    kit_app_end("a", 20);
    kit_app_end("b", 20);
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->status, RUN_SUCCEEDED);
    assert_near(kit_find(KIT_RUN, "b", -1)->duration_s, 20, 0);
    assert_int_equal(metrics_get(METRIC_APPLICATIONS_EVICTED), 0);
}

static void old_logs_beside_new_ones_expire_nobody(void **state) {
    (void)state;
    begin(600, 60, 100);
    kit_app_start("old", "etl", -10000000);
    kit_app_start("new", "etl", 0);
    for (int i = 1; i <= 200; i++) { // an hour of each, in turns
        a_tick("old", i, -10000000 + 18 * i);
        a_tick("new", i, 18 * i);
    }
    kit_app_end("old", -10000000 + 3601);
    kit_app_end("new", 3601);
    assert_int_equal(kit_find(KIT_RUN, "old", -1)->tasks, 200);
    assert_int_equal(kit_find(KIT_RUN, "new", -1)->tasks, 200);
    assert_int_equal(kit_find(KIT_RUN, "old", -1)->status, RUN_SUCCEEDED);
}

static void an_ended_run_takes_late_events_until_grace_is_over(void **state) {
    (void)state;
    begin(86400, 120, 100);
    kit_app_start("a", "etl", 0);
    kit_stage("a", 0, 2, 1, 0);
    a_tick("a", 1, 10);
    kit_app_end("a", 20);
    const struct kit_record *told = kit_find(KIT_RUN, "a", -1);
    int64_t revision = told->revision;
    assert_int_equal(told->tasks, 1);
    a_tick("a", 2, 15);                                               // it was on its way
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->revision, revision); // perhaps more will come
    engine_tick(kit.engine, 10000);
    told = kit_find(KIT_RUN, "a", -1);
    assert_int_equal(told->tasks, 2);
    assert_int_equal(told->revision, revision + 1);
    assert_int_equal(told->status, RUN_SUCCEEDED);
    assert_int_equal(told->ended_ms, kit_ms(20));
    a_tick("a", 2, 15); // a repetition says nothing
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->revision, revision + 1);
    kit_app_start("b", "etl", 60);
    a_tick("b", 1, 80);
    a_tick("b", 2, 120);
    a_tick("b", 3, 150); // 120 s since it was heard: not more than grace
    assert_int_equal(engine_application_count(kit.engine), 2);
    a_tick("b", 4, 151);
    assert_int_equal(engine_application_count(kit.engine), 1);
    int records = kit.count;
    a_tick("a", 3, 16); // far too late: a remnant, told to nobody
    assert_int_equal(engine_application_count(kit.engine), 2);
    engine_finish(kit.engine, false);
    for (int i = records; i < kit.count; i++) {
        assert_string_equal(kit.records[i].app_id, "b");
    }
    kit_check_revisions();
}

static void a_late_event_can_change_a_verdict(void **state) {
    (void)state;
    begin(86400, 600, 100);
    kit_app_start("a", "etl", 0);
    kit_stage("a", 0, 9, 1, 0);
    for (int i = 0; i < 8; i++) {
        kit_task("a", 0, i, 1, 11, 1);
    }
    kit_stage("a", 0, 9, 1, 102);
    kit_app_end("a", 103);
    int verdicts = kit_count(KIT_VERDICT, "a");
    kit_task("a", 0, 8, 1, 101, 100); // the slow one comes after the end
    engine_tick(kit.engine, 10000);
    assert_int_equal(kit_count(KIT_VERDICT, "a"), verdicts + 1);
    const struct kit_record *r = kit_find(KIT_VERDICT, "a", -1);
    assert_int_equal(r->verdict.kind, KIND_DATA_SKEW);
    assert_int_equal(r->verdict.life, LIFE_CONFIRMED);
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->open_count, 1);
}

static void at_the_limit_ended_runs_go_first_then_the_most_silent(void **state) {
    (void)state;
    begin(86400, 600, 3);
    kit_app_start("a", "etl", 0);
    kit_app_start("b", "etl", 1);
    kit_app_start("c", "etl", 2);
    kit_app_end("b", 3);
    kit_app_start("d", "etl", 4);
    assert_int_equal(engine_application_count(kit.engine), 3);
    assert_int_equal(kit_count(KIT_RUN, "b"), 1); // its end, told when it came
    a_tick("a", 1, 5);                            // now c has been silent for longest
    kit_app_start("e", "etl", 6);
    assert_int_equal(engine_application_count(kit.engine), 3);
    assert_int_equal(kit_find(KIT_RUN, "c", -1)->status, RUN_LOST);
    assert_null(kit_find(KIT_RUN, "a", -1));
    kit_app_end("a", 7);
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->tasks, 1); // it was never dropped
    assert_int_equal(metrics_get(METRIC_APPLICATIONS_EVICTED), 2);
}

static void a_log_that_is_being_written_is_no_lost_run(void **state) {
    (void)state;
    begin(86400, 600, 100);
    kit_app_start("a", "etl", 0);
    a_tick("a", 1, 5);
    engine_finish(kit.engine, true);
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->status, RUN_RUNNING);
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->ended_ms, 0);
}

// A silent run in an idle partition: only ticks move the time.
static void ticks_let_silent_runs_go(void **state) {
    (void)state;
    begin(600, 60, 100);
    assert_false(engine_waits(kit.engine));
    kit_app_start("a", "etl", 0);
    kit_app_start("b", "etl", 0);
    kit_app_end("b", 5);
    assert_true(engine_waits(kit.engine));
    engine_tick(kit.engine, 60000);
    assert_int_equal(engine_application_count(kit.engine), 2);
    engine_tick(kit.engine, 1);
    assert_int_equal(engine_application_count(kit.engine), 1); // the one that ended
    assert_int_equal(kit_count(KIT_RUN, "a"), 0);
    engine_tick(kit.engine, 534999);              // b ended at 5 s
    assert_int_equal(kit_count(KIT_RUN, "a"), 1); // that it began
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->status, RUN_RUNNING);
    engine_tick(kit.engine, 1);
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->status, RUN_LOST);
    assert_int_equal(kit_count(KIT_RUN, "a"), 2);
    assert_false(engine_waits(kit.engine));
}

// Dated decades after its own record: it must not stop the partition's time for those to come.
static void an_event_of_the_future_does_not_move_time(void **state) {
    (void)state;
    begin(600, 60, 100);
    kit_app_start("a", "etl", 0);
    kit.record_ms = kit_ms(1);
    a_tick("wrong", 1, 2000000000);
    assert_int_equal(metrics_get(METRIC_FUTURE_EVENTS), 1);
    kit.record_ms = 0;
    for (int i = 1; i <= 12; i++) {
        a_tick("busy", i, 60 * i);
    }
    assert_int_equal(kit_find(KIT_RUN, "a", -1)->status, RUN_LOST);
}

// One event moves the time by which runs are let go by a minute at most, and a clock may be ten
// minutes ahead of its record, to the millisecond.
static void a_jump_counts_as_a_minute(void **state) {
    (void)state;
    begin(60, 60, 100);
    kit_app_start("silent", "etl", 0);
    kit_app_start("busy", "etl", 7200);
    assert_int_equal(engine_application_count(kit.engine), 2);
    a_tick("busy", 1, 7200.001); // a millisecond beyond that minute
    assert_int_equal(engine_application_count(kit.engine), 1);
}

static void a_clock_may_be_ten_minutes_ahead(void **state) {
    (void)state;
    begin(600, 60, 100);
    kit.record_ms = KIT_START_MS;
    kit_app_start("a", "etl", 600.001);
    assert_int_equal(engine_newest_ms(kit.engine), 0);
    assert_int_equal(metrics_get(METRIC_FUTURE_EVENTS), 1);
    kit_app_start("b", "etl", 600);
    assert_int_equal(engine_newest_ms(kit.engine), kit_ms(600));
}

int main(void) {
#define CASE(name) cmocka_unit_test_teardown(name, kit_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_silent_run_is_lost_after_idle_time_of_the_others),
        CASE(a_run_that_is_heard_of_stays),
        CASE(one_wrong_clock_expires_nobody),
        CASE(old_logs_beside_new_ones_expire_nobody),
        CASE(an_ended_run_takes_late_events_until_grace_is_over),
        CASE(a_late_event_can_change_a_verdict),
        CASE(at_the_limit_ended_runs_go_first_then_the_most_silent),
        CASE(ticks_let_silent_runs_go),
        CASE(an_event_of_the_future_does_not_move_time),
        CASE(a_jump_counts_as_a_minute),
        CASE(a_clock_may_be_ten_minutes_ahead),
        CASE(a_log_that_is_being_written_is_no_lost_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
