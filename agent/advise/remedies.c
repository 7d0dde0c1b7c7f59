// remedies: the general advice per kind of bottleneck, in the detector's own words for the cause of
// the worst one, followed by the numbers of this run; with the settings and lines that help, and
// when not to. Called through the table of advisors, behind those that have more to say of a kind:
// what they answer it leaves to them.
#include <stdio.h>
#include <string.h>

#include "advise/setting.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"

// What helps by a setting, for the worst of a kind.
typedef void set_fn(const struct app *app, const struct bottleneck *worst,
                    struct recommendation *r);

static bool hands_rows(const struct bottleneck *worst) {
    return facts_evidence(worst, "row_by_row") > 0;
}

static void set_arrow(const struct app *app, const struct bottleneck *worst,
                      struct recommendation *r) {
    if (setting_spark_of(app) >= 305 && hands_rows(worst)) {
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

// Words of the worst of a kind; NULL: it has none of that sort.
typedef const char *text_fn(const struct app *app, const struct bottleneck *worst);

static const char skew_code[] =
    "# PySpark: aggregate by key and salt (10 buckets), then by key; id differs within a key\n"
    "salt = F.expr(\"pmod(xxhash64(id), 10)\").alias(\"salt\")\n"
    "part = df.groupBy(\"key\", salt).agg(F.sum(\"x\").alias(\"x\"))\n"
    "out = part.groupBy(\"key\").agg(F.sum(\"x\").alias(\"x\"))\n"
    "-- SQL\n"
    "SELECT key, sum(x) FROM (SELECT key, sum(x) AS x FROM t\n"
    "  GROUP BY key, pmod(xxhash64(id), 10)) GROUP BY key\n";
static const char batches_code[] = "# PySpark: rows in batches, by Arrow\n"
                                   "@F.pandas_udf(\"double\")\n"
                                   "def f(x: pd.Series) -> pd.Series:\n"
                                   "    return x * 2  # whole columns, not rows\n"
                                   "# 3.5 and later, the function as it is\n"
                                   "f = F.udf(f, \"double\", useArrow=True)\n";

// Of what is no join nothing is said of joins.
static const char *skew_words(const struct app *app, const struct bottleneck *worst) {
    const struct stage *stage = app_stage(app, worst->stage, worst->stage_attempt);
    bool joins = stage == NULL || plans_joins_of(app, stage) != 0;
    return joins ? NULL
                 : "Spread the hot keys: salt them (append a small number to the key and aggregate "
                   "twice), or use a custom partitioner.";
}

static const char *python_words(const struct app *app, const struct bottleneck *worst) {
    (void)app;
    return hands_rows(worst) ? NULL
                             : "Rows are handed to Python in batches already: use Spark's own "
                               "functions where there is one, and filter and select columns before "
                               "the function; the rest is its own work.";
}

// On one machine nobody else has the slots: what the first stage waits for is the program's start.
static bool waits_for_start(const struct app *app, const struct bottleneck *worst) {
    return facts_is_local(app) && worst->cause == CAUSE_NONE && worst->stage == 0;
}

// Pods that are long in coming are another matter than slots that others have.
static bool waits_for_pods(const struct app *app, const struct bottleneck *worst) {
    enum { PODS_MS = 10000 };
    int64_t came_ms = app->executors.first_added_ms - app_start_ms(app);
    return str_is(app_property(app, PROPERTY_MASTER), "k8s") && worst->cause == CAUSE_NONE &&
           came_ms >= PODS_MS;
}

static const char *waiting_words(const struct app *app, const struct bottleneck *worst) {
    return waits_for_start(app, worst)
               ? "On one machine this is the program's start (classes are loaded, code is "
                 "generated), paid once: do more in one run, or let one session serve many."
           : waits_for_pods(app, worst)
               ? "The pods of its executors took so long to start: keep the image small and on the "
                 "nodes beforehand, ask for more of them at once "
                 "(spark.kubernetes.allocation.batch.size), or keep nodes ready for them."
               : NULL;
}

static const char *waiting_not(const struct app *app, const struct bottleneck *worst) {
    return waits_for_start(app, worst) ? "Not in a run of minutes: it hardly counts there." : NULL;
}

static const char *text_of_skew(const struct app *app, const struct bottleneck *worst) {
    (void)app, (void)worst;
    return skew_code;
}

static const char *text_of_python(const struct app *app, const struct bottleneck *worst) {
    (void)app;
    return hands_rows(worst) ? batches_code : NULL;
}

static const char *failures_not(const struct app *app, const struct bottleneck *worst) {
    (void)app;
    return worst->cause == CAUSE_USER_CODE
               ? "Not where the result is wrong without the record: then the run has to fail."
           : worst->cause == CAUSE_EXECUTOR_LOST || worst->cause == CAUSE_FETCH_FAILED
               ? "Not for losses that are planned, as of cheap nodes."
               : NULL;
}

static const char *python_not(const struct app *app, const struct bottleneck *worst) {
    (void)app;
    return hands_rows(worst)
               ? "Not where pandas and PyArrow are not installed on driver and executors."
               : NULL;
}

static const struct {
    set_fn *set;
    text_fn *words, *code, *not_if;
    const char *when_not; // whatever its cause
} more[KIND_COUNT] = {
    [KIND_DATA_SKEW] = {.words = skew_words,
                        .code = text_of_skew,
                        .when_not = "Not where a result needs all rows of a key at once: then make "
                                    "what is done with them cheaper."},
    [KIND_STRAGGLER] = {.set = set_copies,
                        .when_not = "Not more partitions or memory: the data is even."},
    [KIND_MEMORY_PRESSURE] = {.when_not = "Not where a node or queue has no room for it."},
    [KIND_SLOW_RUN] = {.when_not = "Not if the run may take that long."},
    [KIND_LOW_THROUGHPUT] = {.when_not = "Not if there are few records by nature."},
    [KIND_RESOURCE_CONTENTION] = {.words = waiting_words,
                                  .not_if = waiting_not,
                                  .when_not = "Not where the wait is cheaper than the slots."},
    [KIND_TASK_FAILURES] = {.not_if = failures_not},
    [KIND_DRIVER_BOUND] = {.when_not = "Not where the driver waits for somebody on purpose."},
    [KIND_SPECULATION_WASTE] = {.set = set_fewer_copies,
                                .when_not = "Not where hosts differ much: there copies pay."},
    [KIND_PYTHON_UDF] = {.set = set_arrow,
                         .words = python_words,
                         .code = text_of_python,
                         .not_if = python_not},
    [KIND_NATIVE_FALLBACK] = {.when_not = "Not for operators that the engine does not have."},
};

static const char *text_of(text_fn *text, const struct app *app, const struct bottleneck *worst) {
    return text != NULL ? text(app, worst) : NULL;
}

static void advise_kind(const struct advice_view *view, const struct answers *answers,
                        struct advice *out) {
    const struct bottleneck *worst = answers->list[0];
    struct recommendation *r = advice_add(out, view, advice_kind_of(worst->kind));
    struct buf what = {0};
    const char *words = text_of(more[worst->kind].words, view->app, worst);
    const char *code = text_of(more[worst->kind].code, view->app, worst);
    const char *not_if = text_of(more[worst->kind].not_if, view->app, worst);
    buf_add_text(&what, words != NULL ? words : detector_remedy(detector_of(worst->kind), worst));
    if (more[worst->kind].set != NULL) {
        more[worst->kind].set(view->app, worst, r);
    }
    r->code = code != NULL ? mem_strdup(code) : NULL;
    r->when_not = not_if != NULL ? not_if : more[worst->kind].when_not;
    char text[SPAN_TEXT_SIZE];
    snprintf(r->saving_how, sizeof r->saving_how,
             "sum over %u verdict%s of the time each one's cause cost at most, all advice together "
             "not more than the run (%s)",
             answers->count, answers->count == 1 ? "" : "s",
             span_format_seconds(view->duration_s, text));
    answers_finish(answers, &what, r);
}

// An advisor of the kind's own was asked before.
static bool is_said(const struct advice *advice, enum advice_kind kind) {
    for (uint32_t i = 0; i < advice->count; i++) {
        if (strcmp(advice->list[i].kind, advice_kind_name(kind)) == 0) {
            return true;
        }
    }
    return false;
}

static void recommend(const struct advice_view *view, struct advice *out) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct answers answers = {0};
        answers_take(view, (enum bottleneck_kind)kind, NULL, &answers);
        answers_leave_out(&answers, out);
        if (answers.count > 0 && !is_said(out, advice_kind_of((enum bottleneck_kind)kind))) {
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
