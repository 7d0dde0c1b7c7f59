// test_engine_budget: what engines keep stays within the budget, whoever sends what; detail goes
// before stages, stages before runs, and totals stay as they are.
#include "support/quiet.h"
#include "support/test.h"

#include <stdio.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "engine/engine.h"

enum { LIMIT_BYTES = 1 << 19, SMALL_BYTES = 40000 };

static struct decoder *decoder;
static struct engine_options options;
static int64_t offset;
static struct pipeline_run last; // without its lists
static unsigned lost;            // runs that were given up

static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    last = *run;
    lost += run->status == RUN_LOST;
}

static struct engine *begin(void) {
    struct engine_output output = {NULL, on_run, quiet_bottleneck, quiet_recommendation};
    return engine_new(&options, decoder, &output);
}

static int set_up(void **state) {
    (void)state;
    metrics_reset();
    decoder = decoder_new(&plain_decode);
    engine_options_init(&options);
    options.budget = budget_new(LIMIT_BYTES);
    offset = lost = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    decoder_free(decoder);
    budget_free(options.budget);
    return 0;
}

static void feed_text(struct engine *engine, const char *key, struct str text) {
    struct message message = {
        .value = text, .key = str_of(key), .topic = "spark-events", .offset = offset++};
    assert_int_equal(engine_feed(engine, &message, text.len, NULL, NULL), ST_OK);
}

static void PRINTF_LIKE(3, 4)
    feed(struct engine *engine, const char *key, const char *format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_in_range(n, 1, sizeof text - 1);
    feed_text(engine, key, (struct str){text, (size_t)n});
}

static void feed_stage(struct engine *engine, const char *key, int id, bool ends) {
    feed(engine, key,
         "{\"Event\":\"SparkListenerStage%s\",\"Stage Info\":{\"Stage ID\":%d,\"Stage Attempt "
         "ID\":0,\"Stage Name\":\"s\",\"Number of Tasks\":2,\"Submission Time\":1000%s}}",
         ends ? "Completed" : "Submitted", id, ends ? ",\"Completion Time\":90000" : "");
}

static void feed_task(struct engine *engine, const char *key, int stage, int task,
                      const char *executor) {
    feed(engine, key,
         "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task End "
         "Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":%d,\"Index\":1,\"Launch "
         "Time\":1000,\"Finish Time\":%d,\"Executor ID\":\"%s\",\"Host\":\"host-%s\"},\"Task "
         "Metrics\":{\"Executor Run Time\":900,\"Executor CPU Time\":1000000,\"Shuffle Read "
         "Metrics\":{\"Remote Bytes Read\":1000,\"Local Bytes Read\":0,\"Total Records "
         "Read\":10}}}",
         stage, task, task % 2 == 0 ? 2000 : 60000, executor, executor);
}

// What each kind of hostile application sends as its `i`th event.
static void many_stages(struct engine *engine, const char *key, int i) {
    feed_stage(engine, key, i / 4, i % 4 == 3);
    feed_task(engine, key, i / 4, i, "1");
}
static void many_executors(struct engine *engine, const char *key, int i) {
    char name[60];
    snprintf(name, sizeof name, "%050d", i);
    feed_task(engine, key, 1, i, name);
}
static void many_gaps(struct engine *engine, const char *key, int i) {
    feed_task(engine, key, 1, i * 2, "1");
}
static void many_metrics(struct engine *engine, const char *key, int i) {
    feed(engine, key,
         "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart\","
         "\"executionId\":%d,\"sparkPlanInfo\":{\"nodeName\":\"Scan x\",\"simpleString\":\"\","
         "\"children\":[],\"metrics\":[{\"name\":\"scan time\",\"accumulatorId\":%lld,"
         "\"metricType\":\"timing\"},{\"name\":\"number of output rows\",\"accumulatorId\":%lld,"
         "\"metricType\":\"sum\"}]}}",
         i, i * 1000LL, i * 1000LL + 300);
}
static void many_jobs(struct engine *engine, const char *key, int i) {
    feed(engine, key,
         "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":%d,\"Submission Time\":1000,\"Stage "
         "IDs\":[1,2,3],\"Properties\":{\"spark.job.description\":\"%0500d\"}}",
         i * 2, i);
}
static void long_texts(struct engine *engine, const char *key, int i) {
    feed(engine, key,
         "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":{"
         "\"spark.sql.shuffle.partitions\":\"%0700d\",\"spark.app.name\":\"%0900d\"}}",
         i, i);
}
static void (*const kinds[])(struct engine *engine, const char *key, int i) = {
    many_stages, many_executors, many_gaps, many_metrics, many_jobs, long_texts};

static int64_t held(void) {
    static const enum mem_room rooms[] = {MEM_ROOM_state, MEM_ROOM_stats, MEM_ROOM_engine,
                                          MEM_ROOM_keep, MEM_ROOM_advise};
    int64_t bytes = 0;
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        bytes += mem_room_bytes(rooms[i]);
    }
    return bytes;
}

