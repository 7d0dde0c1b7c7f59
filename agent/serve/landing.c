// landing: order of pipelines and the JSON page. Called by the agent's loop.
#include "serve/landing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "landing_priv.h"

static int compare(const void *left, const void *right) {
    const struct landing_pipeline *a = left;
    const struct landing_pipeline *b = right;
    for (int severity = SEVERITY_CRITICAL; severity >= SEVERITY_LOW; severity--) {
        if (a->open[severity] != b->open[severity]) {
            return a->open[severity] > b->open[severity] ? -1 : 1;
        }
    }
    return strcmp(a->name, b->name);
}

struct landing_pipeline *landing_sorted(const struct landing *landing, size_t *count) {
    size_t all = landing->pipeline_count;
    struct landing_pipeline *sorted = mem_zalloc(all + 1, sizeof *sorted);
    for (size_t i = 0; i < all; i++) {
        sorted[i] = landing->pipelines[i];
    }
    qsort(sorted, all, sizeof *sorted, compare);
    *count = all < LANDING_PIPELINES_MAX ? all : LANDING_PIPELINES_MAX;
    return sorted;
}

static void add_key(struct buf *out, const char *key) {
    char last = out->len > 0 ? out->data[out->len - 1] : '{';
    buf_printf(out, "%s\"%s\":", last == '{' ? "" : ",", key);
}

static void add_text(struct buf *out, const char *key, const char *value) {
    add_key(out, key);
    buf_add_json(out, str_of(value));
}

static void add_count(struct buf *out, const char *key, int64_t value) {
    add_key(out, key);
    buf_printf(out, "%lld", (long long)value);
}

static void add_time(struct buf *out, const char *key, int64_t ms) {
    add_key(out, key);
    if (ms <= 0) {
        buf_add_text(out, "null");
        return;
    }
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(ms, text);
    buf_add_json(out, str_of(text));
}

static void add_unknown_or(struct buf *out, const char *key, double value) {
    add_key(out, key);
    if (value < 0) {
        buf_add_text(out, "null");
    } else {
        buf_add_json_number(out, value);
    }
}

static void add_pipeline(struct buf *out, const struct landing_pipeline *pipeline) {
    buf_add_char(out, '{');
    add_text(out, "pipeline", pipeline->name);
    add_count(out, "runs", pipeline->runs);
    add_text(out, "last_status", pipeline->last_status);
    add_unknown_or(out, "last_duration_s", pipeline->last_duration_s);
    add_unknown_or(out, "records_per_s", pipeline->records_per_s);
    add_key(out, "open");
    buf_add_char(out, '{');
    for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
        add_count(out, severity_name((enum severity)severity), pipeline->open[severity]);
    }
    buf_add_text(out, "}}");
}

void landing_render_json(const struct landing *landing, struct buf *out) {
    buf_add_char(out, '{');
    add_text(out, "version", landing->version);
    add_text(out, "cluster", landing->cluster);
    add_text(out, "instance", landing->instance);
    add_time(out, "time", landing->now_ms);
    add_time(out, "started", landing->started_ms);
    add_key(out, "ready");
    buf_add_text(out, landing->ready ? "true" : "false");
    add_text(out, "reason", landing->ready ? "" : landing->reason);
    add_text(out, "details", landing->details);
    add_count(out, "partitions", landing->partitions);
    add_count(out, "events_read", landing->events_read);
    add_count(out, "events_skipped", landing->events_skipped);
    add_count(out, "input_lag", landing->input_lag);
    add_time(out, "newest_event", landing->newest_event_ms);
    add_count(out, "alerts_active", landing->alerts_active);
    add_count(out, "pipeline_count", (int64_t)landing->pipeline_count);
    add_key(out, "pipelines");
    buf_add_char(out, '[');
    size_t count = 0;
    struct landing_pipeline *sorted = landing_sorted(landing, &count);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i == 0 ? "" : ",");
        add_pipeline(out, &sorted[i]);
    }
    mem_free(sorted);
    buf_add_text(out, "]}\n");
}
