// rangeset: a set of int64 ids kept as sorted ranges: O(gaps) memory for ids that are dense, as
// Spark's task ids are. Used by state to see whether a task end was already counted.
//
// Always true: the ranges are in order and no two touch: first <= last, and last + 1 < the next
// first.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rangeset {
    struct rangeset_range {
        int64_t first, last; // inclusive
    } * ranges;
    size_t len, cap;
};

void rangeset_fini(struct rangeset *set);
// True if the id is there.
bool rangeset_has(const struct rangeset *set, int64_t id);
// Adds an id; false if it was there already. Above `max_ranges` the two lowest ranges are joined
// (ids in the gap then count as present: in a dense sequence they were lost long ago) and *joined
// (may be NULL) is set.
bool rangeset_add(struct rangeset *set, int64_t id, size_t max_ranges, bool *joined);
