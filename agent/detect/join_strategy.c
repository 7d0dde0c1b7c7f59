// join_strategy: a join that costs more than it must: shuffled although one side could be
// broadcast, all pairs of rows, or far more rows than it was given. Called through the detector
// table. Judged by the final plan of each SQL execution, which state/plans.c keeps by its numbers,
// and, where there is no plan, by the RDDs of a stage. A plan that was never the last one, or a
// number that never came, is no finding.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"
#include "model/operator.h"

enum { SMALL_ROWS, BROADCAST_MIB, EXPLODES };
static const struct detector_threshold thresholds[] = {
    [SMALL_ROWS] = {"small_rows", "rows below which the smaller side of a join is small", 100000, 1,
                    (double)PLANS_SMALL_ROWS, "the base rule of join advice"},
    [BROADCAST_MIB] = {"broadcast_mib",
                       "MiB in memory up to which a small side is safe to send to every executor",
                       64, 0.01, 8192,
                       "chosen: Spark broadcasts up to 10 MB on its own, peers advise up to 100 MB "
                       "and more for large joins"},
    [EXPLODES] = {"explodes", "rows that come out over the rows of the larger side that go in", 10,
                  2, 1e9, "chosen: a join by a foreign key gives no more than its larger side"},
};

enum {
    MOVED_BYTES = 16 << 20, // shuffled by the larger side, below which it costs next to nothing
    PAIRED_ROWS = 10,       // of the smaller side: fewer are as good as a constant
    EXPLODED_ROWS = 1000000,
};

// What is wrong with one join.
struct found {
    struct join_over join;
    enum cause cause; // CAUSE_NONE: nothing
    double saving_s;
    bool doubtful_type; // nobody told which rows the join gives
    bool of_rdds;
};

static double least(double a, double b) {
    return a < b ? a : b;
}

static bool may_broadcast_left(int32_t type) {
    return type == JOIN_INNER || type == JOIN_RIGHT_OUTER || type == JOIN_UNKNOWN;
}

static bool may_broadcast_right(int32_t type) {
    return type != JOIN_RIGHT_OUTER && type != JOIN_FULL_OUTER;
}

static bool is_small(const struct detector_view *view, const struct join_side *side) {
    return side->rows >= 0 && (double)side->rows < view->thresholds[SMALL_ROWS] &&
           side->bytes >= 0 && (double)side->bytes <= view->thresholds[BROADCAST_MIB] * 1048576;
}

// To send the small side everywhere is worth it only if the large one moves more than that.
static bool moves_much(const struct join_side *large, const struct join_side *small) {
    return large->rows > small->rows && large->moved >= MOVED_BYTES && large->moved >= small->bytes;
}

static enum cause cause_of_shuffled(const struct detector_view *view, struct found *found) {
    const struct join_over *join = &found->join;
    const struct join_side *left = &join->left, *right = &join->right;
    bool by_right =
        may_broadcast_right(join->type) && is_small(view, right) && moves_much(left, right);
    bool by_left =
        may_broadcast_left(join->type) && is_small(view, left) && moves_much(right, left);
    found->doubtful_type = join->type == JOIN_UNKNOWN;
    return by_right || by_left ? CAUSE_BROADCASTABLE : CAUSE_NONE;
}

static bool explodes(const struct detector_view *view, const struct join_over *join) {
    double larger = fmax((double)join->left.rows, (double)join->right.rows);
    return join->left.rows >= 0 && join->right.rows >= 0 && join->out >= EXPLODED_ROWS &&
           (double)join->out > view->thresholds[EXPLODES] * larger;
}

// Few rows on one side, or none counted at all, which says nothing of them. Each task of a stage
// that makes all pairs reads a part of both sides, so no row is counted more often than there are
// tasks.
static bool pairs_many(const struct app *app, const struct join_over *join) {
    double smaller = least((double)join->left.rows, (double)join->right.rows);
    const struct stage *stage = app_stage(app, join->stage, join->attempt);
    bool again = join->way == JOIN_WAY_CARTESIAN && stage != NULL;
    double times = again ? fmax(1, (double)stage->summary.tasks) : 1;
    return smaller < 0 || smaller >= PAIRED_ROWS * times;
}

