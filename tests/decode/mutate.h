// mutate: makes a message odd in one seeded way: a byte, an end, a value of another type or size, a
// key of another name, or a wrapper around it. Used by the differential test and, through it, seen
// by both decoders.
#pragma once

#include "base/buf.h"
#include "support/test.h"

static const char *const odd_values[] = {
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "123456789012345678901234567890",
    "2147483648",
    "1.5",
    "-2.7",
    "1e3",
    "1E-3",
    "9.3e18",
    "1e400",
    "-0",
    "\"12\"",
    "\"-7\"",
    "\"+5\"",
    "\" 5\"",
    "\"99999999999999999999\"",
    "\"\"",
    "\"Exchange Join\"",
    "\"\\u0041\\n\\ud83d\\ude00\\u0000\"",
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "[1,2]",
    "[[5,6],[7,\"8\"],[9]]",
    "{\"ID\":1,\"Reason\":\"x\"}",
    "[{\"nodeName\":\"a\",\"children\":[{}]}]",
};

static inline size_t pick(uint64_t *seed, size_t below) {
    return (size_t)(test_random(seed) % below);
}

// The index behind a `":` at or after a random place, 0 if there is none.
static inline size_t some_value(struct str text, uint64_t *seed) {
    for (size_t i = pick(seed, text.len); i + 2 < text.len; i++) {
        if (text.p[i] == '"' && text.p[i + 1] == ':') {
            return i + 2;
        }
    }
    return 0;
}

// The index behind the value at `i`.
static inline size_t value_end(struct str text, size_t i) {
    int depth = 0;
    bool quoted = false;
    for (; i < text.len; i++) {
        char c = text.p[i];
        if (quoted) {
            quoted = c != '"';
            i += c == '\\';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
            return i;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return text.len;
}

static inline void splice(struct buf *out, struct str text, size_t from, size_t to,
                          struct str middle) {
    buf_add(out, text.p, from);
    buf_add_str(out, middle);
    buf_add(out, text.p + to, text.len - to);
}

static inline void mutate_bytes(struct buf *out, struct str text, uint64_t *seed) {
    char byte = (char)pick(seed, 256);
    size_t at = pick(seed, text.len);
    if (pick(seed, 2) == 0) {
        buf_add(out, text.p, at);
        return;
    }
    splice(out, text, at, at + 1, (struct str){&byte, 1});
}

static inline void mutate_value(struct buf *out, struct str text, uint64_t *seed) {
    size_t at = some_value(text, seed);
    const char *odd = odd_values[pick(seed, sizeof odd_values / sizeof odd_values[0])];
    splice(out, text, at, at == 0 ? 0 : value_end(text, at), str_of(at == 0 ? "" : odd));
}

// The name of another field of the message, or the same with an escape in it.
static inline void mutate_key(struct buf *out, struct str text, uint64_t *seed) {
    size_t a = some_value(text, seed), b = some_value(text, seed), a_start, b_start;
    if (a < 4 || b < 4) {
        buf_add_str(out, text);
        return;
    }
    for (a_start = a - 2; a_start > 0 && text.p[a_start - 1] != '"'; a_start--) {
    }
    for (b_start = b - 2; b_start > 0 && text.p[b_start - 1] != '"'; b_start--) {
    }
    char escape[8];
    snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)text.p[a_start]);
    if (pick(seed, 2) == 0) {
        splice(out, text, a_start, a_start + 1, str_of(escape));
    } else {
        splice(out, text, a_start, a - 2, (struct str){text.p + b_start, b - 2 - b_start});
    }
}

static inline void mutate_wrap(struct buf *out, struct str text, uint64_t *seed) {
    static const char *const heads[] = {
        "{\"app_id\":\"w-1\",\"event\":", "{\"x\":[1],\"body\":", " { \"spark-event\" : "};
    switch (pick(seed, 4)) {
    case 0: // flat, the event's name last
        buf_add_text(out, "{\"applicationId\":\"flat-1\",");
        buf_add(out, text.p + (text.len > 1), text.len - (text.len > 1));
        break;
    case 1: // in a string
        buf_add_text(out, heads[pick(seed, 3)]);
        buf_add_json(out, text);
        buf_add_text(out, ",\"applicationId\":\"w-2\"}");
        break;
    case 2: // as an object
        buf_add_text(out, heads[pick(seed, 3)]);
        buf_add_str(out, text);
        buf_add_text(out, ",\"applicationId\":\"w-2\"}");
        break;
    default: // two events, in this order of preference
        buf_add_text(out, "{\"value\":{\"Event\":\"SparkListenerLogStart\"},\"event\":");
        buf_add_str(out, text);
        buf_add_text(out, "}");
        break;
    }
}

// A mutant of `text` (not empty), up to three changes deep.
static inline void mutate(struct buf *out, struct str text, uint64_t *seed) {
    static void (*const kinds[])(struct buf *, struct str, uint64_t *) = {
        mutate_bytes, mutate_value, mutate_value, mutate_value, mutate_key, mutate_wrap};
    struct buf from = {0};
    buf_clear(out);
    buf_add_str(out, text);
    for (size_t n = 1 + pick(seed, 3); n > 0 && buf_str(out).len > 0; n--) {
        buf_clear(&from);
        buf_add_str(&from, buf_str(out));
        buf_clear(out);
        kinds[pick(seed, 6)](out, buf_str(&from), seed);
    }
    buf_fini(&from);
}
