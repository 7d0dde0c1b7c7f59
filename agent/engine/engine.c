// engine: which run an event belongs to, when to judge, when to let a run go. Called by the live
// agent per message and by analyze per line; see judge.c and report.c for what comes out.
#include "engine_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"

enum { JUDGE_EVERY_MS = 1000 };

struct engine *engine_new(const struct engine_options *options, struct decoder *decoder,
                          const struct engine_output *output) {
    struct engine *engine = mem_zalloc(1, sizeof *engine);
    engine->options = options;
    engine->decoder = decoder;
    engine->output = *output;
    return engine;
}

static void queue_remove(struct run_queue *queue, struct live_run *live) {
    *(live->older != NULL ? &live->older->newer : &queue->oldest) = live->newer;
    *(live->newer != NULL ? &live->newer->older : &queue->newest) = live->older;
    live->older = live->newer = NULL;
}

void run_queue_add(struct run_queue *queue, struct live_run *live) {
    live->older = queue->newest;
    live->newer = NULL;
    *(queue->newest != NULL ? &queue->newest->newer : &queue->oldest) = live;
    queue->newest = live;
}

static struct run_queue *queue_of(struct engine *engine, const struct live_run *live) {
    return live->over ? &engine->ended : &engine->running;
}

static void release(struct engine *engine, struct live_run *live) {
    queue_remove(queue_of(engine, live), live);
    HASH_DEL(engine->runs, live);
    engine->recent = engine->recent == live ? NULL : engine->recent;
    app_free(live->app);
    mem_free(live);
    metrics_add(METRIC_APPLICATIONS_LIVE, -1);
}

static void forget(struct engine *engine, struct live_run *live) {
    snapshot_forget(engine, live);
    release(engine, live);
}

void engine_free(struct engine *engine) {
    if (engine == NULL) {
        return;
    }
    while (engine->running.oldest != NULL) {
        release(engine, engine->running.oldest);
    }
    while (engine->ended.oldest != NULL) {
        release(engine, engine->ended.oldest);
    }
    buf_fini(&engine->gone);
    mem_free(engine);
}

// A few late events of a run that was told long ago, read by an agent that did not see the run:
// nothing to tell.
static bool is_remnant(const struct engine *engine, const struct live_run *live) {
    const struct app *app = live->app;
    bool seen = app->started_ms > 0 || app->ended_ms > 0 || app->totals.jobs > 0;
    for (uint32_t i = 0; i < app->stage_count && !seen; i++) {
        seen = app->stages[i]->submitted || app->stages[i]->completed;
    }
    return !seen && !engine->options->one_application;
}

// The run will get no more events, or its end was seen: everything is judged and told for good.
static void settle(struct engine *engine, struct live_run *live) {
    if (!live->over) {
        queue_remove(&engine->running, live);
        live->over = true;
        run_queue_add(&engine->ended, live);
    }
    struct app *app = live->app;
    live->touched = true;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (app->stages[i]->dirty) {
            judge_stage(engine, live, app->stages[i], true);
        }
    }
    judge_run(engine, live, true);
    judge_settle(engine, live);
    if (!is_remnant(engine, live)) {
        report_run(engine, live);
        report_advice(engine, live);
    }
}

void engine_give_up(struct engine *engine, struct live_run *live) {
    if (!live->over) {
        settle(engine, live);
    }
    metrics_add(METRIC_APPLICATIONS_EVICTED, 1);
    forget(engine, live);
}

static struct live_run *lookup(struct engine *engine, const struct run_key *key) {
    struct live_run *live = engine->recent;
    if (live != NULL && live->key_len == key->len && memcmp(live->key, key->text, key->len) == 0) {
        return live;
    }
    HASH_FIND(hh, engine->runs, key->text, key->len, live);
    engine->recent = live;
    return live;
}

static struct live_run *add_run(struct engine *engine, const struct run_key *key) {
    while (HASH_COUNT(engine->runs) >= engine->options->applications_max) {
        engine_give_up(engine, engine->ended.oldest != NULL ? engine->ended.oldest
                                                            : engine->running.oldest);
    }
    struct live_run *live = mem_zalloc(1, sizeof *live);
    memcpy(live->key, key->text, key->len);
    live->key_len = key->len;
    live->app =
        app_new(engine->options->cluster, key->app_id, key->attempt, &engine->options->pipeline);
    live->seen_idle_ms = engine->idle_ms;
    HASH_ADD(hh, engine->runs, key, live->key_len, live);
    run_queue_add(&engine->running, live);
    metrics_add(METRIC_APPLICATIONS_LIVE, 1);
    engine->recent = live;
    return live;
}

