// decode_shape: what the files of decode share: the arrays that events point into, tolerant getters
// over simdjson's on-demand values, and tables that say which field of an object goes where.
// Private to the room; no exception is ever thrown. No string value is read twice: each reading
// takes room in the parser's string buffer, which is as long as the text.
#pragma once

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

extern "C" {
#include "base/err.h"
#include "base/mem.h"
#include "base/scrub.h"
#include "base/str.h"
#include "model/event.h"
#include "stats/idmap.h"
}

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "decode/decode.h"

namespace decode {

using simdjson::ondemand::array;
using simdjson::ondemand::field;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// An array that grows to its bound once and is then only emptied.
template <typename T> struct list {
    T *items = nullptr;
    uint32_t len = 0, cap = 0;

    ~list() {
        mem_free(items);
    }
    void push(const T &item) {
        if (len == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            items = static_cast<T *>(mem_resize(items, cap, sizeof(T)));
        }
        items[len++] = item;
    }
};

constexpr size_t ROOM_BYTES = 32 << 10;

enum app_rank { RANK_NONE, RANK_PROPERTY, RANK_OWN };
enum word {
    WORD_RESULT,
    WORD_LOCALITY,
    WORD_DESCRIPTION,
    WORD_MESSAGE,
    WORD_LOSS,
    WORD_KILL,
    WORD_COUNT
};

struct kind_fields;

// What is known of the message at hand.
struct context {
    event *out = nullptr;
    const kind_fields *fields = nullptr; // of its kind, once that is known
    const idmap *wanted = nullptr;
    const char *const *more_properties = nullptr; // to keep beside the allow-list
    unsigned more_property_count = 0;
    bool broken = false;   // not JSON after all: stop reading, simdjson's iterators are dead
    bool has_info = false; // Task Info is an object
    app_rank app_id_rank = RANK_NONE, attempt_rank = RANK_NONE;
    str words[WORD_COUNT] = {}; // texts that finish() turns into something else
    char room[ROOM_BYTES];      // for texts of which something had to be hidden
    size_t room_used = 0;
    list<event_property> properties;
    list<event_accum> accums;
    list<event_plan_node> nodes;
    list<event_plan_metric> metrics;
};

inline str view(std::string_view s) {
    return {s.data(), s.size()};
}

// Every string of an event comes from one of these; each cuts to `max` bytes between characters.
// What may be kept or shown, scrubbed (base/scrub.h): true and *out if the value is a string.
// *whole (may be NULL) gets all of it as it is, only to be compared with words of ours.
bool get_text(context &c, value v, size_t max, str *out, str *whole = nullptr);
// The same; empty for anything else.
str text(context &c, value v, size_t max);
// The same of a name that most events carry (of a host, an executor, an application): nothing is
// looked for if it is made of letters, digits and . _ : - alone.
str name(context &c, value v, size_t max);
// What is only compared with words of ours, and never kept: as it is.
str word(value v, size_t max);
// True and *out if the value is an integer, an integer in a string or a float, which is truncated.
bool get_integer(value v, int64_t *out);
// The same for what get_int64 does not take.
bool get_odd_integer(value v, int64_t *out);
// 0 for what is no integer, and for negative ones. Most fields are plain integers: inline.
inline int64_t metric(value v) {
    int64_t number;
    bool is = !v.get_int64().get(number) || get_odd_integer(v, &number);
    return is && number > 0 ? number : 0;
}
// 1 for true, 0 for false, -1 for anything else.
inline int maybe(value v) {
    bool b;
    return v.get_bool().get(b) ? -1 : b;
}
// 0 for what is no number, and for negative ones.
double real(value v);
// -1 for what is no integer, and for negative ones.
inline int64_t id64(value v) {
    int64_t number;
    bool is = !v.get_int64().get(number) || get_odd_integer(v, &number);
    return is && number >= 0 ? number : -1;
}
// The same beyond INT32_MAX.
inline int32_t id32(value v) {
    int64_t number = id64(v);
    return number > INT32_MAX ? -1 : static_cast<int32_t>(number);
}
// 0 for what is no number, and for negative ones; texts ("NaN", "Infinity") are none.
double real(value v);
// True if the value is an object (an array). Sets c.broken if it only begins like one.
// INCORRECT_TYPE leaves simdjson's iterator where it was; any other error ends it.
inline bool open_object(context &c, value v, object *out) {
    simdjson::error_code error = v.get_object().get(*out);
    c.broken = c.broken || (error && error != simdjson::INCORRECT_TYPE);
    return !error;
}

inline bool open_array(context &c, value v, array *out) {
    simdjson::error_code error = v.get_array().get(*out);
    c.broken = c.broken || (error && error != simdjson::INCORRECT_TYPE);
    return !error;
}

// A time of the event: the smallest and the largest are kept.
inline void see_time(context &c, int64_t ms) {
    if (ms > c.out->time_ms) {
        c.out->time_ms = ms;
    }
    if (ms > 0 && (c.out->first_ms == 0 || ms < c.out->first_ms)) {
        c.out->first_ms = ms;
    }
}

// Says whose event it is; the highest rank wins, of equals the first.
inline void see_app_id(context &c, str id, app_rank rank) {
    if (id.len > 0 && rank > c.app_id_rank) {
        c.out->app_id = id;
        c.app_id_rank = rank;
    }
}

inline void see_attempt(context &c, str id, app_rank rank) {
    if (id.len > 0 && rank > c.attempt_rank) {
        c.out->app_attempt = id;
        c.attempt_rank = rank;
    }
}

// Calls f(field) for each field of an object, until f returns false.
template <typename F> void members(context &c, object &o, F f) {
    for (auto result : o) {
        field item;
        if (std::move(result).get(item)) {
            c.broken = true;
            return;
        }
        if (!f(item) || c.broken) {
            return;
        }
    }
}

// Calls f(value) for each element of an array; does nothing for other types.
template <typename F> void items(context &c, value v, F f) {
    array a;
    if (!open_array(c, v, &a)) {
        return;
    }
    for (auto result : a) {
        value item;
        if (std::move(result).get(item)) {
            c.broken = true;
            return;
        }
        f(item);
        if (c.broken) {
            return;
        }
    }
}

// A literal to compare a raw key with, eight bytes at a time, closing quote included: reads up to
// BYTES bytes from the key on, which the padding behind every message allows.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys are packed first byte lowest");

struct key {
    static constexpr size_t WORDS = 5, BYTES = WORDS * 8;

