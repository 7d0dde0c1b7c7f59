// worker: see the header. The turn: be able to write, have state, take messages, commit when due;
// and what it shows of itself. Called by the agent, from a thread of the worker's own or from the
// agent's caller. One transaction per commit: output, changed state, positions; then the alerts.
// Must not mend a transaction that failed, or of which nobody knows: all state is read again.
#include "worker.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/histogram.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "keep/position.h"
#include "live/due.h"

enum {
    SHOW_EVERY_MS = 1000,
    CLOSED_TOO_LONG_MS = 5000,
    COMMIT_TIMEOUT_MS = 60000, // a broker may be away for a while
    COMMIT_SLICE_MS = 500,
    LAST_COMMIT_MS = 5000,
    BEHIND_MESSAGES = 5000,
    JOIN_PAUSE_MS = 50
};

static bool is_static(const struct agent_options *options) {
    return !options->alone && !options->dynamic;
}

static enum status open_source(struct worker *worker, struct err *err) {
    const struct agent_options *o = worker->options;
    struct kafka_source_options options = {.group = o->group,
                                           .topics = worker->topics,
                                           .topic_count = STAGES,
                                           .alone = o->alone,
                                           .member = is_static(o) ? worker->names.member : NULL,
                                           .held = true};
    struct kafka_source_callbacks callbacks = worker_callbacks;
    callbacks.ctx = worker;
    return kafka_source_new(&o->consumer, &options, callbacks, &worker->source, err);
}

// Joins the group at once, so that its partitions wait for the producer; but not before it is known
// whether a predecessor of an earlier release has a transaction open.
static enum status begin_to_join(struct worker *worker, struct err *err) {
    const struct agent_options *o = worker->options;
    struct predecessor_options options = {.consumer = &o->consumer,
                                          .producer = &o->producer,
                                          .group = o->group,
                                          .topics = worker->topics,
                                          .topic_count = STAGES,
                                          .member = worker->names.member,
                                          .former = worker->names.former_id};
    return is_static(o) && options.former[0] != '\0'
               ? predecessor_new(&options, &worker->predecessor, err)
               : open_source(worker, err);
}

static enum status join(struct worker *worker, struct err *err) {
    struct transaction *tx = &worker->transaction;
    enum status status = predecessor_end(worker->predecessor, err);
    if (status == ST_RETRY) {
        transaction_waits(tx, clock_mono_ms(), err->text);
        clock_sleep_ms(JOIN_PAUSE_MS); // an error may come at once
        return ST_OK;
    }
    transaction_waits_no_more(tx);
    predecessor_free(worker->predecessor);
    worker->predecessor = NULL;
    return status == ST_OK ? open_source(worker, err) : status;
}

enum status worker_new(const struct agent_options *options, struct alert_doors *alerts, int index,
                       struct worker **out, struct err *err) {
    struct worker *worker = mem_zalloc(1, sizeof *worker);
    worker->options = options;
    worker->alerts = alerts;
    names_of(options->group, options->instance, index, &worker->names);
    worker->id = worker->names.transactional_id;
    for (int i = 0; i < STAGES; i++) {
        worker->topics[i] = options->topics[stage_at(i)->input];
    }
    require(pthread_mutex_init(&worker->lock, NULL) == 0);
    worker->committed_ms = clock_mono_ms();
    atomic_store(&worker->beat_ms, clock_mono_ms());
    worker->home = (struct stage_home){.options = options,
                                       .decoder = decoder_new(&options->decode),
                                       .codec = avro_codec_new(),
                                       .transaction = &worker->transaction};
    enum status status = transaction_init(&worker->transaction, options, worker->id, err);
    if (status == ST_OK && options->write_version != NULL) {
        status = avro_codec_write_as(worker->home.codec, options->write_version, err);
    }
    if (status == ST_OK) {
        status = restorer_new(&worker->home, &worker->restorer, err);
    }
    if (status == ST_OK) {
        status = begin_to_join(worker, err);
    }
    if (status != ST_OK) {
        worker_free(worker);
        return ST_FATAL;
    }
    *out = worker;
    return ST_OK;
}

static void add_stats(void *ctx, const struct pipeline_stats *stats) {
    struct worker_view *view = ctx;
    MEM_GROW(view->stats, view->stats_count, view->stats_cap);
    view->stats[view->stats_count++] = *stats;
}

static void add_reason(struct buf *out, const char *text) {
    if (text[0] != '\0') {
        buf_add_text(out, out->len > 0 ? "; " : "");
        buf_add_printable(out, str_of(text));
    }
}