// Ends the run and begins a new one under the same key. A log of several attempts keeps them all,
// for analyze.
static struct live_run *replace(struct engine *engine, struct live_run *live,
                                const struct run_key *key) {
    if (!live->over) {
        settle(engine, live);
    }
    engine->recent = NULL;
    if (engine->options->one_application) {
        HASH_DEL(engine->runs, live);
        live->key_len = (size_t)snprintf(live->key, sizeof live->key, "\n%u", engine->replaced++);
        HASH_ADD(hh, engine->runs, key, live->key_len, live);
        return add_run(engine, key);
    }
    struct told told = live->told;
    told.verdict_base = told.verdict_revision;
    forget(engine, live);
    live = add_run(engine, key);
    live->told = told;
    return live;
}

// Where headers or keys say whose event it is, the id inside may be another one: it tells nothing.
static bool begins_another(const struct engine *engine, const struct live_run *live,
                           const struct event *event) {
    if (event->kind != EVENT_APP_START || engine->options->one_application) {
        return app_is_other_run(live->app, event);
    }
    struct event start = *event;
    start.app_start.app_id = (struct str){0};
    return app_is_other_run(live->app, &start);
}

// The run of an event, made if need be.
static struct live_run *find_run(struct engine *engine, const struct run_key *key,
                                 const struct event *event) {
    struct live_run *live = lookup(engine, key);
    if (live == NULL) {
        return add_run(engine, key);
    }
    return begins_another(engine, live, event) ? replace(engine, live, key) : live;
}

static void judge_after(struct engine *engine, struct live_run *live, const struct event *event,
                        struct stage *stage) {
    struct app *app = live->app;
    if (event->kind == EVENT_APP_END || live->over) {
        if (live->over || app->ended_ms > 0) {
            settle(engine, live); // also for what comes late
        }
        return;
    }
    if (stage != NULL && stage->dirty &&
        (stage->completed || app->now_ms - stage->judged_ms >= JUDGE_EVERY_MS)) {
        judge_stage(engine, live, stage, false);
        if (stage->completed) {
            app_drop_old_details(app);
        }
    }
    int64_t minute = app->now_ms / 60000;
    if (minute != live->run_minute && app->started_ms > 0) {
        live->run_due = live->run_due || live->run_minute != 0;
        live->run_minute = minute;
        judge_run(engine, live, false);
    }
    if (live->run_due && app->started_ms > 0) {
        report_run(engine, live);
        report_advice(engine, live);
    }
}

// Which accumulators are worth decoding: none of a run not seen yet; all (NULL) while nobody knows
// whose event it is.
static const struct idmap *wanted_of(struct engine *engine, const struct message *message) {
    static const struct idmap none = {0};
    struct run_key key;
    if (!place_message(engine->options, message, NULL, &key)) {
        return NULL;
    }
    const struct live_run *live = lookup(engine, &key);
    return live == NULL ? &none : &live->app->accum_roles;
}

enum status engine_feed(struct engine *engine, const struct message *message, size_t readable,
                        enum metric *reason, struct err *err) {
    enum metric unused;
    reason = reason == NULL ? &unused : reason;
    struct event event;
    enum status status = decoder_decode(engine->decoder, message->value, readable,
                                        wanted_of(engine, message), &event, err);
    if (status != ST_OK) {
        *reason = place_skip_metric(decoder_last_error(engine->decoder));
        metrics_add(*reason, 1);
        return ST_SKIP;
    }
    if (event.kind == EVENT_OTHER) {
        metrics_add(METRIC_EVENTS_UNKNOWN, 1);
        return ST_OK;
    }
    struct run_key key;
    if (!place_message(engine->options, message, &event, &key)) {
        *reason = METRIC_SKIP_UNPLACED;
        metrics_add(*reason, 1);
        return err_set(err, ST_SKIP, "neither headers, key nor value say whose event this is");
    }
    engine_advance(engine, event.time_ms, message->timestamp_ms);
    struct live_run *live = find_run(engine, &key, &event);
    struct stage *stage = NULL;
    live->seen_idle_ms = engine->idle_ms;
    live->seen_offset = message->offset;
    live->touched = true;
    if (queue_of(engine, live)->newest != live) {
        queue_remove(queue_of(engine, live), live);
        run_queue_add(queue_of(engine, live), live);
    }
    if (app_apply(live->app, &event, &stage)) {
        judge_after(engine, live, &event, stage);
    }
    return ST_OK;
}

void engine_finish(struct engine *engine, bool in_progress) {
    engine->in_progress = in_progress;
    struct live_run *live, *next;
    HASH_ITER(hh, engine->runs, live, next) {
        if (!live->over) {
            settle(engine, live);
        }
    }
}

int64_t engine_newest_ms(const struct engine *engine) {
    return engine->last_event_ms;
}

uint32_t engine_application_count(const struct engine *engine) {
    return HASH_COUNT(engine->runs);
}
