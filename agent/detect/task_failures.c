// task_failures: attempts of a stage's tasks failed and their time was thrown away. Called through
// the detector table.
#include "detect/detector.h"

static const struct {
    enum cause cause;
    const char *evidence, *text;
} classes[FAILURE_CLASS_COUNT] = {
    [FAILURE_OOM] = {CAUSE_OOM, "failed_oom", "out of memory"},
    [FAILURE_CONTAINER_KILLED] = {CAUSE_CONTAINER_KILLED, "failed_container_killed",
                                  "container killed for its memory"},
    [FAILURE_FETCH_FAILED] = {CAUSE_FETCH_FAILED, "failed_fetch",
                              "shuffle data could not be fetched"},
    [FAILURE_EXECUTOR_LOST] = {CAUSE_EXECUTOR_LOST, "failed_executor_lost", "executor lost"},
    [FAILURE_USER_CODE] = {CAUSE_USER_CODE, "failed_user_code", "exception in the task"},
    [FAILURE_OTHER] = {CAUSE_OTHER, "failed_other", "other reasons"},
};

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
    unsigned worst = 0;
    for (unsigned c = 0; c < FAILURE_CLASS_COUNT; c++) {
        worst = stage->failures[c] > stage->failures[worst] ? c : worst;
        verdict_evidence(out, classes[c].evidence, (double)stage->failures[c]);
    }
    out->cause = classes[worst].cause;
    double slots = stage->slots > 0 ? (double)stage->slots : 1;
    // Successes whose output was lost run again: their time is thrown away too.
    double lost_ms = (double)stage->resubmitted * s->mean_task_ms;
    out->saving_s = ((double)stage->failed_ms + lost_ms) / 1000 / slots;
    if (s->failed) {
        out->floor = SEVERITY_MODERATE;
    }
    verdict_evidence(out, "tasks_failed", (double)s->tasks_failed);
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "failed_ms", (double)stage->failed_ms);
    verdict_evidence(out, "resubmitted", (double)stage->resubmitted);
    verdict_evidence(out, "lost_to_infrastructure", (double)stage->lost_to_infrastructure);
    verdict_evidence(out, "slots", slots);
    verdict_evidence(out, "stage_failed", s->failed ? 1 : 0);
    verdict_summary(out, "stage %d: %lld task attempt%s failed (%s), %.1f s of work thrown away%s",
                    (int)s->stage, (long long)s->tasks_failed, s->tasks_failed == 1 ? "" : "s",
                    classes[worst].text, ((double)stage->failed_ms + lost_ms) / 1000,
                    s->failed ? "; the stage failed" : "");
}

static const struct remedy remedies[] = {
    {CAUSE_OOM,
     "Task attempts die for lack of memory: give tasks more of it or less to hold: more executor "
     "memory, fewer cores per executor, more partitions; do not collect whole groups or files into "
     "one record; use Kryo serialisation."},
    {CAUSE_CONTAINER_KILLED,
     "Containers are killed for exceeding their memory: raise the memory overhead "
     "(off-heap, Python workers), not the heap."},
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
    .remedies = remedies,
    .alert_name = "PipelineTaskFailures",
    .alert_summary = "Pipeline loses work to failed tasks",
    .judge = judge,
};
