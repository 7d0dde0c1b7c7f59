// roots: the table of what explains what, and how it is applied. Called by engine; a pair of kinds
// is one row, with what must be true of the stage's sums for it to hold.
#include "detect/roots.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

// A set of causes; 0 is any.
#define CAUSE_SET(cause) (UINT64_C(1) << (cause))
#define OF_MEMORY (CAUSE_SET(CAUSE_OOM) | CAUSE_SET(CAUSE_CONTAINER_KILLED))
#define OF_ONE_PARTITION (CAUSE_SET(CAUSE_SINGLE_PARTITION) | CAUSE_SET(CAUSE_UNSPLITTABLE))
#define NOT_DATA (~CAUSE_SET(CAUSE_DATA))

static const double most = 0.5; // of what the slow tasks must have for it to be theirs

// Sums over those of the slowest tasks that took longer than the mean.
struct slow_share {
    double tasks, spill_bytes, gc_ms;
};

static struct slow_share slow_share_of(const struct stage *stage) {
    struct slow_share sum = {0};
    const struct stage_detail *detail = stage->detail;
    for (uint32_t i = 0; detail != NULL && i < detail->slow_count; i++) {
        const struct stage_task *task = &detail->slow[i];
        if ((double)task->duration_ms > stage->summary.mean_task_ms) {
            sum.tasks++;
            sum.spill_bytes += (double)task->spill_bytes;
            sum.gc_ms += (double)task->gc_ms;
        }
    }
    return sum;
}

// A few tasks spilled most of what was spilled: those that have too much data.
static bool slow_ones_spilled(const struct stage *stage) {
    struct slow_share slow = slow_share_of(stage);
    double all =
        (double)stage->summary.memory_spilled_bytes + (double)stage->summary.disk_spilled_bytes;
    return slow.spill_bytes > 0 && slow.spill_bytes >= most * all &&
           slow.tasks <= most * (double)stage->summary.tasks;
}

static bool slow_ones_collected(const struct stage *stage) {
    struct slow_share slow = slow_share_of(stage);
    return slow.gc_ms > 0 && slow.gc_ms >= most * (double)stage->summary.gc_ms &&
           slow.tasks <= most * (double)stage->summary.tasks;
}

// Most tasks spilled: there is too much for each, not for a few.
static bool most_spilled(const struct stage *stage) {
    return (double)stage->spill_task_ms > most * (double)stage->task_ms;
}

// Tasks wait one by one, and the stage as a whole does not.
static bool waits_to_be_launched(const struct stage *stage) {
    return (double)stage_wait_ms(stage) * (double)stage->slots < most * (double)stage->delay_ms;
}