// Applications of all kinds, or of one, until much more was sent than there is room for.
static void memory_stays_within(int only) {
    enum { APPS = 150, EVENTS = 100 };
    int64_t before = held(), largest = 0;
    struct engine *engine = begin();
    for (int i = 0; i < EVENTS; i++) {
        for (int app = 0; app < APPS; app++) {
            char key[32];
            snprintf(key, sizeof key, "app-%d", app);
            kinds[only < 0 ? (size_t)app % ARRAY_LEN(kinds) : (size_t)only](engine, key, i);
        }
        largest = held() - before > largest ? held() - before : largest;
    }
    print_message("kind %d: %.1f MiB of %.1f\n", only, (double)largest / 1048576,
                  LIMIT_BYTES / 1048576.0);
    assert_in_range(largest, LIMIT_BYTES * 3 / 4, LIMIT_BYTES * 5 / 4);
    engine_free(engine);
    assert_true(held() == before);
}

static void memory_is_bounded_whatever_comes(void **state) {
    (void)state;
    memory_stays_within(-1);
    assert_true(metrics_get(METRIC_LIMIT_MEMORY) > 0);
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        memory_stays_within((int)kind);
    }
}

static void a_long_run(struct engine *engine) {
    feed(engine, "app",
         "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\",\"Timestamp\":1000}");
    for (int i = 0; i < 300; i++) {
        feed_stage(engine, "app", i, false);
        feed_task(engine, "app", i, 2 * i, i % 2 == 0 ? "1" : "2");
        if (i % 3 != 0) {
            feed_task(engine, "app", i, 2 * i + 1, "3");
        }
        feed_stage(engine, "app", i, true);
    }
    feed(engine, "app", "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":100000}");
    assert_int_equal(last.status, RUN_SUCCEEDED);
}

static void totals_stay(void **state) {
    (void)state;
    budget_free(options.budget);
    options.budget = budget_new(2 * LIMIT_BYTES); // all of it
    struct engine *engine = begin();
    a_long_run(engine);
    engine_free(engine);
    struct pipeline_run whole = last;
    assert_int_equal(whole.limits, 0);
    budget_free(options.budget);
    options.budget = budget_new(SMALL_BYTES);
    engine = begin();
    a_long_run(engine);
    assert_int_equal(last.limits, 1u << LIMIT_MEMORY);
    assert_memory_equal(&last.totals, &whole.totals, sizeof whole.totals);
    assert_true(last.completeness == whole.completeness && whole.completeness < 1);
    assert_int_equal(last.totals.stages, 300);
    assert_int_equal(lost, 0);
    engine_free(engine);
}

// What runs can give, in the order in which they do.
enum { DETAIL, CLOSED_WITHOUT_VERDICT, CLOSED, WHOLE, GIFTS };
static const char *const givers[] = {"ended-first", "ended-last", "large", "small"};
enum { GIVERS = ARRAY_LEN(givers) };

// A stage of two tasks, the first of which failed, if it is to have a bottleneck.
static void feed_judged_stage(struct engine *engine, const char *key, int stage, bool verdict) {
    feed_stage(engine, key, stage, false);
    if (verdict) {
        feed(engine, key,
             "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task "
             "End Reason\":{\"Reason\":\"ExceptionFailure\",\"Class Name\":\"java.lang.Error\"},"
             "\"Task Info\":{\"Task ID\":%d,\"Index\":0,\"Launch Time\":1000,\"Finish Time\":"
             "61000,\"Executor ID\":\"1\",\"Host\":\"h\",\"Failed\":true}}",
             stage, 3 * stage);
    }
    feed_task(engine, key, stage, 3 * stage + 1, "1");
    feed_stage(engine, key, stage, true);
}

static void feed_giver(struct engine *engine, const char *key, int stages) {
    char name[24];
    feed(engine, key,
         "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\",\"Timestamp\":1000}");
    for (int i = 0; i < stages; i++) {
        feed_judged_stage(engine, key, i, i % 2 == 0);
        snprintf(name, sizeof name, "executor-%d", i);
        feed_task(engine, key, stages + i % (stages / 4), 30000 + i,
                  name); // of one that stays open
    }
}

