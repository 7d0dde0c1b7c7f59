// data_skew: one task of a stage takes far longer than the mean because it has far more data.
// Called through the detector table; where the data is not the cause it says so and stays
// negligible.
#include "detect/cost.h"
#include "slow_tasks.h"

#include "base/span.h"

static const struct detector_threshold thresholds[] = {
    {"ratio", "slowest task over mean task above which a stage counts as skewed", 3, 1.1, 1000,
     "base rule; NVIDIA's profiling tool and Microsoft's advisor take 3 x the mean, too, "
     "others 1.5 to 10 x the median"},
};

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    if (s->tasks == 0) {
        out->reason = "no task of the stage succeeded";
        return;
    }
    bool met = slow_tasks_rule(stage, view->thresholds[0], false) ||
               slow_tasks_hang(stage, view->thresholds[0], view->app->now_ms);
    out->rule_met = met ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    struct slow_tasks slow;
    slow_tasks_compare(view->app, stage, &slow);
    slow_tasks_evidence(stage, &slow, out);
    out->cause = slow.cause;
    out->saving_s = cost_of_tail(view->app, stage, slow.saving_s);
    out->cap = slow_tasks_are_of_data(stage, &slow) ? out->cap : SEVERITY_NEGLIGIBLE;
    if (slow.running > 0) {
        const char *why = slow.cause == CAUSE_DATA ? "those that ended had much data"
                          : out->cap > SEVERITY_NEGLIGIBLE
                              ? "how much data it has is told when it ends"
                              : "not because of its data";
        slow_tasks_tell_running(stage, &slow, why, out);
        return;
    }
    double ratio = (double)s->max_task_ms / s->mean_task_ms;
    char took[SPAN_TEXT_SIZE], tasks[SPAN_TEXT_SIZE];
    span_format_ms((double)s->max_task_ms, took);
    span_format_count((double)s->tasks, tasks);
    if (slow.cause == CAUSE_DATA) {
        char big[SPAN_TEXT_SIZE], rest[SPAN_TEXT_SIZE];
        verdict_summary(
            out,
            "stage %d: the slowest of %s tasks took %s, %.1f times the mean; the slow ones read %s "
            "each, the others %s",
            (int)s->stage, tasks, took, ratio, span_format_bytes(slow.slow_bytes, big),
            span_format_bytes(slow.rest_bytes, rest));
        return;
    }
    verdict_summary(out,
                    "stage %d: the slowest of %s tasks took %s, %.1f times the mean, but not "
                    "because of its data%s",
                    (int)s->stage, tasks, took, ratio,
                    slow.cause == CAUSE_COLD_START
                        ? ": it was the first on its executor, which was warming up"
                        : "");
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Spread the hot keys: salt them (append a small random number to the key, aggregate "
     "twice), or use a custom partitioner; if one side of a join is small, broadcast it so "
     "that nothing is shuffled by key. On Spark 3 and later let adaptive execution split "
     "skewed join partitions."},
};

const struct detector detector_data_skew = {
    .kind = KIND_DATA_SKEW,
    .subject = SUBJECT_STAGE,
    .needs_detail = true,
    .completeness = 0.5,
    .help = "one task has far more data than the others and holds the stage up",
    .rule = "max task duration x tasks > 3 x sum of durations, over the stage's successful "
            "tasks",
    .unknown_when = "no task succeeded",
    .never_text = "no task of the run succeeded",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineDataSkew",
    .alert_summary = "Pipeline slowed by skewed data",
    .judge = judge,
};
