// test_snapshot_pipelines: state of stage 2 written out as changes at random commits, and read back
// after a crash at a random point, goes on as if nothing had happened: windows, alerts and the
// state at the end are equal to those of an uninterrupted one. Random updates: runs that go on,
// end, fail, repeat themselves, come late; ticks; small bounds.
#include "updates_kit.h"

enum { UPDATES = 1500 };

static void append(void *ctx, struct str key, struct str value) {
    struct buf *all = ctx;
    buf_add_printable(all, key);
    buf_add_char(all, '=');
    buf_add_printable(all, value);
    buf_add_char(all, '\n');
}

static void assert_tables_equal(const struct state_table *got, const struct state_table *expected,
                                uint64_t seed) {
    struct buf x = {0}, y = {0};
    state_table_each(got, append, &x);
    state_table_each(expected, append, &y);
    if (!str_eq(buf_str(&x), buf_str(&y))) {
        fail_msg("seed %d: other state", (int)seed);
    }
    buf_fini(&x);
    buf_fini(&y);
}

struct committing {
    struct state_table *changelog, *seen;
};
static void apply_once(void *ctx, struct str key, struct str value) {
    struct committing *committing = ctx;
    struct str before;
    if (state_table_get(committing->seen, key, &before)) {
        fail_msg("twice in one commit: %.*s", (int)key.len, key.p);
    }
    state_table_put(committing->seen, key, STR("once"));
    apply(committing->changelog, key, value);
}

// What changed goes to the changelog, each key once; then it holds what the state is as a whole.
static void commit(struct pipelines *p, struct state_table *changelog, uint64_t seed) {
    struct committing committing = {changelog, state_table_new()};
    snapshot_pipelines_changes(p, apply_once, &committing);
    state_table_free(committing.seen);
    struct state_table *whole = state_table_new();
    snapshot_pipelines_each(p, apply, whole);
    assert_tables_equal(changelog, whole, seed);
    state_table_free(whole);
}

static void put_stats(void *ctx, const struct pipeline_stats *s) {
    struct buf words = {0};
    buf_printf(&words, "%.17g %lld %lld %lld %.17g %d %.17g %lld", s->duration_sum_s,
               (long long)s->runs, (long long)s->records_total, (long long)s->errors_total,
               s->records_per_s, (int)s->last_status, s->last_duration_s,
               (long long)s->last_ended_ms);
    for (int i = 0; i <= PIPELINE_DURATION_BUCKETS; i++) {
        buf_printf(&words, " %lld", (long long)s->duration_buckets[i]);
    }
    for (int i = 0; i < SEVERITY_COUNT; i++) {
        buf_printf(&words, " %lld", (long long)s->open_bottlenecks[i]);
    }
    state_table_put(ctx, str_of(s->pipeline), buf_str(&words));
    buf_fini(&words);
}

// What is shown of the state besides what is told: the numbers of /metrics and the alerts kept.
static void tell_rest(struct pipelines *p) {
    struct state_table *stats = state_table_new(); // by name: /metrics has its own order
    pipelines_each(p, put_stats, stats);
    state_table_each(stats, append, told);
    state_table_free(stats);
    buf_add_text(told, "kept\n");
    pipelines_each_alert(p, on_alert, NULL);
    pipelines_flush(p);
}

static void run_with_crashes(uint64_t seed, struct buf *out, struct state_table *changelog) {
    uint64_t random = seed;
    struct pipelines *p = fresh();
    struct buf pending = {0};
    told = &pending;
    for (int done = 0, at = 0; done < UPDATES;) {
        int to = at + 1 + (int)(test_random(&random) % 60);
        for (to = to < UPDATES ? to : UPDATES; at < to; at++) {
            feed_one(p, seed, at);
        }
        if (test_random(&random) % 4 == 0) { // dies before the commit
            pipelines_free(p);
            buf_clear(&pending);
            p = restore(changelog);
            at = done;
            continue;
        }
        commit(p, changelog, seed);
        buf_add_str(out, buf_str(&pending));
        buf_clear(&pending);
        done = at;
    }
    tell_rest(p);
    buf_add_str(out, buf_str(&pending));
    pipelines_free(p);
    buf_fini(&pending);
}

