// table: the newest value of every key of a changelog. Filled by the live agent from a state topic
// while it is read back, read by keep to load state and by `stoker state` to show it. One thread at
// a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

// Gets one key with its value, both borrowed for the call; value.p NULL: the key is gone.
typedef void (*keep_each_fn)(void *ctx, struct str key, struct str value);

struct keep_table;

// Empty; freed with keep_table_free.
struct keep_table *keep_table_new(void);
// Takes NULL.
void keep_table_free(struct keep_table *table);
// Copies both. value.p NULL forgets the key.
void keep_table_put(struct keep_table *table, struct str key, struct str value);
// True and *value (borrowed until the next put) if the key is there.
bool keep_table_get(const struct keep_table *table, struct str key, struct str *value);
// How many keys there are.
size_t keep_table_count(const struct keep_table *table);
// Every key, in the order of its bytes.
void keep_table_each(const struct keep_table *table, keep_each_fn each, void *ctx);
