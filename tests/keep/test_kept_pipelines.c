// test_kept_pipelines: state of stage 2 written out as changes at random commits, and read back
// after a crash at a random point, goes on as if nothing had happened: windows, alerts and the
// state at the end are equal to those of an uninterrupted one. Random updates: runs that go on,
// end, fail, repeat themselves, come late; ticks; small bounds, of number and of bytes.
#include "updates_kit.h"

#include "base/metrics.h"

enum { UPDATES = 1500, PLAIN = 12, TIGHT = 12, TIGHT_BYTES = 40000 };

static unsigned told_fates; // of advice, in all seeds

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
    keep_table_put(ctx, str_of(s->pipeline), buf_str(&words));
    buf_fini(&words);
}

// What is shown of the state besides what is told: the numbers of /metrics and the alerts kept.
static void tell_rest(struct pipelines *p) {
    struct keep_table *stats = keep_table_new(); // by name: /metrics has its own order
    pipelines_each(p, put_stats, stats);
    keep_table_each(stats, append, told);
    keep_table_free(stats);
    buf_add_text(told, "kept\n");
    pipelines_each_alert(p, on_alert, NULL);
    pipelines_flush(p);
}

static void run_with_crashes(uint64_t seed, struct buf *out, struct keep_table *changelog) {
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
    struct keep_table *changelog = keep_table_new(), *at_end = keep_table_new();
    struct pipelines *whole = fresh();
    told = &expected;
    for (int i = 0; i < UPDATES; i++) {
        feed_one(whole, seed, i);
    }
    pipelines_all(whole, apply, at_end);
    tell_rest(whole);
    pipelines_free(whole);
    run_with_crashes(seed, &got, changelog);
    assert_non_null(strstr(buf_text(&expected), "alert"));
    assert_non_null(strstr(buf_text(&expected), "window"));
    for (enum fate fate = FATE_APPLIED; fate < FATE_COUNT; fate++) {
        char word[20];
        snprintf(word, sizeof word, " %s ", vocabulary_name(&vocabulary_fate, (int)fate));
        told_fates |= strstr(buf_text(&expected), word) != NULL ? 1u << fate : 0;
    }
    if (!str_eq(buf_str(&got), buf_str(&expected))) {
        fail_msg("seed %d: other windows or alerts than without crashes", (int)seed);
    }
    assert_tables_equal(changelog, at_end, seed);
    keep_table_free(changelog);
    keep_table_free(at_end);
    buf_fini(&expected);
    buf_fini(&got);
}

static void crashes_show_nowhere(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PLAIN + TIGHT; seed++) {
        pipelines_options_init(&options);
        options.alert_min = seed % 2 == 0 ? SEVERITY_LOW : SEVERITY_MODERATE;
        options.window_ms = seed % 3 == 0 ? 3600000 : 300000;
        options.alert_keep_ms = seed % 2 == 0 ? 300000 : 2000000;
        options.alert_silence_ms = seed % 4 == 0 ? 120000 : 3600000;
        options.runs_max = seed % 5 == 0 ? 3 : 100;
        options.pipelines_max = seed % 3 == 1 ? 4 : 100;
        int64_t hits = metrics_get(METRIC_LIMIT_MEMORY);
        options.budget = seed > PLAIN ? budget_new(TIGHT_BYTES) : NULL;
        same_with_crashes(seed);
        assert_true((metrics_get(METRIC_LIMIT_MEMORY) > hits) == (seed > PLAIN));
        budget_free(options.budget);
    }
    assert_int_equal(told_fates, (1u << FATE_COUNT) - 2); // each of them
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_show_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
