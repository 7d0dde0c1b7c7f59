// shuffle: what to do about rows that move between stages though they need not: combined before
// they are sent, serialised in fewer bytes; for network_overhead, and where a program of RDDs
// groups by key, which sends every row. Called through the table of advisors, before the remedies.
// Grouping is told by the name that Spark gives the stage, its call in the program; what is done
// with the groups no event tells, so that it says what it holds for.
#include <math.h>
#include <stdio.h>

#include "advise/setting.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "detect/cost.h"
#include "facts.h"

enum { LEAST_S = 2 };    // what groups cost less is not worth a change
#define LEAST_SHARE 0.05 // of the run's time, likewise
#define SAME_BYTES 0.01  // what one stage wrote and another read differ by no more

// Shuffled by the JVM as objects, not as rows of SQL or bytes of Python.
static bool shuffles_objects(const struct app *app) {
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        if (stage->execution == 0 && !stage->python && stage->summary.shuffle_write_bytes > 0) {
            return true;
        }
    }
    return false;
}

static bool has_sql(const struct app *app) {
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (app->stages[i]->execution > 0) {
            return true;
        }
    }
    return false;
}

static void set_lean(const struct app *app, struct recommendation *r) {
    if (shuffles_objects(app)) {
        advice_set_text(r, SETTING_SERIALIZER, "org.apache.spark.serializer.KryoSerializer");
    }
    advice_set_bool(r, SETTING_SHUFFLE_COMPRESS, true);
}

// --- groups of RDDs ---

// What the program's calls of groupByKey came to.
struct groups {
    const struct stage *dearest; // that sends what it groups; NULL: there is none
    uint32_t stages;             // that do
    double bytes, cost_s;        // cost: of sending, and of all that was done with what was sent
};

static bool groups_by_key(const struct stage *stage) {
    return str_starts(str_of(stage->summary.name), STR("groupByKey at ")) &&
           stage->summary.shuffle_write_bytes > 0;
}

// It reads what the other wrote, nothing else and all of it.
static bool reads_all_of(const struct stage *stage, const struct stage *writer) {
    double wrote = (double)writer->summary.shuffle_write_bytes;
    double read = (double)stage->summary.shuffle_read_bytes;
    return stage != writer && stage->summary.submitted_ms >= writer->summary.submitted_ms &&
           fabs(read - wrote) <= SAME_BYTES * wrote;
}

// Combined, a key is a row for each task that sends: what is sent and read is all but gone.
static double cost_s(const struct app *app, const struct stage *writer) {
    double sum_s = cost_of_work(writer, (double)writer->shuffle_write_ns / 1e9);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        if (reads_all_of(stage, writer)) {
            sum_s += cost_of_work(stage, (double)stage->task_ms / 1000);
        }
    }
    return sum_s;
}

static struct groups look(const struct app *app) {
    struct groups groups = {0};
    double most_s = -1;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        if (groups_by_key(stage)) {
            double own_s = cost_s(app, stage);
            groups.stages++;
            groups.bytes += (double)stage->summary.shuffle_write_bytes;
            groups.cost_s += own_s;
            groups.dearest = own_s > most_s ? stage : groups.dearest;
            most_s = fmax(most_s, own_s);
        }
    }
    return groups;
}

static bool is_worth_it(const struct advice_view *view, const struct groups *groups) {
    return groups->dearest != NULL && groups->cost_s >= LEAST_S &&
           groups->cost_s >= LEAST_SHARE * view->duration_s;
}

static void say_groups(const struct groups *groups, struct buf *out) {
    const struct stage *stage = groups->dearest;
    char bytes[SPAN_TEXT_SIZE], records[SPAN_TEXT_SIZE];
    buf_printf(out, "Combine before the shuffle: stage %d groups by key (",
               (int)stage->summary.stage);
    buf_add_printable(out, str_of(stage->summary.name));
    buf_printf(out, "), which sends every row, %s here", span_format_bytes(groups->bytes, bytes));
    if (stage->records > 0) {
        buf_printf(out, " of %s read", span_format_count((double)stage->records, records));
    }
    buf_add_text(out, "; where its values are added up, counted or the like, reduceByKey or "
                      "aggregateByKey sends one row for each key and task.");
}

// --- what is said ---

static const char combine_code[] = "# RDD in PySpark: combine before the shuffle\n"
                                   "rdd.reduceByKey(add)  # not groupByKey().mapValues(sum)\n";
static const char aggregate_code[] =
    "# PySpark: aggregate before the join; no repartition or orderBy that nothing uses\n"
    "few = b.groupBy(\"key\").agg(F.sum(\"x\").alias(\"x\"))\n"
    "out = a.join(few, \"key\")\n"
    "-- SQL\n"
    "SELECT ... FROM a JOIN (SELECT key, sum(x) AS x FROM b GROUP BY key) b ON a.key = b.key\n";

static void recommend(const struct advice_view *view, struct advice *out) {
    struct answers answers = {0};
    answers_take(view, KIND_NETWORK_OVERHEAD, NULL, &answers);
    struct groups groups = look(view->app);
    bool grouped = is_worth_it(view, &groups);
    if (answers.count + grouped > 0) {
        struct recommendation *r = advice_add(out, view, advice_kind_of(KIND_NETWORK_OVERHEAD));
        struct buf what = {0};
        if (grouped) {
            say_groups(&groups, &what);
        }
        answers_add_remedies(&answers, NULL, &what);
        set_lean(view->app, r);
        r->code = mem_strdup(grouped || !has_sql(view->app) ? combine_code : aggregate_code);
        r->when_not =
            grouped && answers.count == 0
                ? "Not where all values of a key are needed at once: a sort of them, a "
                  "list."
                : "Not where rows must move anyhow: a sort, or a join of two large sides.";
        r->saving_s = grouped ? fmax(groups.cost_s, answers.saving_s) : 0;
        snprintf(r->saving_how, sizeof r->saving_how,
                 grouped
                     ? "the writing of what was grouped, and all of the stages that read it, at "
                       "most: what they do besides stays"
                     : "the time of the run's stages that moving took, at most, for what is "
                       "above what would be usual");
        answers_finish(&answers, &what, r);
    }
    answers_fini(&answers);
}

const struct advisor advisor_shuffle = {
    .name = "shuffle",
    .help =
        "to combine rows before they are shuffled, and Kryo for what the JVM shuffles as "
        "objects; for network_overhead, and for groupByKey of RDDs, where what it sent cost 2 s "
        "and a twentieth of the run at least",
    .advise = recommend,
};
