// alert_queue: the table, lock, thread and connection of one receiver. The table is a hash of
// conditions by label text in the order they came; the thread takes what is due from it, batch by
// batch. Called by alert_doors.c, one queue per URL. Must never hold the lock while the network is
// waited for, never let the table grow beyond its bound, never resolve an alert because the agent
// stops.
#include "alert_queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "net/signature.h"

enum { PAUSE_FIRST_MS = 1000, COMPLAIN_EVERY_MS = 60000, QUEUE_MAGIC = 0x616c7274 };

struct entry {
    char *labels; // key
    char *annotations;
    const void *holder;           // who put it last; never looked into
    int64_t started_ms, ended_ms; // wall; ended 0 while it fires
    int64_t next_ms, forget_ms;   // steady clock
    bool waiting;                 // a change is not delivered yet
    bool under_way;               // in the batch being sent, as it is now
    bool alone;                   // was in a refused batch: goes by itself to find the culprit
    UT_hash_handle hh;
};

// In the order they came.
struct alert_table {
    struct alert_table_options options;
    struct entry *entries;
    struct alert_message *batch; // under way, batch_max of them
    size_t batch_len;
    size_t firing;  // entries that have not ended
    bool none_told; // no entry's end was told: a victim of that kind need not be looked for
};

struct alert_table *alert_table_new(const struct alert_table_options *options) {
    require(options->resend_interval_ms > 0 && options->alerts_max > 0 && options->batch_max > 0);
    struct alert_table *table = mem_zalloc(1, sizeof *table);
    table->options = *options;
    table->batch = mem_zalloc(options->batch_max, sizeof *table->batch);
    return table;
}

static void drop(struct alert_table *table, struct entry *entry) {
    table->firing -= entry->ended_ms == 0;
    HASH_DEL(table->entries, entry);
    mem_free(entry->labels);
    mem_free(entry->annotations);
    mem_free(entry);
}

void alert_table_free(struct alert_table *table) {
    if (table == NULL) {
        return;
    }
    struct entry *entry = NULL, *next = NULL;
    HASH_ITER(hh, table->entries, entry, next) {
        drop(table, entry);
    }
    mem_free(table->batch);
    mem_free(table);
}

// The one to give up when the table is full: the oldest that ended and was told, else the oldest.
static struct entry *victim(struct alert_table *table) {
    for (struct entry *entry = table->entries; entry != NULL && !table->none_told;
         entry = entry->hh.next) {
        if (entry->ended_ms > 0 && !entry->waiting) {
            return entry;
        }
    }
    table->none_told = true; // until a batch is taken: a flood of new ones walks the table once
    return table->entries;
}

static struct entry *insert(struct alert_table *table, const char *labels, size_t *lost) {
    if (HASH_COUNT(table->entries) >= table->options.alerts_max) {
        struct entry *oldest = victim(table);
        *lost += oldest->ended_ms == 0 || oldest->waiting;
        drop(table, oldest);
    }
    struct entry *entry = mem_zalloc(1, sizeof *entry);
    entry->labels = mem_strdup(labels);
    table->firing++;
    HASH_ADD_KEYPTR(hh, table->entries, entry->labels, strlen(entry->labels), entry);
    return entry;
}

static void changed(struct entry *entry) {
    entry->waiting = true;
    entry->under_way = false;
}

size_t alert_table_put(struct alert_table *table, const void *holder, const char *labels,
                       const char *annotations, int64_t started_ms, int64_t ended_ms,
                       struct alert_time now) {
    // Event time may run ahead of the wall clock, and may be missing.
    int64_t started = started_ms > 0 && started_ms < now.wall_ms ? started_ms : now.wall_ms;
    size_t lost = 0;
    struct entry *entry;
    HASH_FIND(hh, table->entries, labels, strlen(labels), entry);
    bool known = entry != NULL;
    if (!known) {
        entry = insert(table, labels, &lost);
    }
    entry->holder = holder;
    if (!known || (entry->ended_ms > 0 && ended_ms <= 0)) {
        entry->started_ms = started;
    } else if (started < entry->started_ms && !table->options.once) {
        entry->started_ms = started;
        changed(entry);
    }
    int64_t ended = 0;
    if (ended_ms > 0) {
        ended = ended_ms < now.wall_ms ? ended_ms : now.wall_ms;
        ended = ended > entry->started_ms ? ended : entry->started_ms;
        if (entry->ended_ms > 0) {
            ended = entry->ended_ms; // told again: the first end stands
        }
    }
    bool turned = !known || ended != entry->ended_ms;
    if (turned || strcmp(entry->annotations, annotations) != 0) {
        mem_free(entry->annotations);
        entry->annotations = mem_strdup(annotations);
        entry->forget_ms = sat_add(now.mono_ms, table->options.keep_resolved_ms);
        table->firing += (size_t)(ended == 0) - (size_t)(entry->ended_ms == 0);
        entry->ended_ms = ended;
        if (turned || !table->options.once) {
            changed(entry);
        }
    }
    require(HASH_COUNT(table->entries) <= table->options.alerts_max);
    require(table->firing <= HASH_COUNT(table->entries));
    return lost;
}

