// sketch: a histogram of non-negative integers in fixed log-spaced buckets: eight per power of two,
// so a quantile is within 6.25 % of the exact one (half a bucket of 1/8 octave, linear inside the
// octave). Mergeable by addition, O(1) to record, fixed size. The idea is that of HdrHistogram (Gil
// Tene).
//
// Always true: total is the sum of the counts, and a count stops at its largest value.
#pragma once

#include <stdint.h>

enum { SKETCH_BUCKETS = 8 + 29 * 8 }; // values 0..7 exact, then up to 2^32, larger ones in the last

struct sketch {
    uint32_t counts[SKETCH_BUCKETS];
    uint64_t total;
};

// Adds one value; negative ones count as 0.
void sketch_add(struct sketch *sketch, int64_t value);
// Adds all of `from`.
void sketch_merge(struct sketch *into, const struct sketch *from);
// The value below which a share `q` (0..1) of the values lies, the middle of its bucket; 0 if
// empty.
double sketch_quantile(const struct sketch *sketch, double q);
