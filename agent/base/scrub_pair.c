// scrub_pair: is the value behind a key a secret, by how sure the key makes it and how the two are
// joined; and what any single word looks like: what it is made of, a placeholder, a type. Called by
// scrub.c and scrub_key.c; never looks around the word.
#include "scrub_priv.h"

#define NO_SECRET(value) value,
static const char *const no_secrets[] = {
#include "scrub_words.def"
};

#define PLAIN_WORD(word) word,
static const char *const plain_words[] = {
#include "scrub_words.def"
};
#define TYPE_WORD(word) word,
static const char *const type_words[] = {
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

// The type of a column, and perhaps what follows it in a schema: string>, StringType,true.
static bool is_type(struct str value) {
    size_t end = 0;
    while (is_alnum(byte_at(value, end))) {
        end++;
    }
    return (end == value.len || is_one_of((unsigned char)value.p[end], ",>)(<;")) &&
           scrub_is_among(part(value, 0, end), type_words, ARRAY_LEN(type_words));
}

bool scrub_is_none(struct str value) {
    size_t stars = 0;
    while (is_one_of(byte_at(value, stars), "*xX.")) {
        stars++;
    }
    return value.len == 0 || (stars == value.len && stars > 1) || scrub_is_here(value, 0, "***") ||
           scrub_is_here(value, 0, SCRUB_MARK) || scrub_is_here(value, 0, "${") ||
           scrub_is_here(value, 0, "{{") || byte_at(value, 0) == '<' || is_type(value) ||
           scrub_is_among(value, no_secrets, ARRAY_LEN(no_secrets));
}

// Would a person call it a password? At least `least` bytes: letters and digits, or letters and
// signs; not a size, a name with dots, a call, a column of Spark (name#12).
static bool looks_secret(struct str word, size_t least) {
    struct makeup m = scrub_makeup(word);
    bool named = false, sign = false;
    for (size_t i = 0; i < word.len; i++) {
        named = named || is_one_of((unsigned char)word.p[i], ".(/#");
        sign = sign || is_one_of((unsigned char)word.p[i], "!$%^&*+~@?=");
    }
    bool size = is_digit(byte_at(word, 0)) && m.letters <= 2 && m.other == 0;
    return word.len >= least && m.letters > 0 && !named && !size &&
           (m.digits > 0 || sign || (word.len >= 32 && !m.parted));
}

// The beginning of a sentence or the name of an exception, in place of a value.
static bool is_prose(struct str value) {
    while (value.len > 0 && is_one_of((unsigned char)value.p[value.len - 1], ",.:;!")) {
        value.len--;
    }
    size_t dots = 0;
    bool upper = false, name = value.len > 0 && value.p[0] >= 'a' && value.p[0] <= 'z';
    for (size_t i = 0; i < value.len && name; i++) {
        unsigned char c = (unsigned char)value.p[i];
        name = is_alnum(c) || c == '_' || c == '.' || c == '$';
        dots += c == '.';
        upper = upper || (c >= 'A' && c <= 'Z' && value.p[i - 1] == '.');
    }
    return (name && upper && dots > 1) || byte_at(value, 0) == '(' ||
           scrub_is_among(value, plain_words, ARRAY_LEN(plain_words));
}

static bool is_column(struct str value) { // of Spark: name#12
    const char *hash = memchr(value.p, '#', value.len);
    size_t i = hash == NULL ? value.len : (size_t)(hash - value.p) + 1;
    size_t from = i;
    while (i < value.len && (is_digit((unsigned char)value.p[i]) || value.p[i] == 'L')) {
        i++;
    }
    return i == value.len && i > from;
}

static bool is_count(struct str value) {
    return value.len <= 4 && scrub_makeup(value).digits == value.len;
}

// Behind a colon: a word that is in quotes itself and what is said of it ('password': extra input),
// an acronym that begins a sentence, a count.
static bool is_said(const struct pair *pair, struct str value) {
    struct makeup m = scrub_makeup(value);
    return (m.letters == value.len && (pair->quoted || (pair->goes_on && m.upper == value.len))) ||
           (pair->goes_on && str_is(pair->key->word, "pass") && is_count(value));
}

// Letters and digits in turn, as no name with a number at its end has them.
static bool is_mixed(struct str value) {
    struct makeup m = scrub_makeup(value);
    return !m.parted && m.turns > 1 && m.digits > 0 && looks_secret(value, 8);
}

static bool is_strong_secret(const struct pair *pair, struct str value, bool quoted) {
    switch (pair->joint) {
    case BY_EQUALS:
        return !is_column(value) && !(str_is(pair->key->word, "pwd") && value.p[0] == '/') &&
               !(str_is(pair->key->word, "pass") && is_count(value));
    case BY_FLAG:
        return value.p[0] != '-' && !is_prose(value);
    case BY_COLON:
        return quoted || !(is_prose(value) || is_said(pair, value));
    default:
        if ((pair->key->strength & SAID) == 0 && !pair->dotted && pair->joint != BY_VERB) {
            return is_mixed(value);
        }
        return !is_prose(value) && (quoted || looks_secret(value, 5));
    }
}

static bool is_token_secret(const struct pair *pair, struct str value) {
    bool call = memchr(value.p, '(', value.len) != NULL;
    bool path = value.p[0] == '/' && memchr(value.p, '.', value.len) != NULL;
    switch (pair->joint) {
    case BY_EQUALS:
        return !call && !path && !is_column(value) && !is_prose(value) && !is_count(value);
    case BY_FLAG:
        return value.p[0] != '-' && !is_prose(value);
    case BY_COLON:
        return (pair->compound && !pair->goes_on && !call && !is_prose(value)) ||
               looks_secret(value, 6);
    default:
        return is_mixed(value);
    }
}

// Behind "Bearer" or "Basic" without more around it.
static bool is_scheme_secret(const struct pair *pair, struct str value) {
    struct makeup m = scrub_makeup(value);
    bool parameter = str_contains(value, STR("=\"")); // Bearer realm="..."
    if (parameter) {
        return false;
    }
    if (pair->joint != BY_SPACE) {
        return pair->joint >= BY_COLON && !is_prose(value);
    }
    return value.len >= 6 && !is_prose(value) && (pair->key->strength & WHOLE) != 0 &&
           (m.digits > 0 || m.turns > 3 || value.len >= 20 || byte_at(value, value.len - 1) == '=');
}

bool pair_is_secret(const struct pair *pair, struct str value, bool quoted) {
    struct makeup m;
    if (scrub_is_none(value)) {
        return false;
    }
    if (pair->joint <= BY_VERB && value.len > 1 &&
        is_one_of((unsigned char)value.p[value.len - 1], ".:;!")) {
        value.len--; // the sentence ends
    }
    switch (pair->key->strength & STRENGTH) {
    case STRONG:
        return is_strong_secret(pair, value, quoted);
    case TOKEN:
        return is_token_secret(pair, value);
    case SCHEME:
        return is_scheme_secret(pair, value);
    case FAINT:
        m = scrub_makeup(value);
        return pair->joint == BY_EQUALS && !m.parted && m.digits > 1 && looks_secret(value, 12);
    default:
        return false;
    }
}
