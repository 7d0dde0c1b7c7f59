// decode: one message to one event: an event whose name comes first, an event whose name comes
// later (read twice), or a wrapper that holds one in a field, as an object or as JSON in a string.
// The door of the room, see decode.h; what the fields of each kind are is told by the tables of the
// other files. Must never read a byte behind the padding, whatever the message says.
#include "decode_shape.h"

#include <cstdlib>
#include <new>

extern "C" {
#include "base/check.h"
}

using namespace decode;

using simdjson::ondemand::json_type;

static constexpr size_t DEPTH_MAX = 1024;
// A parser that had to grow beyond this for one message is given up for a new one.
static constexpr size_t KEEP_BYTES = 4 << 20;
static_assert(DECODE_PADDING >= simdjson::SIMDJSON_PADDING,
              "too little is readable behind a value");
static_assert(DECODE_PADDING >= key::BYTES, "keys are compared beyond their end");

struct decoder {
    // Two, because a wrapper's texts must outlive the reading of the event inside.
    simdjson::ondemand::parser outer, inner;
    context c;
    size_t max_bytes = 0;
    str event_key = {}, app_key = {}, attempt_key = {};
    decode_error error = DECODE_MALFORMED;
    char *padded = nullptr; // a copy of what has no padding of its own
    size_t padded_cap = 0;
    char late_name[256] = {};
    event missing[EVENT_KIND_COUNT] = {}; // each kind before any field is read
};

// What the top level of a message held besides an event's fields.
struct wrapper {
    str name;   // the text of "Event", NULL if there was none
    bool begun; // the event's fields were read
    str nested; // the event inside, as JSON
    bool nested_is_text;
    size_t nested_rank; // by which key it was found, 0 = not at all, 1 = the best
    str app_id, attempt;
};

// Each kind before any field is read: all missing.
static void init_missing(event *out, event_kind kind) {
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->name = str_of(event_kind_name(kind));
    out->app_id = out->app_attempt = out->version = {"", 0};
    set_missing(*fields_of(kind).top, out);
}

extern "C" struct decoder *decoder_new(const struct decode_options *options) {
    decoder *d = new (std::nothrow) decoder();
    require(d != nullptr);
    d->max_bytes = options->max_bytes;
    d->event_key = str_of(options->wrapper_event_key);
    d->app_key = str_of(options->wrapper_app_key);
    d->attempt_key = str_of(options->wrapper_attempt_key);
    d->c.more_properties = options->more_properties;
    d->c.more_property_count = options->more_property_count;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        init_missing(&d->missing[kind], static_cast<event_kind>(kind));
    }
    return d;
}

extern "C" void decoder_free(struct decoder *decoder) {
    if (decoder != nullptr) {
        mem_free(decoder->padded);
        delete decoder;
    }
}

// Opening brackets, those in strings included. The inner loop is one the compiler vectorises.
static size_t count_openers(str text) {
    constexpr size_t BLOCK = 128;
    size_t count = 0, i = 0;
    for (; i + BLOCK <= text.len; i += BLOCK) {
        uint8_t some = 0;
        for (size_t j = 0; j < BLOCK; j++) {
            some = static_cast<uint8_t>(some + ((text.p[i + j] | 0x20) == '{'));
        }
        count += some;
    }
    for (; i < text.len; i++) {
        count += (text.p[i] | 0x20) == '{';
    }
    return count;
}

// The index behind the string that opens before `i`.
static size_t skip_string(str text, size_t i) {
    while (i < text.len && text.p[i] != '"') {
        i += text.p[i] == '\\' ? 2 : 1;
    }
    return i + 1;
}