static const struct root_row {
    enum bottleneck_kind root;
    uint64_t root_causes;
    enum bottleneck_kind explained;
    uint64_t causes;
    bool (*when)(const struct stage *stage); // NULL: always
    bool same_loss;       // both measure one loss: the root takes the larger figure, and its floor
    const char *words;    // what of it the root names; NULL: it is the same thing
    const char *evidence; // name of its saving among the root's numbers
} rows[] = {
    // One rule, two verdicts: not the data.
    {KIND_STRAGGLER, 0, KIND_DATA_SKEW, NOT_DATA, NULL, false, NULL, NULL},
    {KIND_DATA_SKEW, CAUSE_SET(CAUSE_DATA), KIND_MEMORY_PRESSURE, CAUSE_SET(CAUSE_SPILL),
     slow_ones_spilled, false, "its spill", "explained_spill_s"},
    {KIND_DATA_SKEW, CAUSE_SET(CAUSE_DATA), KIND_MEMORY_PRESSURE, CAUSE_SET(CAUSE_GC),
     slow_ones_collected, false, "its garbage collection", "explained_gc_s"},
    // The failed attempts carry what it cost.
    {KIND_TASK_FAILURES, OF_MEMORY, KIND_MEMORY_PRESSURE, OF_MEMORY, NULL, true, NULL, NULL},
    // A heap that is too small, or garbage that a few tasks make: whichever costs more.
    {KIND_MEMORY_PRESSURE, CAUSE_SET(CAUSE_GC), KIND_STRAGGLER, CAUSE_SET(CAUSE_GC), NULL, false,
     "its uneven tasks", "explained_straggler_s"},
    {KIND_STRAGGLER, CAUSE_SET(CAUSE_GC), KIND_MEMORY_PRESSURE, CAUSE_SET(CAUSE_GC), NULL, false,
     "its garbage collection", "explained_gc_s"},
    // A copy of a task that has too much data takes as long.
    {KIND_DATA_SKEW, CAUSE_SET(CAUSE_DATA), KIND_SPECULATION_WASTE, 0, NULL, false,
     "its useless copies", "explained_copies_s"},
    // Nobody works while the driver does.
    {KIND_DRIVER_BOUND, 0, KIND_IDLE_EXECUTORS, 0, NULL, false, "its idle executors",
     "explained_idle_executors_s"},
    // One partition holds what many would, and does the work of many.
    {KIND_LOW_PARALLELISM, OF_ONE_PARTITION, KIND_MEMORY_PRESSURE,
     CAUSE_SET(CAUSE_SPILL) | CAUSE_SET(CAUSE_GC), NULL, false, "its spill or garbage collection",
     "explained_memory_s"},
    {KIND_LOW_PARALLELISM, 0, KIND_OVERSIZED_PARTITIONS, 0, NULL, false, "its large partitions",
     "explained_oversized_s"},
    {KIND_MEMORY_PRESSURE, CAUSE_SET(CAUSE_SPILL), KIND_OVERSIZED_PARTITIONS, 0, most_spilled,
     false, "its large partitions", "explained_oversized_s"},
    {KIND_TINY_TASKS, 0, KIND_RESOURCE_CONTENTION, 0, waits_to_be_launched, false,
     "its scheduler delay", "explained_contention_s"},
    // A task for each file, of which reading or launching takes longer; and opening is reading.
    {KIND_SMALL_FILES, 0, KIND_TINY_TASKS, 0, NULL, false, "its tiny tasks",
     "explained_tiny_tasks_s"},
    {KIND_TINY_TASKS, 0, KIND_SMALL_FILES, 0, NULL, false, "its small files",
     "explained_small_files_s"},
    {KIND_SMALL_FILES, 0, KIND_IO_BOTTLENECK, 0, NULL, false, "its slow reading",
     "explained_reading_s"},
    {KIND_RESOURCE_CONTENTION, 0, KIND_STRAGGLER, CAUSE_SET(CAUSE_SCHEDULING), NULL, false,
     "its uneven tasks", "explained_straggler_s"},
};

static bool has_cause(uint64_t set, enum cause cause) {
    return set == 0 || (set & CAUSE_SET(cause)) != 0;
}

// It was so when the slow tasks were still known.
static bool stands(const struct root_row *row, const struct stage *stage,
                   const struct finding *explained) {
    return stage->detail == NULL && explained->was_explained && explained->was_root == row->root;
}

static bool applies(const struct root_row *row, const struct stage *stage,
                    const struct finding *root, const struct finding *explained) {
    return root->holds && explained->holds && !root->is_explained && !explained->is_explained &&
           explained->verdict != NULL && has_cause(row->root_causes, root->cause) &&
           has_cause(row->causes, explained->cause) &&
           (row->same_loss || root->severity >= explained->severity) &&
           (row->when == NULL || row->when(stage) || stands(row, stage, explained));
}

// Behind the root's own words, as long as there is room: in whole or not at all.
static void name_it(const struct root_row *row, const struct finding *explained, bool first,
                    struct verdict *root) {
    if (row->words == NULL || root == NULL) {
        return;
    }
    char *summary = root->summary;
    size_t len = strlen(summary), room = sizeof root->summary - len;
    int more = snprintf(summary + len, room, first ? "; it explains %s" : ", %s", row->words);
    if (more < 0 || (size_t)more >= room) {
        summary[len] = '\0';
    }
    if (root->evidence_count < EVIDENCE_MAX) {
        verdict_evidence(root, row->evidence, explained->saving_s);
    }
}

