// str: questions about borrowed text, and copies of it. Called from every room; never allocates,
// never assumes UTF-8.
#include "base/str.h"

#include <ctype.h>

bool str_contains(struct str hay, struct str needle) {
    return needle.len == 0 ||
           (hay.len >= needle.len && memmem(hay.p, hay.len, needle.p, needle.len) != NULL);
}

bool str_contains_nocase(struct str hay, struct str needle) {
    for (size_t at = 0; at + needle.len <= hay.len; at++) {
        size_t i = 0;
        while (i < needle.len &&
               tolower((unsigned char)hay.p[at + i]) == tolower((unsigned char)needle.p[i])) {
            i++;
        }
        if (i == needle.len) {
            return true;
        }
    }
    return false;
}

size_t str_cut_utf8(struct str in, size_t max) {
    if (in.len <= max) {
        return in.len;
    }
    size_t cut = max;
    // Step back over continuation bytes, at most three: a longer run is not UTF-8 anyway.
    for (int back = 0; back < 3 && cut > 0 && ((unsigned char)in.p[cut] & 0xC0) == 0x80; back++) {
        cut--;
    }
    return cut;
}

bool str_copy(char *out, size_t cap, struct str in) {
    size_t len = str_cut_utf8(in, cap - 1);
    for (size_t i = 0; i < len; i++) {
        out[i] = in.p[i] == '\0' ? '?' : in.p[i];
    }
    out[len] = '\0';
    return len == in.len;
}

// Bytes of the well-formed UTF-8 sequence at p, or 0.
static size_t utf8_step(const unsigned char *p, size_t left) {
    if (p[0] < 0x80) {
        return 1;
    }
    size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < n) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xED && p[1] > 0x9F;
    bool too_big = p[0] == 0xF4 && p[1] > 0x8F;
    return overlong || surrogate || too_big ? 0 : n;
}

bool str_is_utf8(struct str in) {
    for (size_t i = 0; i < in.len;) {
        uint64_t word;
        for (; in.len - i >= sizeof word; i += sizeof word) { // most text is ASCII
            memcpy(&word, in.p + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) != 0) {
                break;
            }
        }
        if (i == in.len) {
            return true;
        }
        size_t n = utf8_step((const unsigned char *)in.p + i, in.len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

// Of a well-formed sequence.
static uint32_t code_of(const unsigned char *p, size_t n) {
    uint32_t code = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        code = code << 6 | (p[i] & 0x3Fu);
    }
    return code;
}

bool str_is_unseen(uint32_t code) {
    static const struct {
        uint32_t first, last;
    } unseen[] = {
        {0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},     {0x34F, 0x34F},
        {0x61C, 0x61C},     {0x115F, 0x1160},   {0x17B4, 0x17B5}, {0x180B, 0x180F},
        {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F}, {0x3164, 0x3164},
        {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    if (code >= 0x20 && code < 0x7F) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(unseen) && code >= unseen[i].first; i++) {
        if (code <= unseen[i].last) {
            return true;
        }
    }
    return false;
}

bool str_next(struct str *rest, struct str_char *out) {
    if (rest->len == 0) {
        return false;
    }
    size_t n = utf8_step((const unsigned char *)rest->p, rest->len);
    *out = (struct str_char){.shown = n == 0 ? STR("\xEF\xBF\xBD") : (struct str){rest->p, n},
                             .code = n == 0 ? 0xFFFD : code_of((const unsigned char *)rest->p, n),
                             .byte = (unsigned char)rest->p[0],
                             .good = n > 0};
    n += n == 0;
    *rest = (struct str){rest->p + n, rest->len - n};
    return true;
}

bool str_to_i64(struct str in, int64_t *out) {
    size_t i = in.len > 0 && in.p[0] == '-' ? 1 : 0;
    if (i == in.len) {
        return false;
    }
    int64_t value = 0;
    for (size_t k = i; k < in.len; k++) {
        if (in.p[k] < '0' || in.p[k] > '9') {
            return false;
        }
        int digit = in.p[k] - '0';
        // Build downwards: the negative range is one larger.
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    if (i == 0) {
        if (value == INT64_MIN) {
            return false;
        }
        value = -value;
    }
    *out = value;
    return true;
}

unsigned str_distance(struct str a, struct str b) {
    enum { MAX = 64 };
    size_t n = a.len > MAX ? MAX : a.len;
    size_t m = b.len > MAX ? MAX : b.len;
    unsigned row[MAX + 1];
    for (size_t j = 0; j <= m; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = diagonal + (a.p[i - 1] != b.p[j - 1]);
            diagonal = row[j];
            unsigned insert = row[j - 1] + 1;
            unsigned erase = row[j] + 1;
            unsigned best = insert < erase ? insert : erase;
            row[j] = change < best ? change : best;
        }
    }
    return row[m];
}
