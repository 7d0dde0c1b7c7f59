// test_look: a task that hangs is told while it hangs, as of moments that follow from the run's own
// events, whether ticks come in between or not; and retracted if it was wrong.
#include "engine_kit.h"

#include "engine/engine_priv.h"
#include "keep/table.h"

#define APP "app-1"

static const char *of = APP; // whose events come

static void starts(int stage, int task, double at_s) {
    kit_feed(of,
             "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task "
             "Info\":{\"Task ID\":%d,\"Index\":%d,\"Launch Time\":%lld,\"Executor ID\":\"1\","
             "\"Host\":\"h\"}}",
             stage, task, task, kit_ms(at_s));
}

// Ten tasks that begin at 1 s; `ended` of them take a second each.
static void begin(int ended) {
    kit_app_start(of, "etl", 0);
    kit_stage(of, 0, 10, 1, 0);
    for (int i = 0; i < 10; i++) {
        starts(0, i, 1);
    }
    for (int i = 0; i < ended; i++) {
        kit_task(of, 0, i, 1, 2, 1);
    }
}

static void silence_until(double from_s, double to_s, bool ticks) {
    for (double at_s = from_s; ticks && at_s + 10 < to_s; at_s += 10) {
        engine_tick(kit.engine, 10000);
    }
    kit_stage(APP, 7, 10, to_s, 0); // anything else of the run
}

// The last verdict of a kind that was handed out.
static const struct kit_record *told(enum bottleneck_kind kind) {
    for (int i = kit.count; i > 0; i--) {
        if (kit.records[i - 1].type == KIT_VERDICT && kit.records[i - 1].verdict.kind == kind) {
            return &kit.records[i - 1];
        }
    }
    return NULL;
}

static int told_count(enum bottleneck_kind kind) {
    int count = 0;
    for (int i = 0; i < kit.count; i++) {
        count += kit.records[i].type == KIT_VERDICT && kit.records[i].verdict.kind == kind;
    }
    return count;
}

static void a_hanging_task_is_told_with_and_without_ticks(void **state) {
    (void)state;
    struct bottleneck first = {0};
    int records = 0;
    for (int ticks = 0; ticks < 2; ticks++) {
        begin(9);
        silence_until(2, 600, ticks == 1);
        const struct kit_record *r = told(KIND_DATA_SKEW); // it reads a shuffle: may be the data
        assert_non_null(r);
        // 10 x 4 s are no more than 3 x (9 + 4) s, 10 x 8 s are more: looked at 4, 6, 10, ... s.
        assert_int_equal(r->verdict.opened_ms, kit_ms(6));
        assert_int_equal(r->verdict.rule_met, TRI_TRUE);
        assert_int_equal(r->verdict.cause, CAUSE_UNKNOWN);
        assert_non_null(strstr(r->verdict.summary, "task 9 still runs"));
        if (ticks == 0) {
            first = r->verdict;
            records = told_count(KIND_DATA_SKEW);
        } else { // the same is said, as of the same moments
            assert_int_equal(told_count(KIND_DATA_SKEW), records);
            assert_int_equal(r->verdict.updated_ms, first.updated_ms);
            assert_string_equal(r->verdict.summary, first.summary);
            assert_near(r->verdict.saving_s, first.saving_s, 0);
        }
        kit_task(APP, 0, 9, 1, 601, 100);
        kit_stage(APP, 0, 10, 1, 601);
        r = told(KIND_DATA_SKEW);
        assert_int_equal(r->verdict.life, LIFE_CONFIRMED);
        assert_int_equal(r->verdict.cause, CAUSE_DATA);
        assert_int_equal(r->verdict.opened_ms, kit_ms(6));
        assert_null(told(KIND_STRAGGLER));
        kit_check_revisions();
        kit_tear_down(NULL);
        kit_set_up(NULL);
    }
}

static void what_is_told_early_comes_back_after_a_restart(void **state) {
    (void)state;
    begin(9);
    for (int i = 0; i < 5; i++) {
        engine_tick(kit.engine, 10000);
    }
    int before = told_count(KIND_DATA_SKEW);
    assert_true(before > 0);
    struct keep_table *table = keep_table_new();
    engine_all(kit.engine, table_put, table);
    engine_free(kit.engine);
    kit_begin();
    assert_int_equal(engine_load(kit.engine, table, &kit.err), ST_OK);
    keep_table_free(table);
    for (int i = 0; i < 10;
         i++) { // looked at as of 66 s, half a minute after it was told, and 130 s
        engine_tick(kit.engine, 10000);
    }
    assert_int_equal(told(KIND_DATA_SKEW)->verdict.updated_ms, kit_ms(130));
    kit_check_revisions();
}

static void half_of_a_stage_must_have_ended(void **state) {
    (void)state;
    begin(4);
    silence_until(2, 600, true);
    assert_null(told(KIND_DATA_SKEW));
}

