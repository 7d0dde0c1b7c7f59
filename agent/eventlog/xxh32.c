// xxh32: the 32-bit xxHash, as published, which guards the blocks of Spark's LZ4 streams. Called by
// the LZ4 unpacker only. One short function does not merit a library in the image.
#include <string.h>

#include "eventlog/eventlog_priv.h"

#define P1 0x9E3779B1u
#define P2 0x85EBCA77u
#define P3 0xC2B2AE3Du
#define P4 0x27D4EB2Fu
#define P5 0x165667B1u

static uint32_t rotate(uint32_t x, unsigned bits) {
    return x << bits | x >> (32 - bits);
}

static uint32_t load_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t mix_lane(uint32_t lane, const uint8_t *p) {
    return rotate(lane + load_le32(p) * P2, 13) * P1;
}

uint32_t xxh32(const void *bytes, size_t len, uint32_t seed) {
    const uint8_t *p = bytes;
    const uint8_t *end = p + len;
    uint32_t hash = seed + P5;
    if (len >= 16) {
        uint32_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
        for (; end - p >= 16; p += 16) {
            a = mix_lane(a, p);
            b = mix_lane(b, p + 4);
            c = mix_lane(c, p + 8);
            d = mix_lane(d, p + 12);
        }
        hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    }
    hash += (uint32_t)len;
    for (; end - p >= 4; p += 4) {
        hash = rotate(hash + load_le32(p) * P3, 17) * P4;
    }
    for (; p < end; p++) {
        hash = rotate(hash + *p * P5, 11) * P1;
    }
    hash = (hash ^ hash >> 15) * P2;
    hash = (hash ^ hash >> 13) * P3;
    return hash ^ hash >> 16;
}
