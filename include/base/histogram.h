// histogram: how long things took, in fixed buckets, for /metrics. Any thread may observe; the page
// reads. Never blocks.
#pragma once

#include <stdint.h>

enum histogram { HISTOGRAM_COMMIT, HISTOGRAM_COUNT };
enum { HISTOGRAM_BUCKETS = 12 };
// Upper bounds of the buckets, inclusive; one more bucket is beyond all.
extern const int64_t histogram_bounds_ms[HISTOGRAM_BUCKETS];

// Counts one duration in its bucket; a negative one adds nothing to the sum.
void histogram_observe(enum histogram histogram, int64_t ms);
// Observations in bucket 0..HISTOGRAM_BUCKETS, not cumulative.
int64_t histogram_bucket(enum histogram histogram, int bucket);
int64_t histogram_sum_ms(enum histogram histogram);
// All back to zero: tests only.
void histogram_reset(void);
