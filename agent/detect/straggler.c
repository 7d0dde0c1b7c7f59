// straggler: task times are as uneven as in data_skew, but the data is even: a slow host, costly
// records, waiting. Called through the detector table.
#include "slow_tasks.h"

#include <stdio.h>

static const struct detector_threshold thresholds[] = {
    {"ratio", "slowest task over mean task above which a stage counts as uneven", 3, 1.1, 1000,
     "as `data_skew`: one rule, two causes"},
};

enum { HOST_SHOWN_MAX = 64 }; // bytes of its name

static void name_the_host(const struct detector_view *view, const struct slow_tasks *slow,
                          char *text, size_t size) {
    struct str host = str_of(executors_host_name(&view->app->executors, slow->host));
    host.len = str_cut_utf8(host, HOST_SHOWN_MAX);
    char count[32];
    if (slow->on_host == slow->count) {
        snprintf(count, sizeof count, "all %u", slow->count);
    } else {
        snprintf(count, sizeof count, "%u of %u", slow->on_host, slow->count);
    }
    snprintf(
        text, size,
        "%s slow tasks ran on one host%s%.*s, where tasks take %.1f s against %.1f s elsewhere",
        count, host.len > 0 ? ", " : "", (int)host.len, host.p, slow->host_ms / 1000,
        slow->other_hosts_ms / 1000);
}

static void summarise(const struct detector_view *view, const struct slow_tasks *slow,
                      struct verdict *out) {
    const struct stage_summary *s = &view->stage->summary;
    const char *why = slow->cold ? "it was the first on its executor, which was warming up" : "";
    char text[256] = "";
    switch (slow->cause) {
    case CAUSE_SLOW_HOST:
        name_the_host(view, slow, text, sizeof text);
        break;
    case CAUSE_COSTLY_RECORDS:
        snprintf(text, sizeof text,
                 "with the same amount of data as the others its records cost "
                 "more work (%.1f s a task against %.1f s)",
                 slow->slow_ms / 1000, slow->rest_ms / 1000);
        break;
    case CAUSE_BLOCKED:
        snprintf(text, sizeof text,
                 "it waited: CPU %.0f %% of its run time, fetch wait %.1f s, GC %.1f s",
                 100 * slow->slow_cpu_share, slow->slow_fetch_ms / 1000, slow->slow_gc_ms / 1000);
        break;
    case CAUSE_SCHEDULING:
        snprintf(text, sizeof text, "%.1f s of its time were scheduler delay",
                 slow->slow_delay_ms / 1000);
        break;
    default:
        snprintf(text, sizeof text, "%s", why[0] != '\0' ? why : "the numbers do not tell why");
        break;
    }
    verdict_summary(out, "stage %d: the slowest of %lld tasks took %.1f s, %.1f times the mean: %s",
                    (int)s->stage, (long long)s->tasks, (double)s->max_task_ms / 1000,
                    (double)s->max_task_ms / s->mean_task_ms, text);
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    if (stage->summary.tasks == 0) {
        out->reason = "no task of the stage succeeded";
        return;
    }
    out->rule_met = TRI_FALSE;
    if (!slow_tasks_rule(stage, view->thresholds[0])) {
        return;
    }
    struct slow_tasks slow;
    slow_tasks_compare(stage, &slow);
    if (slow.cause == CAUSE_DATA) {
        return;
    }
    out->rule_met = TRI_TRUE;
    out->cause = slow.cause;
    out->saving_s = slow.saving_s;
    slow_tasks_evidence(stage, &slow, out);
    if (slow.cold && slow.cause == CAUSE_UNKNOWN) {
        out->cap = SEVERITY_NEGLIGIBLE; // class loading and JIT: every run pays it once
    }
    summarise(view, &slow, out);
}

static const struct remedy remedies[] = {
    {CAUSE_SLOW_HOST, "Look at the host before the job: disk, noisy neighbours, thermal or network "
                      "limits. Until it is mended exclude it, or turn on speculative execution."},
    {CAUSE_COSTLY_RECORDS,
     "The slow tasks have as much data as the others, so salting keys will not "
     "help: find the records that cost so much (a pattern, a large document, a "
     "deep nesting) and make their work cheaper, or split them into more tasks."},
    {CAUSE_BLOCKED,
     "The slow tasks wait rather than work: look for locks, calls to outside services, "
     "slow shuffle fetches or long garbage collections in them."},
    {CAUSE_SCHEDULING, "The slow tasks wait to be launched or to hand in their results: fewer and "
                       "larger tasks, smaller task results, a less busy driver."},
    {CAUSE_NONE,
     "Look at the slowest tasks in the Spark UI: the events do not tell what holds them."},
};

const struct detector detector_straggler = {
    .kind = KIND_STRAGGLER,
    .subject = SUBJECT_STAGE,
    .needs_detail = true,
    .completeness = 0.5,
    .help = "some tasks take far longer than the others although their data is even",
    .rule = "`data_skew` is met and the cause is not the data",
    .unknown_when = "as `data_skew`",
    .never_text = "no task of the run succeeded",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineStraggler",
    .alert_summary = "Pipeline slowed by straggling tasks",
    .judge = judge,
};
