// test_kept_runs: state of stage 1 written out as changes at random commits, and read back after a
// crash at a random point, goes on as if nothing had happened: all records and the state at the end
// are equal, byte for byte, to those of an engine that was never interrupted. Ticks and small
// bounds included.
#include "mixed_logs.h"

static void append(void *ctx, struct str key, struct str value) {
    struct buf *all = ctx;
    buf_add_str(all, key);
    buf_add_char(all, '=');
    buf_add(all, &value.len, sizeof value.len);
    buf_add_str(all, value);
}

static void assert_tables_equal(const struct keep_table *got, const struct keep_table *expected) {
    struct buf x = {0}, y = {0};
    keep_table_each(got, append, &x);
    keep_table_each(expected, append, &y);
    assert_int_equal(keep_table_count(got), keep_table_count(expected));
    assert_int_equal(x.len, y.len);
    assert_memory_equal(buf_text(&x), buf_text(&y), x.len);
    buf_fini(&x);
    buf_fini(&y);
}

struct committing {
    struct keep_table *changelog, *seen;
};

// Each key comes once, and only what is there can go.
static void apply_once(void *ctx, struct str key, struct str value) {
    struct committing *committing = ctx;
    struct str before;
    if (keep_table_get(committing->seen, key, &before)) {
        fail_msg("twice in one commit: %.*s", (int)key.len, key.p);
    }
    if (value.p == NULL && !keep_table_get(committing->changelog, key, &before)) {
        fail_msg("gone, but never written: %.*s", (int)key.len, key.p);
    }
    keep_table_put(committing->seen, key, STR("once"));
    apply(committing->changelog, key, value);
}

// What changed goes to the changelog; applied, it holds what the engine would write as a whole.
static void commit(struct engine *engine, struct keep_table *changelog) {
    struct committing committing = {changelog, keep_table_new()};
    engine_changes(engine, apply_once, &committing);
    keep_table_free(committing.seen);
    struct keep_table *whole = keep_table_new();
    engine_all(engine, apply, whole);
    assert_tables_equal(changelog, whole);
    keep_table_free(whole);
}

static struct engine *restore(const struct keep_table *changelog) {
    struct err err = {0};
    struct engine *engine = fresh_engine();
    if (engine_load(engine, changelog, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    return engine;
}

// Ticks are part of the input: a pure function of the position.
static void feed_with_ticks(struct engine *engine, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        feed(engine, i, i + 1);
        if (i % 97 == 0) {
            engine_tick(engine, 3000);
        }
        if (i % 1501 == 0) {
            engine_tick(engine, 50000);
        }
    }
}

static void run_with_crashes(uint64_t *seed, struct buf *out, struct keep_table *changelog) {
    struct engine *engine = fresh_engine();
    struct buf pending = {0};
    records = &pending;
    for (size_t done = 0, at = 0; done < line_count;) {
        size_t most = test_random(seed) % 4 == 0 ? 3 : 700;
        size_t to = at + 1 + test_random(seed) % most;
        to = to < line_count ? to : line_count;
        feed_with_ticks(engine, at, to);
        at = to;
        if (test_random(seed) % 4 == 0) { // dies before the commit: its work is done again
            engine_free(engine);
            buf_clear(&pending);
            engine = restore(changelog);
            at = done;
            continue;
        }
        commit(engine, changelog);
        buf_add_str(out, buf_str(&pending));
        buf_clear(&pending);
        done = at;
    }
    engine_finish(engine, false);
    buf_add_str(out, buf_str(&pending));
    engine_free(engine);
    buf_fini(&pending);
}

static void same_with_crashes(uint64_t seed) {
    struct buf expected = {0}, got = {0};
    struct keep_table *changelog = keep_table_new(), *at_end = keep_table_new();
    struct engine *whole = fresh_engine();
    records = &expected;
    feed_with_ticks(whole, 0, line_count);
    engine_all(whole, apply, at_end);
    engine_finish(whole, false);
    engine_free(whole);
    uint64_t state = seed;
    run_with_crashes(&state, &got, changelog);
    assert_true(expected.len > 0);
    if (got.len != expected.len || memcmp(got.data, expected.data, got.len) != 0) {
        fail_msg("seed %d: other records than without crashes", (int)seed);
    }
    assert_tables_equal(changelog, at_end);
    keep_table_free(changelog);
    keep_table_free(at_end);
    buf_fini(&expected);
    buf_fini(&got);
}

static void crashes_show_nowhere(void **state) {
    (void)state;
    for (uint64_t round = 1; round <= 24; round++) {
        engine_options_init(&engine_options);
        engine_options.grace_ms = INT64_MAX / 4; // the second run under a key finds the first one
        if (round % 3 != 0) { // bounds at work: evicted at the limit, after silence, after the end
            engine_options.applications_max = 2 + (uint32_t)(round % 7);
            engine_options.idle_ms = 60000;
            const int64_t grace_ms[] = {0, 20000, INT64_MAX / 4, INT64_MAX / 4};
            engine_options.grace_ms = grace_ms[round % 4];
        }
        same_with_crashes(round);
    }
    engine_options_init(&engine_options);
}

// What goes when the budget is used up is the same whatever was read back: detail, stages, whole
// runs.
static void what_has_no_room_goes_in_the_same_order(void **state) {
    (void)state;
    for (uint64_t round = 1; round <= 16; round++) {
        int64_t hits = metrics_get(METRIC_LIMIT_MEMORY);
        engine_options_init(&engine_options);
        engine_options.budget = budget_new((int64_t)round * 9000);
        same_with_crashes(100 + round);
        assert_true(metrics_get(METRIC_LIMIT_MEMORY) > hits);
        budget_free(engine_options.budget);
    }
    engine_options_init(&engine_options);
}

// The lines of the logs make room for a test's own, and come back.
static struct line *all_lines;
static size_t all_count, all_cap;

static void put_lines_aside(void) {
    all_lines = lines;
    all_count = line_count;
    all_cap = line_cap;
    lines = NULL;
    line_count = line_cap = 0;
}

static void take_lines_back(void) {
    for (size_t i = 0; i < line_count; i++) {
        mem_free(lines[i].text);
    }
    mem_free(lines);
    lines = all_lines;
    line_count = all_count;
    line_cap = all_cap;
}

static void add_line(const char *text) {
    MEM_GROW(lines, line_count, line_cap);
    lines[line_count++] = (struct line){mem_strndup(text, strlen(text)), strlen(text), LOGS, 0};
}

// More stages than are kept, tasks that were sent again after their output was lost.
static void the_bounds_of_a_run_show_nowhere_either(void **state) {
    (void)state;
    put_lines_aside();
    for (int i = 0; i < 2150; i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"Stage ID\":%d,"
                 "\"Stage Attempt ID\":0,\"Stage Name\":\"s\",\"Number of Tasks\":2,"
                 "\"Submission Time\":%d}}",
                 i, 1000 + i);
        add_line(text);
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,"
                 "\"Task End Reason\":{\"Reason\":\"Resubmitted\"},\"Task Info\":{\"Task ID\":%d,"
                 "\"Launch Time\":1000,\"Finish Time\":%d}}",
                 i / 2, i, 2000 + i);
        add_line(text);
    }
    same_with_crashes(5);
    engine_options.budget = budget_new(600000);
    same_with_crashes(6);
    budget_free(engine_options.budget);
    engine_options_init(&engine_options);
    take_lines_back();
}

