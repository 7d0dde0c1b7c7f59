// low_parallelism: a stage of fewer tasks than the run had slots for keeps everything waiting.
// Called through the detector table. Judged by the slots that idled meanwhile: what other stages
// used is no loss, and a stage that others outlast holds the run up only while it is alone. Uneven
// times are data_skew's and straggler's, what is done again task_failures'.
#include <math.h>

#include "base/span.h"
#include "model/operator.h"
#include "partitions.h"
#include "slow_tasks.h"

enum { IDLE, LEAST_S };
static const struct detector_threshold thresholds[] = {
    [IDLE] = {"idle", "share of the slots' time that such a stage leaves idle at least", 0.4, 0.01,
              0.99,
              "chosen: one task of two slots leaves half; DataFlint warns at 50 %, spark-advisor "
              "at 60 % of idle core time"},
    [LEAST_S] = {"least_s", "seconds that its tasks take at least: shorter stages are normal", 3, 0,
                 1e9,
                 "chosen: the first task on an executor was seen to take 3 s for nothing but "
                 "class loading"},
};

enum {
    BEST_MS = 1000, // however many tasks: to plan, launch and shuffle for them takes so long
    LITTLE_BYTES = 16 << 20, // a first task with no more than this is busy with class loading
    LITTLE_RECORDS = 100000,
    WARM_UP_MS = 10000,
};

static const double SEEN = 0.95; // share of the run's events

// What the verdict rests on.
struct few {
    double tasks, slots; // slots that other stages left it, on average
    double wall_ms, work_ms, best_ms;
    double split_bytes;
    struct load_beside beside;
};

// No other partition is there to be looked at after those that its tasks have.
static bool has_all_partitions(const struct stage *stage) {
    return stage->partitions_most > 0 && stage->partitions_most <= stage->summary.tasks_expected;
}

// A look at the first rows reads few; what goes through all of the only partition, or of what a
// coalesce put into one, as an aggregate does, is the run's work.
static bool works_through(const struct stage *stage) {
    return ((stage->works & WORK_COALESCED) != 0 || has_all_partitions(stage)) &&
           stage->records > LITTLE_RECORDS;
}

// A coalesce made its tasks fewer than the partitions before it. RDDs that are repartitioned are
// coalesced behind a shuffle, too.
static bool is_coalesced(const struct stage *stage) {
    bool repartitioned = stage->execution == 0 && stage->summary.shuffle_read_bytes > 0;
    return (stage->works & WORK_COALESCED) != 0 && !repartitioned && !has_all_partitions(stage);
}

static bool looks_at_first(const struct stage *stage) {
    static const char *const calls[] = {"take at ",           "head at ",    "first at ",
                                        "show at ",           "isEmpty at ", "showString at ",
                                        "runJob at PythonRDD"};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        if (str_starts(str_of(stage->summary.name), str_of(calls[i]))) {
            return true;
        }
    }
    return false;
}

// `take` and its kin read partition by partition until they have enough: one task is what they ask
// for.
static bool asks_for_one_task(const struct stage *stage) {
    return looks_at_first(stage) && !works_through(stage);
}

// An attempt that repeats some tasks of an earlier one.
static bool repeats_a_part(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    const struct stage *first = s->attempt > 0 ? app_stage(app, s->stage, 0) : stage;
    return first == NULL || first->summary.tasks_expected != s->tasks_expected;
}

static bool only_warms_up(const struct stage *stage, double wall_ms) {
    bool little = stage->bytes <= LITTLE_BYTES && stage->records <= LITTLE_RECORDS;
    bool cold = stage->cold_tasks > 0 && stage->cold_tasks == stage->summary.tasks;
    return little && cold && wall_ms < WARM_UP_MS;
}

static double wall_ms_of(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    int64_t end_ms =
        stage->tasks_running > 0 && !stage->completed ? app->now_ms : stage->last_finish_ms;
    double wall_ms = fmax(0, (double)end_ms - (double)stage->first_launch_ms);
    bool repeated = s->tasks_failed + s->tasks_killed > 0;
    return repeated ? fmin(wall_ms, (double)s->max_task_ms) : wall_ms;
}

static void look(const struct app *app, const struct stage *stage, struct few *out) {
    const struct stage_summary *s = &stage->summary;
    int64_t tasks = s->tasks_expected > 0 ? s->tasks_expected : s->tasks;
    double wall_ms = wall_ms_of(app, stage);
    // What runs still has done so as long as the stage at most.
    double running = stage->completed ? 0 : fmin((double)stage->tasks_running, (double)tasks);
    struct load_beside beside = load_beside(app, stage);
    double taken = wall_ms > 0 ? (double)beside.task_ms / wall_ms : 0;
    *out = (struct few){
        .tasks = (double)tasks,
        .slots = fmax(1, (double)stage->live_slots - taken),
        .wall_ms = wall_ms,
        .work_ms = (double)stage->task_ms + running * wall_ms,
        .split_bytes = partitions_split_bytes(app, stage),
        .beside = beside,
    };
    out->best_ms = fmax(BEST_MS, out->work_ms / out->slots);
}

// One task is far slower than the others, also while it runs: their own kinds tell it.
static bool is_uneven(const struct stage *stage, const struct few *few) {
    bool runs = !stage->completed && stage->tasks_running > 0;
    double longest_ms = fmax((double)stage->summary.max_task_ms, runs ? few->wall_ms : 0);
    return longest_ms * few->tasks > SLOW_TASKS_RATIO * few->work_ms ||
           slow_tasks_rule(stage, SLOW_TASKS_RATIO, true);
}

