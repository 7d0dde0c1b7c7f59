// span: parsing and printing durations and sizes. Called by config and the command replay, which
// read them, and by whatever shows one to people; never guesses: text that is not understood is
// refused.
#include "base/span.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "base/compiler.h"

struct unit {
    const char *name;
    int64_t factor;
};

static bool parse(struct str text, int64_t plain, const struct unit *units, size_t n_units,
                  int64_t *out) {
    size_t digits = 0;
    while (digits < text.len && isdigit((unsigned char)text.p[digits])) {
        digits++;
    }
    int64_t value;
    if (!str_to_i64((struct str){text.p, digits}, &value)) {
        return false;
    }
    struct str rest = {text.p + digits, text.len - digits};
    while (rest.len > 0 && rest.p[0] == ' ') {
        rest.p++;
        rest.len--;
    }
    int64_t factor = rest.len == 0 ? plain : 0;
    char lower[8];
    if (rest.len > 0 && rest.len < sizeof lower) {
        for (size_t i = 0; i < rest.len; i++) {
            lower[i] = (char)tolower((unsigned char)rest.p[i]);
        }
        for (size_t i = 0; i < n_units && factor == 0; i++) {
            factor =
                str_eq((struct str){lower, rest.len}, str_of(units[i].name)) ? units[i].factor : 0;
        }
    }
    int64_t product;
    if (factor == 0 || __builtin_mul_overflow(value, factor, &product)) {
        return false;
    }
    *out = product;
    return true;
}

bool span_parse_ms(struct str text, int64_t plain_unit_ms, int64_t *out) {
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},    {"m", 60000},
                                        {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    return parse(text, plain_unit_ms, units, ARRAY_LEN(units), out);
}

bool span_parse_bytes(struct str text, int64_t plain_unit_bytes, int64_t *out) {
    static const struct unit units[] = {
        {"b", 1},         {"k", 1L << 10},   {"kb", 1L << 10}, {"kib", 1L << 10}, {"m", 1L << 20},
        {"mb", 1L << 20}, {"mib", 1L << 20}, {"g", 1L << 30},  {"gb", 1L << 30},  {"gib", 1L << 30},
        {"t", 1L << 40},  {"tb", 1L << 40},  {"tib", 1L << 40}};
    return parse(text, plain_unit_bytes, units, ARRAY_LEN(units), out);
}

const char *span_format_bytes(double bytes, char out[SPAN_TEXT_SIZE]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    while (fabs(bytes) >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, SPAN_TEXT_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return out;
}

const char *span_format_seconds(double seconds, char out[SPAN_TEXT_SIZE]) {
    if (seconds < 60) {
        snprintf(out, SPAN_TEXT_SIZE, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
    } else if (seconds < 3600) {
        long whole = (long)seconds;
        snprintf(out, SPAN_TEXT_SIZE, "%ld m %02ld s", whole / 60, whole % 60);
    } else {
        double minutes = fmin(seconds / 60, 1e9);
        long whole = (long)minutes;
        snprintf(out, SPAN_TEXT_SIZE, "%ld h %02ld m", whole / 60, whole % 60);
    }
    return out;
}
