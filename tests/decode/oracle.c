// oracle: text to a jansson tree, single values out of it, and the door: which JSON object of a
// message is the event, whose it is, and which reader fills it. See oracle.h. Numbers that jansson
// refuses to hold are made null beforehand, so that one of them does not cost the whole message.
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/scrub.h"
#include "oracle_priv.h"

enum { DEPTH_MAX = 1024 };

static bool is_number_char(char c) {
    return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

// True if a well-formed number is one that neither int64 nor double holds.
static bool is_unholdable(const char *number, size_t len) {
    char *text = mem_strndup(number, len), *end;
    bool whole = strspn(text + (*text == '-'), "0123456789") == len - (*text == '-');
    errno = 0;
    bool bad;
    if (whole) {
        strtoll(text, &end, 10);
        bad = errno == ERANGE;
    } else {
        double value = strtod(text, &end);
        bad = errno == ERANGE && (value > 1 || value < -1);
    }
    bad = bad && *end == '\0';
    mem_free(text);
    return bad;
}

// Replaces such numbers and returns the deepest nesting met.
static size_t prepare(char *text, size_t len) {
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            in_string = c != '"';
            i += c == '\\';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            size_t start = i;
            while (i + 1 < len && is_number_char(text[i + 1])) {
                i++;
            }
            size_t number_len = i + 1 - start;
            if (number_len > 4 && is_unholdable(text + start, number_len)) {
                for (size_t n = 0; n < number_len; n++) {
                    text[start + n] = n < 4 ? "null"[n] : ' ';
                }
            }
        }
    }
    return deepest;
}

// Parses a text, numbers beyond any C type read as null. NULL with *error if it is no JSON or too
// deep.
static json_t *parse(struct str text, enum decode_error *error) {
    char *copy = text.len == 0 ? mem_strdup("") : mem_alloc(text.len);
    if (text.len > 0) {
        memcpy(copy, text.p, text.len);
    }
    json_t *root = NULL;
    if (text.len > 0 && memchr(text.p, '\0', text.len) != NULL) { // to jansson, an end
        mem_free(copy);
        *error = DECODE_MALFORMED;
        return NULL;
    }
    *error = DECODE_TOO_DEEP;
    if (prepare(copy, text.len) <= DEPTH_MAX) {
        *error = DECODE_MALFORMED;
        root = json_loadb(copy, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
                          NULL);
    }
    mem_free(copy);
    return root;
}

const json_t *oracle_field(const json_t *object, const char *key) {
    return json_object_get(object, key);
}

static bool decimal_string(const json_t *value, int64_t *out) {
    const char *text = json_string_value(value);
    size_t len = json_string_length(value), sign = len > 0 && text[0] == '-';
    if (len == sign || strspn(text + sign, "0123456789") != len - sign) {
        return false;
    }
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno != 0) {
        return false;
    }
    *out = number;
    return true;
}

bool oracle_integer(const json_t *value, int64_t *out) {
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (json_is_string(value)) {
        return decimal_string(value, out);
    }
    double number = json_real_value(value);
    if (!json_is_real(value) || number >= 9223372036854775808.0 ||
        number < -9223372036854775808.0) {
        return false;
    }
    *out = (int64_t)number;
    return true;
}

int64_t oracle_metric(const json_t *object, const char *key) {
    int64_t number = 0;
    return oracle_integer(oracle_field(object, key), &number) && number > 0 ? number : 0;
}

int64_t oracle_id64(const json_t *object, const char *key) {
    int64_t number = -1;
    return oracle_integer(oracle_field(object, key), &number) && number >= 0 ? number : -1;
}

int32_t oracle_id32(const json_t *object, const char *key) {
    int64_t number = oracle_id64(object, key);
    return number > INT32_MAX ? -1 : (int32_t)number;
}

struct str oracle_word_of(const json_t *value, size_t max) {
    if (!json_is_string(value)) {
        return STR("");
    }
    struct str text = {json_string_value(value), json_string_length(value)};
    text.len = str_cut_utf8(text, max);
    return text;
}

// For texts of which something had to be hidden; filled anew by every event.
static char room[1 << 20];
static size_t room_used;

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"

struct str oracle_text_of(const json_t *value, size_t max) {
    struct str whole = oracle_word_of(value, SIZE_MAX);
    assert(sizeof room - room_used >= max);
    struct str text = scrub_cut(whole, max, room + room_used);
    room_used += text.p == room + room_used ? text.len : 0;
    return text;
}

struct str oracle_text(const json_t *object, const char *key, size_t max) {
    return oracle_text_of(oracle_field(object, key), max);
}

