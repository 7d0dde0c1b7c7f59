// task_failures: attempts of a stage's tasks failed and their time was thrown away. Called through
// the detector table.
#include <math.h>
#include <stdio.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"
#include "state/failure.h"

// `of` is named in the evidence beside the count of its cause, as another remedy helps.
static const struct {
    enum cause cause;
    const char *of, *text;
} classes[FAILURE_CLASS_COUNT] = {
    [FAILURE_OOM] = {CAUSE_OOM, NULL, "out of heap"},
    [FAILURE_OOM_DIRECT] = {CAUSE_OOM, "failed_direct_memory", "out of memory beside the heap"},
    [FAILURE_OOM_EXECUTION] = {CAUSE_OOM, "failed_execution_memory",
                               "out of Spark's execution memory"},
    [FAILURE_OOM_OFF_HEAP] = {CAUSE_OOM, "failed_off_heap_memory", "out of off-heap memory"},
    [FAILURE_OOM_GPU] = {CAUSE_OOM, "failed_gpu_memory", "out of GPU memory"},
    [FAILURE_OOM_PYTHON] = {CAUSE_OOM, "failed_python_memory", "Python out of memory"},
    [FAILURE_CONTAINER_KILLED] = {CAUSE_CONTAINER_KILLED, NULL, "container killed for its memory"},
    [FAILURE_FETCH_FAILED] = {CAUSE_FETCH_FAILED, NULL, "shuffle data could not be fetched"},
    [FAILURE_EXECUTOR_LOST] = {CAUSE_EXECUTOR_LOST, NULL, "executor lost"},
    [FAILURE_USER_CODE] = {CAUSE_USER_CODE, NULL, "exception in the task"},
    [FAILURE_PYTHON_CRASHED] = {CAUSE_USER_CODE, "failed_python_crashes", "Python worker died"},
    [FAILURE_OTHER] = {CAUSE_OTHER, NULL, "other reasons"},
    [FAILURE_THREADS] = {CAUSE_OTHER, "failed_threads", "no more threads"},
};

static const struct {
    enum cause cause;
    const char *evidence;
} causes[] = {
    {CAUSE_OOM, "failed_oom"},
    {CAUSE_CONTAINER_KILLED, "failed_container_killed"},
    {CAUSE_FETCH_FAILED, "failed_fetch"},
    {CAUSE_EXECUTOR_LOST, "failed_executor_lost"},
    {CAUSE_USER_CODE, "failed_user_code"},
    {CAUSE_OTHER, "failed_other"},
};

static int64_t failures_by(const struct stage *stage, enum cause cause) {
    int64_t sum = 0;
    for (unsigned c = 0; c < FAILURE_CLASS_COUNT; c++) {
        sum += classes[c].cause == cause ? stage->failures[c] : 0;
    }
    return sum;
}

// What most failures have as their cause. An executor that dies for its memory takes the tasks
// beside the one that was too much with it: so many lost ones speak against no such death.
static enum cause cause_of(const struct stage *stage) {
    enum { TASKS_BESIDE = 8 };
    enum cause most = causes[0].cause;
    for (unsigned i = 1; i < ARRAY_LEN(causes); i++) {
        bool more = failures_by(stage, causes[i].cause) > failures_by(stage, most);
        most = more ? causes[i].cause : most;
    }
    int64_t oom = failure_ooms(stage->failures);
    int64_t killed = failures_by(stage, CAUSE_CONTAINER_KILLED);
    int64_t memory = oom > killed ? oom : killed;
    bool lost = most == CAUSE_EXECUTOR_LOST || most == CAUSE_FETCH_FAILED;
    if (lost && memory > 0 && failures_by(stage, most) <= TASKS_BESIDE * memory) {
        return oom >= killed ? CAUSE_OOM : CAUSE_CONTAINER_KILLED;
    }
    return most;
}

// Of the classes with that cause the one that is most of it.
static unsigned class_of(const struct stage *stage, enum cause cause) {
    unsigned most = FAILURE_CLASS_COUNT;
    for (unsigned c = 0; c < FAILURE_CLASS_COUNT; c++) {
        bool more = most == FAILURE_CLASS_COUNT || stage->failures[c] > stage->failures[most];
        most = classes[c].cause == cause && more ? c : most;
    }
    return most;
}

