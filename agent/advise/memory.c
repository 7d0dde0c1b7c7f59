// memory: which memory a run is short of, and how much of it would do: the base formula for its
// data as the least, what its tasks were seen to need as the measure. Called through the table of
// advisors. Which memory ran out decides: a larger heap does not help a container that was killed
// for what lies beside it, nor the other way round. Never advises less than the run was seen to
// use, nor anything of the driver for what happened to executors.
#include <math.h>
#include <stdio.h>

#include "advise/setting.h"
#include "advise/sizing.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "detect/cost.h"
#include "facts.h"
#include "model/operator.h"

enum { OVERHEAD_STEP_MIB = 1024, ARROW_ROWS = 2000, PEAKS_SEEN = 10 };
#define MIB 1048576.0
#define FRACTION 0.6 // Spark's own

struct shortage {
    struct sizing_memory base; // what the formula gives for the run's data
    double heap_mib;           // as it was: the tasks'
    double heap_want_mib;      // 0: it was not short of that
    double overhead_mib, overhead_want_mib;
    double off_heap_want_bytes, python_want_mib, driver_mib, driver_want_mib;
    bool python, died;       // Python workers; tasks for want of heap
    bool churn;              // garbage, while most of the heap was free
    bool no_container;       // killed where there is none: the machine's memory ran out
    double task_bytes;       // that a task of the stage that spilled most would have to hold
    double tasks;            // of it
    const struct stage *cut; // that stage, if a setting made its partitions
};

static double larger(double a, double b) {
    return fmax(a, b);
}

// spark.memory.fraction.
static double memory_fraction(const struct app *app) {
    double fraction;
    bool good = setting_number(app, SETTING_MEMORY_FRACTION, &fraction);
    return good && fraction > 0 && fraction <= 1 ? fraction : FRACTION;
}

// What tasks held and had to write out, together: with as much each they would not have spilled.
static void look_at_spill(const struct app *app, const struct bottleneck *b, struct shortage *out) {
    double tasks = larger(1, facts_evidence(b, "tasks"));
    double spilled = larger(0, facts_evidence(b, "memory_spilled_bytes")) / tasks;
    double held = larger(0, facts_evidence(b, "peak_task_memory_bytes"));
    double at_once = fmin(tasks, (double)facts_tasks_at_once(app));
    double want = (double)sizing_heap_mib(at_once * (held + spilled), memory_fraction(app));
    out->heap_want_mib = larger(out->heap_want_mib, want);
    if (held + spilled > out->task_bytes) {
        const struct stage *stage = app_stage(app, b->stage, b->stage_attempt);
        out->task_bytes = held + spilled;
        out->tasks = tasks;
        out->cut = stage != NULL && facts_cut_by_setting(app, stage) ? stage : NULL;
    }
}

// Garbage is collected as often as the heap fills up. One that was never half full is no smaller
// than it must be.
static void look_at_gc(const struct app *app, const struct bottleneck *b, struct shortage *out) {
    bool high = facts_evidence(b, "gc_share") > 0.2;
    bool roomy =
        app->peaks.tasks >= PEAKS_SEEN && (double)app->peaks.heap_bytes < 0.5 * out->heap_mib * MIB;
    if (roomy) {
        out->churn = true;
    } else {
        out->heap_want_mib = larger(out->heap_want_mib, out->heap_mib * (high ? 2 : 1.5));
    }
}

static void look_beside(const struct app *app, struct shortage *out) {
    if (!facts_has_containers(app)) {
        out->no_container = true;
        return;
    }
    double more = larger(OVERHEAD_STEP_MIB, out->overhead_mib / 2);
    double python_mib = (double)app->peaks.python_bytes / MIB;
    double want = larger(out->overhead_mib + more, (double)out->base.overhead_mib);
    want = larger(want, python_mib > 0 ? 1.2 * python_mib + SIZING_OVERHEAD_LEAST_MIB : 0);
    out->overhead_want_mib = larger(out->overhead_want_mib, 256 * ceil(want / 256));
}

static void look_at_python(const struct app *app, struct shortage *out) {
    double limit_bytes;
    out->python = true;
    if (setting_told(app, SETTING_EXECUTOR_PYSPARK_MEMORY).len > 0 &&
        setting_number(app, SETTING_EXECUTOR_PYSPARK_MEMORY, &limit_bytes)) {
        out->python_want_mib = 2 * limit_bytes / MIB; // its own part of the container
    } else {
        look_beside(app, out);
    }
}

