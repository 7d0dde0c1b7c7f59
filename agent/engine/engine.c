// engine: whose event is it, when to judge its run, when to let a run go. Called by the live agent
// per message and by analyze per line; see judge.c, report.c and pace.h for what comes out when.
// Never reads a clock: the time of a partition is moved by its events and by ticks.
#include "engine_priv.h"
#include "look.h"
#include "pace.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { JUDGE_EVERY_MS = 1000, IDLE_STEP_MAX_MS = 60000, AHEAD_MAX_MS = 600000 };
enum { ATTEMPT_MAX = 32 };

// By what a run is found: app id, newline, attempt.
struct run_key {
    char text[RUN_TEXT_MAX + 40];
    size_t len;
    struct str app_id, attempt; // borrowed
};

void engine_options_init(struct engine_options *options) {
    static const char *const by_name[] = {"app_name"};
    *options = (struct engine_options){
        .cluster = "default",
        .pipeline = {by_name, 1},
        .publish_min = SEVERITY_LOW,
        .idle_ms = 86400000,
        .grace_ms = 600000,
        .applications_max = 10000,
    };
    thresholds_init(&options->thresholds);
    options->advisors = advisors(&options->advisor_count);
}

static void no_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx, (void)run;
}
static void no_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *bottleneck) {
    (void)ctx, (void)identity, (void)run_id, (void)bottleneck;
}
static void no_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *recommendation) {
    (void)ctx, (void)identity, (void)run_id, (void)recommendation;
}

struct engine *engine_new(const struct engine_options *options, struct decoder *decoder,
                          const struct engine_output *output) {
    static const struct engine_output nowhere = {NULL, no_run, no_bottleneck, no_recommendation};
    require(options->applications_max > 0);
    struct engine *engine = mem_zalloc(1, sizeof *engine);
    engine->options = options;
    engine->decoder = decoder;
    engine->output = output == NULL ? nowhere : *output;
    TAILQ_INIT(&engine->running);
    TAILQ_INIT(&engine->ended);
    for (int level = 0; level < PACE_LEVELS; level++) {
        TAILQ_INIT(&engine->waiting[level]);
    }
    budget_open(&engine->account, options->budget);
    return engine;
}

static struct run_queue *queue_of(struct engine *engine, const struct live_run *live) {
    return live->over ? &engine->ended : &engine->running;
}

static void release(struct engine *engine, struct live_run *live) {
    pace_leave(engine, live);
    looks_remove(&engine->looks, live);
    TAILQ_REMOVE(queue_of(engine, live), live, link);
    HASH_DEL(engine->runs, live);
    engine->recent = engine->recent == live ? NULL : engine->recent;
    budget_count(&engine->account, -live->bytes);
    app_free(live->app);
    mem_free(live);
    metrics_add(METRIC_APPLICATIONS_LIVE, -1);
}

static void forget(struct engine *engine, struct live_run *live) {
    engine_forget(engine, live);
    release(engine, live);
}

void engine_free(struct engine *engine) {
    if (engine == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&engine->running)) {
        release(engine, TAILQ_FIRST(&engine->running));
    }
    while (!TAILQ_EMPTY(&engine->ended)) {
        release(engine, TAILQ_FIRST(&engine->ended));
    }
    mem_free(engine->looks.list);
    budget_close(&engine->account);
    keep_fini(&engine->keep);
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

// Other stages may say more of what was said of it.
static bool has_verdict_by_run(const struct stage *stage) {
    bool has = false;
    for (uint32_t i = 0; i < stage->verdict_count; i++) {
        const struct bottleneck *b = stage->verdicts[i];
        has = has || (detector_of(b->kind)->by_run && b->life != LIFE_RETRACTED);
    }
    return has;
}

