// slow_tasks_kit: a stage of twenty tasks of a second and four of ten, all alike but for what a
// case says. For the tests of why slow tasks are slow.
#pragma once

#include "detect_kit.h"

#include "detect/slow_tasks.h"
#include "stats/sketch.h"

enum { REST = 20, SLOW = 4 };

// Per task.
struct shape {
    int64_t slow_bytes, rest_bytes, slow_records, rest_records;
    int64_t slow_run_ms, slow_cpu_ms, rest_cpu_ms, fetch_ms, gc_ms, delay_ms;
    unsigned cold;    // so many of the slow ones
    int64_t all_cold; // that the stage had, on whatever executor
    unsigned first;   // so many of the slow ones began with the stage, or so long after it
    int64_t after_ms;
    unsigned there;   // so many of the slow ones on host 1, the others on host 0
    int64_t there_ms; // what a task takes on host 1, against a second
    int64_t wall_ms, slots;
    int64_t between_ms; // one more of the listed tasks took so long; 0: none
    unsigned far, near; // so many of the slow ones; the others on the node of their data
    int64_t input_bytes, input_records;
    bool python;
    bool cpu_untold;
    bool lost; // the slow ones were killed, copies of them that took a second won
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
static const struct app nobody;

// In the sums are the copies.
static void lose(const struct shape *shape, struct stage *stage) {
    struct stage_summary *s = &stage->summary;
    stage->task_ms -= SLOW * 9000;
    s->max_task_ms = 1000;
    stage->bytes = (REST + SLOW) * shape->rest_bytes;
    s->run_ms = (REST + SLOW) * 1000;
    s->cpu_ns = (REST + SLOW) * shape->rest_cpu_ms * 1000000;
}

static void list_slow(const struct shape *shape) {
    for (unsigned i = 0; i < SLOW; i++) {
        detail.slow[i] =
            (struct stage_task){.duration_ms = 10000,
                                .bytes = shape->slow_bytes,
                                .records = shape->slow_records,
                                .run_ms = shape->slow_run_ms,
                                .cpu_ns = shape->slow_cpu_ms * 1000000,
                                .gc_ms = shape->gc_ms,
                                .fetch_wait_ms = shape->fetch_ms,
                                .delay_ms = shape->delay_ms,
                                .host = i < shape->there,
                                .cold = i < shape->cold,
                                .launch_ms = 1000 + (i < shape->first ? shape->after_ms : 2000),
                                .lost = shape->lost,
                                .near = i >= shape->far && shape->near > 0,
                                .far = i < shape->far};
        sketch_add(&detail.durations_ms, shape->lost ? 1000 : 10000);
    }
    detail.slow_count = SLOW;
}

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
    list_slow(shape);
    for (unsigned i = 0; i < REST; i++) {
        sketch_add(&detail.durations_ms, 1000);
    }
    if (shape->between_ms > 0) {
        detail.slow[detail.slow_count++].duration_ms = shape->between_ms;
        stage.task_ms += shape->between_ms - 1000;
    }
    stage.cpu_untold_tasks = shape->cpu_untold;
    stage.cold_tasks = shape->all_cold;
    stage.near_tasks = shape->near;
    stage.python = shape->python;
    s->input_bytes = shape->input_bytes;
    s->input_records = shape->input_records;
    if (shape->lost) {
        lose(shape, &stage);
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
    assert_true(slow_tasks_rule(&stage, 3, true));
    assert_int_equal(slow_tasks_rule(&stage, 3, false), !shape->lost);
    slow_tasks_compare(&nobody, &stage, &slow);
    return slow;
}

static void assert_cause(struct shape shape, enum cause cause) {
    struct slow_tasks slow = compare(&shape);
    if (slow.cause != cause) {
        fail_msg("%s, not %s", cause_name(slow.cause), cause_name(cause));
    }
}
