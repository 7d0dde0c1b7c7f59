// trim: whose memory goes when the budget is used up. First what the runs can do without: detail,
// then finished stages (their sums stay); of runs that ended, the one that did longest ago first,
// then of the largest. Then whole runs: those that ended, oldest first, then the largest, which is
// given up as if it had been silent for too long. Called by engine.c when an event or tick is done
// with; the order is one of kept content alone, so it is the same after a restart.
#include <stdlib.h>

#include "base/mem.h"
#include "engine_priv.h"

void trim_count(struct engine *engine, struct live_run *live) {
    enum { OWN_BYTES = sizeof *live + 64 }; // and its places in tables and queues
    int64_t bytes = OWN_BYTES + app_bytes(live->app);
    budget_count(&engine->account, bytes - live->bytes);
    live->bytes = bytes;
}

static int larger_first(const void *x, const void *y) {
    const struct live_run *a = *(struct live_run *const *)x, *b = *(struct live_run *const *)y;
    if (a->bytes != b->bytes) {
        return a->bytes > b->bytes ? -1 : 1;
    }
    return (a->seen_offset > b->seen_offset) - (a->seen_offset < b->seen_offset);
}

// All runs in the order in which they give: those that ended, then the others.
struct givers {
    struct live_run **runs; // owned
    size_t count, ended;
};

static void sort_running(struct givers *givers) {
    qsort(givers->runs + givers->ended, givers->count - givers->ended, sizeof *givers->runs,
          larger_first);
}

static struct givers givers_of(const struct engine *engine) {
    struct givers givers = {.runs = mem_alloc(HASH_COUNT(engine->runs) * sizeof *givers.runs)};
    struct live_run *live = TAILQ_FIRST(&engine->ended);
    for (; live != NULL; live = TAILQ_NEXT(live, link)) {
        givers.runs[givers.count++] = live;
    }
    givers.ended = givers.count;
    for (live = TAILQ_FIRST(&engine->running); live != NULL; live = TAILQ_NEXT(live, link)) {
        givers.runs[givers.count++] = live;
    }
    sort_running(&givers);
    return givers;
}

// What goes, until so many bytes are left.
static void let_go(struct engine *engine, const struct givers *givers, enum app_letting what,
                   int64_t most_bytes) {
    for (size_t i = 0; i < givers->count && engine->account.bytes > most_bytes; i++) {
        struct live_run *live = givers->runs[i];
        if (app_let_go(live->app, what)) {
            keep_touch(&live->kept);
            trim_count(engine, live);
        }
    }
}

void trim(struct engine *engine) {
    int64_t excess = budget_excess(&engine->account);
    if (excess == 0 || engine->runs == NULL) {
        return;
    }
    static const enum app_letting order[] = {LET_GO_DETAILS, LET_GO_CLOSED_WITHOUT_VERDICT,
                                             LET_GO_CLOSED};
    int64_t most_bytes = engine->account.bytes - excess;
    struct givers givers = givers_of(engine);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        let_go(engine, &givers, order[i], most_bytes);
    }
    sort_running(&givers); // by what is left
    for (size_t i = 0; i < givers.count && engine->account.bytes > most_bytes; i++) {
        struct live_run *live = givers.runs[i];
        if (!engine->options->one_application || live != engine->recent) { // the log is of that run
            app_note_limit(live->app, LIMIT_MEMORY);
            metrics_add(METRIC_LIMIT_MEMORY, 1);
            engine_give_up(engine, live);
        }
    }
    mem_free(givers.runs);
}
