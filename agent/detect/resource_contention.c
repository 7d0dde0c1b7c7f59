// resource_contention: a stage waits for task slots instead of running. Called through the detector
// table. Waiting while the run's own stages held the slots is not contention and costs nothing
// here. It also opens, with the rule not met, where slots outnumber the cores behind them.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

enum { USUAL_DELAY_MS = 25 };
// Below these nothing is told from class loading and a machine that is busy for a moment.
enum { LEAST_RUN_MS = 10000, LEAST_TASK_MS = 500 };

enum { OWN_TIMES = 5 }; // as long as what waited then took: less is the usual order of jobs

enum { RATIO, CPU, UNPACKING, OWN_WAIT };
static const struct detector_threshold thresholds[] = {
    [RATIO] = {"ratio", "share of waiting in waiting + running above which a stage is starved", 0.5,
               0.01, 0.99, "base rule; DataFlint warns at 50 % idle core time"},
    [CPU] = {"cpu",
             "share of CPU time in run time below which slots outnumber cores, if nothing "
             "else explains it",
             0.35, 0.01, 0.99,
             "measured: healthy JVM stages have 0.4 and more on machines whose cores are shared; "
             "spark-tui takes 0.3"},
    [UNPACKING] = {"unpacking", "the same share of the time to unpack tasks must be below this",
                   0.25, 0.01, 0.99, "measured: healthy stages have 0.3 to 0.6"},
    [OWN_WAIT] = {"own_wait_s", "seconds that a stage waits behind other jobs of its run at least",
                  10, 0, 1e9, "chosen: a short job that a user waits for; five times its length"},
};

// Tasks of a stage that should do nothing but compute, and hardly get onto a CPU: nothing that they
// report explains where the rest of their time went, and the time they took to unpack themselves,
// which is work of the CPU whatever a task does, went the same way.
static bool lacks_cpu(const struct detector_view *view) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    double run_ms = (double)s->run_ms, cpu_ms = (double)s->cpu_ns / 1e6;
    double explained_ms =
        (double)s->gc_ms + (double)stage->fetch_wait_ms + (double)stage->shuffle_write_ns / 1e6;
    return app_stage_only_computes(view->app, stage) && run_ms >= LEAST_RUN_MS &&
           s->tasks >= 2 * (int64_t)cost_slots(stage) && s->mean_task_ms >= LEAST_TASK_MS &&
           (double)s->max_task_ms <= 2 * s->mean_task_ms && explained_ms < 0.1 * run_ms &&
           cpu_ms < view->thresholds[CPU] * run_ms &&
           stage_unpacking_cpu_share(stage) < view->thresholds[UNPACKING]; // not of NAN
}

static void judge_cpu(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    double cpu_ms = (double)s->cpu_ns / 1e6, run_ms = (double)s->run_ms;
    double wall_ms = fmax(1, (double)stage->last_finish_ms - (double)stage->first_launch_ms);
    char run[SPAN_TEXT_SIZE], cpu[SPAN_TEXT_SIZE];
    out->opens = true;
    out->cause = CAUSE_OVERSUBSCRIBED;
    out->saving_s = cost_of_work(stage, (run_ms - cpu_ms - (double)s->gc_ms) / 1000);
    verdict_doubt(out, CONFIDENCE_MEDIUM, "no event tells how many cores a host has");
    verdict_evidence(out, "run_ms", run_ms);
    verdict_evidence(out, "cpu_ms", cpu_ms);
    verdict_evidence(out, "slots", cost_slots(stage));
    verdict_evidence(out, "cores_used", cpu_ms / wall_ms);
    verdict_evidence(out, "deserialize_ms", (double)stage->deserialize_ms);
    verdict_evidence(out, "deserialize_cpu_ms", (double)stage->deserialize_cpu_ns / 1e6);
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_summary(out,
                    "stage %d: its tasks were on a CPU for %s of their %s, and nothing else "
                    "explains the rest: %.0f slots share what %.1f cores can do",
                    (int)s->stage, span_format_ms(cpu_ms, cpu), span_format_ms(run_ms, run),
                    cost_slots(stage), cpu_ms / wall_ms);
}