static void a_stage_hangs_while_others_go_on(void **state) {
    (void)state;
    begin(9);
    kit_stage(APP, 1, 1000, 2, 0);
    for (int i = 0; i < 40; i++) { // never two seconds without an event
        kit_task(APP, 1, 100 + i, 2 + i, 3 + i, 1);
    }
    assert_in_range(told(KIND_DATA_SKEW)->verdict.opened_ms, kit_ms(6), kit_ms(9));
}

// Another run's event at that time, in a record that is so much later.
static void another(double at_s, double late_s) {
    kit.record_ms = kit_ms(at_s + late_s);
    kit_stage("app-2", (int)at_s, 10, at_s, 0);
}

// Ten stages hang in a run of few bytes, and an hour passes from one event to the next. Returns all
// that was said.
static struct buf poor_life(bool ticks) {
    struct buf said = {0};
    kit_app_start(APP, "etl", 0);
    for (int stage = 0; stage < 10; stage++) {
        kit_stage(APP, stage, 4, 1, 0);
        starts(stage, 4 * stage, 1);
        for (int i = 1; i < 4; i++) {
            kit_task(APP, stage, 4 * stage + i, 1, 1.1, 1);
        }
    }
    for (int hour = 0; hour < 60; hour++) {
        for (int i = 0; ticks && i < 359; i++) {
            engine_tick(kit.engine, 10000);
        }
        kit_feed(APP,
                 "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":%lld,\"Executor "
                 "ID\":\"e\"}",
                 kit_ms(3600 * (1 + hour)));
    }
    for (int i = 0; i < kit.count; i++) {
        const struct bottleneck *b = &kit.records[i].verdict;
        if (kit.records[i].type == KIT_VERDICT) {
            buf_printf(&said, "%d %d %d %lld %s\n", b->stage, (int)b->kind, (int)b->revision,
                       (long long)b->updated_ms, b->summary);
        }
    }
    return said;
}

// What a run's bytes do not pay for is not said, whether ticks came in between or not.
static void what_is_not_paid_for_is_the_same_with_ticks(void **state) {
    struct buf without = poor_life(false);
    kit_tear_down(state);
    kit_set_up(state);
    struct buf with = poor_life(true);
    assert_in_range(told_count(KIND_DATA_SKEW), 20, 60 * 10);
    assert_string_equal(buf_text(&with), buf_text(&without));
    kit_check_revisions();
    buf_fini(&with);
    buf_fini(&without);
}

static void a_run_is_silent_while_others_are_not(void **state) {
    (void)state;
    for (int late = 0; late < 2; late++) {
        kit.record_ms = kit_ms(2);
        begin(9);
        kit_app_start("app-2", "other", 2);
        for (int i = 2; i < 40; i += 4) {
            another(i, late == 0 ? 1 : 61);
        }
        if (late == 0) {
            assert_int_equal(told(KIND_DATA_SKEW)->verdict.opened_ms, kit_ms(6));
        } else { // it was long ago, and who knows when this run's events come
            assert_null(told(KIND_DATA_SKEW));
        }
        kit_check_revisions();
        kit_tear_down(NULL);
        kit.record_ms = 0;
        kit_set_up(NULL);
    }
    kit.record_ms = kit_ms(100); // the same the other way: this run is one of long ago
    begin(9);
    kit_app_start("app-2", "other", 2);
    for (int i = 2; i < 40; i += 4) {
        another(i, 1);
    }
    assert_null(told(KIND_DATA_SKEW));
    kit.record_ms = 0;
}

enum { SILENT_RUNS = 50 };

// Takes the apps of the silent runs away, or gives them back; they were looked at last as of then.
static void without_apps(bool take, double looked_s) {
    static struct app *taken[SILENT_RUNS];
    int count = 0;
    struct live_run *live;
    TAILQ_FOREACH(live, &kit.engine->running, link) {
        if (strncmp(live->key, "silent-", 7) == 0) {
            int number = (int)strtol(live->key + 7, NULL, 10);
            assert_int_equal(live->looked_ms, kit_ms(looked_s));
            if (take) {
                taken[number] = live->app;
            }
            live->app = take ? NULL : taken[number];
            count++;
        }
    }
    assert_int_equal(count, SILENT_RUNS);
}

// Runs of which one task goes on. Looked at 3, 6, 12, ... s after their last event.
static void runs_fall_silent(void) {
    char key[16];
    kit.record_ms = kit_ms(1);
    for (int i = 0; i < SILENT_RUNS; i++) {
        snprintf(key, sizeof key, "silent-%d", i);
        kit_app_start(key, "etl", 0);
        kit_stage(key, 0, 1, 1, 0);
        kit_feed(key,
                 "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":0,\"Stage Attempt ID\":0,"
                 "\"Task Info\":{\"Task ID\":0,\"Index\":0,\"Launch Time\":%lld,\"Executor "
                 "ID\":\"1\",\"Host\":\"h\"}}",
                 kit_ms(1));
    }
    kit_app_start("app-2", "other", 2);
}

