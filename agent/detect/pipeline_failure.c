// pipeline_failure: the run failed, or was stopped from outside before its work was done. Called
// through the detector table. Which of them it was is state's to say (state/outcome.h).
#include "detect/detector.h"

static void say_killed(const struct app *app, struct verdict *out) {
    unsigned jobs = app_jobs_undone(app);
    out->floor = SEVERITY_SEVERE;
    if (jobs > 0) {
        verdict_summary(out, "the run was stopped from outside before its work was done: %u job%s",
                        jobs, jobs == 1 ? " was cut off" : "s were cut off");
    } else {
        verdict_summary(out, "the run was stopped from outside before its work was done");
    }
}

static void say_failed(const struct app *app, struct verdict *out) {
    out->floor = SEVERITY_CRITICAL;
    if (app->failure[0] != '\0') {
        verdict_summary(out, "the run failed: %s", app->failure);
    } else if (app->has_exit_code && app->exit_code != 0) {
        verdict_summary(out, "the run failed with exit code %lld", (long long)app->exit_code);
    } else {
        verdict_summary(out, "the run failed");
    }
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct app *app = view->app;
    enum run_status status = app_status(app, view->over);
    // A server is stopped while somebody uses it, and nothing of it is lost.
    bool killed = status == RUN_KILLED && app_run_kind(app) != RUN_KIND_SERVER_OR_SHELL;
    out->rule_met = status == RUN_FAILED || killed ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    out->saving_s = app_duration_s(app);
    verdict_evidence(out, "exit_code", app->has_exit_code ? (double)app->exit_code : -1);
    verdict_evidence(out, "jobs_failed", (double)app->totals.jobs_failed);
    verdict_evidence(out, "jobs_cut_off", (double)app_jobs_undone(app));
    verdict_evidence(out, "sql_error", app->sql_error ? 1 : 0);
    verdict_evidence(out, "duration_s", app_duration_s(app));
    if (status == RUN_FAILED && app->drivers_oom) {
        out->cause = CAUSE_OOM;
        verdict_evidence(out, "driver_out_of_memory", 1);
    }
    if (killed) {
        verdict_evidence(out, "killed", 1);
        say_killed(app, out);
    } else {
        say_failed(app, out);
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

static const struct fine_remedy fine_remedies[] = {
    {CAUSE_NONE, "killed",
     "The run was stopped from outside: look for who did it (a time limit, a preemption, a cluster "
     "that was taken down, somebody's kill), and run it again: what it had not done is not done."},
    {.evidence = NULL},
};

const struct detector detector_pipeline_failure = {
    .kind = KIND_PIPELINE_FAILURE,
    .subject = SUBJECT_RUN,
    .live = true,
    .certain = true,
    .help = "the run failed, or was stopped from outside before its work was done",
    .rule = "the outcome is `failed`, or `killed` in a run that is no server, shell or notebook",
    .unknown_when = "never",
    .remedies = remedies,
    .fine_remedies = fine_remedies,
    .alert_name = "PipelineFailure",
    .alert_summary = "Pipeline execution failed",
    .alert_critical = true,
    .judge = judge,
};
