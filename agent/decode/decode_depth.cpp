// decode_depth: whether a text nests deeper than a limit, told before it is parsed. The parser
// would skip any depth, but what reads its output need not. Called for every message, so the
// common case must cost next to nothing.
#include "decode_simd.h"

namespace decode {

// Opening brackets, those in strings included. The inner loop is one the compiler vectorises.
static size_t count_openers(str text) {
    constexpr size_t BLOCK = 128;
    size_t count = 0, i = 0;
    for (; i + BLOCK <= text.len; i += BLOCK) {
        uint8_t some = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            some = static_cast<uint8_t>(some + ((text.p[i + j] | 0x20) == '{'));
        }
        count += some;
    }
    for (; i < text.len; i++) {
        count += (text.p[i] | 0x20) == '{';
    }
    return count;
}

// The index behind the string that opens before `i`.
static size_t skip_string(str text, size_t i) {
    while (i < text.len && text.p[i] != '"') {
        i += text.p[i] == '\\' ? 2 : 1;
    }
    return i + 1;
}

bool too_deep(str text, size_t max) {
    size_t depth = 0;
    if (text.len <= 2 * max || count_openers(text) <= max) {
        return false;
    }
    for (size_t i = 0; i < text.len;) {
        char byte = text.p[i++];
        if (byte == '"') {
            i = skip_string(text, i);
        } else if (byte == '{' || byte == '[') {
            if (++depth > max) {
                return true;
            }
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

} // namespace decode
