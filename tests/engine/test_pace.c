// test_pace: how often a run is told, in records and in bytes of Avro: bounded by the bytes of its
// events, whatever they are; what matters at once; and in the end the whole truth.
#include "engine_kit.h"

#include "avro/avro_codec.h"
#include "keep/table.h"

#define APP "app-1"
enum { SKEW_TASKS = 10, FREE_BYTES = 50000 };

// What came out, and the run as it was told last.
static struct out {
    struct avro_codec *codec;
    struct buf bytes;
    int64_t run_bytes, verdict_bytes, advice_bytes, largest_bytes;
    int runs, verdicts, advice;
    int64_t told_ms[64];      // of stages: when something was said of one last
    struct buf all;           // of all runs and bottlenecks, one after the other
    struct pipeline_run last; // its lists are gone
    unsigned kinds;           // of its open bottlenecks
} out;

static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    avro_encode_run(out.codec, run, &out.bytes);
    buf_add_str(&out.all, buf_str(&out.bytes));
    if (strcmp(run->identity.app_id, APP) != 0) {
        return;
    }
    int64_t bytes = (int64_t)out.bytes.len;
    out.run_bytes += bytes;
    out.largest_bytes = bytes > out.largest_bytes ? bytes : out.largest_bytes;
    assert_true(run->revision == ++out.runs);
    out.last = *run;
    out.kinds = 0;
    for (uint32_t i = 0; i < run->open_count; i++) {
        out.kinds |= 1u << run->open[i].kind;
    }
}

static void on_verdict(void *ctx, const struct run_identity *identity, const char *run_id,
                       const struct bottleneck *b) {
    (void)ctx;
    avro_encode_bottleneck(out.codec, identity, run_id, b, &out.bytes);
    buf_add_str(&out.all, buf_str(&out.bytes));
    out.verdict_bytes += (int64_t)out.bytes.len;
    out.verdicts++;
    if (b->stage >= 0 && b->stage < (int)ARRAY_LEN(out.told_ms)) {
        out.told_ms[b->stage] = b->updated_ms;
    }
}

static void on_advice(void *ctx, const struct run_identity *identity, const char *run_id,
                      const struct recommendation *advice) {
    (void)ctx;
    avro_encode_recommendation(out.codec, identity, run_id, advice, &out.bytes);
    out.advice_bytes += (int64_t)out.bytes.len;
    out.advice++;
}

static struct engine *fresh_engine(void) {
    struct engine_output output = {NULL, on_run, on_verdict, on_advice};
    return engine_new(&kit.options, kit.decoder, &output);
}

static int set_up(void **state) {
    (void)state;
    kit_options();
    kit.engine = fresh_engine();
    out = (struct out){.codec = avro_codec_new()};
    return 0;
}

static int tear_down(void **state) {
    buf_fini(&out.bytes);
    buf_fini(&out.all);
    avro_codec_free(out.codec);
    return kit_tear_down(state);
}

static int records(void) {
    return out.runs + out.verdicts + out.advice;
}

static int64_t bytes_out(void) {
    return out.run_bytes + out.verdict_bytes + out.advice_bytes;
}

static int64_t open_total(void) {
    int64_t sum = 0;
    for (int s = 0; s < SEVERITY_COUNT; s++) {
        sum += out.last.open_by_severity[s];
    }
    return sum;
}

// A stage attempt of two tasks, the first of which failed after a minute.
static void failing_stage(int stage, double at_s) {
    kit_stage(APP, stage, 2, at_s, 0);
    kit_feed(APP,
             "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Stage Attempt ID\":0,\"Task "
             "End Reason\":{\"Reason\":\"ExceptionFailure\",\"Class Name\":\"java.lang.Error\"},"
             "\"Task Info\":{\"Task ID\":%d,\"Index\":0,\"Launch Time\":%lld,\"Finish Time\":%lld,"
             "\"Executor ID\":\"1\",\"Host\":\"h\",\"Failed\":true}}",
             stage, 3 * stage, kit_ms(at_s), kit_ms(at_s + 60));
    kit_task(APP, stage, 3 * stage + 1, at_s, at_s + 60, 1);
    kit_task(APP, stage, 3 * stage + 2, at_s, at_s + 60, 1);
    kit_stage(APP, stage, 2, at_s, at_s + 60);
}

// Every second a stage fails for a minute: all of them are bottlenecks.
static void failing_run(int stages) {
    kit_app_start(APP, "etl", 0);
    for (int i = 0; i < stages; i++) {
        failing_stage(i, 1 + i);
    }
}

