// landing: order of pipelines and the JSON page. Called by the agent's loop.
#include "serve/landing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json_writer.h"
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

static void add_time(struct json_writer *json, const char *key, int64_t ms) {
    if (ms <= 0) {
        json_member_null(json, key);
        return;
    }
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(ms, text);
    json_member_text(json, key, text);
}

// A number, null if it is not known (below 0).
static void add_known(struct json_writer *json, const char *key, double value) {
    if (value < 0) {
        json_member_null(json, key);
    } else {
        json_member_number(json, key, value);
    }
}

static void add_pipeline(struct json_writer *json, const struct landing_pipeline *pipeline) {
    json_begin_object(json);
    json_member_text(json, "pipeline", pipeline->name);
    json_member_i64(json, "runs", pipeline->runs);
    json_member_text(json, "last_status", pipeline->last_status);
    add_known(json, "last_duration_s", pipeline->last_duration_s);
    add_known(json, "records_per_s", pipeline->records_per_s);
    json_member_object(json, "open");
    for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
        json_member_i64(json, severity_name((enum severity)severity), pipeline->open[severity]);
    }
    json_end_object(json);
    json_end_object(json);
}

void landing_render_json(const struct landing *landing, struct buf *out) {
    struct json_writer writer = {.out = out}, *json = &writer;
    json_begin_object(json);
    json_member_text(json, "version", landing->version);
    json_member_text(json, "cluster", landing->cluster);
    json_member_text(json, "instance", landing->instance);
    add_time(json, "time", landing->now_ms);
    add_time(json, "started", landing->started_ms);
    json_member_bool(json, "ready", landing->ready);
    json_member_text(json, "reason", landing->ready ? "" : landing->reason);
    json_member_text(json, "details", landing->details);
    json_member_i64(json, "partitions", landing->partitions);
    json_member_i64(json, "events_read", landing->events_read);
    json_member_i64(json, "events_skipped", landing->events_skipped);
    json_member_i64(json, "input_lag", landing->input_lag);
    add_time(json, "newest_event", landing->newest_event_ms);
    json_member_i64(json, "alerts_active", landing->alerts_active);
    json_member_i64(json, "pipeline_count", (int64_t)landing->pipeline_count);
    json_member_list(json, "pipelines");
    size_t count = 0;
    struct landing_pipeline *sorted = landing_sorted(landing, &count);
    for (size_t i = 0; i < count; i++) {
        add_pipeline(json, &sorted[i]);
    }
    mem_free(sorted);
    json_end_list(json);
    json_end_object(json);
    buf_add_char(out, '\n');
}