static void look_at_failures(const struct app *app, const struct bottleneck *b,
                             struct shortage *out) {
    double off_heap_bytes = 0;
    if (b->cause == CAUSE_CONTAINER_KILLED || facts_evidence(b, "failed_direct_memory") > 0) {
        look_beside(app, out);
    } else if (facts_evidence(b, "failed_python_memory") > 0) {
        look_at_python(app, out);
    } else if (facts_evidence(b, "failed_off_heap_memory") > 0) {
        (void)setting_number(app, SETTING_MEMORY_OFF_HEAP_SIZE, &off_heap_bytes);
        out->off_heap_want_bytes = larger(SIZING_GIB, 2 * off_heap_bytes);
    } else {
        out->died = true;
        out->heap_want_mib = larger(out->heap_want_mib, 2 * out->heap_mib);
    }
}

static void look(const struct advice_view *view, const struct answers *answers,
                 struct shortage *out) {
    const struct app *app = view->app;
    struct run_totals totals;
    double driver_bytes = 0;
    app_totals(app, &totals);
    (void)setting_number(app, SETTING_DRIVER_MEMORY, &driver_bytes);
    *out = (struct shortage){.base = sizing_memory((double)totals.data_size_bytes),
                             .heap_mib = (double)facts_heap_mib(app),
                             .overhead_mib = (double)facts_overhead_mib(app),
                             .driver_mib = driver_bytes / MIB};
    for (uint32_t i = 0; i < answers->count; i++) {
        const struct bottleneck *b = answers->list[i];
        if (b->kind == KIND_PIPELINE_FAILURE) {
            out->driver_want_mib = larger(2 * out->driver_mib, (double)out->base.driver_mib);
        } else if (b->kind == KIND_TASK_FAILURES) {
            look_at_failures(app, b, out);
        } else if (b->cause == CAUSE_GC) {
            look_at_gc(app, b, out);
        } else {
            look_at_spill(app, b, out);
        }
    }
}

// What the advice comes to.
struct plan {
    double heap_mib, overhead_mib, driver_mib; // 0: as it is
    double partitions;                         // 0: as many as there are
    double instead; // likewise; what would do without a larger heap, where the run sets how many
    double cores;   // likewise
};

// So many partitions that a task's part fits its share of such a heap; 0: as many as there are do.
static double partitions_fitting(const struct app *app, const struct shortage *s, double heap_mib) {
    double room = sizing_unified_bytes((int64_t)heap_mib, memory_fraction(app)) /
                  (double)facts_tasks_at_once(app);
    double partitions = room > 0 ? ceil(s->tasks * s->task_bytes / room) : 0;
    return sizing_differs(s->tasks, partitions) && partitions > s->tasks
               ? fmin(partitions, 100 * s->tasks)
               : 0;
}

// The formula gives the least that is advised; beyond the most, smaller parts do more than larger
// heaps.
static void plan_heap(const struct app *app, const struct shortage *s, struct plan *plan) {
    double most = larger(s->heap_mib, SIZING_HEAP_MOST_MIB);
    double want = s->heap_want_mib > 0 ? larger(s->heap_want_mib, (double)s->base.executor_mib) : 0;
    double cores = (double)facts_executor_cores(app);
    want = fmin(want, most);
    plan->heap_mib = want > s->heap_mib ? 1024 * ceil(want / 1024) : 0;
    if (s->died && plan->heap_mib == 0 && !facts_is_local(app) && cores >= 2) {
        plan->cores = floor(cores / 2);
    }
    if (s->task_bytes > 0) {
        bool own = s->cut != NULL && setting_told(app, SETTING_SQL_SHUFFLE_PARTITIONS).len > 0;
        plan->partitions =
            partitions_fitting(app, s, plan->heap_mib > 0 ? plan->heap_mib : s->heap_mib);
        plan->instead = own && plan->heap_mib > 0 && plan->partitions == 0
                            ? partitions_fitting(app, s, s->heap_mib)
                            : 0;
    }
}

static struct plan plan_of(const struct app *app, const struct shortage *s) {
    struct plan plan = {.overhead_mib = s->overhead_want_mib,
                        .driver_mib = fmin(s->driver_want_mib, SIZING_HEAP_MOST_MIB)};
    plan_heap(app, s, &plan);
    if (facts_is_local(app)) {
        plan.heap_mib = larger(plan.heap_mib, plan.driver_mib);
        plan.driver_mib = 0;
    } else if (plan.driver_mib <= s->driver_mib) {
        plan.driver_mib = 0;
    }
    return plan;
}