void alert_table_remove(struct alert_table *table, const void *holder, const char *labels) {
    struct entry *entry;
    HASH_FIND(hh, table->entries, labels, strlen(labels), entry);
    if (entry != NULL && entry->holder == holder) {
        drop(table, entry);
    }
}

static void add_message(struct alert_table *table, const struct entry *entry, int64_t wall_ms) {
    bool firing = entry->ended_ms == 0;
    int64_t lapses_ms = sat_add(wall_ms, sat_mul(4, table->options.resend_interval_ms));
    table->batch[table->batch_len++] = (struct alert_message){
        .labels = entry->labels,
        .annotations = entry->annotations,
        // The clock may have been set back since the alert came.
        .starts_ms = entry->started_ms < wall_ms ? entry->started_ms : wall_ms,
        .ends_ms = firing ? lapses_ms : entry->ended_ms,
        .firing = firing};
}

static void forget_ended(struct alert_table *table, int64_t mono_ms, size_t *lost) {
    struct entry *entry = NULL, *next = NULL;
    HASH_ITER(hh, table->entries, entry, next) {
        if (entry->ended_ms > 0 && entry->forget_ms <= mono_ms) {
            *lost += entry->waiting;
            drop(table, entry);
        }
    }
}

// The first alert of the next batch, or NULL. Changes go first, so that repeats never hold up news.
static struct entry *first_due(struct alert_table *table, bool changes_only, int64_t mono_ms) {
    struct entry *repeat = NULL;
    for (struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->waiting) {
            return entry;
        }
        if (repeat == NULL && entry->next_ms <= mono_ms) {
            repeat = entry;
        }
    }
    return changes_only ? NULL : repeat;
}

size_t alert_table_take(struct alert_table *table, bool changes_only, struct alert_time now,
                        const struct alert_message **messages, size_t *lost) {
    table->batch_len = 0;
    *messages = table->batch;
    forget_ended(table, now.mono_ms, lost);
    struct entry *first = first_due(table, changes_only, now.mono_ms);
    bool changes = first != NULL && first->waiting;
    // Repeats nearly due go along, so that alerts that came one by one are repeated together.
    int64_t horizon_ms = sat_add(now.mono_ms, table->options.resend_interval_ms / 10);
    for (struct entry *entry = first; entry != NULL; entry = entry->hh.next) {
        bool wanted = changes ? entry->waiting : !entry->waiting && entry->next_ms <= horizon_ms;
        if (wanted && (entry == first || !entry->alone)) {
            add_message(table, entry, now.wall_ms);
            entry->under_way = true;
        }
        if (table->batch_len == table->options.batch_max || first->alone) {
            break;
        }
    }
    return table->batch_len;
}

size_t alert_table_settle(struct alert_table *table, enum alert_verdict verdict,
                          struct alert_time now) {
    require(table->batch_len > 0); // a batch is under way
    table->none_told = table->none_told && verdict != ALERT_TAKEN;
    bool single = table->batch_len == 1;
    size_t given_up = 0;
    struct entry *entry = NULL, *next = NULL;
    HASH_ITER(hh, table->entries, entry, next) {
        if (!entry->under_way) {
            continue;
        }
        entry->under_way = false;
        if (verdict == ALERT_TAKEN) {
            entry->waiting = false;
            entry->alone = false;
            entry->next_ms = table->options.once
                                 ? INT64_MAX
                                 : sat_add(now.mono_ms, table->options.resend_interval_ms);
        } else if (verdict == ALERT_REFUSED && single) {
            drop(table, entry);
            given_up++;
        } else if (verdict == ALERT_REFUSED) {
            entry->alone = true;
        }
    }
    table->batch_len = 0;
    return given_up;
}

