// slow_run: a run takes longer than an hour. Called through the detector table, also while it runs.
// How bad that is tells the time it was busy, if it is a batch run.
#include <math.h>

#include "base/span.h"
#include "detect/detector.h"

static const struct detector_threshold thresholds[] = {
    {"max_s", "seconds a run may take", 3600, 1, 1e9,
     "base rule; Dr. Elephant: a stage of 60 minutes is critical"},
};

// Less than so much of its time, and how long it was busy is worth telling.
#define MOSTLY 0.9

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct app *app = view->app;
    if (app_start_ms(app) == 0) {
        out->reason = "no event of the run carries a time";
        return;
    }
    double duration_s = app_duration_s(app), limit_s = view->thresholds[0];
    out->rule_met = duration_s > limit_s ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    // What it idled is another finding, or none: a stream, a server or a notebook waits rightly.
    struct app_times times;
    app_times(app, &times);
    double busy_s = (double)times.busy_ms / 1000;
    out->saving_s = fmax(0, busy_s - limit_s);
    out->cap = app_run_kind(app) == RUN_KIND_BATCH ? SEVERITY_CRITICAL : SEVERITY_LOW;
    verdict_evidence(out, "duration_s", duration_s);
    verdict_evidence(out, "busy_s", busy_s);
    verdict_evidence(out, "limit_s", limit_s);
    char took[SPAN_TEXT_SIZE], limit[SPAN_TEXT_SIZE], busy[SPAN_TEXT_SIZE];
    bool idled = busy_s < MOSTLY * duration_s;
    verdict_summary(out, "the run %s %s, more than %s%s%s", view->over ? "took" : "has taken",
                    span_format_seconds(duration_s, took), span_format_seconds(limit_s, limit),
                    idled ? "; it was busy for " : "",
                    idled ? span_format_seconds(busy_s, busy) : "");
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Runs of more than an hour are best cut into smaller incremental updates: process what is "
     "new since the last run instead of everything."},
};

const struct detector detector_slow_run = {
    .kind = KIND_SLOW_RUN,
    .subject = SUBJECT_RUN,
    .live = true,
    .certain = true,
    .help = "a run takes longer than an hour",
    .rule = "duration > 3600 s",
    .unknown_when = "no event has a time",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineSlowRun",
    .alert_summary = "Pipeline run takes too long",
    .judge = judge,
};
