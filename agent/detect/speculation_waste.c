// speculation_waste: speculative copies lost to the tasks they copied, and took slots that others
// needed. Called through the detector table. Slots that would have been idle cost nothing: then it
// stays negligible. An original that lost to its copy is no waste but a straggler.
#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

static const struct detector_threshold thresholds[] = {
    {"ratio",
     "time of copies that lost over the time of the tasks that succeeded, above which it counts",
     0.05, 0.001, 100, "chosen: copies of one task in twenty are what spark.speculation is for"},
};

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    if (s->tasks == 0) {
        out->reason = "no task of the stage succeeded";
        return;
    }
    double lost_ms = (double)stage->copies_lost_ms;
    out->rule_met = lost_ms > view->thresholds[0] * (double)stage->task_ms ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    double slots = cost_slots(stage);
    double in_the_way_ms = (double)stage->copies_in_the_way_ms;
    out->saving_s = in_the_way_ms / 1000 / slots;
    if (in_the_way_ms <= 0) {
        out->cap = SEVERITY_NEGLIGIBLE;
    }
    verdict_evidence(out, "copies_lost", (double)stage->copies_lost);
    verdict_evidence(out, "copies_lost_ms", lost_ms);
    verdict_evidence(out, "copies_in_the_way_ms", in_the_way_ms);
    verdict_evidence(out, "task_ms", (double)stage->task_ms);
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "slots", slots);
    char lost[SPAN_TEXT_SIZE], waited[SPAN_TEXT_SIZE];
    verdict_summary(out,
                    "stage %d: %lld speculative cop%s lost to the task copied, after %s of work, "
                    "%s of it while tasks of other stages waited for a slot",
                    (int)s->stage, (long long)stage->copies_lost,
                    stage->copies_lost == 1 ? "y" : "ies", span_format_ms(lost_ms, lost),
                    in_the_way_ms > 0 ? span_format_ms(in_the_way_ms, waited) : "none");
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Let fewer tasks be copied: a higher spark.speculation.multiplier and "
     "spark.speculation.quantile, and spark.speculation.minTaskRuntime above what a usual task "
     "takes; where records or keys make tasks slow, a copy of one is as slow as the original."},
};

const struct detector detector_speculation_waste = {
    .kind = KIND_SPECULATION_WASTE,
    .subject = SUBJECT_STAGE,
    .certain = true,
    .help = "speculative copies lose and take slots that others need",
    .rule =
        "time of speculative copies that lost > 0.05 x sum of durations of the successful tasks",
    .unknown_when = "no task succeeded",
    .never_text = "no task of the run succeeded",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineSpeculationWaste",
    .alert_summary = "Pipeline wastes slots on speculative copies",
    .judge = judge,
};
