// alert_queue: the table, lock, thread and connection of one Alertmanager. Called by
// alertmanager.c, one per URL. Must never hold the lock while the network is waited for, never
// resolve an alert because the agent stops.
#include "alert_queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "alert_post.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { PAUSE_FIRST_MS = 1000, COMPLAIN_EVERY_MS = 60000 };

struct queue {
    struct post *post;
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
    int64_t pause_ms; // how long the last failure put off the next try
    int64_t taken_ms; // wall time of the last success, 0 never
    struct post_result last;
    struct log_gate gate;
};

static struct alert_time time_now(void) {
    return (struct alert_time){clock_wall_ms(), clock_mono_ms()};
}

// Lock held. Every queue holds the same alerts unless one refused something, so one of them shows
// the gauge.
static void show_active(const struct queue *queue) {
    if (queue->shows_active) {
        metrics_set(METRIC_ALERTS_ACTIVE, (int64_t)alert_table_firing(queue->table));
    }
}

// Lock held.
static void complain(struct queue *queue, const struct post_result *result, int64_t mono_ms) {
    unsigned long held = 0;
    metrics_add(METRIC_ALERT_ERRORS, 1);
    if (log_gate_open(&queue->gate, mono_ms, COMPLAIN_EVERY_MS, &held)) {
        enum log_level level = result->class == POST_FAILED ? LOG_WARN : LOG_ERROR;
        log_write(level, "alertmanager_failed", "url=%s class=%s status=%ld text=%s held_back=%lu",
                  post_shown_url(queue->post), post_class_name(result->class), result->code,
                  result->text, held);
    }
}

// Lock held. Failures wait for 1 s, 2 s, 4 s ... up to the resend interval; what only a human can
// mend waits for the whole interval.
static void settle(struct queue *queue, size_t batch, const struct post_result *result) {
    struct alert_time now = time_now();
    int64_t interval_ms = queue->resend_interval_ms;
    enum alert_outcome outcome = ALERTS_TAKEN;
    if (result->class == POST_TAKEN) {
        if (queue->last.class == POST_FAILED || queue->last.class == POST_FORBIDDEN) {
            log_info("alertmanager_recovered", "url=%s", post_shown_url(queue->post));
        }
        metrics_add(METRIC_ALERTS_SENT, (int64_t)batch);
        queue->taken_ms = now.wall_ms;
        queue->pause_ms = 0;
    } else {
        complain(queue, result, now.mono_ms);
        outcome = result->class == POST_REFUSED ? ALERTS_REFUSED : ALERTS_LATER;
        int64_t longer_ms = queue->pause_ms == 0 ? PAUSE_FIRST_MS : queue->pause_ms * 2;
        queue->pause_ms = longer_ms < interval_ms ? longer_ms : interval_ms;
        if (result->class == POST_FORBIDDEN) {
            queue->pause_ms = interval_ms;
        }
        if (result->class == POST_REFUSED) {
            queue->pause_ms = 0; // the others of the batch must not wait for the culprit
        }
    }
    queue->retry_ms = now.mono_ms + queue->pause_ms;
    queue->last = *result;
    size_t given_up = alert_table_settle(queue->table, outcome, now);
    metrics_add(METRIC_ALERTS_DROPPED, (int64_t)given_up);
    show_active(queue);
}

// Lock held. Sleeps until something may be due, a change comes or the agent stops.
static void wait_until(struct queue *queue, int64_t mono_ms) {
    if (mono_ms == INT64_MAX) {
        pthread_cond_wait(&queue->wake, &queue->lock);
        return;
    }
    struct timespec at = {.tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000};
    pthread_cond_timedwait(&queue->wake, &queue->lock, &at);
}

// Lock held; given up while the request runs. False when there was nothing to send.
static bool send_batch(struct queue *queue, struct buf *body) {
    size_t lost = 0;
    size_t batch = alert_table_take(queue->table, queue->stopping, time_now(), body, &lost);
    metrics_add(METRIC_ALERTS_DROPPED, (int64_t)lost);
    if (batch == 0) {
        return false;
    }
    pthread_mutex_unlock(&queue->lock);
    struct post_result result;
    post_send(queue->post, body, &result);
    pthread_mutex_lock(&queue->lock);
    settle(queue, batch, &result);
    return true;
}

