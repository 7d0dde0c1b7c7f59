// partitioning: one piece of advice on how the run's data is cut, whatever shows that it is cut
// badly: too few partitions, too many, too large ones. Called through the table of advisors, behind
// input, which answers what no number of partitions helps, and before the remedies, which leave to
// it what it answers. A setting is given only where it is known to make the partitions; what
// repartition and coalesce in the code ask for no setting changes: then there are lines to write.
#include <math.h>
#include <stdio.h>

#include "advise/setting.h"
#include "advise/sizing.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"
#include "model/operator.h"

enum { STAGES_MAX = 3, SPARK_ADAPTIVE = 300 };

// Of the stage as far as it is still known.
struct measured {
    const struct stage *stage; // NULL: let go
    double tasks, bytes, slots;
    double target; // partitions by the formula, and at least one for each slot
};

static struct measured measure(const struct app *app, const struct bottleneck *b) {
    const struct stage *stage = app_stage(app, b->stage, b->stage_attempt);
    struct measured m = {.stage = stage};
    if (stage != NULL) {
        m.tasks = (double)stage->summary.tasks;
        m.bytes = (double)stage->bytes;
        m.slots = (double)(stage->live_slots > 0 ? stage->live_slots : 1);
        m.target = fmin(SIZING_PARTITIONS_MAX, fmax((double)sizing_partitions(m.bytes), m.slots));
    }
    return m;
}

// As many tasks as the parallelism of RDDs says: it is what made them.
static bool is_cut_by_parallelism(const struct app *app, const struct stage *stage) {
    double parallelism;
    return stage->execution == 0 && setting_told(app, SETTING_DEFAULT_PARALLELISM).len > 0 &&
           setting_number(app, SETTING_DEFAULT_PARALLELISM, &parallelism) &&
           (double)stage->summary.tasks_expected == parallelism;
}

// Splits of files that are what a setting other than Spark's own says.
static bool is_cut_by_splits(const struct app *app, const struct measured *m) {
    const struct stage_summary *s = &m->stage->summary;
    double split;
    return s->shuffle_read_bytes <= s->input_bytes &&
           (app_stage_works(app, m->stage) & WORK_FILES) != 0 &&
           setting_number(app, SETTING_SQL_FILES_MAX_PARTITION_BYTES, &split) &&
           split != SIZING_PARTITION_BYTES &&
           fabs(m->bytes / fmax(1, m->tasks) - split) < 0.5 * split;
}

// The first setting of a key is that of what costs most. False if none makes the partitions.
static bool set_partitions(const struct app *app, const struct bottleneck *b,
                           const struct measured *m, struct recommendation *r) {
    double adaptive;
    bool by_setting = facts_cut_by_setting(app, m->stage);
    if (by_setting && b->kind == KIND_TINY_TASKS && setting_spark_of(app) >= SPARK_ADAPTIVE &&
        setting_number(app, SETTING_SQL_ADAPTIVE_ENABLED, &adaptive) && adaptive == 0) {
        advice_set_bool(r, SETTING_SQL_ADAPTIVE_ENABLED, true);
        advice_set_bool(r, SETTING_SQL_ADAPTIVE_COALESCE_PARTITIONS_ENABLED, true);
    }
    if (by_setting) {
        advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, m->target);
    } else if (is_cut_by_parallelism(app, m->stage)) {
        advice_set_int(r, SETTING_DEFAULT_PARALLELISM, m->target);
        by_setting = true;
    } else if (is_cut_by_splits(app, m)) {
        advice_set_bytes(r, SETTING_SQL_FILES_MAX_PARTITION_BYTES, SIZING_PARTITION_BYTES);
        by_setting = true;
    }
    return by_setting;
}

static const char more_code[] = "# PySpark: before the expensive work, or before writing\n"
                                "df = df.repartition(@)\n"
                                "-- SQL\n"
                                "SELECT /*+ REPARTITION(@) */ ... FROM t\n";
static const char uncoalesced_code[] =
    "# PySpark: no coalesce in front of the work; what it was for, at writing\n"
    "df.repartition(@).write.format(fmt).save(path)\n"
    "-- SQL: likewise, in place of the hint COALESCE\n"
    "INSERT OVERWRITE t SELECT /*+ REPARTITION(@) */ ... FROM s\n";
