// partitioning: one piece of advice on how the run's data is cut, whatever shows that it is cut
// badly: too few partitions, too many, too large ones. Called through the table of advisors, before
// the remedies, which leave to it what it answers. A setting is given only where it is known to
// make the partitions: what repartition and coalesce in the code ask for no setting changes.
#include <math.h>
#include <stdio.h>

#include "advise/advise.h"
#include "advise/setting.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/span.h"
#include "model/operator.h"

enum { STAGES_MAX = 3, TARGET_MAX = 1000, PARTITION = 128 << 20 };

static const enum bottleneck_kind kinds[] = {KIND_LOW_PARALLELISM, KIND_TINY_TASKS,
                                             KIND_OVERSIZED_PARTITIONS, KIND_SMALL_FILES};

// The open verdicts that it answers, those that cost most first.
struct cut {
    const struct bottleneck **verdicts; // owned
    uint32_t count;
};

static int dearer_first(const struct bottleneck *a, const struct bottleneck *b) {
    return a->saving_s > b->saving_s ? -1 : a->saving_s < b->saving_s;
}

static void collect(const struct advice_view *view, struct cut *out) {
    uint32_t cap = 0;
    *out = (struct cut){0};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        uint32_t count;
        const struct bottleneck *const *list = run_verdicts_of(view->verdicts, kinds[k], &count);
        for (uint32_t i = 0; i < count; i++) {
            if (!bottleneck_is_root(list[i])) {
                continue;
            }
            MEM_GROW(out->verdicts, out->count, cap);
            uint32_t at = out->count++;
            for (; at > 0 && dearer_first(list[i], out->verdicts[at - 1]) < 0; at--) {
                out->verdicts[at] = out->verdicts[at - 1];
            }
            out->verdicts[at] = list[i];
        }
    }
}

// Of the stage as far as it is still known.
struct measured {
    const struct stage *stage; // NULL: let go
    double tasks, bytes, slots;
    int64_t target; // partitions of 128 MiB, and at least one for each slot
};

static int64_t target_of(double bytes, double slots) {
    double by_size = fmax(1, floor(bytes / PARTITION));
    return (int64_t)fmin(TARGET_MAX, fmax(by_size, slots));
}

static struct measured measure(const struct app *app, const struct bottleneck *b) {
    const struct stage *stage = app_stage(app, b->stage, b->stage_attempt);
    struct measured m = {.stage = stage};
    if (stage != NULL) {
        m.tasks = (double)stage->summary.tasks;
        m.bytes = (double)stage->bytes;
        m.slots = (double)(stage->live_slots > 0 ? stage->live_slots : 1);
        m.target = target_of(m.bytes, m.slots);
    }
    return m;
}

// More than a fifth off.
static bool differs(const struct measured *m) {
    return fabs((double)m->target - m->tasks) > 0.2 * m->tasks;
}

// The first setting of a key is that of what costs most.
static void set_partitions(const struct advice_view *view, const struct measured *m,
                           struct recommendation *r) {
    const struct stage_summary *s = &m->stage->summary;
    bool shuffled = s->shuffle_read_bytes > s->input_bytes;
    double partitions, split;
    // As many as the setting says: it is what made them.
    if (shuffled && setting_number(view->app, SETTING_SQL_SHUFFLE_PARTITIONS, &partitions) &&
        (double)s->tasks_expected == partitions && differs(m)) {
        advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, (double)m->target);
    }
    bool by_size = !shuffled && (app_stage_works(view->app, m->stage) & WORK_FILES) != 0 &&
                   setting_number(view->app, SETTING_SQL_FILES_MAX_PARTITION_BYTES, &split) &&
                   split != PARTITION && fabs(m->bytes / fmax(1, m->tasks) - split) < 0.5 * split;
    if (by_size && differs(m)) {
        advice_set_bytes(r, SETTING_SQL_FILES_MAX_PARTITION_BYTES, PARTITION);
    }
}

