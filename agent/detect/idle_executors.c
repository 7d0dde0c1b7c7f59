// idle_executors: cores were held for the run and not used. Called through the detector table, only
// when the run is over. It costs money, not time: nothing is saved of the run's length, so severity
// follows from core hours, and never from seconds.
#include "base/span.h"
#include "detect/detector.h"

enum { SHARE, LEAST_CORE_HOURS, LOUD_SHARE, LOUD_CORE_HOURS };
static const struct detector_threshold thresholds[] = {
    [SHARE] = {"share", "share of the executors' core time without a task above which they idle",
               0.5, 0.01, 1, "DataFlint warns above 50 % idle cores; others from 40 to 60 %"},
    [LEAST_CORE_HOURS] = {"least_core_hours", "idle core hours that are worth a word", 1, 0, 1e9,
                          "chosen: some cents"},
    [LOUD_SHARE] = {"loud_share", "idle share above which it may be moderate", 0.8, 0.01, 1,
                    "chosen: four cores of five"},
    [LOUD_CORE_HOURS] = {"loud_core_hours", "idle core hours from which it may be moderate", 10, 0,
                         1e9, "chosen: what a person's attention costs"},
};

#define MS_PER_HOUR 3600000.0

// A stream, a server or a notebook waits rightly, and its cores with it.
static enum severity weigh(const struct detector_view *view, double share, double idle_h) {
    const double *t = view->thresholds;
    bool loud = share > t[LOUD_SHARE] && idle_h >= t[LOUD_CORE_HOURS] &&
                app_run_kind(view->app) == RUN_KIND_BATCH;
    return loud ? SEVERITY_MODERATE : SEVERITY_LOW;
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct app *app = view->app;
    const struct executors *executors = &app->executors;
    int64_t held_ms = executors_cores_ms(executors, app_end_ms(app));
    out->rule_met = TRI_FALSE;
    if (executors->cores_from_ms == 0) {
        return; // none are known, or the driver is the executor
    }
    if (held_ms < 0) {
        out->rule_met = TRI_NULL;
        out->reason = "executors of the run were let go for want of memory";
        return;
    }
    double used_ms = ((double)app->totals.task_ms + (double)app->totals.wasted_ms) *
                     (double)slots_task_cpus(&executors->slots, PROFILE_DEFAULT);
    double held_h = (double)held_ms / MS_PER_HOUR, used_h = used_ms / MS_PER_HOUR;
    if ((double)held_ms - used_ms <= view->thresholds[SHARE] * (double)held_ms ||
        held_h - used_h < view->thresholds[LEAST_CORE_HOURS]) {
        return;
    }
    double share = 1 - used_h / held_h;
    out->rule_met = TRI_TRUE;
    out->floor = out->cap = weigh(view, share, held_h - used_h);
    verdict_evidence(out, "core_hours_held", held_h);
    verdict_evidence(out, "core_hours_used", used_h);
    verdict_evidence(out, "idle_share", share);
    verdict_evidence(out, "executors_added", (double)executors->added);
    verdict_evidence(out, "task_cpus", (double)slots_task_cpus(&executors->slots, PROFILE_DEFAULT));
    verdict_summary(out, "of %.1f core hours held by executors, %.0f %% had no task to run", held_h,
                    100 * share);
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Hold fewer cores: turn dynamic allocation on (spark.dynamicAllocation.enabled with shuffle "
     "tracking or a shuffle service) so that idle executors go, lower its executorAllocationRatio "
     "or maxExecutors, or ask for fewer or smaller executors. The run takes as long as before and "
     "costs less."},
};

const struct detector detector_idle_executors = {
    .kind = KIND_IDLE_EXECUTORS,
    .subject = SUBJECT_RUN,
    .help = "cores are held for a run and not used",
    .rule = "core time of the executors without a task > 0.5 x core time of the executors, and at "
            "least one core hour; not in local mode",
    .unknown_when = "executors were let go for want of memory",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineIdleExecutors",
    .alert_summary = "Pipeline holds cores it does not use",
    .judge = judge,
};
