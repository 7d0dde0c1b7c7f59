// pipeline_slots: which pipelines have series of their own, and the sums shown for each. Called by
// exposition.c once per page.
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "model/alert.h"

struct pipeline_sums {
    int64_t duration_buckets[PIPELINE_DURATION_BUCKETS + 1];
    double duration_sum_s, records_per_s;
    int64_t runs, records, errors;
    int64_t open[SEVERITY_COUNT];
};

struct pipeline_slots;

struct pipeline_slots *pipeline_slots_new(size_t own_max);
void pipeline_slots_free(struct pipeline_slots *slots); // takes NULL
// Adds up a new set of pipelines; those of the last set that are missing are forgotten.
void pipeline_slots_fill(struct pipeline_slots *slots, const struct pipeline_stats *pipelines,
                         size_t count);
// Calls `each` for every series in a stable order: `label` is the escaped value of `pipeline`.
void pipeline_slots_each(const struct pipeline_slots *slots,
                         void (*each)(void *ctx, const char *label,
                                      const struct pipeline_sums *sums),
                         void *ctx);