// What the design of the base advice turns on with more memory; what is so already is left out of
// the set.
static void set_lean(const struct app *app, struct recommendation *r) {
    advice_set_text(r, SETTING_SERIALIZER, "org.apache.spark.serializer.KryoSerializer");
    advice_set_bool(r, SETTING_SHUFFLE_COMPRESS, true);
    advice_set_bool(r, SETTING_SHUFFLE_SPILL_COMPRESS, true);
    if (setting_spark_of(app) >= 300 && app_run_kind(app) != RUN_KIND_STREAM) {
        advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
        advice_set_bool(r, SETTING_SQL_ADAPTIVE_COALESCE_PARTITIONS_ENABLED, true);
    }
}

static void set_all(const struct app *app, const struct shortage *s, const struct plan *plan,
                    struct recommendation *r) {
    if (plan->heap_mib > 0) {
        enum setting heap = facts_is_local(app) ? SETTING_DRIVER_MEMORY : SETTING_EXECUTOR_MEMORY;
        advice_set_bytes(r, heap, plan->heap_mib * MIB);
    }
    if (plan->driver_mib > 0) {
        advice_set_bytes(r, SETTING_DRIVER_MEMORY, plan->driver_mib * MIB);
    }
    if (plan->overhead_mib > 0) {
        advice_set_bytes(r, SETTING_EXECUTOR_MEMORY_OVERHEAD, plan->overhead_mib * MIB);
    }
    if (plan->cores > 0) {
        advice_set_int(r, SETTING_EXECUTOR_CORES, plan->cores);
    }
    double partitions = fmax(plan->partitions, plan->instead);
    if (partitions > 0 && s->cut != NULL) {
        advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, partitions);
    }
    if (s->off_heap_want_bytes > 0) {
        advice_set_bool(r, SETTING_MEMORY_OFF_HEAP_ENABLED, true);
        advice_set_bytes(r, SETTING_MEMORY_OFF_HEAP_SIZE, s->off_heap_want_bytes);
    }
    if (s->python_want_mib > 0) {
        advice_set_bytes(r, SETTING_EXECUTOR_PYSPARK_MEMORY, s->python_want_mib * MIB);
    }
    if (s->python && (app->works & WORK_PYTHON_BATCHES) != 0) {
        advice_set_int(r, SETTING_SQL_ARROW_MAX_RECORDS_PER_BATCH, ARROW_ROWS);
    }
    if (s->heap_want_mib > 0 || s->churn) {
        set_lean(app, r);
    }
    double fraction = memory_fraction(app);
    if (s->task_bytes > 0 && fraction < FRACTION) {
        advice_set_fraction(r, SETTING_MEMORY_FRACTION, FRACTION);
    }
}

static void say_heap(const struct app *app, const struct shortage *s, const struct plan *plan,
                     struct buf *out) {
    char now[SPAN_TEXT_SIZE], then[SPAN_TEXT_SIZE], need[SPAN_TEXT_SIZE], room[SPAN_TEXT_SIZE];
    bool local = facts_is_local(app);
    int64_t at_once = facts_tasks_at_once(app);
    if (plan->heap_mib > 0) {
        buf_printf(out, "Give %s %s of heap memory instead of %s",
                   local ? "the driver, which runs the tasks," : "each executor",
                   span_format_bytes(plan->heap_mib * MIB, then),
                   span_format_bytes(s->heap_mib * MIB, now));
        buf_printf(out, "%s. ", s->driver_want_mib > 0 || !s->died ? "" : ", which was full");
    }
    if (s->task_bytes > 0) {
        double each =
            sizing_unified_bytes((int64_t)s->heap_mib, memory_fraction(app)) / (double)at_once;
        buf_printf(out, "A task had some %s to sort, join and aggregate in, and needed %s. ",
                   span_format_bytes(each, room), span_format_bytes(s->task_bytes, need));
    }
    if (plan->partitions > 0) {
        buf_printf(out, "%s%.0f partitions instead of %.0f would make each small enough. ",
                   plan->heap_mib > 0 ? "With that, " : "", plan->partitions, s->tasks);
    }
    if (plan->instead > 0) {
        buf_printf(out,
                   "Or, with the heap as it is: %.0f partitions instead of the %.0f that the run "
                   "asks for would make each small enough. ",
                   plan->instead, s->tasks);
    }
    if (s->churn) {
        buf_printf(out,
                   "The heap of %s was never more than half full, so a larger one would not "
                   "help: make less garbage. ",
                   span_format_bytes(s->heap_mib * MIB, now));
    }
    if (plan->cores > 0) {
        buf_printf(out,
                   "A larger heap is collected slowly: run %.0f task%s at once in it instead "
                   "of %lld. ",
                   plan->cores, plan->cores == 1 ? "" : "s", (long long)at_once);
    }
}

