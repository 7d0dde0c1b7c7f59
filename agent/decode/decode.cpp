// decode: one message to its events: an event whose name comes first, an event whose name comes
// later (read twice), or envelopes around one, each an object, an array or JSON in a string. The
// door of the room, see decode.h; what the fields of each kind are is told by the tables of the
// other files, what envelopes look like by decode_owner. Must never read a byte behind the
// padding, whatever the message says, nor any text more than once a level.
#include "decode_owner.h"
#include "decode_text.h"

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

// The message itself, and three envelopes in each other.
static constexpr unsigned LEVELS = 4;

// What may be an event, inside an envelope.
struct inside {
    str text;
    json_type type;
};

// One text that is read: each level has a parser, because the strings of an envelope must outlive
// the reading of what is inside.
struct level {
    simdjson::ondemand::parser parser;
    char *padded = nullptr; // a copy of what has no padding of its own
    size_t padded_cap = 0;
    inside found[EVENT_ROWS]; // what may be the event, by the row of its key

    ~level() {
        mem_free(padded);
    }
};

// The events of one message, if it has an array of them.
struct batch {
    list<inside> items;
    uint32_t next = 0;
    unsigned depth = 0; // of the items
    owner around;       // what the envelopes around the array say
    size_t room_used = 0;
};

struct decoder {
    level levels[LEVELS];
    context c;
    owner who;
    struct batch batch;
    size_t max_bytes = 0;
    size_t event_bytes = 0; // of the message, that the event decoded last took
    bool raw_only = false;
    bool unreadable = false; // the text at hand is no JSON
    named_keys named = {};   // of the message itself
    decode_error error = DECODE_MALFORMED;
    char late_name[256] = {};
    event missing[EVENT_KIND_COUNT] = {}; // each kind before any field is read
};

// What one object held besides an event's fields.
struct envelope {
    str name;       // the text of "Event", NULL if there was none
    bool begun;     // the event's fields were read
    bool bad_name;  // "Event" is there and can be no name
    bool log_text;  // where an event may be stands other text
    str category;   // "" if there was none
    uint32_t found; // a bit for each of level.found
};
static_assert(EVENT_ROWS <= 32, "a bit for each");

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
    d->raw_only = options->raw_only;
    d->named = {str_of(options->wrapper_event_key), str_of(options->wrapper_app_key),
                str_of(options->wrapper_attempt_key)};
    d->c.more_properties = options->more_properties;
    d->c.more_property_count = options->more_property_count;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        init_missing(&d->missing[kind], static_cast<event_kind>(kind));
    }
    return d;
}

extern "C" void decoder_free(struct decoder *decoder) {
    delete decoder;
}

// A copy of `text` with DECODE_PADDING bytes behind it, for the life of the level's reading.
static str pad(level &l, str text) {
    if (l.padded_cap < text.len + DECODE_PADDING) {
        l.padded_cap = (text.len + DECODE_PADDING) * 2;
        mem_free(l.padded);
        l.padded = static_cast<char *>(mem_alloc(l.padded_cap));
    }
    if (text.len > 0) {
        memcpy(l.padded, text.p, text.len);
    }
    memset(l.padded + text.len, 0, DECODE_PADDING);
    return {l.padded, text.len};
}

static status refuse(decoder *d, decode_error error, struct err *err) {
    static const char *const words[] = {
        "not valid JSON",
        "not an event: no \"Event\" in it",
        "the event lacks the id that says what it is about",
        "larger than input.max_message_bytes",
        "nested too deeply",
        "a record of another category than EventLog",
        "a line of a log, no event",
        "JSON of something else: no event",
        "nothing in it",
    };
    if (d->raw_only && error >= DECODE_IGNORED) {
        error = error == DECODE_NO_EVENT ? DECODE_NOT_AN_EVENT : DECODE_MALFORMED;
    }
    d->error = error;
    return err_set(err, ST_SKIP, "%s", words[error]);
}

static status unreadable(decoder *d, struct err *err) {
    d->unreadable = true;
    return refuse(d, DECODE_MALFORMED, err);
}

// Nothing of an event was read yet, or nothing of what was read counts.
static void forget_event(context *c, const event *missing) {
    memcpy(c->out, &missing[EVENT_OTHER], sizeof *c->out);
    c->has_info = false;
    c->app_id_rank = c->attempt_rank = RANK_NONE;
    memset(c->words, 0, sizeof c->words);
    c->properties.len = c->accums.len = c->nodes.len = c->metrics.len = 0;
}

// A kind that stands for events of several names.
static bool has_many_names(event_kind kind) {
    return kind == EVENT_OTHER || kind == EVENT_THRIFT_SERVER || kind == EVENT_CONNECT;
}

