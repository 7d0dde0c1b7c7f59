// sketch: bucket arithmetic. Called by state per task end and by fleet per run; never allocates.
#include "stats/sketch.h"

#include <math.h>

#include "base/check.h"

static unsigned bucket_of(uint64_t value) {
    if (value < 8) {
        return (unsigned)value;
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll(value); // >= 3
    unsigned sub = (unsigned)(value >> (octave - 3)) & 7u;
    unsigned bucket = 8u + (octave - 3) * 8u + sub;
    return bucket < SKETCH_BUCKETS ? bucket : SKETCH_BUCKETS - 1;
}

static double middle_of(unsigned bucket) {
    if (bucket < 8) {
        return bucket;
    }
    unsigned octave = (bucket - 8) / 8 + 3;
    double width = ldexp(1, (int)octave - 3);
    double low = ldexp(1, (int)octave) + width * ((bucket - 8) % 8);
    return low + (width - 1) / 2;
}

void sketch_add(struct sketch *sketch, int64_t value) {
    uint32_t *count = &sketch->counts[bucket_of(value < 0 ? 0 : (uint64_t)value)];
    if (*count != UINT32_MAX) {
        (*count)++;
        sketch->total++;
    }
}

void sketch_merge(struct sketch *into, const struct sketch *from) {
    for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
        uint32_t room = UINT32_MAX - into->counts[i];
        uint32_t add = from->counts[i] < room ? from->counts[i] : room;
        into->counts[i] += add;
        into->total += add;
    }
}

double sketch_quantile(const struct sketch *sketch, double q) {
    if (sketch->total == 0) {
        return 0;
    }
    // The smallest value with at least ceil(q * n) values at or below it.
    double wanted = ceil(q * (double)sketch->total);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
    uint64_t seen = 0;
    for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
        seen += sketch->counts[i];
        if (seen >= rank) {
            return middle_of(i);
        }
    }
    require(rank > sketch->total); // only if more than all were asked for
    return middle_of(SKETCH_BUCKETS - 1);
}
