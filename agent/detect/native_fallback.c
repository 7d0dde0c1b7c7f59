// native_fallback: an engine beside Spark's own (Photon, Gluten, Comet, RAPIDS) gave a part of the
// work back to the JVM. Called through the detector table. How much is told by the operators of the
// executions' last plans, and by the time of the stages of these executions; what hands a result
// over at the end is no fallback. Silent where no such engine is.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

enum { SHARE };
static const struct detector_threshold thresholds[] = {
    [SHARE] = {"share", "share of the engine's executions' time that fell back to the JVM", 0.2,
               0.01, 0.99, "chosen: an operator or two of a plan fall back as a rule"},
};

// Over the executions in which such an engine works; those that hand rows to Python count, too, if
// there is one.
struct fallback {
    double native, jvm, transitions; // operators
    double all_s, jvm_s;             // of their stages
};

static void add_stages(const struct app *app, const struct plan_engine *engine,
                       struct fallback *out) {
    double share = (double)engine->jvm / ((double)engine->jvm + (double)engine->native);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        if (stage->execution > 0 && stage->execution - 1 == engine->execution) {
            double running_s = cost_running_s(stage);
            out->all_s += running_s;
            out->jvm_s += running_s * share;
        }
    }
}

static struct fallback look(const struct app *app) {
    struct fallback sum = {0};
    for (uint32_t i = 0; i < app->plans.engine_count; i++) {
        const struct plan_engine *engine = &app->plans.engines[i];
        sum.native += (double)engine->native;
        sum.jvm += (double)engine->jvm;
        sum.transitions += (double)engine->transitions;
        add_stages(app, engine, &sum);
    }
    return sum;
}

static void judge(const struct detector_view *view, struct verdict *out) {
    struct fallback sum = look(view->app);
    out->rule_met = sum.native > 0 && sum.jvm > 0 && sum.jvm_s > view->thresholds[SHARE] * sum.all_s
                        ? TRI_TRUE
                        : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    out->saving_s = fmin(sum.jvm_s, app_duration_s(view->app));
    out->cap = SEVERITY_MODERATE; // it would take time in the engine, too
    char jvm[SPAN_TEXT_SIZE], all[SPAN_TEXT_SIZE];
    verdict_evidence(out, "native_operators", sum.native);
    verdict_evidence(out, "jvm_operators", sum.jvm);
    verdict_evidence(out, "transitions", sum.transitions);
    verdict_evidence(out, "stages_s", sum.all_s);
    verdict_evidence(out, "jvm_s", sum.jvm_s);
    verdict_evidence(out, "jvm_share", sum.jvm_s / sum.all_s);
    verdict_summary(
        out,
        "%.0f of %.0f operators ran in the JVM and not in the native engine: about %s of "
        "%s",
        sum.jvm, sum.jvm + sum.native, span_format_seconds(sum.jvm_s, jvm),
        span_format_seconds(sum.all_s, all));
    verdict_doubt(out, CONFIDENCE_MEDIUM, "a stage's time is shared out by its plan's operators");
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "See why the engine gave operators back (spark.comet.explainFallback.enabled, "
     "spark.rapids.sql.explain=NOT_ON_GPU, Gluten's fallback reasons in the SQL tab, Photon's "
     "explanation in the query profile): functions and types it does not know, Python and Scala "
     "UDFs, row-based formats. Replace these, or turn the engine off where a plan changes sides "
     "many times."},
};

const struct detector detector_native_fallback = {
    .kind = KIND_NATIVE_FALLBACK,
    .subject = SUBJECT_RUN,
    .live = true,
    .help = "a native engine gave much of its work back to the JVM",
    .rule = "in executions with operators of Photon, Gluten, Comet or RAPIDS: of the stages' time, "
            "shared out by operators, more than 0.2 is the JVM's",
    .unknown_when = "never: a run without such an engine falls back nowhere",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineNativeFallback",
    .alert_summary = "Pipeline falls back from its native engine to the JVM",
    .judge = judge,
};
