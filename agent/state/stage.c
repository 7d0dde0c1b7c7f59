// stage: merging stage and task events into sums. Called by app for every such event, so nothing
// here allocates per task and nothing may depend on the order of events.
#include "state/stage.h"

#include <ctype.h>
#include <math.h>

#include "base/mem.h"
#include "base/sat.h"
#include "base/scrub.h"
#include "state/failure.h"
#include "state/slots.h"

struct stage *stage_new(int32_t id, int32_t attempt) {
    struct stage *stage = mem_zalloc(1, sizeof *stage);
    stage->summary.stage = id;
    stage->summary.attempt = attempt;
    stage->summary.tasks_expected = -1;
    stage->detail = mem_zalloc(1, sizeof *stage->detail);
    return stage;
}

static void forget_running(struct stage_detail *detail) {
    mem_free(detail->running);
    detail->running = NULL;
    detail->running_count = detail->running_cap = 0;
}

void stage_drop_detail(struct stage *stage) {
    if (stage->detail != NULL) {
        forget_running(stage->detail);
        mem_free(stage->detail->hosts);
        mem_free(stage->detail);
        stage->detail = NULL;
    }
}

void stage_free(struct stage *stage) {
    if (stage == NULL) {
        return;
    }
    stage_drop_detail(stage);
    for (uint32_t i = 0; i < stage->verdict_count; i++) {
        mem_free(stage->verdicts[i]);
    }
    mem_free(stage->verdicts);
    mem_free(stage);
}

// Spark's own sentence, at the beginning: the word anywhere else is somebody's error.
static bool is_cancellation(struct str failure) {
    return str_starts(failure, STR("[SPARK_JOB_CANCELLED]")) ||
           str_starts(failure, STR("Stage cancelled")) ||
           (str_starts(failure, STR("Job ")) && failure.len > 4 &&
            isdigit((unsigned char)failure.p[4]) && str_contains(failure, STR(" cancelled")));
}

// The SQL execution that the stage is of, counted from 1; 0 if it does not say so.
static int32_t execution_of(const struct event_stage *info) {
    for (uint32_t i = 0; i < info->property_count; i++) {
        int64_t id;
        if (str_is(info->properties[i].key, "spark.sql.execution.id") &&
            str_to_i64(info->properties[i].value, &id) && id >= 0 && id < INT32_MAX) {
            return (int32_t)id + 1;
        }
    }
    return 0;
}

void stage_apply_info(struct stage *stage, const struct event_stage *info, bool completed) {
    struct stage_summary *summary = &stage->summary;
    if (info->name.len > 0) {
        scrub_copy(summary->name, sizeof summary->name, info->name); // shorter than it was
    }
    stage->python = stage->python || info->python;
    stage->works |= (int32_t)info->works;
    if (info->partitions_most > 0) {
        stage->partitions_most = info->partitions_most;
        stage->memory_only = info->memory_only;
    }
    if (info->shape != 0 && (!completed || stage->shape == 0)) {
        stage->shape = info->shape;
    }
    stage->execution = stage->execution == 0 ? execution_of(info) : stage->execution;
    int32_t profile = info->profile_id < 0 ? PROFILE_DEFAULT : info->profile_id;
    if (profile != stage->profile && (!completed || info->profile_id >= 0)) {
        stage->profile = profile;
        stage->slots_begun = false; // its slots are others
    }
    // The submission's word wins; the completion only fills what is missing.
    bool first_word = !completed || !stage->submitted;
    if (info->tasks >= 0 && (first_word || summary->tasks_expected < 0)) {
        summary->tasks_expected = info->tasks;
    }
    if (info->submitted_ms > 0 && (!completed || summary->submitted_ms == 0)) {
        summary->submitted_ms = info->submitted_ms;
    }
    if (completed && stage->detail != NULL) {
        forget_running(stage->detail);
    }
    if (completed) {
        stage->completed = true;
        if (info->completed_ms > 0) {
            summary->completed_ms = info->completed_ms;
        }
        summary->failed = info->failure.len > 0;
        stage->cancelled = is_cancellation(info->failure);
    } else {
        stage->submitted = true;
    }
    stage->dirty = true;
}

