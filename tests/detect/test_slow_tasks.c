// test_slow_tasks: why the slow tasks of a stage are slow: the edge between each cause and the
// next, and what would be saved. Twenty tasks of a second and four of ten, all alike but for what a
// case says.
#include "detect_kit.h"

#include "detect/slow_tasks.h"
#include "stats/sketch.h"

enum { REST = 20, SLOW = 4 };

// Per task.
struct shape {
    int64_t slow_bytes, rest_bytes, slow_records, rest_records;
    int64_t slow_run_ms, slow_cpu_ms, rest_cpu_ms, fetch_ms, gc_ms, delay_ms;
    unsigned cold;    // so many of the slow ones
    unsigned there;   // so many of the slow ones on host 1, the others on host 0
    int64_t there_ms; // what a task takes on host 1, against a second
    int64_t wall_ms, slots;
    int64_t between_ms; // one more of the listed tasks took so long; 0: none
};

static const struct shape even = {.slow_bytes = 1000,
                                  .rest_bytes = 1000,
                                  .slow_records = 10,
                                  .rest_records = 10,
                                  .slow_run_ms = 10000,
                                  .slow_cpu_ms = 9000,
                                  .rest_cpu_ms = 900,
                                  .there = 2,
                                  .there_ms = 1000,
                                  .wall_ms = 30000,
                                  .slots = 4};

static struct stage_detail detail;
static struct stage_host hosts[2];

static struct stage stage_of(const struct shape *shape) {
    struct stage stage = {.slots = shape->slots, .detail = &detail, .first_launch_ms = 1000};
    memset(&detail, 0, sizeof detail);
    struct stage_summary *s = &stage.summary;
    s->tasks = REST + SLOW;
    s->submitted_ms = 1000;
    stage.last_finish_ms = 1000 + shape->wall_ms;
    stage.task_ms = REST * 1000 + SLOW * 10000;
    s->max_task_ms = 10000;
    stage.bytes = REST * shape->rest_bytes + SLOW * shape->slow_bytes;
    stage.records = REST * shape->rest_records + SLOW * shape->slow_records;
    s->run_ms = REST * 1000 + SLOW * shape->slow_run_ms;
    s->cpu_ns = (REST * shape->rest_cpu_ms + SLOW * shape->slow_cpu_ms) * 1000000;
    for (unsigned i = 0; i < SLOW; i++) {
        detail.slow[i] = (struct stage_task){.duration_ms = 10000,
                                             .bytes = shape->slow_bytes,
                                             .records = shape->slow_records,
                                             .run_ms = shape->slow_run_ms,
                                             .cpu_ns = shape->slow_cpu_ms * 1000000,
                                             .gc_ms = shape->gc_ms,
                                             .fetch_wait_ms = shape->fetch_ms,
                                             .delay_ms = shape->delay_ms,
                                             .host = i < shape->there,
                                             .cold = i < shape->cold};
        sketch_add(&detail.durations_ms, 10000);
    }
    detail.slow_count = SLOW;
    for (unsigned i = 0; i < REST; i++) {
        sketch_add(&detail.durations_ms, 1000);
    }
    if (shape->between_ms > 0) {
        detail.slow[detail.slow_count++].duration_ms = shape->between_ms;
        stage.task_ms += shape->between_ms - 1000;
    }
    s->mean_task_ms = (double)stage.task_ms / (REST + SLOW);
    hosts[0] = (struct stage_host){.host = 0, .tasks = 10, .task_ms = 10 * 1000};
    hosts[1] = (struct stage_host){.host = 1, .tasks = 14, .task_ms = 14 * shape->there_ms};
    detail.hosts = hosts;
    detail.host_count = 2;
    return stage;
}

static struct slow_tasks compare(const struct shape *shape) {
    struct stage stage = stage_of(shape);
    struct slow_tasks slow;
    assert_true(slow_tasks_rule(&stage, 3));
    slow_tasks_compare(&stage, &slow);
    return slow;
}

static void assert_cause(struct shape shape, enum cause cause) {
    struct slow_tasks slow = compare(&shape);
    if (slow.cause != cause) {
        fail_msg("%s, not %s", cause_name(slow.cause), cause_name(cause));
    }
}

static void twice_the_data_is_the_data(void **state) {
    (void)state;
    struct shape s = even;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_bytes = 2000;
    assert_cause(s, CAUSE_DATA);
    s.slow_bytes = 1999;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_records = 1000; // bytes are known and even: many small records are work, not data
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_bytes = s.rest_bytes = 0; // no bytes are known: records tell
    s.slow_records = 20;
    assert_cause(s, CAUSE_DATA);
    s.slow_records = 19;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_bytes = 1; // only the slow ones read anything
    assert_cause(s, CAUSE_DATA);
}

