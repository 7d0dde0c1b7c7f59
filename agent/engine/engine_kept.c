// engine_kept: what of an engine is kept, and how it comes back: the partition's times, each run
// with what the engine remembers of its output, and the parts of its app. Called through engine.h;
// must not know how a value or a key is written.
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "engine_priv.h"
#include "look.h"

static const struct record_row engine_rows[] = {
    RECORD_ROW(1, I64, engine, idle_ms),
    RECORD_ROW(2, I64, engine, last_event_ms),
    RECORD_ROW(3, I64, engine, looked_ms),
};
static const struct record record_engine = RECORD_OF("partition", engine, engine_rows);

// Advice that was told is read into the scratch: kinds of a later release are passed over.
struct kept_advice {
    int64_t kind, revision;
    uint64_t digest;
};
static const struct record_row advice_rows[] = {
    RECORD_ROW(1, I64, kept_advice, kind, .words = &vocabulary_advice_kind, .most = INT64_MAX),
    RECORD_ROW(2, I64, kept_advice, revision, .most = INT32_MAX / 2 - 1),
    RECORD_ROW(3, I64, kept_advice, digest),
};
static const struct record record_advice = RECORD_OF("advice", kept_advice, advice_rows);

static uint32_t told_size(const void *live) {
    return ((const struct live_run *)live)->told.advice_count;
}
static const void *told_at(const void *live, uint32_t i, union record_scratch *scratch) {
    const struct told_advice *told = &((const struct live_run *)live)->told.advice[i];
    struct kept_advice *kept = (struct kept_advice *)(void *)scratch;
    *kept = (struct kept_advice){told->kind, told->revision, told->digest};
    return kept;
}
static void *told_add(void *live, uint32_t count, union record_scratch *scratch) {
    (void)live, (void)count;
    return scratch;
}
static bool told_added(void *live, void *item) {
    const struct kept_advice *kept = item;
    if (advice_kind_known(kept->kind)) {
        struct told_advice *told =
            report_told(&((struct live_run *)live)->told, (enum advice_kind)kept->kind);
        told->revision = (int32_t)kept->revision;
        told->digest = kept->digest;
    }
    return true;
}
static const struct record_list told_list = {told_size, told_at, told_add, told_added};

// The app is made before its run is read (open_run): here it is only there once.
static uint32_t app_size(const void *live) {
    (void)live;
    return 1;
}
static const void *app_at(const void *live, uint32_t i, union record_scratch *scratch) {
    (void)i, (void)scratch;
    return ((const struct live_run *)live)->app;
}
static void *app_add(void *of, uint32_t count, union record_scratch *scratch) {
    struct live_run *live = of;
    (void)count, (void)scratch;
    if (live->app_read) {
        return NULL;
    }
    live->app_read = true;
    return live->app;
}
static const struct record_list app_list = {app_size, app_at, app_add, NULL};

enum { REVISION_MAX = 999999999 };   // leaves room to rise
#define BYTES_MAX (INT64_C(1) << 48) // the same, with PACE_LEVELS doublings

