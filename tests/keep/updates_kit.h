// updates_kit: random updates of stage 2, what comes of them in words, and its state as a table.
// Shared by the tests of what of it is kept.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "fleet/pipelines.h"

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

static void on_outcome(void *ctx, const struct run_identity *identity, const char *run_id,
                       const struct recommendation *r) {
    (void)ctx;
    buf_printf(told, "advice %s %s %s %s %d %s %.17g %llu %d\n", identity->pipeline, run_id, r->id,
               r->action, (int)r->revision, vocabulary_name(&vocabulary_fate, (int)r->outcome.fate),
               r->outcome.change, (unsigned long long)r->outcome.with, (int)r->setting_count);
}

// Settings that a run has or does not, and advice to have them; lists of the test's own.
static void advise_at_random(struct pipeline_run *run, uint64_t *random) {
    static const char *const keys[] = {"spark.executor.memory", "spark.sql.shuffle.partitions"};
    static const char *const values[2][3] = {{"", "4g", "8192m"}, {"", "100", "400"}};
    static const char *const kinds[] = {"memory", "partitioning"};
    static const enum advice_kind advised[] = {ADVICE_MEMORY, ADVICE_PARTITIONING,
                                               (enum advice_kind)KIND_DATA_SKEW};
    static struct told_setting settings[2];
    static struct run_advice advice[3];
    for (int i = 0; i < 2; i++) {
        struct told_setting *s = &settings[i];
        *s = (struct told_setting){0};
        snprintf(s->key, sizeof s->key, "%s", keys[i]);
        snprintf(s->value, sizeof s->value, "%s", values[i][test_random(random) % 3]);
        bool more = strcmp(s->value, values[i][2]) != 0 && test_random(random) % 2 == 0;
        snprintf(s->advised, sizeof s->advised, "%s", more ? values[i][2] : "");
        snprintf(s->by, sizeof s->by, "%s", more ? kinds[i] : "");
    }
    for (int i = 0; i < 3; i++) {
        advice[i] = (struct run_advice){.kind = advised[i],
                                        .revision = 1 + (int32_t)(test_random(random) % 9),
                                        .saving_s = (double)(test_random(random) % 100)};
        snprintf(advice[i].id, sizeof advice[i].id, "%.20s-advice-%d", run->id, i);
        snprintf(advice[i].finding, sizeof advice[i].finding, "%s", i == 2 ? "data_skew" : "");
    }
    run->completeness = 1;
    run->settings = settings;
    run->setting_count = 2;
    run->advice = advice;
    run->advice_count = (uint32_t)(test_random(random) % 4);
}

static struct pipelines *fresh(void) {
    struct pipelines_output output = {NULL, on_window, on_alert, on_outcome};
    return pipelines_new(&options, &output);
}

static void let_time_pass(struct pipelines *p, int i) {
    if (i % 20 == 0) {
        buf_add_text(told, "kept\n");
        pipelines_each_alert(p, on_alert, NULL);
        buf_add_text(told, pipelines_waits(p) ? "waits\n" : "has nothing to wait for\n");
    }
    if (i % 50 == 0) {
        pipelines_tick(p, 15000);
    }
    if (i % 211 == 0) {
        pipelines_tick(p, 700000);
    }
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
    advise_at_random(&run, &r);
    pipelines_feed(p, &run, i, test_random(&r) % 9 == 0 ? run.time_ms - 700000 : 0);
    let_time_pass(p, i);
}

static void apply(void *ctx, struct str key, struct str value) {
    keep_table_put(ctx, key, value);
}

static struct pipelines *restore(const struct keep_table *changelog) {
    struct err err = {0};
    struct pipelines *p = fresh();
    if (pipelines_load(p, changelog, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return p;
}

static inline void append(void *ctx, struct str key, struct str value) {
    struct buf *all = ctx;
    buf_add_printable(all, key);
    buf_add_char(all, '=');
    buf_add_printable(all, value);
    buf_add_char(all, '\n');
}

static inline void assert_tables_equal(const struct keep_table *got,
                                       const struct keep_table *expected, uint64_t seed) {
    struct buf x = {0}, y = {0};
    keep_table_each(got, append, &x);
    keep_table_each(expected, append, &y);
    if (!str_eq(buf_str(&x), buf_str(&y))) {
        fail_msg("seed %d: other state", (int)seed);
    }
    buf_fini(&x);
    buf_fini(&y);
}

static inline void fail_on_any(void *ctx, struct str key, struct str value) {
    (void)ctx, (void)value;
    fail_msg("changed again: %.*s", (int)key.len, key.p);
}

struct committing {
    struct keep_table *changelog, *seen;
};
static inline void apply_once(void *ctx, struct str key, struct str value) {
    struct committing *committing = ctx;
    struct str before;
    if (keep_table_get(committing->seen, key, &before)) {
        fail_msg("twice in one commit: %.*s", (int)key.len, key.p);
    }
    if (key.p[0] == 'k' && keep_table_get(committing->changelog, key, &before) &&
        str_eq(before, value)) {
        fail_msg("unchanged, but written: %.*s", (int)key.len, key.p);
    }
    if (value.p == NULL && !keep_table_get(committing->changelog, key, &before)) {
        fail_msg("gone, but never written: %.*s", (int)key.len, key.p);
    }
    keep_table_put(committing->seen, key, STR("once"));
    apply(committing->changelog, key, value);
}

// What changed goes to the changelog, each key once; then it holds what the state is as a whole.
static inline void commit(struct pipelines *p, struct keep_table *changelog, uint64_t seed) {
    struct committing committing = {changelog, keep_table_new()};
    pipelines_changes(p, apply_once, &committing);
    keep_table_free(committing.seen);
    pipelines_changes(p, fail_on_any, NULL);
    struct keep_table *whole = keep_table_new();
    pipelines_all(p, apply, whole);
    assert_tables_equal(changelog, whole, seed);
    keep_table_free(whole);
}
