// decode_wrapper: messages that hold an event in one of their fields, as an object or as JSON in a
// string, and may say beside it whose event it is. Called by decode_top.cpp; one level only, a
// wrapper in a wrapper is no event.
#include "decoder.h"

using namespace decode;

using simdjson::ondemand::json_type;

static const char *const event_keys[] = {"event", "spark-event", "value", "body"};
static const char *const app_keys[] = {"appId", "app_id", "applicationId", "application-id"};

// Stops at the first difference, so it never reads behind the quote that ends the key.
static bool key_is(const char *raw, str key) {
    for (size_t i = 0; i < key.len; i++) {
        if (raw[i] != key.p[i] || raw[i] == '"') {
            return false;
        }
    }
    return raw[key.len] == '"';
}

// 1 for the key that was set or the first of the usual ones, 0 for none.
template <size_t N> static size_t rank_of(const char *raw, str set, const char *const (&usual)[N]) {
    if (set.len > 0) {
        return key_is(raw, set);
    }
    for (size_t i = 0; i < N; i++) {
        if (key_is(raw, str_of(usual[i]))) {
            return i + 1;
        }
    }
    return 0;
}

static bool looks_like_object(std::string_view text) {
    size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{';
}

static void take_nested(context &c, size_t rank, value v, wrapper *w) {
    json_type type;
    object o;
    std::string_view nested;
    if (v.type().get(type)) {
        c.broken = true;
        return;
    }
    if (type == json_type::object) {
        if (v.get_object().get(o) || o.raw_json().get(nested)) {
            c.broken = true;
            return;
        }
    } else if (type != json_type::string || v.get_string().get(nested) ||
               !looks_like_object(nested)) {
        return;
    }
    if (w->nested_rank == 0 || rank < w->nested_rank) {
        w->nested = view(nested);
        w->nested_is_text = type == json_type::string;
        w->nested_rank = rank;
    }
}

bool wrapper_field(decoder *d, const char *raw, value v, wrapper *w) {
    if (key_is(raw, str_of("Event"))) {
        return w->name.p == nullptr && get_text(v, SIZE_MAX, &w->name);
    }
    size_t rank = rank_of(raw, d->event_key, event_keys);
    if (rank > 0) {
        take_nested(d->c, rank, v, w);
    } else if (rank_of(raw, d->app_key, app_keys) > 0) {
        str id = text(v, 256);
        w->app_id = w->app_id.len > 0 ? w->app_id : id;
    } else if (d->attempt_key.len > 0 && key_is(raw, d->attempt_key)) {
        w->attempt = text(v, 32);
    }
    return false;
}

// An object is read where it lies: the padding behind the message is behind it too. A text is
// copied, because it lies in the outer parser's string buffer.
status wrapper_open(decoder *d, wrapper *w, struct err *err) {
    if (w->nested_rank == 0) {
        return decoder_refuse(d, DECODE_NOT_AN_EVENT, err);
    }
    event *out = d->c.out;
    str nested = w->nested_is_text ? decoder_pad(d, w->nested) : w->nested;
    status status = decoder_text(d, d->inner, nested, nested.len + DECODE_PADDING, true, err);
    if (status == ST_OK) {
        out->app_id = out->app_id.len > 0 ? out->app_id : w->app_id;
        out->app_attempt = out->app_attempt.len > 0 ? out->app_attempt : w->attempt;
    }
    return status;
}