static const char fewer_code[] = "# PySpark: behind the filter that leaves little, or at writing\n"
                                 "df = df.coalesce(@)\n"
                                 "-- SQL\n"
                                 "SELECT /*+ COALESCE(@) */ ... FROM t\n";

// Its tasks are as few as a coalesce asked for, not as what stands before it has partitions.
static bool is_coalesced(const struct bottleneck *b) {
    return b->kind == KIND_LOW_PARALLELISM && facts_evidence(b, "partitions_before_coalesce") >= 0;
}

// More partitions behind the coalesce would move all rows through its few tasks first.
static const char *coalesced_words(const struct bottleneck *b) {
    return is_coalesced(b)
               ? "The stage works behind a coalesce, which leaves it few tasks: leave it out. If "
                 "it "
                 "is for few files, repartition right at the write instead, which moves no more "
                 "than the result and lets the work before it keep its partitions."
               : NULL;
}

static char *lines_of(const struct bottleneck *b, const struct measured *m) {
    if (m->target < m->tasks) {
        return answers_code(fewer_code, m->target);
    }
    return is_coalesced(b) ? answers_code(uncoalesced_code, m->tasks)
                           : answers_code(more_code, m->target);
}

// What would change the dearest stages: settings, and lines for the first that none changes.
static void apply(const struct app *app, const struct answers *cut, struct recommendation *r) {
    for (uint32_t i = 0; i < cut->count; i++) {
        struct measured m = measure(app, cut->list[i]);
        if (m.stage == NULL || !sizing_differs(m.tasks, m.target)) {
            continue;
        }
        if (!set_partitions(app, cut->list[i], &m, r) && r->code == NULL) {
            r->code = lines_of(cut->list[i], &m);
        }
    }
}

// How many would fit the dearest stages: " 10 partitions fit stage 1 (4 slots, 1.2 GiB)."
static void add_targets(const struct app *app, const struct answers *cut, struct buf *out) {
    for (uint32_t i = 0; i < cut->count && i < STAGES_MAX; i++) {
        struct measured m = measure(app, cut->list[i]);
        if (m.stage == NULL || !sizing_differs(m.tasks, m.target)) {
            continue;
        }
        char bytes[SPAN_TEXT_SIZE];
        buf_printf(out, " %.0f partition%s stage %d (%.0f slot%s", m.target,
                   m.target == 1 ? " fits" : "s fit", (int)cut->list[i]->stage, m.slots,
                   m.slots == 1 ? "" : "s");
        if (m.bytes > 0) {
            buf_printf(out, ", %s", span_format_bytes(m.bytes, bytes));
        }
        buf_add_text(out, ").");
    }
}

static void recommend(const struct advice_view *view, struct advice *out) {
    static const enum bottleneck_kind kinds[] = {KIND_LOW_PARALLELISM, KIND_TINY_TASKS,
                                                 KIND_OVERSIZED_PARTITIONS};
    struct answers cut = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        answers_take(view, kinds[i], NULL, &cut);
    }
    answers_leave_out(&cut, out);
    if (cut.count > 0) {
        struct recommendation *r = advice_add(out, view, ADVICE_PARTITIONING);
        struct buf what = {0};
        answers_add_remedies(&cut, coalesced_words, &what);
        add_targets(view->app, &cut, &what);
        apply(view->app, &cut, r);
        r->when_not =
            r->setting_count > 0
                ? "Not if other stages that the setting cuts have far more data or far less."
            : is_coalesced(cut.list[0])
                ? "Not where one task must see all rows, in one order."
                : "Not if moving the rows costs more than the work that follows.";
        snprintf(r->saving_how, sizeof r->saving_how,
                 "sum over %u stage%s of what it would take less, cut to fit its slots and data",
                 cut.count, cut.count == 1 ? "" : "s");
        answers_finish(&cut, &what, r);
    }
    answers_fini(&cut);
}

const struct advisor advisor_partitioning = {
    .name = "partitioning",
    .help =
        "how many partitions a stage's data should have: one for every 128 MiB, at least one for "
        "each slot, at most 1000, where that is more than a fifth off; with the settings that made "
        "them, where those did, else with the lines to write; for low_parallelism, tiny_tasks and "
        "oversized_partitions",
    .advise = recommend,
};