// Words for /readyz; nothing if all is well.
static void describe(struct worker *worker, int64_t loading, struct buf *out) {
    const struct transaction *tx = &worker->transaction;
    struct buf words = {0};
    add_reason(out, tx->trouble[0] != '\0' ? tx->trouble : tx->waiting);
    if (worker->source == NULL) { // not in the group yet, for however short a time
        add_reason(out, out->len == 0 ? "what a predecessor left open is looked for" : "");
    } else if (!kafka_source_health(worker->source, &words)) {
        add_reason(out, buf_text(&words));
    }
    buf_clear(&words);
    if (!kafka_sink_health(tx->sink, &words) && out->len == 0) {
        add_reason(out, buf_text(&words));
    }
    buf_clear(&words);
    if (loading > 0) {
        buf_printf(&words, "state of %lld partitions is being read back", (long long)loading);
        add_reason(out, buf_text(&words));
        buf_clear(&words);
        restorer_words(worker->restorer, &words);
        add_reason(out, buf_text(&words));
    }
    buf_fini(&words);
}

// Fills the view; the lock is held.
static void fill(struct worker *worker, int64_t loading, const struct buf *reason) {
    struct worker_view *view = &worker->view;
    view->ready = reason->len == 0;
    str_copy(view->reason, sizeof view->reason, buf_str(reason));
    view->lag = worker->source == NULL ? 0 : kafka_source_lag(worker->source);
    view->partitions = worker->part_count;
    view->loading = loading;
    view->events_read = worker->home.events_read;
    view->events_skipped = worker->home.events_skipped;
    view->records_loaded = worker->records_loaded;
    view->newest_event_ms = view->changelog_messages = view->partitions_full = 0;
    view->stats_count = 0;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        const struct part *part = worker->parts[i];
        view->changelog_messages += part->changelog_messages;
        if (part->state == NULL) {
            continue;
        }
        int64_t newest_ms = part->ops->newest_ms(part->state);
        view->newest_event_ms =
            newest_ms > view->newest_event_ms ? newest_ms : view->newest_event_ms;
        if (part->ops->each_pipeline != NULL) {
            part->ops->each_pipeline(part->state, add_stats, view);
        }
        const char *full = part->ops->full == NULL ? NULL : part->ops->full(part->state);
        view->full = full != NULL ? full : view->full;
        view->partitions_full += full != NULL;
    }
}

static void show(struct worker *worker, int64_t now_ms) {
    int64_t loading = 0;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        loading += worker->parts[i]->phase != PART_RUNNING;
    }
    bool changed = loading != worker->view.loading; // this thread alone writes it
    if (!changed && now_ms - worker->viewed_ms < SHOW_EVERY_MS) {
        return;
    }
    worker->viewed_ms = now_ms;
    struct buf reason = {0};
    describe(worker, loading, &reason);
    pthread_mutex_lock(&worker->lock);
    fill(worker, loading, &reason);
    pthread_mutex_unlock(&worker->lock);
    buf_fini(&reason);
}

static bool anything(const struct worker *worker) {
    bool any = worker->transaction.begun;
    for (uint32_t i = 0; i < worker->part_count && !any; i++) {
        any = worker->parts[i]->touched;
    }
    return any;
}

static int64_t due_at_ms(const struct worker *worker) {
    return worker->committed_ms + due_commit_ms(worker->options->commit_interval_ms,
                                                worker->commit_took_ms, worker->transaction.urgent,
                                                worker->behind);
}

static bool commit_due(const struct worker *worker, int64_t now_ms) {
    const struct transaction *tx = &worker->transaction;
    return anything(worker) &&
           (now_ms >= due_at_ms(worker) || due_for_size(tx->records, tx->bytes));
}

static int commit_in(const struct worker *worker, int64_t now_ms, int most) {
    int64_t left_ms = due_at_ms(worker) - now_ms;
    left_ms = left_ms < 0 ? 0 : left_ms;
    return anything(worker) && left_ms < most ? (int)left_ms : most;
}

static enum status commit_until(struct worker *worker, const struct sink_position *positions,
                                size_t count, int timeout_ms, struct err *err) {
    struct transaction *tx = &worker->transaction;
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    enum status status;
    do {
        int64_t now_ms = clock_mono_ms();
        atomic_store(&worker->beat_ms, now_ms);
        status = kafka_sink_commit(tx->sink, kafka_source_client(worker->source), positions, count,
                                   COMMIT_SLICE_MS, err);
        if (status == ST_RETRY) {
            str_copy(tx->trouble, sizeof tx->trouble, str_of(err->text));
            show(worker, now_ms);
        }
        if (atomic_load(&worker->stop) && deadline_ms > now_ms + LAST_COMMIT_MS) {
            deadline_ms = now_ms + LAST_COMMIT_MS;
        }
    } while (status == ST_RETRY && clock_mono_ms() < deadline_ms);
    if (status == ST_RETRY) {
        status = err->status = ST_ABORT;
    }
    return status;
}

