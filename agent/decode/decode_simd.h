// decode_simd: what the C++ files of decode share: tolerant getters over simdjson's on-demand
// values and the arrays that events point into. Private to the room; no exception is ever thrown.
#pragma once

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

extern "C" {
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/event.h"
#include "stats/idmap.h"
}

#include <string_view>
#include <vector>

#include "decode/decode.h"

namespace decode {

using simdjson::ondemand::array;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

// Set when a structural error was met: the text is not JSON after all.
struct context {
    bool broken = false;
    std::vector<event_property> properties;
    std::vector<int32_t> ints, parents;
    std::vector<event_accum> accums;
    std::vector<event_plan_node> nodes;
    std::vector<event_plan_metric> metrics;
    const idmap *wanted = nullptr;
    event *out = nullptr;
    bool essential = false; // what makes the event one was there
};

inline str view(std::string_view s) {
    return {s.data(), s.size()};
}

// The text of a string value; empty for anything else.
str text(value v);
// Cut to `max` bytes between characters.
str text(value v, size_t max);
// An integer, an integer in a string or a truncated float; `missing` for anything else.
int64_t integer(value v, int64_t missing);
// The same, negative counts as 0.
int64_t metric(value v);
int32_t id(value v);
double real(value v);
bool boolean(value v);

// Calls f(key, value) for each field of an object value; does nothing for other types.
template <typename F> void fields(context &c, value v, F f) {
    object o;
    if (v.get_object().get(o)) {
        return;
    }
    for (auto field : o) {
        std::string_view key;
        value inner;
        if (field.error() || field.unescaped_key().get(key) || field.value().get(inner)) {
            c.broken = true;
            return;
        }
        f(key, inner);
    }
}

template <typename F> void items(context &c, value v, F f) {
    array a;
    if (v.get_array().get(a)) {
        return;
    }
    for (auto item : a) {
        value inner;
        if (item.get(inner)) {
            c.broken = true;
            return;
        }
        f(inner);
    }
}

// One field of a top-level event; each knows its own keys and ignores the rest.
void task_field(context &c, std::string_view key, value v);
void stage_field(context &c, std::string_view key, value v);
void job_field(context &c, std::string_view key, value v);
void sql_field(context &c, std::string_view key, value v);
void world_field(context &c, std::string_view key, value v);
void properties(context &c, value v);

inline void see_time(context &c, int64_t ms) {
    if (ms > c.out->time_ms) {
        c.out->time_ms = ms;
    }
    if (ms > 0 && (c.out->first_ms == 0 || ms < c.out->first_ms)) {
        c.out->first_ms = ms;
    }
}

} // namespace decode