// Hosts and ids of plain characters stay as they are, whatever they look like.
struct str oracle_name_of(const json_t *value, size_t max) {
    struct str name = oracle_word_of(value, SIZE_MAX);
    size_t plain = 0;
    while (plain < name.len && strchr(NAME_BYTES, name.p[plain]) != NULL && name.p[plain] != '\0') {
        plain++;
    }
    return plain == name.len && name.len <= max ? name : oracle_text_of(value, max);
}

struct str oracle_name(const json_t *object, const char *key, size_t max) {
    return oracle_name_of(oracle_field(object, key), max);
}

bool oracle_true(const json_t *object, const char *key) {
    return json_is_true(oracle_field(object, key));
}

struct oracle *oracle_new(const struct decode_options *options) {
    struct oracle *o = mem_zalloc(1, sizeof *o);
    o->options = options;
    o->trees = json_array();
    return o;
}

void oracle_free(struct oracle *o) {
    if (o == NULL) {
        return;
    }
    json_decref(o->trees);
    mem_free(o->properties);
    mem_free(o->accums);
    mem_free(o->nodes);
    mem_free(o->metrics);
    mem_free(o);
}

void oracle_time(struct event *out, int64_t ms) {
    if (ms > 0 && (out->first_ms == 0 || ms < out->first_ms)) {
        out->first_ms = ms;
    }
    out->time_ms = ms > out->time_ms ? ms : out->time_ms;
}

// The first property of that name that says something.
static struct str property(const struct oracle *o, const char *key) {
    for (size_t i = 0; i < o->property_count; i++) {
        if (str_is(o->properties[i].key, key) && o->properties[i].value.len > 0) {
            return o->properties[i].value;
        }
    }
    return STR("");
}

// What an event says of itself; what stands around it wins.
static void place(const struct oracle *o, const json_t *event, struct event *out) {
    bool start = out->kind == EVENT_APP_START;
    struct str own = start ? out->app_start.app_id : STR("");
    own = out->kind == EVENT_LISTENER_REPORT ? oracle_name(event, "App ID", 256) : own;
    struct str own_attempt = start ? out->app_start.attempt : STR("");
    out->app_id = better(own, property(o, "spark.app.id"));
    out->app_attempt = better(own_attempt, property(o, "spark.app.attempt.id"));
    oracle_place(&o->around, out);
}

static bool read_event(struct oracle *o, const json_t *event, struct str name,
                       const struct idmap *wanted, struct event *out) {
    static const char *const times[] = {"Timestamp", "time", "Submission Time", "Completion Time"};
    o->property_count = o->accum_count = o->node_count = o->metric_count = 0;
    memset(out, 0, sizeof *out);
    out->kind = event_kind_of(name);
    out->cut = oracle_true(event, "Stoker Cut");
    out->name = name;
    out->name.len = str_cut_utf8(name, 256);
    for (unsigned i = 0; i < ARRAY_LEN(times); i++) {
        oracle_time(out, oracle_metric(event, times[i]));
    }
    bool whole = oracle_fill(o, event, wanted, out);
    place(o, event, out);
    return whole;
}

static struct str after_blanks(struct str text) {
    while (text.len > 0 && memchr(" \t\r\n", text.p[0], 4) != NULL) {
        text = (struct str){text.p + 1, text.len - 1};
    }
    return text;
}

struct str oracle_json_in(struct str text) {
    struct str rest = after_blanks(text);
    if (rest.len > 0 && strchr("{[\"", rest.p[0]) != NULL) {
        return text;
    }
    const char *at = memmem(text.p, text.len, "{\"Event\":\"", 10);
    return at == NULL ? STR("") : (struct str){at, text.len - (size_t)(at - text.p)};
}

static enum decode_error read_value(struct oracle *o, const json_t *value, int depth,
                                    const struct idmap *wanted, struct event *out);

static enum decode_error read_text(struct oracle *o, struct str text, int depth,
                                   const struct idmap *wanted, struct event *out) {
    enum decode_error error;
    json_t *tree = parse(text, &error);
    if (tree == NULL) {
        return error;
    }
    json_array_append_new(o->trees, tree);
    return read_value(o, tree, depth, wanted, out);
}

// What seems to be somebody else's may hold an event where none is looked for.
static enum decode_error look_twice(struct str text, enum decode_error error) {
    bool foreign = error == DECODE_NO_EVENT || error == DECODE_LOG_LINE;
    return foreign && oracle_mentions(text) ? DECODE_NOT_AN_EVENT : error;
}

