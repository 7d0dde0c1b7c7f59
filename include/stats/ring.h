// ring: which pane of a rolling window a time belongs to: a fixed number of equal panes, reused in
// turn. Only the arithmetic; the panes themselves belong to the user. O(1) in everything but long
// gaps.
//
// Always true once started: the window is the panes (newest - panes, newest], each in the slot that
// no other of them has, and newest never goes back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ring {
    int64_t pane_ms;
    uint32_t panes; // in the window
    int64_t newest; // number of the newest pane (time / pane_ms), valid if started
    bool started;
};

void ring_init(struct ring *ring, int64_t pane_ms, uint32_t panes);
// The number of the pane that holds a time (floor division, so times before 1970 work too).
int64_t ring_pane_of(const struct ring *ring, int64_t time_ms);
// Where in an array of `panes` elements a pane lives.
uint32_t ring_slot(const struct ring *ring, int64_t pane);
// Moves the window so that it ends with the pane of `time_ms`; never back. Panes left behind or
// passed over are handed to `leave` (may be NULL) once each, oldest first, at most `panes` of them,
// before the window moves.
void ring_advance(struct ring *ring, int64_t time_ms, void (*leave)(void *ctx, int64_t pane),
                  void *ctx);
// True if the pane is inside the window now.
bool ring_holds(const struct ring *ring, int64_t pane);
