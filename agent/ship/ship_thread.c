// ship_thread: see the header. The thread owns the ship; the two share a view behind a lock and the
// word to stop.
#include "ship/ship_thread.h"

#include <pthread.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { TURN_MS = 100 };

struct ship_thread {
    struct ship_options options;
    struct ship *ship; // the thread's, once it runs
    pthread_t thread;
    _Atomic int stop;
    pthread_mutex_t lock;
    struct ship_view view; // behind it, as the next
    struct err fatal;
};

static void note(void *ctx, const char *words) {
    (void)ctx;
    log_warn("event_logs", "words=%s", words);
}

static void *sail(void *arg) {
    struct ship_thread *thread = arg;
    struct err err = {0};
    bool done = false;
    enum status status = ST_OK;
    while (status == ST_OK && thread->stop == 0) {
        struct ship_view view;
        status = ship_turn(thread->ship, TURN_MS, &done, &err);
        ship_look(thread->ship, &view);
        pthread_mutex_lock(&thread->lock);
        thread->view = view;
        pthread_mutex_unlock(&thread->lock);
    }
    status = status == ST_OK ? ship_finish(thread->ship, &err) : status;
    ship_free(thread->ship);
    pthread_mutex_lock(&thread->lock);
    if (status != ST_OK) {
        thread->fatal = err;
    }
    thread->fatal.status = status;
    pthread_mutex_unlock(&thread->lock);
    return NULL;
}

enum status ship_thread_start(const struct ship_options *options, struct ship_thread **out,
                              struct err *err) {
    struct ship_thread *thread = mem_zalloc(1, sizeof *thread);
    thread->options = *options;
    thread->options.note = note;
    thread->options.stop = &thread->stop;
    thread->options.follow = true;
    enum status status = ship_new(&thread->options, &thread->ship, err);
    if (status == ST_OK) {
        require(pthread_mutex_init(&thread->lock, NULL) == 0);
        if (pthread_create(&thread->thread, NULL, sail, thread) != 0) {
            ship_free(thread->ship);
            status = err_set(err, ST_RETRY, "the system gives no thread for event logs");
        }
    }
    if (status != ST_OK) {
        mem_free(thread);
        return status;
    }
    *out = thread;
    return ST_OK;
}

enum status ship_thread_look(struct ship_thread *thread, struct ship_view *out, struct err *err) {
    pthread_mutex_lock(&thread->lock);
    *out = thread->view;
    enum status status = thread->fatal.status;
    if (status != ST_OK) {
        *err = thread->fatal;
    }
    pthread_mutex_unlock(&thread->lock);
    int64_t lag_bytes = out->known_bytes - out->read_bytes;
    metrics_set(METRIC_SHIP_LOGS, out->logs);
    metrics_set(METRIC_SHIP_GROWING, out->growing);
    metrics_set(METRIC_SHIP_LAG_BYTES, lag_bytes > 0 ? lag_bytes : 0);
    return status == ST_OK ? ST_OK : ST_FATAL;
}

bool ship_thread_ready(struct ship_thread *thread, struct buf *reason) {
    pthread_mutex_lock(&thread->lock);
    bool ready = thread->view.ready;
    if (!ready) {
        buf_printf(reason, "%sevent logs: %s", reason->len > 0 ? "; " : "",
                   thread->view.reason[0] == '\0' ? "starting" : thread->view.reason);
    }
    pthread_mutex_unlock(&thread->lock);
    return ready;
}

void ship_thread_end(struct ship_thread *thread) {
    if (thread == NULL) {
        return;
    }
    thread->stop = 1;
    pthread_join(thread->thread, NULL);
    pthread_mutex_destroy(&thread->lock);
    mem_free(thread);
}
