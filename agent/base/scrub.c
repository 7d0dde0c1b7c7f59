// scrub: see the header. One walk asks at every place where a secret may begin whether one does,
// and copies what stands between. Called wherever text of others is taken in, cut or told; must
// never give back a byte of a secret that was found, nor a text that would change if it came again.
#include "scrub_priv.h"

#include <pthread.h>

#include "base/check.h"

enum {
    LOOK_MAX = 4096,
    PASSES_MAX = 4,
    NAME_LETTERS_MAX = 255,
    VAIN_MOST = 64, // bytes looked at in vain, for each byte of a text
    KEY_MOST = 64   // bytes of a key with what stands around it
};
enum { NO_NAMES = 0, SETTINGS = 1, PROPERTIES = 2, ALL_NAMES = 3 };
#define MARK_LEN (sizeof SCRUB_MARK - 1)

// --- user and password in URLs ---

enum { REGION_MAX = 2048, LOGIN_MAX = 256 };

#define NAME_SCHEME(scheme) scheme,
static const char *const name_schemes[] = {
#include "scrub_words.def"
};

// The end of what could be one URL: nothing that a password holds, unless it is encoded.
static size_t url_end(struct str t, size_t from) {
    size_t end = from, comma = 0;
    while (end < t.len && end - from < REGION_MAX && !is_blank(byte_at(t, end)) &&
           !is_one_of(byte_at(t, end), "\"`<>\\")) {
        comma = is_one_of(byte_at(t, end), ",;=(|") ? end : comma;
        if (comma > 0 && scrub_is_here(t, end, "://")) {
            return comma; // another one begins
        }
        end++;
    }
    return end;
}

// The first byte of [from, to) that is in the set, or `to`.
static size_t first_of(struct str t, size_t from, size_t to, const char *set) {
    while (from < to && !is_one_of((unsigned char)t.p[from], set)) {
        from++;
    }
    return from;
}

static size_t last_of(struct str t, size_t from, size_t to, char c) {
    const char *found = memrchr(t.p + from, c, to - from);
    return found == NULL ? to : (size_t)(found - t.p);
}

// The scheme that ends before `end`.
static bool has_name_scheme(struct str t, size_t end) {
    size_t from = end;
    while (from > 0 && (is_token(byte_at(t, from - 1)) || is_one_of(byte_at(t, from - 1), "+."))) {
        from--;
    }
    return scrub_is_among(part(t, from, end), name_schemes, ARRAY_LEN(name_schemes));
}

// Behind a colon: is it a port, or something in its place that is none?
static bool is_port(struct str t, size_t from, size_t to) {
    size_t end = from;
    while (end < to && is_digit(byte_at(t, end))) {
        end++;
    }
    return end == to || is_one_of(byte_at(t, end), ",;)]'|") || scrub_is_none(part(t, from, to)) ||
           scrub_is_here(t, from, "port") || byte_at(t, from) == '%';
}

// Behind the slashes of scheme://: user and password, up to the last @ they may reach to.
static struct span userinfo(struct str t, size_t from, size_t scheme_end) {
    size_t end = url_end(t, from), authority = first_of(t, from, end, "/?#");
    size_t at = last_of(t, from, authority, '@'), colon = first_of(t, from, authority, ":");
    bool odd = colon < authority && byte_at(t, from) != '[' && !is_port(t, colon + 1, authority);
    if (at == authority) {
        // An unencoded / or ? in the password: what seems to be a port is none.
        size_t query = first_of(t, from, end, "?");
        at = last_of(t, from, query, '@');
        at = at == query ? last_of(t, from, end, '@') : at;
        if (!odd || at == end) {
            bool cut =
                odd && (end == t.len || t.p[end] == '\n') && authority == end && colon + 3 < end;
            return cut ? (struct span){.at = from, .end = end} : IN_VAIN(end);
        }
    } else if (colon < at) {
        size_t more = last_of(t, at, first_of(t, at, end, "?"), '@');
        at = more < end && byte_at(t, more) == '@' ? more : at;
    }
    if (at == from || scrub_is_none(part(t, colon < at ? colon + 1 : from, at)) ||
        scrub_is_here(t, from, SCRUB_MARK "@")) {
        return IN_VAIN(end);
    }
    return colon < at || !has_name_scheme(t, scheme_end) ? (struct span){.at = from, .end = at}
                                                         : IN_VAIN(end);
}

