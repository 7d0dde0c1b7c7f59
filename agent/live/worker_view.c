// worker_view: what a worker shows of itself: written once a second by its own thread, read by the
// agent for its pages. Never waits for anything.
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "worker.h"

enum { SHOW_EVERY_MS = 1000 };

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
    struct buf words = {0};
    add_reason(out, worker->trouble[0] != '\0' ? worker->trouble : worker->waiting);
    if (worker->source != NULL && !kafka_source_health(worker->source, &words)) {
        add_reason(out, buf_text(&words));
    }
    buf_clear(&words);
    if (!kafka_sink_health(worker->sink, &words) && out->len == 0) {
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

void worker_show(struct worker *worker, int64_t now_ms, bool at_once) {
    int64_t loading = 0, newest_ms = 0, changelog_messages = 0;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        const struct part *part = worker->parts[i];
        loading += part->phase != PART_RUNNING;
        changelog_messages += part->changelog_messages;
        if (part->engine != NULL && engine_newest_ms(part->engine) > newest_ms) {
            newest_ms = engine_newest_ms(part->engine);
        }
    }
    struct worker_view *view = &worker->view;
    bool changed = loading != view->loading; // this thread alone writes it
    if (!at_once && !changed && now_ms - worker->viewed_ms < SHOW_EVERY_MS) {
        return;
    }
    worker->viewed_ms = now_ms;
    struct buf reason = {0};
    describe(worker, loading, &reason);
    pthread_mutex_lock(&worker->lock);
    view->ready = reason.len == 0;
    str_copy(view->reason, sizeof view->reason, buf_str(&reason));
    view->lag = worker->source == NULL ? 0 : kafka_source_lag(worker->source);
    view->newest_event_ms = newest_ms;
    view->partitions = worker->part_count;
    view->loading = loading;
    view->changelog_messages = changelog_messages;
    view->stats_count = 0;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        if (worker->parts[i]->pipelines != NULL) {
            pipelines_each(worker->parts[i]->pipelines, add_stats, view);
        }
    }
    pthread_mutex_unlock(&worker->lock);
    buf_fini(&reason);
}
