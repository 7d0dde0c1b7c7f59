// test_flood: more pipelines than are held: who makes room, and that nobody is told that a pipeline
// recovered because it had to go.
#include "pipelines_kit.h"

#include "base/metrics.h"
#include "support/quiet.h"

// Only what is told of alerts, as the flood's windows are too many to keep.
static int told, told_ends, told_silenced;
static void count_alert(void *ctx, const struct alert *alert) {
    (void)ctx;
    told++;
    told_ends += alert->ended_ms > 0;
    told_silenced += alert->silenced;
}
static int windows;
static void count_window(void *ctx, const struct pipeline_window *window) {
    (void)ctx, (void)window;
    windows++;
}

static struct pipelines *fresh_for(uint32_t pipelines_max) {
    static const struct pipelines_output output = {NULL, count_window, count_alert,
                                                   quiet_recommendation};
    pipelines_options_init(&options);
    options.pipelines_max = pipelines_max;
    told = told_ends = told_silenced = windows = 0;
    metrics_reset();
    return pipelines_new(&options, &output);
}

static int64_t offset;
static void feed(struct pipelines *p, const char *name, enum run_status status, int64_t minute) {
    char id[40];
    snprintf(id, sizeof id, "run-%lld", (long long)offset);
    struct pipeline_run run = update(id, 1, minute);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "%s", name);
    if (status != RUN_RUNNING) {
        ended(&run, status, 10);
    }
    run.open = &skew;
    run.open_count = status == RUN_FAILED;
    pipelines_feed(p, &run, offset++, 0);
}

static void feed_many(struct pipelines *p, int from, int to, enum run_status status,
                      int64_t minute) {
    char name[32];
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        feed(p, name, status, minute);
    }
}

static struct buf names; // of the pipelines or the alerts that are there, each behind a blank
static void add_pipeline(void *ctx, const struct pipeline_stats *stats) {
    (void)ctx;
    buf_printf(&names, " %s:%lld", stats->pipeline, (long long)stats->runs);
}
static void add_alert(void *ctx, const struct alert *alert) {
    (void)ctx;
    buf_printf(&names, " %s%s", alert->pipeline, alert->ended_ms > 0 ? "(ended)" : "");
}
static const char *pipelines_in(const struct pipelines *p) {
    buf_clear(&names);
    pipelines_each(p, add_pipeline, NULL);
    return buf_text(&names);
}
static const char *alerts_in(const struct pipelines *p) {
    buf_clear(&names);
    pipelines_each_alert(p, add_alert, NULL);
    return buf_text(&names);
}

// As an agent that was killed goes on.
static struct pipelines *restarted(struct pipelines *p) {
    static const struct pipelines_output output = {NULL, count_window, count_alert,
                                                   quiet_recommendation};
    struct keep_table *table = keep_table_new();
    struct err err = {0};
    pipelines_all(p, table_put, table);
    pipelines_free(p);
    p = pipelines_new(&options, &output);
    assert_int_equal(pipelines_load(p, table, &err), ST_OK);
    keep_table_free(table);
    return p;
}

static void a_flood_of_names_ends_no_alert(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(10000);
    feed(p, "broken", RUN_FAILED, 10);
    feed_many(p, 0, 10010, RUN_SUCCEEDED, 10);
    assert_int_equal(told, 1);
    assert_string_equal(alerts_in(p), " broken");
    assert_non_null(strstr(pipelines_in(p), " broken:1 name-11:1 name-12:1 "));
    assert_true(pipelines_full(p));
    assert_int_equal(pipelines_pushed_out(p).pipelines, 11);
    assert_int_equal(metrics_get(METRIC_PIPELINES_EVICTED), 11);
    assert_int_equal(metrics_get(METRIC_PIPELINES_LIVE), 10000);
    assert_int_equal(windows, 11); // what went told what it had
    feed(p, "broken", RUN_SUCCEEDED, 11);
    assert_int_equal(told_ends, 1);
    pipelines_free(p);
}