// The first of the elements that can be a record.
static enum decode_error read_elements(struct oracle *o, const json_t *array, int depth,
                                       const struct idmap *wanted, struct event *out) {
    for (size_t i = 0; i < json_array_size(array) && !o->batch; i++) {
        const json_t *item = json_array_get(array, i);
        struct str text = oracle_json_in(oracle_word_of(item, SIZE_MAX));
        if (json_is_object(item) || json_is_array(item) || text.len > 0) {
            o->batch = true;
            enum decode_error error = depth + 1 == ORACLE_LEVELS ? DECODE_NO_EVENT
                                      : text.len > 0 ? read_text(o, text, depth + 1, wanted, out)
                                                     : read_value(o, item, depth + 1, wanted, out);
            char *written = json_dumps(item, JSON_ENCODE_ANY);
            error = look_twice(text.len > 0 ? text : str_of(written), error);
            free(written);
            return error;
        }
    }
    return DECODE_NO_EVENT;
}

static enum decode_error read_envelope(struct oracle *o, const json_t *object, int depth,
                                       const struct idmap *wanted, struct event *out) {
    const char *category = oracle_category(object);
    const json_t *event = oracle_field(object, "Event");
    enum decode_error worst =
        event != NULL && !json_is_object(event) ? DECODE_NOT_AN_EVENT : DECODE_NO_EVENT;
    if (strcasecmp(category, "Log") == 0 || strcasecmp(category, "Metrics") == 0 ||
        strcasecmp(category, "DriverLog") == 0 || strcasecmp(category, "ExecutorLog") == 0) {
        return DECODE_OTHER_CATEGORY;
    }
    const json_t *found[ORACLE_CANDIDATES];
    size_t count = oracle_candidates(o->options, object, depth == 0, found);
    const struct around around = o->around;
    for (size_t i = 0; i < count; i++) {
        struct str text = oracle_json_in(oracle_word_of(found[i], SIZE_MAX));
        enum decode_error error;
        if (json_is_string(found[i]) && text.len == 0) {
            error = DECODE_LOG_LINE;
        } else if (depth + 1 == ORACLE_LEVELS) {
            error = DECODE_NO_EVENT;
        } else if (json_is_string(found[i])) {
            error = read_text(o, text, depth + 1, wanted, out);
        } else {
            error = read_value(o, found[i], depth + 1, wanted, out);
        }
        if (error == ORACLE_FINE || error == DECODE_MALFORMED || o->batch) {
            return error; // what jansson does not read, the agent's decoder may
        }
        o->around = around;
        worst = error < worst ? error : worst;
    }
    if (worst >= DECODE_IGNORED && category[0] != '\0') {
        return strcasecmp(category, "EventLog") == 0 ? DECODE_NOT_AN_EVENT : DECODE_OTHER_CATEGORY;
    }
    return worst;
}

static enum decode_error read_value(struct oracle *o, const json_t *value, int depth,
                                    const struct idmap *wanted, struct event *out) {
    struct str text = oracle_json_in(oracle_word_of(value, SIZE_MAX));
    const json_t *name = oracle_field(value, "Event");
    if (json_is_object(value)) {
        oracle_look_around(&o->around, o->options, value, depth == 0, json_is_string(name));
    }
    if (json_is_string(name)) {
        bool whole = read_event(o, value, oracle_word_of(name, SIZE_MAX), wanted, out);
        return whole ? ORACLE_FINE : DECODE_INVALID_FIELD;
    }
    if (o->options->raw_only) {
        return DECODE_NOT_AN_EVENT;
    }
    if (json_is_object(value)) {
        return read_envelope(o, value, depth, wanted, out);
    }
    if (json_is_array(value)) {
        return read_elements(o, value, depth, wanted, out);
    }
    if (json_is_string(value)) {
        return depth + 1 == ORACLE_LEVELS ? DECODE_NO_EVENT
                                          : read_text(o, text, depth + 1, wanted, out);
    }
    return json_is_null(value) ? DECODE_EMPTY : DECODE_NO_EVENT;
}

enum status oracle_decode(struct oracle *o, struct str value, const struct idmap *wanted,
                          struct event *out, struct err *err) {
    json_array_clear(o->trees);
    memset(out, 0, sizeof *out);
    memset(&o->around, 0, sizeof o->around);
    room_used = 0;
    o->batch = false;
    o->error = DECODE_TOO_LARGE;
    if (value.len <= o->options->max_bytes) {
        o->error = read_text(o, value, 0, wanted, out);
    }
    o->error = o->batch ? o->error : look_twice(value, o->error);
    return o->error == ORACLE_FINE ? ST_OK
                                   : err_set(err, ST_SKIP, "refused for reason %d", (int)o->error);
}

enum decode_error oracle_last_error(const struct oracle *o) {
    return o->error;
}
