// test_oversized_partitions: too much data for one task, at the edge; how bad that may be called.
#include "detect_kit.h"

#include "state/app.h"

#define GIB (1024LL * 1024 * 1024)

// Eight tasks on four slots, the last of which ran alone for ten seconds.
static struct stage large(int64_t bytes) {
    return (struct stage){.summary = {.stage = 5,
                                      .tasks = 8,
                                      .tasks_expected = 8,
                                      .mean_task_ms = 40000,
                                      .run_ms = 320000},
                          .completed = true,
                          .slots = 4,
                          .first_launch_ms = 1000,
                          .last_finish_ms = 91000,
                          .task_ms = 320000,
                          .bytes = bytes,
                          .max_task_bytes = 2 * GIB,
                          .metric_tasks = 8};
}

static struct verdict ask(const struct stage *stage) {
    struct app app = {0};
    return judge(KIND_OVERSIZED_PARTITIONS, &app, stage, true);
}

static void more_than_a_gib_a_task_is_too_much(void **state) {
    (void)state;
    struct stage stage = large(8 * GIB);
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage = large(8 * GIB + 1);
    struct verdict v = ask(&stage);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_FEW_PARTITIONS);
    assert_int_equal(v.floor, SEVERITY_LOW);
    assert_int_equal(v.cap, SEVERITY_LOW);
    assert_near(v.saving_s, 10, 1e-12); // what the slots idled at the end
    stage.beside.task_ms = 40000;       // others did not
    assert_near(ask(&stage).saving_s, 0, 0);
    stage.metric_tasks = 0;
    assert_int_equal(ask(&stage).rule_met, TRI_NULL);
}

static void signs_that_it_hurts_make_it_moderate(void **state) {
    (void)state;
    struct stage stage = large(9 * GIB);
    stage.max_task_bytes = 5 * GIB;
    stage.summary.gc_ms = 32000;
    assert_int_equal(ask(&stage).cap, SEVERITY_LOW);
    stage.summary.gc_ms++;
    assert_int_equal(ask(&stage).cap, SEVERITY_MODERATE);
    stage.summary.gc_ms = 0;
    stage.max_task_bytes++;
    assert_int_equal(ask(&stage).cap, SEVERITY_MODERATE);
    stage.max_task_bytes = 0;
    stage.summary.disk_spilled_bytes = 1;
    assert_int_equal(ask(&stage).cap, SEVERITY_MODERATE);
    stage.summary.disk_spilled_bytes = 0;
    stage.summary.tasks_failed = 1;
    assert_int_equal(ask(&stage).cap, SEVERITY_MODERATE);
}

static void input_beyond_a_split_cannot_be_split(void **state) {
    (void)state;
    struct stage stage = large(9 * GIB);
    stage.summary.input_bytes = 9 * GIB;
    assert_int_equal(ask(&stage).cause, CAUSE_UNSPLITTABLE);
    stage.summary.shuffle_read_bytes = 9 * GIB; // as much of a shuffle, which can be
    assert_int_equal(ask(&stage).cause, CAUSE_FEW_PARTITIONS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_a_gib_a_task_is_too_much),
        cmocka_unit_test(signs_that_it_hurts_make_it_moderate),
        cmocka_unit_test(input_beyond_a_split_cannot_be_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
