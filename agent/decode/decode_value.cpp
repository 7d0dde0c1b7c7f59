// decode_value: the getters of decode_simd.h: one JSON value to one C value, by the rules at the
// head of model/event.h. Must take any type for any field.
#include "decode_simd.h"

namespace decode {

bool get_text(value v, size_t max, str *out) {
    std::string_view s;
    if (v.get_string().get(s)) {
        return false;
    }
    *out = view(s);
    if (out->len > max) {
        out->len = str_cut_utf8(*out, max);
    }
    return true;
}

str text(value v, size_t max) {
    str s = {"", 0};
    return get_text(v, max, &s) ? s : str{"", 0};
}

// What is written as a number but is no int64.
static bool get_truncated(value v, int64_t *out) {
    double number;
    bool whole;
    if (v.get_double().get(number) || v.is_integer().get(whole) || whole) {
        return false; // whole: an integer beyond int64
    }
    constexpr double END = 9223372036854775808.0; // 2^63
    if (!(number >= -END && number < END)) {
        return false;
    }
    *out = static_cast<int64_t>(number);
    return true;
}

bool get_odd_integer(value v, int64_t *out) {
    std::string_view s;
    if (!v.get_string().get(s)) {
        return str_to_i64(view(s), out);
    }
    return get_truncated(v, out);
}

bool get_integer(value v, int64_t *out) {
    return !v.get_int64().get(*out) || get_odd_integer(v, out);
}

int32_t id32(value v) {
    int64_t number = id64(v);
    return number > INT32_MAX ? -1 : static_cast<int32_t>(number);
}

// INCORRECT_TYPE leaves simdjson's iterator where it was; any other error ends it.
bool open_object(context &c, value v, object *out) {
    simdjson::error_code error = v.get_object().get(*out);
    c.broken = c.broken || (error && error != simdjson::INCORRECT_TYPE);
    return !error;
}

bool open_array(context &c, value v, array *out) {
    simdjson::error_code error = v.get_array().get(*out);
    c.broken = c.broken || (error && error != simdjson::INCORRECT_TYPE);
    return !error;
}

void see_time(context &c, int64_t ms) {
    if (ms > c.out->time_ms) {
        c.out->time_ms = ms;
    }
    if (ms > 0 && (c.out->first_ms == 0 || ms < c.out->first_ms)) {
        c.out->first_ms = ms;
    }
}

void see_app_id(context &c, str id, app_rank rank) {
    if (id.len > 0 && rank > c.app_id_rank) {
        c.out->app_id = id;
        c.app_id_rank = rank;
    }
}

void see_attempt(context &c, str id, app_rank rank) {
    if (id.len > 0 && rank > c.attempt_rank) {
        c.out->app_attempt = id;
        c.attempt_rank = rank;
    }
}

} // namespace decode
