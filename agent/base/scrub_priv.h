// scrub_priv: what the files of scrub share: spans of a text and questions about words. Private to
// scrub*.c.
#pragma once

#include "base/compiler.h"
#include "base/scrub.h"

// Bytes [at, end) of a text; none if they are equal: then `seen` is how far was looked in vain, if
// that was further than a constant.
struct span {
    size_t at, end, seen;
};
#define NO_SPAN ((struct span){0, 0, 0})
#define IN_VAIN(seen) ((struct span){0, 0, (seen)})

// Asked at every word, slash, dash and percent sign of a text: what a key there, or a flag, says is
// a secret. It is to be hidden; it begins at the index or behind it.
struct span scrub_key_at(struct str text, size_t i);

static inline unsigned char byte_at(struct str t, size_t i) {
    return i < t.len ? (unsigned char)t.p[i] : 0;
}
static inline bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}
static inline bool is_alnum(unsigned char c) { // ASCII, whatever the locale
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool is_one_of(unsigned char c, const char *set) { // sets are short
    while (*set != '\0' && (unsigned char)*set != c) {
        set++;
    }
    return *set != '\0';
}
static inline bool is_token(unsigned char c) {
    return is_alnum(c) || c == '_' || c == '-';
}
static inline bool is_quote(unsigned char c) {
    return c == '"' || c == '\'' || c == '`';
}
static inline bool is_blank(unsigned char c) { // ends whatever is not quoted; beyond the text, too
    return c <= ' ' || c == 0x7F;
}
static inline struct str part(struct str t, size_t from, size_t to) {
    return (struct str){t.p + from, to - from};
}
// True if `what` stands at i, in whatever case.
bool scrub_is_here(struct str t, size_t i, const char *what);
// True if the word is in the list, in whatever case.
bool scrub_is_among(struct str word, const char *const *list, size_t count);
// The value says that there is none, or stands for one: null, ****, ${PASSWORD}, <password>.
bool scrub_is_none(struct str value);

// How sure the key makes that its value is a secret; where it must begin; whether in a sentence.
enum { STRONG, TOKEN, FAINT, LOGIN, SCHEME, STRENGTH = 7, WHOLE = 8, SAID = 16 };
struct key {
    struct str word;
    unsigned strength;
};

// A key, what joins it to its value, and where that begins.
enum joint { APART, BY_SPACE, BY_VERB, BY_FLAG, BY_COLON, BY_EQUALS };
struct pair {
    const struct key *key;
    bool compound;             // more than the bare word: auth_token
    bool dotted, flag, quoted; // fs.s3a.secret.key, --password, "password"
    bool goes_on;              // a word follows the value: a sentence, perhaps
    size_t value;
    enum joint joint;
    bool encoded; // the joint was percent-encoded, so what ends the value is, too
    bool element; // of XML: the value ends at the next tag
};
// Is what stands behind the key a secret, or a placeholder, a type, the beginning of a sentence?
bool pair_is_secret(const struct pair *pair, struct str value, bool quoted);

// What a word is made of.
struct makeup {
    size_t letters, lower, upper, digits, other, turns; // turns: from one kind to another
    size_t lowers, uppers;                              // stretches of small and of capital letters
    size_t hex, longest_letters, longest_digits;        // longest: of one case
    bool parted;                                        // by - _ or /
};
struct makeup scrub_makeup(struct str word);
