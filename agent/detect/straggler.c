// straggler: task times are as uneven as in data_skew, but the data is even: a slow host, costly
// records, waiting, data on another node. Called through the detector table.
#include "detect/cost.h"
#include "slow_tasks.h"

#include <stdio.h>

#include "base/span.h"

static const struct detector_threshold thresholds[] = {
    {"ratio", "slowest task over mean task above which a stage counts as uneven", 3, 1.1, 1000,
     "as `data_skew`: one rule, two causes"},
};

enum { HOST_SHOWN_MAX = 64, NAMES_SIZE = 64 }; // bytes of a host's name, of three tasks

static void name_the_host(const struct detector_view *view, const struct slow_tasks *slow,
                          char *text, size_t size) {
    struct str host = str_of(executors_host_name(&view->app->executors, slow->host));
    host.len = str_cut_utf8(host, HOST_SHOWN_MAX);
    char count[48], again[48] = "";
    if (slow->count == 1) {
        snprintf(count, sizeof count, "the slow task");
    } else if (slow->on_host == slow->count) {
        snprintf(count, sizeof count, "all %u slow tasks", slow->count);
    } else {
        snprintf(count, sizeof count, "%u of %u slow tasks", slow->on_host, slow->count);
    }
    if (slow->host_again) {
        snprintf(again, sizeof again, "; %d stages of the run found it slow",
                 (int)slow->slow_host_stages);
    }
    char there[SPAN_TEXT_SIZE], elsewhere[SPAN_TEXT_SIZE];
    snprintf(text, size, "%s ran on one host%s%.*s, where tasks take %s against %s elsewhere%s",
             count, host.len > 0 ? ", " : "", (int)host.len, host.p,
             span_format_ms(slow->host_ms, there), span_format_ms(slow->other_hosts_ms, elsewhere),
             again);
}

static const char *why_of(const struct detector_view *view, const struct slow_tasks *slow,
                          char *text, size_t size) {
    char one[SPAN_TEXT_SIZE], other[SPAN_TEXT_SIZE];
    switch (slow->cause) {
    case CAUSE_SLOW_HOST:
        name_the_host(view, slow, text, size);
        return text;
    case CAUSE_COSTLY_RECORDS:
        snprintf(text, size,
                 "with the same amount of data as the others its records cost more work (%s a task "
                 "against %s)",
                 span_format_ms(slow->slow_ms, one), span_format_ms(slow->rest_ms, other));
        return text;
    case CAUSE_BLOCKED:
        snprintf(text, size, "it waited: CPU %.0f %% of its run time, fetch wait %s, GC %s",
                 100 * slow->slow_cpu_share, span_format_ms(slow->slow_fetch_ms, one),
                 span_format_ms(slow->slow_gc_ms, other));
        return text;
    case CAUSE_SCHEDULING:
        snprintf(text, size, "%s of its time were scheduler delay",
                 span_format_ms(slow->slow_delay_ms, one));
        return text;
    case CAUSE_GC:
        snprintf(text, size, "%s of its time were garbage collection on its executor",
                 span_format_ms(slow->slow_gc_ms, one));
        return text;
    case CAUSE_FETCH_WAIT:
        snprintf(text, size, "it waited %s for shuffled data",
                 span_format_ms(slow->slow_fetch_ms, one));
        return text;
    case CAUSE_LOCALITY:
        snprintf(text, size,
                 "it read its data from another node, which most others had on their own, and "
                 "waited: CPU %.0f %% of its run time",
                 100 * slow->slow_cpu_share);
        return text;
    case CAUSE_COLD_START:
        return "it was the first on its executor, which was warming up";
    default:
        return slow->has_cpu ? "the numbers do not tell why"
                             : "its tasks report no CPU time, which would tell work from waiting";
    }
}

