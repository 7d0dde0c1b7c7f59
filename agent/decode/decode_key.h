// decode_key: compares the raw key of a JSON field with a literal, eight bytes at a time, closing
// quote included. Used by decode's tables; reads up to key::BYTES bytes from the key on, which the
// padding behind every message allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace decode {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys are packed first byte lowest");

struct key {
    static constexpr size_t WORDS = 5, BYTES = WORDS * 8;

    uint64_t word[WORDS] = {};
    uint64_t last_mask = 0; // which bytes of the last word count
    uint32_t last = 0;      // its index

    template <size_t N> constexpr key(const char (&literal)[N]) {
        static_assert(N <= BYTES, "make WORDS larger");
        for (size_t i = 0; i < N; i++) { // the closing quote stands where the NUL is
            uint64_t byte = i == N - 1 ? '"' : static_cast<unsigned char>(literal[i]);
            word[i / 8] |= byte << (8 * (i % 8));
        }
        last = (N - 1) / 8;
        last_mask = ~uint64_t{0} >> (8 * (7 - (N - 1) % 8));
    }

    bool is(const char *raw) const {
        uint64_t bytes;
        for (uint32_t i = 0; i < last; i++) {
            memcpy(&bytes, raw + i * 8, 8);
            if (bytes != word[i]) {
                return false;
            }
        }
        memcpy(&bytes, raw + last * 8, 8);
        return (bytes & last_mask) == word[last];
    }
};

} // namespace decode