// The run will get no more events, or its end was seen: everything is judged and told for good.
static void settle(struct engine *engine, struct live_run *live) {
    bool ends = !live->over;
    keep_touch(&live->kept);
    if (ends) {
        pace_leave(engine, live);
        TAILQ_REMOVE(&engine->running, live, link);
        live->over = true;
        live->credit_bytes = live->credit_bytes < 0 ? 0 : live->credit_bytes;
        TAILQ_INSERT_TAIL(&engine->ended, live, link);
        looks_remove(&engine->looks, live);
    }
    struct app *app = live->app;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (app->stages[i]->dirty || has_verdict_by_run(app->stages[i])) {
            judge_stage(engine, live, app->stages[i], true);
        }
    }
    judge_run(engine, live, true);
    judge_settle(engine, live);
    if (!is_remnant(engine, live)) {
        report(engine, live);
    } else {
        pace_told(engine, live, false);
    }
    live->pace.level = ends ? 0 : live->pace.level;
    trim_count(engine, live);
}

// Settles the run unless all of it is told.
static void settle_rest(struct engine *engine, struct live_run *live) {
    if (!live->over || live->pace.waits_from != 0) {
        settle(engine, live);
    }
}

// The last word on the run, which is forgotten.
void engine_give_up(struct engine *engine, struct live_run *live) {
    settle_rest(engine, live);
    metrics_add(METRIC_APPLICATIONS_EVICTED, 1);
    engine->let_go++;
    forget(engine, live);
}

// A run is given up when the partition's event time has moved on by idle_ms without it. One event
// moves that clock by at most a minute, so a wrong clock in one application, or old logs beside new
// ones, cannot expire the others at a stroke.
static void expire(struct engine *engine) {
    struct live_run *live;
    while ((live = TAILQ_FIRST(&engine->ended)) != NULL &&
           engine->idle_ms - live->seen_idle_ms > engine->options->grace_ms) {
        engine_give_up(engine, live);
    }
    while ((live = TAILQ_FIRST(&engine->running)) != NULL &&
           engine->idle_ms - live->seen_idle_ms > engine->options->idle_ms) {
        engine_give_up(engine, live);
    }
}

// An event of `time_ms`, in a record of `record_ms` (0: not known), moves the partition's time.
// A clock that is far ahead of the record's own time is wrong: it must not move everybody's time.
static void advance(struct engine *engine, int64_t time_ms, int64_t record_ms) {
    if (time_ms <= engine->last_event_ms || time_ms > EVENT_TIME_MAX_MS) {
        return;
    }
    if (record_ms > 0 && time_ms > record_ms + AHEAD_MAX_MS) {
        metrics_add(METRIC_FUTURE_EVENTS, 1);
        return;
    }
    int64_t step = time_ms - engine->last_event_ms;
    keep_touch(&engine->kept);
    engine->idle_ms += step < IDLE_STEP_MAX_MS ? step : IDLE_STEP_MAX_MS;
    engine->last_event_ms = time_ms;
    if (!engine->options->one_application) {
        expire(engine);
    }
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
        struct live_run *oldest =
            TAILQ_FIRST(TAILQ_EMPTY(&engine->ended) ? &engine->running : &engine->ended);
        app_note_limit(oldest->app, LIMIT_APPLICATIONS);
        metrics_add(METRIC_LIMIT_APPLICATIONS, 1);
        engine_give_up(engine, oldest);
    }
    struct live_run *live = mem_zalloc(1, sizeof *live);
    require(key->len > 0 && key->len <= sizeof live->key);
    memcpy(live->key, key->text, key->len);
    live->key_len = key->len;
    live->app =
        app_new(engine->options->cluster, key->app_id, key->attempt, &engine->options->pipeline);
    live->seen_idle_ms = engine->idle_ms;
    HASH_ADD(hh, engine->runs, key, live->key_len, live);
    TAILQ_INSERT_TAIL(&engine->running, live, link);
    metrics_add(METRIC_APPLICATIONS_LIVE, 1);
    engine->recent = live;
    return live;
}

