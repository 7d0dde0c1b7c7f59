// python_udf: rows are carried to Python workers one by one. Called through the detector table. Of
// the stages in which a SQL function in Python is handed single rows, the time in which the JVM
// waited for the workers is what the way there costs at most, the function's own work in it.
// Functions that are handed batches are the better way and never loud; programs on RDDs in Python
// are what they are.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"
#include "model/operator.h"

enum { SHARE, LEAST_S };
static const struct detector_threshold thresholds[] = {
    [SHARE] = {"share",
               "share of the Python stages' run time that is spent waiting for the workers", 0.3,
               0.01, 0.99, "chosen: healthy JVM stages wait for less on their own"},
    [LEAST_S] = {"least_s", "seconds of such waiting, over the slots, that are worth a word", 2, 0,
                 1e9, "chosen: what is shorter is not worth a change"},
};

// A worker's start is in the first tasks of an executor, and is no row's.
enum { START_MS = 1500 };

// Sums over the stages with Python.
struct waits {
    double stages, run_ms, wait_ms, saving_s;
};

static double wait_ms_of(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    double busy = (double)s->cpu_ns / 1e6 + (double)s->gc_ms + (double)stage->fetch_wait_ms +
                  (double)stage->shuffle_write_ns / 1e6;
    double started = (double)stage->cold_tasks * START_MS;
    return fmax(0, (double)s->run_ms - busy - started);
}

static void add(const struct stage *stage, struct waits *out) {
    double wait_ms = wait_ms_of(stage);
    out->stages++;
    out->run_ms += (double)stage->summary.run_ms;
    out->wait_ms += wait_ms;
    out->saving_s += cost_of_work(stage, wait_ms / 1000);
}

// By the plan of its execution, for stages whose RDDs tell nothing.
static int32_t works_of_plan(const struct app *app, const struct stage *stage) {
    for (uint32_t i = 0; i < app->plans.engine_count; i++) {
        if (stage->execution > 0 && app->plans.engines[i].execution == stage->execution - 1) {
            return app->plans.engines[i].python;
        }
    }
    return 0;
}

static struct waits look(const struct app *app, int32_t works, bool by_plan) {
    struct waits waits = {0};
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        int32_t has = by_plan ? works_of_plan(app, stage) : stage->works;
        if ((has & works) != 0 && stage_tells_cpu(stage)) {
            add(stage, &waits);
        }
    }
    return waits;
}

static void judge(const struct detector_view *view, struct verdict *out) {
    bool by_plan = look(view->app, WORK_PYTHON_SQL, false).stages == 0;
    struct waits waits = look(view->app, WORK_PYTHON_ROWS, by_plan);
    bool rows = waits.stages > 0;
    if (!rows) {
        waits = look(view->app, WORK_PYTHON_BATCHES, by_plan);
    }
    bool waited = waits.wait_ms > view->thresholds[SHARE] * waits.run_ms &&
                  waits.saving_s >= view->thresholds[LEAST_S];
    out->rule_met = waits.stages > 0 && waited ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    out->saving_s = fmin(waits.saving_s, app_duration_s(view->app));
    out->cap = rows ? SEVERITY_SEVERE : SEVERITY_LOW;
    char wait[SPAN_TEXT_SIZE], run[SPAN_TEXT_SIZE];
    verdict_evidence(out, "python_stages", waits.stages);
    verdict_evidence(out, "row_by_row", rows ? 1 : 0);
    verdict_evidence(out, "python_run_ms", waits.run_ms);
    verdict_evidence(out, "python_wait_ms", waits.wait_ms);
    verdict_evidence(out, "python_wait_share", waits.wait_ms / waits.run_ms);
    verdict_summary(
        out, "%s to Python workers, for which tasks waited %s of their %s in %.0f stage%s",
        rows ? "rows go one by one" : "rows go in batches", span_format_ms(waits.wait_ms, wait),
        span_format_ms(waits.run_ms, run), waits.stages, waits.stages == 1 ? "" : "s");
    verdict_doubt(out, by_plan ? CONFIDENCE_LOW : CONFIDENCE_MEDIUM,
                  by_plan ? "which of the stages run Python is not told"
                          : "the function's own work is part of the wait");
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Do not hand single rows to Python: use Spark's own functions where there is one (they stay "
     "in "
     "the JVM), else a pandas UDF or mapInPandas, which takes rows in batches by Arrow, or, from "
     "3.5, a Python UDF with useArrow=True (spark.sql.execution.pythonUDF.arrow.enabled). Filter "
     "and select columns before the function."},
};

const struct detector detector_python_udf = {
    .kind = KIND_PYTHON_UDF,
    .subject = SUBJECT_RUN,
    .live = true,
    .help = "rows are carried to Python workers and back",
    .rule =
        "over the stages in which SQL functions in Python are handed single rows (if there are "
        "none, batches): more than 0.3 of the run time is waiting, neither CPU, GC, fetch wait, "
        "shuffle write nor the workers' start (1.5 s for each first task), and 2 s and more",
    .unknown_when = "never: a run without such stages carries none",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelinePythonUdf",
    .alert_summary = "Pipeline carries its rows to Python one by one",
    .judge = judge,
};