static void say_rest(const struct shortage *s, const struct plan *plan, struct buf *out) {
    char now[SPAN_TEXT_SIZE], then[SPAN_TEXT_SIZE];
    if (plan->overhead_mib > 0) {
        buf_printf(out, "Give each executor %s beside its heap instead of %s%s. ",
                   span_format_bytes(plan->overhead_mib * MIB, then),
                   span_format_bytes(s->overhead_mib * MIB, now),
                   s->python ? ": its Python workers live there" : "");
    }
    if (s->no_container) {
        buf_add_text(out, "Executors have no container here: if it was the memory of the machine "
                          "that ran out, run fewer or smaller ones on a host, else look for who "
                          "killed them. ");
    }
    if (s->python_want_mib > 0) {
        buf_printf(out, "Let Python workers have %s. ",
                   span_format_bytes(s->python_want_mib * MIB, then));
    }
    if (s->off_heap_want_bytes > 0) {
        buf_printf(out, "Give the native engine %s beside the heap. ",
                   span_format_bytes(s->off_heap_want_bytes, then));
    }
    if (plan->driver_mib > 0) {
        buf_printf(out, "Give the driver %s of heap instead of %s. ",
                   span_format_bytes(plan->driver_mib * MIB, then),
                   span_format_bytes(s->driver_mib * MIB, now));
    }
}

// What else helps, beside the numbers that were said.
static const char *otherwise(const struct bottleneck *b) {
    if (b->kind == KIND_PIPELINE_FAILURE || facts_evidence(b, "failed_off_heap_memory") > 0) {
        return NULL;
    }
    if (b->kind == KIND_MEMORY_PRESSURE && b->cause == CAUSE_GC) {
        return "Make less garbage, too: primitive arrays instead of objects, Kryo serialisation, "
               "fewer cached objects, checkpoints in long lineages.";
    }
    if (b->kind == KIND_MEMORY_PRESSURE) {
        return "Or let each task hold less: more partitions, leaner structures, Kryo "
               "serialisation, checkpoints in long lineages.";
    }
    if (b->cause == CAUSE_CONTAINER_KILLED) {
        return "What was too much lies beside the heap (off-heap buffers, Python workers): a "
               "larger "
               "heap does not help.";
    }
    if (facts_evidence(b, "failed_python_memory") > 0) {
        return "Let Python workers hold less: smaller batches, no whole group or file in one "
               "object, more partitions, fewer cores per executor.";
    }
    if (facts_evidence(b, "failed_direct_memory") > 0) {
        return "Raise the limit that was hit, too (-XX:MaxDirectMemorySize or "
               "-XX:MaxMetaspaceSize in spark.executor.extraJavaOptions); a larger heap does not "
               "help.";
    }
    return "Or let each task hold less: more partitions, fewer cores per executor, no whole groups "
           "or files in one record, Kryo serialisation, checkpoints in long lineages.";
}

// Where no setting makes the partitions.
static char *code_of(const struct shortage *s, const struct plan *plan) {
    if (plan->partitions == 0 || s->cut != NULL || plan->heap_mib > 0) {
        return NULL;
    }
    return answers_code("# PySpark: before the sort, join or aggregation that spills\n"
                        "df = df.repartition(@, \"key\")\n"
                        "-- SQL\n"
                        "SELECT /*+ REPARTITION(@, key) */ ... FROM t\n",
                        plan->partitions);
}

// Of what garbage costs a larger heap leaves its share, as it fills up that much later, and half of
// it however large it is: what lives is copied out of the young part once at least, and collectors
// do not let that part grow with the heap as far as they might. Of all that the stage's garbage
// costs, not of what is beyond the usual, which is the most that goes.
static double garbage_saves_s(const struct app *app, const struct bottleneck *b, double grows) {
    enum { LEFT_PARTS = 2 };
    const struct stage *stage = app_stage(app, b->stage, b->stage_attempt);
    double gc_s = fmax(0, facts_evidence(b, "gc_ms")) / 1000;
    double costs_s = stage != NULL && gc_s > 0 ? cost_of_work(stage, gc_s) : b->saving_s;
    return fmin(b->saving_s, costs_s * fmin(1 - 1 / grows, 1.0 / LEFT_PARTS));
}

