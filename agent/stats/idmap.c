// idmap: linear probing over two arrays, grown at 3/4 full. Called by state and decode; allocates
// only when it grows.
#include "stats/idmap.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#define EMPTY INT64_MIN

static size_t slot_of(const struct idmap *map, int64_t id) {
    size_t at = (size_t)hash_id(id) & (map->cap - 1);
    while (map->keys[at] != EMPTY && map->keys[at] != id) {
        at = (at + 1) & (map->cap - 1);
    }
    return at;
}

static void grow(struct idmap *map) {
    struct idmap old = *map;
    map->cap = old.cap == 0 ? 4 : old.cap * 2;
    map->keys = mem_alloc(map->cap * sizeof *map->keys);
    map->values = mem_zalloc(map->cap, sizeof *map->values);
    for (size_t i = 0; i < map->cap; i++) {
        map->keys[i] = EMPTY;
    }
    for (size_t i = 0; i < old.cap; i++) {
        if (old.keys[i] != EMPTY) {
            size_t at = slot_of(map, old.keys[i]);
            map->keys[at] = old.keys[i];
            map->values[at] = old.values[i];
        }
    }
    mem_free(old.keys);
    mem_free(old.values);
}

void idmap_fini(struct idmap *map) {
    mem_free(map->keys);
    mem_free(map->values);
    *map = (struct idmap){0};
}

bool idmap_put(struct idmap *map, int64_t id, int64_t value, size_t max) {
    if (id == EMPTY) {
        return false;
    }
    if (map->cap == 0 || (map->len + 1) * 4 > map->cap * 3) {
        grow(map);
    }
    require((map->cap & (map->cap - 1)) == 0 && map->len < map->cap); // a free slot ends a search
    size_t at = slot_of(map, id);
    if (map->keys[at] == EMPTY) {
        if (map->len >= max) {
            return false;
        }
        map->keys[at] = id;
        map->len++;
    }
    map->values[at] = value;
    return true;
}

void idmap_remove(struct idmap *map, int64_t id) {
    if (!idmap_get(map, id, NULL)) {
        return;
    }
    size_t hole = slot_of(map, id), mask = map->cap - 1;
    map->len--;
    // What was pushed along by it, or by others in this row, moves up, so that every search still
    // ends at an empty slot behind what it looks for.
    for (size_t at = (hole + 1) & mask; map->keys[at] != EMPTY; at = (at + 1) & mask) {
        size_t home = (size_t)hash_id(map->keys[at]) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->keys[hole] = map->keys[at];
            map->values[hole] = map->values[at];
            hole = at;
        }
    }
    map->keys[hole] = EMPTY;
}

bool idmap_get(const struct idmap *map, int64_t id, int64_t *value) {
    if (map->len == 0 || id == EMPTY) {
        return false;
    }
    size_t at = slot_of(map, id);
    if (map->keys[at] == EMPTY) {
        return false;
    }
    if (value != NULL) {
        *value = map->values[at];
    }
    return true;
}