int64_t alert_table_due_ms(const struct alert_table *table) {
    int64_t due_ms = INT64_MAX;
    for (const struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->waiting) {
            return 0;
        }
        due_ms = entry->next_ms < due_ms ? entry->next_ms : due_ms;
    }
    return due_ms;
}

size_t alert_table_firing(const struct alert_table *table) {
    return table->firing;
}

size_t alert_table_waiting(const struct alert_table *table) {
    size_t count = 0;
    for (const struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        count += entry->waiting;
    }
    return count;
}

// How the last request went.
struct result {
    enum alert_verdict verdict;
    int code;       // HTTP status, 0 without an answer
    char text[300]; // what went wrong, fit to be logged; "" when taken
};

struct alert_queue {
    uint32_t magic;
    const struct alert_door *door;
    struct url url;
    char *secret; // of the signature; NULL: requests carry none
    struct http_client *client;
    pthread_t thread;
    bool started;
    bool shows_active;
    int64_t resend_interval_ms;
    _Atomic int64_t deadline_ms; // steady clock, 0 until the queue is stopped
    pthread_mutex_t lock;        // guards all below
    pthread_cond_t wake;         // on the steady clock
    struct alert_table *table;
    bool stopping;
    int64_t retry_ms; // steady clock: nothing is sent before
    int64_t pause_ms; // how long the last answer put off the next try
    int64_t taken_ms; // wall time of the last success, 0 never
    struct result last;
    struct log_gate gate;
};

static struct alert_time time_now(void) {
    return (struct alert_time){clock_wall_ms(), clock_mono_ms()};
}

// Lock held. Every queue holds the same alerts unless one refused something, so one of them shows
// the gauge.
static void show_active(const struct alert_queue *queue) {
    if (queue->shows_active) {
        metrics_set(METRIC_ALERTS_ACTIVE, (int64_t)alert_table_firing(queue->table));
    }
}

// Lock held.
static void complain(struct alert_queue *queue, const struct result *result, int64_t mono_ms) {
    unsigned long held = 0;
    metrics_add(METRIC_ALERT_ERRORS, 1);
    if (log_gate_open(&queue->gate, mono_ms, COMPLAIN_EVERY_MS, &held)) {
        char event[64];
        snprintf(event, sizeof event, "%s_failed", queue->door->name);
        log_write(result->verdict == ALERT_FAILED ? LOG_WARN : LOG_ERROR, event,
                  "url=%s class=%s status=%d text=%s held_back=%lu", queue->url.shown,
                  alert_verdict_name(result->verdict), result->code, result->text, held);
    }
}

// Lock held.
static void applaud(struct alert_queue *queue, size_t batch, int64_t wall_ms) {
    if (queue->last.verdict == ALERT_FAILED || queue->last.verdict == ALERT_FORBIDDEN) {
        char event[64];
        snprintf(event, sizeof event, "%s_recovered", queue->door->name);
        log_write(LOG_INFO, event, "url=%s", queue->url.shown);
    }
    metrics_add(METRIC_ALERTS_SENT, (int64_t)batch);
    queue->taken_ms = wall_ms;
}

int64_t alert_pause_ms(enum alert_verdict verdict, int64_t last_ms, int64_t resend_interval_ms) {
    int64_t pause_ms = 0;
    if (verdict == ALERT_FORBIDDEN) {
        pause_ms = resend_interval_ms;
    } else if (verdict == ALERT_FAILED) {
        pause_ms = last_ms == 0 ? PAUSE_FIRST_MS : sat_mul(2, last_ms);
    }
    return pause_ms < resend_interval_ms ? pause_ms : resend_interval_ms;
}

// Lock held.
static void settle(struct alert_queue *queue, size_t batch, const struct result *result) {
    struct alert_time now = time_now();
    if (result->verdict == ALERT_TAKEN) {
        applaud(queue, batch, now.wall_ms);
    } else {
        complain(queue, result, now.mono_ms);
    }
    queue->pause_ms = alert_pause_ms(result->verdict, queue->pause_ms, queue->resend_interval_ms);
    queue->retry_ms = now.mono_ms + queue->pause_ms;
    queue->last = *result;
    size_t given_up = alert_table_settle(queue->table, result->verdict, now);
    metrics_add(METRIC_ALERTS_DROPPED, (int64_t)given_up);
    show_active(queue);
}

