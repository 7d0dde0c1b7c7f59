// hash: uthash with the house's memory and a keyed hash. Whoever keeps a hash table includes this
// and never uthash.h: a table's memory is taken in one file and released in another, so all must
// agree on how.
//
// Names of applications, pipelines and executors come from outside, and whoever knows the hash can
// choose them so that all of a table falls into one bucket: each look-up then walks every entry.
// So each process hashes with a key of its own. Tables are walked in the order of insertion, never
// by bucket: nothing that goes out depends on the key.
//
// Why uthash, for keys of others too: what hurts is not chaining but a hash that others can work
// out, and that is ours to give; its links are the order of insertion, which open addressing would
// have to keep beside. A table of our own pays where entries are small and many: numbers under ids
// (stats/idmap.h), which is one, hashed by hash_id.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

// SipHash-1-3 of Aumasson and Bernstein under this process's key, folded to 32 bits.
unsigned hash_bytes(const void *bytes, size_t len);
// The same with its 64 bits and a key of the caller's.
uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *bytes, size_t len);
// The key. Read by hash_bytes and hash_id only.
extern uint64_t hash_key[2];
static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}
// For numbers that others chose (ids): two folded multiplications by the key, which is enough where
// nobody sees the table and much faster. One alone leaves ids at equal distances in a row under one
// key in twenty.
static inline uint64_t hash_id(int64_t id) {
    uint64_t once = hash_fold((uint64_t)id ^ hash_key[0], hash_key[1] | 1);
    return hash_fold(once ^ hash_key[1], hash_key[0] | 1);
}
// Sets the key, which is random from the start of the process on. Tests only, while no table is.
void hash_key_set(uint64_t k0, uint64_t k1);

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(p, size) mem_free(p)
#define HASH_FUNCTION(key, key_len, value) ((value) = hash_bytes((key), (key_len)))
#include <uthash.h>
// Most tables are small and there are several in each of thousands of runs: they begin with
// 8 buckets of 16 bytes, not with 32, and grow as they fill.
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS 8U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 3U