static bool is_too_few(const struct detector_view *view, const struct few *few) {
    double idle = 1 - few->work_ms / (few->slots * fmax(1, few->wall_ms));
    return few->tasks < few->slots && few->wall_ms >= 1000 * view->thresholds[LEAST_S] &&
           idle >= view->thresholds[IDLE] && !view->stage->summary.failed &&
           !is_uneven(view->stage, few) && !asks_for_one_task(view->stage) &&
           !repeats_a_part(view->app, view->stage) && !only_warms_up(view->stage, few->wall_ms);
}

static enum cause cause_of(const struct app *app, const struct stage *stage,
                           const struct few *few) {
    if (partitions_cannot_be_split(app, stage)) {
        return CAUSE_UNSPLITTABLE;
    }
    return few->tasks <= 1 ? CAUSE_SINGLE_PARTITION : CAUSE_FEW_PARTITIONS;
}

static void tell(const struct stage *stage, const struct few *few, struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    char wall[SPAN_TEXT_SIZE], best[SPAN_TEXT_SIZE], bytes[SPAN_TEXT_SIZE];
    verdict_evidence(out, "tasks", few->tasks);
    verdict_evidence(out, "live_slots", (double)stage->live_slots);
    verdict_evidence(out, "slots_left_by_others", few->slots);
    verdict_evidence(out, "wall_ms", few->wall_ms);
    verdict_evidence(out, "task_ms", few->work_ms);
    verdict_evidence(out, "best_ms", few->best_ms);
    verdict_evidence(out, "other_stages_task_ms", (double)few->beside.task_ms);
    verdict_evidence(out, "alone_ms", (double)few->beside.alone_ms);
    verdict_evidence(out, "others_outlasted_it", few->beside.outlasted);
    verdict_evidence(out, "input_bytes", (double)s->input_bytes);
    verdict_evidence(out, "shuffle_read_bytes", (double)s->shuffle_read_bytes);
    verdict_evidence(out, "records", (double)stage->records);
    verdict_evidence(out, "split_bytes", few->split_bytes);
    if (is_coalesced(stage)) {
        verdict_evidence(out, "partitions_before_coalesce", (double)stage->partitions_most);
    }
    if (stage->files > 0) {
        verdict_evidence(out, "files", (double)stage->files);
        verdict_evidence(out, "files_bytes", (double)stage->files_bytes);
    }
    span_format_ms(few->wall_ms, wall);
    span_format_ms(few->best_ms, best);
    double read = fmax((double)s->input_bytes, (double)stage->files_bytes);
    span_format_bytes(read / fmax(1, few->tasks), bytes);
    verdict_summary(out,
                    "stage %d took %s in %.0f task%s although %.0f slots were free for it, which "
                    "could have done it in %s%s%s",
                    (int)s->stage, wall, few->tasks, few->tasks == 1 ? "" : "s", few->slots, best,
                    out->cause == CAUSE_UNSPLITTABLE ? "; each read from what cannot be split: "
                                                     : "",
                    out->cause == CAUSE_UNSPLITTABLE ? bytes : "");
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    if (stage->summary.tasks + stage->tasks_running == 0) {
        out->reason = "no task of the stage succeeded";
        return;
    }
    struct few few;
    look(view->app, stage, &few);
    out->rule_met = is_too_few(view, &few) ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    double held_up_ms =
        few.beside.outlasted ? fmin(few.wall_ms, (double)few.beside.alone_ms) : few.wall_ms;
    out->saving_s = fmax(0, fmin(few.wall_ms - few.best_ms, held_up_ms)) / 1000;
    out->cause = cause_of(view->app, stage, &few);
    if (!stage->completed && !view->over) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "the stage goes on");
    } else if (app_seen_beside_tasks(view->app) < SEEN) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "events are missing that may be other stages'");
    }
    if (works_through(stage) && looks_at_first(stage) && !has_all_partitions(stage)) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "its partition may be one of several");
    }
    if (app_run_kind(view->app) == RUN_KIND_STREAM) {
        out->cap = SEVERITY_LOW; // a batch is small by design; what lags is told of the query
    }
    tell(stage, &few, out);
}

static const struct remedy remedies[] = {
    {CAUSE_SINGLE_PARTITION,
     "All of the stage's data is in one partition. Read from a database in parallel "
     "(partitionColumn, "
     "lowerBound, upperBound and numPartitions, or predicates); after coalesce(1) or from a source "
     "of one partition repartition before the expensive work, and let coalesce come last; give a "
     "window a PARTITION BY, and aggregate in two steps."},
    {CAUSE_UNSPLITTABLE,
     "The input cannot be split, so one task reads a whole file: write it in a format that can "
     "(Parquet, ORC, or text that is uncompressed or packed with bzip2), or as many smaller files; "
     "until then repartition right after reading."},
    {CAUSE_NONE,
     "Spread the work over more partitions: repartition instead of coalesce, more partitions of "
     "the "
     "shuffle before it or of the source (numPartitions of a database, smaller splits of files)."},
};

const struct detector detector_low_parallelism = {
    .kind = KIND_LOW_PARALLELISM,
    .subject = SUBJECT_STAGE,
    .certain = true, // one task that runs is enough: it takes at least as long as it has
    .help = "a stage of few tasks holds the run up while slots idle",
    .rule =
        "tasks < slots that no other stage used, for at least 3 s of which 40 % of the slots' "
        "time was idle; not of `take` and its kin (but of an only partition or behind a coalesce, "
        "if it goes through more than 100,000 records), of an attempt that failed or repeats a "
        "part, where a task is far slower than the others, or where an executor only warmed up",
    .unknown_when = "no task succeeded",
    .never_text = "no task of the run succeeded",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineLowParallelism",
    .alert_summary = "Pipeline waits for a stage of few tasks",
    .judge = judge,
};
