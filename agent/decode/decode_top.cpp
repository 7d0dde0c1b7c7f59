// decode_top: the top level of a message: an event whose name comes first, an event whose name
// comes later (read twice), or a wrapper around one (decode_wrapper.cpp).
#include "decoder.h"

extern "C" {
#include "base/check.h"
}

using namespace decode;

using simdjson::ondemand::json_type;

static constexpr size_t DEPTH_MAX = 1024;

static void take_field(context &c, const char *raw, value v, size_t *hint) {
    size_t from = 0;
    const rule *r = find_rule(shape_of(c.out->kind), raw, hint);
    r = r == nullptr ? find_rule(common_shape(), raw, &from) : r;
    if (r != nullptr) {
        apply(c, *r, v);
    }
}

// Reads the fields of an object. The event's own, if its name is known or comes first; otherwise
// the wrapper's, into *w.
static void read_fields(decoder *d, object &o, bool known, wrapper *w) {
    context &c = d->c;
    bool first = true;
    size_t hint = 0;
    for (auto result : o) {
        field f;
        char plain[key::BYTES * 2];
        if (std::move(result).get(f)) {
            c.broken = true;
            return;
        }
        const char *raw = plain_key(c, f, plain);
        if (c.broken) {
            return;
        }
        if (known) {
            take_field(c, raw, f.value(), &hint);
        } else if (wrapper_field(d, raw, f.value(), w) && first) {
            decoder_begin(d, w->name);
            w->begun = known = true;
        }
        first = false;
        if (c.broken) {
            return;
        }
    }
}

static bool parse(decoder *d, simdjson::ondemand::parser &parser, str text, size_t readable,
                  simdjson::ondemand::document *document) {
    if (parser.capacity() < text.len) {
        size_t size = 4096;
        while (size < text.len) {
            size *= 2;
        }
        require(parser.allocate(size) == simdjson::SUCCESS);
    }
    simdjson::error_code error = parser.iterate(text.p, text.len, readable).get(*document);
    require(error != simdjson::MEMALLOC);
    d->c.broken = error != simdjson::SUCCESS;
    return !d->c.broken;
}

static bool at_end(simdjson::ondemand::document &document) {
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

// True if a text that is no object is JSON at all.
static bool is_json(simdjson::ondemand::document &document, json_type type) {
    std::string_view text;
    array elements;
    bool flag;
    switch (type) {
    case json_type::string:
        return !document.get_string().get(text) && at_end(document);
    case json_type::number:
        return !document.get_number().error();
    case json_type::boolean:
        return !document.get_bool().get(flag);
    case json_type::null:
        return !document.is_null().get(flag) && flag;
    default:
        break;
    }
    if (document.get_array().get(elements)) {
        return false;
    }
    for (auto element : elements) {
        if (element.error()) {
            return false;
        }
    }
    return at_end(document);
}

// "Event" came late: once more from the start, which frees the strings read so far.
static bool read_again(decoder *d, simdjson::ondemand::document &document, wrapper *w) {
    object o;
    size_t len = str_cut_utf8(w->name, sizeof d->late_name);
    decoder_begin(d, w->name);
    if (d->c.out->kind == EVENT_OTHER) {
        memcpy(d->late_name, w->name.p, len);
        d->c.out->name = {d->late_name, len};
    }
    document.rewind();
    if (document.get_object().get(o)) {
        return false;
    }
    read_fields(d, o, true, w);
    w->begun = true;
    return !d->c.broken;
}

status decoder_text(decoder *d, simdjson::ondemand::parser &parser, str text, size_t readable,
                    bool inside, struct err *err) {
    simdjson::ondemand::document document;
    json_type type;
    object o;
    wrapper w = {};
    context &c = d->c;
    if (too_deep(text, DEPTH_MAX)) {
        return decoder_refuse(d, DECODE_TOO_DEEP, err);
    }
    if (!parse(d, parser, text, readable, &document) || document.type().get(type)) {
        return decoder_refuse(d, DECODE_MALFORMED, err);
    }
    if (type != json_type::object) {
        bool json = is_json(document, type);
        return decoder_refuse(d, json ? DECODE_NOT_AN_EVENT : DECODE_MALFORMED, err);
    }
    if (document.get_object().get(o)) {
        return decoder_refuse(d, DECODE_MALFORMED, err);
    }
    read_fields(d, o, false, &w);
    if (c.broken || !at_end(document)) {
        return decoder_refuse(d, DECODE_MALFORMED, err);
    }
    if (!w.begun && w.name.p != nullptr && !read_again(d, document, &w)) {
        return decoder_refuse(d, DECODE_MALFORMED, err);
    }
    if (!w.begun) {
        return inside ? decoder_refuse(d, DECODE_NOT_AN_EVENT, err) : wrapper_open(d, &w, err);
    }
    return decoder_finish(c) ? ST_OK : decoder_refuse(d, DECODE_INVALID_FIELD, err);
}
