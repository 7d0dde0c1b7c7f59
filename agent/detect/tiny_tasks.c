// tiny_tasks: a stage of so many tasks of so little that launching them costs more than their work.
// Called through the detector table. The slots' own time tells it: what of it no task ran. A long
// task that the slots waited for is no launching, nor is what other stages used.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

enum { TASKS, MEAN_MS, LEAST_S };
static const struct detector_threshold thresholds[] = {
    [TASKS] =
        {"tasks", "tasks that such a stage has at least", 200, 2, 1e9,
         "chosen: Spark's default of shuffle partitions, where nothing coalesces them; DataFlint "
         "looks at stages of 5000"},
    [MEAN_MS] = {"mean_ms", "milliseconds that its tasks take at most, on the average", 200, 1, 1e6,
                 "chosen: DataFlint warns below a median of 500 ms; here the cost decides"},
    [LEAST_S] = {"least_s", "seconds that the stage takes at least", 2, 0, 1e9,
                 "chosen: what is shorter is not worth a change"},
};

enum { SPLIT = 128 << 20, TASKS_PER_SLOT = 2, TAIL_PARTS = 4 };
#define ALIKE 1e-9

// Where the time of the slots went.
struct slots_time {
    double wall_ms, slots;
    double work_ms, launching_ms; // of all slots
    double records_ms;            // of the work: what grows with the records, at most
    double best_tasks, best_ms;   // wall time with a number of tasks that fits
};

// Not all of the run time is work that fewer tasks would have, too: opening the blocks of a
// shuffle, setting operators up, tearing them down is done once for each task. The tasks tell both
// parts apart, as they have more records or fewer: the least-squares line of run time over records
// says what a record adds, whatever a task takes without any. That slope is known as well as the
// tasks lie on the line: its standard error is the square root of
//   (Syy - slope x Sxy) / (n - 2) / Sxx, S: sums of squares and products about the means.
// Two standard errors more than the slope, times all records, is taken for work, so that what is
// said to be saved was seen; with records alike in all tasks that is all of the run time. It is
// also where tasks read a source: what opening costs stays, in however few tasks.
static double records_ms(const struct stage *stage, double run_ms) {
    double n = (double)stage->metric_tasks, records = (double)stage->records;
    double sxx = (double)stage->records_squared - records * records / fmax(1, n);
    double sxy = (double)stage->records_run_ms - records * run_ms / fmax(1, n);
    double syy = (double)stage->run_squared_ms2 - run_ms * run_ms / fmax(1, n);
    bool cut_off = stage->records_squared == INT64_MAX || stage->records_run_ms == INT64_MAX ||
                   stage->run_squared_ms2 == INT64_MAX;
    // Of differences of sums that are nearly as large nothing is left but rounding.
    bool alike = sxx <= ALIKE * (double)stage->records_squared;
    if (cut_off || alike || n <= 2 || stage->io_tasks > 0 || stage->files > 0) {
        return run_ms;
    }
    double slope = sxy / sxx;
    double error = sqrt(fmax(0, syy - slope * sxy) / (n - 2) / sxx);
    return fmin(run_ms, fmax(0, slope + 2 * error) * records);
}

static void look(const struct app *app, const struct stage *stage, struct slots_time *out) {
    const struct stage_summary *s = &stage->summary;
    double tasks = (double)s->tasks, slots = cost_slots(stage);
    double wall_ms = fmax(0, (double)stage->last_finish_ms - (double)stage->first_launch_ms);
    double others_ms = (double)load_beside(app, stage).task_ms;
    double failed_ms = (double)stage->failed_ms + (double)stage->killed_ms;
    double had_ms = fmax(0, slots * wall_ms - others_ms - failed_ms);
    *out = (struct slots_time){.wall_ms = wall_ms, .slots = slots};
    out->work_ms = fmin(had_ms, (double)stage->delay_run_ms);
    out->launching_ms = had_ms - out->work_ms;
    out->best_tasks = fmin(tasks, fmax(TASKS_PER_SLOT * slots, ceil((double)stage->bytes / SPLIT)));
    out->records_ms = fmin(out->work_ms, records_ms(stage, (double)stage->delay_run_ms));
    double each_ms = (had_ms - out->records_ms) / fmax(1, tasks);
    out->best_ms = (out->records_ms + each_ms * out->best_tasks) / slots;
}

