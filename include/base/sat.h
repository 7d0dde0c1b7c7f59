// sat: integer sums that stop at the ends of int64 instead of overflowing: every number of a
// message is hostile.
#pragma once

#include <stdint.h>

// a + b.
static inline int64_t sat_add(int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return b < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}
// For non-negative factors.
static inline int64_t sat_mul(int64_t a, int64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}
// *sum += value.
static inline void sat_inc(int64_t *sum, int64_t value) {
    *sum = sat_add(*sum, value);
}
// a - b, never below 0.
static inline int64_t sat_sub0(int64_t a, int64_t b) {
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference)) {
        return a < b ? 0 : INT64_MAX;
    }
    return difference < 0 ? 0 : difference;
}