static void three_in_four_on_one_slow_host(void **state) {
    (void)state;
    struct shape s = even;
    s.there = 3;
    s.there_ms = 2000;
    assert_cause(s, CAUSE_SLOW_HOST);
    struct slow_tasks slow = compare(&s);
    assert_int_equal(slow.host, 1);
    assert_int_equal(slow.on_host, 3);
    assert_near(slow.saving_s, 30 - 24 * 1.0 / 4, 1e-9); // all as fast as elsewhere, four at a time
    s.slots = 100;
    assert_near(compare(&s).saving_s, 30 - 1, 1e-9); // but no stage is shorter than a task
    s.there_ms = 1999;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.there_ms = 2000;
    s.there = 2;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    assert_int_equal(compare(&s).host, -1);
    s.there = 4;
    struct stage stage = stage_of(&s);
    detail.host_count = 1; // the only host: compared with nothing
    slow_tasks_compare(&stage, &slow);
    assert_int_equal(slow.host, -1);
}

static void more_than_half_of_their_time_says_why(void **state) {
    (void)state;
    struct shape s = even;
    s.delay_ms = 5000;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.delay_ms = 5001;
    assert_cause(s, CAUSE_SCHEDULING);
    s = even;
    s.fetch_ms = 3000;
    s.gc_ms = 2000;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.gc_ms = 2001;
    assert_cause(s, CAUSE_BLOCKED);
    s.cold = SLOW; // they warmed up: no wonder
    assert_cause(s, CAUSE_UNKNOWN);
    assert_true(compare(&s).cold);
    s.cold = SLOW - 1;
    assert_cause(s, CAUSE_BLOCKED);
    assert_false(compare(&s).cold);
}

static void the_processor_tells_work_from_waiting(void **state) {
    (void)state;
    struct shape s = even;
    s.slow_cpu_ms = 2500; // twice the others' and more, but a quarter of their time
    assert_cause(s, CAUSE_BLOCKED);
    s.slow_cpu_ms = 3000;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_cpu_ms = 2000; // off the processor as all the others: Python's work
    s.rest_cpu_ms = 200;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s = even;
    s.slow_run_ms = 4000; // the rest of their time is in no metric
    s.slow_cpu_ms = 1700;
    assert_cause(s, CAUSE_UNKNOWN);
    s.slow_cpu_ms = 1800;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
}

static void the_stage_waits_for_what_exceeds_the_mean(void **state) {
    (void)state;
    struct shape s = even;
    assert_near(compare(&s).saving_s, 7.5, 1e-9); // 10 s, mean of 2.5 s
    s.wall_ms = 8000; // never more than the stage took beyond a mean task
    assert_near(compare(&s).saving_s, 5.5, 1e-9);
    // Slow is what takes twice the usual and more than the mean.
    s = even;
    s.between_ms = 2400;
    assert_int_equal(compare(&s).count, SLOW);
    s.between_ms = 2700;
    assert_int_equal(compare(&s).count, SLOW + 1);
    struct stage stage = stage_of(&s); // a single slow one: the mean is below twice the usual
    detail.slow_count = 2;
    detail.slow[1].duration_ms = 1700;
    stage.task_ms = 22 * 1000 + 10000 + 1700;
    stage.summary.mean_task_ms = (double)stage.task_ms / 24;
    struct slow_tasks slow;
    slow_tasks_compare(&stage, &slow);
    assert_int_equal(slow.count, 1);
}

// A cold start is negligible only where nothing else explains it.
static void a_cold_start_on_a_slow_host_is_a_slow_host(void **state) {
    (void)state;
    struct app app = {0};
    struct shape s = even;
    s.cold = SLOW;
    struct stage stage = stage_of(&s);
    assert_int_equal(judge(KIND_STRAGGLER, &app, &stage, true).cap, SEVERITY_NEGLIGIBLE);
    s.there = 4;
    s.there_ms = 5000;
    stage = stage_of(&s);
    struct verdict v = judge(KIND_STRAGGLER, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_SLOW_HOST);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_the_data_is_the_data),
        cmocka_unit_test(three_in_four_on_one_slow_host),
        cmocka_unit_test(more_than_half_of_their_time_says_why),
        cmocka_unit_test(the_processor_tells_work_from_waiting),
        cmocka_unit_test(the_stage_waits_for_what_exceeds_the_mean),
        cmocka_unit_test(a_cold_start_on_a_slow_host_is_a_slow_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