// Ends the run and begins a new one under the same key. A log of several attempts keeps them all,
// for analyze.
static struct live_run *replace(struct engine *engine, struct live_run *live,
                                const struct run_key *key) {
    settle_rest(engine, live);
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
    live->app->delivery.follows = true;
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

// Whether the outcome is another one than was told. That asks all open jobs and what failed, which
// small events would make dear: it is paid for, else it waits for more of them.
static bool ended_otherwise(struct live_run *live) {
    const struct app *app = live->app;
    uint32_t asked = app->job_count + app->outcome.failure_count; // each has a bound
    return pace_pays(live, (int32_t)asked * PACE_JOB_BYTES) &&
           app_status(app, true) != live->pace.status;
}

// What comes after the end: another outcome is told at once, the rest gathers.
static void judge_late(struct engine *engine, struct live_run *live) {
    if (pace_may(live, false) || (pace_may(live, true) && ended_otherwise(live))) {
        settle(engine, live);
    }
}

static void judge_after(struct engine *engine, struct live_run *live, struct stage *stage) {
    struct app *app = live->app;
    if (stage != NULL && stage->dirty &&
        (stage->completed || app->now_ms - stage->judged_ms >= JUDGE_EVERY_MS)) {
        judge_stage(engine, live, stage, false);
    }
    if (app->started_ms == 0) {
        return;
    }
    int64_t minute = app->now_ms / 60000;
    bool first = live->run_minute == 0, told = false;
    if (minute != live->run_minute && (first || pace_may(live, false))) {
        live->run_minute = minute;
        judge_run(engine, live, false);
        told = !first;
    }
    if (told || (live->run_due && pace_may(live, true))) {
        report(engine, live);
    }
}

// Judges the run as far as an event has changed it, and tells what is due.
static void take_event(struct engine *engine, struct live_run *live, const struct event *event,
                       struct stage *stage) {
    if (live->over) {
        judge_late(engine, live);
    } else if (event->kind == EVENT_APP_END && live->app->ended_ms > 0) {
        settle(engine, live);
    } else if (event->kind != EVENT_APP_END) {
        judge_after(engine, live, stage);
    }
}

// Tells the runs that have waited long enough.
static void tell_waiting(struct engine *engine) {
    struct live_run *live;
    while ((live = pace_next(engine)) != NULL) {
        if (live->over) {
            settle(engine, live);
        } else {
            keep_touch(&live->kept);
            report(engine, live);
        }
    }
}

// Text for the key of a run, from the id and attempt in it. False if they cannot be used.
static bool write_key(const struct engine_options *options, struct run_key *key) {
    struct str app_id = key->app_id, attempt = key->attempt;
    if (options->one_application) {
        key->text[0] = '\0';
        key->len = 1; // all one key
        return true;
    }
    if (app_id.len == 0 || app_id.len > RUN_TEXT_MAX || attempt.len > ATTEMPT_MAX ||
        !str_is_utf8(app_id) || !str_is_utf8(attempt)) {
        return false;
    }
    for (size_t i = 0; i < app_id.len; i++) {
        if ((unsigned char)app_id.p[i] < 0x20 || app_id.p[i] == 0x7F) {
            return false;
        }
    }
    memcpy(key->text, app_id.p, app_id.len);
    key->text[app_id.len] = '\n'; // no app id holds one
    if (attempt.len > 0) {
        memcpy(key->text + app_id.len + 1, attempt.p, attempt.len);
    }
    key->len = app_id.len + 1 + attempt.len;
    return true;
}

// Whose event a message holds, by its headers, else by its key: known before it is decoded. False
// if they name nobody, or nobody that can be.
static bool place_by_message(const struct engine_options *options, const struct message *message,
                             struct run_key *key) {
    key->app_id = message_header_last(message, MESSAGE_HEADER_APP_ID);
    key->attempt = message_header_last(message, MESSAGE_HEADER_APP_ATTEMPT);
    if (key->app_id.len == 0 && message->key.len > 0) {
        key->app_id = message->key;
        const char *slash = memrchr(message->key.p, '/', message->key.len);
        if (slash != NULL && key->attempt.len == 0) {
            key->app_id.len = (size_t)(slash - message->key.p);
            key->attempt = (struct str){slash + 1, message->key.len - key->app_id.len - 1};
        }
    }
    return write_key(options, key);
}

// The same, by what the event says of itself.
static bool place_by_event(const struct engine_options *options, const struct event *event,
                           struct run_key *key) {
    key->app_id = event->app_id;
    key->attempt = event->app_attempt;
    return write_key(options, key);
}

// Which accumulators are worth decoding: none of a run not seen yet; all (NULL) while nobody knows
// whose event it is.
static const struct idmap *wanted_of(struct engine *engine, const struct run_key *key,
                                     bool placed) {
    static const struct idmap none = {0};
    if (!placed) {
        return NULL;
    }
    const struct live_run *live = lookup(engine, key);
    return live == NULL ? &none : &live->app->accum_roles;
}

// The metric that counts a message the decoder refused.
static enum metric skip_metric(enum decode_error error) {
    static const enum metric metrics[] = {
        [DECODE_MALFORMED] = METRIC_SKIP_MALFORMED,
        [DECODE_NOT_AN_EVENT] = METRIC_SKIP_NOT_AN_EVENT,
        [DECODE_INVALID_FIELD] = METRIC_SKIP_INVALID_FIELD,
        [DECODE_TOO_LARGE] = METRIC_SKIP_TOO_LARGE,
        [DECODE_TOO_DEEP] = METRIC_SKIP_TOO_DEEP,
        [DECODE_OTHER_CATEGORY] = METRIC_IGNORED_OTHER_CATEGORY,
        [DECODE_LOG_LINE] = METRIC_IGNORED_LOG_LINE,
        [DECODE_NO_EVENT] = METRIC_IGNORED_NO_EVENT,
        [DECODE_EMPTY] = METRIC_IGNORED_EMPTY,
    };
    return metrics[error];
}

// The newest event is the run's: its place in the queue of its like is the last.
static void note_seen(struct engine *engine, struct live_run *live, int64_t offset) {
    live->seen_idle_ms = engine->idle_ms;
    live->seen_offset = offset;
    keep_touch(&live->kept);
    struct run_queue *queue = queue_of(engine, live);
    if (TAILQ_NEXT(live, link) != NULL) {
        TAILQ_REMOVE(queue, live, link);
        TAILQ_INSERT_TAIL(queue, live, link);
    }
}

// What the headers say of the event's delivery. True if that changes what is missing of the run.
static bool note_delivery(struct live_run *live, const struct message *message) {
    struct str text = message_header_last(message, MESSAGE_HEADER_NUMBER);
    int64_t number;
    if (text.len == 0) {
        return false;
    }
    keep_touch(&live->kept);
    if (live->app->delivery.listener[0] == '\0') {
        delivery_name(&live->app->delivery, message_header_last(message, MESSAGE_HEADER_LISTENER));
    }
    return delivery_take(&live->app->delivery, str_to_i64(text, &number) ? number : 0);
}

// An event of no interest came, too: its run, if there is one, does not miss it.
static void take_other(struct engine *engine, const struct run_key *key, bool placed,
                       const struct message *message) {
    struct live_run *live = placed ? lookup(engine, key) : NULL;
    size_t bytes = decoder_event_bytes(engine->decoder);
    metrics_add(METRIC_EVENTS_UNKNOWN, 1);
    if (live != NULL && note_delivery(live, message)) {
        pace_event(engine, live, bytes, message->offset);
        trim_count(engine, live);
    }
}

// Takes one event of a message. ST_SKIP with *reason if it cannot be used, or, with
// METRIC_IGNORED_*, never was one.
static enum status feed_event(struct engine *engine, const struct message *message,
                              const struct event *event, struct run_key *key, bool placed,
                              enum metric *reason, struct err *err) {
    if (event->kind == EVENT_OTHER) {
        take_other(engine, key, placed, message);
        return ST_OK;
    }
    if (key->app_id.len == 0) { // whom headers or key name, the event cannot rename
        placed = place_by_event(engine->options, event, key);
    }
    if (!placed) {
        *reason = METRIC_SKIP_UNPLACED;
        return err_set(err, ST_SKIP, "neither headers, key nor value say whose event this is");
    }
    advance(engine, event->time_ms, message->timestamp_ms);
    struct live_run *live = find_run(engine, key, event);
    struct stage *stage = NULL;
    size_t bytes = decoder_event_bytes(engine->decoder);
    note_seen(engine, live, message->offset);
    if (message->headers_dropped > 0) {
        app_note_limit(live->app, LIMIT_HEADERS);
    }
    look_until(engine, live,
               event->time_ms < engine->last_event_ms ? event->time_ms : engine->last_event_ms);
    look_at_silent(engine, live, event->time_ms, message->timestamp_ms);
    pace_earn(live, bytes);
    bool missing = note_delivery(live, message);
    bool changed = app_apply(live->app, event, &stage) || missing;
    if (engine->options->no_failure_text) {
        app_withhold_failure(live->app);
    }
    if (changed) {
        pace_event(engine, live, bytes, message->offset);
        take_event(engine, live, event, stage);
    }
    look_place(engine, live);
    trim_count(engine, live);
    trim(engine);
    return ST_OK;
}

// Decodes and takes the first event of a message, or the next one.
static enum status feed_next(struct engine *engine, const struct message *message, size_t readable,
                             bool first, enum metric *reason, struct err *err) {
    struct run_key key;
    struct event event;
    bool placed = place_by_message(engine->options, message, &key);
    const struct idmap *wanted = wanted_of(engine, &key, placed);
    enum status status =
        first ? decoder_decode(engine->decoder, message->value, readable, wanted, &event, err)
              : decoder_next(engine->decoder, wanted, &event, err);
    if (status != ST_OK) {
        *reason = skip_metric(decoder_last_error(engine->decoder));
        return ST_SKIP;
    }
    return feed_event(engine, message, &event, &key, placed, reason, err);
}

static bool is_ignored(enum metric reason) {
    return reason >= METRIC_IGNORED_OTHER_CATEGORY && reason <= METRIC_IGNORED_EMPTY;
}

enum status engine_feed(struct engine *engine, const struct message *message, size_t readable,
                        enum metric *reason, struct err *err) {
    enum metric why, ignored = METRIC_COUNT, refused = METRIC_COUNT;
    struct err words;
    bool first = true, taken = false;
    do {
        enum status status = feed_next(engine, message, readable, first, &why, &words);
        first = false;
        if (status == ST_OK) {
            taken = true;
        } else if (is_ignored(why)) {
            metrics_add(why, 1);
            ignored = why;
        } else if (refused == METRIC_COUNT) { // one dead letter, of however many
            metrics_add(why, 1);
            (void)err_set(err, ST_SKIP, "%s", words.text);
            refused = why;
        }
    } while (decoder_more(engine->decoder));
    if (reason != NULL) {
        *reason = refused != METRIC_COUNT ? refused : taken ? METRIC_COUNT : ignored;
    }
    return refused != METRIC_COUNT ? ST_SKIP : ST_OK;
}

void engine_tick(struct engine *engine, int64_t by_ms) {
    keep_touch(&engine->kept);
    engine->idle_ms += by_ms;
    engine->last_event_ms += engine->last_event_ms > 0 ? by_ms : 0;
    expire(engine);
    look_at_idle(engine);
    tell_waiting(engine);
    trim(engine);
}

bool engine_waits(const struct engine *engine) {
    return engine->runs != NULL;
}

void engine_finish(struct engine *engine, bool in_progress) {
    engine->in_progress = in_progress;
    struct live_run *live;
    TAILQ_FOREACH(live, &engine->ended, link) {
        settle_rest(engine, live);
    }
    while (!TAILQ_EMPTY(&engine->running)) {
        settle(engine, TAILQ_FIRST(&engine->running));
    }
}

int64_t engine_newest_ms(const struct engine *engine) {
    return engine->last_event_ms;
}

uint32_t engine_let_go_count(const struct engine *engine) {
    return engine->let_go;
}

uint32_t engine_application_count(const struct engine *engine) {
    return HASH_COUNT(engine->runs);
}