// The stage sorts for a join that the advice on joins does without: its time is promised there, and
// once.
static bool goes_with_a_join(const struct advice_view *view, const struct bottleneck *b) {
    uint32_t count;
    const struct bottleneck *const *joins =
        run_verdicts_of(view->verdicts, KIND_JOIN_STRATEGY, &count);
    bool goes = false;
    for (uint32_t i = 0; i < count && b->kind == KIND_MEMORY_PRESSURE; i++) {
        goes |= joins[i]->cause == CAUSE_BROADCASTABLE && bottleneck_is_root(joins[i]) &&
                facts_evidence(joins[i], "join_stage") == (double)b->stage;
    }
    return goes;
}

static double saving_s(const struct advice_view *view, const struct answers *answers,
                       const struct shortage *s, const struct plan *plan) {
    double sum_s = 0;
    for (uint32_t i = 0; i < answers->count; i++) {
        const struct bottleneck *b = answers->list[i];
        bool grows = b->cause == CAUSE_GC && plan->heap_mib > 0;
        double saves_s =
            grows ? garbage_saves_s(view->app, b, plan->heap_mib / s->heap_mib) : b->saving_s;
        sum_s += goes_with_a_join(view, b) ? 0 : saves_s;
    }
    return sum_s;
}

static void say_how(const struct answers *answers, bool larger_heap, struct recommendation *r) {
    if (r->saving_s <= 0) {
        snprintf(r->saving_how, sizeof r->saving_how,
                 "no time beyond what the join would take less");
        return;
    }
    bool spill = false, garbage = false, lost = false;
    for (uint32_t i = 0; i < answers->count; i++) {
        bool pressure = answers->list[i]->kind == KIND_MEMORY_PRESSURE;
        spill |= pressure && answers->list[i]->cause == CAUSE_SPILL;
        garbage |= pressure && answers->list[i]->cause == CAUSE_GC;
        lost |= !pressure;
    }
    snprintf(r->saving_how, sizeof r->saving_how, "the time that %s%s%s%s%s cost at most%s",
             spill ? "spilling" : "", spill && (garbage || lost) ? " and " : "",
             garbage ? "garbage" : "", garbage && lost ? " and " : "", lost ? "lost work" : "",
             garbage && larger_heap
                 ? ", less the garbage that is left with a heap so much larger: half of it at least"
                 : "");
}

static bool is_pressure(const struct app *app, const struct bottleneck *b) {
    (void)app;
    return b->cause == CAUSE_SPILL || b->cause == CAUSE_GC;
}

static bool is_of_memory(const struct app *app, const struct bottleneck *b) {
    (void)app; // what a GPU has no setting of Spark's gives
    return b->cause == CAUSE_CONTAINER_KILLED ||
           (b->cause == CAUSE_OOM && facts_evidence(b, "failed_gpu_memory") <= 0);
}

static bool is_drivers(const struct app *app, const struct bottleneck *b) {
    return app->drivers_oom && b->cause == CAUSE_OOM;
}

static void advise_more(const struct advice_view *view, const struct answers *answers,
                        struct advice *out) {
    struct shortage shortage;
    struct buf what = {0};
    look(view, answers, &shortage);
    struct plan plan = plan_of(view->app, &shortage);
    struct recommendation *r = advice_add(out, view, ADVICE_MEMORY);
    say_heap(view->app, &shortage, &plan, &what);
    say_rest(&shortage, &plan, &what);
    answers_add_remedies(answers, otherwise, &what);
    set_all(view->app, &shortage, &plan, r);
    r->code = code_of(&shortage, &plan);
    r->when_not = "Not where a node or queue has no room for it: then fewer cores per executor, or "
                  "more partitions.";
    double saves_s = saving_s(view, answers, &shortage, &plan);
    r->saving_s = saves_s;
    say_how(answers, plan.heap_mib > 0, r);
    answers_finish(answers, &what, r);
    r->saving_s = saves_s; // also if it is none
}

// --- less ---

enum { SHRINK_TASKS = 20, SHRINK_LEAST_GIB_HOURS = 4, LEAST_MIB = 1024 };

