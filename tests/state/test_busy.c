// test_busy: the union of intervals against a line of single milliseconds: exact in the order of
// their ends, never more idle than the truth in any order, the same when they come again; and where
// the time of a run goes.
#include "support/test.h"

#include "keep/value.h"
#include "state/busy.h"
#include "support/spark.h"

static struct busy busy;

static int set_up(void **state) {
    (void)state;
    busy = (struct busy){0};
    return 0;
}

static void expect(int64_t covered_ms, int64_t idle_ms) {
    assert_int_equal(busy_covered_ms(&busy), covered_ms);
    assert_int_equal(busy_idle_ms(&busy), idle_ms);
}

static void intervals_that_overlap_count_once(void **state) {
    (void)state;
    expect(0, 0);
    assert_true(busy_add(&busy, 100, 110));
    expect(10, 0);
    assert_true(busy_add(&busy, 105, 120));
    expect(20, 0);
    assert_true(busy_add(&busy, 150, 160)); // a gap of 30
    expect(30, 30);
    assert_true(busy_add(&busy, 120, 130)); // late, at its begin
    assert_true(busy_add(&busy, 145, 150)); // and at its end
    expect(45, 15);
    assert_true(busy_add(&busy, 135, 140)); // within: two gaps
    expect(50, 10);
    assert_true(busy_add(&busy, 50, 60)); // before all
    expect(60, 50);
    assert_true(busy_add(&busy, 1, 200));
    expect(199, 0);
    assert_false(busy_add(&busy, 1, 200));
    assert_false(busy_add(&busy, 30, 90));
}

static void what_is_no_interval_changes_nothing(void **state) {
    (void)state;
    assert_false(busy_add(&busy, 0, 10));
    assert_false(busy_add(&busy, -5, 10));
    assert_false(busy_add(&busy, 10, 10));
    assert_false(busy_add(&busy, 11, 10));
    assert_false(busy_add(&busy, 1, EVENT_TIME_MAX_MS + 1));
    assert_false(busy_add(&busy, INT64_MIN, INT64_MAX));
    expect(0, 0);
    assert_int_equal(busy.to_ms, 0);
}

// More gaps than are kept: the oldest are a sum, of which a long late interval takes what it may.
static void gaps_beyond_the_bound_are_summed(void **state) {
    (void)state;
    for (int64_t i = 1; i <= 2 * BUSY_GAPS + 1; i++) {
        assert_true(busy_add(&busy, 100 * i, 100 * i + 60));
    }
    expect(60 * (2 * BUSY_GAPS + 1), 40 * 2 * BUSY_GAPS);
    assert_int_equal(busy.summed_ms, 40 * BUSY_GAPS);
    // It ran all the time since the middle of the second interval: the last eight gaps and seven of
    // those summed. What it could cover of the sum is more than they are.
    assert_true(busy_add(&busy, 230, 100 * (2 * BUSY_GAPS + 1) + 60));
    expect(100 * 2 * BUSY_GAPS + 60, 0);
    assert_false(busy_add(&busy, 300, 500)); // and it takes nothing twice
    busy_add(&busy, 10000, 10010);
    expect(100 * 2 * BUSY_GAPS + 70, 10000 - 100 * (2 * BUSY_GAPS + 1) - 60);
}

enum { LINE_MS = 2000 };

static int64_t truth(const bool *line, int64_t *span_ms) {
    int64_t first = 0, last = 0, covered = 0;
    for (int64_t t = 1; t < LINE_MS; t++) {
        first = first == 0 && line[t] ? t : first;
        last = line[t] ? t : last;
        covered += line[t];
    }
    *span_ms = last + 1 - first;
    return *span_ms - covered;
}

