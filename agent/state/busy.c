// busy: the union of intervals as the gaps it leaves, newest kept, oldest summed. Called by app for
// every task, so an interval inside what is covered at the end, as most are, costs a comparison.
// Must never make idle time of what was covered.
#include "state/busy.h"

#include <string.h>

#include "base/compiler.h"
#include "base/sat.h"
#include "model/event.h"

static void remove_gaps(struct busy *busy, uint32_t at, uint32_t count) {
    busy->gap_count -= count;
    memmove(&busy->gaps[at], &busy->gaps[at + count],
            (busy->gap_count - at) * sizeof busy->gaps[0]);
}

// The oldest gap goes into the sum.
static void sum_up(struct busy *busy) {
    sat_inc(&busy->summed_ms, busy->gaps[0].to_ms - busy->gaps[0].from_ms);
    busy->summed_to_ms = busy->gaps[0].to_ms;
    remove_gaps(busy, 0, 1);
}

// A gap at a place of the list; what is before it makes room. A new first one goes into the sum if
// there is none: those summed are all before those kept.
static void insert_gap(struct busy *busy, uint32_t at, int64_t from_ms, int64_t to_ms) {
    if (busy->gap_count == BUSY_GAPS && at > 0) {
        sum_up(busy);
        at--;
    } else if (busy->gap_count == BUSY_GAPS) {
        sat_inc(&busy->summed_ms, to_ms - from_ms);
        busy->summed_to_ms = to_ms;
        return;
    }
    memmove(&busy->gaps[at + 1], &busy->gaps[at], (busy->gap_count - at) * sizeof busy->gaps[0]);
    busy->gaps[at] = (struct busy_gap){from_ms, to_ms};
    busy->gap_count++;
}

// The span begins earlier: what lies between is a gap, as far as the interval leaves it.
static void extend_back(struct busy *busy, int64_t from_ms, int64_t to_ms) {
    int64_t was_ms = busy->from_ms;
    busy->from_ms = from_ms;
    if (busy->summed_to_ms == was_ms) { // nothing is summed
        busy->summed_to_ms = from_ms;
    }
    if (to_ms < was_ms && busy->summed_to_ms > from_ms) {
        sat_inc(&busy->summed_ms, was_ms - to_ms);
    } else if (to_ms < was_ms) {
        insert_gap(busy, 0, to_ms, was_ms);
    }
}

// As much of the sum goes as the interval could cover.
static void cover_summed(struct busy *busy, int64_t from_ms, int64_t to_ms) {
    if (from_ms >= busy->summed_to_ms) {
        return;
    }
    int64_t end_ms = to_ms < busy->summed_to_ms ? to_ms : busy->summed_to_ms;
    busy->summed_ms = sat_sub0(busy->summed_ms, end_ms - from_ms);
    if (to_ms >= busy->summed_to_ms) { // what is summed lies before it: it is not taken off twice
        busy->summed_to_ms = from_ms;
    }
}

static void cover_gaps(struct busy *busy, int64_t from_ms, int64_t to_ms) {
    for (uint32_t i = busy->gap_count; i > 0 && busy->gaps[i - 1].to_ms > from_ms; i--) {
        struct busy_gap *gap = &busy->gaps[i - 1];
        if (gap->from_ms >= to_ms) {
            continue;
        }
        int64_t rest_ms = gap->to_ms;
        bool begins = gap->from_ms < from_ms, ends = to_ms < rest_ms;
        if (begins && ends) {
            gap->to_ms = from_ms;
            insert_gap(busy, i, to_ms, rest_ms);
            return; // no other gap touches it
        }
        if (begins) {
            gap->to_ms = from_ms;
        } else if (ends) {
            gap->from_ms = to_ms;
        } else {
            remove_gaps(busy, i - 1, 1);
        }
    }
}

bool busy_add(struct busy *busy, int64_t from_ms, int64_t to_ms) {
    int64_t settled_ms =
        busy->gap_count > 0 ? busy->gaps[busy->gap_count - 1].to_ms : busy->summed_to_ms;
    bool inside = from_ms >= settled_ms && to_ms <= busy->to_ms;
    if (inside || from_ms <= 0 || to_ms <= from_ms || to_ms > EVENT_TIME_MAX_MS) {
        return false;
    }
    if (busy->to_ms == 0) {
        *busy = (struct busy){.from_ms = from_ms, .to_ms = to_ms, .summed_to_ms = from_ms};
        return true;
    }
    int64_t known_ms = from_ms > busy->from_ms ? from_ms : busy->from_ms;
    if (known_ms < to_ms) {
        cover_summed(busy, known_ms, to_ms);
        cover_gaps(busy, known_ms, to_ms);
    }
    if (from_ms < busy->from_ms) {
        extend_back(busy, from_ms, to_ms);
    } else if (from_ms > busy->to_ms) {
        insert_gap(busy, busy->gap_count, busy->to_ms, from_ms);
    }
    busy->to_ms = to_ms > busy->to_ms ? to_ms : busy->to_ms;
    return true;
}

int64_t busy_idle_ms(const struct busy *busy) {
    int64_t idle_ms = busy->summed_ms;
    for (uint32_t i = 0; i < busy->gap_count; i++) {
        sat_inc(&idle_ms, busy->gaps[i].to_ms - busy->gaps[i].from_ms);
    }
    return idle_ms;
}

int64_t busy_covered_ms(const struct busy *busy) {
    return sat_sub0(busy->to_ms - busy->from_ms, busy_idle_ms(busy));
}

// What no order of intervals makes.
static bool is_sound(void *object) {
    const struct busy *busy = object;
    int64_t end_ms = busy->summed_to_ms;
    if (busy->from_ms > busy->summed_to_ms || busy->to_ms < busy->summed_to_ms ||
        busy->summed_ms > busy->summed_to_ms - busy->from_ms) {
        return false;
    }
    for (uint32_t i = 0; i < busy->gap_count; i++) {
        if (busy->gaps[i].from_ms < end_ms || busy->gaps[i].to_ms <= busy->gaps[i].from_ms) {
            return false;
        }
        end_ms = busy->gaps[i].to_ms;
    }
    return end_ms <= busy->to_ms;
}

static const struct record_row gap_rows[] = {
    RECORD_ROW(1, I64, busy_gap, from_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(2, I64, busy_gap, to_ms, .most = EVENT_TIME_MAX_MS),
};
static const struct record record_gap = RECORD_OF("gap", busy_gap, gap_rows);

static const struct record_row busy_rows[] = {
    RECORD_ROW(1, I64, busy, from_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(2, I64, busy, to_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(3, I64, busy, summed_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_ROW(4, I64, busy, summed_to_ms, .most = EVENT_TIME_MAX_MS),
    RECORD_AS(5, ARRAY, busy, gaps, "gaps", .item = &record_gap,
              .count_offset = offsetof(struct busy, gap_count), .max = BUSY_GAPS),
};
const struct record record_busy = {"intervals", sizeof(struct busy), busy_rows,
                                   ARRAY_LEN(busy_rows), is_sound};
