// scrub_words: what a single word of a text looks like: random, a password, a placeholder. Called
// by the finders of scrub; asks only about the word, never about what stands around it.
#include "scrub_priv.h"

#define NO_SECRET(value) value,
static const char *const no_secrets[] = {
#include "scrub_words.def"
};

static unsigned char lower_of(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool scrub_is_here(struct str t, size_t i, const char *what) {
    size_t k = 0;
    while (what[k] != '\0' && i + k < t.len &&
           lower_of((unsigned char)t.p[i + k]) == lower_of((unsigned char)what[k])) {
        k++;
    }
    return what[k] == '\0';
}

bool scrub_is_among(struct str word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == word.len && scrub_is_here(word, 0, list[i])) {
            return true;
        }
    }
    return false;
}

enum kind { OTHER, LOWER, UPPER, DIGIT };
static enum kind kind_of(unsigned char c) {
    return is_digit(c) ? DIGIT : !is_alnum(c) ? OTHER : c >= 'A' && c <= 'Z' ? UPPER : LOWER;
}

struct makeup scrub_makeup(struct str word) {
    struct makeup m = {0};
    enum kind before = OTHER;
    size_t run = 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.p[i];
        enum kind kind = kind_of(c);
        m.lower += kind == LOWER;
        m.upper += kind == UPPER;
        m.digits += kind == DIGIT;
        m.other += kind == OTHER;
        m.hex += kind == DIGIT || (lower_of(c) >= 'a' && lower_of(c) <= 'f');
        m.turns += kind != before && kind != OTHER && before != OTHER;
        m.lowers += kind == LOWER && before != LOWER;
        m.uppers += kind == UPPER && before != UPPER;
        m.parted = m.parted || is_one_of(c, "-_/");
        run = kind == before ? run + 1 : 1;
        size_t *longest = kind == DIGIT ? &m.longest_digits : &m.longest_letters;
        *longest = kind != OTHER && run > *longest ? run : *longest;
        before = kind;
    }
    m.letters = m.lower + m.upper;
    return m;
}

bool scrub_is_none(struct str value) {
    size_t stars = 0;
    while (is_one_of(byte_at(value, stars), "*xX.")) {
        stars++;
    }
    return value.len == 0 || (stars == value.len && stars > 1) || scrub_is_here(value, 0, "***") ||
           scrub_is_here(value, 0, SCRUB_MARK) || scrub_is_here(value, 0, "${") ||
           scrub_is_here(value, 0, "{{") || byte_at(value, 0) == '<' ||
           scrub_is_among(value, no_secrets, ARRAY_LEN(no_secrets));
}