// At the first of two slashes, as they are or as a JSON string may have them.
static struct span at_slashes(struct str t, size_t i) {
    size_t step = byte_at(t, i) == '\\' ? 4 : 2;
    if (!scrub_is_here(t, i, step == 4 ? "\\/\\/" : "//") || (i > 0 && t.p[i - 1] == '/')) {
        return NO_SPAN;
    }
    bool scheme = i > 0 && t.p[i - 1] == ':';
    return scheme || i == 0 || byte_at(t, i - 1) == '@' ? userinfo(t, i + step, i - scheme)
                                                        : NO_SPAN;
}

// user:password@host without a scheme, and Oracle's user/password@host. Not Class@1f2e, not
// image@sha256:..., not a principal (service/host@REALM).
static struct span login_at(struct str t, size_t i) {
    unsigned char before = i > 0 ? byte_at(t, i - 1) : ' ';
    size_t end = i, most = i + LOGIN_MAX < t.len ? i + LOGIN_MAX : t.len, user = i;
    if (is_token(before) || is_one_of(before, ".$@")) {
        return NO_SPAN; // within a name
    }
    while (user < most && (is_token(byte_at(t, user)) || byte_at(t, user) == '.')) {
        user++;
    }
    if (byte_at(t, user) != ':' && byte_at(t, user) != '/') {
        return NO_SPAN;
    }
    bool oracle = i >= 5 && (scrub_is_here(t, i - 5, "thin:") || scrub_is_here(t, i - 5, "/oci:"));
    oracle = oracle || (i >= 4 && scrub_is_here(t, i - 4, "oci:")) ||
             (i >= 8 && scrub_is_here(t, i - 8, "sqlplus "));
    bool first = is_blank(before) || is_one_of(before, "\"'`=(,[{<");
    if (!oracle && (!first || byte_at(t, user) == '/')) {
        return NO_SPAN;
    }
    while (end < most && !is_blank(byte_at(t, end)) && !is_quote(byte_at(t, end)) &&
           (oracle || end <= user || !is_one_of(byte_at(t, end), "/,("))) {
        end++;
    }
    size_t at = last_of(t, user, end, '@'), host = at + 1;
    bool hidden = at - i >= MARK_LEN && scrub_is_here(t, at - MARK_LEN, SCRUB_MARK);
    if (at == end || at <= user + 1 || hidden || scrub_is_none(part(t, user + 1, at))) {
        return NO_SPAN;
    }
    struct makeup m = scrub_makeup(part(t, host, end));
    bool code =
        m.hex == end - host || scrub_is_here(t, host, "sha256") || scrub_is_here(t, host, "sha512");
    return oracle || (!code && is_alnum(byte_at(t, host)) && !scrub_is_here(t, i, "mailto:"))
               ? (struct span){.at = i, .end = at}
               : NO_SPAN;
}

// The same with all its signs percent-encoded, as a URL within a URL's query.
static struct span at_encoded(struct str t, size_t i) {
    if (!scrub_is_here(t, i, "%3A%2F%2F")) {
        return NO_SPAN;
    }
    size_t from = i + 9, end = url_end(t, from), at = from;
    for (size_t k = from; k < end && t.p[k] != '&'; k++) {
        at = scrub_is_here(t, k, "%40") ? k : at;
    }
    return scrub_is_here(t, from, SCRUB_MARK "%40") ? NO_SPAN
                                                    : (struct span){.at = from, .end = at};
}

static struct span find_url(struct str t, size_t i) {
    unsigned char c = byte_at(t, i);
    return c == '/' || c == '\\' ? at_slashes(t, i)
           : c == '%'            ? at_encoded(t, i)
           : is_alnum(c)         ? login_at(t, i)
                                 : NO_SPAN;
}

