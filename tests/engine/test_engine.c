// test_engine: the life of a verdict as the topics see it: opened, updated, confirmed, retracted;
// revisions that rise; what stays inside; how often a run is told.
#include "engine_kit.h"

#include "keep/table.h"

#define APP "app-1"

// Eight tasks of 10 s and 1 MiB, then one of 100 s and 100 MiB: 900 > 3 * 180.
static void skewed_stage(int tasks) {
    kit_app_start(APP, "etl-20240101", 0);
    kit_stage(APP, 0, tasks, 1, 0);
    for (int i = 0; i < 8; i++) {
        kit_task(APP, 0, i, 1, 11, 1);
    }
    assert_int_equal(kit_count(KIT_VERDICT, APP), 0);
    kit_task(APP, 0, 8, 1, 101, 100);
}

static void a_verdict_opens_while_the_stage_runs(void **state) {
    (void)state;
    skewed_stage(12);
    assert_int_equal(kit_count(KIT_VERDICT, APP), 1);
    const struct kit_record *r = kit_find(KIT_VERDICT, APP, 0);
    assert_int_equal(r->verdict.kind, KIND_DATA_SKEW);
    assert_int_equal(r->verdict.life, LIFE_OPENED);
    assert_int_equal(r->verdict.cause, CAUSE_DATA);
    assert_int_equal(r->verdict.rule_met, TRI_TRUE);
    assert_int_equal(r->verdict.revision, 1);
    assert_int_equal(r->verdict.stage, 0);
    // 180 s of work in 100 s took 1.8 slots at least: what is left, 90 s, takes 50 s in them.
    assert_near(r->verdict.saving_s, 50, 1e-9);
    assert_near(r->verdict.completeness, 9.0 / 12, 0);        // of the stage's tasks
    assert_int_equal(r->verdict.severity, SEVERITY_MODERATE); // of five minutes
    assert_int_equal(r->verdict.opened_ms, kit_ms(101));
    // The run is told at once, with its bottleneck open and its name without the date.
    const struct kit_record *run = kit_find(KIT_RUN, APP, -1);
    assert_non_null(run);
    assert_int_equal(run->open_count, 1);
    assert_int_equal(run->status, RUN_RUNNING);
    assert_int_equal(run->ended_ms, 0);
    assert_string_equal(run->pipeline, "etl");
    assert_int_equal(kit_count(KIT_ADVICE, APP), 1);
    assert_string_equal(kit_find(KIT_ADVICE, APP, 0)->advice_kind, "data_skew");
}

static void too_little_of_a_stage_says_nothing(void **state) {
    (void)state;
    skewed_stage(19); // 9 of 19: below a half
    assert_int_equal(kit_count(KIT_VERDICT, APP), 0);
    kit_stage(APP, 0, 19, 1, 102); // but when the stage ends it speaks
    assert_int_equal(kit_find(KIT_VERDICT, APP, 0)->verdict.life, LIFE_CONFIRMED);
    assert_near(kit_find(KIT_VERDICT, APP, 0)->verdict.completeness, 9.0 / 19, 1e-9);
}

static void a_verdict_is_confirmed_when_its_stage_ends(void **state) {
    (void)state;
    skewed_stage(10);
    kit_task(APP, 0, 9, 1, 101, 1); // not judged at once: no second has passed
    assert_int_equal(kit_count(KIT_VERDICT, APP), 1);
    kit_stage(APP, 0, 10, 1, 101);
    assert_int_equal(kit_count(KIT_VERDICT, APP), 2);
    const struct kit_record *first = kit_find(KIT_VERDICT, APP, 0);
    const struct kit_record *second = kit_find(KIT_VERDICT, APP, 1);
    assert_string_equal(first->id, second->id);
    assert_int_equal(second->verdict.life, LIFE_CONFIRMED);
    assert_int_equal(second->verdict.revision, 2);
    assert_near(second->verdict.completeness, 1, 0);
    assert_int_equal(second->verdict.opened_ms, kit_ms(101));
    kit_app_end(APP, 110);
    kit_check_revisions();
}

