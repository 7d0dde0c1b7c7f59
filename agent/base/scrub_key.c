// scrub_key: what a key says is a secret: key=value, key: value, "key": "value", --key value and
// their like, quoted, escaped and percent-encoded; Authorization, Bearer, Basic. Asked by scrub at
// every word. The key stays, its value goes. Prose about keys ("token expired") is left alone.
#include "scrub_priv.h"

#include <pthread.h>

enum {
    KEY_LETTERS_MAX = 32,
    NAME_MAX_BYTES = 256,
    SLASHES_MAX = 31, // before a quote that was escaped five times
    SPACES_MAX = 8,
    LIST_MAX = 256,
    MEMBER_MAX = 24,
    COMMAND_MAX = 64
};

static const struct key keys[] = {
#define SECRET_KEY(word, strength, names) {{word, sizeof(word) - 1}, strength},
#include "scrub_words.def"
};

#define KEY_TAIL(word) {word, sizeof(word) - 1},
static const struct str tails[] = {
#include "scrub_words.def"
};

#define LINK_WORD(word) word,
static const char *const link_words[] = {
#include "scrub_words.def"
};
#define AUTH_SCHEME(word) word,
static const char *const auth_schemes[] = {
#include "scrub_words.def"
};

static size_t skip_spaces(struct str t, size_t i) {
    size_t most = i + SPACES_MAX;
    while (i < most && (byte_at(t, i) == ' ' || byte_at(t, i) == '\t')) {
        i++;
    }
    return scrub_is_here(t, i, "%20") ? i + 3 : i;
}

// The length of a quote, with the backslashes before it, or of an encoded one; 0 if none is here.
static size_t quote_here(struct str t, size_t i) {
    static const char *const encoded[] = {"%22", "%27", "&quot;", "&#34;", "&#39;", "\\u0022"};
    size_t end = i;
    if (!is_one_of(byte_at(t, i), "\"'`\\%&")) {
        return 0;
    }
    for (size_t k = 0; k < ARRAY_LEN(encoded); k++) {
        if (scrub_is_here(t, i, encoded[k])) {
            return strlen(encoded[k]);
        }
    }
    while (byte_at(t, end) == '\\' && end - i < SLASHES_MAX) {
        end++;
    }
    return is_quote(byte_at(t, end)) ? end + 1 - i : 0;
}

// --- the key ---

// The first byte of everything that may be the key's name: fs.s3a.secret.key, --db-password.
static size_t name_begin(struct str t, size_t end) {
    size_t least = end > NAME_MAX_BYTES ? end - NAME_MAX_BYTES : 0;
    while (end > least && (is_token(byte_at(t, end - 1)) || byte_at(t, end - 1) == '.')) {
        end--;
    }
    return end;
}

static bool begins_word(struct str t, size_t i) {
    unsigned char before = i > 0 ? byte_at(t, i - 1) : 0, here = byte_at(t, i);
    bool camel = before >= 'a' && before <= 'z' && here >= 'A' && here <= 'Z';
    return !is_alnum(before) || camel || (i > 2 && byte_at(t, i - 3) == '%');
}

// By the last three letters of a word, which keys and tails end in any: most words of a text end
// in none, and are done with by one look. Bit 26: whatever the third is.
static uint32_t endings[26][26];
static pthread_once_t endings_once = PTHREAD_ONCE_INIT;

static void note_ending(struct str word) {
    if (is_digit((unsigned char)word.p[word.len - 1])) {
        return; // digits pass anyway
    }
    uint32_t *third = &endings[word.p[word.len - 1] - 'a'][word.p[word.len - 2] - 'a'];
    bool letter = word.len > 2 && !is_digit((unsigned char)word.p[word.len - 3]);
    *third |= UINT32_C(1) << (letter ? word.p[word.len - 3] - 'a' : 26);
}

static void note_endings(void) {
    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        note_ending(keys[k].word);
    }
    for (size_t k = 0; k < ARRAY_LEN(tails); k++) {
        note_ending(tails[k]);
    }
    note_ending(STR("net")); // of Azure's hosts
}

