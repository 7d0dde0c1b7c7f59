// test_kept_pipelines_options: state of stage 2 writes what changed and no more, and is read
// back under other options than it was written with: what still fits is kept.
#include "updates_kit.h"

static void count_pane(void *ctx, struct str key, struct str value) {
    (void)value;
    *(int *)ctx += key.p[0] == 'w';
}
static int count_panes(const struct keep_table *table) {
    int panes = 0;
    keep_table_each(table, count_pane, &panes);
    return panes;
}

// 300 updates under the options, and their state.
static struct keep_table *some_state(void) {
    struct keep_table *table = keep_table_new();
    struct pipelines *p = fresh();
    for (int i = 0; i < 300; i++) {
        feed_one(p, 1, i);
    }
    pipelines_changes(p, apply, table);
    pipelines_free(p);
    return table;
}

// What the state becomes under other options, ten updates later: as consistent as ever.
static struct pipelines *go_on(struct keep_table *table) {
    struct pipelines *p = restore(table);
    commit(p, table, 1); // with the keys that are gone
    for (int i = 300; i < 310; i++) {
        feed_one(p, 1, i);
    }
    commit(p, table, 1);
    return p;
}

// Other panes than the state was written with: the window begins anew, all else stays.
static void another_pane_length_lets_the_panes_go(void **state) {
    (void)state;
    struct buf out = {0};
    told = &out;
    pipelines_options_init(&options);
    struct keep_table *table = some_state();
    int before = count_panes(table);
    size_t others = keep_table_count(table) - (size_t)before;
    assert_true(before > 10);
    options.pane_ms = 300000;
    struct pipelines *p = restore(table);
    assert_int_equal(pipelines_panes_lost(p), before);
    commit(p, table, 1);
    assert_int_equal(count_panes(table), 0);
    assert_int_equal(keep_table_count(table), others);
    pipelines_free(p);
    p = go_on(table);
    assert_int_equal(pipelines_panes_lost(p), 0);
    assert_true(count_panes(table) > 0);
    pipelines_free(p);
    keep_table_free(table);
    buf_fini(&out);
}

// A shorter window keeps the newest panes, a longer one all.
static void another_window_length_keeps_what_fits(void **state) {
    (void)state;
    struct buf out = {0};
    told = &out;
    pipelines_options_init(&options);
    struct keep_table *table = some_state();
    int before = count_panes(table);
    options.window_ms = 2 * 3600000;
    struct pipelines *p = restore(table);
    assert_int_equal(pipelines_panes_lost(p), 0);
    pipelines_free(p);
    options.window_ms = 300000;
    p = restore(table);
    assert_in_range(pipelines_panes_lost(p), 1, before - 9); // at least one each of nine
    pipelines_free(p);
    p = go_on(table);
    assert_in_range(count_panes(table), 9, 9 * 5);
    pipelines_free(p);
    keep_table_free(table);
    buf_fini(&out);
}

static void count_pipeline(void *ctx, const struct pipeline_stats *stats) {
    (void)stats;
    ++*(int *)ctx;
}
static void count_run(void *ctx, struct str key, struct str value) {
    (void)value;
    *(int *)ctx += key.p[0] == 'k';
}

// Smaller bounds push out what is beyond them as soon as something new comes.
static void smaller_bounds_hold_from_the_next_one_on(void **state) {
    (void)state;
    struct buf out = {0};
    int count = 0;
    told = &out;
    pipelines_options_init(&options);
    struct keep_table *table = some_state();
    options.pipelines_max = 3;
    options.runs_max = 2;
    struct pipelines *p = restore(table);
    pipelines_each(p, count_pipeline, &count);
    assert_int_equal(count, 9);
    struct pipeline_run run = {.id = "new", .revision = 1, .identity = {.pipeline = "new"}};
    pipelines_feed(p, &run, 300, 0);
    commit(p, table, 1);
    count = 0;
    pipelines_each(p, count_pipeline, &count);
    assert_int_equal(count, 3);
    for (int i = 300; i < 800; i++) {
        feed_one(p, 1, i);
    }
    commit(p, table, 1);
    count = 0;
    keep_table_each(table, count_run, &count);
    assert_in_range(count, 3, 6);
    pipelines_free(p);
    keep_table_free(table);
    buf_fini(&out);
}

static void note_key(void *ctx, struct str key, struct str value) {
    (void)value;
    buf_add_printable(ctx, key);
    buf_add_char(ctx, ' ');
}

// One update of one run: its pipeline, itself, its pane, and the time if it is newer.
static void only_what_changed_is_written(void **state) {
    (void)state;
    struct buf out = {0}, keys = {0};
    told = &out;
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    struct pipeline_run run = {.id = "a", .revision = 1, .identity = {.pipeline = "x"}};
    for (int64_t minute = 1; minute <= 3; minute++) {
        snprintf(run.id, sizeof run.id, "%lld", (long long)minute);
        run.time_ms = minute * 60000;
        pipelines_feed(p, &run, minute, 0);
    }
    pipelines_changes(p, note_key, &keys);
    assert_string_equal(buf_text(&keys), "P p\\x0ax k1.\\x0ax k2.\\x0ax k3.\\x0ax "
                                         "w1.\\x0ax w2.\\x0ax w3.\\x0ax ");
    buf_clear(&keys);
    run.revision = 2;
    run.totals.records = 1;
    pipelines_feed(p, &run, 4, 0);
    pipelines_changes(p, note_key, &keys);
    assert_string_equal(buf_text(&keys), "p\\x0ax k3.\\x0ax w3.\\x0ax ");
    buf_clear(&keys);
    pipelines_feed(p, &run, 5, 0); // heard before
    pipelines_changes(p, note_key, &keys);
    assert_string_equal(buf_text(&keys), "p\\x0ax ");
    pipelines_free(p);
    buf_fini(&keys);
    buf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_changed_is_written),
        cmocka_unit_test(another_pane_length_lets_the_panes_go),
        cmocka_unit_test(another_window_length_keeps_what_fits),
        cmocka_unit_test(smaller_bounds_hold_from_the_next_one_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
