// test_snapshot_pipelines: state of stage 2 written out as changes at random commits, and read back
// after a crash at a random point, goes on as if nothing had happened: windows, alerts and the
// state at the end are equal to those of an uninterrupted one. Random updates: runs that go on,
// end, fail, repeat themselves, come late; ticks; small bounds.
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/snapshot.h"

enum { UPDATES = 1500 };

static struct pipelines_options options;
static struct buf *told; // windows and alerts in words

static void on_window(void *ctx, const struct pipeline_window *w) {
    (void)ctx;
    buf_printf(told, "window %s %lld runs %lld/%lld records %lld in %lld/%lld", w->pipeline,
               (long long)w->pane_start_ms, (long long)w->runs, (long long)w->runs_failed,
               (long long)w->records, (long long)w->window_runs, (long long)w->window_runs_failed);
    buf_printf(told, " p50 %.17g p99 %.17g max %.17g open", w->duration_p50_s, w->duration_p99_s,
               w->duration_max_s);
    for (int s = 0; s < SEVERITY_COUNT; s++) {
        buf_printf(told, " %lld", (long long)w->open_bottlenecks[s]);
    }
    buf_printf(told, " bytes %lld %lld %lld spilled %lld %lld gc %lld %lld\n",
               (long long)w->data_bytes, (long long)w->shuffle_read_bytes,
               (long long)w->shuffle_write_bytes, (long long)w->memory_spilled_bytes,
               (long long)w->disk_spilled_bytes, (long long)w->gc_ms, (long long)w->task_ms);
}

static void on_alert(void *ctx, const struct alert *a) {
    (void)ctx;
    buf_printf(told, "alert %s %s %s %s %s %lld-%lld\n", a->name, a->severity, a->cluster,
               a->pipeline, a->description, (long long)a->started_ms, (long long)a->ended_ms);
}

static struct pipelines *fresh(void) {
    struct pipelines_output output = {NULL, on_window, on_alert};
    return pipelines_new(&options, &output);
}

// Update `i` is a pure function of its number and the seed.
static void feed_one(struct pipelines *p, uint64_t seed, int i) {
    uint64_t r = seed * 7919 + (uint64_t)i * 104729 + 1;
    struct pipeline_run run = {.revision = 1 + (int64_t)(test_random(&r) % 6)};
    struct open_bottleneck open[2];
    unsigned pipeline = (unsigned)(test_random(&r) % 9), number = (unsigned)(test_random(&r) % 12);
    snprintf(run.id, sizeof run.id, "%08u-run", pipeline * 100 + number + (unsigned)i / 200 * 7);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "p%u.\xc3\xa4", pipeline);
    snprintf(run.identity.cluster, sizeof run.identity.cluster, "c%u", pipeline % 2);
    snprintf(run.identity.app_id, sizeof run.identity.app_id, "app-%u", number);
    run.time_ms = 1700000000000 + (int64_t)i * 4000 - (int64_t)(test_random(&r) % 400000);
    run.started_ms = run.time_ms - 5000;
    int64_t *const figures[] = {&run.totals.records,
                                &run.totals.data_size_bytes,
                                &run.totals.shuffle_read_bytes,
                                &run.totals.shuffle_write_bytes,
                                &run.totals.memory_spilled_bytes,
                                &run.totals.disk_spilled_bytes,
                                &run.totals.gc_ms,
                                &run.totals.task_ms};
    for (size_t f = 0; f < sizeof figures / sizeof *figures; f++) {
        *figures[f] = (int64_t)(test_random(&r) % 100000);
    }
    run.records_per_s = (double)(test_random(&r) % 977) / 7;
    if (test_random(&r) % 2 == 0) {
        run.ended_ms = run.time_ms;
        run.duration_s = (double)(test_random(&r) % 9000) / 10;
        run.status = test_random(&r) % 3 == 0 ? RUN_FAILED : RUN_SUCCEEDED;
    }
    for (unsigned b = 0; b < 2 && test_random(&r) % 2 == 0; b++) {
        open[b] =
            (struct open_bottleneck){.kind = (enum bottleneck_kind)(test_random(&r) % KIND_COUNT),
                                     .severity = (enum severity)(test_random(&r) % SEVERITY_COUNT),
                                     .summary = "made up"};
        run.open_count = b + 1;
    }
    run.open = open;
    pipelines_feed(p, &run, i, test_random(&r) % 9 == 0 ? run.time_ms - 700000 : 0);
    if (i % 50 == 0) {
        pipelines_tick(p, 15000);
    }
    if (i % 211 == 0) {
        pipelines_tick(p, 700000);
    }
}