static const struct record_row run_rows[] = {
    RECORD_ROW(2, I64, live_run, seen_idle_ms),
    RECORD_ROW(3, BOOL, live_run, over),
    RECORD_ROW(4, I32, live_run, evaluated),
    RECORD_AS(5, I64, live_run, told.run_revision, "run_revision", .most = REVISION_MAX),
    RECORD_ROW(6, I64, live_run, run_minute),
    RECORD_ROW(7, BOOL, live_run, run_due),
    RECORD_ROW(8, I64, live_run, seen_offset),
    RECORD_AS(9, I64, live_run, told.verdict_revision, "verdict_revision", .most = REVISION_MAX),
    RECORD_AS(10, I64, live_run, told.verdict_base, "verdict_base", .most = REVISION_MAX),
    RECORD_AS(11, I64, live_run, pace.since_bytes, "untold_bytes", .most = BYTES_MAX),
    RECORD_AS(12, I64, live_run, pace.price_bytes, "update_bytes", .most = BYTES_MAX),
    RECORD_AS(13, I64, live_run, pace.waits_from, "untold_from", .most = INT64_MAX),
    RECORD_AS(14, I64, live_run, pace.waits_idle_ms, "untold_idle_ms"),
    RECORD_AS(15, I32, live_run, pace.level, "pace_level", .most = PACE_LEVELS - 1),
    RECORD_AS(16, I32, live_run, pace.at_once, "told_at_once", .most = INT32_MAX - 1),
    RECORD_AS(17, I64, live_run, pace.digest, "told_digest"),
    RECORD_ROW(20, BOOL, live_run, in_time),
    RECORD_ROW(21, I32, live_run, credit_bytes, .least = -2 * (int64_t)PACE_DEBT_MATTERS_MAX,
               .most = PACE_CREDIT_MAX),
    RECORD_ROW(19, I64, live_run, looked_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_AS(18, WORD, live_run, pace.status, "told_status", .words = &vocabulary_run_status),
    {.number = 102,
     .type = RECORD_PLACES,
     .name = "told_worst",
     .offset = offsetof(struct live_run, pace.worst),
     .size = sizeof(uint32_t),
     .words = &vocabulary_kind,
     .max = KIND_COUNT,
     .most = SEVERITY_COUNT - 1},
    RECORD_HOOKED(101, LIST, "advice", &told_list, .item = &record_advice,
                  .max = ADVICE_KIND_COUNT),
    RECORD_HOOKED(100, VALUE, "application", &app_list, .item = &record_app, .max = 1),
};
static const struct record record_run = RECORD_OF("run", live_run, run_rows);

static struct live_run *find(const struct engine *engine, struct str run_key) {
    struct live_run *live;
    HASH_FIND(hh, engine->runs, run_key.p, run_key.len, live);
    return live;
}

static void *open_engine(void *of, struct keep_key *key) {
    (void)key;
    return of;
}

static bool close_engine(void *of, const struct keep_key *key, void *object, bool good) {
    struct engine *engine = of;
    (void)key, (void)object;
    engine->kept.written = true;
    return good;
}

static void *open_run(void *of, struct keep_key *key) {
    struct engine *engine = of;
    struct live_run *live = NULL;
    if (key->owner.len <= sizeof live->key && find(engine, key->owner) == NULL) {
        live = mem_zalloc(1, sizeof *live);
        live->app = app_blank(&engine->options->pipeline);
    }
    return live;
}

static bool close_run(void *of, const struct keep_key *key, void *object, bool good) {
    struct engine *engine = of;
    struct live_run *live = object;
    if (!good || !live->app_read) {
        app_free(live->app);
        mem_free(live);
        return false;
    }
    memcpy(live->key, key->owner.p, key->owner.len);
    live->key_len = key->owner.len;
    live->kept.written = true;
    HASH_ADD(hh, engine->runs, key, live->key_len, live);
    // In its queues at once, to be forgotten with the engine; the order comes last.
    TAILQ_INSERT_TAIL(live->over ? &engine->ended : &engine->running, live, link);
    if (live->pace.waits_from > 0) {
        pace_wait(engine, live);
    }
    metrics_add(METRIC_APPLICATIONS_LIVE, 1);
    return true;
}

static struct kept_part part_of(const struct keep_key *key) {
    return (struct kept_part){key->kind->letter, {key->numbers[0], key->numbers[1]}};
}

static void *open_part(void *of, struct keep_key *key) {
    struct live_run *live = find(of, key->owner);
    key->of = live;
    return live == NULL ? NULL : app_part_open(live->app, part_of(key));
}

static bool close_part(void *of, const struct keep_key *key, void *object, bool good) {
    const struct live_run *live = key->of;
    (void)of;
    return app_part_close(live->app, part_of(key), object, good);
}

static const struct keep_kind kinds[] = {
    {'e', 0, false, false, "e", "time of a partition of the events", &record_engine, open_engine,
     close_engine},
    {'r', 0, false, true, "r<run key>", "a run", &record_run, open_run, close_run},
    {'s', 2, false, true, "s<stage>.<attempt>.<run key>", "a stage attempt of a run", &record_stage,
     open_part, close_part},
    {'j', 1, false, true, "j<job>.<run key>", "a job that is open", &record_job, open_part,
     close_part},
    {'a', 1, false, true, "a<number>.<run key>", "256 accumulators of a run", &record_accumulators,
     open_part, close_part},
    {'x', 1, false, true, "x<number>.<run key>", "128 executors of a run and their hosts",
     &record_executors, open_part, close_part},
    {'c', 1, false, true, "c0.<run key>", "Spark properties of a run", &record_properties,
     open_part, close_part},
    {'q', 1, false, true, "q0.<run key>", "what the program of a run set otherwise in its session",
     &record_properties, open_part, close_part},
};
const struct keep_kinds engine_kinds = {kinds, ARRAY_LEN(kinds)};
enum { KIND_ENGINE, KIND_RUN };

// One run in a walk.
struct visit {
    struct keep_walk *walk;
    struct str owner; // its key
};

static void visit_part(void *ctx, struct kept_part part, struct kept *kept, const void *object) {
    const struct visit *visit = ctx;
    keep_visit_part(visit->walk, &engine_kinds, part, visit->owner, kept, object);
}

static void visit_run(struct live_run *live, struct keep_walk *walk) {
    struct visit visit = {walk, {live->key, live->key_len}};
    if (keep_wants(walk, &live->kept)) { // whose parts change, it changes
        struct keep_key key = {.kind = &kinds[KIND_RUN], .owner = visit.owner};
        keep_visit_gone(walk, &engine_kinds, &live->app->gone, visit.owner);
        app_each_part(live->app, keep_only_changes(walk), visit_part, &visit);
        keep_visit(walk, &key, &live->kept, live);
    }
}

static void visit_engine(void *of, void *thing, struct keep_walk *walk) {
    struct engine *engine = of;
    struct run_queue *const queues[] = {&engine->ended, &engine->running};
    if (thing != NULL) {
        visit_run(thing, walk);
        return;
    }
    struct keep_key key = {.kind = &kinds[KIND_ENGINE]};
    keep_visit(walk, &key, &engine->kept, engine);
    for (size_t q = 0; q < ARRAY_LEN(queues); q++) {
        struct live_run *live;
        TAILQ_FOREACH(live, queues[q], link) {
            visit_run(live, walk);
        }
    }
}

void engine_changes(struct engine *engine, keep_each_fn each, void *ctx) {
    keep_changes(&engine->keep, engine, visit_engine, each, ctx);
}

void engine_all(struct engine *engine, keep_each_fn each, void *ctx) {
    keep_all(engine, visit_engine, each, ctx);
}

void engine_forget(struct engine *engine, struct live_run *live) {
    keep_forget(&engine->keep, engine, visit_engine, live);
}

static int by_offset(const void *x, const void *y) {
    const struct live_run *a = *(struct live_run *const *)x, *b = *(struct live_run *const *)y;
    return (a->seen_offset > b->seen_offset) - (a->seen_offset < b->seen_offset);
}

static int by_wait(const void *x, const void *y) {
    const struct live_run *a = *(struct live_run *const *)x, *b = *(struct live_run *const *)y;
    return (a->pace.waits_from > b->pace.waits_from) - (a->pace.waits_from < b->pace.waits_from);
}

// Puts all runs into their queues: in the order of their last messages, and of the first ones that
// are not told.
static void queue_runs(struct engine *engine) {
    size_t count = 0;
    struct live_run **sorted = mem_alloc((HASH_COUNT(engine->runs) + 1) * sizeof *sorted);
    for (struct live_run *live = engine->runs; live != NULL; live = live->hh.next) {
        sorted[count++] = live;
    }
    TAILQ_INIT(&engine->ended);
    TAILQ_INIT(&engine->running);
    for (int level = 0; level < PACE_LEVELS; level++) {
        TAILQ_INIT(&engine->waiting[level]);
    }
    qsort(sorted, count, sizeof *sorted, by_offset);
    for (size_t i = 0; i < count; i++) {
        TAILQ_INSERT_TAIL(sorted[i]->over ? &engine->ended : &engine->running, sorted[i], link);
        look_place(engine, sorted[i]);
    }
    qsort(sorted, count, sizeof *sorted, by_wait);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i]->pace.waits_from > 0) {
            pace_wait(engine, sorted[i]);
        }
    }
    mem_free(sorted);
}

static bool is_whole(void *of, struct err *err) {
    struct engine *engine = of;
    bool whole = true;
    (void)err;
    for (struct live_run *live = engine->runs; live != NULL; live = live->hh.next) {
        whole = app_loaded(live->app) && whole;
        live->counted_lost = delivery_loss(&live->app->delivery).lost;
        if (engine->options->no_failure_text && live->app->failure[0] != '\0') {
            app_withhold_failure(live->app);
            keep_touch(&live->kept); // not kept any longer, either
        }
        trim_count(engine, live);
    }
    queue_runs(engine);
    return whole;
}

enum status engine_load(struct engine *engine, const struct keep_table *table, struct err *err) {
    return keep_load(&engine_kinds, engine, table, is_whole, err);
}