// Which of its gifts each run still has.
static void see_gifts(void *ctx, const struct app *app, enum run_status status,
                      const struct recommendation *recommendations, uint32_t count) {
    bool(*has)[GIVERS] = ctx;
    size_t at = 0;
    (void)status, (void)recommendations, (void)count;
    while (strcmp(givers[at], app->identity.app_id) != 0) {
        at++;
    }
    has[WHOLE][at] = true;
    has[DETAIL][at] = app->executors.count > 0;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        bool open = false;
        for (uint32_t v = 0; v < stage->verdict_count; v++) {
            open = open || bottleneck_is_open(stage->verdicts[v]);
        }
        has[DETAIL][at] |= stage->detail != NULL;
        has[open ? CLOSED : CLOSED_WITHOUT_VERDICT][at] |= stage->completed;
    }
}

// How many gifts were given with such a budget, each only after all before it.
static int gifts_given(const struct keep_table *all, int64_t limit_bytes) {
    bool has[GIFTS][GIVERS] = {0};
    struct err err = {0};
    int given = 0;
    budget_free(options.budget);
    options.budget = budget_new(limit_bytes);
    struct engine *engine = begin();
    assert_int_equal(engine_load(engine, all, &err), ST_OK);
    engine_tick(engine, 1);
    engine_each_run(engine, see_gifts, has);
    engine_free(engine);
    for (const bool *one = has[0]; one < has[0] + GIFTS * GIVERS; one++) {
        given += !*one;
        if (one > has[0] && !*one && one[-1]) {
            fail_msg("%lld bytes: gift %d was given before the one before it",
                     (long long)limit_bytes, (int)(one - has[0]));
        }
    }
    return given;
}

// Less and less room for the same runs: first all give their detail, then the stages that nothing
// is said of, then the others, then runs go; those that ended first before others, the largest of
// those that go on before smaller ones.
static void what_goes_goes_in_order(void **state) {
    (void)state;
    budget_free(options.budget);
    options.budget = budget_new(4 * LIMIT_BYTES);
    struct engine *engine = begin();
    for (int i = 0; i < GIVERS; i++) {
        feed_giver(engine, givers[i], i == 2 ? 60 : 20);
        if (i < 2) {
            feed(engine, givers[i],
                 "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":99000}");
        }
    }
    feed_stage(engine, "large", 500,
               false); // it was heard of last, and is the largest all the same
    struct keep_table *all = keep_table_new();
    engine_all(engine, table_put, all);
    engine_free(engine);
    bool seen[GIFTS * GIVERS + 1] = {0};
    int before = 0;
    for (int64_t bytes = LIMIT_BYTES * 5 / 4; before < GIFTS * GIVERS; bytes -= bytes / 100) {
        int given = gifts_given(all, bytes);
        assert_true(given >= before);
        seen[before = given] = true;
    }
    for (int given = 0; given <= GIFTS * GIVERS; given++) { // an eighth goes at once: three give it
        assert_true(seen[given] == (given == 0 || given >= 3));
    }
    keep_table_free(all);
}

static void feed_some(struct engine *engine, struct engine *other, int events) {
    for (int i = 0; i < events; i++) {
        many_stages(engine, i % 2 == 0 ? "app-1" : "app-2", i);
        if (other != NULL) {
            engine_tick(other, 1); // it has no events, but its time goes on
        }
    }
}

// One partition uses what the other does not need, and gives it back when it does.
static void a_partition_keeps_its_share(void **state) {
    (void)state;
    enum { MOST = 300, SOME = 120 }; // events, by trial: most of the budget, and less than half
    struct engine *first = begin(), *second = begin();
    int64_t before = held();
    feed_some(first, NULL, MOST);
    assert_int_equal(metrics_get(METRIC_LIMIT_MEMORY), 0);
    assert_true(held() - before > LIMIT_BYTES / 2);
    feed_some(second, first, SOME);
    assert_true(metrics_get(METRIC_LIMIT_MEMORY) > 0);
    engine_free(first);
    int64_t with_first = held();
    engine_free(second);
    with_first -= held();
    budget_free(options.budget);
    options.budget = NULL;
    second = begin();
    feed_some(second, NULL, SOME);
    int64_t alone = held();
    engine_free(second);
    assert_int_equal(with_first, alone - held()); // it gave nothing
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_bounded_whatever_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(totals_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_goes_goes_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_partition_keeps_its_share, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
