// str: a borrowed piece of text, not NUL-terminated, and the few things done with one. The bytes
// belong to whoever made the view (a message, a decoder) and die with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

struct str {
    const char *p;
    size_t len;
};

// A view of a string literal.
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

// A view of a C string; NULL gives an empty view.
static inline struct str str_of(const char *text) {
    return (struct str){text == NULL ? "" : text, text == NULL ? 0 : strlen(text)};
}
static inline bool str_eq(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
static inline bool str_is(struct str a, const char *text) {
    return str_eq(a, str_of(text));
}
static inline bool str_starts(struct str a, struct str prefix) {
    return a.len >= prefix.len && memcmp(a.p, prefix.p, prefix.len) == 0;
}
// True if `needle` occurs in `hay`; an empty needle always does.
bool str_contains(struct str hay, struct str needle);
// The same without regard to ASCII case.
bool str_contains_nocase(struct str hay, struct str needle);

// Copies at most cap-1 bytes into `out`, cutting at a UTF-8 boundary, always NUL-terminated.
// NUL bytes become '?'. Returns false if something was cut.
bool str_copy(char *out, size_t cap, struct str in);

// Length of the longest prefix of at most `max` bytes that does not split a UTF-8 sequence.
size_t str_cut_utf8(struct str in, size_t max);

// True if all bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool str_is_utf8(struct str in);

// One character of text from outside.
struct str_char {
    struct str shown;   // its well-formed UTF-8, or U+FFFD in place of a byte that begins none
    uint32_t code;      // its code point; U+FFFD if it is not good
    unsigned char byte; // its first byte as it came: what an escaper looks at
    bool good;          // false: `shown` is U+FFFD
};
// Takes the next character off the front of *rest; a byte that begins none is taken alone. False
// when nothing is left. Every escaper and whoever mends text walks with it.
bool str_next(struct str *rest, struct str_char *out);

// True if a character must not stand in an output as it is, because nobody would see it and what
// shows the output would obey: controls (ESC and the C1 ones too, which drive terminals), what ends
// a line or turns the direction of text, what has no width, tags. Every escaper asks it, and writes
// such a character in a way that can be seen.
bool str_is_unseen(uint32_t code);

// Parses an optional '-' and decimal digits filling the whole view. False (and *out untouched) on
// anything else, including overflow of int64.
bool str_to_i64(struct str in, int64_t *out);

// Levenshtein distance, capped at 64 bytes a side; used to name the nearest known word.
unsigned str_distance(struct str a, struct str b);
