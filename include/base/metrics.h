// metrics: the agent's own counters and gauges, declared as rows in metrics.def. One row is one
// series; rows of one family stand together. Storage, /metrics, the docs page and the tests all
// follow from the rows. Any thread may add or set.
#pragma once

#include <stdint.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

enum metric {
#define METRIC(id, type, name, label, help) METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

struct metric_row {
    const char *name;  // family, e.g. "stoker_events_total"
    const char *label; // "" or one label pair, e.g. "reason=\"malformed\""
    const char *help;  // one sentence: what it counts and what a rise means
    enum metric_type type;
};

// The declaration of series `m` (static).
const struct metric_row *metrics_row(enum metric m);
// Adds to a series, sets it, reads it; atomic, each alone.
void metrics_add(enum metric m, int64_t delta);
void metrics_set(enum metric m, int64_t value);
int64_t metrics_get(enum metric m);
// All series back to zero: tests only.
void metrics_reset(void);
