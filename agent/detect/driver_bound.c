// driver_bound: most of a batch run's time no task ran and no stage waited for a slot: everything
// waited for the driver. Called through the detector table, also while it runs. Many short waits
// count as one long one. Must not blame the driver for starting up or for executors that do not
// come, nor speak of a run that waits for its users or its data.
#include <math.h>
#include <stdio.h>

#include "base/span.h"
#include "detect/detector.h"

enum { SHARE, LEAST_S };
static const struct detector_threshold thresholds[] = {
    [SHARE] =
        {"share", "share of the run in which only the driver worked, above which it is bound", 0.5,
         0.05, 1,
         "most of the run; healthy logs of the corpus, without starting up, have at most 0.24"},
    [LEAST_S] = {"least_s", "seconds of it that are worth a word", 20, 0, 1e9,
                 "chosen: planning with a cold JVM takes up to 3 s in healthy logs of the corpus"},
};

// Of the jobs, and of the events that are not task ends of finished stages; with fewer a gap may be
// a stage that is not known.
#define SEEN_ENOUGH 0.9
// What the driver does has to be done somewhere: less than some minutes of it are not severe.
#define MINUTES_S 300

// Of the jobs between the first and the last that are known. Spark counts them one by one; what its
// own queue drops on the way to an event log nobody tells otherwise.
static double jobs_seen(const struct app *app) {
    const struct rangeset *ids = &app->started_jobs;
    if (ids->len == 0) {
        return 1;
    }
    double there_were = (double)ids->ranges[ids->len - 1].last - (double)ids->ranges[0].first + 1;
    return (double)app->totals.jobs / there_were;
}

static void tell(const struct detector_view *view, const struct app_times *times,
                 struct verdict *out) {
    double run_s = (double)times->run_ms / 1000, driver_s = (double)times->driver_ms / 1000;
    double in_jobs_s = (double)times->driver_in_jobs_ms / 1000;
    verdict_evidence(out, "duration_s", run_s);
    verdict_evidence(out, "driver_s", driver_s);
    verdict_evidence(out, "driver_share", driver_s / run_s);
    verdict_evidence(out, "driver_in_jobs_s", in_jobs_s);
    verdict_evidence(out, "driver_between_jobs_s", driver_s - in_jobs_s);
    verdict_evidence(out, "busy_s", (double)times->busy_ms / 1000);
    verdict_evidence(out, "start_up_s", (double)times->start_up_ms / 1000);
    verdict_evidence(out, "jobs", (double)view->app->totals.jobs);
    char only[SPAN_TEXT_SIZE], run[SPAN_TEXT_SIZE], out_of[SPAN_TEXT_SIZE], in[SPAN_TEXT_SIZE];
    char where[2 * SPAN_TEXT_SIZE + 64] = "";
    if (100 * in_jobs_s >= driver_s) {
        snprintf(where, sizeof where, ", %s outside of jobs and %s inside",
                 span_format_seconds(driver_s - in_jobs_s, out_of),
                 span_format_seconds(in_jobs_s, in));
    }
    verdict_summary(out, "only the driver worked for %s of %s, while no task ran%s",
                    span_format_seconds(driver_s, only), span_format_seconds(run_s, run), where);
}

static void judge(const struct detector_view *view, struct verdict *out) {
    struct app_times times;
    app_times(view->app, &times);
    out->rule_met = TRI_FALSE;
    if (app_run_kind(view->app) != RUN_KIND_BATCH) {
        return;
    }
    double seen = fmin(app_seen_beside_tasks(view->app), jobs_seen(view->app));
    if (times.run_ms == 0 || seen < SEEN_ENOUGH) {
        out->rule_met = TRI_NULL;
        out->reason = times.run_ms == 0 ? "no stage or task of the run is known"
                                        : "too many events of the run are missing";
        return;
    }
    // While it goes on its length is not known: what has just begun may still have much to do.
    double run_s = fmax((double)times.run_ms / 1000, view->over ? 0 : MINUTES_S);
    double driver_s = (double)times.driver_ms / 1000;
    if (driver_s <= view->thresholds[SHARE] * run_s || driver_s < view->thresholds[LEAST_S]) {
        return;
    }
    out->rule_met = TRI_TRUE;
    out->saving_s = driver_s;
    out->cap = driver_s < MINUTES_S ? SEVERITY_MODERATE : SEVERITY_SEVERE;
    tell(view, &times, out);
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "The executors wait for the driver. Outside of jobs it runs the program's own code: do not "
     "collect() or toPandas() what can stay distributed (write it, aggregate first, pandas API on "
     "Spark), make one job of a loop of small ones or start them from several threads, and let "
     "Spark list many files or partitions (a table with a catalogue, fewer and larger files). "
     "Inside of jobs it plans, broadcasts and commits: cut very long plans with a checkpoint or a "
     "table in between, broadcast less, and use a committer that does not rename. What must stay "
     "on one machine is cheaper in a job of its own, without executors."},
};

const struct detector detector_driver_bound = {
    .kind = KIND_DRIVER_BOUND,
    .subject = SUBJECT_RUN,
    .live = true,
    .help = "most of a batch run's time only the driver works",
    .rule =
        "time in which no task ran and no submitted stage waited, without starting up (30 s, or "
        "until the first executor) > 0.5 x duration, 20 s and more; not of streams, servers, "
        "shells and "
        "notebooks",
    .unknown_when =
        "no stage or task was seen, or more than a tenth of the events or jobs is missing",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineDriverBound",
    .alert_summary = "Pipeline waits for its driver",
    .judge = judge,
};
