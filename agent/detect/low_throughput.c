// low_throughput: a run handles few records a second for its length. Called through the detector
// table, only when the run is over: at the start every run is slow.
#include <math.h>

#include "base/span.h"
#include "detect/detector.h"

enum { RECORDS_PER_S, QUIET_BELOW_S };
static const struct detector_threshold thresholds[] = {
    [RECORDS_PER_S] = {"records_per_s", "records a second a run should reach", 1000, 0.001, 1e12,
                       "base rule; no peer judges throughput"},
    [QUIET_BELOW_S] = {"quiet_below_s",
                       "runs busy for less than this are never more than negligible", 600, 0, 1e9,
                       "chosen: starting and stopping Spark dominates what is shorter"},
};

static void judge(const struct detector_view *view, struct verdict *out) {
    struct run_totals totals;
    app_totals(view->app, &totals);
    double duration_s = app_duration_s(view->app);
    if (totals.records_from == RECORDS_UNKNOWN) {
        out->reason = "no count of records is known";
        return;
    }
    if (duration_s <= 0) {
        out->reason = "the run has no duration";
        return;
    }
    double rate = (double)totals.records / duration_s, wanted = view->thresholds[RECORDS_PER_S];
    out->rule_met = rate < wanted ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    struct app_times times;
    app_times(view->app, &times);
    double busy_s = (double)times.busy_ms / 1000;
    out->saving_s = fmax(0, busy_s - (double)totals.records / wanted);
    // A slow rate alone says little: small inputs are normal, so it never wakes anyone up; and what
    // waits for its users or its data has no rate of its own.
    out->cap = busy_s < view->thresholds[QUIET_BELOW_S]    ? SEVERITY_NEGLIGIBLE
               : app_run_kind(view->app) == RUN_KIND_BATCH ? SEVERITY_MODERATE
                                                           : SEVERITY_LOW;
    if (totals.records_from != RECORDS_INPUT && totals.records_from != RECORDS_SCAN) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "what the run read was not counted");
    }
    verdict_evidence(out, "records", (double)totals.records);
    verdict_evidence(out, "duration_s", duration_s);
    verdict_evidence(out, "busy_s", busy_s);
    verdict_evidence(out, "records_per_s", rate);
    char records[SPAN_TEXT_SIZE], took[SPAN_TEXT_SIZE], a_second[SPAN_TEXT_SIZE];
    verdict_summary(out, "%s records (%s) in %s: %s a second",
                    span_format_count((double)totals.records, records),
                    records_from_name(totals.records_from), span_format_seconds(duration_s, took),
                    span_format_count(rate, a_second));
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "For so few records a second re-evaluate the architecture: is the work bound to an outside "
     "service or to a single task, and does it need a cluster at all?"},
};

const struct detector detector_low_throughput = {
    .kind = KIND_LOW_THROUGHPUT,
    .subject = SUBJECT_RUN,
    .help = "a run handles fewer than 1000 records a second",
    .rule = "records / duration < 1000 per second",
    .unknown_when = "records unknown",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineLowThroughput",
    .alert_summary = "Pipeline handles few records a second",
    .judge = judge,
};