// However many runs are silent, and whatever the events of another are: nobody visits those whose
// next look is not due. Without an app nobody could.
static void runs_that_are_not_due_are_not_visited(void **state) {
    (void)state;
    runs_fall_silent();
    for (int at_s = 10; at_s <= 110; at_s += 10) {
        another(at_s, 1);
    }
    without_apps(true, 97);
    for (int at_s = 120; at_s <= 200; at_s += 10) {
        another(at_s, 1);
    }
    without_apps(false, 97);
    another(210, 1);
    without_apps(true, 193);
    without_apps(false, 193);
    kit.record_ms = 0;
}

static struct buf silent_life(bool restarts) {
    struct buf said = {0};
    static const char *const hang[] = {"b", "c", "a"};
    kit.record_ms = kit_ms(2);
    for (size_t i = 0; i < ARRAY_LEN(hang); i++) {
        of = hang[i];
        begin(9);
    }
    of = APP;
    runs_fall_silent();
    for (int at_s = 10; at_s <= 400; at_s += 10) {
        char key[16];
        another(at_s, 1);
        snprintf(key, sizeof key, "silent-%d", at_s % 7);
        kit_stage(key, at_s, 4, at_s + 1, 0); // one is silent no more
        if (at_s == 160) { // nor is this one, which would have had its turn much later
            kit_stage("b", 77, 4, at_s, 0);
        }
        if (restarts) {
            struct keep_table *table = keep_table_new();
            engine_all(kit.engine, table_put, table);
            engine_free(kit.engine);
            kit_begin();
            assert_int_equal(engine_load(kit.engine, table, &kit.err), ST_OK);
            keep_table_free(table);
        }
    }
    for (int i = 0; i < kit.count; i++) {
        const struct kit_record *r = &kit.records[i];
        buf_printf(&said, "%s %d %s %lld %lld\n", r->app_id, (int)r->type, r->id,
                   (long long)r->revision,
                   (long long)(r->type == KIT_VERDICT ? r->verdict.updated_ms : r->time_ms));
    }
    kit.record_ms = 0;
    return said;
}

// Whose turn it is follows from what is kept.
static void a_restart_changes_no_turn(void **state) {
    struct buf whole = silent_life(false);
    kit_tear_down(state);
    kit_set_up(state);
    struct buf restarted = silent_life(true);
    assert_non_null(strstr(buf_text(&whole), "\na 1 "));
    assert_string_equal(buf_text(&restarted), buf_text(&whole));
    buf_fini(&whole);
    buf_fini(&restarted);
}

static void what_was_wrong_is_retracted(void **state) {
    (void)state;
    begin(5); // and the other five are as slow as the one
    silence_until(2, 3, false);
    for (int i = 5; i < 9; i++) {
        kit_task(APP, 0, i, 1, 3, 1);
    }
    silence_until(3, 600, true);
    assert_non_null(told(KIND_DATA_SKEW));
    kit_stage(APP, 0, 10, 1, 601); // its end was never told
    assert_int_equal(told(KIND_DATA_SKEW)->verdict.life, LIFE_RETRACTED);
    assert_null(told(KIND_STRAGGLER));
    kit_check_revisions();
}

// No task of it has ended, and slots idle beside the one that runs: on one slot there is nothing to
// tell.
static void a_stage_of_one_task_is_told_while_it_runs(void **state) {
    (void)state;
    for (int cores = 1; cores <= 4; cores += 3) {
        kit_app_start(APP, "etl", 0);
        kit_executor(APP, "1", cores);
        kit_stage(APP, 0, 1, 1, 0);
        starts(0, 0, 1);
        silence_until(2, 600, true);
        const struct kit_record *r = told(KIND_LOW_PARALLELISM);
        assert_true((r != NULL) == (cores > 1));
        if (r != NULL) {
            assert_int_equal(r->verdict.cause, CAUSE_SINGLE_PARTITION);
            assert_int_equal(r->verdict.confidence, CONFIDENCE_MEDIUM);
            assert_true(r->verdict.opened_ms < kit_ms(10));
        }
        kit_tear_down(NULL);
        kit_set_up(NULL);
    }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_hanging_task_is_told_with_and_without_ticks),
        CASE(what_is_told_early_comes_back_after_a_restart),
        CASE(half_of_a_stage_must_have_ended),
        CASE(a_stage_hangs_while_others_go_on),
        CASE(what_is_not_paid_for_is_the_same_with_ticks),
        CASE(a_run_is_silent_while_others_are_not),
        CASE(runs_that_are_not_due_are_not_visited),
        CASE(a_restart_changes_no_turn),
        CASE(what_was_wrong_is_retracted),
        CASE(a_stage_of_one_task_is_told_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