// A stage with one task of `slow_s` beside others of a second.
static void skewed_stage(int stage, double at_s, double slow_s) {
    kit_stage(APP, stage, SKEW_TASKS, at_s, 0);
    for (int i = 0; i < SKEW_TASKS; i++) {
        bool slow = i == SKEW_TASKS - 1;
        kit_task(APP, stage, 50000 + 100 * stage + i, at_s, at_s + (slow ? slow_s : 1),
                 slow ? 100 : 1);
    }
}

// While a run goes on its updates are short, one a minute, and take a tenth of what comes in,
// however many stages there are; with all that they are told about no more than three times as
// much. The last one has it all.
static void what_comes_out_is_bounded_by_what_comes_in(void **state) {
    static const int counts[] = {150, 300, 1000, 2000};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        failing_run(counts[i]);
        assert_true(out.run_bytes < kit.bytes / 10);
        assert_true(out.advice_bytes < kit.bytes);
        assert_true(out.verdict_bytes < kit.bytes);
        assert_in_range(out.runs, counts[i] / 60, 2 + (counts[i] + 60) / 60);
        assert_true(out.advice <= out.runs);
        assert_true(out.last.stage_count == 10 && out.last.shortened);
        assert_true(out.last.open_count == 10 && open_total() > 60);
        int told = out.runs;
        kit_app_end(APP, 100 + counts[i]);
        assert_int_equal(out.runs, told + 1);
        assert_true(out.run_bytes + out.advice_bytes + out.verdict_bytes < 3 * kit.bytes);
        assert_int_equal(out.verdicts, 3 * counts[i]); // opened, confirmed, weighed at the end
        assert_int_equal(out.last.stage_count,
                         counts[i] < RUN_STAGES_MAX ? counts[i] : RUN_STAGES_MAX);
        assert_int_equal(out.last.open_count, counts[i] < RUN_OPEN_MAX ? counts[i] : RUN_OPEN_MAX);
        assert_int_equal(out.last.totals.stages, counts[i]);
        assert_int_equal(open_total(), counts[i]);
        assert_true(out.last.shortened == (counts[i] > RUN_OPEN_MAX));
        tear_down(state);
        set_up(state);
    }
}

// A stage of which all tasks but one have ended, and that one goes on. Nobody saw the others begin,
// so nobody knows what waits for it.
static void hanging_stage(const char *key, int stage) {
    kit_stage(key, stage, SKEW_TASKS, 1, 0);
    kit_feed(key,
             "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":%d,\"Stage Attempt "
             "ID\":0,\"Task Info\":{\"Task ID\":%d,\"Index\":9,\"Launch Time\":%lld,"
             "\"Executor ID\":\"1\",\"Host\":\"h\"}}",
             stage, 90000 + stage, kit_ms(1));
    for (int i = 0; i < SKEW_TASKS - 1; i++) {
        kit_task(key, stage, 50000 + 100 * stage + i, 1, 2, 1);
    }
}

static void an_executor(const char *key, double at_s) {
    kit_feed(key,
             "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":%lld,\"Executor ID\":\"e\"}",
             kit_ms(at_s));
}

// Stages that hang are looked at as time goes on, and nearly all that is said of them changes. What
// is said of it again costs bytes of the run; each stage has its turn; and the end tells all.
static void time_alone_buys_no_repetitions(void **state) {
    (void)state;
    enum { STAGES = 64, HOURS = 2000 };
    kit_app_start(APP, "etl", 0);
    for (int i = 0; i < STAGES; i++) {
        hanging_stage(APP, i);
    }
    for (int hour = 0; hour < HOURS; hour++) {
        an_executor(APP, 3600 * (1 + hour));
        assert_true(out.verdict_bytes < 4 * kit.bytes);
    }
    assert_true(out.verdicts > STAGES * 5);
    for (int i = 0; i < STAGES; i++) {
        assert_true(out.told_ms[i] > kit_ms(3600 * (HOURS / 4)));
    }
    int64_t before = out.verdict_bytes;
    int verdicts = out.verdicts;
    kit_app_end(APP, 3600 * (HOURS + 1));
    assert_in_range(out.verdicts, verdicts + STAGES, verdicts + 4 * STAGES);
    assert_true(out.verdict_bytes - before < 4 * STAGES * 1000);
    for (int i = 0; i < STAGES; i++) {
        assert_int_equal(out.told_ms[i], kit_ms(3600 * (HOURS + 1)));
    }
}

