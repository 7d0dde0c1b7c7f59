// caching: what to keep because the run reads it, or works it out, again and again: files that
// several of its queries read and parse alike, and what is to be kept in memory alone and has no
// room there. Called through the table of advisors, before input, which leaves to it what it
// answers. No verdict speaks of it: each stage for itself is as it should be. What another finding
// of a stage promises is not promised again; of what a cache would cost no event tells.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "detect/cost.h"
#include "model/operator.h"

// Chosen: filling a cache takes about as long as reading once more, so two readers gain nothing.
// Below a tenth of a run two runs of the same work differ by as much; two seconds are what a short
// one takes more or less by itself.
enum { READERS_LEAST = 3, WORTH_S = 2, HITS_LEAST = 2, STAGES_LEAST = 2 };
#define WORTH_SHARE 0.1
#define LITTLE 0.01 // that readers of the same differ by

// What would be saved, and by what.
struct again {
    const struct stage *first; // of those that do it again
    double saving_s, readers, missed, partitions;
};

// Ended well, in one attempt, as far as anybody knows.
static bool is_whole(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    return stage->completed && !s->failed && s->attempt == 0 && s->tasks > 0;
}

// Files of which a plan tells, or which an RDD reads; not from a cache, nor to fill one.
static bool reads_files(const struct stage *stage) {
    bool rdd = stage->execution == 0 && (stage->works & WORK_FILES) != 0;
    return is_whole(stage) && (stage->works & WORK_CACHED) == 0 &&
           (stage->files > 0 || (rdd && stage->summary.input_bytes > 0));
}

static int compare(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int by_what_is_read(const void *a, const void *b) {
    const struct stage *x = *(const struct stage *const *)a, *y = *(const struct stage *const *)b;
    const int64_t of[][2] = {{x->files, y->files},
                             {x->files_bytes, y->files_bytes},
                             {x->summary.input_records, y->summary.input_records},
                             {x->summary.input_bytes, y->summary.input_bytes},
                             {x->number, y->number}};
    int order = 0;
    for (size_t i = 0; i < ARRAY_LEN(of) && order == 0; i++) {
        order = compare(of[i][0], of[i][1]);
    }
    return order;
}

static bool is_near(int64_t a, int64_t b) {
    return fabs((double)a - (double)b) <= LITTLE * (double)(a > b ? a : b);
}

// Without a plan nothing but the numbers says that it is the same: then they must be.
static bool reads_the_same(const struct stage *a, const struct stage *b) {
    const struct stage_summary *x = &a->summary, *y = &b->summary;
    if (a->files != b->files || a->files_bytes != b->files_bytes) {
        return false;
    }
    return a->files > 0
               ? is_near(x->input_records, y->input_records) &&
                     is_near(x->input_bytes, y->input_bytes)
               : x->input_records == y->input_records && x->input_bytes == y->input_bytes &&
                     x->tasks_expected == y->tasks_expected;
}

// What the run waited for the stage, but for what findings of it promise by other means.
static double waited_for(const struct stage *stage) {
    double promised_s = 0;
    for (uint32_t i = 0; i < stage->verdict_count; i++) {
        const struct bottleneck *b = stage->verdicts[i];
        bool other = b->kind != KIND_IO_BOTTLENECK && bottleneck_is_root(b);
        promised_s += other ? b->saving_s : 0;
    }
    return fmax(0, cost_of_work(stage, (double)stage->task_ms / 1000) - promised_s);
}

// Queries that the readers are of: of RDDs each stage is one. No more than matter are counted.
static unsigned queries_of(const struct stage *const *readers, uint32_t count) {
    int32_t seen[READERS_LEAST];
    unsigned queries = 0;
    for (uint32_t i = 0; i < count && queries < READERS_LEAST; i++) {
        bool known = false;
        for (unsigned k = 0; k < queries && readers[i]->execution > 0; k++) {
            known = known || seen[k] == readers[i]->execution;
        }
        if (!known) {
            seen[queries++] = readers[i]->execution;
        }
    }
    return queries;
}

// All but the dearest of these, which has to be done anyway.
static struct again sum_up(const struct stage *const *readers, uint32_t count) {
    struct again again = {.first = readers[0], .readers = (double)count};
    double dearest_s = 0;
    for (uint32_t i = 0; i < count; i++) {
        double waited_s = waited_for(readers[i]);
        again.saving_s += waited_s;
        dearest_s = fmax(dearest_s, waited_s);
    }
    again.saving_s = fmax(0, again.saving_s - dearest_s);
    return again;
}

// What is read again that costs most. What is the same stands together.
static struct again read_again(const struct app *app) {
    const struct stage **readers = NULL;
    uint32_t count = 0, cap = 0;
    struct again most = {0};
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (reads_files(app->stages[i])) {
            MEM_GROW(readers, count, cap);
            readers[count++] = app->stages[i];
        }
    }
    if (count > 0) {
        qsort(readers, count, sizeof *readers, by_what_is_read);
    }
    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && reads_the_same(readers[from], readers[to]); to++) {
        }
        struct again again = sum_up(readers + from, to - from);
        if (queries_of(readers + from, to - from) >= READERS_LEAST &&
            again.saving_s > most.saving_s) {
            most = again;
        }
    }
    mem_free(readers);
    return most;
}

// Its tasks are the partitions of what is to be kept in memory and nowhere else.
static bool goes_through_memory(const struct stage *stage) {
    return is_whole(stage) && stage->memory_only > 0 &&
           stage->memory_only == stage->summary.tasks_expected;
}