// What the stage lost: at least the work thrown away over all slots. A failed attempt cost all the
// time until the next one stood where it did. Within an attempt a failed task held the stage up for
// its own time if little came after it: as far as the stage took longer than its tasks need.
static double cost_ms(const struct stage *stage, double slots, double thrown_away_ms) {
    const struct stage_summary *s = &stage->summary;
    double least_ms = thrown_away_ms / slots, held_up_ms = 0;
    double wall_ms = (double)(stage_wall_ms(stage) - stage_wait_ms(stage));
    double after_ms = (double)(s->completed_ms - stage->last_failure_ms);
    double longest_ms = (double)s->max_task_ms;
    if (s->failed) {
        held_up_ms = (double)stage_lost_attempt_ms(stage);
    } else if (stage->completed && after_ms <= 2 * longest_ms) {
        double needed_ms = fmax(longest_ms, (double)stage->task_ms / slots);
        held_up_ms = fmin((double)stage->longest_failed_ms, wall_ms - needed_ms);
    }
    return fmax(least_ms, held_up_ms);
}

static void summarise(const struct stage *stage, const char *class_text, double thrown_away_ms,
                      struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    char after[96] = "", lost[SPAN_TEXT_SIZE], work[SPAN_TEXT_SIZE];
    if (s->failed && stage->retry_launch_ms > 0) {
        snprintf(after, sizeof after,
                 "; the stage failed, and its next attempt stood where this one did %s later",
                 span_format_ms((double)stage_lost_attempt_ms(stage), lost));
    } else if (s->failed) {
        snprintf(after, sizeof after, "; the stage failed");
    }
    verdict_summary(out, "stage %d: %lld task attempt%s failed (%s), %s of work thrown away%s",
                    (int)s->stage, (long long)s->tasks_failed, s->tasks_failed == 1 ? "" : "s",
                    class_text, span_format_ms(thrown_away_ms, work), after);
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    if (s->tasks + s->tasks_failed + s->tasks_killed == 0) {
        out->reason = "no task of the stage has ended";
        return;
    }
    out->rule_met = s->tasks_failed > 0 ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(causes); i++) {
        verdict_evidence(out, causes[i].evidence, (double)failures_by(stage, causes[i].cause));
    }
    out->cause = cause_of(stage);
    unsigned worst = class_of(stage, out->cause);
    if (classes[worst].of != NULL) {
        verdict_evidence(out, classes[worst].of, (double)stage->failures[worst]);
    }
    double slots = cost_slots(stage);
    // Successes whose output was lost run again: their time is thrown away too.
    double lost_ms = (double)stage->resubmitted * s->mean_task_ms;
    double thrown_away_ms = (double)stage->failed_ms + lost_ms;
    out->saving_s = cost_ms(stage, slots, thrown_away_ms) / 1000;
    bool memory = out->cause == CAUSE_OOM || out->cause == CAUSE_CONTAINER_KILLED;
    if ((s->failed && !stage->cancelled) || memory) {
        out->floor = SEVERITY_MODERATE; // a retry that went well may not do so next time
    }
    verdict_evidence(out, "tasks_failed", (double)s->tasks_failed);
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "failed_ms", (double)stage->failed_ms);
    verdict_evidence(out, "resubmitted", (double)stage->resubmitted);
    verdict_evidence(out, "lost_to_infrastructure", (double)stage->lost_to_infrastructure);
    verdict_evidence(out, "slots", slots);
    verdict_evidence(out, "stage_failed", s->failed ? 1 : 0);
    verdict_evidence(out, "longest_failed_ms", (double)stage->longest_failed_ms);
    if (s->failed) {
        verdict_evidence(out, "lost_attempt_ms", (double)stage_lost_attempt_ms(stage));
        verdict_evidence(out, "killed_ms", (double)stage->killed_ms);
        verdict_evidence(out, "tasks_done_again",
                         stage->retry_launch_ms > 0 ? (double)stage->retry_tasks : 0);
    }
    summarise(stage, classes[worst].text, thrown_away_ms, out);
}