static void judge_waiting(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct app *app = view->app;
    double wait_ms = (double)stage_wait_ms(stage), slots = cost_slots(stage);
    double delay_ms = (double)stage->delay_ms, run_ms = (double)stage->delay_run_ms;
    double own = stage->waited_for_own ? 0 : wait_ms;
    // Every task pays a few ms to be launched; that is the price of many tasks, not of contention.
    double usual_ms = USUAL_DELAY_MS * (double)stage->metric_tasks;
    out->saving_s = own / 1000 + cost_of_work(stage, (delay_ms - usual_ms) / 1000);
    bool waited_most = wait_ms * slots > delay_ms;
    out->cause = stage->waited_for_own && waited_most ? CAUSE_OWN_JOBS : CAUSE_NONE;
    verdict_evidence(out, "wait_ms", wait_ms);
    verdict_evidence(out, "scheduler_delay_ms", delay_ms);
    verdict_evidence(out, "slots", slots);
    verdict_evidence(out, "waiting_ms", delay_ms + wait_ms * slots);
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

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    if (stage->metric_tasks == 0) {
        out->reason = "no successful task of the stage reported metrics";
        return;
    }
    double waiting_ms = (double)stage->delay_ms + (double)stage_wait_ms(stage) * cost_slots(stage);
    double run_ms = (double)stage->delay_run_ms;
    out->rule_met =
        waiting_ms > view->thresholds[RATIO] * (waiting_ms + run_ms) ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_TRUE) {
        judge_waiting(view, out);
    } else if (lacks_cpu(view)) {
        judge_cpu(view, out);
    }
}

// One finding of the run, however many stages waited: nothing ends sooner for the run as a whole,
// but what is short need not wait for what is long.
static void judge_run(const struct detector_view *view, struct verdict *out) {
    const struct own_waits *waits = &view->app->own_waits;
    double wait_ms = (double)waits->longest_ms, took_ms = (double)waits->longest_took_ms;
    if (wait_ms < 1000 * view->thresholds[OWN_WAIT] || wait_ms < OWN_TIMES * took_ms ||
        waits->stages == 0) {
        return;
    }
    out->opens = true;
    out->cause = CAUSE_OWN_JOBS;
    out->saving_s = wait_ms / 1000;
    bool stream = app_run_kind(view->app) == RUN_KIND_STREAM;
    out->cap = stream ? SEVERITY_LOW : SEVERITY_MODERATE;
    if (app_run_kind(view->app) == RUN_KIND_BATCH) {
        verdict_doubt(out, CONFIDENCE_LOW, "the run as a whole may take as long");
    }
    verdict_evidence(out, "longest_wait_ms", wait_ms);
    verdict_evidence(out, "longest_took_ms", took_ms);
    verdict_evidence(out, "longest_stage", (double)waits->longest_stage);
    verdict_evidence(out, "stages", (double)waits->stages);
    char wait[SPAN_TEXT_SIZE], took[SPAN_TEXT_SIZE];
    verdict_summary(out,
                    "stage %d waited %s for slots that older jobs of the run held, and then took "
                    "%s; %lld stage%s waited so in one FIFO pool",
                    (int)waits->longest_stage, span_format_ms(wait_ms, wait),
                    span_format_ms(took_ms, took), (long long)waits->stages,
                    waits->stages == 1 ? "" : "s");
}

static const struct remedy remedies[] = {
    {CAUSE_OVERSUBSCRIBED,
     "More tasks run at once than there are cores for: give executors as many cores as they really "
     "have (spark.executor.cores, the master's local[N], the cores that a worker or a pod says it "
     "has), or look for what else runs on these hosts."},
    {CAUSE_OWN_JOBS,
     "The run's own jobs held the slots: in one FIFO pool a short job waits for all before it. Put "
     "jobs that should not wait into a pool of their own (spark.scheduler.mode=FAIR and "
     "spark.scheduler.pool), or start them first."},
    {CAUSE_NONE,
     "The stage waited for task slots: give the run its own queue or a guaranteed share, start "
     "it when the cluster is less busy, raise the minimum of executors, or ask for fewer."},
};

const struct detector detector_resource_contention = {
    .kind = KIND_RESOURCE_CONTENTION,
    .subject = SUBJECT_STAGE,
    .completeness = 0.25,
    .help = "a stage waits for task slots longer than it runs, or its slots for a CPU",
    .rule =
        "waiting > 0.5 x (waiting + run); waiting = scheduler delay + (first launch - "
        "submission) x slots the stage could use. It also opens where tasks that only compute are "
        "on a CPU for less than 35 % of their run time; and on the run where a stage waited 10 s "
        "and "
        "five times its length behind older jobs of the run, in one FIFO pool",
    .unknown_when = "no successful task with metrics",
    .never_text = "no successful task of the run reported metrics",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineResourceContention",
    .alert_summary = "Pipeline waits for resources",
    .judge = judge,
    .judge_run = judge_run,
};