// May a key end at `end`? Digits may follow one.
static bool may_be_key(struct str t, size_t end) {
    unsigned letters[3] = {26, 26, 26}, n = 0;
    pthread_once(&endings_once, note_endings);
    if (is_digit(byte_at(t, end - 1))) {
        return true;
    }
    for (size_t i = end; i > 0 && n < 3; i--) {
        unsigned char c = byte_at(t, i - 1);
        if (is_alnum(c)) {
            letters[n++] = is_digit(c) ? 26 : (c | 0x20u) - 'a';
        } else if (!is_one_of(c, "_-. ")) {
            break;
        }
    }
    if (letters[0] == 26 || letters[1] == 26) {
        return false;
    }
    return (endings[letters[0]][letters[1]] & (UINT32_C(1) << 26 | UINT32_C(1) << letters[2])) != 0;
}

// The letters and digits before `end`, without what parts them, and where each was.
struct letters {
    char text[KEY_LETTERS_MAX];
    size_t where[KEY_LETTERS_MAX], first; // text and where are filled from their ends
};

static struct letters letters_before(struct str t, size_t end) {
    struct letters l = {.first = KEY_LETTERS_MAX};
    for (size_t i = end; i > 0 && l.first > 0; i--) {
        unsigned char c = byte_at(t, i - 1);
        if (is_alnum(c)) {
            l.text[--l.first] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
            l.where[l.first] = i - 1;
        } else if (!is_one_of(c, "_-. ") || !is_alnum(byte_at(t, i))) {
            break;
        }
    }
    return l;
}

// How much of the letters is left without what does not change what the key is: password2.
static size_t without_tail(const struct letters *l) {
    size_t end = KEY_LETTERS_MAX;
    for (size_t k = 0; k < ARRAY_LEN(tails); k++) {
        size_t n = tails[k].len;
        if (end - l->first > n && memcmp(l->text + end - n, tails[k].p, n) == 0) {
            end -= n;
            break;
        }
    }
    while (end > l->first && is_digit((unsigned char)l->text[end - 1])) {
        end--;
    }
    return end;
}

// Azure's keys name a host behind what they are: fs.azure.account.key.NAME.dfs.core.windows.net.
static size_t without_host(struct str t, size_t end) {
    static const struct str host = {".core.windows.net", 17};
    size_t begin = name_begin(t, end);
    if (end - begin <= host.len || !str_eq(part(t, end - host.len, end), host)) {
        return end;
    }
    end -= host.len;
    for (int names = 0; names < 2; names++) {
        const char *dot = memrchr(t.p + begin, '.', end - begin);
        end = dot == NULL ? end : (size_t)(dot - t.p);
    }
    return end;
}

// The key that a word ending at `end` makes.
static const struct key *key_before(struct str t, size_t end, bool *compound) {
    end = without_host(t, end);
    struct letters l = letters_before(t, end);
    size_t stop = without_tail(&l);
    const struct key *best = NULL;
    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        size_t n = keys[k].word.len;
        if (stop - l.first < n || memcmp(l.text + stop - n, keys[k].word.p, n) != 0 ||
            ((keys[k].strength & WHOLE) != 0 && !begins_word(t, l.where[stop - n]))) {
            continue;
        }
        if (best == NULL || n > best->word.len) {
            best = &keys[k];
            *compound = name_begin(t, end) < l.where[stop - n];
        }
    }
    return best;
}

// --- what joins it to a value ---

// What stands for = and :, with its length; 0 if none is here.
static size_t joint_here(struct str t, size_t i, struct pair *pair) {
    static const struct {
        const char *text;
        enum joint joint;
    } joints[] = {
        {"=>", BY_EQUALS},    {":=", BY_EQUALS},      {"==", BY_EQUALS},     {"!=", BY_EQUALS},
        {"=", BY_EQUALS},     {"->", BY_EQUALS},      {"::", APART},         {"://", APART},
        {":", BY_COLON},      {"%3D", BY_EQUALS},     {"%3A", BY_COLON},     {"%253D", BY_EQUALS},
        {"&#61;", BY_EQUALS}, {"\\u003d", BY_EQUALS}, {"\\u003a", BY_COLON}, {"\\x3d", BY_EQUALS},
    };
    for (size_t k = 0; k < ARRAY_LEN(joints) && is_one_of(byte_at(t, i), "=:!-%&\\"); k++) {
        if (scrub_is_here(t, i, joints[k].text)) {
            pair->joint = joints[k].joint;
            pair->encoded = joints[k].text[0] == '%';
            return strlen(joints[k].text);
        }
    }
    return 0;
}