enum task_class stage_task_class(const struct event_task *task) {
    switch (task->result) {
    case TASK_SUCCESS:
        return TASK_CLASS_SUCCESS;
    case TASK_KILLED:
    case TASK_COMMIT_DENIED:
        return TASK_CLASS_KILLED;
    case TASK_RESUBMITTED:
        return TASK_CLASS_NONE;
    default:
        return TASK_CLASS_FAILED;
    }
}

// True if it was killed because another attempt of it won.
static bool is_lost(const struct event_task *task) {
    // Before 2.2 no reason was told.
    return task->result == TASK_KILLED &&
           (task->error.len == 0 || str_contains(task->error, STR("another attempt succeeded")) ||
            str_contains(task->error, STR("Stage finished")));
}

static int64_t duration_ms(const struct event_task *task) {
    return sat_sub0(task->finish_ms, task->launch_ms);
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

int64_t stage_scheduler_delay_ms(const struct event_task *task) {
    int64_t getting =
        task->getting_result_ms > 0 ? sat_sub0(task->finish_ms, task->getting_result_ms) : 0;
    int64_t executor_ms = sat_add(sat_add(task->run_ms, task->deserialize_ms), task->serialize_ms);
    return sat_sub0(duration_ms(task), sat_add(executor_ms, getting));
}

void stage_apply_start(struct stage *stage, const struct event_task *task, int32_t host) {
    struct stage_detail *detail = stage->detail;
    stage->tasks_running++;
    if (detail == NULL || stage->completed || task->launch_ms <= 0) {
        return;
    }
    uint32_t newest = 0;
    for (uint32_t i = 0; i < detail->running_count; i++) {
        if (detail->running[i].task_id == task->task_id) {
            return; // it comes again
        }
        newest = detail->running[i].launch_ms > detail->running[newest].launch_ms ? i : newest;
    }
    if (detail->running_count < STAGE_RUNNING_MAX) {
        MEM_GROW(detail->running, detail->running_count, detail->running_cap);
        newest = detail->running_count++;
    } else if (detail->running[newest].launch_ms <= task->launch_ms) {
        return;
    }
    detail->running[newest] = (struct stage_running){
        .task_id = task->task_id, .launch_ms = task->launch_ms, .index = task->index, .host = host};
}

static void end_running(struct stage_detail *detail, int64_t task_id) {
    for (uint32_t i = 0; detail != NULL && i < detail->running_count; i++) {
        if (detail->running[i].task_id == task_id) {
            detail->running[i] = detail->running[--detail->running_count];
            return;
        }
    }
}

int64_t stage_longest_running_ms(const struct stage *stage, int64_t now_ms) {
    const struct stage_detail *detail = stage->detail;
    int64_t longest = 0;
    for (uint32_t i = 0; detail != NULL && i < detail->running_count; i++) {
        longest = larger(longest, sat_sub0(now_ms, detail->running[i].launch_ms));
    }
    return longest;
}

static void keep_slow(struct stage_detail *detail, const struct stage_task *task) {
    uint32_t n = detail->slow_count;
    if (n == STAGE_SLOW_TASKS && detail->slow[n - 1].duration_ms >= task->duration_ms) {
        return;
    }
    uint32_t at = n < STAGE_SLOW_TASKS ? n : n - 1;
    while (at > 0 && detail->slow[at - 1].duration_ms < task->duration_ms) {
        detail->slow[at] = detail->slow[at - 1];
        at--;
    }
    detail->slow[at] = *task;
    if (n < STAGE_SLOW_TASKS) {
        detail->slow_count++;
    }
}

static void add_host(struct stage_detail *detail, const struct stage_task *task) {
    uint32_t i = 0;
    while (i < detail->host_count && detail->hosts[i].host != task->host) {
        i++;
    }
    if (i == detail->host_count) {
        if (i == STAGE_HOSTS_MAX) {
            return; // the hosts seen first stand for the rest
        }
        MEM_GROW(detail->hosts, detail->host_count, detail->host_cap);
        detail->hosts[i] = (struct stage_host){.host = task->host};
        detail->host_count++;
    }
    detail->hosts[i].tasks++;
    sat_inc(&detail->hosts[i].task_ms, task->duration_ms);
    sat_inc(&detail->hosts[i].bytes, task->bytes);
    int32_t length_ms = task->duration_ms < INT32_MAX ? (int32_t)task->duration_ms : INT32_MAX;
    if (length_ms > detail->hosts[i].longest_ms) {
        detail->hosts[i].longest_ms = length_ms;
    }
}

enum { NS_PER_MS = 1000000 };

// What of the run time is left when everything known is taken off: waiting for a disk, mostly.
static int64_t unexplained_ns(const struct event_task *task) {
    int64_t known_ns = sat_add(sat_mul(sat_add(task->gc_ms, task->fetch_wait_ms), NS_PER_MS),
                               sat_add(task->cpu_ns, task->shuffle_write_ns));
    return sat_sub0(sat_mul(task->run_ms, NS_PER_MS), known_ns);
}

// The I/O rule. A task that does not tell its CPU time tells nothing of its reading either.
static void add_io(struct stage *stage, const struct event_task *task, int64_t scan_ns) {
    if (task->input_bytes <= 0 || task->cpu_ns < 0) {
        return;
    }
    stage->io_tasks++;
    sat_inc(&stage->io_cpu_ns, task->cpu_ns);
    sat_inc(&stage->io_run_ms, task->run_ms);
    sat_inc(&stage->io_read_ns, unexplained_ns(task));
    if (scan_ns >= 0) {
        sat_inc(&stage->scan_ns, scan_ns);
        stage->scan_tasks++;
    }
    stage->summary.read_ns = stage->scan_tasks > 0 && stage->scan_ns < stage->io_read_ns
                                 ? stage->scan_ns
                                 : stage->io_read_ns;
}

static void add_output(struct stage *stage, const struct event_task *task) {
    if (task->output_bytes > 0 && task->cpu_ns >= 0) {
        sat_inc(&stage->write_wait_ns, unexplained_ns(task));
    }
}

static void add_spill(struct stage *stage, const struct event_task *task,
                      const struct stage_task *kept) {
    if (kept->spill_bytes == 0) {
        return;
    }
    sat_inc(&stage->spill_task_ms, kept->duration_ms);
    sat_inc(&stage->spill_cpu_ns, kept->cpu_ns);
    if (task->cpu_ns >= 0) {
        sat_inc(&stage->spill_wait_ms, unexplained_ns(task) / NS_PER_MS);
    }
}

static struct stage_task task_of(const struct event_task *task, int32_t host, bool cold) {
    return (struct stage_task){
        .duration_ms = duration_ms(task),
        .launch_ms = task->launch_ms,
        .bytes =
            sat_add(task->input_bytes, sat_add(task->remote_read_bytes, task->local_read_bytes)),
        .records = sat_add(task->input_records, task->shuffle_read_records),
        .run_ms = task->run_ms,
        .cpu_ns = task->cpu_ns > 0 ? task->cpu_ns : 0,
        .gc_ms = task->gc_ms,
        .fetch_wait_ms = task->fetch_wait_ms,
        .spill_bytes = sat_add(task->memory_spill_bytes, task->disk_spill_bytes),
        .deserialize_ms = task->deserialize_ms,
        .delay_ms = task->has_metrics ? stage_scheduler_delay_ms(task) : 0,
        .index = task->index,
        .host = host,
        .cold = cold,
        .near = task->locality == LOCALITY_NEAR,
        .far = task->locality == LOCALITY_FAR,
    };
}

// As slow as if it had succeeded, but in no volume.
static void add_lost(struct stage *stage, const struct event_task *task, int32_t host, bool cold) {
    if (stage->detail != NULL) {
        struct stage_task t = task_of(task, host, cold);
        t.lost = true;
        keep_slow(stage->detail, &t);
        add_host(stage->detail, &t);
    }
}

// A speculative copy.
static void add_lost_copy(struct stage *stage, const struct event_task *task, bool in_the_way) {
    stage->copies_lost++;
    sat_inc(&stage->copies_lost_ms, duration_ms(task));
    sat_inc(&stage->copies_in_the_way_ms, in_the_way ? duration_ms(task) : 0);
}

static void add_success(struct stage *stage, const struct event_task *task, int32_t host,
                        bool cold) {
    struct stage_summary *s = &stage->summary;
    struct stage_task t = task_of(task, host, cold);
    s->tasks++;
    sat_inc(&stage->task_ms, t.duration_ms);
    s->max_task_ms = t.duration_ms > s->max_task_ms ? t.duration_ms : s->max_task_ms;
    s->mean_task_ms = (double)stage->task_ms / (double)s->tasks;
    sat_inc(&s->shuffle_read_bytes, sat_add(task->remote_read_bytes, task->local_read_bytes));
    sat_inc(&s->shuffle_write_bytes, task->shuffle_write_bytes);
    sat_inc(&s->input_bytes, task->input_bytes);
    sat_inc(&s->input_records, task->input_records);
    sat_inc(&s->output_bytes, task->output_bytes);
    sat_inc(&s->output_records, task->output_records);
    sat_inc(&s->run_ms, task->run_ms);
    sat_inc(&s->cpu_ns, t.cpu_ns);
    sat_inc(&s->gc_ms, task->gc_ms);
    sat_inc(&stage->bytes, t.bytes);
    sat_inc(&stage->records, t.records);
    sat_inc(&stage->fetch_wait_ms, t.fetch_wait_ms);
    sat_inc(&stage->shuffle_write_ns, task->shuffle_write_ns);
    sat_inc(&stage->deserialize_ms, t.deserialize_ms);
    add_spill(stage, task, &t);
    stage->cold_tasks += cold;
    stage->near_tasks += t.near;
    sat_inc(&stage->deserialize_cpu_ns, task->deserialize_cpu_ns);
    stage->max_task_bytes = t.bytes > stage->max_task_bytes ? t.bytes : stage->max_task_bytes;
    if (task->has_metrics) {
        stage->cpu_untold_tasks += task->cpu_ns < 0;
        stage->metric_tasks++;
        sat_inc(&stage->delay_ms, t.delay_ms);
        sat_inc(&stage->delay_run_ms, task->run_ms);
        sat_inc(&stage->records_squared, sat_mul(t.records, t.records));
        sat_inc(&stage->records_run_ms, sat_mul(t.records, t.run_ms));
        sat_inc(&stage->run_squared_ms2, sat_mul(t.run_ms, t.run_ms));
    }
    if (stage->detail != NULL) {
        keep_slow(stage->detail, &t);
        add_host(stage->detail, &t);
        sketch_add(&stage->detail->durations_ms, t.duration_ms);
    }
}

void stage_apply_task(struct stage *stage, const struct event_task *task, int32_t host, bool cold,
                      int64_t scan_ns, bool others_wait) {
    struct stage_summary *s = &stage->summary;
    end_running(stage->detail, task->task_id);
    if (task->finish_ms > stage->last_finish_ms) {
        stage->last_finish_ms = task->finish_ms;
    }
    if (task->has_metrics) {
        stage->tasks_with_metrics++;
        sat_inc(&s->memory_spilled_bytes, task->memory_spill_bytes);
        sat_inc(&s->disk_spilled_bytes, task->disk_spill_bytes);
        if (task->peak_memory_bytes > stage->peak_memory_bytes) {
            stage->peak_memory_bytes = task->peak_memory_bytes;
        }
    }
    switch (stage_task_class(task)) {
    case TASK_CLASS_SUCCESS:
        add_success(stage, task, host, cold);
        add_io(stage, task, scan_ns);
        add_output(stage, task);
        break;
    case TASK_CLASS_FAILED:
        s->tasks_failed++;
        stage->failures[failure_of_task(task)]++;
        sat_inc(&stage->failed_ms, duration_ms(task));
        stage->longest_failed_ms = larger(stage->longest_failed_ms, duration_ms(task));
        stage->last_failure_ms = larger(stage->last_failure_ms, task->finish_ms);
        stage->lost_to_infrastructure +=
            task->result == TASK_EXECUTOR_LOST && task->exit_caused_by_app == 0;
        break;
    case TASK_CLASS_KILLED:
        s->tasks_killed++;
        sat_inc(&stage->killed_ms, duration_ms(task));
        if (is_lost(task) && task->speculative) {
            add_lost_copy(stage, task, others_wait);
        } else if (is_lost(task)) {
            add_lost(stage, task, host, cold);
        }
        break;
    case TASK_CLASS_NONE:
        break;
    }
    stage->dirty = true;
}

bool stage_tells_cpu(const struct stage *stage) {
    return stage->cpu_untold_tasks == 0;
}

double stage_unpacking_cpu_share(const struct stage *stage) {
    enum { LEAST_MS = 200 };
    double unpacking_ms = (double)stage->deserialize_ms;
    return unpacking_ms >= LEAST_MS ? (double)stage->deserialize_cpu_ns / NS_PER_MS / unpacking_ms
                                    : NAN;
}

double stage_shuffle_s(const struct stage *stage, bool foreign) {
    const struct stage_summary *s = &stage->summary;
    double slots = stage->slots > 0 ? (double)stage->slots : 1;
    double moving_ms = (double)stage->fetch_wait_ms + (double)stage->shuffle_write_ns / NS_PER_MS;
    double computing_ms = (double)s->cpu_ns / NS_PER_MS + (double)s->gc_ms;
    double other_waits_ms = (double)s->read_ns / NS_PER_MS + (double)stage->spill_wait_ms;
    double unexplained_ms = (double)s->run_ms - moving_ms - computing_ms - other_waits_ms;
    bool local_reads = s->shuffle_read_bytes > 0 && stage_tells_cpu(stage);
    if (local_reads && !foreign && !stage->python && unexplained_ms > 0) {
        moving_ms += unexplained_ms;
    }
    return moving_ms / 1000 / slots;
}

struct bottleneck *stage_verdict(const struct stage *stage, enum bottleneck_kind kind) {
    for (uint32_t i = 0; i < stage->verdict_count; i++) {
        if (stage->verdicts[i]->kind == kind) {
            return stage->verdicts[i];
        }
    }
    return NULL;
}

int64_t stage_began_ms(const struct stage *stage) {
    int64_t submitted_ms = stage->summary.submitted_ms;
    return submitted_ms > 0 ? submitted_ms : stage->first_launch_ms;
}

int64_t stage_wall_ms(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    int64_t from = stage_began_ms(stage);
    // What was killed may linger after the end.
    bool done = stage->completed && !s->failed && s->completed_ms > from;
    int64_t to =
        done || s->completed_ms > stage->last_finish_ms ? s->completed_ms : stage->last_finish_ms;
    return from > 0 ? sat_sub0(to, from) : 0;
}

int64_t stage_task_length_ms(const struct stage *stage, const struct stage_task *task) {
    int64_t until_end_ms = sat_sub0(stage->summary.completed_ms, task->launch_ms);
    bool lingered = task->lost && stage->summary.completed_ms > 0;
    return lingered && until_end_ms < task->duration_ms ? until_end_ms : task->duration_ms;
}

int64_t stage_lost_attempt_ms(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    bool again = stage->retry_launch_ms > 0;
    if (!s->failed || (stage->cancelled && !again)) {
        return 0;
    }
    // If the next attempt did all of it again, or if there is none, nothing was gained; else the
    // tasks that were left began not before the last launch.
    bool kept = again && s->tasks > 0 && stage->retry_tasks < s->tasks_expected;
    int64_t from = kept ? stage->last_launch_ms : stage->first_launch_ms;
    int64_t until = again ? stage->retry_launch_ms : s->completed_ms;
    return from > 0 ? sat_sub0(until, from) : 0;
}

bool stage_has_begun(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    return stage->submitted || stage->completed || s->tasks + s->tasks_failed + s->tasks_killed > 0;
}

int64_t stage_wait_ms(const struct stage *stage) {
    int64_t submitted = stage->summary.submitted_ms;
    return submitted > 0 && stage->first_launch_ms > submitted ? stage->first_launch_ms - submitted
                                                               : 0;
}