// What helps, once for each kind and cause, the dearest first.
static void add_remedies(const struct app *app, const struct cut *cut, struct buf *out) {
    const char *told[ARRAY_LEN(kinds) * 3] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < cut->count && count < ARRAY_LEN(told); i++) {
        const struct bottleneck *b = cut->verdicts[i];
        const char *remedy = detector_remedy(detector_of(b->kind), b);
        struct measured m = measure(app, b);
        if (m.stage != NULL && b->kind == KIND_LOW_PARALLELISM && b->cause != CAUSE_UNSPLITTABLE &&
            (app_stage_works(app, m.stage) & WORK_READS) == WORK_JDBC) {
            remedy = "Read the database in parallel: the options partitionColumn, lowerBound, "
                     "upperBound and numPartitions, or predicates, one for each partition.";
        }
        uint32_t at = 0;
        while (at < count && told[at] != remedy) {
            at++;
        }
        if (at == count) {
            told[count++] = remedy;
            buf_add_text(out, count > 1 ? " " : "");
            buf_add_text(out, remedy);
        }
    }
}

// How many would fit the dearest stages: " 10 partitions fit stage 1 (4 slots, 1.2 GiB)."
static void add_targets(const struct app *app, const struct cut *cut, struct buf *out) {
    for (uint32_t i = 0; i < cut->count && i < STAGES_MAX; i++) {
        struct measured m = measure(app, cut->verdicts[i]);
        if (m.stage == NULL || !differs(&m)) {
            continue;
        }
        char bytes[SPAN_TEXT_SIZE];
        buf_printf(out, " %lld partitions fit stage %d (%.0f slot%s", (long long)m.target,
                   (int)cut->verdicts[i]->stage, m.slots, m.slots == 1 ? "" : "s");
        if (m.bytes > 0) {
            buf_printf(out, ", %s", span_format_bytes(m.bytes, bytes));
        }
        buf_add_text(out, ").");
    }
}

static void add_stages(const struct cut *cut, struct buf *out) {
    for (uint32_t i = 0; i < cut->count && i < STAGES_MAX; i++) {
        buf_add_text(out, i > 0 ? "; " : " In this run: ");
        buf_add_text(out, cut->verdicts[i]->summary);
    }
    if (cut->count > STAGES_MAX) {
        buf_printf(out, "; and %u more like these", cut->count - STAGES_MAX);
    }
    buf_add_char(out, '.');
}

static void recommend(const struct advice_view *view, struct advice *out) {
    struct cut cut;
    collect(view, &cut);
    if (cut.count > 0) {
        struct recommendation *r = advice_add(out, view, ADVICE_PARTITIONING);
        struct buf action = {0};
        advice_answers(r, cut.verdicts, cut.count);
        add_remedies(view->app, &cut, &action);
        add_targets(view->app, &cut, &action);
        r->remedy_bytes = action.len; // what follows stands in the verdicts
        add_stages(&cut, &action);
        r->action = mem_strdup(buf_text(&action));
        buf_fini(&action);
        for (uint32_t i = 0; i < cut.count; i++) {
            struct measured m = measure(view->app, cut.verdicts[i]);
            r->saving_s += cut.verdicts[i]->saving_s;
            if (m.stage != NULL && cut.verdicts[i]->cause != CAUSE_UNSPLITTABLE) {
                set_partitions(view, &m, r);
            }
        }
        snprintf(r->saving_how, sizeof r->saving_how,
                 "sum over %u stage%s of what it would take less, cut to fit its slots and data",
                 cut.count, cut.count == 1 ? "" : "s");
    }
    mem_free(cut.verdicts);
}

const struct advisor advisor_partitioning = {
    .name = "partitioning",
    .help =
        "how many partitions a stage's data should have: one for every 128 MiB, at least one for "
        "each slot, at most 1000; with the settings that made them, where those did; for "
        "low_parallelism, tiny_tasks, oversized_partitions and small_files",
    .advise = recommend,
};