// An event that says again how many tasks a stage has, now these, now those: it changes all that is
// said of it, or numbers alone.
static void small_events_buy_few_bottlenecks(void **state) {
    static const int tasks[2][2] = {{10, 21}, {10, 11}};
    for (size_t way = 0; way < ARRAY_LEN(tasks); way++) {
        kit_app_start(APP, "etl", 0);
        failing_stage(0, 1);
        skewed_stage(1, 1, 80);
        failing_stage(1, 1);
        int64_t in = kit.bytes, before = out.verdict_bytes;
        int verdicts = out.verdicts;
        for (int i = 0; i < 2000; i++) {
            kit_stage(APP, 1, tasks[way][i % 2], 1 + 61 * i, 0);
        }
        assert_true(out.verdicts > verdicts + 100);
        assert_true(out.verdict_bytes - before < 4 * (kit.bytes - in) + FREE_BYTES);
        tear_down(state);
        set_up(state);
    }
}

// What changed of a stage soon after it was told waits, and is told with the end at the latest,
// although nothing changes any more.
static void the_end_tells_what_waited(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0);
    skewed_stage(0, 400, 80); // far from the beginning, where the end weighs it anew
    kit_stage(APP, 0, SKEW_TASKS, 400, 480);
    int verdicts = out.verdicts;
    for (int i = 0; i < 3; i++) { // of tasks that nobody knew
        kit_task(APP, 0, 90000 + i, 400, 401, 1);
    }
    assert_int_equal(out.verdicts, verdicts);
    kit_app_end(APP, 480);
    assert_int_equal(out.verdicts, verdicts + 2); // and that the driver held it up
}

// Every event a minute after the other, the dearest way to be told: an update waits until a quarter
// of its bytes has come.
static void time_alone_buys_no_updates(void **state) {
    static const int stages[] = {1, 300}; // with few of them what is said of the run is most of it
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        failing_run(stages[i]);
        int64_t in = kit.bytes, before = bytes_out();
        int told = out.runs;
        for (int minute = 0; minute < 2000; minute++) {
            an_executor(APP, 400 + 60 * minute);
        }
        assert_true(out.runs > told + 5); // but it is told
        assert_true(bytes_out() - before < 3 * (kit.bytes - in));
        tear_down(state);
        set_up(state);
    }
}

// Each event of an array counts for itself alone.
static void many_in_a_message_buy_no_more(void **state) {
    (void)state;
    enum { MESSAGES = 50, EVENTS = 40 };
    failing_run(300);
    int64_t in = kit.bytes, before = bytes_out();
    for (int i = 0; i < MESSAGES; i++) {
        struct buf text = {0};
        for (int n = 0; n < EVENTS; n++) {
            buf_printf(&text,
                       "%s{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":%lld,\"Executor "
                       "ID\":\"e\"}",
                       n == 0 ? "[" : ",", kit_ms(400 + 60 * (EVENTS * i + n)));
        }
        kit_feed(APP, "%s]", buf_text(&text));
        buf_fini(&text);
    }
    assert_true(bytes_out() - before < 4 * (kit.bytes - in));
}

// The worst of a kind and a new kind are told with the very event; one more of the kind waits.
static void what_matters_is_told_at_once(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 41); // a second into a minute
    skewed_stage(0, 41, 8);        // 6 s of five minutes
    assert_int_equal(out.runs, 1);
    assert_int_equal(out.kinds, 1u << KIND_DATA_SKEW);
    assert_int_equal(out.last.open_by_severity[SEVERITY_LOW], 1);
    skewed_stage(1, 42, 8); // another one like it
    assert_int_equal(out.runs, 1);
    assert_int_equal(out.verdicts, 2);
    kit_task(APP, 1, 300, 91, 101, 1); // the minute is over
    assert_int_equal(out.runs, 2);
    skewed_stage(2, 30, 80); // a worse one
    assert_int_equal(out.runs, 3);
    assert_int_equal(out.last.open_by_severity[SEVERITY_SEVERE], 1);
    failing_stage(3, 99); // another kind
    assert_int_equal(out.runs, 4);
    assert_int_equal(out.kinds, 1u << KIND_DATA_SKEW | 1u << KIND_TASK_FAILURES);
}

// Of each kind the worst stands in the short list, however many are worse of others.
static void a_short_list_has_every_kind(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0);
    skewed_stage(0, 1, 8);
    kit_stage(APP, 0, SKEW_TASKS, 1, 9);
    for (int i = 0; i < 100; i++) {
        failing_stage(1 + i, 2 + i);
    }
    assert_true(out.last.shortened && out.last.open_count == 10);
    assert_int_equal(out.kinds, 1u << KIND_DATA_SKEW | 1u << KIND_TASK_FAILURES);
}