// From a name in quotes to the value beside it: {"name": "password", "value": "x"}.
static size_t member_here(struct str t, size_t i) {
    size_t at = i, most = i + MEMBER_MAX;
    while (at < most && at < t.len && !is_alnum(byte_at(t, at))) {
        at++;
    }
    if (!scrub_is_here(t, at, "value")) {
        return 0;
    }
    at = skip_spaces(t, at + 5 + quote_here(t, at + 5));
    return byte_at(t, at) == ':' || byte_at(t, at) == '=' ? at + 1 - i : 0;
}

// <name>password</name> <value>x
static size_t named_value_here(struct str t, size_t i) {
    size_t at = i + 7, most = at + MEMBER_MAX;
    while (at < most && is_blank(byte_at(t, at)) && at < t.len) {
        at++;
    }
    return scrub_is_here(t, i, "</name>") && scrub_is_here(t, at, "<value>") ? at + 7 : 0;
}

// (key,value) as Scala writes it, ("key", "value") as Python does.
static bool in_tuple(struct str t, size_t begin, size_t comma) {
    if (begin > 0 && is_quote(byte_at(t, begin - 1))) {
        return begin > 1 && is_one_of(byte_at(t, begin - 2), "([");
    }
    return begin > 0 && t.p[begin - 1] == '(' && !is_blank(byte_at(t, comma + 1));
}

// Where the value begins if something else than a sign joins it to the key [begin, i), which may
// have quotes around it; 0 if nothing does.
static size_t structure_here(struct str t, size_t begin, size_t i, bool quoted, bool *element) {
    size_t at = skip_spaces(t, i), value = named_value_here(t, i);
    bool tag = byte_at(t, i) == '>' && (quoted || (begin > 0 && t.p[begin - 1] == '<'));
    *element = tag || value > 0;
    if (*element) {
        return tag ? i + 1 : value; // <password>x, <entry key="password">x
    }
    bool named = quoted || (begin > 0 && is_one_of(byte_at(t, begin - 1), "=:"));
    size_t member = named ? member_here(t, at) : 0;
    bool call = !quoted && byte_at(t, i) == '(' && quote_here(t, i + 1) > 0; // password("x")
    bool tuple = byte_at(t, at) == ',' && (byte_at(t, begin) == '-' || in_tuple(t, begin, at));
    return member > 0 ? at + member : call ? i + 1 : tuple ? at + 1 : 0;
}

static size_t word_end(struct str t, size_t i) {
    while (is_token(byte_at(t, i))) {
        i++;
    }
    return i;
}

// In a sentence: "key provided: x", "password for bob: x", "password is x". Sets the joint; returns
// where the value begins.
static size_t said_here(struct str t, size_t at, struct pair *pair) {
    size_t from = scrub_is_here(t, at, "for ") ? at + 4 : at, end = word_end(t, from);
    bool linked =
        from > at || scrub_is_among(part(t, from, end), link_words, ARRAY_LEN(link_words));
    size_t length = linked && end > from ? joint_here(t, end, pair) : 0;
    if (length > 0) {
        return end + length;
    }
    bool is = scrub_is_here(t, at, "is "), was = scrub_is_here(t, at, "was ");
    pair->joint = is || was ? BY_VERB : BY_SPACE;
    return at + (is ? 3 : was ? 4 : 0);
}

// How what ends at `end` is joined to what follows.
static void join(struct str t, size_t end, struct pair *pair) {
    size_t begin = name_begin(t, end), i = end;
    if (byte_at(t, i) == '#') { // Spark's name#12
        for (i++; is_digit(byte_at(t, i)) || byte_at(t, i) == 'L';) {
            i++;
        }
    }
    size_t quote = quote_here(t, i);
    i += quote;
    i += byte_at(t, i) == ']';
    size_t at = skip_spaces(t, i), length = joint_here(t, at, pair), value;
    if (length > 0) {
        bool member = pair->joint == BY_COLON && quote > 0;
        member = member && quote_here(t, skip_spaces(t, at + length)) > 0;
        pair->joint = member ? BY_EQUALS : pair->joint;
        at += length;
    } else if ((value = structure_here(t, begin, i, quote > 0, &pair->element)) > 0) {
        pair->joint = BY_EQUALS;
        at = value;
    } else if (quote == 0 && at > end) {
        bool flag = begin < end && t.p[begin] == '-';
        pair->joint = BY_FLAG;
        at = flag ? at : said_here(t, at, pair);
    }
    pair->value = skip_spaces(t, at);
    pair->quoted = quote > 0;
    pair->flag = begin < end && t.p[begin] == '-';
    pair->dotted = memchr(t.p + begin, '.', end - begin) != NULL;
}