static void the_oldest_news_go_first(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(4);
    feed(p, "broken", RUN_FAILED, 10);
    feed_many(p, 0, 3, RUN_SUCCEEDED, 10);
    feed(p, "name-0", RUN_SUCCEEDED, 10);
    feed(p, "new", RUN_RUNNING, 10);
    assert_string_equal(pipelines_in(p), " broken:1 name-0:2 name-2:1 new:0");
    p = restarted(p);
    feed(p, "newer", RUN_RUNNING, 10); // not the order in which they were read back
    feed(p, "newest", RUN_RUNNING, 10);
    pipelines_in(p);
    assert_non_null(strstr(buf_text(&names), " broken:1"));
    assert_non_null(strstr(buf_text(&names), " new:0"));
    assert_null(strstr(buf_text(&names), " name-"));
    pipelines_free(p);
}

// Its alert ended and was forgotten long after its last update: it stands among the quiet by that.
static void who_has_recovered_goes_in_its_turn(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(4);
    feed(p, "early", RUN_SUCCEEDED, 10);
    feed(p, "mended", RUN_FAILED, 10);
    feed(p, "mended", RUN_SUCCEEDED, 11);
    feed(p, "late", RUN_SUCCEEDED, 11);
    feed(p, "other", RUN_SUCCEEDED, 11);
    feed(p, "x", RUN_SUCCEEDED, 11); // its end is still told: it does not go yet
    assert_string_equal(pipelines_in(p), " mended:2 late:1 other:1 x:1");
    for (int minute = 12; minute < 40; minute++) {
        pipelines_tick(p, 60000);
    }
    assert_string_equal(alerts_in(p), "");
    feed(p, "y", RUN_SUCCEEDED, 41);
    assert_string_equal(pipelines_in(p), " late:1 other:1 x:1 y:1");
    pipelines_free(p);
}

static void if_all_have_alerts_the_alerts_stay(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(3);
    feed_many(p, 0, 5, RUN_FAILED, 10);
    assert_string_equal(alerts_in(p), " name-0 name-1 name-2 name-3 name-4");
    assert_string_equal(pipelines_in(p), " name-2:1 name-3:1 name-4:1");
    assert_int_equal(metrics_get(METRIC_PIPELINES_SHRUNK), 2);
    p = restarted(p);
    assert_string_equal(alerts_in(p), " name-0 name-1 name-2 name-3 name-4");
    feed(p, "name-1", RUN_RUNNING, 11); // there again, and another one shrinks
    assert_int_equal(told_ends, 0);
    pipelines_in(p);
    assert_null(strstr(buf_text(&names), " name-2"));
    assert_non_null(strstr(buf_text(&names), " name-1:0"));
    feed(p, "name-1", RUN_SUCCEEDED, 12);
    assert_int_equal(told_ends, 1);
    for (int hour = 0; hour < 24 * 8; hour++) { // the silence ends the others' by their own rule
        pipelines_tick(p, 3600000);
    }
    assert_int_equal(told_ends, 5);
    assert_string_equal(alerts_in(p), "");
    assert_int_equal(metrics_get(METRIC_PIPELINES_LIVE), 3); // nothing is left of those that shrank
    assert_int_equal(told_silenced, 0);
    pipelines_free(p);
}

static void beyond_twice_the_limit_alerts_fall_silent(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(3);
    feed_many(p, 0, 8, RUN_FAILED, 10);
    assert_int_equal(told_silenced, 2);
    assert_int_equal(told_ends, 0);
    assert_string_equal(alerts_in(p), " name-2 name-3 name-4 name-5 name-6 name-7");
    assert_int_equal(pipelines_pushed_out(p).alerts, 2);
    assert_int_equal(metrics_get(METRIC_ALERTS_SILENCED), 2);
    p = restarted(p);
    feed_many(p, 8, 9, RUN_FAILED, 10);
    assert_string_equal(alerts_in(p), " name-3 name-4 name-5 name-6 name-7 name-8");
    feed(p, "name-3", RUN_FAILED, 10); // one of those that shrank makes room for itself first
    assert_string_equal(alerts_in(p), " name-4 name-5 name-6 name-7 name-8 name-3");
    assert_int_equal(told_ends, 0);
    assert_int_equal(told_silenced, 3);
    pipelines_free(p);
}