static void a_late_task(int i, int stages) {
    kit_task(APP, i % stages, 10000 + i, 1, 2, 1);
}

// Thousands of late events are gathered into a handful of corrections.
static void late_events_gather(void **state) {
    (void)state;
    failing_run(600);
    kit_app_end(APP, 2000);
    int64_t in = kit.bytes, run_bytes = out.run_bytes, verdict_bytes = out.verdict_bytes;
    int64_t tasks = out.last.totals.tasks;
    int runs = out.runs, advice = out.advice;
    for (int i = 0; i < 3000; i++) {
        a_late_task(i, 600);
    }
    assert_true(out.last.totals.tasks < tasks + 3000);
    for (int i = 0; i < 60; i++) {
        engine_tick(kit.engine, 10000);
    }
    assert_int_equal(out.last.totals.tasks, tasks + 3000);
    assert_in_range(out.runs, runs + 2, runs + 4);
    assert_in_range(out.advice, advice, advice + 4);
    assert_true(out.run_bytes - run_bytes < (kit.bytes - in) / 4);
    assert_true(out.verdict_bytes - verdict_bytes < kit.bytes - in);
}

// However small the run and however long it goes on, the distance of corrections grows.
static void corrections_grow_apart(void **state) {
    (void)state;
    failing_run(1);
    kit_app_end(APP, 100);
    int runs = out.runs;
    for (int i = 0; i < 3000; i++) {
        a_late_task(i, 1);
    }
    assert_in_range(out.runs, runs + 4, runs + 12);
}

// A trickle of late events beside ticks is not told with each tick either.
static void time_between_corrections_grows(void **state) {
    (void)state;
    failing_run(100);
    kit_app_end(APP, 200);
    int runs = out.runs, now;
    a_late_task(0, 100);
    assert_int_equal(out.runs, runs);
    engine_tick(kit.engine, 10000);
    assert_int_equal(out.runs, runs + 1);
    for (int i = 1; i < 180; i++) {
        a_late_task(i, 100);
        engine_tick(kit.engine, 10000);
        assert_true(i > 8 || out.runs <= runs + 3); // after 10 s, 30 s, 70 s ...
    }
    assert_in_range(out.runs, runs + 3, runs + 8);
    now = out.runs;
    for (int i = 0; i < 61; i++) { // the end of its grace is the last word in any case
        engine_tick(kit.engine, 10000);
    }
    assert_int_equal(engine_application_count(kit.engine), 0);
    assert_int_equal(out.runs, now + 1);
    assert_int_equal(out.last.totals.tasks, 200 + 180);
}

// In a partition that is never idle others move the time, or take the run's place.
static void the_last_word_comes_for_certain(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        failing_run(20);
        kit_app_end(APP, 200);
        a_late_task(0, 20);
        int runs = out.runs;
        if (way == 0) {
            for (int minute = 4; minute < 16; minute++) {
                kit_app_start("other", "x", 60 * minute);
            }
        } else if (way == 1) {
            kit.options.applications_max = 1;
            kit_app_start("other", "x", 300);
        } else if (way == 2) {
            kit_app_start(APP, "etl", 300); // another run under its key
        } else {
            engine_finish(kit.engine, false);
        }
        assert_int_equal(out.runs, runs + 1);
        assert_int_equal(out.last.totals.tasks, 41);
        assert_int_equal(out.last.status, RUN_SUCCEEDED);
        tear_down(state);
        set_up(state);
    }
}

// A producer that sends everything again says nothing new.
static void repetitions_are_told_never(void **state) {
    (void)state;
    failing_run(300);
    for (int round = 0, told = 0; round < 4; round++) {
        for (int i = 0; i < 300; i++) {
            failing_stage(i, 1 + i);
        }
        assert_true(round < 1 || records() == told); // once: the run is longer than it was then
        told = records();
    }
    kit_app_end(APP, 500);
    for (int round = 0, told = records(); round < 5; round++) {
        kit_app_start(APP, "etl", 0);
        for (int i = 0; i < 300; i++) {
            failing_stage(i, 1 + i);
        }
        kit_app_end(APP, 500);
        for (int i = 0; i < 30; i++) {
            engine_tick(kit.engine, 10000);
        }
        assert_int_equal(records(), told);
    }
    int told = records();
    engine_finish(kit.engine, false);
    assert_int_equal(records(), told);
}

