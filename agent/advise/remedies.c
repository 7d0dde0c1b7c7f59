// remedies: the general advice per kind of bottleneck, in the detector's own words for the cause of
// the worst one, followed by the numbers of this run; with the settings and lines that help, and
// when not to. Called through the table of advisors, behind those that have more to say of a kind:
// what they answer it leaves to them.
#include <stdio.h>

#include "advise/setting.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"

enum { IDLE_TIMEOUT_MS = 60000 };

// What helps by a setting, for the worst of a kind.
typedef void set_fn(const struct app *app, const struct bottleneck *worst,
                    struct recommendation *r);

static void set_arrow(const struct app *app, const struct bottleneck *worst,
                      struct recommendation *r) {
    (void)worst;
    if (setting_spark_of(app) >= 305) {
        advice_set_bool(r, SETTING_SQL_PYTHON_UDF_ARROW_ENABLED, true);
    }
}

// Copies are made later, of fewer tasks, and of none that takes what a usual one does.
static void set_fewer_copies(const struct app *app, const struct bottleneck *worst,
                             struct recommendation *r) {
    const struct stage *stage = app_stage(app, worst->stage, worst->stage_attempt);
    advice_set_fraction(r, SETTING_SPECULATION_MULTIPLIER, 3);
    advice_set_fraction(r, SETTING_SPECULATION_QUANTILE, 0.9);
    if (stage != NULL && setting_spark_of(app) >= 302) {
        advice_set_ms(r, SETTING_SPECULATION_MIN_TASK_RUNTIME, 2 * stage->summary.mean_task_ms);
    }
}

// A copy elsewhere overtakes what a slow host holds up.
static void set_copies(const struct app *app, const struct bottleneck *worst,
                       struct recommendation *r) {
    if (worst->cause == CAUSE_SLOW_HOST && !facts_is_local(app)) {
        advice_set_bool(r, SETTING_SPECULATION, true);
    }
}

static void set_allocation(const struct app *app, const struct bottleneck *worst,
                           struct recommendation *r) {
    double most = facts_evidence(worst, "executors_added");
    double on = 0, service = 0;
    (void)setting_number(app, SETTING_DYNAMIC_ALLOCATION_ENABLED, &on);
    (void)setting_number(app, SETTING_SHUFFLE_SERVICE_ENABLED, &service);
    if (app_run_kind(app) == RUN_KIND_STREAM || (setting_spark_of(app) < 300 && service == 0)) {
        return; // its batches come and go faster, or shuffled data would go with its executor
    }
    if (on == 0) {
        advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_ENABLED, true);
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, 1);
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, most >= 1 ? most : 1);
    }
    if (service == 0) {
        advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_SHUFFLE_TRACKING_ENABLED, true);
    }
    advice_set_ms(r, SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, IDLE_TIMEOUT_MS);
}

static const struct {
    set_fn *set;
    const char *code, *when_not;
} more[KIND_COUNT] = {
    [KIND_DATA_SKEW] =
        {NULL,
         "# PySpark: aggregate by key and salt (10 buckets), then by key; id differs within a key\n"
         "salt = F.pmod(F.xxhash64(\"id\"), F.lit(10))\n"
         "part = df.groupBy(\"key\", salt.alias(\"salt\")).agg(F.sum(\"x\").alias(\"x\"))\n"
         "out = part.groupBy(\"key\").agg(F.sum(\"x\").alias(\"x\"))\n"
         "-- SQL\n"
         "SELECT key, sum(x) FROM (SELECT key, sum(x) AS x FROM t\n"
         "  GROUP BY key, pmod(xxhash64(id), 10)) GROUP BY key\n",
         "Not where a result needs all rows of a key at once: then make what is done with them "
         "cheaper."},
    [KIND_STRAGGLER] = {set_copies, NULL, "Not more partitions or memory: the data is even."},
    [KIND_MEMORY_PRESSURE] = {NULL, NULL, "Not where a node or queue has no room for it."},
    [KIND_NETWORK_OVERHEAD] = {NULL,
                               "# RDD in PySpark: combine before the shuffle\n"
                               "rdd.reduceByKey(add)  # not groupByKey().mapValues(sum)\n",
                               "Not where rows must move anyhow: a sort, or a join of two large "
                               "sides."},
    [KIND_SLOW_RUN] = {NULL, NULL, "Not if the run may take that long."},
    [KIND_LOW_THROUGHPUT] = {NULL, NULL, "Not if there are few records by nature."},
    [KIND_RESOURCE_CONTENTION] = {NULL, NULL, "Not where the wait is cheaper than the slots."},
    [KIND_TASK_FAILURES] = {NULL, NULL, "Not for losses that are planned, as of cheap nodes."},
    [KIND_DRIVER_BOUND] = {NULL, NULL, "Not where the driver waits for somebody on purpose."},
    [KIND_IDLE_EXECUTORS] = {set_allocation, NULL,
                             "Not where executors are kept warm for what comes next."},
    [KIND_SPECULATION_WASTE] = {set_fewer_copies, NULL,
                                "Not where hosts differ much: there copies pay."},
    [KIND_PYTHON_UDF] = {set_arrow,
                         "# PySpark: rows in batches, by Arrow\n"
                         "@F.pandas_udf(\"double\")\n"
                         "def f(x: pd.Series) -> pd.Series:\n"
                         "    return x * 2  # whole columns, not rows\n"
                         "# 3.5 and later, the function as it is\n"
                         "f = F.udf(f, \"double\", useArrow=True)\n",
                         "Not where pandas and PyArrow are not installed on driver and executors."},
    [KIND_NATIVE_FALLBACK] = {NULL, NULL, "Not for operators that the engine does not have."},
};

static void advise_kind(const struct advice_view *view, const struct answers *answers,
                        struct advice *out) {
    const struct bottleneck *worst = answers->list[0];
    struct recommendation *r = advice_add(out, view, advice_kind_of(worst->kind));
    struct buf what = {0};
    buf_add_text(&what, detector_remedy(detector_of(worst->kind), worst));
    if (more[worst->kind].set != NULL) {
        more[worst->kind].set(view->app, worst, r);
    }
    if (more[worst->kind].code != NULL) {
        r->code = mem_strdup(more[worst->kind].code);
    }
    r->when_not = more[worst->kind].when_not;
    char text[SPAN_TEXT_SIZE];
    snprintf(r->saving_how, sizeof r->saving_how,
             "sum over %u verdict%s of the time each one's cause cost at most, all advice together "
             "not more than the run (%s)",
             answers->count, answers->count == 1 ? "" : "s",
             span_format_seconds(view->duration_s, text));
    answers_finish(answers, &what, r);
}

static void recommend(const struct advice_view *view, struct advice *out) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct answers answers = {0};
        answers_take(view, (enum bottleneck_kind)kind, NULL, &answers);
        answers_leave_out(&answers, out);
        if (answers.count > 0) {
            advise_kind(view, &answers, out);
        }
        answers_fini(&answers);
    }
}

const struct advisor advisor_remedies = {
    .name = "remedies",
    .help = "what helps in general against a kind of bottleneck and its cause, with the numbers of "
            "the run; for every open bottleneck that no other advisor answers",
    .advise = recommend,
};