static void *queue_run(void *ctx) {
    struct queue *queue = ctx;
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
    enum post_class last = POST_TAKEN;
    while ((last == POST_TAKEN || last == POST_REFUSED) &&
           clock_mono_ms() < atomic_load(&queue->deadline_ms) && send_batch(queue, &body)) {
        last = queue->last.class;
    }
    pthread_mutex_unlock(&queue->lock);
    buf_fini(&body);
    return NULL;
}

static void start(struct queue *queue) {
    // Signals are the main thread's business.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    queue->started = pthread_create(&queue->thread, NULL, queue_run, queue) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum status alert_queue_new(const struct alertmanager_settings *settings, const char *url,
                            const struct alert_table_options *options, bool shows_active,
                            struct queue **out, struct err *err) {
    struct queue *queue = mem_zalloc(1, sizeof *queue);
    queue->shows_active = shows_active;
    queue->resend_interval_ms = options->resend_interval_ms;
    queue->table = alert_table_new(options);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->wake, &attr);
    pthread_condattr_destroy(&attr);
    enum status status = post_new(settings, url, &queue->deadline_ms, &queue->post, err);
    if (status == ST_OK) {
        start(queue);
        if (!queue->started) {
            status = err_set(err, ST_FATAL, "cannot start a thread");
        }
    }
    if (status != ST_OK) {
        alert_queue_free(queue);
        return status;
    }
    *out = queue;
    return ST_OK;
}

void alert_queue_put(struct queue *queue, const void *holder, const char *labels,
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

void alert_queue_remove(struct queue *queue, const void *holder, const char *labels) {
    pthread_mutex_lock(&queue->lock);
    alert_table_remove(queue->table, holder, labels);
    show_active(queue);
    pthread_mutex_unlock(&queue->lock);
}

bool alert_queue_health(struct queue *queue, struct buf *out) {
    pthread_mutex_lock(&queue->lock);
    bool fine = queue->last.class == POST_TAKEN;
    char taken[CLOCK_RFC3339_SIZE] = "never";
    if (queue->taken_ms > 0) {
        clock_format_rfc3339(queue->taken_ms, taken);
    }
    const char *state = !fine ? "failing" : queue->taken_ms > 0 ? "ok" : "not used yet";
    buf_printf(out, "alertmanager %s: %s, %zu firing, %zu waiting, last accepted %s",
               post_shown_url(queue->post), state, alert_table_firing(queue->table),
               alert_table_waiting(queue->table), taken);
    if (!fine) {
        buf_printf(out, ", last error: status %ld %s", queue->last.code, queue->last.text);
    }
    buf_add_char(out, '\n');
    pthread_mutex_unlock(&queue->lock);
    return fine;
}

size_t alert_queue_firing(struct queue *queue) {
    pthread_mutex_lock(&queue->lock);
    size_t firing = alert_table_firing(queue->table);
    pthread_mutex_unlock(&queue->lock);
    return firing;
}

void alert_queue_stop(struct queue *queue, int64_t deadline_ms) {
    atomic_store(&queue->deadline_ms, deadline_ms);
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
}

bool alert_queue_join(struct queue *queue) {
    if (queue->started) {
        pthread_join(queue->thread, NULL);
        queue->started = false;
    }
    return alert_table_waiting(queue->table) == 0;
}

void alert_queue_free(struct queue *queue) {
    if (queue == NULL) {
        return;
    }
    if (queue->started) {
        alert_queue_stop(queue, clock_mono_ms());
        alert_queue_join(queue);
    }
    if (queue->shows_active) {
        metrics_set(METRIC_ALERTS_ACTIVE, 0);
    }
    post_free(queue->post);
    alert_table_free(queue->table);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->lock);
    mem_free(queue);
}