// What its tasks took that did not find their partitions, beyond what those took that did: what
// comes from a cache counts as bytes of input, what is worked out again from no file does not.
static double missed_s(const struct stage *stage, double *missed) {
    double hits = (double)stage->io_tasks;
    *missed = (double)stage->summary.tasks - hits;
    if (hits < HITS_LEAST || *missed < 1) {
        *missed = 0;
        return 0;
    }
    double each_ms = (double)stage->io_run_ms / hits;
    double took_ms = (double)stage->summary.run_ms - (double)stage->io_run_ms;
    return fmax(0, took_ms - *missed * each_ms) / 1000;
}

// What has no room in memory and is worked out again. The first that goes through it makes it, and
// may find what a look at the first rows left there. Executors that go take theirs with them.
static struct again worked_out_again(const struct app *app) {
    struct again again = {0};
    bool made = false;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        double missed, work_s;
        if (!goes_through_memory(stage)) {
            continue;
        }
        work_s = missed_s(stage, &missed);
        if (made && missed > 0) {
            again.first = again.first != NULL ? again.first : stage;
            again.missed = fmax(again.missed, missed);
            again.partitions = fmax(again.partitions, (double)stage->memory_only);
            again.saving_s += cost_of_work(stage, work_s);
            again.readers++;
        }
        made = true;
    }
    const struct executors *e = &app->executors;
    bool stayed = e->lost_memory + e->lost_infra + e->lost_unknown == 0;
    return stayed && again.readers >= STAGES_LEAST ? again : (struct again){0};
}

static bool is_worth(const struct advice_view *view, const struct again *again) {
    return again->saving_s >= WORTH_S && again->saving_s >= WORTH_SHARE * view->duration_s;
}

static const char spill_code[] =
    "# PySpark: in memory, and on disk what has no room there\n"
    "df = df.persist()\n"
    "rdd = rdd.persist(StorageLevel.MEMORY_AND_DISK)\n"
    "-- SQL\n"
    "CACHE TABLE t OPTIONS ('storageLevel' 'MEMORY_AND_DISK') AS SELECT ...\n";

// Slow reading of what is read again is answered with it.
static void take_of_them(const struct advice_view *view, const struct stage *reader,
                         struct answers *answers) {
    uint32_t left = 0;
    answers_take(view, KIND_IO_BOTTLENECK, NULL, answers);
    for (uint32_t i = 0; i < answers->count; i++) {
        const struct bottleneck *b = answers->list[i];
        const struct stage *stage = app_stage(view->app, b->stage, b->stage_attempt);
        if (stage != NULL && reads_files(stage) && reads_the_same(reader, stage)) {
            answers->list[left++] = b;
        }
    }
    answers->count = left;
}

static void recommend_keeping(const struct advice_view *view, const struct again *again,
                              struct advice *out) {
    struct recommendation *r = advice_add(out, view, ADVICE_CACHING);
    struct answers answers = {0};
    struct buf what = {0};
    char files[SPAN_TEXT_SIZE], bytes[SPAN_TEXT_SIZE];
    const struct stage *stage = again->first;
    int64_t read = stage->files > 0 ? stage->files_bytes : stage->summary.input_bytes;
    take_of_them(view, stage, &answers);
    buf_printf(&what, "Keep what is read: %.0f stages read the same ", again->readers);
    if (stage->files > 0) {
        buf_printf(&what, "%s file%s of together ", span_format_count((double)stage->files, files),
                   stage->files == 1 ? "" : "s");
    }
    buf_printf(&what,
               "%s from the beginning, and no cache. What all of them need of it, read and parsed "
               "once, can be kept in memory, on disk what has no room there.",
               span_format_bytes((double)read, bytes));
    r->code = mem_strdup(ANSWERS_KEEP_CODE);
    r->when_not = "Not if each of them leaves over something else of it, or if it fits neither in "
                  "memory nor on the disks: then write out once what they have in common.";
    r->saving_s = again->saving_s;
    snprintf(r->saving_how, sizeof r->saving_how,
             "what the run waited for %.0f stages but the dearest, at most: their own work on what "
             "they read stays",
             again->readers);
    answers_finish(&answers, &what, r);
    answers_fini(&answers);
}

static void recommend_spilling(const struct advice_view *view, const struct again *again,
                               struct advice *out) {
    struct recommendation *r = advice_add(out, view, ADVICE_CACHING);
    struct answers none = {0};
    struct buf what = {0};
    buf_printf(&what,
               "What is kept in memory alone has no room there: %.0f stages worked up to %.0f of "
               "its %.0f partitions out again. Let what has no room go to disk (MEMORY_AND_DISK, "
               "which persist() of a DataFrame is by itself), keep it serialised, or give the "
               "executors more memory.",
               again->readers, again->missed, again->partitions);
    r->code = mem_strdup(spill_code);
    r->when_not = "Not where reading it from disk takes longer than working it out.";
    r->saving_s = again->saving_s;
    snprintf(r->saving_how, sizeof r->saving_how,
             "over %.0f stages what the tasks that did not find their partitions took beyond the "
             "others, at most",
             again->readers);
    answers_finish(&none, &what, r);
}

static void recommend(const struct advice_view *view, struct advice *out) {
    if (app_run_kind(view->app) == RUN_KIND_STREAM) {
        return; // each batch reads what is new
    }
    struct again read = read_again(view->app), worked = worked_out_again(view->app);
    if (is_worth(view, &read) && read.saving_s >= worked.saving_s) {
        recommend_keeping(view, &read, out);
    } else if (is_worth(view, &worked)) {
        recommend_spilling(view, &worked, out);
    }
}

const struct advisor advisor_caching = {
    .name = "caching",
    .help = "what to keep: the same files that stages of three queries and more read alike, none "
            "of them from a cache, and what is kept in memory alone and has no room there; if what "
            "the run waited for the repetitions is a tenth of it and 2 s; with the lines to write; "
            "with io_bottleneck of these stages",
    .advise = recommend,
};