static void a_verdict_is_retracted_when_the_rest_is_as_slow(void **state) {
    (void)state;
    skewed_stage(12);
    for (int i = 9; i < 12; i++) {
        kit_task(APP, 0, i, 1 + i, 101 + i, 100);
    }
    // 9 + 1 slow: 1000 > 3 * 280, still; 9 + 2: 1100 < 3 * 380, no more.
    const struct kit_record *r = kit_find(KIT_VERDICT, APP, -1);
    assert_int_equal(kit_count(KIT_VERDICT, APP), 3);
    assert_int_equal(kit_find(KIT_VERDICT, APP, 1)->verdict.life, LIFE_UPDATED);
    assert_int_equal(r->verdict.life, LIFE_RETRACTED);
    assert_int_equal(r->verdict.kind, KIND_DATA_SKEW);
    assert_int_equal(r->verdict.rule_met, TRI_TRUE); // it keeps the numbers it was opened with
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 0);
    kit_check_revisions();
    kit_stage(APP, 0, 12, 1, 115);
    kit_app_end(APP, 120);
    assert_int_equal(kit_find(KIT_VERDICT, APP, -1)->verdict.life, LIFE_RETRACTED);
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 0);
    kit_check_revisions();
}

static void a_retracted_verdict_may_come_back(void **state) {
    (void)state;
    skewed_stage(20);
    kit_task(APP, 0, 9, 1, 12, 1); // ten of twenty
    kit_task(APP, 0, 10, 1, 103, 1);
    for (int i = 11; i < 14; i++) {
        kit_task(APP, 0, i, i, 100 + i, 100);
    }
    assert_int_equal(kit_find(KIT_VERDICT, APP, -1)->verdict.life, LIFE_RETRACTED);
    kit_task(APP, 0, 14, 1, 1001, 1000);
    const struct kit_record *r = kit_find(KIT_VERDICT, APP, -1);
    assert_int_equal(r->verdict.life, LIFE_UPDATED);
    assert_string_equal(r->id, kit_find(KIT_VERDICT, APP, 0)->id);
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 1);
    kit_check_revisions();
}

// Nine tasks of 1 s, one of `slow_s`.
static void small_skew(double slow_s) {
    kit_app_start(APP, "etl", 0);
    kit_stage(APP, 0, 10, 1, 0);
    for (int i = 0; i < 9; i++) {
        kit_task(APP, 0, i, 1, 2, 1);
    }
    kit_task(APP, 0, 9, 1, 1 + slow_s, 100);
    kit_stage(APP, 0, 10, 1, 1 + slow_s);
}

// The rest of a long run is another stage's.
static void long_run_ends(void) {
    kit_stage(APP, 1, 1, 10, 1990);
    kit_app_end(APP, 2000);
}

static void nothing_below_the_least_severity_leaves(void **state) {
    (void)state;
    small_skew(4); // 0.9 s of five minutes: below a percent
    long_run_ends();
    for (int i = 0; i < kit.count; i++) {
        assert_true(kit.records[i].type != KIT_VERDICT ||
                    kit.records[i].verdict.kind != KIND_DATA_SKEW);
        assert_int_equal(kit.records[i].open_count, 0);
    }
    kit_tear_down(NULL);
    kit_options();
    kit.options.publish_min = SEVERITY_NEGLIGIBLE;
    kit_begin();
    small_skew(4);
    assert_int_equal(kit_find(KIT_VERDICT, APP, 0)->verdict.severity, SEVERITY_NEGLIGIBLE);
    long_run_ends();
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 0); // negligible is not open
    kit_check_revisions();
}

static void a_published_verdict_that_falls_is_told(void **state) {
    (void)state;
    small_skew(8); // saves 3.3 s: 1.1 % of five minutes
    const struct kit_record *r = kit_find(KIT_VERDICT, APP, -1);
    assert_int_equal(r->verdict.severity, SEVERITY_LOW);
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 1);
    int64_t revision = r->revision;
    long_run_ends(); // but 0.3 % of the whole run
    r = kit_find(KIT_VERDICT, APP, -1);
    assert_int_equal(r->verdict.kind, KIND_DATA_SKEW);
    assert_int_equal(r->verdict.severity, SEVERITY_NEGLIGIBLE);
    assert_int_equal(r->verdict.life, LIFE_CONFIRMED);
    assert_true(r->revision > revision);
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->open_count, 0);
    kit_check_revisions();
}

