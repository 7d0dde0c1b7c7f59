// task_failures: attempts of a stage's tasks failed and their time was thrown away. Called through
// the detector table.
#include <math.h>
#include <stdio.h>

#include "base/span.h"
#include "detect/cost.h"
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
    unsigned worst = 0;
    for (unsigned c = 0; c < FAILURE_CLASS_COUNT; c++) {
        worst = stage->failures[c] > stage->failures[worst] ? c : worst;
        verdict_evidence(out, classes[c].evidence, (double)stage->failures[c]);
    }
    out->cause = classes[worst].cause;
    double slots = cost_slots(stage);
    // Successes whose output was lost run again: their time is thrown away too.
    double lost_ms = (double)stage->resubmitted * s->mean_task_ms;
    double thrown_away_ms = (double)stage->failed_ms + lost_ms;
    out->saving_s = cost_ms(stage, slots, thrown_away_ms) / 1000;
    if (s->failed && !stage->cancelled) {
        out->floor = SEVERITY_MODERATE;
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
