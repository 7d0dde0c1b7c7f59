// snapshot: the state of both stages as values under keys, and back. The live agent writes what
// changed since the last commit to a compacted topic and loads it again after a restart, from where
// everything goes on as if nothing had happened. No I/O: where the values are kept is the caller's.
// Keys that begin with '#' are the caller's own and are passed over when loading.
#pragma once

#include "base/err.h"
#include "engine/engine.h"
#include "fleet/pipelines.h"
#include "state/shape.h"
#include "state/table.h"

// What a key of a state topic holds.
struct snapshot_kind {
    const char *prefix; // its first character tells
    const char *form;   // of the whole key
    const char *holds;
    const struct shape *shape;
};
extern const struct snapshot_kind snapshot_kinds[];
extern const size_t snapshot_kind_count;
// NULL: a key of a later release.
const struct snapshot_kind *snapshot_kind_of(struct str key);

// Hands out every key whose value changed since the last call, since the load or since the
// beginning, each once, keys that are gone with a NULL value; then the changes are forgotten. Costs
// nothing for what did not change.
void snapshot_changes(struct engine *engine, state_each_fn each, void *ctx);
void snapshot_pipelines_changes(struct pipelines *pipelines, state_each_fn each, void *ctx);

// Hands out every key with its value; no change is forgotten.
void snapshot_each(const struct engine *engine, state_each_fn each, void *ctx);
void snapshot_pipelines_each(const struct pipelines *pipelines, state_each_fn each, void *ctx);

// Loads an engine (or pipelines) that has seen nothing yet from all values of its partition.
// ST_SKIP with words that name the key on damaged values, on a newer version than this release
// reads, or on a part whose whole is missing; the engine must then be thrown away.
enum status snapshot_load(struct engine *engine, const struct state_table *table,
                          struct err *err) MUST_USE;
enum status snapshot_pipelines_load(struct pipelines *pipelines, const struct state_table *table,
                                    struct err *err) MUST_USE;