// --- words that are secrets by themselves ---

enum { CUT_LEAST = 4, MIXED = 256 };
enum { RANDOM_LEAST = 32, PADDED_LEAST = 20, DIGEST_MOST = 64, BASE36_LEAST = 40 };

static const struct shape {
    struct str beginning;
    unsigned least;
} shapes[] = {
#define SECRET_SHAPE(beginning, least) {{beginning, sizeof(beginning) - 1}, least},
#include "scrub_words.def"
};

// Base64 of some length, base 36, or longer hexadecimal than any digest has. In names and paths the
// stretches of small letters are words, here they are two letters long on average; ids, UUIDs and
// commits are of one case.
static bool is_random(struct str word, bool padded) {
    struct makeup m = scrub_makeup(word);
    size_t n = m.letters + m.digits;
    if (m.hex == word.len) {
        return n > DIGEST_MOST;
    }
    if (m.lower > 0 && m.upper > 0 && m.digits > 0) {
        return word.len >= (padded ? PADDED_LEAST : RANDOM_LEAST) &&
               m.lower * 10 <= m.lowers * 26 && m.upper <= m.uppers * 4 &&
               m.other * 8 <= word.len && m.longest_digits <= 5;
    }
    return n >= BASE36_LEAST && !m.parted && m.digits >= n / 8 && m.turns * 100 >= n * 28 &&
           m.longest_letters <= 16 && m.longest_digits <= 6;
}

static bool beginnings[256][128]; // by the first two bytes of a shape, the second of them ASCII
static pthread_once_t beginnings_once = PTHREAD_ONCE_INIT;

static void note_beginnings(void) {
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        const char *p = shapes[s].beginning.p;
        beginnings[(unsigned char)p[0]][p[1] & 0x7F] = true;
    }
}

static struct span shape_at(struct str t, size_t i) {
    pthread_once(&beginnings_once, note_beginnings);
    size_t seen = 0;
    if (!beginnings[byte_at(t, i)][byte_at(t, i + 1) & 0x7F]) {
        return NO_SPAN;
    }
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        struct str beginning = shapes[s].beginning;
        if (beginning.p[0] != t.p[i] || !str_starts(part(t, i, t.len), beginning)) {
            continue;
        }
        size_t from = i + beginning.len, end = from;
        while (is_token(byte_at(t, end)) ||
               (is_one_of(byte_at(t, end), ".+/=~:") && is_token(byte_at(t, end + 1)))) {
            end++;
        }
        struct makeup m = scrub_makeup(part(t, from, end));
        size_t least = shapes[s].least & (MIXED - 1);
        least =
            end == t.len && least > CUT_LEAST && (shapes[s].least & MIXED) == 0 ? CUT_LEAST : least;
        bool mixed = m.digits > 0 && m.letters > 0;
        mixed = mixed || (m.lower > 0 && m.upper > 2);
        if (end - from >= least && ((shapes[s].least & MIXED) == 0 || mixed)) {
            return (struct span){.at = i, .end = end};
        }
        seen = end > seen ? end : seen;
    }
    return IN_VAIN(seen);
}

static bool is_base64(unsigned char c) {
    return is_token(c) || c == '+' || c == '/';
}

// Services name requests by random words, which their support asks for.
static bool is_request_id(struct str t, size_t i) {
    size_t from = i < 16 ? 0 : i - 16;
    struct str before = part(t, from, i);
    return str_contains_nocase(before, STR("request id")) ||
           str_contains_nocase(before, STR("requestid")) ||
           str_contains_nocase(before, STR("host id")) ||
           str_contains_nocase(before, STR("hostid"));
}

