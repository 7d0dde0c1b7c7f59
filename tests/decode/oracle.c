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
static struct str name_of(const json_t *value, size_t max) {
    struct str name = oracle_word_of(value, SIZE_MAX);
    size_t plain = 0;
    while (plain < name.len && strchr(NAME_BYTES, name.p[plain]) != NULL && name.p[plain] != '\0') {
        plain++;
    }
    return plain == name.len && name.len <= max ? name : oracle_text_of(value, max);
}

struct str oracle_name(const json_t *object, const char *key, size_t max) {
    return name_of(oracle_field(object, key), max);
}

bool oracle_true(const json_t *object, const char *key) {
    return json_is_true(oracle_field(object, key));
}

struct oracle *oracle_new(const struct decode_options *options) {
    struct oracle *o = mem_zalloc(1, sizeof *o);
    o->options = options;
    return o;
}

static void drop_trees(struct oracle *o) {
    json_decref(o->inside);
    json_decref(o->root);
    o->inside = o->root = NULL;
}

void oracle_free(struct oracle *o) {
    if (o == NULL) {
        return;
    }
    drop_trees(o);
    mem_free(o->properties);
    mem_free(o->ids);
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

// The first text that is not empty under one of the usual names, in the order they stand in.
static struct str usual_app_id(const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (strcmp(key, "appId") == 0 || strcmp(key, "app_id") == 0 ||
            strcmp(key, "applicationId") == 0 || strcmp(key, "application-id") == 0) {
            struct str id = name_of(value, 256);
            if (id.len > 0) {
                return id;
            }
        }
    }
    return STR("");
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

static struct str better(struct str a, struct str b) {
    return a.len > 0 ? a : b;
}

static void place(const struct oracle *o, const json_t *event, struct event *out) {
    bool start = out->kind == EVENT_APP_START;
    struct str own = start ? out->app_start.app_id : STR("");
    own = out->kind == EVENT_LISTENER_REPORT ? oracle_name(event, "App ID", 256) : own;
    struct str own_attempt = start ? out->app_start.attempt : STR("");
    out->app_id = better(own, better(usual_app_id(event), property(o, "spark.app.id")));
    out->app_attempt = better(own_attempt, property(o, "spark.app.attempt.id"));
}

static bool read_event(struct oracle *o, const json_t *event, struct str name,
                       const struct idmap *wanted, struct event *out) {
    static const char *const times[] = {"Timestamp", "time", "Submission Time", "Completion Time"};
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

static bool may_be_event(const json_t *value) {
    const char *text = json_string_value(value);
    return json_is_object(value) || (text != NULL && text[strspn(text, " \t\r\n")] == '{');
}

static const json_t *find_inside(const struct oracle *o, const json_t *root) {
    static const char *const keys[] = {"event", "spark-event", "value", "body"};
    if (o->options->wrapper_event_key[0] != '\0') {
        const json_t *value = oracle_field(root, o->options->wrapper_event_key);
        return may_be_event(value) ? value : NULL;
    }
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const json_t *value = oracle_field(root, keys[i]);
        if (may_be_event(value)) {
            return value;
        }
    }
    return NULL;
}

static enum status refuse(struct oracle *o, enum decode_error error, struct err *err) {
    o->error = error;
    return err_set(err, ST_SKIP, "refused for reason %d", (int)error);
}

static enum status read_wrapper(struct oracle *o, const struct idmap *wanted, struct event *out,
                                struct err *err) {
    const struct decode_options *opt = o->options;
    const json_t *value = find_inside(o, o->root), *event = value;
    if (value == NULL) {
        return refuse(o, DECODE_NOT_AN_EVENT, err);
    }
    if (json_is_string(value)) {
        event = o->inside = parse(oracle_word_of(value, SIZE_MAX), &o->error);
        if (event == NULL) {
            return refuse(o, o->error, err);
        }
    }
    const json_t *name = oracle_field(event, "Event");
    if (!json_is_string(name)) {
        return refuse(o, DECODE_NOT_AN_EVENT, err);
    }
    if (!read_event(o, event, oracle_word_of(name, SIZE_MAX), wanted, out)) {
        return refuse(o, DECODE_INVALID_FIELD, err);
    }
    bool named = opt->wrapper_app_key[0] != '\0';
    struct str app =
        named ? oracle_name(o->root, opt->wrapper_app_key, 256) : usual_app_id(o->root);
    out->app_id = better(out->app_id, app);
    if (opt->wrapper_attempt_key[0] != '\0') {
        struct str attempt = oracle_name(o->root, opt->wrapper_attempt_key, 32);
        out->app_attempt = better(out->app_attempt, attempt);
    }
    return ST_OK;
}

enum status oracle_decode(struct oracle *o, struct str value, const struct idmap *wanted,
                          struct event *out, struct err *err) {
    drop_trees(o);
    memset(out, 0, sizeof *out);
    room_used = 0;
    o->property_count = o->id_count = o->accum_count = o->node_count = o->metric_count = 0;
    if (value.len > o->options->max_bytes) {
        return refuse(o, DECODE_TOO_LARGE, err);
    }
    o->root = parse(value, &o->error);
    if (o->root == NULL) {
        return refuse(o, o->error, err);
    }
    if (!json_is_object(o->root)) {
        return refuse(o, DECODE_NOT_AN_EVENT, err);
    }
    const json_t *name = oracle_field(o->root, "Event");
    if (!json_is_string(name)) {
        return read_wrapper(o, wanted, out, err);
    }
    struct str text = oracle_word_of(name, SIZE_MAX);
    return read_event(o, o->root, text, wanted, out) ? ST_OK : refuse(o, DECODE_INVALID_FIELD, err);
}

enum decode_error oracle_last_error(const struct oracle *o) {
    return o->error;
}