// By which memory ran out: a larger one of another kind does not help.
static const struct fine_remedy fine_remedies[] = {
    {CAUSE_OOM, "failed_direct_memory",
     "Memory beside the heap ran out (direct buffers, classes), which a larger heap does not give: "
     "raise spark.executor.memoryOverhead and the limit that was hit (-XX:MaxDirectMemorySize or "
     "-XX:MaxMetaspaceSize in spark.executor.extraJavaOptions), or run fewer cores per executor."},
    {CAUSE_OOM, "failed_execution_memory",
     "Spark's own execution memory ran out: more partitions, so that each task sorts, joins and "
     "aggregates less, fewer cores per executor, a larger spark.memory.fraction or more executor "
     "memory."},
    {CAUSE_OOM, "failed_off_heap_memory",
     "The native engine ran out of off-heap memory, which is not the heap: raise "
     "spark.memory.offHeap.size (the container grows by as much; if it must not, take it from "
     "spark.executor.memory), more partitions, or fewer cores per executor."},
    {CAUSE_OOM, "failed_gpu_memory",
     "The memory of the GPU, or that of the host beside it, ran out: smaller batches "
     "(spark.rapids.sql.batchSizeBytes), fewer tasks at once on a GPU "
     "(spark.rapids.sql.concurrentGpuTasks), more pinned or off-heap host memory "
     "(spark.rapids.memory.pinnedPool.size), more partitions."},
    {CAUSE_OOM, "failed_python_memory",
     "Python workers ran out of memory, which is not the heap: raise spark.executor.memoryOverhead "
     "(and spark.executor.pyspark.memory where it limits them), smaller batches "
     "(spark.sql.execution.arrow.maxRecordsPerBatch), more partitions, fewer cores per executor; "
     "do not hold a whole group or file in one object."},
    {CAUSE_USER_CODE, "failed_python_crashes",
     "Python workers die without a word: look at the executor's stderr. A library's native code "
     "may have crashed, or the worker was killed for its memory "
     "(spark.executor.memoryOverhead)."},
    {CAUSE_OTHER, "failed_threads",
     "No more threads could be begun, whatever memory there is: raise the limits of processes "
     "(ulimit -u, the pids of the container), or run fewer executors on a host and fewer threads "
     "in each."},
    {CAUSE_NONE, NULL, NULL},
};

static const struct remedy remedies[] = {
    {CAUSE_OOM,
     "Tasks ran out of heap. Give them more memory or less to hold: more executor memory, fewer "
     "cores per executor, more partitions; do not collect whole groups or files into one record; "
     "cut long lineages by checkpointing; use Kryo serialisation."},
    {CAUSE_CONTAINER_KILLED,
     "Containers are killed for exceeding their memory: raise spark.executor.memoryOverhead "
     "(off-heap buffers and Python workers live there), not the heap."},
    {CAUSE_EXECUTOR_LOST,
     "Executors disappear and their work is done again: look at preemption, spot nodes "
     "and the resource manager's log; an external shuffle service or decommissioning "
     "keeps their output."},
    {CAUSE_FETCH_FAILED,
     "Shuffle data could not be fetched: executors died or were too busy to answer; see "
     "their loss first, then fetch retries and timeouts."},
    {CAUSE_USER_CODE,
     "The task's own code throws: handle the records it cannot take (count and set them "
     "aside) instead of failing and retrying the whole task."},
    {CAUSE_NONE,
     "Look at the first failed attempt in the Spark UI: the later ones mostly repeat it."},
};

const struct detector detector_task_failures = {
    .kind = KIND_TASK_FAILURES,
    .subject = SUBJECT_STAGE,
    .certain = true,
    .help = "task attempts failed and their work was thrown away",
    .rule = "failed attempts > 0",
    .unknown_when = "no task has ended",
    .never_text = "no task of the run has ended",
    .fine_remedies = fine_remedies,
    .remedies = remedies,
    .alert_name = "PipelineTaskFailures",
    .alert_summary = "Pipeline loses work to failed tasks",
    .judge = judge,
};
