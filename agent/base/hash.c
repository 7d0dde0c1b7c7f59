// hash: SipHash-1-3, as Python and Rust hash their tables' keys. By hand because it is this short:
// no library that is linked has one. Called for every look-up in a hash table; must never be told
// its key from outside.
#include "base/hash.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

uint64_t hash_key[2];

__attribute__((constructor)) static void take_key(void) {
    require(getentropy(hash_key, sizeof hash_key) == 0);
}

void hash_key_set(uint64_t k0, uint64_t k1) {
    hash_key[0] = k0;
    hash_key[1] = k1;
}

static inline uint64_t rotate(uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void take_word(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *bytes, size_t len) {
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    const unsigned char *at = bytes;
    uint64_t word;
    for (size_t left = len; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        take_word(v, le64toh(word));
    }
    word = (uint64_t)len << 56;
    for (unsigned i = 0; i < (len & 7); i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    take_word(v, word);
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

unsigned hash_bytes(const void *bytes, size_t len) {
    uint64_t hash = hash_siphash13(hash_key[0], hash_key[1], bytes, len);
    return (unsigned)(hash ^ hash >> 32);
}
