// snapshot: a stage-1 engine's state as values under keys, and back: one value for the engine, one
// per run, one per stage attempt. Written out between two messages and read back into a fresh
// engine, it goes on as if nothing had happened. No I/O: where the values are kept is the caller's.
#pragma once

#include "engine/engine.h"

// Calls `each` with every key and value, the engine's first, a run before its stages. Borrowed for
// the call.
void snapshot_each(const struct engine *engine,
                   void (*each)(void *ctx, struct str key, struct str value), void *ctx);
// Takes one value into an engine that has seen no message. Runs must come before their stages, in
// the order they were handed out. ST_SKIP with words on damaged or unknown values.
enum status snapshot_take(struct engine *engine, struct str key, struct str value,
                          struct err *err) MUST_USE;