static void keys_in(void *ctx, struct str key, struct str value) {
    (void)value;
    buf_add_printable(ctx, key);
    buf_add_char(ctx, ' ');
}

// What goes leaves no key behind, what shrinks its pipeline alone.
static void no_key_is_left_behind(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(1);
    struct keep_table *table = keep_table_new();
    struct buf keys = {0};
    offset = 0;
    feed(p, "a", RUN_FAILED, 10);
    pipelines_changes(p, table_put, table);
    feed(p, "b", RUN_SUCCEEDED, 10);
    pipelines_changes(p, table_put, table);
    feed(p, "c", RUN_SUCCEEDED, 10);
    pipelines_changes(p, table_put, table);
    keep_table_each(table, keys_in, &keys);
    assert_string_equal(buf_text(&keys), "P krun-2.c\\x0ac pc\\x0aa pc\\x0ac w10.c\\x0ac ");
    buf_fini(&keys);
    keep_table_free(table);
    pipelines_free(p);
}

static const char *last_cluster;
static void keep_cluster(void *ctx, const struct alert *alert) {
    static struct alert last;
    (void)ctx;
    last = *alert;
    last_cluster = last.cluster;
    assert_true(alert->ended_ms > 0);
}

// `cluster` is another one now: nobody will speak of the old one's pipelines any more.
static void alerts_of_a_renamed_cluster_end(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(100);
    options.cluster = "c";
    feed(p, "broken", RUN_FAILED, 10);
    p = restarted(p);
    assert_string_equal(alerts_in(p), " broken");
    options.cluster = "new";
    p = restarted(p);
    assert_int_equal(told, 1); // who loads tells of all that is there
    assert_string_equal(alerts_in(p), " broken(ended)");
    pipelines_each_alert(p, keep_cluster, NULL);
    assert_string_equal(last_cluster, "c");
    p = restarted(p); // for as long as an agent may have died before it told
    assert_string_equal(alerts_in(p), " broken(ended)");
    char long_name[400];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    options.cluster = long_name; // runs have as much of it as fits
    p = restarted(p);
    options.cluster = "new";
    p = restarted(p);
    feed(p, "broken", RUN_FAILED, 11); // by an agent that still has the old name
    assert_int_equal(told, 2);
    assert_string_equal(alerts_in(p), " broken");
    pipelines_tick(p, 14 * 60000);
    assert_int_equal(told_ends, 0);
    pipelines_tick(p, 60000);
    assert_int_equal(told_ends, 1);
    pipelines_tick(p, 16 * 60000);
    assert_string_equal(alerts_in(p), "");
    pipelines_free(p);
}

static void drop_run(void *ctx, struct str key, struct str value) {
    keep_table_put(ctx, key, key.p[0] == 'k' ? (struct str){0} : value);
}

// Of damaged state: news to hand out, but neither runs nor alerts. It goes with its news.
static void a_pipeline_without_runs_does_no_harm(void **state) {
    (void)state;
    struct pipelines *p = fresh_for(10);
    feed_many(p, 0, 3, RUN_SUCCEEDED, 10);
    struct keep_table *table = keep_table_new();
    struct err err = {0};
    pipelines_all(p, drop_run, table);
    pipelines_free(p);
    p = fresh_for(10);
    assert_int_equal(pipelines_load(p, table, &err), ST_OK);
    pipelines_flush(p);
    assert_int_equal(windows, 3);
    assert_int_equal(metrics_get(METRIC_PIPELINES_LIVE), 0);
    pipelines_free(p);
    keep_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_of_names_ends_no_alert),
        cmocka_unit_test(the_oldest_news_go_first),
        cmocka_unit_test(who_has_recovered_goes_in_its_turn),
        cmocka_unit_test(if_all_have_alerts_the_alerts_stay),
        cmocka_unit_test(beyond_twice_the_limit_alerts_fall_silent),
        cmocka_unit_test(no_key_is_left_behind),
        cmocka_unit_test(a_pipeline_without_runs_does_no_harm),
        cmocka_unit_test(alerts_of_a_renamed_cluster_end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&names);
    return failed;
}