// The run of base64 that the word at i is the first of. A path is looked at name by name.
static struct span random_at(struct str t, size_t i) {
    size_t from = i;
    while (from > 0 && is_one_of(byte_at(t, from - 1), "+/-_")) {
        from--;
    }
    if (from > 0 && is_base64(byte_at(t, from - 1))) {
        return NO_SPAN; // looked at already
    }
    size_t end = i;
    while (is_base64(byte_at(t, end))) {
        end++;
    }
    bool padded =
        byte_at(t, end) == '=' && !is_alnum(byte_at(t, end + 1 + (byte_at(t, end + 1) == '=')));
    if (end - from >= PADDED_LEAST && !is_request_id(t, from)) {
        if (is_random(part(t, from, end), padded)) {
            return (struct span){.at = from, .end = end};
        }
        for (size_t name = from; name < end;) {
            size_t slash = first_of(t, name, end, "/");
            if (is_random(part(t, name, slash), padded && slash == end)) {
                return (struct span){.at = name, .end = slash};
            }
            name = slash + 1;
        }
    }
    return NO_SPAN;
}

// A PEM block to the end of its last line, or of the text.
static struct span pem_at(struct str t, size_t i) {
    if (!scrub_is_here(t, i, "-----BEGIN ") && !scrub_is_here(t, i, "---- BEGIN ")) {
        return NO_SPAN;
    }
    const char *last = memmem(t.p + i, t.len - i, "-----END ", 9);
    size_t end = last == NULL ? t.len : (size_t)(last - t.p) + 9;
    while (end < t.len && byte_at(t, end) != '-' && byte_at(t, end) >= ' ') {
        end++;
    }
    while (byte_at(t, end) == '-') {
        end++;
    }
    return (struct span){.at = i, .end = end};
}

static struct span find_shape(struct str t, size_t i) {
    if (t.p[i] == '-') {
        return pem_at(t, i);
    }
    if (!is_alnum(byte_at(t, i))) {
        return NO_SPAN;
    }
    struct span shape = shape_at(t, i), random = shape.end > 0 ? NO_SPAN : random_at(t, i);
    return random.end > 0 ? random : shape;
}

// --- the walk ---

// The secret that begins at i, if there is one.
static struct span secret_at(struct str t, size_t i) {
    static struct span (*const find[])(struct str, size_t) = {find_url, find_shape, scrub_key_at};
    unsigned char c = (unsigned char)t.p[i];
    bool word = is_alnum(c) && (i == 0 || !is_alnum((unsigned char)t.p[i - 1]));
    bool may_begin = word || c == '/' || c == '\\' || c == '-' || c == '%';
    size_t seen = i;
    for (size_t f = 0; may_begin && f < ARRAY_LEN(find); f++) {
        struct span span = find[f](t, i);
        if (span.end > span.at) {
            return span;
        }
        seen += span.seen > i ? span.seen - i : 0;
    }
    return IN_VAIN(seen);
}

// A text, and the bytes of it that were looked at in vain so far.
struct walk {
    struct str text;
    size_t vain;
};

// The secret that begins at i. A text in which every word makes us look at all that follows was
// written to keep us busy: what is left of it then is taken for one.
static struct span ask(struct walk *walk, size_t i) {
    struct span span = secret_at(walk->text, i);
    walk->vain += span.end == 0 ? span.seen - i : 0;
    return walk->vain <= VAIN_MOST * walk->text.len ? span
                                                    : (struct span){.at = i, .end = walk->text.len};
}

// The next secret that begins in [from, to); more of the text is looked at to tell. What was taken
// for a secret may end in the key of one, which must not lose it: -p "password": "x".
static struct span next_secret(struct walk *walk, size_t from, size_t to) {
    struct span found = NO_SPAN;
    for (size_t i = from; i < to && found.end == 0; i++) {
        found = ask(walk, i);
    }
    size_t last = found.end > KEY_MOST ? found.end - KEY_MOST : 0;
    for (size_t i = found.at > last ? found.at : last; i < found.end; i++) {
        struct span inside = ask(walk, i);
        found.end = inside.end > found.end ? inside.end : found.end;
    }
    return found;
}

// True if none begins in the first `len` bytes.
static bool is_clean(struct str text, size_t len) {
    struct walk walk = {.text = text};
    return next_secret(&walk, 0, len).end == 0;
}