// Lock held. Sleeps until something may be due, a change comes or the agent stops.
static void wait_until(struct alert_queue *queue, int64_t mono_ms) {
    if (mono_ms == INT64_MAX) {
        pthread_cond_wait(&queue->wake, &queue->lock);
        return;
    }
    struct timespec at = {.tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000};
    pthread_cond_timedwait(&queue->wake, &queue->lock, &at);
}

enum { HEADER_SIZE = SIGNATURE_TEXT_SIZE + 32 };

// NULL: none.
static const char *sign(const struct alert_queue *queue, const struct buf *body,
                        char header[HEADER_SIZE]) {
    if (queue->secret == NULL) {
        return NULL;
    }
    char signature[SIGNATURE_TEXT_SIZE];
    int64_t wall_ms = clock_wall_ms();
    signature_of(str_of(queue->secret), buf_str(body), wall_ms > 0 ? wall_ms / 1000 : 0, signature);
    snprintf(header, HEADER_SIZE, "Stoker-Signature: %s", signature);
    return header;
}

static struct result post(struct alert_queue *queue, const struct buf *body) {
    char header[HEADER_SIZE];
    struct http_request request = {.url = &queue->url,
                                   .content_type = "application/json",
                                   .body = buf_str(body),
                                   .header = sign(queue, body, header)};
    struct http_answer answer;
    struct result result = {.verdict = ALERT_FAILED};
    struct err err;
    enum status status = http_client_send(queue->client, &request, &answer, &err);
    if (status == ST_OK) {
        struct buf words = {0};
        result.code = answer.code;
        result.verdict = queue->door->judge(answer.code, answer.body, &words);
        if (result.verdict != ALERT_TAKEN) {
            str_copy(result.text, sizeof result.text, buf_str(&words));
        }
        buf_fini(&words);
    } else {
        str_copy(result.text, sizeof result.text,
                 status == ST_ABORT ? STR("given up: the agent stops") : str_of(err.text));
    }
    return result;
}

// Lock held; given up while the request runs. False when there was nothing to send.
static bool send_batch(struct alert_queue *queue, struct buf *body) {
    const struct alert_message *messages;
    size_t lost = 0;
    size_t batch = alert_table_take(queue->table, queue->stopping, time_now(), &messages, &lost);
    metrics_add(METRIC_ALERTS_DROPPED, (int64_t)lost);
    if (batch == 0) {
        return false;
    }
    buf_clear(body);
    queue->door->render(messages, batch, body);
    pthread_mutex_unlock(&queue->lock);
    struct result result = post(queue, body);
    pthread_mutex_lock(&queue->lock);
    settle(queue, batch, &result);
    return true;
}

static void *queue_run(void *ctx) {
    struct alert_queue *queue = ctx;
    MAGIC_CHECK(queue, QUEUE_MAGIC);
    struct buf body = {0};
    pthread_mutex_lock(&queue->lock);
    while (!queue->stopping) {
        int64_t due_ms = alert_table_due_ms(queue->table);
        due_ms = due_ms < queue->retry_ms ? queue->retry_ms : due_ms;
        if (due_ms > clock_mono_ms()) {
            wait_until(queue, due_ms);
        } else {
            send_batch(queue, &body);
        }
    }
    // The last changes: as long as they are taken and time is left.
    enum alert_verdict last = ALERT_TAKEN;
    while ((last == ALERT_TAKEN || last == ALERT_REFUSED) &&
           clock_mono_ms() < atomic_load(&queue->deadline_ms) && send_batch(queue, &body)) {
        last = queue->last.verdict;
    }
    pthread_mutex_unlock(&queue->lock);
    buf_fini(&body);
    return NULL;
}

static void start(struct alert_queue *queue) {
    // Signals are the main thread's business.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    queue->started = pthread_create(&queue->thread, NULL, queue_run, queue) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void init_lock(struct alert_queue *queue) {
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->wake, &attr);
    pthread_condattr_destroy(&attr);
}