static void a_job(int id, bool succeeds) {
    kit_feed(APP,
             "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":%d,\"Submission Time\":%lld,"
             "\"Properties\":{\"spark.job.description\":\"load\"}}",
             id, kit_ms(10));
    kit_feed(APP,
             "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":%d,\"Completion Time\":%lld,\"Job "
             "Result\":{\"Result\":\"%s\"}}",
             id, kit_ms(20), succeeds ? "JobSucceeded" : "JobFailed");
}

// Another outcome is told at once; one that changes for ever no more than its bytes allow.
static void another_outcome_is_told_at_once(void **state) {
    (void)state;
    failing_run(300);
    kit_app_end(APP, 500);
    assert_int_equal(out.last.status, RUN_SUCCEEDED);
    int runs = out.runs;
    a_job(1, false);
    assert_int_equal(out.runs, runs + 2); // killed with that job to do, until its end comes
    assert_int_equal(out.last.status, RUN_FAILED);
    assert_true((out.kinds & 1u << KIND_PIPELINE_FAILURE) != 0);
    a_job(2, true);
    assert_int_equal(out.runs, runs + 3);
    assert_int_equal(out.last.status, RUN_SUCCEEDED);
    int64_t in = kit.bytes, bytes = out.run_bytes + out.advice_bytes;
    for (int i = 0; i < 4000; i++) {
        a_job(3 + i, i % 2 != 0);
    }
    assert_true(out.run_bytes + out.advice_bytes - bytes <
                4 * (kit.bytes - in) + 16 * 2 * out.largest_bytes);
    a_job(5000, false);
    engine_finish(kit.engine, false);
    assert_int_equal(out.last.status, RUN_FAILED);
}

// Perhaps the engine goes, and another one goes on from its state.
static void perhaps_restart(bool restarts) {
    if (!restarts) {
        return;
    }
    struct keep_table *table = keep_table_new();
    engine_all(kit.engine, table_put, table);
    engine_free(kit.engine);
    kit.engine = fresh_engine();
    assert_int_equal(engine_load(kit.engine, table, &kit.err), ST_OK);
    keep_table_free(table);
}

// Events that all change little, of three runs: bytes add up, runs wait in an order of their own,
// what is told at once is counted.
static struct buf a_life(bool restarts) {
    static const char *const names[] = {"x", "y", "z"};
    failing_run(3);
    kit_app_end(APP, 70);
    for (int i = 0; i < 200; i++) {
        a_job(i, i % 3 != 0);
        perhaps_restart(restarts);
    }
    for (int i = 0; i < 3; i++) {
        kit_app_start(names[i], "etl", 0);
        kit_stage(names[i], 0, 100, 1, 0);
    }
    for (int i = 0; i < 300; i++) {
        kit_task(names[i % 3], 0, i, 1, 20.0 * i, 1);
        perhaps_restart(restarts);
    }
    for (int i = 0; i < 3; i++) {
        kit_app_end(names[i], 6001);
    }
    for (int i = 0; i < 4; i++) { // z waits first and was heard last
        kit_task(names[2 - i % 3], 0, 1000 + i, 1, 2, 1);
    }
    perhaps_restart(restarts);
    engine_tick(kit.engine, 10000);
    kit_app_start("hangs", "etl", 7000);
    for (int i = 0; i < 5; i++) {
        hanging_stage("hangs", i);
    }
    for (int i = 0; i < 100; i++) { // until there are no bytes left for what is said
        an_executor("hangs", 7000 + 3600 * i);
        perhaps_restart(restarts);
    }
    struct buf all = out.all;
    out.all = (struct buf){0};
    return all;
}

static void a_restart_shows_nowhere(void **state) {
    struct buf whole = a_life(false);
    tear_down(state);
    set_up(state);
    struct buf restarted = a_life(true);
    assert_int_equal(whole.len, restarted.len);
    assert_memory_equal(whole.data, restarted.data, whole.len);
    buf_fini(&whole);
    buf_fini(&restarted);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_comes_out_is_bounded_by_what_comes_in),
        CASE(time_alone_buys_no_updates),
        CASE(time_alone_buys_no_repetitions),
        CASE(many_in_a_message_buy_no_more),
        CASE(small_events_buy_few_bottlenecks),
        CASE(the_end_tells_what_waited),
        CASE(what_matters_is_told_at_once),
        CASE(a_short_list_has_every_kind),
        CASE(late_events_gather),
        CASE(corrections_grow_apart),
        CASE(time_between_corrections_grows),
        CASE(the_last_word_comes_for_certain),
        CASE(repetitions_are_told_never),
        CASE(another_outcome_is_told_at_once),
        CASE(a_restart_shows_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