bool scrub_is_clean(struct str text) {
    return text.len == 0 || (memchr(text.p, '\0', text.len) == NULL && is_clean(text, text.len));
}

// Appends it with marks; a NUL, which ends texts elsewhere, becomes the '?' of str_copy.
static void add_marked(struct buf *out, struct str text) {
    struct walk walk = {.text = text};
    size_t from = 0, before = out->len;
    for (struct span s; (s = next_secret(&walk, from, text.len)).end > 0; from = s.end) {
        buf_add_str(out, part(text, from, s.at));
        buf_add_str(out, STR(SCRUB_MARK));
    }
    buf_add_str(out, part(text, from, text.len));
    for (char *p = out->data + before; (p = memchr(p, '\0', out->data + out->len - p)) != NULL;) {
        *p = '?';
    }
}

// A mark beside what was left may make another rule see a secret: what comes out is looked at again
// until nothing is found in it. A text that will not come to rest is nothing but a secret.
void scrub_add(struct buf *out, struct str text) {
    struct buf now = {0}, next = {0};
    unsigned passes = 0;
    while (!scrub_is_clean(text)) {
        if (++passes > PASSES_MAX) {
            text = STR(SCRUB_MARK);
            break;
        }
        buf_clear(&next);
        add_marked(&next, text);
        struct buf spare = now;
        now = next;
        next = spare;
        text = buf_str(&now);
    }
    buf_add_str(out, text);
    buf_fini(&now);
    buf_fini(&next);
}

// At most `max` bytes of it, neither a character nor a mark cut.
static struct str cut(struct str text, size_t max) {
    size_t len = str_cut_utf8(text, max);
    for (size_t back = 1; back < MARK_LEN && back <= len && len < text.len; back++) {
        if (str_starts(part(text, len - back, text.len), STR(SCRUB_MARK))) {
            len -= back;
        }
    }
    return (struct str){text.p, len};
}

struct str scrub_cut(struct str text, size_t max, char *room) {
    require(max >= MARK_LEN && max < SCRUB_COPY_MAX);
    text = cut(text, LOOK_MAX);
    struct str shown = cut(text, max);
    // What begins behind the part that is shown matters only if that part is cut for it.
    bool clean = shown.len == text.len || is_clean(text, shown.len);
    if (clean && scrub_is_clean(shown)) {
        return shown;
    }
    struct buf scrubbed = {0};
    bool good = false;
    for (unsigned passes = 0; passes < PASSES_MAX && !good; passes++) {
        buf_clear(&scrubbed);
        scrub_add(&scrubbed, text);
        shown = cut(buf_str(&scrubbed), max);
        memcpy(room, shown.p, shown.len);
        text = shown = (struct str){room, shown.len};
        good = scrub_is_clean(shown);
    }
    buf_fini(&scrubbed);
    return good ? shown : STR(SCRUB_MARK);
}

bool scrub_copy(char *out, size_t cap, struct str text) {
    char room[SCRUB_COPY_MAX];
    struct str shown = scrub_cut(text, cap - 1, room);
    bool whole = shown.p == text.p && shown.len == text.len;
    return str_copy(out, cap, shown) && whole;
}

static bool name_holds(struct str name, unsigned where) {
    static const struct {
        struct str word;
        unsigned names;
    } words[] = {
#define SECRET_KEY(word, strength, names) {{word, sizeof(word) - 1}, names},
#include "scrub_words.def"
    };
    char letters[NAME_LETTERS_MAX];
    struct str plain = {letters, 0};
    for (size_t i = 0; i < name.len && plain.len < sizeof letters; i++) {
        if (is_alnum((unsigned char)name.p[i])) {
            letters[plain.len++] = name.p[i];
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((words[i].names & where) != 0 && str_contains_nocase(plain, words[i].word)) {
            return true;
        }
    }
    return name.len > sizeof letters; // nobody looked at the rest
}

bool scrub_hides_setting(struct str name) {
    return name_holds(name, SETTINGS);
}

bool scrub_hides_property(struct str name) {
    return name_holds(name, PROPERTIES);
}
