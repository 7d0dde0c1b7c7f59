// rangeset: binary search from the end, since new ids are mostly the largest. Called by state once
// per task end; allocates only when the number of gaps grows.
#include "stats/rangeset.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

void rangeset_fini(struct rangeset *set) {
    mem_free(set->ranges);
    *set = (struct rangeset){0};
}

// Index of the first range whose last >= id - 1, i.e. the one id could join, or len.
static size_t find(const struct rangeset *set, int64_t id) {
    size_t low = 0, high = set->len;
    while (low < high) {
        size_t mid = (low + high) / 2;
        // last + 1 cannot overflow: a range ending at INT64_MAX is never below id.
        if (set->ranges[mid].last < id && set->ranges[mid].last + 1 < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void insert_at(struct rangeset *set, size_t at, int64_t id) {
    if (set->len == set->cap) { // an application has several, mostly of a range or two
        set->cap = set->cap == 0 ? 2 : set->cap * 2;
        set->ranges = mem_resize(set->ranges, set->cap, sizeof *set->ranges);
    }
    memmove(set->ranges + at + 1, set->ranges + at, (set->len - at) * sizeof *set->ranges);
    set->ranges[at] = (struct rangeset_range){id, id};
    set->len++;
}

static void remove_at(struct rangeset *set, size_t at) {
    memmove(set->ranges + at, set->ranges + at + 1, (set->len - at - 1) * sizeof *set->ranges);
    set->len--;
}

bool rangeset_has(const struct rangeset *set, int64_t id) {
    size_t at = find(set, id);
    return at < set->len && set->ranges[at].first <= id && id <= set->ranges[at].last;
}

bool rangeset_add(struct rangeset *set, int64_t id, size_t max_ranges, bool *joined) {
    if (set->len == 0) { // perhaps without memory, to which nothing can be added
        insert_at(set, 0, id);
        return true;
    }
    size_t at = find(set, id);
    struct rangeset_range *range = set->ranges + at;
    require(at == set->len || range->first <= range->last);
    require(at == 0 || range[-1].last < id);
    if (at < set->len && range->first <= id && id <= range->last) {
        return false;
    }
    if (at < set->len && range->last < id) { // id == last + 1
        range->last = id;
        if (at + 1 < set->len && range[1].first == id + 1) {
            range->last = range[1].last;
            remove_at(set, at + 1);
        }
    } else if (at < set->len && range->first == id + 1) {
        range->first = id;
    } else {
        insert_at(set, at, id);
    }
    if (set->len > max_ranges && set->len > 1) {
        set->ranges[1].first = set->ranges[0].first;
        remove_at(set, 0);
        if (joined != NULL) {
            *joined = true;
        }
    }
    return true;
}
