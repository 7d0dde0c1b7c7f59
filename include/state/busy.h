// busy: how much of a span of time is covered by intervals that overlap, come late and come again:
// when any task ran, when any job was open. O(1): of what is not covered only the latest gaps are
// kept one by one, older ones as a sum. Owned by an app; written only by state.
//
// What is lost: an interval that reaches back behind the gaps kept may cover some of that sum,
// nobody knows how much, so as much goes as it could cover. The idle time is therefore exact while
// intervals come in the order of their ends with at most BUSY_GAPS gaps behind the last begin, and
// never more than the truth otherwise; it is never more than the span.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/record.h"

enum { BUSY_GAPS = 8 };

struct busy_gap {
    int64_t from_ms, to_ms;
};

// Zeroed: nothing is covered. Invariants: from <= summed_to <= the first gap; gaps are in order,
// none is empty, none touches another; the last one ends before `to`.
struct busy {
    int64_t from_ms, to_ms; // the span from the first begin to the last end; 0 before there is one
    int64_t summed_ms;      // of gaps that are not kept one by one
    int64_t summed_to_ms;   // all of them end by then
    struct busy_gap gaps[BUSY_GAPS];
    uint32_t gap_count;
};

// An interval is covered; one that is empty or no time changes nothing. False if nothing changed.
bool busy_add(struct busy *busy, int64_t from_ms, int64_t to_ms);
// How much of the span is not covered.
int64_t busy_idle_ms(const struct busy *busy);
// How much of it is.
int64_t busy_covered_ms(const struct busy *busy);

extern const struct record record_busy;
