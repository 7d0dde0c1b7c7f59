// join: what to do about a join that costs more than it must, with its numbers: a hint to broadcast
// the small side; adaptive execution for a key that has far more rows than others, where it can
// split its partition, and salting; an equality to join by. Called through the table of advisors.
// The lines to write are given with it: which table of the code it is only its author knows.
#include <math.h>
#include <stdio.h>

#include "advise/join_code.h"
#include "advise/setting.h"
#include "advise/sizing.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"
#include "model/operator.h"

enum { THRESHOLD_MIB_MAX = 128, SPARK_ADAPTIVE = 300, SPARK_FORCED = 303 };
#define MIB 1048576.0
#define HOT_SHARE 0.1 // of a stage's rows in one partition: a key that salting spreads

// The smallest power of two of MiB that the small side fits in.
static double threshold_bytes(double bytes) {
    double threshold = 16 * MIB;
    while (bytes > threshold && threshold < THRESHOLD_MIB_MAX * MIB) {
        threshold *= 2;
    }
    return threshold;
}

// --- one side is small, or there is no equality ---

static const char broadcast_code[] =
    "# PySpark\n"
    "out = big.join(F.broadcast(small), \"key\")\n"
    "-- SQL\n"
    "SELECT /*+ BROADCAST(small) */ ... FROM big JOIN small ON ...\n";

const char *join_broadcast_code(void) {
    return broadcast_code;
}

static const char bucket_code[] =
    "# PySpark: join by a bucket of the range, which both sides compute\n"
    "a = a.withColumn(\"b\", F.expr(\"floor(t / 3600)\"))\n"
    "r = r.withColumn(\"b\", F.explode(F.expr(\"sequence(floor(lo / 3600), floor(hi / 3600))\")))\n"
    "out = a.join(r, \"b\").where(\"t BETWEEN lo AND hi\")\n"
    "-- SQL\n"
    "SELECT ... FROM a JOIN (SELECT *, explode(sequence(floor(lo / 3600), floor(hi / 3600))) AS b\n"
    "  FROM r) r ON floor(a.t / 3600) = r.b AND a.t BETWEEN r.lo AND r.hi\n";

static void advise_broadcast(const struct app *app, const struct bottleneck *verdict,
                             struct recommendation *r, struct buf *what) {
    double left = facts_evidence(verdict, "left_rows"),
           right = facts_evidence(verdict, "right_rows");
    double bytes = facts_evidence(verdict, left < right ? "left_bytes" : "right_bytes");
    struct str set = setting_told(app, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD);
    double own, adaptive;
    buf_printf(what, " It is the %s side of the join.", left < right ? "left" : "right");
    if (set.len > 0) {
        buf_add_text(what, " spark.sql.autoBroadcastJoinThreshold is set to ");
        buf_add_str(what, set);
        buf_add_text(what, " here; the hint holds nevertheless, so it can stay.");
    } else if (setting_number(app, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, &own) &&
               bytes > own) {
        advice_set_bytes(r, SETTING_SQL_AUTO_BROADCAST_JOIN_THRESHOLD, threshold_bytes(bytes));
    }
    // Adaptive execution sees how small it is, whatever was estimated.
    if (setting_spark_of(app) >= SPARK_ADAPTIVE &&
        setting_number(app, SETTING_SQL_ADAPTIVE_ENABLED, &adaptive) && adaptive == 0) {
        advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
    }
    r->code = mem_strdup(broadcast_code);
    r->when_not = "Not if the small side may grow beyond what every executor and the driver can "
                  "hold.";
}

static void advise_strategy(const struct app *app, const struct bottleneck *verdict,
                            struct recommendation *r, struct buf *what) {
    buf_add_text(what, what->len > 0 ? " " : "");
    buf_add_text(what, detector_remedy(detector_of(KIND_JOIN_STRATEGY), verdict));
    if (verdict->cause == CAUSE_BROADCASTABLE) {
        advise_broadcast(app, verdict, r, what);
    } else if (verdict->cause == CAUSE_CARTESIAN || verdict->cause == CAUSE_NESTED_LOOP) {
        r->code = mem_strdup(bucket_code);
        r->when_not = "Not where all pairs are what is wanted.";
    } else {
        r->when_not = "Not where so many rows are what is wanted.";
    }
}

// --- one key has far more rows than the others ---

static const char salt_code[] =
    "# PySpark: 10 buckets; big has the hot key, id differs within it\n"
    "salts = spark.range(10).withColumnRenamed(\"id\", \"salt\")\n"
    "big = big.withColumn(\"salt\", F.expr(\"pmod(xxhash64(id), 10)\"))\n"
    "out = big.join(other.crossJoin(salts), [\"key\", \"salt\"]).drop(\"salt\")\n"
    "-- SQL\n"
    "SELECT ... FROM big JOIN (SELECT o.*, s.id AS salt FROM other o CROSS JOIN range(10) s) o\n"
    "  ON big.key = o.key AND pmod(xxhash64(big.id), 10) = o.salt\n";

const char *join_salt_code(void) {
    return salt_code;
}

struct skew {
    double share;       // of the stage's rows that one task had
    double bytes, rest; // of such a task, and of the others
    bool splittable;    // adaptive execution may split a side of the join
};

// A full outer join keeps the rows of both sides: neither may be split.
static struct skew skew_of(const struct app *app, const struct bottleneck *b) {
    const struct stage *stage = app_stage(app, b->stage, b->stage_attempt);
    unsigned joins = stage != NULL ? plans_joins_of(app, stage) : 0;
    double records = stage != NULL ? (double)stage->records : 0;
    return (struct skew){
        .share = records > 0 ? facts_evidence(b, "slow_task_records") / records : 0,
        .bytes = facts_evidence(b, "slow_task_bytes"),
        .rest = facts_evidence(b, "other_task_bytes"),
        .splittable =
            (joins & ~(1u << JOIN_FULL_OUTER)) != 0 && setting_spark_of(app) >= SPARK_ADAPTIVE,
    };
}