static void check(const bool *line, bool exact) {
    int64_t span_ms, idle_ms = truth(line, &span_ms);
    assert_int_equal(busy.to_ms - busy.from_ms, span_ms);
    assert_true(busy_idle_ms(&busy) <= idle_ms);
    assert_true(busy_idle_ms(&busy) >= 0);
    assert_true(!exact || busy_idle_ms(&busy) == idle_ms);
    struct buf value = {0};
    struct busy back = {0};
    struct err err;
    value_write(&record_busy, &busy, &value);
    assert_int_equal(value_read(&record_busy, buf_str(&value), &back, &err), ST_OK);
    assert_memory_equal(&back, &busy, offsetof(struct busy, gaps));
    assert_int_equal(busy_idle_ms(&back), busy_idle_ms(&busy));
    buf_fini(&value);
}

static void random_intervals_agree_with_a_line(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 400; round++) {
        bool line[LINE_MS] = {false}, ordered = round % 2 == 0;
        int64_t longest = round % 8 < 4 ? 20 : 300;
        busy = (struct busy){0};
        for (int64_t i = 0, end = 20; i < 60; i++) {
            int64_t length = 1 + (int64_t)(test_random(&seed) % (uint64_t)longest);
            end += (int64_t)(test_random(&seed) % 30);
            int64_t to = ordered ? end : 20 + (int64_t)(test_random(&seed) % (LINE_MS - 20));
            int64_t from = to > length ? to - length : 1;
            busy_add(&busy, from, to);
            for (int64_t t = from; t < to; t++) {
                line[t] = true;
            }
            // In the order of ends, intervals this short reach behind no eight gaps.
            check(line, ordered && longest == 20);
        }
    }
}

static void damaged_intervals_are_refused(void **state) {
    (void)state;
    struct busy bad[] = {
        {.from_ms = 10, .to_ms = 5, .summed_to_ms = 10},
        {.from_ms = 10, .to_ms = 50, .summed_to_ms = 5},
        {.from_ms = 10, .to_ms = 50, .summed_to_ms = 20, .summed_ms = 11},
        {.from_ms = 10, .to_ms = 50, .summed_to_ms = 10, .gaps = {{30, 30}}, .gap_count = 1},
        {.from_ms = 10, .to_ms = 50, .summed_to_ms = 10, .gaps = {{30, 60}}, .gap_count = 1},
        {.from_ms = 10,
         .to_ms = 50,
         .summed_to_ms = 10,
         .gaps = {{30, 35}, {33, 40}},
         .gap_count = 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf value = {0};
        struct busy back = {0};
        struct err err;
        value_write(&record_busy, &bad[i], &value);
        assert_int_equal(value_read(&record_busy, buf_str(&value), &back, &err), ST_SKIP);
        buf_fini(&value);
    }
}

static void job(struct app *app, enum event_kind kind, int32_t id, int64_t time_ms) {
    struct event event = {.kind = kind, .time_ms = time_ms};
    event.job = (struct event_job){.id = id, .succeeded = true};
    app_apply(app, &event, NULL);
}

// A run from 1000 s: an executor after 10 s, a job from 40 s to 50 s with a stage from 42 s to 48
// s, and the end after 100 s.
static void time_goes_to_work_to_starting_and_to_the_driver(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct app_times times;
    app_times(app, &times);
    assert_int_equal(times.run_ms, 0); // nothing is known of its work
    spark_executor(app, "1", "h1", 4);
    job(app, EVENT_JOB_START, 1, 1040000);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 4, 1042000, 0);
    spark_stage(app, EVENT_STAGE_COMPLETED, 0, 4, 1042000, 1048000);
    spark_stage(app, EVENT_STAGE_COMPLETED, 0, 4, 1042000, 1048000); // came twice
    job(app, EVENT_JOB_END, 1, 1050000);
    struct event end = {.kind = EVENT_APP_END, .time_ms = 1100000};
    app_apply(app, &end, NULL);
    app_times(app, &times);
    assert_int_equal(times.run_ms, 100000);
    assert_int_equal(times.start_up_ms, 30000);
    assert_int_equal(times.busy_ms, 6000);
    assert_int_equal(times.driver_ms, 64000);
    assert_int_equal(times.driver_in_jobs_ms, 4000);
    // Executors that come late are not the driver's fault: up to the first stage, at most.
    app->executors.first_added_ms = 1041000;
    app_times(app, &times);
    assert_int_equal(times.start_up_ms, 41000);
    app->executors.first_added_ms = 1090000;
    app_times(app, &times);
    assert_int_equal(times.start_up_ms, 42000);
    assert_int_equal(times.driver_ms, 52000);
    app_free(app);
}