enum status alert_queue_new(const struct alert_door *door, const struct alert_settings *settings,
                            const char *url, const struct http_settings *http, bool shows_active,
                            struct alert_queue **out, struct err *err) {
    struct url parsed;
    enum status status = url_parse(url, door->path, &parsed, err);
    if (status != ST_OK) {
        return status;
    }
    struct alert_queue *queue = mem_zalloc(1, sizeof *queue);
    queue->magic = QUEUE_MAGIC;
    queue->door = door;
    queue->url = parsed;
    queue->shows_active = shows_active;
    queue->resend_interval_ms = settings->resend_interval_ms;
    queue->table = alert_table_new(
        &(struct alert_table_options){.resend_interval_ms = settings->resend_interval_ms,
                                      .keep_resolved_ms = settings->keep_resolved_ms,
                                      .alerts_max = settings->alerts_max,
                                      .batch_max = door->batch_max,
                                      .once = door->once});
    if (door->hides_path) {
        url_hide_path(&queue->url);
    }
    queue->secret = settings->secret != NULL ? mem_strdup(settings->secret) : NULL;
    init_lock(queue);
    struct http_settings ours = *http;
    ours.give_up_ms = &queue->deadline_ms;
    queue->client = http_client_new(&ours);
    start(queue);
    if (!queue->started) {
        alert_queue_free(queue);
        return err_set(err, ST_FATAL, "cannot start a thread");
    }
    *out = queue;
    return ST_OK;
}

void alert_queue_put(struct alert_queue *queue, const void *holder, const char *labels,
                     const char *annotations, int64_t started_ms, int64_t ended_ms,
                     int64_t now_ms) {
    struct alert_time now = {now_ms, clock_mono_ms()};
    pthread_mutex_lock(&queue->lock);
    size_t lost =
        alert_table_put(queue->table, holder, labels, annotations, started_ms, ended_ms, now);
    metrics_add(METRIC_ALERTS_DROPPED, (int64_t)lost);
    show_active(queue);
    pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
}

void alert_queue_remove(struct alert_queue *queue, const void *holder, const char *labels) {
    pthread_mutex_lock(&queue->lock);
    alert_table_remove(queue->table, holder, labels);
    show_active(queue);
    pthread_mutex_unlock(&queue->lock);
}

bool alert_queue_health(struct alert_queue *queue, struct buf *out) {
    pthread_mutex_lock(&queue->lock);
    bool fine = queue->last.verdict == ALERT_TAKEN;
    char taken[CLOCK_RFC3339_SIZE] = "never";
    if (queue->taken_ms > 0) {
        clock_format_rfc3339(queue->taken_ms, taken);
    }
    const char *state = !fine ? "failing" : queue->taken_ms > 0 ? "ok" : "not used yet";
    buf_printf(out, "%s %s: %s, %zu firing, %zu waiting, last accepted %s", queue->door->name,
               queue->url.shown, state, alert_table_firing(queue->table),
               alert_table_waiting(queue->table), taken);
    if (!fine) {
        buf_printf(out, ", last error: status %d %s", queue->last.code, queue->last.text);
    }
    buf_add_char(out, '\n');
    pthread_mutex_unlock(&queue->lock);
    return fine;
}

size_t alert_queue_firing(struct alert_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    size_t firing = alert_table_firing(queue->table);
    pthread_mutex_unlock(&queue->lock);
    return firing;
}

void alert_queue_stop(struct alert_queue *queue, int64_t deadline_ms) {
    atomic_store(&queue->deadline_ms, deadline_ms);
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
}

bool alert_queue_join(struct alert_queue *queue) {
    if (queue->started) {
        pthread_join(queue->thread, NULL);
        queue->started = false;
    }
    return alert_table_waiting(queue->table) == 0;
}

void alert_queue_free(struct alert_queue *queue) {
    if (queue == NULL) {
        return;
    }
    MAGIC_CHECK(queue, QUEUE_MAGIC);
    if (queue->started) {
        alert_queue_stop(queue, clock_mono_ms());
        alert_queue_join(queue);
    }
    if (queue->shows_active) {
        metrics_set(METRIC_ALERTS_ACTIVE, 0);
    }
    http_client_free(queue->client);
    url_fini(&queue->url);
    mem_free(queue->secret);
    alert_table_free(queue->table);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->lock);
    mem_free(queue);
}