// --- the value ---

// Where a quoted value ends that begins behind the quote [from, from + length): at the same quote,
// not escaped any further; without one it was cut.
static size_t quoted_end(struct str t, size_t from, size_t length) {
    struct str quote = part(t, from, from + length);
    if (!is_quote((unsigned char)quote.p[length - 1])) { // encoded
        size_t end = from + length;
        while (end < t.len && !str_starts(part(t, end, t.len), quote)) {
            end++;
        }
        return end;
    }
    size_t slashes = 0;
    for (size_t i = from + length; i < t.len; i++) {
        bool escaped = length == 1 ? slashes % 2 == 1 : slashes > length - 1;
        bool doubled =
            length == 1 && slashes == 0 && byte_at(t, i + 1) == (unsigned char)quote.p[0];
        if (t.p[i] == quote.p[length - 1] && !escaped && !doubled) {
            return i - (slashes > length - 1 ? length - 1 : slashes);
        }
        i += t.p[i] == quote.p[length - 1] && doubled;
        slashes = byte_at(t, i) == '\\' ? slashes + 1 : 0;
    }
    return t.len;
}

static bool is_encoded_end(struct str t, size_t i) {
    static const char *const ends[] = {"%26", "%22", "%27", "%20", "%2C",
                                       "%3B", "%7D", "%0A", "%0D"};
    for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
        if (scrub_is_here(t, i, ends[k])) {
            return true;
        }
    }
    return false;
}

// Another key and its joint begin here.
static bool is_key_here(struct str t, size_t i) {
    size_t end = skip_spaces(t, i);
    i = end;
    while (is_token(byte_at(t, end)) || is_one_of(byte_at(t, end), ". ")) {
        end++;
    }
    return end > i && is_one_of(byte_at(t, end), "=:");
}

// A connection string's value goes up to the next ; and may hold spaces.
static size_t list_end(struct str t, size_t end) {
    size_t most = end + LIST_MAX < t.len ? end + LIST_MAX : t.len;
    for (size_t i = end; i < most && !is_one_of(byte_at(t, i), "\n=\"<>"); i++) {
        if (t.p[i] == ';') {
            return is_key_here(t, i + 1) ? i : end;
        }
    }
    return end;
}

static size_t unquoted_end(struct str t, const struct pair *pair) {
    size_t i = pair->value;
    for (; i < t.len && !is_blank(byte_at(t, i)); i++) {
        unsigned char c = byte_at(t, i), next = byte_at(t, i + 1);
        bool more = is_alnum(next) || is_one_of(next, "!@#$%^&*+~-_=");
        if (c == ';' || c == '&' || c == '<' || (c == '\\' && quote_here(t, i) > 0) ||
            (is_one_of(c, ")]}>\"'`,") && !more) || (c == ',' && is_key_here(t, i + 1)) ||
            (pair->encoded && is_encoded_end(t, i))) {
            break;
        }
    }
    return pair->joint == BY_EQUALS ? list_end(t, i) : i;
}

// [a, b] or {...} as a value; its end is the bracket that closes it, or where the text was cut.
static size_t bracketed_end(struct str t, size_t i) {
    size_t depth = 0;
    for (; i < t.len; i++) {
        depth += is_one_of(byte_at(t, i), "[{");
        if (is_one_of(byte_at(t, i), "]}") && --depth == 0) {
            return i + 1;
        }
    }
    return t.len;
}

// Past "Basic " in a value.
static size_t skip_scheme(struct str t, size_t i) {
    size_t end = word_end(t, i);
    bool scheme = byte_at(t, end) == ' ' && !is_blank(byte_at(t, end + 1)) &&
                  scrub_is_among(part(t, i, end), auth_schemes, ARRAY_LEN(auth_schemes));
    return scheme ? end + 1 : i;
}

static struct span value_of(struct str t, struct pair *pair, bool *quoted) {
    size_t end;
    if (pair->joint >= BY_COLON) {
        bool scheme = (pair->key->strength & STRENGTH) == SCHEME;
        pair->value += scheme && byte_at(t, pair->value) == '[';
        pair->value = skip_scheme(t, pair->value);
    }
    size_t quote = quote_here(t, pair->value);
    *quoted = quote > 0 && pair->value + quote <= t.len;
    if (*quoted) {
        end = quoted_end(t, pair->value, quote);
        pair->value += quote;
    } else if (pair->element) {
        for (end = pair->value; end < t.len && t.p[end] != '<';) {
            end++;
        }
    } else if (is_one_of(byte_at(t, pair->value), "[{") && pair->joint >= BY_COLON &&
               (pair->key->strength & STRENGTH) == STRONG) {
        end = bracketed_end(t, pair->value);
    } else {
        end = unquoted_end(t, pair);
    }
    size_t at = *quoted ? skip_scheme(t, pair->value) : pair->value;
    return (struct span){.at = at < end ? at : end, .end = end};
}

