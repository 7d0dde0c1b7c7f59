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
    bytes = fmax(bytes, 0); // not a number, too
    while (bytes >= (unit == 0 ? 1023.5 : 1023.95) && unit + 1 < ARRAY_LEN(units)) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, SPAN_TEXT_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return out;
}

// Two units, the smaller one with two digits.
static void format_two(double large, double factor, const char *one, const char *other,
                       char out[SPAN_TEXT_SIZE]) {
    long long whole = llround(fmin(large, 1e15));
    long long by = (long long)factor;
    snprintf(out, SPAN_TEXT_SIZE, "%lld %s %02lld %s", whole / by, one, whole % by, other);
}

const char *span_format_seconds(double seconds, char out[SPAN_TEXT_SIZE]) {
    const double minute = 60, hour = 3600, day = 86400;
    double ms = seconds * 1000;
    if (!(ms > 0)) {
        snprintf(out, SPAN_TEXT_SIZE, "0 s");
    } else if (ms < 1) {
        snprintf(out, SPAN_TEXT_SIZE, "under 1 ms");
    } else if (ms < 299.5) {
        snprintf(out, SPAN_TEXT_SIZE, "%.0f ms", ms);
    } else if (seconds < minute - 0.05) {
        snprintf(out, SPAN_TEXT_SIZE, "%.1f s", seconds);
    } else if (seconds < hour - 0.5) {
        format_two(seconds, 60, "m", "s", out);
    } else if (seconds < 2 * day - 30) {
        format_two(seconds / minute, 60, "h", "m", out);
    } else {
        format_two(seconds / hour, 24, "d", "h", out);
    }
    return out;
}

const char *span_format_ms(double ms, char out[SPAN_TEXT_SIZE]) {
    return span_format_seconds(ms / 1000, out);
}

// 1234567 as 1,234,567.
static void format_grouped(long long count, char out[SPAN_TEXT_SIZE]) {
    if (count < 1000) {
        snprintf(out, SPAN_TEXT_SIZE, "%lld", count);
    } else {
        snprintf(out, SPAN_TEXT_SIZE, "%lld,%03lld", count / 1000, count % 1000);
    }
}

const char *span_format_count(double count, char out[SPAN_TEXT_SIZE]) {
    static const char *const words[] = {"million", "billion", "trillion"};
    count = fmax(count, 0); // not a number, too
    if (count < 9.95 && count != floor(count)) {
        snprintf(out, SPAN_TEXT_SIZE, count < 0.1 ? "%.1g" : "%.1f", count);
    } else if (count < 999999.5) {
        format_grouped(llround(count), out);
    } else {
        size_t word = 0;
        count /= 1e6;
        while (count >= 999.5 && word + 1 < ARRAY_LEN(words)) {
            count /= 1000;
            word++;
        }
        snprintf(out, SPAN_TEXT_SIZE, count < 99.95 ? "%.1f %s" : "%.0f %s", fmin(count, 1e12),
                 words[word]);
    }
    return out;
}