static enum status commit(struct worker *worker, int timeout_ms, struct err *err) {
    struct transaction *tx = &worker->transaction;
    enum status status = transaction_begin(tx, err);
    if (status != ST_OK) {
        return status;
    }
    struct sink_position *positions = mem_alloc((worker->part_count + 1) * sizeof *positions);
    CRASH_POINT("commit.begin");
    size_t count;
    status = worker_put_state(worker, positions, &count, err);
    CRASH_POINT("commit.state");
    if (status == ST_OK) {
        status = commit_until(worker, positions, count, timeout_ms, err);
    }
    mem_free(positions);
    return status;
}

// All of it counts now.
static void settle(struct worker *worker, int64_t now_ms) {
    for (uint32_t i = 0; i < worker->part_count; i++) {
        struct part *part = worker->parts[i];
        require(part->position.offset >= part->committed_offset || part->phase != PART_RUNNING);
        part->committed_offset = part->position.offset;
        part->touched = false;
    }
    metrics_add(METRIC_URGENT_COMMITS, worker->transaction.urgent && !worker->behind);
    transaction_settle(&worker->transaction, worker->alerts, worker);
    worker->behind = kafka_source_lag(worker->source) > BEHIND_MESSAGES;
    worker->committed_ms = now_ms;
}

enum status worker_commit(struct worker *worker, int timeout_ms, struct err *err) {
    if (worker->transaction.broken || !anything(worker)) {
        return worker->transaction.broken ? ST_ABORT : ST_OK;
    }
    int64_t start_ms = clock_mono_ms();
    enum status status = commit(worker, timeout_ms, err);
    int64_t now_ms = clock_mono_ms();
    if (status != ST_OK) {
        metrics_add(METRIC_COMMIT_ERRORS, 1);
        transaction_break(&worker->transaction, "commit", err);
        return ST_ABORT;
    }
    CRASH_POINT("commit.done");
    metrics_add(METRIC_COMMITS, 1);
    worker->commit_took_ms = now_ms - start_ms;
    histogram_observe(HISTOGRAM_COMMIT, worker->commit_took_ms);
    settle(worker, now_ms);
    return ST_OK;
}

static void take(struct worker *worker, const struct message *message, int64_t now_ms) {
    struct part *part = message->owner;
    if (part->phase != PART_RUNNING || !part_accepts(part, message, now_ms)) {
        return; // read ahead of a position that does not count any more, or again
    }
    require(part->state != NULL);
    enum metric reason = METRIC_SKIP_MALFORMED;
    struct err err = {0};
    struct message placed = *message; // for a stage, order goes on where the input began again
    placed.offset = (int64_t)((uint64_t)placed.offset + (uint64_t)part->position.shift);
    if (part->ops->feed(part->state, &placed, &reason, &err) != ST_OK) {
        transaction_dead_letter(&worker->transaction, message, reason, err.text);
    }
    position_take(&part->position, message);
    part->taken_ms = part->heard_ms = now_ms;
    part->ticked = false;
    part->touched = true;
}

// Hands the messages out that are there, for about `wait_ms`. Nothing of them counts while no
// partition runs.
static enum status poll(struct worker *worker, int wait_ms, int64_t *now_ms, struct err *err) {
    struct message message;
    enum status status = kafka_source_poll(worker->source, wait_ms, &message, err);
    *now_ms = clock_mono_ms();
    if (status == ST_FATAL) { // another has our name in the group; or a broker that died thinks so
        status = transaction_note_fence(&worker->transaction, *now_ms, err);
        worker->reopen = true;
        transaction_break(&worker->transaction, "membership", err);
        return status;
    }
    if (status == ST_OK) {
        take(worker, &message, *now_ms);
    } else if (status == ST_ABORT) {
        worker->reopen = true;
        transaction_break(&worker->transaction, "input", err);
    }
    return ST_OK;
}

static void look_at_ends(struct worker *worker) {
    struct err err = {0};
    for (uint32_t i = 0; i < worker->part_count && !worker->transaction.broken; i++) {
        struct part *part = worker->parts[i];
        if (part->phase == PART_RUNNING && part_look_at_end(part, &err) != ST_OK) {
            transaction_break(&worker->transaction, "input", &err);
        }
    }
}

// Lets the time of idle partitions go on.
static void tick(struct worker *worker, int64_t now_ms) {
    int64_t tick_ms = worker->options->tick_ms;
    for (uint32_t i = 0; i < worker->part_count && tick_ms > 0; i++) {
        struct part *part = worker->parts[i];
        if (part->phase == PART_RUNNING && !part->proving &&
            now_ms - part->heard_ms >= due_tick_ms(tick_ms, part->ticked) &&
            part->ops->waits(part->state) &&
            kafka_source_caught_up(worker->source, part->topic, part->partition)) {
            part->ops->tick(part->state, tick_ms);
            metrics_add(METRIC_TICKS, 1);
            part->position.ticks++;
            part->heard_ms = now_ms;
            part->ticked = part->touched = true;
        }
    }
}

