// join: what to do about a join that costs more than it must, with its numbers: a hint to broadcast
// the small side, an equality to join by. A threshold is set only where the user set none and the
// small side is beyond Spark's own; what the user set is named, not overridden. Called through the
// table of advisors; takes the place of the general advice on join_strategy.
#include <stdio.h>

#include "advise/advise.h"
#include "advise/setting.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/span.h"

enum { DEFAULT_MIB = 10, THRESHOLD_MIB_MAX = 128 };

// The smallest power of two of MiB that the small side fits in.
static double threshold_bytes(double bytes) {
    int mib = DEFAULT_MIB;
    for (int power = 16; bytes > mib * 1048576.0 && power <= THRESHOLD_MIB_MAX; power *= 2) {
        mib = power;
    }
    return mib * 1048576.0;
}

static void advise_broadcast(const struct advice_view *view, const struct bottleneck *verdict,
                             struct recommendation *r, struct buf *action) {
    double left = bottleneck_number(verdict, "left_rows"),
           right = bottleneck_number(verdict, "right_rows");
    double bytes = bottleneck_number(verdict, left < right ? "left_bytes" : "right_bytes");
    const char *side = left < right ? "left" : "right";
    struct str set = setting_told(view->app, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD);
    buf_printf(action,
               " It is the %s side of the join: df.join(broadcast(small), ...) of "
               "pyspark.sql.functions or org.apache.spark.sql.functions, or SELECT /*+ "
               "BROADCAST(small) */ in SQL, where small is its name.",
               side);
    if (set.len > 0) {
        buf_add_text(action, " spark.sql.autoBroadcastJoinThreshold is set to ");
        buf_add_str(action, set);
        buf_add_text(action, " here; the hint holds nevertheless, so it can stay.");
    } else if (bytes > DEFAULT_MIB * 1048576.0) {
        advice_set_bytes(r, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, threshold_bytes(bytes));
    }
}

static char *action_of(const struct advice_view *view, const struct bottleneck *verdict,
                       struct recommendation *r) {
    struct buf action = {0};
    buf_add_text(&action, detector_remedy(detector_of(KIND_JOIN_STRATEGY), verdict));
    if (verdict->cause == CAUSE_BROADCASTABLE) {
        advise_broadcast(view, verdict, r, &action);
    }
    r->remedy_bytes = action.len; // what follows stands in the verdict
    buf_add_text(&action, " In this run: ");
    buf_add_text(&action, verdict->summary);
    buf_add_char(&action, '.');
    char *text = mem_strdup(buf_text(&action));
    buf_fini(&action);
    return text;
}

static void recommend(const struct advice_view *view, struct advice *out) {
    uint32_t count;
    const struct bottleneck *const *verdicts =
        run_verdicts_of(view->verdicts, KIND_JOIN_STRATEGY, &count);
    if (count == 0 || !bottleneck_is_root(verdicts[0])) {
        return;
    }
    struct recommendation *r = advice_add(out, view, ADVICE_JOIN);
    advice_answers(r, verdicts, count);
    r->action = action_of(view, verdicts[0], r);
    r->saving_s = verdicts[0]->saving_s;
    snprintf(r->saving_how, sizeof r->saving_how,
             "the time of the stages that join, by their own tasks, at most: part of it stays");
}

const struct advisor advisor_join = {
    .name = "join",
    .help = "a broadcast hint where one side of a shuffled join is small, with a threshold where "
            "the user set none; otherwise an equality to join by, or a look at the keys; for the "
            "costliest join of the run",
    .advise = recommend,
};