static void apply(void *ctx, struct str key, struct str value) {
    state_table_put(ctx, key, value);
}

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

static void commit(struct pipelines *p, struct state_table *changelog, uint64_t seed) {
    snapshot_pipelines_changes(p, apply, changelog);
    struct state_table *whole = state_table_new();
    snapshot_pipelines_each(p, apply, whole);
    assert_tables_equal(changelog, whole, seed);
    state_table_free(whole);
}

static struct pipelines *restore(const struct state_table *changelog) {
    struct err err = {0};
    struct pipelines *p = fresh();
    if (snapshot_pipelines_load(p, changelog, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return p;
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
    pipelines_flush(p);
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
    pipelines_flush(whole);
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

static void count_one(void *ctx, struct str key, struct str value) {
    (void)value;
    *(int *)ctx += key.p[0] == 'w';
}

// Other panes than the state was written with: the window begins anew, all else stays.
static void another_pane_length_lets_the_panes_go(void **state) {
    (void)state;
    struct buf out = {0};
    struct state_table *table = state_table_new();
    int panes = 0;
    told = &out;
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    for (int i = 0; i < 300; i++) {
        feed_one(p, 1, i);
    }
    snapshot_pipelines_changes(p, apply, table);
    pipelines_free(p);
    state_table_each(table, count_one, &panes);
    assert_true(panes > 10);
    options.pane_ms = 300000;
    p = restore(table);
    snapshot_pipelines_changes(p, apply, table); // with the keys that are gone
    panes = 0;
    state_table_each(table, count_one, &panes);
    assert_int_equal(panes, 0);
    for (int i = 300; i < 310; i++) {
        feed_one(p, 1, i);
    }
    commit(p, table, 1);
    pipelines_free(p);
    state_table_free(table);
    buf_fini(&out);
}

struct damage {
    uint64_t *seed;
    struct state_table *out;
};
static void copy_damaged(void *ctx, struct str key, struct str value) {
    struct damage *damage = ctx;
    uint64_t *seed = damage->seed;
    if (test_random(seed) % 30 == 0) {
        return; // lost
    }
    char *copy = mem_strndup(value.p, value.len);
    size_t len = value.len;
    if (len > 0 && test_random(seed) % 9 == 0) {
        copy[test_random(seed) % len] = (char)test_random(seed);
        len = test_random(seed) % 3 == 0 ? test_random(seed) % len : len;
    }
    state_table_put(damage->out, key, (struct str){copy, len});
    mem_free(copy);
}

static void damaged_values_never_harm(void **state) {
    (void)state;
    struct buf out = {0};
    uint64_t seed = 5;
    int refused = 0;
    struct state_table *good = state_table_new();
    told = &out;
    pipelines_options_init(&options);
    struct pipelines *p = fresh();
    for (int i = 0; i < 100; i++) {
        feed_one(p, 1, i);
    }
    snapshot_pipelines_each(p, apply, good);
    pipelines_free(p);
    for (int round = 0; round < 500; round++) {
        struct err err = {0};
        struct damage damage = {&seed, state_table_new()};
        state_table_each(good, copy_damaged, &damage);
        p = fresh();
        if (snapshot_pipelines_load(p, damage.out, &err) == ST_OK) {
            feed_one(p, 1, 100);
        } else {
            refused++;
            assert_true(err.text[0] != '\0');
        }
        pipelines_free(p);
        state_table_free(damage.out);
    }
    assert_true(refused > 0);
    state_table_free(good);
    buf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_show_nowhere),
        cmocka_unit_test(another_pane_length_lets_the_panes_go),
        cmocka_unit_test(damaged_values_never_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