// Whether a text nests deeper than `max`, told before it is parsed: the parser would skip any
// depth, but what reads its output need not. Called for every message, so the common case must cost
// next to nothing.
static bool too_deep(str text, size_t max) {
    size_t depth = 0;
    if (text.len <= 2 * max || count_openers(text) <= max) {
        return false;
    }
    for (size_t i = 0; i < text.len;) {
        char byte = text.p[i++];
        if (byte == '"') {
            i = skip_string(text, i);
        } else if (byte == '{' || byte == '[') {
            if (++depth > max) {
                return true;
            }
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

// A copy of `text` with DECODE_PADDING bytes behind it; frees the copy made before.
static str pad(decoder *d, str text) {
    if (d->padded_cap < text.len + DECODE_PADDING) {
        d->padded_cap = (text.len + DECODE_PADDING) * 2;
        mem_free(d->padded);
        d->padded = static_cast<char *>(mem_alloc(d->padded_cap));
    }
    if (text.len > 0) {
        memcpy(d->padded, text.p, text.len);
    }
    memset(d->padded + text.len, 0, DECODE_PADDING);
    return {d->padded, text.len};
}

static status refuse(decoder *d, decode_error error, struct err *err) {
    static const char *const words[] = {
        "not valid JSON",
        "not an event: no \"Event\" in it",
        "the event lacks the id that says what it is about",
        "larger than input.max_message_bytes",
        "nested too deeply",
    };
    d->error = error;
    return err_set(err, ST_SKIP, "%s", words[error]);
}

// An event of that name begins.
static void begin(decoder *d, str name) {
    context &c = d->c;
    event_kind kind = event_kind_of(name);
    memcpy(c.out, &d->missing[kind], sizeof *c.out);
    c.fields = &fields_of(kind);
    if (kind == EVENT_OTHER) {
        c.out->name = {name.p, str_cut_utf8(name, 256)};
    }
}

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

// Takes a field of what may be a wrapper. True if it is "Event" and a text.
static bool wrapper_field(decoder *d, const char *raw, value v, wrapper *w) {
    if (key_is(raw, str_of("Event"))) {
        std::string_view name;
        bool first = w->name.p == nullptr && !v.get_string().get(name);
        w->name = first ? view(name) : w->name;
        return first;
    }
    size_t rank = rank_of(raw, d->event_key, event_keys);
    if (rank > 0) {
        take_nested(d->c, rank, v, w);
    } else if (rank_of(raw, d->app_key, app_keys) > 0) {
        str id = name(d->c, v, 256);
        w->app_id = w->app_id.len > 0 ? w->app_id : id;
    } else if (d->attempt_key.len > 0 && key_is(raw, d->attempt_key)) {
        w->attempt = name(d->c, v, 32);
    }
    return false;
}

static void take_field(context &c, const char *raw, value v, size_t *hint) {
    size_t from = 0;
    const rule *r = find_rule(*c.fields->top, raw, hint);
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
            begin(d, w->name);
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
    begin(d, w->name);
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

static status open_wrapper(decoder *d, wrapper *w, struct err *err);

// Reads one JSON text, `inside` a wrapper or not.
static status read_text(decoder *d, simdjson::ondemand::parser &parser, str text, size_t readable,
                        bool inside, struct err *err) {
    simdjson::ondemand::document document;
    json_type type;
    object o;
    wrapper w = {};
    context &c = d->c;
    if (too_deep(text, DEPTH_MAX)) {
        return refuse(d, DECODE_TOO_DEEP, err);
    }
    if (!parse(d, parser, text, readable, &document) || document.type().get(type)) {
        return refuse(d, DECODE_MALFORMED, err);
    }
    if (type != json_type::object) {
        bool json = is_json(document, type);
        return refuse(d, json ? DECODE_NOT_AN_EVENT : DECODE_MALFORMED, err);
    }
    if (document.get_object().get(o)) {
        return refuse(d, DECODE_MALFORMED, err);
    }
    read_fields(d, o, false, &w);
    if (c.broken || !at_end(document)) {
        return refuse(d, DECODE_MALFORMED, err);
    }
    if (!w.begun && w.name.p != nullptr && !read_again(d, document, &w)) {
        return refuse(d, DECODE_MALFORMED, err);
    }
    if (!w.begun) {
        return inside ? refuse(d, DECODE_NOT_AN_EVENT, err) : open_wrapper(d, &w, err);
    }
    bool whole = c.fields->finish == nullptr || c.fields->finish(c);
    return whole ? ST_OK : refuse(d, DECODE_INVALID_FIELD, err);
}

// An object is read where it lies: the padding behind the message is behind it too. A text is
// copied, because it lies in the outer parser's string buffer.
static status open_wrapper(decoder *d, wrapper *w, struct err *err) {
    if (w->nested_rank == 0) {
        return refuse(d, DECODE_NOT_AN_EVENT, err);
    }
    event *out = d->c.out;
    str nested = w->nested_is_text ? pad(d, w->nested) : w->nested;
    status status = read_text(d, d->inner, nested, nested.len + DECODE_PADDING, true, err);
    if (status == ST_OK) {
        out->app_id = out->app_id.len > 0 ? out->app_id : w->app_id;
        out->app_attempt = out->app_attempt.len > 0 ? out->app_attempt : w->attempt;
    }
    return status;
}

static void reset(decoder *d, const idmap *wanted, event *out) {
    context &c = d->c;
    memcpy(out, &d->missing[EVENT_OTHER], sizeof *out);
    c.out = out;
    c.wanted = wanted;
    c.broken = c.has_info = false;
    c.app_id_rank = c.attempt_rank = RANK_NONE;
    c.room_used = 0;
    memset(c.words, 0, sizeof c.words);
    c.properties.len = c.ids.len = c.accums.len = c.nodes.len = c.metrics.len = 0;
}

// One huge message must not leave its memory behind for the life of the decoder.
static void shrink(decoder *d, size_t next_bytes) {
    if (next_bytes > KEEP_BYTES) {
        return;
    }
    if (d->outer.capacity() > KEEP_BYTES) {
        d->outer = simdjson::ondemand::parser{};
    }
    if (d->inner.capacity() > KEEP_BYTES) {
        d->inner = simdjson::ondemand::parser{};
    }
    if (d->padded_cap > 2 * (KEEP_BYTES + DECODE_PADDING)) {
        mem_free(d->padded);
        d->padded = nullptr;
        d->padded_cap = 0;
    }
}

extern "C" enum status decoder_decode(struct decoder *d, struct str value, size_t readable,
                                      const struct idmap *wanted, struct event *out,
                                      struct err *err) {
    require(value.p != nullptr || value.len == 0);
    reset(d, wanted, out);
    if (value.len > d->max_bytes) {
        return refuse(d, DECODE_TOO_LARGE, err);
    }
    shrink(d, value.len);
    if (readable < value.len + DECODE_PADDING) {
        value = pad(d, value);
        readable = value.len + DECODE_PADDING;
    }
    return read_text(d, d->outer, value, readable, false, err);
}

extern "C" enum decode_error decoder_last_error(const struct decoder *decoder) {
    return decoder->error;
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

extern "C" const char *decode_library_version(void) {
    return TEXT(SIMDJSON_VERSION);
}