static bool is_tiny(const struct detector_view *view, const struct slots_time *time) {
    const struct stage_summary *s = &view->stage->summary;
    bool waits_for_one = (double)s->max_task_ms * TAIL_PARTS > time->wall_ms;
    return (double)s->tasks >= view->thresholds[TASKS] &&
           s->mean_task_ms <= view->thresholds[MEAN_MS] &&
           time->wall_ms >= 1000 * view->thresholds[LEAST_S] &&
           time->launching_ms > time->work_ms && !waits_for_one;
}

static void tell(const struct stage *stage, const struct slots_time *time, struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    char wall[SPAN_TEXT_SIZE], tasks[SPAN_TEXT_SIZE], mean[SPAN_TEXT_SIZE], work[SPAN_TEXT_SIZE],
        slots_time[SPAN_TEXT_SIZE];
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "mean_task_ms", s->mean_task_ms);
    verdict_evidence(out, "wall_ms", time->wall_ms);
    verdict_evidence(out, "slots", time->slots);
    verdict_evidence(out, "run_ms", time->work_ms);
    verdict_evidence(out, "launching_ms", time->launching_ms);
    verdict_evidence(out, "records_run_ms", time->records_ms);
    verdict_evidence(out, "scheduler_delay_ms", (double)stage->delay_ms);
    verdict_evidence(out, "deserialize_ms", (double)stage->deserialize_ms);
    verdict_evidence(out, "bytes", (double)stage->bytes);
    verdict_evidence(out, "best_tasks", time->best_tasks);
    verdict_evidence(out, "best_ms", time->best_ms);
    verdict_summary(
        out,
        "stage %d took %s for %s tasks of %s each: launching them took %s of its slots' "
        "time, their work %s",
        (int)s->stage, span_format_ms(time->wall_ms, wall),
        span_format_count((double)s->tasks, tasks), span_format_ms(s->mean_task_ms, mean),
        span_format_ms(time->launching_ms, slots_time), span_format_ms(time->work_ms, work));
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    if (stage->metric_tasks == 0) {
        out->reason = "no successful task of the stage reported metrics";
        return;
    }
    struct slots_time time;
    look(view->app, stage, &time);
    out->rule_met = is_tiny(view, &time) ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    struct load_beside beside = load_beside(view->app, stage);
    double held_up_ms =
        beside.outlasted ? fmin(time.wall_ms, (double)beside.alone_ms) : time.wall_ms;
    out->saving_s = fmax(0, fmin(time.wall_ms - time.best_ms, held_up_ms)) / 1000;
    if (app_run_kind(view->app) == RUN_KIND_STREAM) {
        out->cap = SEVERITY_LOW; // a batch has as many as its state has partitions
    }
    tell(stage, &time, out);
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Make fewer tasks of more: fewer partitions of the shuffle, or let adaptive execution put "
     "them "
     "together (spark.sql.adaptive.coalescePartitions), larger splits of files, coalesce after a "
     "filter that leaves little."},
};

const struct detector detector_tiny_tasks = {
    .kind = KIND_TINY_TASKS,
    .subject = SUBJECT_STAGE,
    .completeness = 0.25,
    .help = "launching a stage's many small tasks takes longer than their work",
    .rule =
        "at least 200 tasks of at most 200 ms on the average, for at least 2 s, and of the slots' "
        "time less than half is the tasks' run time; not where one task took a quarter of it",
    .unknown_when = "no successful task with metrics",
    .never_text = "no successful task of the run reported metrics",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineTinyTasks",
    .alert_summary = "Pipeline spends its time launching tiny tasks",
    .judge = judge,
};
