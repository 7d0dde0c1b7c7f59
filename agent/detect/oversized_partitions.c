// oversized_partitions: tasks of a stage have so much data each that memory or a retry is at risk,
// and that the last of them leave slots idle. Called through the detector table. A few tasks that
// have far more than the others are data_skew's, fewer tasks than slots low_parallelism's, and
// where most of them spill memory_pressure names it (roots.c).
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"
#include "partitions.h"

enum { MEAN_MIB, RISK_MIB };
static const struct detector_threshold thresholds[] = {
    [MEAN_MIB] = {"mean_mib", "MiB of input and shuffle that a task reads on the average", 1024, 1,
                  1e9, "spark-tui: tasks of more than 1 GB; Spark's own split is 128 MiB"},
    [RISK_MIB] = {"risk_mib", "MiB that the largest task reads above which it is more than low",
                  5120, 1, 1e9, "DataFlint warns above 5 GB in one task"},
};

// Signs that it hurts already.
static bool is_at_risk(const struct detector_view *view) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    bool short_of_memory = s->memory_spilled_bytes > 0 || s->disk_spilled_bytes > 0 ||
                           (s->run_ms > 0 && (double)s->gc_ms > 0.1 * (double)s->run_ms);
    return short_of_memory || s->tasks_failed > 0 ||
           (double)stage->max_task_bytes > view->thresholds[RISK_MIB] * 1048576;
}

static void tell(const struct app *app, const struct stage *stage, double mean_bytes,
                 struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    char mean[SPAN_TEXT_SIZE], largest[SPAN_TEXT_SIZE], tasks[SPAN_TEXT_SIZE];
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "bytes", (double)stage->bytes);
    verdict_evidence(out, "bytes_per_task", mean_bytes);
    verdict_evidence(out, "largest_task_bytes", (double)stage->max_task_bytes);
    verdict_evidence(out, "input_bytes", (double)s->input_bytes);
    verdict_evidence(out, "split_bytes", partitions_split_bytes(app, stage));
    verdict_evidence(out, "shuffle_read_bytes", (double)s->shuffle_read_bytes);
    verdict_evidence(out, "memory_spilled_bytes", (double)s->memory_spilled_bytes);
    verdict_evidence(out, "gc_ms", (double)s->gc_ms);
    verdict_evidence(out, "tasks_failed", (double)s->tasks_failed);
    verdict_evidence(out, "slots", cost_slots(stage));
    verdict_evidence(out, "task_ms", (double)stage->task_ms);
    verdict_summary(out, "stage %d: its %s tasks read %s each, the largest %s: %s", (int)s->stage,
                    span_format_count((double)s->tasks, tasks), span_format_bytes(mean_bytes, mean),
                    span_format_bytes((double)stage->max_task_bytes, largest),
                    out->cause == CAUSE_UNSPLITTABLE ? "from what cannot be split"
                                                     : "too much for one task to hold or repeat");
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    if (stage->metric_tasks == 0) {
        out->reason = "no successful task of the stage reported metrics";
        return;
    }
    double mean_bytes = (double)stage->bytes / (double)s->tasks;
    out->rule_met = mean_bytes > view->thresholds[MEAN_MIB] * 1048576 ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    // Cut finer, all slots would have been busy to the end.
    double wall_ms = (double)stage->last_finish_ms - (double)stage->first_launch_ms;
    struct load_beside beside = load_beside(view->app, stage);
    double others_ms = (double)beside.task_ms;
    double idle_ms = wall_ms - ((double)stage->task_ms + others_ms) / cost_slots(stage);
    double held_up_ms = beside.outlasted ? (double)beside.alone_ms : wall_ms;
    out->saving_s = fmax(0, fmin(idle_ms, held_up_ms)) / 1000;
    out->floor = SEVERITY_LOW;
    out->cap = is_at_risk(view) ? SEVERITY_MODERATE : SEVERITY_LOW;
    out->cause =
        partitions_cannot_be_split(view->app, stage) ? CAUSE_UNSPLITTABLE : CAUSE_FEW_PARTITIONS;
    tell(view->app, stage, mean_bytes, out);
}

static const struct remedy remedies[] = {
    {CAUSE_UNSPLITTABLE, "Files that cannot be split go to one task each, whatever their size: "
                         "write them smaller, or in "
                         "a format that can be split."},
    {CAUSE_NONE,
     "Cut the data finer: more partitions of the shuffle, or smaller splits of the input; some 128 "
     "MiB a task is what Spark itself aims at."},
};

const struct detector detector_oversized_partitions = {
    .kind = KIND_OVERSIZED_PARTITIONS,
    .subject = SUBJECT_STAGE,
    .completeness = 0.25,
    .help = "tasks have so much data each that memory or a retry is at risk",
    .rule = "(input + shuffle read) / tasks > 1 GiB, over the stage's successful tasks",
    .unknown_when = "no successful task with metrics",
    .never_text = "no successful task of the run reported metrics",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineOversizedPartitions",
    .alert_summary = "Pipeline reads too much into one task",
    .judge = judge,
};