// What an event changes beside its own stage is written, too: the end of a run judges stages that
// had their last event long ago.
static void what_the_end_of_a_run_changes_is_written(void **state) {
    (void)state;
    struct buf sink = {0};
    put_lines_aside();
    add_line("{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\",\"Timestamp\":1000}");
    for (int task = 0; task < 2; task++) { // the second one is not judged at once
        char text[300];
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Stage Attempt ID\":0,"
                 "\"Task End Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":%d,"
                 "\"Launch Time\":1000,\"Finish Time\":%d}}",
                 task, 3000 + task);
        add_line(text);
    }
    add_line("{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":9000}");
    records = &sink;
    struct engine *engine = fresh_engine();
    struct keep_table *changelog = keep_table_new();
    for (size_t i = 0; i < line_count; i++) {
        feed(engine, i, i + 1);
        commit(engine, changelog);
    }
    engine_free(engine);
    keep_table_free(changelog);
    buf_fini(&sink);
    take_lines_back();
}

static void add_stage(const char *kind, int stage, int64_t at_ms, int tasks) {
    char text[300];
    snprintf(text, sizeof text,
             "{\"Event\":\"SparkListenerStage%s\",\"Stage Info\":{\"Stage ID\":%d,\"Stage Attempt "
             "ID\":0,\"Number of Tasks\":%d,\"Submission Time\":%d,\"Completion Time\":%lld}}",
             kind, stage, tasks, 1000 + stage * 100000, (long long)at_ms);
    add_line(text);
}

// A task that read a MiB; `cpu_ms` of its time on the CPU, the rest waiting.
static void add_task(int stage, int host, int64_t took_ms, int64_t cpu_ms, const char *locality) {
    static int id = 0;
    char text[600];
    int64_t launch_ms = 1000 + stage * INT64_C(100000);
    snprintf(
        text, sizeof text,
        "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task End "
        "Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":%d,\"Launch Time\":%lld,"
        "\"Executor ID\":\"%d\",\"Host\":\"host-%d\",\"Locality\":\"%s\",\"Finish Time\":%lld},"
        "\"Task Metrics\":{\"Executor Run Time\":%lld,\"Executor CPU Time\":%lld,\"Input "
        "Metrics\":{\"Bytes Read\":1048576}}}",
        stage, id++, (long long)launch_ms, host, host, locality, (long long)(launch_ms + took_ms),
        (long long)took_ms, (long long)cpu_ms * 1000000);
    add_line(text);
}

