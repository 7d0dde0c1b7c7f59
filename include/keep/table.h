// table: the newest value of every key of a changelog. Filled by the live agent from a state topic
// while it is read back, read by keep to load state and by `stoker state` to show it. The live
// agent's commits have one of each partition, too, of the keys whose values are kept in pieces. One
// thread at a time.
//
// A value that is larger than its topic takes is kept in pieces: under its key how many there are,
// in a form that releases without pieces refuse by its version, and behind that each piece under a
// key of its own, "#", its number, "." and the key. All are written in this order in one
// transaction, so read in order they are put together again, and pieces that an older value left
// behind are passed over.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

// Gets one key with its value, both borrowed for the call; value.p NULL: the key is gone.
typedef void (*keep_each_fn)(void *ctx, struct str key, struct str value);

struct keep_table;

// Empty; freed with keep_table_free.
struct keep_table *keep_table_new(void);
// Takes NULL.
void keep_table_free(struct keep_table *table);
// Copies both; of pieces, which must come in their order, makes the value again. value.p NULL
// forgets the key.
void keep_table_put(struct keep_table *table, struct str key, struct str value);
// True and *value (borrowed until the next put) if the key is there.
bool keep_table_get(const struct keep_table *table, struct str key, struct str *value);
// Puts down in how many pieces the value of a key is kept, instead of the value; 0 forgets the key.
void keep_table_note_pieces(struct keep_table *table, struct str key, uint32_t pieces);
// In how many pieces the value of a key is kept, 0 if it is whole.
uint32_t keep_table_pieces(const struct keep_table *table, struct str key);
// A table of the keys alone whose values are kept in pieces, each noted: all that whoever writes
// the next value must know. The caller's to free.
struct keep_table *keep_table_split(const struct keep_table *table);
// How many keys there are.
size_t keep_table_count(const struct keep_table *table);
// Every key, in the order of its bytes.
void keep_table_each(const struct keep_table *table, keep_each_fn each, void *ctx);

// Hands out a value as pieces of at most `piece_bytes`, what says so first; returns how many.
uint32_t keep_split(struct str key, struct str value, size_t piece_bytes, keep_each_fn each,
                    void *ctx);
// Hands out the keys of the pieces from number `from` on, below `to`, as gone.
void keep_split_forget(struct str key, uint32_t from, uint32_t to, keep_each_fn each, void *ctx);
