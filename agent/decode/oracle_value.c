// oracle_value: text to a jansson tree and single values out of it. Called by the oracle_*.c files.
// Numbers that jansson refuses to hold are made null beforehand, so that one of them does not cost
// the whole message.
#include <errno.h>
#include <stdlib.h>

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

json_t *oracle_parse(struct str text, enum decode_error *error) {
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

struct str oracle_text_of(const json_t *value, size_t max) {
    if (!json_is_string(value)) {
        return STR("");
    }
    struct str text = {json_string_value(value), json_string_length(value)};
    text.len = str_cut_utf8(text, max);
    return text;
}

struct str oracle_text(const json_t *object, const char *key, size_t max) {
    return oracle_text_of(oracle_field(object, key), max);
}

bool oracle_true(const json_t *object, const char *key) {
    return json_is_true(oracle_field(object, key));
}