// An event of that name begins.
static void begin(decoder *d, str name) {
    context &c = d->c;
    event_kind kind = event_kind_of(name);
    memcpy(c.out, &d->missing[kind], sizeof *c.out);
    c.fields = &fields_of(kind);
    if (has_many_names(kind)) {
        c.out->name = {name.p, str_cut_utf8(name, 256)};
    }
}

// Takes what may be an event: an object where it lies, a string unescaped, an array of them if that
// may be. False for anything else.
static bool take_inside(context &c, value v, bool many, inside *out) {
    object o;
    array a;
    std::string_view text;
    simdjson::error_code error = v.type().get(out->type);
    if (!error && out->type == json_type::object) {
        error = v.get_object().get(o);
        error = error ? error : o.raw_json().get(text);
    } else if (!error && out->type == json_type::array && many) {
        error = v.get_array().get(a);
        error = error ? error : a.raw_json().get(text);
    } else if (!error && out->type == json_type::string) {
        error = v.get_string().get(text);
    } else if (!error) {
        return false;
    }
    c.broken = c.broken || error;
    out->text = view(text);
    return !error;
}

// Of text that is no JSON what may be an event is at its end.
static bool cut_to_event(inside *what) {
    if (what->type == json_type::string && !looks_like_json(what->text)) {
        size_t at = find_event_behind(what->text);
        what->text = {what->text.p + at, what->text.len - at};
    }
    return what->text.len > 0;
}

static void take_candidate(decoder *d, unsigned depth, uint8_t roles, size_t row, value v,
                           envelope *e) {
    inside found;
    if (!take_inside(d->c, v, (roles & ROLE_MANY) != 0, &found)) {
        return;
    }
    if (!cut_to_event(&found)) {
        e->log_text = true;
    } else if ((e->found >> row & 1) == 0) {
        e->found |= UINT32_C(1) << row;
        d->levels[depth].found[row] = found;
    }
}

// Takes a field of what may be an envelope. True if it is "Event" and a text.
static bool envelope_field(decoder *d, unsigned depth, const char *raw, value v, envelope *e) {
    size_t row;
    uint8_t roles = envelope_roles(depth == 0 ? &d->named : nullptr, raw, &row);
    if (key_is(raw, str_of("Event"))) {
        std::string_view name;
        json_type type;
        if (e->name.p == nullptr && !v.get_string().get(name)) {
            e->name = view(name);
            return true;
        }
        e->bad_name = e->bad_name || v.type().get(type) || type != json_type::object;
    }
    if ((roles & ROLE_CATEGORY) != 0) {
        e->category = e->category.len == 0 ? word(v, 64) : e->category;
    } else if ((roles & OWNER_ROLES) != 0) {
        owner_note(&d->who, d->c, roles, v);
    }
    if (!d->c.broken && (roles & ROLE_EVENT) != 0) {
        take_candidate(d, depth, roles, row, v, e);
    }
    return false;
}

// Takes a field of an event.
static void take_field(decoder *d, unsigned depth, const char *raw, value v, size_t *hint) {
    context &c = d->c;
    size_t from = 0, row;
    const rule *r = find_rule(*c.fields->top, raw, hint);
    r = r == nullptr ? find_rule(common_shape(), raw, &from) : r;
    if (r != nullptr) {
        apply(c, *r, v);
        return;
    }
    uint8_t roles = envelope_roles(nullptr, raw, &row);
    if (depth == 0 && (d->named.app.len > 0 || d->named.attempt.len > 0)) {
        roles |= envelope_roles(&d->named, raw, &row);
    }
    if ((roles & OWNER_ROLES) != 0) {
        owner_note(&d->who, c, roles, v);
    }
}

