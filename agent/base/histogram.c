// histogram: see the header. Called by the workers and by the page of numbers.
#include "base/histogram.h"

#include <stdatomic.h>

const int64_t histogram_bounds_ms[HISTOGRAM_BUCKETS] = {5,   10,   25,   50,   100,   250,
                                                        500, 1000, 2500, 5000, 10000, 30000};

static _Atomic int64_t buckets[HISTOGRAM_COUNT][HISTOGRAM_BUCKETS + 1];
static _Atomic int64_t sums_ms[HISTOGRAM_COUNT];

void histogram_observe(enum histogram histogram, int64_t ms) {
    int bucket = 0;
    while (bucket < HISTOGRAM_BUCKETS && ms > histogram_bounds_ms[bucket]) {
        bucket++;
    }
    atomic_fetch_add_explicit(&buckets[histogram][bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&sums_ms[histogram], ms > 0 ? ms : 0, memory_order_relaxed);
}

int64_t histogram_bucket(enum histogram histogram, int bucket) {
    return atomic_load_explicit(&buckets[histogram][bucket], memory_order_relaxed);
}

int64_t histogram_sum_ms(enum histogram histogram) {
    return atomic_load_explicit(&sums_ms[histogram], memory_order_relaxed);
}

void histogram_reset(void) {
    for (int h = 0; h < HISTOGRAM_COUNT; h++) {
        for (int bucket = 0; bucket <= HISTOGRAM_BUCKETS; bucket++) {
            atomic_store_explicit(&buckets[h][bucket], 0, memory_order_relaxed);
        }
        atomic_store_explicit(&sums_ms[h], 0, memory_order_relaxed);
    }
}
