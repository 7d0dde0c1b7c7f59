// ring: see the header. Called by fleet for its rolling windows; knows no clock.
#include "stats/ring.h"

#include <stddef.h>

#include "base/check.h"

void ring_init(struct ring *ring, int64_t pane_ms, uint32_t panes) {
    require(pane_ms > 0 && panes > 0);
    *ring = (struct ring){.pane_ms = pane_ms, .panes = panes};
}

int64_t ring_pane_of(const struct ring *ring, int64_t time_ms) {
    int64_t pane = time_ms / ring->pane_ms;
    return time_ms % ring->pane_ms < 0 ? pane - 1 : pane;
}

uint32_t ring_slot(const struct ring *ring, int64_t pane) {
    int64_t rest = pane % (int64_t)ring->panes;
    return (uint32_t)(rest < 0 ? rest + (int64_t)ring->panes : rest);
}

bool ring_holds(const struct ring *ring, int64_t pane) {
    return ring->started && pane <= ring->newest && pane > ring->newest - (int64_t)ring->panes;
}

void ring_advance(struct ring *ring, int64_t time_ms, void (*leave)(void *ctx, int64_t pane),
                  void *ctx) {
    int64_t target = ring_pane_of(ring, time_ms);
    if (!ring->started) {
        ring->started = true;
        ring->newest = target;
        return;
    }
    if (target <= ring->newest) {
        return;
    }
    // Panes that fall out: those of the old window below the new window's first.
    int64_t first = ring->newest - (int64_t)ring->panes + 1;
    int64_t kept = target - (int64_t)ring->panes + 1;
    int64_t end = kept <= ring->newest ? kept : ring->newest + 1;
    for (int64_t pane = first; pane < end && leave != NULL; pane++) {
        leave(ctx, pane);
    }
    ring->newest = target;
}