static enum severity larger(enum severity a, enum severity b) {
    return a > b ? a : b;
}

static void take_over(struct finding *root, const struct finding *explained) {
    if (root->verdict != NULL) {
        struct verdict *verdict = root->verdict;
        verdict->saving_s = fmax(verdict->saving_s, explained->saving_s);
        verdict->floor = larger(verdict->floor, explained->verdict->floor);
        verdict->cap = larger(verdict->cap, verdict->floor);
    }
    root->saving_s = fmax(root->saving_s, explained->saving_s);
    root->severity = larger(root->severity, explained->severity);
}

static void lower(struct verdict *verdict) {
    verdict->cap = verdict->cap < SEVERITY_LOW ? verdict->cap : SEVERITY_LOW;
    verdict->floor = verdict->floor < verdict->cap ? verdict->floor : verdict->cap;
}

void roots_find(const struct stage *stage, struct finding findings[KIND_COUNT]) {
    bool named[KIND_COUNT] = {false};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct finding *root = &findings[rows[i].root], *explained = &findings[rows[i].explained];
        if (!applies(&rows[i], stage, root, explained)) {
            continue;
        }
        explained->is_explained = true;
        explained->root = rows[i].root;
        if (rows[i].same_loss) {
            take_over(root, explained);
        }
        name_it(&rows[i], explained, !named[rows[i].root], root->verdict);
        named[rows[i].root] |= rows[i].words != NULL;
        lower(explained->verdict);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++) { // what explains may be explained in turn
        while (findings[kind].is_explained && findings[findings[kind].root].is_explained) {
            findings[kind].root = findings[findings[kind].root].root;
        }
    }
}

// The verdict on a stage that tells why the run failed, or NULL.
static const struct bottleneck *root_of_failure(const struct app *app) {
    const struct bottleneck *found = NULL;
    int64_t ended_ms = 0;
    for (uint32_t i = 0; i < app->stage_count && !app->drivers_oom; i++) {
        const struct stage *stage = app->stages[i];
        const struct bottleneck *failures = stage_verdict(stage, KIND_TASK_FAILURES);
        if (stage->summary.failed && failures != NULL && bottleneck_is_open(failures) &&
            stage->summary.completed_ms >= ended_ms) { // the last: those before were done again
            found = failures;
            ended_ms = stage->summary.completed_ms;
        }
    }
    return found;
}

// That of most of the run in which few tasks kept all slots waiting, or NULL.
static const struct bottleneck *root_of_idling(const struct app *app, enum severity least) {
    static const enum bottleneck_kind kinds[] = {KIND_LOW_PARALLELISM, KIND_DATA_SKEW,
                                                 KIND_STRAGGLER};
    const struct bottleneck *found = NULL;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            const struct bottleneck *b = stage_verdict(app->stages[i], kinds[k]);
            if (b != NULL && bottleneck_is_root(b) && b->severity >= least &&
                b->saving_share >= most && (found == NULL || b->saving_s > found->saving_s)) {
                found = b;
            }
        }
    }
    return found;
}

void roots_find_on_stages(const struct app *app, struct finding findings[KIND_COUNT]) {
    struct finding *failure = &findings[KIND_PIPELINE_FAILURE];
    if (failure->verdict != NULL && failure->holds) {
        failure->on_stage = root_of_failure(app);
    }
    struct finding *idle = &findings[KIND_IDLE_EXECUTORS];
    if (idle->verdict != NULL && idle->holds && !idle->is_explained) {
        idle->on_stage = root_of_idling(app, idle->severity);
        if (idle->on_stage != NULL) {
            lower(idle->verdict);
        }
    }
}