// Nothing of the run shows that it was short of memory, whatever it cost.
static bool has_plenty(const struct advice_view *view) {
    const struct app *app = view->app;
    const struct run_totals *t = &app->totals;
    uint32_t pressed, failed;
    (void)run_verdicts_of(view->verdicts, KIND_MEMORY_PRESSURE, &pressed);
    (void)run_verdicts_of(view->verdicts, KIND_TASK_FAILURES, &failed);
    return app->ended_ms > 0 && app_status(app, true) == RUN_SUCCEEDED && pressed + failed == 0 &&
           app->executors.lost_memory == 0 && t->memory_spilled_bytes == 0 &&
           (double)t->gc_ms < 0.05 * (double)t->run_ms && app_completeness(app) >= 0.95;
}

// What would do, MiB: half of it at least, and the peak with half as much again beside Spark's own;
// 0 if the run does not show that less would.
static double enough_mib(const struct app *app) {
    struct run_totals totals;
    app_totals(app, &totals);
    double heap_mib = (double)facts_heap_mib(app);
    double peak_mib = (double)app->peaks.heap_bytes / MIB;
    double data_mib = 0.1 * (double)totals.data_size_bytes / MIB; // as in the formula
    double least_mib = larger(larger(LEAST_MIB, data_mib), 1.5 * peak_mib + SIZING_RESERVED_MIB);
    bool seen = app->peaks.tasks >= SHRINK_TASKS && app->executors.gone_slots == 0;
    return seen && least_mib <= heap_mib / 2 ? 1024 * ceil(heap_mib / 2 / 1024) : 0;
}

static void advise_less(const struct advice_view *view, struct advice *out) {
    const struct app *app = view->app;
    double heap_mib = (double)facts_heap_mib(app), enough = enough_mib(app);
    double cores_ms = (double)executors_cores_ms(&app->executors, app_end_ms(app));
    double hours = cores_ms / 3600000 / (double)facts_executor_cores(app);
    double saved = hours * (heap_mib - enough) / 1024; // GiB hours
    if (facts_is_local(app) || enough == 0 || enough >= heap_mib ||
        saved < SHRINK_LEAST_GIB_HOURS) {
        return;
    }
    char now[SPAN_TEXT_SIZE], then[SPAN_TEXT_SIZE], peak[SPAN_TEXT_SIZE];
    struct recommendation *r = advice_add(out, view, ADVICE_MEMORY);
    struct buf what = {0};
    buf_printf(&what,
               "Half the memory would do: give each executor %s of heap instead of %s. It costs "
               "less and takes as long.",
               span_format_bytes(enough * MIB, then), span_format_bytes(heap_mib * MIB, now));
    r->remedy_bytes = what.len;
    buf_printf(&what,
               " In this run: no executor was seen to use more than %s of its heap, nothing "
               "spilled, and garbage took %.1f %% of the run time.",
               span_format_bytes((double)app->peaks.heap_bytes, peak),
               100 * (double)app->totals.gc_ms / larger(1, (double)app->totals.run_ms));
    advice_set_bytes(r, SETTING_EXECUTOR_MEMORY, enough * MIB);
    r->action = mem_strdup(buf_text(&what));
    buf_fini(&what);
    advice_answers(r, NULL, 0);
    r->when_not = "Not if other runs of the pipeline have more data or keep more in memory.";
    snprintf(r->saving_how, sizeof r->saving_how,
             "no time: some %.0f GiB hours of memory that nothing used", saved);
}

static void recommend(const struct advice_view *view, struct advice *out) {
    struct answers answers = {0};
    answers_take(view, KIND_TASK_FAILURES, is_of_memory, &answers);
    answers_take(view, KIND_MEMORY_PRESSURE, is_pressure, &answers);
    answers_take(view, KIND_PIPELINE_FAILURE, is_drivers, &answers);
    if (answers.count > 0) {
        advise_more(view, &answers, out);
    } else if (has_plenty(view)) {
        advise_less(view, out);
    }
    answers_fini(&answers);
}

const struct advisor advisor_memory = {
    .name = "memory",
    .help = "how much heap, overhead, off-heap memory or driver memory would do, by which of them "
            "was short: at least max(4, 0.1 x GiB of data) GiB of heap, and what the run's tasks "
            "were seen to need; with Kryo, compression and adaptive execution; for "
            "memory_pressure and task_failures of memory, and for a driver that ran out of it; or "
            "that half would do, where heaps were seen to be more than half empty all the time",
    .advise = recommend,
};
