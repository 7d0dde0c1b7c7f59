// idmap: a set of int64 ids, each with a value, in two arrays with linear probing.
// Used by state (accumulator id -> role) and read by decode (which accumulators are worth
// decoding). Ids come from outside, so they are placed by a keyed hash; whoever walks the arrays
// must put what it finds in an order of its own.
//
// Always true: cap is 0 or a power of two and at most three quarters of it are taken, so that every
// search ends at an empty slot.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
    int64_t *keys; // INT64_MIN = empty slot
    int64_t *values;
    size_t len;
    size_t cap; // 0 or a power of two
};

// Releases the memory; the map is empty and usable again.
void idmap_fini(struct idmap *map);
// Adds or replaces; false if the map already holds `max` other ids (nothing changes then). The id
// INT64_MIN is refused.
bool idmap_put(struct idmap *map, int64_t id, int64_t value, size_t max);
// Takes an id out; nothing if it is not there. The room stays for others.
void idmap_remove(struct idmap *map, int64_t id);
// True and *value (may be NULL) if `id` is present.
bool idmap_get(const struct idmap *map, int64_t id, int64_t *value);