    uint64_t word[WORDS] = {};
    uint64_t last_mask = 0; // which bytes of the last word count
    uint32_t last = 0;      // its index

    template <size_t N> constexpr key(const char (&literal)[N]) {
        static_assert(N <= BYTES, "make WORDS larger");
        for (size_t i = 0; i < N; i++) { // the closing quote stands where the NUL is
            uint64_t byte = i == N - 1 ? '"' : static_cast<unsigned char>(literal[i]);
            word[i / 8] |= byte << (8 * (i % 8));
        }
        last = (N - 1) / 8;
        last_mask = ~uint64_t{0} >> (8 * (7 - (N - 1) % 8));
    }

    bool is(const char *raw) const {
        uint64_t bytes;
        for (uint32_t i = 0; i < last; i++) {
            memcpy(&bytes, raw + i * 8, 8);
            if (bytes != word[i]) {
                return false;
            }
        }
        memcpy(&bytes, raw + last * 8, 8);
        return (bytes & last_mask) == word[last];
    }
};

// How a field of an object is kept.
enum class as : uint8_t {
    skip,   // known and of no use
    metric, // int64_t, 0 if missing or negative
    time,   // the same, and one of the event's times; kept only if `at` is not 0
    count,  // int64_t, -1 if missing or negative
    id,     // int32_t, likewise
    id64,   // int64_t, likewise
    text,   // str of at most `limit` bytes, by text()
    name,   // the same, by name()
    word,   // the same, by word(), into context.words[at]
    flag,   // bool, true only for true
    maybe,  // int: 1, 0, or -1 for anything but true and false
    real,   // double, 0 if missing or negative
    object, // read by `inner`; `at`, if not 0, is a bool that says that it was an object
    call,   // left to `call`; `at`, if not 0, is a str that is empty if the field is missing
};

// What a field that is left to `call` holds. Only told, to who asks what is read (decode_page);
// `call` reads it by the same tables.
enum class form : uint8_t {
    one,        // a text, if it has a limit; an object, if `each` says what of; or a number
    list,       // a list, of which each element counts
    set,        // a list, of which elements that are equal count once
    tree,       // a list of objects like the one it stands in
    properties, // an object of which the allow-listed keys are read
    ends,       // a text that is looked through, and so much of whose two ends is worth sending
    causes,     // a stack trace of which the causes count, without their frames; likewise
    stream,     // a text of which the lines count that name a streaming query and its run
};

struct shape;
struct rule {
    key name;
    as what = as::skip;
    uint16_t at = 0; // offset in struct event
    uint16_t limit = 0;
    const shape *inner = nullptr;
    void (*call)(context &c, value v) = nullptr;
    form holds = form::one;
    const shape *each = nullptr; // the fields of an element of the list, or of the object
    // The one text that counts: an element of a list is as good as not there if this is another.
    const char *only = nullptr;
    bool stays = false; // read if it comes; Stoker's listener leaves such a text in the driver
};
struct shape {
    const rule *rules;
    size_t count;
    template <size_t N> constexpr shape(const rule (&table)[N]) : rules(table), count(N) {
    }
};
#define AT(member) static_cast<uint16_t>(offsetof(event, member))

// Keeps one field as its rule says.
void apply(context &c, const rule &r, value v);
// The rule for a raw key, or NULL. *hint is where to begin: keys mostly come in the table's order.
const rule *find_rule(const shape &s, const char *raw, size_t *hint);
// The key of a field as find_rule wants it. One with escapes is copied into `plain`; empty if it is
// longer than any key that is looked for. Once per field, and not after find_escaped.
const char *plain_key(context &c, field &f, char (&plain)[key::BYTES * 2]);
// The rule for a key that has escapes in it; NULL for keys without.
const rule *find_escaped(context &c, const shape &s, field &f);
// Reads all fields of an object by its rules, others are skipped; nothing for other types.
void read_object(context &c, value v, const shape &s);
// Writes what `s` means by a missing field into *out.
void set_missing(const shape &s, event *out);

// Calls f(rule, value) for each field of an object that has a rule, until f returns false. False if
// the value is no object.
template <typename F> bool each_field(context &c, value v, const shape &s, F f) {
    object o;
    size_t hint = 0;
    if (!open_object(c, v, &o)) {
        return false;
    }
    members(c, o, [&](field &item) {
        const char *raw = item.key().raw();
        const rule *r = nullptr;
        if (hint < s.count && s.rules[hint].name.is(raw)) { // as it should be: without a call
            r = &s.rules[hint++];
        } else {
            r = find_rule(s, raw, &hint);
            r = r == nullptr ? find_escaped(c, s, item) : r;
        }
        return !c.broken && (r == nullptr || f(*r, item.value()));
    });
    return true;
}

// What decode knows of one kind of event.
struct kind_fields {
    const shape *top; // the fields at the top of the event
    // Hands lists over and turns texts into classes, once all fields are read. False if the event
    // lacks what makes it one. NULL: it always is one.
    bool (*finish)(context &c);
};
extern const kind_fields task_start_fields, task_end_fields, sql_fields, stream_fields;
// Every kind has a row; those without fields, and EVENT_OTHER, say so and write nothing.
const kind_fields &fields_of(event_kind kind);
// The fields that any event may have at the top.
const shape &common_shape();

} // namespace decode