static void duplicates_change_nothing(void **state) {
    (void)state;
    skewed_stage(12);
    int before = kit.count;
    for (int round = 0; round < 3; round++) {
        kit_task(APP, 0, 8, 1, 101, 100);
        kit_task(APP, 0, 3, 1, 11, 1);
    }
    assert_int_equal(kit.count, before);
    assert_int_equal(metrics_get(METRIC_DUPLICATES), 6);
    kit_app_end(APP, 120);
    assert_int_equal(kit_find(KIT_RUN, APP, -1)->tasks, 9);
}

static void a_running_run_is_told_every_minute(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0); // 20 s into a minute
    kit_stage(APP, 0, 1000, 1, 0);
    for (int i = 0; i < 30; i++) { // every 10 s of five minutes
        kit_task(APP, 0, i, 10 * i + 1, 10 * i + 9, 1);
    }
    assert_int_equal(kit_count(KIT_RUN, APP), 5);
    for (int i = 0; i < 5; i++) {
        const struct kit_record *r = kit_find(KIT_RUN, APP, i);
        assert_int_equal(r->revision, i + 1);
        assert_int_equal(r->status, RUN_RUNNING);
        assert_true(r->time_ms / 60000 == KIT_START_MS / 60000 + i + 1);
        assert_true(r->records == 1000000 * r->tasks);
    }
    kit_app_end(APP, 300);
    const struct kit_record *last = kit_find(KIT_RUN, APP, -1);
    assert_int_equal(last->status, RUN_SUCCEEDED);
    assert_int_equal(last->ended_ms, kit_ms(300));
    assert_int_equal(last->revision, 6);
}

static void numbers_alone_are_repeated_at_most_every_minute(void **state) {
    (void)state;
    skewed_stage(40);
    kit_stage(APP, 0, 16, 1, 0); // half of it has ended
    kit_task(APP, 0, 9, 90, 103, 1);
    int opened = kit_count(KIT_VERDICT, APP);
    for (int i = 10; i < 14; i++) { // four more within a minute: the mean moves, nothing else
        kit_task(APP, 0, i, 50 + 5 * i, 60 + 5 * i, 1);
    }
    assert_true(opened >= 1);
    // Opened becomes updated, once, and once it is surer.
    assert_true(kit_count(KIT_VERDICT, APP) <= opened + 2);
    int before = kit_count(KIT_VERDICT, APP);
    kit_task(APP, 0, 14, 90, 190, 50);
    assert_int_equal(kit_count(KIT_VERDICT, APP), before + 1);
    kit_check_revisions();
}

// The engine goes, another one goes on from its state.
static void restart(void) {
    struct keep_table *table = keep_table_new();
    engine_all(kit.engine, table_put, table);
    engine_free(kit.engine);
    kit_begin();
    assert_int_equal(engine_load(kit.engine, table, &kit.err), ST_OK);
    keep_table_free(table);
}

static void a_second_run_under_a_key_goes_on_counting(void **state) {
    (void)state;
    skewed_stage(12);
    kit_app_end(APP, 120);
    int first = kit.count;
    restart();
    kit_app_start(APP, "etl-20240101", 500);
    kit_stage(APP, 0, 12, 501, 0);
    for (int i = 0; i < 9; i++) {
        kit_task(APP, 0, i, 501, i < 8 ? 511 : 601, i < 8 ? 1 : 100);
    }
    kit_app_end(APP, 620);
    assert_true(kit.count > first + 2);
    const struct kit_record *last = kit_find(KIT_VERDICT, APP, -1);
    assert_string_equal(last->id, kit_find(KIT_VERDICT, APP, 0)->id);
    for (int i = 0; i < kit.count; i++) { // no revision of anything comes twice
        for (int k = 0; k < i; k++) {
            assert_true(strcmp(kit.records[k].id, kit.records[i].id) != 0 ||
                        kit.records[k].revision < kit.records[i].revision);
        }
    }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_verdict_opens_while_the_stage_runs),
        CASE(too_little_of_a_stage_says_nothing),
        CASE(a_verdict_is_confirmed_when_its_stage_ends),
        CASE(a_verdict_is_retracted_when_the_rest_is_as_slow),
        CASE(a_retracted_verdict_may_come_back),
        CASE(nothing_below_the_least_severity_leaves),
        CASE(a_published_verdict_that_falls_is_told),
        CASE(duplicates_change_nothing),
        CASE(a_running_run_is_told_every_minute),
        CASE(numbers_alone_are_repeated_at_most_every_minute),
        CASE(a_second_run_under_a_key_goes_on_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
