// resource_contention: a stage waits for task slots instead of running. Called through the detector
// table. Waiting while the run's own stages held the slots is not contention and costs nothing
// here.
#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

enum { USUAL_DELAY_MS = 25 };

static const struct detector_threshold thresholds[] = {
    {"ratio", "share of waiting in waiting + running above which a stage is starved", 0.5, 0.01,
     0.99, "base rule; DataFlint warns at 50 % idle core time"},
};

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct app *app = view->app;
    if (stage->metric_tasks == 0) {
        out->reason = "no successful task of the stage reported metrics";
        return;
    }
    double wait_ms = (double)stage_wait_ms(stage);
    double slots = cost_slots(stage);
    double delay_ms = (double)stage->delay_ms, run_ms = (double)stage->delay_run_ms;
    double waiting_ms = delay_ms + wait_ms * slots;
    out->rule_met = waiting_ms > view->thresholds[0] * (waiting_ms + run_ms) ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    double own = stage->waited_for_own ? 0 : wait_ms;
    // Every task pays a few ms to be launched; that is the price of many tasks, not of contention.
    double usual_ms = USUAL_DELAY_MS * (double)stage->metric_tasks;
    out->saving_s = own / 1000 + cost_of_work(stage, (delay_ms - usual_ms) / 1000);
    verdict_evidence(out, "wait_ms", wait_ms);
    verdict_evidence(out, "scheduler_delay_ms", delay_ms);
    verdict_evidence(out, "slots", slots);
    verdict_evidence(out, "waiting_ms", waiting_ms);
    verdict_evidence(out, "run_ms", run_ms);
    verdict_evidence(out, "waited_for_own_stages", stage->waited_for_own ? 1 : 0);
    verdict_evidence(out, "executors_added", (double)app->executors.added);
    verdict_evidence(out, "executors_lost_to_infrastructure",
                     (double)(app->executors.lost_infra + app->executors.lost_unknown));
    int64_t excluded = app->exclusions > app->blacklistings ? app->exclusions : app->blacklistings;
    verdict_evidence(out, "executors_excluded", (double)excluded);
    char wait[SPAN_TEXT_SIZE], delay[SPAN_TEXT_SIZE], run[SPAN_TEXT_SIZE];
    verdict_summary(out,
                    "stage %d waited %s for its first task slot%s and its tasks %s to be launched "
                    "and told of, against %s of running",
                    (int)stage->summary.stage, span_format_ms(wait_ms, wait),
                    stage->waited_for_own ? " (held by the run's own stages)" : "",
                    span_format_ms(delay_ms, delay), span_format_ms(run_ms, run));
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "The stage waited for task slots: give the run its own queue or a guaranteed share, start "
     "it when the cluster is less busy, raise the minimum of executors, or ask for fewer."},
};

const struct detector detector_resource_contention = {
    .kind = KIND_RESOURCE_CONTENTION,
    .subject = SUBJECT_STAGE,
    .completeness = 0.25,
    .help = "a stage waits for task slots longer than it runs",
    .rule = "waiting > 0.5 x (waiting + run); waiting = scheduler delay + (first launch - "
            "submission) x slots the stage could use",
    .unknown_when = "no successful task with metrics",
    .never_text = "no successful task of the run reported metrics",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineResourceContention",
    .alert_summary = "Pipeline waits for resources",
    .judge = judge,
};