// --- all of it ---

// user:password behind --user or -u.
static struct span login_of(struct str t, size_t i) {
    size_t colon = i, end;
    while (!is_blank(byte_at(t, colon)) && byte_at(t, colon) != ':') {
        colon++;
    }
    for (end = colon; !is_blank(byte_at(t, end)); end++) {
    }
    bool login = colon > i && end > colon + 1 && byte_at(t, colon + 1) != '/';
    return login && !scrub_is_none(part(t, colon + 1, end))
               ? (struct span){.at = colon + 1, .end = end}
               : IN_VAIN(end);
}

// -u user:password; -p password of a command that has said -u before or is sshpass; redis-cli -a.
static struct span short_flag(struct str t, size_t i) {
    if (i > 0 && !is_blank(byte_at(t, i - 1))) {
        return NO_SPAN;
    }
    size_t from = i > COMMAND_MAX ? i - COMMAND_MAX : 0, value = skip_spaces(t, i + 2);
    struct str before = part(t, from, i);
    if (byte_at(t, i + 1) == 'u' && value > i + 2) {
        return login_of(t, value);
    }
    unsigned char flag = byte_at(t, i + 1);
    bool user = str_contains(before, STR(" -u")) || str_contains(before, STR("sshpass"));
    bool password =
        (flag == 'p' && user) || (flag == 'a' && str_contains(before, STR("redis-cli ")));
    if (!password || byte_at(t, value) == '-') {
        return NO_SPAN;
    }
    size_t end = value;
    while (!is_blank(byte_at(t, end))) {
        end++;
    }
    struct str word = part(t, value, end);
    return scrub_makeup(word).digits == word.len || scrub_is_none(word)
               ? NO_SPAN
               : (struct span){.at = value, .end = end};
}

// What stands in the value's place is a key itself: wrong password: "user": ..., password: pwd = x.
static bool is_key_itself(struct str t, const struct pair *pair, size_t end, bool quoted) {
    struct pair next = {0};
    bool compound, tail = !quoted && end > pair->value && byte_at(t, end - 1) == ':';
    size_t key_end = end - tail, joint = quoted ? end + quote_here(t, end) : key_end;
    if (joint_here(t, skip_spaces(t, joint), &next) == 0) {
        return false;
    }
    bool name = key_end > pair->value && scrub_makeup(part(t, pair->value, key_end)).digits == 0;
    return (quoted && pair->joint < BY_EQUALS) ||
           (name && key_before(t, key_end, &compound) != NULL);
}

struct span scrub_key_at(struct str t, size_t i) {
    if (t.p[i] == '-') {
        return short_flag(t, i);
    }
    size_t end = i;
    while (is_alnum(byte_at(t, end))) {
        end++;
    }
    if (end == i || (is_one_of(byte_at(t, end), "_-.") && is_alnum(byte_at(t, end + 1)))) {
        return NO_SPAN; // no word, or a name that goes on
    }
    if (!may_be_key(t, end)) {
        return NO_SPAN;
    }
    struct pair pair = {0};
    join(t, end, &pair);
    pair.key = pair.joint == APART ? NULL : key_before(t, end, &pair.compound);
    if (pair.key == NULL || scrub_is_here(t, pair.value, SCRUB_MARK) ||
        scrub_is_here(t, pair.value, "-----BEGIN ")) {
        return NO_SPAN;
    }
    if ((pair.key->strength & STRENGTH) == LOGIN) {
        return pair.flag ? login_of(t, pair.value) : NO_SPAN;
    }
    bool quoted;
    struct span span = value_of(t, &pair, &quoted);
    pair.goes_on = byte_at(t, span.end) == ' ' && is_alnum(byte_at(t, span.end + 1));
    return !is_key_itself(t, &pair, span.end, quoted) && !scrub_is_here(t, span.at, SCRUB_MARK) &&
                   pair_is_secret(&pair, part(t, span.at, span.end), quoted)
               ? span
               : IN_VAIN(span.end);
}