// A stage that waits for its first slot, or whose task runs, is not over.
static void what_goes_on_counts_up_to_now(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct app_times times;
    job(app, EVENT_JOB_START, 1, 1002000);
    spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 4, 1003000, 0);
    app->now_ms = 1500000;
    app_times(app, &times);
    assert_int_equal(times.busy_ms, 497000);
    assert_int_equal(times.driver_ms, 0);
    // The job is over: the end of its stage was lost, it did not go on.
    job(app, EVENT_JOB_END, 1, 1103000);
    app_times(app, &times);
    assert_int_equal(times.busy_ms, 100000);
    assert_int_equal(times.driver_ms, 397000);
    // But one that was submitted since then does, although nobody knows its job.
    spark_stage(app, EVENT_STAGE_SUBMITTED, 1, 4, 1200000, 0);
    app_times(app, &times);
    assert_int_equal(times.busy_ms, 400000);
    // A task's own time counts without any word of its stage.
    app->now_ms = 1600000;
    struct event task = spark_task(7, 1000);
    task.task.stage = 9;
    task.task.launch_ms = 1590000;
    task.task.finish_ms = 1595000;
    job(app, EVENT_JOB_START, 2, 1580000);
    job(app, EVENT_JOB_END, 2, 1599000);
    app_apply(app, &task, NULL);
    app_times(app, &times);
    assert_int_equal(times.run_ms, 600000);
    app_free(app);
}

static void cores_count_while_executors_live(void **state) {
    (void)state;
    struct app *app = spark_app();
    assert_int_equal(executors_cores_ms(&app->executors, 2000000), 0);
    struct event event = {.kind = EVENT_EXECUTOR_ADDED, .time_ms = 1010000};
    event.executor = (struct event_executor){.id = STR("1"), .host = STR("h"), .cores = 4};
    app_apply(app, &event, NULL);
    app_apply(app, &event, NULL); // came twice
    event.executor.id = STR("2");
    event.time_ms = 1020000;
    app_apply(app, &event, NULL);
    assert_int_equal(executors_cores_ms(&app->executors, 1030000), 4 * 20000 + 4 * 10000);
    event.kind = EVENT_EXECUTOR_REMOVED;
    event.executor.reason = STR("killed by driver");
    app_apply(app, &event, NULL); // at once
    event.time_ms = 1025000;
    app_apply(app, &event, NULL); // came twice
    assert_int_equal(executors_cores_ms(&app->executors, 1030000), 4 * 20000);
    event = (struct event){.kind = EVENT_EXECUTOR_ADDED, .time_ms = 1030000};
    event.executor = (struct event_executor){.id = STR("driver"), .host = STR("h"), .cores = 64};
    app_apply(app, &event, NULL);
    assert_int_equal(executors_cores_ms(&app->executors, 1040000), 4 * 30000);
    app_let_go(app, LET_GO_DETAILS); // who lives is not known any more
    assert_int_equal(executors_cores_ms(&app->executors, 1040000), -1);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(intervals_that_overlap_count_once, set_up),
        cmocka_unit_test_setup(what_is_no_interval_changes_nothing, set_up),
        cmocka_unit_test_setup(gaps_beyond_the_bound_are_summed, set_up),
        cmocka_unit_test_setup(random_intervals_agree_with_a_line, set_up),
        cmocka_unit_test_setup(damaged_intervals_are_refused, set_up),
        cmocka_unit_test(time_goes_to_work_to_starting_and_to_the_driver),
        cmocka_unit_test(what_goes_on_counts_up_to_now),
        cmocka_unit_test(cores_count_while_executors_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
