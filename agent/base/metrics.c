// metrics: storage of the rows in metrics.def. Called from every room; must never block.
#include "base/metrics.h"

#include <stdatomic.h>

#include "base/check.h"

static const struct metric_row rows[] = {
#define METRIC(id, kind, family, pair, text)                                                       \
    {.name = family, .label = pair, .help = text, .type = METRIC_##kind},
#include "base/metrics.def"
#undef METRIC
};

static _Atomic int64_t values[METRIC_COUNT];

const struct metric_row *metrics_row(enum metric m) {
    require((unsigned)m < METRIC_COUNT);
    return &rows[m];
}

void metrics_add(enum metric m, int64_t delta) {
    atomic_fetch_add_explicit(&values[m], delta, memory_order_relaxed);
}

void metrics_set(enum metric m, int64_t value) {
    atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

int64_t metrics_get(enum metric m) {
    return atomic_load_explicit(&values[m], memory_order_relaxed);
}

void metrics_reset(void) {
    for (int i = 0; i < METRIC_COUNT; i++) {
        metrics_set((enum metric)i, 0);
    }
}