// Reads the fields of an object. The event's own, if its name is known or comes first; otherwise
// the envelope's, into *e.
static void read_fields(decoder *d, unsigned depth, object &o, bool known, envelope *e) {
    context &c = d->c;
    bool first = true;
    size_t hint = 0;
    members(c, o, [&](field &f) {
        char plain[key::BYTES * 2];
        const char *raw = plain_key(c, f, plain);
        if (c.broken) {
            return false;
        }
        if (known) {
            take_field(d, depth, raw, f.value(), &hint);
        } else if (envelope_field(d, depth, raw, f.value(), e) && first) {
            begin(d, e->name);
            e->begun = known = true;
        }
        first = false;
        return true;
    });
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

// "Event" came late: once more from the start, which frees the strings read so far.
static bool read_again(decoder *d, unsigned depth, simdjson::ondemand::document &document,
                       envelope *e) {
    object o;
    size_t len = str_cut_utf8(e->name, sizeof d->late_name);
    begin(d, e->name);
    if (has_many_names(d->c.out->kind)) {
        memcpy(d->late_name, e->name.p, len);
        d->c.out->name = {d->late_name, len};
    }
    document.rewind();
    if (document.get_object().get(o)) {
        return false;
    }
    read_fields(d, depth, o, true, e);
    e->begun = true;
    return !d->c.broken;
}

static status read_text(decoder *d, unsigned depth, str text, size_t readable, struct err *err);

static status read_inside(decoder *d, unsigned depth, const inside &what, struct err *err) {
    if (depth == LEVELS) {
        return refuse(d, DECODE_NO_EVENT, err);
    }
    forget_event(&d->c, d->missing);
    // An object is read where it lies: the padding behind the message is behind it too.
    bool text = what.type == json_type::string;
    str where = text ? pad(d->levels[depth], what.text) : what.text;
    return read_text(d, depth, where, where.len + DECODE_PADDING, err);
}

// What holds an event, in the order of the table; if nothing does, the worst is told.
static status open_envelope(decoder *d, unsigned depth, const envelope &e, struct err *err) {
    decode_error worst = e.bad_name   ? DECODE_NOT_AN_EVENT
                         : e.log_text ? DECODE_LOG_LINE
                                      : DECODE_NO_EVENT;
    if (is_one_of(e.category, {"Log", "DriverLog", "ExecutorLog", "Metrics"})) {
        return refuse(d, DECODE_OTHER_CATEGORY, err);
    }
    const owner around = d->who;
    for (size_t row = 0; row < EVENT_ROWS; row++) {
        if ((e.found >> row & 1) == 0) {
            continue;
        }
        status status = read_inside(d, depth + 1, d->levels[depth].found[row], err);
        if (status == ST_OK || d->batch.items.len > 0) {
            return status;
        }
        d->who = around; // what stands beside no event is nobody's
        worst = d->error < worst ? d->error : worst;
    }
    if (worst >= DECODE_IGNORED && e.category.len > 0) {
        worst = is_one_of(e.category, {"EventLog"}) ? DECODE_NOT_AN_EVENT : DECODE_OTHER_CATEGORY;
    }
    return refuse(d, worst, err);
}

static status read_object(decoder *d, unsigned depth, simdjson::ondemand::document &document,
                          struct err *err) {
    context &c = d->c;
    envelope e = {};
    object o;
    owner around = d->who;
    if (document.get_object().get(o)) {
        return unreadable(d, err);
    }
    read_fields(d, depth, o, false, &e);
    if (c.broken || !at_end(document)) {
        return unreadable(d, err);
    }
    if (!e.begun && e.name.p != nullptr) {
        d->who = around;
        if (!read_again(d, depth, document, &e)) {
            return unreadable(d, err);
        }
    }
    if (!e.begun) {
        return d->raw_only ? refuse(d, DECODE_NOT_AN_EVENT, err) : open_envelope(d, depth, e, err);
    }
    bool whole = c.fields->finish == nullptr || c.fields->finish(c);
    owner_settle(&d->who, c.out);
    return whole ? ST_OK : refuse(d, DECODE_INVALID_FIELD, err);
}

// What seems to be somebody else's may hold an event where none is looked for.
static status look_twice(decoder *d, str text, status status, struct err *err) {
    return status == ST_OK ? ST_OK : refuse(d, judge_text(text, true, d->error), err);
}

static status read_next(decoder *d, struct err *err) {
    const inside &item = d->batch.items.items[d->batch.next++];
    d->event_bytes = item.text.len;
    return look_twice(d, item.text, read_inside(d, d->batch.depth, item, err), err);
}

// Several in one message, all known before the first is read.
static status read_array(decoder *d, unsigned depth, simdjson::ondemand::document &document,
                         struct err *err) {
    context &c = d->c;
    array elements;
    bool first = d->batch.items.len == 0 && !d->raw_only;
    if (document.get_array().get(elements)) {
        return unreadable(d, err);
    }
    for (auto element : elements) {
        value v;
        inside found;
        c.broken = std::move(element).get(v) != simdjson::SUCCESS;
        bool any = !c.broken && take_inside(c, v, true, &found) && cut_to_event(&found);
        if (c.broken) {
            break;
        }
        if (first && any) {
            d->batch.items.push(found);
        }
    }
    if (!at_end(document) || c.broken) {
        d->batch.items.len = first ? 0 : d->batch.items.len;
        return unreadable(d, err);
    }
    if (!first || d->batch.items.len == 0) {
        return refuse(d, DECODE_NO_EVENT, err);
    }
    d->batch.next = 0;
    d->batch.depth = depth + 1;
    d->batch.around = d->who;
    d->batch.room_used = c.room_used;
    return read_next(d, err);
}

// A lone string may be JSON of its own: a converter wrote it so.
static status read_scalar(decoder *d, unsigned depth, simdjson::ondemand::document &document,
                          json_type type, struct err *err) {
    std::string_view text;
    bool flag;
    switch (type) {
    case json_type::string:
        if (document.get_string().get(text) || !at_end(document)) {
            return unreadable(d, err);
        }
        return d->raw_only ? refuse(d, DECODE_NO_EVENT, err)
                           : read_inside(d, depth + 1, {view(text), type}, err);
    case json_type::number:
        flag = !document.get_number().error();
        return flag ? refuse(d, DECODE_NO_EVENT, err) : unreadable(d, err);
    case json_type::boolean:
        flag = !document.get_bool().error();
        return flag ? refuse(d, DECODE_NO_EVENT, err) : unreadable(d, err);
    default:
        if (document.is_null().get(flag) || !flag) {
            return unreadable(d, err);
        }
        return refuse(d, d->raw_only ? DECODE_NO_EVENT : DECODE_EMPTY, err);
    }
}

static status read_json(decoder *d, unsigned depth, str text, size_t readable, struct err *err) {
    simdjson::ondemand::document document;
    json_type type;
    if (is_too_deep(text, DEPTH_MAX)) {
        return refuse(d, DECODE_TOO_DEEP, err);
    }
    if (!parse(d, d->levels[depth].parser, text, readable, &document) ||
        document.type().get(type)) {
        return unreadable(d, err);
    }
    return type == json_type::object  ? read_object(d, depth, document, err)
           : type == json_type::array ? read_array(d, depth, document, err)
                                      : read_scalar(d, depth, document, type, err);
}

// Reads one text: the message, or what is inside an envelope.
static status read_text(decoder *d, unsigned depth, str text, size_t readable, struct err *err) {
    d->unreadable = false;
    status status = read_json(d, depth, text, readable, err);
    if (!d->unreadable || d->raw_only) {
        return status;
    }
    size_t at = looks_like_json(text) ? 0 : find_event_behind(text);
    if (at > 0 && at < text.len) {
        d->unreadable = false;
        status = read_json(d, depth, {text.p + at, text.len - at}, readable - at, err);
    }
    if (d->unreadable) {
        d->unreadable = false;
        status = refuse(d, judge_text(text, false, d->error), err);
    }
    return status;
}

static void reset(decoder *d, const idmap *wanted, event *out) {
    context &c = d->c;
    c.out = out;
    c.wanted = wanted;
    c.broken = false;
    forget_event(&c, d->missing);
}

// One huge message must not leave its memory behind for the life of the decoder.
static void shrink(decoder *d, size_t next_bytes) {
    if (next_bytes > KEEP_BYTES) {
        return;
    }
    for (level &l : d->levels) {
        if (l.parser.capacity() > KEEP_BYTES) {
            l.parser = simdjson::ondemand::parser{};
        }
        if (l.padded_cap > 2 * (KEEP_BYTES + DECODE_PADDING)) {
            mem_free(l.padded);
            l.padded = nullptr;
            l.padded_cap = 0;
        }
    }
}

extern "C" enum status decoder_decode(struct decoder *d, struct str value, size_t readable,
                                      const struct idmap *wanted, struct event *out,
                                      struct err *err) {
    require(value.p != nullptr || value.len == 0);
    d->who = {};
    d->batch.items.len = d->batch.next = 0;
    d->c.room_used = 0;
    d->event_bytes = value.len;
    reset(d, wanted, out);
    if (value.len > d->max_bytes) {
        return refuse(d, DECODE_TOO_LARGE, err);
    }
    shrink(d, value.len);
    if (readable < value.len + DECODE_PADDING) {
        value = pad(d->levels[0], value);
        readable = value.len + DECODE_PADDING;
    }
    size_t at = d->raw_only ? 0 : before_json(value);
    str text = {value.p + at, value.len - at};
    status status = skip_blanks(text, 0) == text.len ? refuse(d, DECODE_EMPTY, err)
                                                     : read_text(d, 0, text, readable - at, err);
    // The elements of a batch are looked at each alone: what one is says nothing of the next.
    return d->batch.items.len > 0 ? status : look_twice(d, text, status, err);
}

extern "C" bool decoder_more(const struct decoder *d) {
    return d->batch.next < d->batch.items.len;
}

extern "C" enum status decoder_next(struct decoder *d, const struct idmap *wanted,
                                    struct event *out, struct err *err) {
    require(decoder_more(d));
    d->who = d->batch.around;
    d->c.room_used = d->batch.room_used;
    reset(d, wanted, out);
    return read_next(d, err);
}

extern "C" size_t decoder_event_bytes(const struct decoder *d) {
    return d->event_bytes;
}

extern "C" enum decode_error decoder_last_error(const struct decoder *decoder) {
    return decoder->error;
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

extern "C" const char *decode_library_version(void) {
    return TEXT(SIMDJSON_VERSION);
}
