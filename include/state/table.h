// table: the newest value of every key of a changelog, kept while it is read back. Filled by the
// live agent from a state topic, read by engine to load state and by `stoker state` to show it. One
// thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

// Gets one key with its value, both borrowed for the call; value.p NULL: the key is gone.
typedef void (*state_each_fn)(void *ctx, struct str key, struct str value);

struct state_table;

struct state_table *state_table_new(void);
// Takes NULL.
void state_table_free(struct state_table *table);
// Copies both. value.p NULL forgets the key.
void state_table_put(struct state_table *table, struct str key, struct str value);
// True and *value (borrowed until the next put) if the key is there.
bool state_table_get(const struct state_table *table, struct str key, struct str *value);
size_t state_table_count(const struct state_table *table);
// Keys and values held, in bytes.
size_t state_table_bytes(const struct state_table *table);
// Every key, in the order of its bytes.
void state_table_each(const struct state_table *table, state_each_fn each, void *ctx);