static void look(const struct detector_view *view, struct found *found) {
    const struct join_over *join = &found->join;
    found->saving_s = (double)join->cost_ms / 1000;
    found->cause = CAUSE_NONE;
    if (join->way == JOIN_WAY_CARTESIAN || join->way == JOIN_WAY_NESTED) {
        enum cause cause = join->way == JOIN_WAY_CARTESIAN ? CAUSE_CARTESIAN : CAUSE_NESTED_LOOP;
        found->cause = pairs_many(view->app, join) ? cause : CAUSE_NONE;
        return;
    }
    if (explodes(view, join)) {
        double larger = fmax((double)join->left.rows, (double)join->right.rows);
        found->cause = CAUSE_EXPLODING;
        found->saving_s *= 1 - larger / (double)join->out;
    } else if (join->way == JOIN_WAY_SHUFFLED) {
        found->cause = cause_of_shuffled(view, found);
    }
}

// What was found so far: the worst, and the sum over stages that differ.
struct sum {
    struct found worst;
    unsigned count;
    double saving_s;
    int32_t stages[PLANS_OVERS_MAX + PLANS_JOINS_MAX];
    unsigned stage_count;
};

static bool is_new_stage(struct sum *sum, int32_t stage) {
    for (unsigned i = 0; i < sum->stage_count; i++) {
        if (sum->stages[i] == stage) {
            return false;
        }
    }
    if (sum->stage_count < ARRAY_LEN(sum->stages)) {
        sum->stages[sum->stage_count++] = stage;
    }
    return true;
}

static void take(const struct detector_view *view, struct sum *sum, struct found found) {
    look(view, &found);
    if (found.cause == CAUSE_NONE) {
        return;
    }
    sum->count++;
    sum->saving_s += is_new_stage(sum, found.join.stage) ? found.saving_s : 0;
    if (sum->worst.cause == CAUSE_NONE || found.saving_s > sum->worst.saving_s) {
        sum->worst = found;
    }
}

// A stage that pairs RDDs and is of no plan.
static void take_rdds(const struct detector_view *view, struct sum *sum) {
    for (uint32_t i = 0; i < view->app->stage_count; i++) {
        const struct stage *stage = view->app->stages[i];
        if ((stage->works & WORK_CARTESIAN) == 0 || stage->execution != 0) {
            continue;
        }
        const struct join_side unknown = {-1, -1, -1};
        double cost_ms = least(1000 * cost_running_s(stage), (double)stage_wall_ms(stage));
        take(view, sum,
             (struct found){.join = {.execution = -1,
                                     .way = JOIN_WAY_CARTESIAN,
                                     .out = -1,
                                     .left = unknown,
                                     .right = unknown,
                                     .cost_ms = (int64_t)cost_ms,
                                     .stage = stage->summary.stage,
                                     .attempt = stage->summary.attempt,
                                     .final = true},
                            .of_rdds = true});
    }
}

static const char *rows_text(int64_t rows, char text[SPAN_TEXT_SIZE]) {
    return rows < 0 ? "?" : span_format_count((double)rows, text);
}

static void summarise(const struct found *found, struct verdict *out) {
    const struct join_over *join = &found->join;
    bool left_small = join->left.rows < join->right.rows;
    const struct join_side *small = left_small ? &join->left : &join->right;
    const struct join_side *large = left_small ? &join->right : &join->left;
    char a[SPAN_TEXT_SIZE], b[SPAN_TEXT_SIZE], c[SPAN_TEXT_SIZE], d[SPAN_TEXT_SIZE],
        cost[SPAN_TEXT_SIZE];
    span_format_seconds(found->saving_s, cost);
    if (found->of_rdds) {
        verdict_summary(out, "stage %d pairs all elements of two RDDs: up to %s", (int)join->stage,
                        cost);
    } else if (found->cause == CAUSE_BROADCASTABLE) {
        verdict_summary(out,
                        "SQL execution %lld shuffles %s rows (%s) to join them with %s rows (%s) "
                        "that every executor could hold: up to %s in stage %d",
                        (long long)join->execution, rows_text(large->rows, a),
                        span_format_bytes((double)large->moved, b), rows_text(small->rows, c),
                        span_format_bytes((double)small->bytes, d), cost, (int)join->stage);
    } else if (found->cause == CAUSE_EXPLODING) {
        verdict_summary(out,
                        "a join of SQL execution %lld makes %s rows of %s and %s: up to %s in "
                        "stage %d",
                        (long long)join->execution, rows_text(join->out, a),
                        rows_text(large->rows, b), rows_text(small->rows, c), cost,
                        (int)join->stage);
    } else {
        verdict_summary(out,
                        "SQL execution %lld compares %s rows with %s, as its tasks read them, %s: "
                        "up to %s in stage %d",
                        (long long)join->execution, rows_text(large->rows, a),
                        rows_text(small->rows, b),
                        found->cause == CAUSE_CARTESIAN ? "in all pairs" : "each with every other",
                        cost, (int)join->stage);
    }
}