// All state goes, and is read back before anything is taken.
static void unload_all(struct worker *worker) {
    for (uint32_t i = 0; i < worker->part_count; i++) {
        part_unload(worker->parts[i]);
    }
}

// Gives the failed transaction up and lets all state be read again.
static enum status begin_again(struct worker *worker, int64_t now_ms, struct err *err) {
    enum status status = transaction_give_up(&worker->transaction, now_ms, err);
    unload_all(worker);
    worker_forget_suspended(worker, INT64_MAX);
    worker->committed_ms = now_ms;
    if (worker->reopen && status == ST_OK) {
        worker->reopen = false;
        kafka_source_free(worker->source);
        worker->source = NULL;
        worker_drop_parts(worker);
        status = open_source(worker, err);
    }
    return status;
}

// Nothing is left to be done again, e.g. because another does it: what failed is forgotten.
static void forget_failures(struct worker *worker) {
    const struct transaction *tx = &worker->transaction;
    bool over = tx->failures > 0 && !tx->begun && !tx->broken;
    for (uint32_t i = 0; i < worker->part_count && over; i++) {
        const struct part *part = worker->parts[i];
        over = part->phase == PART_RUNNING && !part->touched &&
               kafka_source_caught_up(worker->source, part->topic, part->partition);
    }
    if (over) {
        transaction_forget_failures(&worker->transaction);
    }
}

// The broker is away for long: keep the membership alive, without any state to spoil.
static enum status wait_for_producer(struct worker *worker, int budget_ms, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    const struct transaction *tx = &worker->transaction;
    if (tx->closed_ms != 0 && now_ms - tx->closed_ms > CLOSED_TOO_LONG_MS) {
        unload_all(worker);
        return poll(worker, budget_ms, &now_ms, err);
    }
    clock_sleep_ms(budget_ms);
    return ST_OK;
}

static enum status take_all(struct worker *worker, int budget_ms, struct err *err) {
    int64_t start_ms = clock_mono_ms(), now_ms = start_ms;
    do {
        int left_ms = (int)(start_ms + budget_ms - now_ms);
        int wait_ms = commit_in(worker, now_ms, left_ms > 0 ? left_ms : 0);
        if (poll(worker, wait_ms, &now_ms, err) != ST_OK) {
            return ST_FATAL;
        }
    } while (now_ms - start_ms < budget_ms && !worker->transaction.broken &&
             !commit_due(worker, now_ms));
    return ST_OK;
}

enum status worker_turn(struct worker *worker, int budget_ms, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    bool possible = false;
    atomic_store(&worker->beat_ms, now_ms);
    if (worker->predecessor != NULL) {
        enum status joining = join(worker, err);
        show(worker, now_ms);
        return joining;
    }
    enum status status = worker->transaction.broken ? begin_again(worker, now_ms, err) : ST_OK;
    if (status == ST_OK) {
        status = transaction_possible(&worker->transaction, &possible, err);
    }
    if (status == ST_OK && !possible) {
        status = wait_for_producer(worker, budget_ms, err);
        show(worker, now_ms);
        return status;
    }
    if (status == ST_OK) {
        status = worker_load(worker, err);
    }
    if (status == ST_OK) {
        status = take_all(worker, budget_ms, err);
    }
    if (status == ST_OK) {
        struct err why = {0};
        now_ms = clock_mono_ms();
        look_at_ends(worker);
        tick(worker, now_ms);
        worker_forget_suspended(worker, now_ms);
        forget_failures(worker);
        if (commit_due(worker, now_ms)) {
            (void)worker_commit(worker, COMMIT_TIMEOUT_MS, &why);
        }
    }
    show(worker, now_ms);
    return status;
}

void worker_free(struct worker *worker) {
    if (worker == NULL) {
        return;
    }
    worker->closing = true;
    predecessor_free(worker->predecessor);
    kafka_source_free(worker->source); // commits through the callback
    worker->source = NULL;
    worker_drop_parts(worker);
    restorer_free(worker->restorer);
    changelog_free(worker->peeker);
    transaction_fini(&worker->transaction);
    avro_codec_free(worker->home.codec);
    decoder_free(worker->home.decoder);
    buf_fini(&worker->home.encoded);
    buf_fini(&worker->value);
    pthread_mutex_destroy(&worker->lock);
    mem_free(worker->view.stats);
    mem_free(worker->parts);
    mem_free(worker);
}
