// landing: what the agent is doing, as a small HTML page for people (served at /) and as JSON for
// scripts (served at /status), from the same plain struct. Called by the agent's loop, which hands
// the finished pages to http_publish. Must never put text on a page unescaped, load anything from
// elsewhere, or grow without bound.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/kind.h"

// Pipelines shown; the rest is counted.
enum { LANDING_PIPELINES_MAX = 200 };

struct landing_pipeline {
    const char *name;
    int64_t runs;            // ended
    const char *last_status; // a run status, "" before the first run
    double last_duration_s;  // negative: unknown
    double records_per_s;    // negative: unknown
    int64_t open[SEVERITY_COUNT];
};

// All text is borrowed for the call; times are Unix milliseconds, 0 = none yet.
struct landing {
    const char *version, *cluster, *instance;
    int64_t now_ms, started_ms;
    bool ready;
    const char *reason;  // why not ready
    const char *details; // further lines, e.g. alert_doors_health; may be ""
    int64_t partitions, events_read, events_skipped, input_lag;
    int64_t newest_event_ms, alerts_active;
    const struct landing_pipeline *pipelines; // any order; shown worst first
    size_t pipeline_count;
};

// Appends the HTML page.
void landing_render_html(const struct landing *landing, struct buf *out);
// Appends one JSON object with the same content and a line end. Unknown numbers are null.
void landing_render_json(const struct landing *landing, struct buf *out);