static bool is_skewed_join(const struct app *app, const struct bottleneck *b) {
    const struct stage *stage = app_stage(app, b->stage, b->stage_attempt);
    if (b->cause != CAUSE_DATA || stage == NULL || plans_joins_of(app, stage) == 0) {
        return false;
    }
    struct skew skew = skew_of(app, b);
    return skew.splittable || skew.share > HOT_SHARE;
}

// The largest power of two of MiB that is no more, at least 1.
static double whole_mib(double bytes) {
    return MIB * exp2(floor(log2(fmax(1, bytes / MIB))));
}

// Spark splits what is both so many times the median and so large; it leaves what would need
// another shuffle behind the join. True if it was to do so in this run already.
static bool set_splitting(const struct app *app, const struct skew *skew,
                          struct recommendation *r) {
    double adaptive = 0, on = 0, factor = 5, threshold = 256 * MIB, size = 64 * MIB;
    (void)setting_number(app, SETTING_SQL_ADAPTIVE_ENABLED, &adaptive);
    (void)setting_number(app, SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED, &on);
    (void)setting_number(app, SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_FACTOR, &factor);
    (void)setting_number(app, SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, &threshold);
    (void)setting_number(app, SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE, &size);
    double side = skew->bytes / 2; // of the two that it joins
    bool large = side > threshold && skew->bytes > factor * skew->rest;
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
    advice_set_bool(r, SETTING_SQL_ADAPTIVE_SKEW_JOIN_ENABLED, true);
    if (side <= threshold) {
        advice_set_bytes(r, SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_THRESHOLD, whole_mib(side / 2));
    }
    if (skew->bytes <= 1.5 * factor * skew->rest && factor > 2) {
        advice_set_fraction(r, SETTING_SQL_ADAPTIVE_SKEWED_PARTITION_FACTOR, 2);
    }
    if (side < 2 * size) {
        advice_set_bytes(r, SETTING_SQL_ADAPTIVE_ADVISORY_PARTITION_SIZE,
                         whole_mib(fmax(skew->rest / 2, side / SIZING_SALTS)));
    }
    bool was_to = adaptive != 0 && on != 0 && large;
    if (was_to && setting_spark_of(app) >= SPARK_FORCED) {
        advice_set_bool(r, SETTING_SQL_ADAPTIVE_FORCE_SKEW_JOIN, true);
    }
    return was_to;
}

static void advise_skew(const struct app *app, const struct bottleneck *b, struct recommendation *r,
                        struct buf *what) {
    struct skew skew = skew_of(app, b);
    bool salts = skew.share > HOT_SHARE; // both at once would pay for the copies of the other side
    char hot[SPAN_TEXT_SIZE], rest[SPAN_TEXT_SIZE];
    buf_add_text(what, what->len > 0 ? " " : "");
    if (skew.splittable) {
        buf_printf(what,
                   "Let adaptive execution split the partitions of the join in stage %d that have "
                   "%s, where the others have %s%s.",
                   (int)b->stage, span_format_bytes(skew.bytes, hot),
                   span_format_bytes(skew.rest, rest),
                   salts ? "; where it cannot, salt the hot key instead" : "");
        salts = set_splitting(app, &skew, r) && salts;
    } else {
        buf_printf(what, "Salt the hot key of the join in stage %d with %d buckets.", (int)b->stage,
                   SIZING_SALTS);
    }
    if (skew.share > HOT_SHARE) {
        buf_printf(what, " One task had %.0f %% of the rows.", 100 * skew.share);
    }
    if (salts && r->code == NULL) {
        r->code = mem_strdup(salt_code);
    }
    if (r->when_not == NULL) {
        r->when_not = "Do not salt where unmatched rows of the other side are kept: its copies "
                      "would be kept, too.";
    }
}

static void recommend(const struct advice_view *view, struct advice *out) {
    struct answers strategy = {0}, skew = {0}, all = {0};
    answers_take(view, KIND_JOIN_STRATEGY, NULL, &strategy);
    answers_take(view, KIND_DATA_SKEW, is_skewed_join, &skew);
    answers_take(view, KIND_JOIN_STRATEGY, NULL, &all);
    answers_take(view, KIND_DATA_SKEW, is_skewed_join, &all);
    if (all.count > 0) {
        struct recommendation *r = advice_add(out, view, ADVICE_JOIN);
        struct buf what = {0};
        if (strategy.count > 0) {
            advise_strategy(view->app, strategy.list[0], r, &what);
        }
        if (skew.count > 0) {
            advise_skew(view->app, skew.list[0], r, &what);
        }
        snprintf(r->saving_how, sizeof r->saving_how, "%s",
                 strategy.count > 0
                     ? "the time of the stages that join, by their own tasks, at most: part of it "
                       "stays"
                     : "what the slow tasks took beyond the others, while their slots were idle");
        answers_finish(&all, &what, r);
    }
    answers_fini(&strategy);
    answers_fini(&skew);
    answers_fini(&all);
}

const struct advisor advisor_join = {
    .name = "join",
    .help = "a broadcast hint where one side of a shuffled join is small, with a threshold where "
            "the user set none; adaptive skew join where one partition has far more than the "
            "others and Spark can split it, and salting with 10 buckets where it has more than a "
            "tenth of the rows; else an equality to join by, or a look at the keys; for the "
            "costliest join of the run and the most skewed one",
    .advise = recommend,
};