static void same_with_crashes(uint64_t seed) {
    struct buf expected = {0}, got = {0};
    struct state_table *changelog = state_table_new(), *at_end = state_table_new();
    struct pipelines *whole = fresh();
    told = &expected;
    for (int i = 0; i < UPDATES; i++) {
        feed_one(whole, seed, i);
    }
    snapshot_pipelines_each(whole, apply, at_end);
    tell_rest(whole);
    pipelines_free(whole);
    run_with_crashes(seed, &got, changelog);
    assert_non_null(strstr(buf_text(&expected), "alert"));
    assert_non_null(strstr(buf_text(&expected), "window"));
    if (!str_eq(buf_str(&got), buf_str(&expected))) {
        fail_msg("seed %d: other windows or alerts than without crashes", (int)seed);
    }
    assert_tables_equal(changelog, at_end, seed);
    state_table_free(changelog);
    state_table_free(at_end);
    buf_fini(&expected);
    buf_fini(&got);
}

static void crashes_show_nowhere(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        pipelines_options_init(&options);
        options.alert_min = seed % 2 == 0 ? SEVERITY_LOW : SEVERITY_MODERATE;
        options.window_ms = seed % 3 == 0 ? 3600000 : 300000;
        options.alert_keep_ms = 300000;
        options.alert_silence_ms = seed % 4 == 0 ? 120000 : 3600000;
        options.runs_max = seed % 5 == 0 ? 3 : 100;
        options.pipelines_max = seed % 3 == 1 ? 4 : 100;
        same_with_crashes(seed);
    }
}

static void count_pane(void *ctx, struct str key, struct str value) {
    (void)value;
    *(int *)ctx += key.p[0] == 'w';
}
static int count_panes(const struct state_table *table) {
    int panes = 0;
    state_table_each(table, count_pane, &panes);
    return panes;
}

// 300 updates under the options, and their state.
static struct state_table *some_state(void) {
    struct state_table *table = state_table_new();
    struct pipelines *p = fresh();
    for (int i = 0; i < 300; i++) {
        feed_one(p, 1, i);
    }
    snapshot_pipelines_changes(p, apply, table);
    pipelines_free(p);
    return table;
}

// What the state becomes under other options, ten updates later: as consistent as ever.
static struct pipelines *go_on(struct state_table *table) {
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
    struct state_table *table = some_state();
    int before = count_panes(table);
    size_t others = state_table_count(table) - (size_t)before;
    assert_true(before > 10);
    options.pane_ms = 300000;
    struct pipelines *p = restore(table);
    assert_int_equal(pipelines_panes_lost(p), before);
    commit(p, table, 1);
    assert_int_equal(count_panes(table), 0);
    assert_int_equal(state_table_count(table), others);
    pipelines_free(p);
    p = go_on(table);
    assert_int_equal(pipelines_panes_lost(p), 0);
    assert_true(count_panes(table) > 0);
    pipelines_free(p);
    state_table_free(table);
    buf_fini(&out);
}

// A shorter window keeps the newest panes, a longer one all.
static void another_window_length_keeps_what_fits(void **state) {
    (void)state;
    struct buf out = {0};
    told = &out;
    pipelines_options_init(&options);
    struct state_table *table = some_state();
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
    state_table_free(table);
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
    struct state_table *table = some_state();
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
    state_table_each(table, count_run, &count);
    assert_in_range(count, 3, 6);
    pipelines_free(p);
    state_table_free(table);
    buf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_show_nowhere),
        cmocka_unit_test(another_pane_length_lets_the_panes_go),
        cmocka_unit_test(another_window_length_keeps_what_fits),
        cmocka_unit_test(smaller_bounds_hold_from_the_next_one_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