// Two stages find host-2 slow; in the third it has one slow task; in the fourth three of the four
// slow ones are far from their data.
static void add_causes(void) {
    add_line("{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\",\"Timestamp\":1000}");
    for (int stage = 0; stage < 4; stage++) {
        add_stage("Submitted", stage, 0, 24);
        for (int i = 0; i < 24; i++) {
            int host = 1 + i % 2;
            bool slow = stage < 2 ? host == 2 : i >= (stage == 2 ? 23 : 20);
            const char *locality = stage == 3 && i > 20 ? "ANY" : "NODE_LOCAL";
            int64_t took_ms = slow ? (stage < 2 ? 2500 : 60000) : 1000;
            add_task(stage, stage == 3 ? 1 : host, took_ms, stage == 3 ? 900 : took_ms, locality);
        }
        add_stage("Completed", stage, 62000 + stage * INT64_C(100000), 24);
    }
    add_line("{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":400000}");
}

// The lines by one engine up to there, by another behind that.
static void tell_cut(size_t at, struct buf *told) {
    struct keep_table *changelog = keep_table_new();
    struct engine *engine = fresh_engine();
    records = told;
    feed(engine, 0, at);
    commit(engine, changelog);
    engine_free(engine);
    engine = restore(changelog);
    feed(engine, at, line_count);
    engine_finish(engine, false);
    engine_free(engine);
    keep_table_free(changelog);
}

// What causes are told by: in how many stages a host was slow, and where the slowest tasks ran.
static void what_causes_are_told_by_outlives_a_crash(void **state) {
    (void)state;
    static const char *const words[] = {"2 stages of the run found it slow", "from another node"};
    struct buf told = {0}, cut = {0};
    put_lines_aside();
    add_causes();
    tell_cut(0, &told);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_non_null(memmem(told.data, told.len, words[i], strlen(words[i])));
    }
    for (size_t at = 1; at < line_count; at++) {
        tell_cut(at, &cut);
        assert_int_equal(cut.len, told.len);
        assert_memory_equal(cut.data, told.data, told.len);
        buf_clear(&cut);
    }
    struct engine *engine = fresh_engine();
    struct keep_table *changelog = keep_table_new();
    records = &cut;
    for (size_t i = 0; i < line_count; i++) { // what is not touched is not written
        feed(engine, i, i + 1);
        commit(engine, changelog);
    }
    engine_free(engine);
    keep_table_free(changelog);
    buf_fini(&told);
    buf_fini(&cut);
    take_lines_back();
}

static void add_run(int log, int64_t start_ms) {
    char text[200];
    snprintf(text, sizeof text,
             "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\",\"Timestamp\":%lld}",
             (long long)start_ms);
    add_line(text);
    lines[line_count - 1].log = log;
    snprintf(text, sizeof text, "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":%lld}",
             (long long)start_ms + 1000);
    add_line(text);
    lines[line_count - 1].log = log;
}

// Of runs that ended the one with the oldest event goes first, after a restart, too.
static void the_order_of_ended_runs_is_kept(void **state) {
    (void)state;
    struct buf sink = {0};
    struct str value;
    put_lines_aside();
    for (int i = 0; i < 4; i++) {
        const int logs[] = {2, 1, 3, 4};
        add_run(logs[i], 1000000 + 2000 * i);
    }
    records = &sink;
    engine_options.applications_max = 3;
    engine_options.grace_ms = INT64_MAX / 4;
    struct engine *engine = fresh_engine();
    struct keep_table *changelog = keep_table_new();
    feed(engine, 0, 6);
    commit(engine, changelog);
    engine_free(engine);
    engine = restore(changelog);
    feed(engine, 6, line_count);
    commit(engine, changelog);
    assert_false(keep_table_get(changelog, STR("rapp-2\n"), &value));
    assert_true(keep_table_get(changelog, STR("rapp-1\n"), &value));
    engine_free(engine);
    keep_table_free(changelog);
    engine_options_init(&engine_options);
    buf_fini(&sink);
    take_lines_back();
}

// Little is written for a little news.
static void count_bytes(void *ctx, struct str key, struct str value) {
    *(size_t *)ctx += key.len + value.len;
}

static void only_what_changed_is_written(void **state) {
    (void)state;
    struct buf sink = {0};
    size_t first = 0, none = 0, one = 0, all = 0;
    records = &sink;
    struct engine *engine = fresh_engine();
    feed(engine, 0, line_count / 2);
    engine_changes(engine, count_bytes, &first);
    engine_changes(engine, count_bytes, &none);
    feed(engine, line_count / 2, line_count / 2 + 1);
    engine_changes(engine, count_bytes, &one);
    engine_all(engine, count_bytes, &all);
    assert_int_equal(none, 0);
    assert_in_range(one, 1, all / 4);
    assert_true(first >= all / 2);
    engine_free(engine);
    buf_fini(&sink);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_show_nowhere),
        cmocka_unit_test(what_has_no_room_goes_in_the_same_order),
        cmocka_unit_test(the_bounds_of_a_run_show_nowhere_either),
        cmocka_unit_test(what_the_end_of_a_run_changes_is_written),
        cmocka_unit_test(what_causes_are_told_by_outlives_a_crash),
        cmocka_unit_test(the_order_of_ended_runs_is_kept),
        cmocka_unit_test(only_what_changed_is_written),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
