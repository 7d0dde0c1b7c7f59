// decode_shape: one JSON value to one C value, by the rules at the head of model/event.h, and one
// JSON object by a table of rules. Called for every object of every event, so the keys are looked
// for in the order they are expected in. Must take any type for any field. A key that stands twice
// counts as it comes: the last value stays, lists are joined.
#include "decode_shape.h"

namespace decode {

// The room is bounded, so a message of nothing but secrets gets marks alone at last.
static str shown(context &c, str whole, size_t max) {
    if (ROOM_BYTES - c.room_used < max) {
        return whole.len <= max && scrub_is_clean(whole) ? whole : STR(SCRUB_MARK);
    }
    char *room = c.room + c.room_used;
    str s = scrub_cut(whole, max, room);
    c.room_used += s.p == room ? s.len : 0;
    return s;
}

static bool get_word(value v, str *out) {
    std::string_view s;
    if (v.get_string().get(s)) {
        return false;
    }
    *out = view(s);
    return true;
}

bool get_text(context &c, value v, size_t max, str *out, str *whole) {
    str word;
    if (!get_word(v, &word)) {
        return false;
    }
    if (whole != nullptr) {
        *whole = word;
    }
    *out = shown(c, word, max);
    return true;
}

str text(context &c, value v, size_t max) {
    str s = {"", 0};
    get_text(c, v, max, &s);
    return s;
}

static bool is_plain_name(str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char b = static_cast<unsigned char>(s.p[i]);
        unsigned char letter = b | 0x20;
        bool plain =
            (letter >= 'a' && letter <= 'z') || (b >= '-' && b <= ':' && b != '/') || b == '_';
        if (!plain) {
            return false;
        }
    }
    return true;
}

str name(context &c, value v, size_t max) {
    str s = {"", 0};
    get_word(v, &s);
    return s.len <= max && is_plain_name(s) ? s : shown(c, s, max);
}

str word(value v, size_t max) {
    str s = {"", 0};
    get_word(v, &s);
    return {s.p, str_cut_utf8(s, max)};
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

const rule *find_rule(const shape &s, const char *raw, size_t *hint) {
    size_t i = *hint;
    for (size_t n = 0; n < s.count; n++, i++) {
        i = i >= s.count ? 0 : i;
        if (s.rules[i].name.is(raw)) {
            *hint = i + 1;
            return &s.rules[i];
        }
    }
    return nullptr;
}

static bool has_escape(const char *raw) {
    while (*raw != '"' && *raw != '\\') {
        raw++;
    }
    return *raw == '\\';
}

const char *plain_key(context &c, field &f, char (&plain)[key::BYTES * 2]) {
    std::string_view name;
    const char *raw = f.key().raw();
    if (!has_escape(raw)) {
        return raw;
    }
    memset(plain, 0, sizeof plain);
    plain[0] = '"';
    if (f.unescaped_key().get(name)) {
        c.broken = true;
    } else if (name.size() < key::BYTES && memchr(name.data(), '"', name.size()) == nullptr) {
        memcpy(plain, name.data(), name.size());
        plain[name.size()] = '"';
    }
    return plain;
}

const rule *find_escaped(context &c, const shape &s, field &f) {
    char plain[key::BYTES * 2];
    size_t hint = 0;
    return has_escape(f.key().raw()) ? find_rule(s, plain_key(c, f, plain), &hint) : nullptr;
}

template <typename T> static T &at(context &c, const rule &r) {
    return *reinterpret_cast<T *>(reinterpret_cast<char *>(c.out) + r.at);
}

double real(value v) {
    double number;
    bool whole;
    int64_t integer;
    if (v.get_double().get(number) || v.is_integer().get(whole)) {
        return 0;
    }
    if (whole && v.get_int64().get(integer)) {
        return 0;
    }
    return number > 0 ? number : 0;
}

void read_object(context &c, value v, const shape &s) {
    each_field(c, v, s, [&](const rule &r, value inner) {
        apply(c, r, inner);
        return true;
    });
}

static void keep_object(context &c, const rule &r, value v) {
    bool is_object = each_field(c, v, *r.inner, [&](const rule &field, value inner) {
        apply(c, field, inner);
        return true;
    });
    if (is_object && r.at != 0) {
        at<bool>(c, r) = true;
    }
}

void apply(context &c, const rule &r, value v) {
    switch (r.what) {
    case as::skip:
        break;
    case as::metric:
        at<int64_t>(c, r) = metric(v);
        break;
    case as::time: {
        int64_t ms = metric(v);
        see_time(c, ms);
        if (r.at != 0) {
            at<int64_t>(c, r) = ms;
        }
        break;
    }
    case as::count:
    case as::id64:
        at<int64_t>(c, r) = id64(v);
        break;
    case as::id:
        at<int32_t>(c, r) = id32(v);
        break;
    case as::text:
    case as::name:
        at<str>(c, r) = r.what == as::text ? text(c, v, r.limit) : name(c, v, r.limit);
        break;
    case as::word:
        c.words[r.at] = word(v, r.limit);
        break;
    case as::flag:
        at<bool>(c, r) = maybe(v) == 1;
        break;
    case as::maybe:
        at<int>(c, r) = maybe(v);
        break;
    case as::real:
        at<double>(c, r) = real(v);
        break;
    case as::object:
        keep_object(c, r, v);
        break;
    case as::call:
        r.call(c, v);
        break;
    }
}

void set_missing(const shape &s, event *out) {
    for (size_t i = 0; i < s.count; i++) {
        const rule &r = s.rules[i];
        char *field = reinterpret_cast<char *>(out) + r.at;
        switch (r.what) {
        case as::count:
        case as::id64:
            *reinterpret_cast<int64_t *>(field) = -1;
            break;
        case as::id:
            *reinterpret_cast<int32_t *>(field) = -1;
            break;
        case as::maybe:
            *reinterpret_cast<int *>(field) = -1;
            break;
        case as::text:
        case as::name:
            *reinterpret_cast<str *>(field) = {"", 0};
            break;
        case as::call:
            if (r.at != 0) {
                *reinterpret_cast<str *>(field) = {"", 0};
            }
            break;
        default:
            break;
        }
        if (r.inner != nullptr) {
            set_missing(*r.inner, out);
        }
    }
}

} // namespace decode