static void tell(const struct sum *sum, struct verdict *out) {
    const struct found *worst = &sum->worst;
    const struct join_over *join = &worst->join;
    verdict_evidence(out, "execution", (double)join->execution);
    verdict_evidence(out, "join_stage", (double)join->stage);
    verdict_evidence(out, "left_rows", (double)join->left.rows);
    verdict_evidence(out, "right_rows", (double)join->right.rows);
    verdict_evidence(out, "left_bytes", (double)join->left.bytes);
    verdict_evidence(out, "right_bytes", (double)join->right.bytes);
    verdict_evidence(out, "left_shuffled_bytes", (double)join->left.moved);
    verdict_evidence(out, "right_shuffled_bytes", (double)join->right.moved);
    verdict_evidence(out, "rows_out", (double)join->out);
    verdict_evidence(out, "join_cost_ms", (double)join->cost_ms);
    verdict_evidence(out, "joins_found", (double)sum->count);
    summarise(worst, out);
    if (!join->final) {
        verdict_doubt(out, CONFIDENCE_LOW, "the final plan of the execution did not come");
    } else if (worst->cause == CAUSE_BROADCASTABLE && worst->doubtful_type) {
        // A hint on a side that may not be broadcast does no harm: Spark passes it over.
        verdict_doubt(out, CONFIDENCE_MEDIUM, "which rows the join gives is not told");
    } else if (worst->of_rdds) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "there is no plan, the rows are not counted");
    }
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct plans *plans = &view->app->plans;
    struct sum sum = {0};
    for (uint32_t i = 0; i < plans->over_count; i++) {
        take(view, &sum, (struct found){.join = plans->overs[i]});
    }
    for (uint32_t i = 0; i < plans->join_count; i++) {
        struct join_over now = plans_join_now(view->app, &plans->joins[i]);
        if (now.cost_ms > 0) {
            take(view, &sum, (struct found){.join = now});
        }
    }
    take_rdds(view, &sum);
    out->rule_met = sum.count > 0 ? TRI_TRUE : TRI_FALSE;
    if (sum.count > 0) {
        out->cause = sum.worst.cause;
        out->saving_s = sum.saving_s;
        tell(&sum, out);
    }
}

static const struct remedy remedies[] = {
    {CAUSE_BROADCASTABLE,
     "Broadcast the small side (a hint on it: broadcast(df), /*+ BROADCAST(t) */), so that the "
     "large side is joined where it is read and not shuffled."},
    {CAUSE_CARTESIAN,
     "Give the join an equality to join by: a key that both sides have, computed if need be (the "
     "day, a bucket of the number, a grid cell), with the rest of the condition behind it."},
    {CAUSE_NESTED_LOOP,
     "Give the join an equality to join by, beside its range or function: a bucket of the number "
     "or time that both sides compute; or, for NOT IN, an anti join on a column without nulls."},
    {CAUSE_EXPLODING,
     "Look at the keys of the join: is one missing, are there duplicates on the side that should "
     "have each key once, or nulls and defaults that meet each other? Remove or aggregate them "
     "before the join."},
    {CAUSE_NONE, "Look at how the join works: broadcast a small side, and join by an equality."},
};

const struct detector detector_join_strategy = {
    .kind = KIND_JOIN_STRATEGY,
    .subject = SUBJECT_RUN,
    .live = true,
    .help = "a join costs more than it must",
    .rule = "in the final plan of a SQL execution: both sides are shuffled (the larger one 16 MiB "
            "and more, and no less than the other has) and one has < 100,000 rows of <= 64 MiB and "
            "may be broadcast; all pairs of "
            "rows, or a nested loop (the smaller side has 10 rows and more); or > 10 rows out for "
            "each of the larger side, a million and more. Without a plan: a stage of "
            "`RDD.cartesian`",
    .unknown_when = "never: a run without such a join has none",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineJoinStrategy",
    .alert_summary = "Pipeline joins in a costly way",
    .judge = judge,
};
