// pipeline_failure: the run failed. Called through the detector table.
#include "detect/detector.h"

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct app *app = view->app;
    enum run_status status = app_status(app, view->over);
    out->rule_met = status == RUN_FAILED ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    out->floor = SEVERITY_CRITICAL;
    out->saving_s = app_duration_s(app);
    verdict_evidence(out, "exit_code", app->has_exit_code ? (double)app->exit_code : -1);
    verdict_evidence(out, "jobs_failed", (double)app->totals.jobs_failed);
    verdict_evidence(out, "sql_error", app->sql_error ? 1 : 0);
    verdict_evidence(out, "duration_s", app_duration_s(app));
    if (app->drivers_oom) {
        out->cause = CAUSE_OOM;
        verdict_evidence(out, "driver_out_of_memory", 1);
    }
    if (app->failure[0] != '\0') {
        verdict_summary(out, "the run failed: %s", app->failure);
    } else {
        verdict_summary(out, "the run failed with exit code %lld", (long long)app->exit_code);
    }
}

static const struct remedy remedies[] = {
    {CAUSE_OOM,
     "The driver ran out of memory: raise spark.driver.memory, do not broadcast what is large "
     "(spark.sql.autoBroadcastJoinThreshold, broadcast hints), and collect less to the driver."},
    {CAUSE_NONE,
     "Mend the cause below and run again; if a retry alone helps, look for what differs between "
     "the attempts (memory, hosts, input)."},
};

const struct detector detector_pipeline_failure = {
    .kind = KIND_PIPELINE_FAILURE,
    .subject = SUBJECT_RUN,
    .live = true,
    .certain = true,
    .help = "the run failed",
    .rule = "the outcome is `failed`",
    .unknown_when = "never",
    .remedies = remedies,
    .alert_name = "PipelineFailure",
    .alert_summary = "Pipeline execution failed",
    .alert_critical = true,
    .judge = judge,
};