// "task 17", "tasks 17, 4 and 9": the slowest, at most three.
static const char *names_of(const struct stage *stage, const struct slow_tasks *slow,
                            char out[NAMES_SIZE]) {
    enum { NAMED_MAX = 3 };
    const struct stage_detail *detail = stage->detail;
    unsigned listed = detail == NULL ? 0 : detail->slow_count, named = slow->count;
    named = named > NAMED_MAX ? NAMED_MAX : named;
    named = named > listed ? listed : named;
    size_t len = (size_t)snprintf(out, NAMES_SIZE, "task%s", named == 1 ? "" : "s");
    for (unsigned i = 0; i < named; i++) {
        const char *before = i == 0 ? " " : i + 1 == named ? " and " : ", ";
        len += (size_t)snprintf(out + len, NAMES_SIZE - len, "%s%d", before,
                                (int)detail->slow[i].index);
    }
    return out;
}

static void summarise(const struct detector_view *view, const struct slow_tasks *slow,
                      struct verdict *out) {
    const struct stage_summary *s = &view->stage->summary;
    char text[256], tasks[SPAN_TEXT_SIZE], names[NAMES_SIZE], took[SPAN_TEXT_SIZE];
    verdict_summary(out,
                    "stage %d: the slowest of %s tasks took %s, %.1f times the mean%s (%s): %s",
                    (int)s->stage, span_format_count((double)s->tasks, tasks),
                    span_format_ms(slow->longest_ms, took),
                    s->mean_task_ms > 0 ? slow->longest_ms / s->mean_task_ms : 0,
                    slow->lost > 0 ? ", until a copy of it was done" : "",
                    names_of(view->stage, slow, names), why_of(view, slow, text, sizeof text));
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    if (stage->summary.tasks == 0) {
        out->reason = "no task of the stage succeeded";
        return;
    }
    out->rule_met = TRI_FALSE;
    if (!slow_tasks_rule(stage, view->thresholds[0], true) &&
        !slow_tasks_hang(stage, view->thresholds[0], view->app->now_ms)) {
        return;
    }
    struct slow_tasks slow;
    slow_tasks_compare(view->app, stage, &slow);
    if (slow.cause == CAUSE_DATA) {
        return;
    }
    out->rule_met = TRI_TRUE;
    out->cause = slow.cause;
    out->saving_s = cost_of_tail(view->app, stage, slow.saving_s);
    slow_tasks_evidence(stage, &slow, out);
    // Class loading and JIT: every run pays it once. What may be the data is told as that.
    if (slow.cause == CAUSE_COLD_START || slow_tasks_are_of_data(stage, &slow)) {
        out->cap = SEVERITY_NEGLIGIBLE;
    }
    char why[256];
    if (slow.running == 0) {
        summarise(view, &slow, out);
    } else if (slow.cause == CAUSE_UNKNOWN) {
        slow_tasks_tell_running(stage, &slow, "what holds it is told when it ends", out);
    } else {
        slow_tasks_tell_running(stage, &slow, why_of(view, &slow, why, sizeof why), out);
    }
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
    {CAUSE_GC, "Their executor collects garbage: more executor memory or fewer cores on it, leaner "
               "structures, fewer cached objects."},
    {CAUSE_FETCH_WAIT,
     "They wait for shuffled data: look at the hosts they read from (disk, network, an executor "
     "that collects garbage), at fetch retries and at an external shuffle service."},
    {CAUSE_LOCALITY,
     "The slow tasks read from another node what the others had on their own: run executors on the "
     "nodes that hold the data, with as many slots on each as its part of the data needs; let "
     "Spark "
     "wait longer for a slot near them (spark.locality.wait) if they take longer than that; keep "
     "more replicas of what many read, or data that is cached in more than one place. An object "
     "store has no such nodes: there nothing is near."},
    {CAUSE_COLD_START, "The first tasks of an executor load classes and warm up: keep executors "
                       "(dynamic allocation's idle time) rather than start new ones."},
    {CAUSE_NONE,
     "Look at the slowest tasks in the Spark UI: the events do not tell what holds them."},
};

const struct detector detector_straggler = {
    .kind = KIND_STRAGGLER,
    .subject = SUBJECT_STAGE,
    .needs_detail = true,
    .completeness = 0.5,
    .help = "some tasks take far longer than the others although their data is even",
    .rule = "`data_skew` is met, tasks killed because their copy won counted as if they had "
            "succeeded, and the cause is not the data",
    .unknown_when = "as `data_skew`",
    .never_text = "no task of the run succeeded",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineStraggler",
    .alert_summary = "Pipeline slowed by straggling tasks",
    .judge = judge,
};
