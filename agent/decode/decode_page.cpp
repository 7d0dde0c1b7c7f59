// decode_page: what decode reads of each kind of event, as text: one field a line, indented by the
// object that it stands in. Told from the tables by which events are read, so it cannot be another
// list. Called for the listener's table of what slim mode keeps; never touches an event.
#include "decode_shape.h"

extern "C" {
#include "base/buf.h"
}

namespace decode {

static void add_name(struct buf *out, const key &name) {
    const char *text = reinterpret_cast<const char *>(name.word);
    for (size_t i = 0; i < key::BYTES && text[i] != '"'; i++) {
        buf_add_char(out, text[i]);
    }
}

static const shape *inside(const rule &r) {
    return r.inner != nullptr ? r.inner : r.each;
}

static bool is_text(const rule &r) {
    return r.what == as::text || r.what == as::name || r.what == as::word ||
           (r.what == as::call && r.limit > 0);
}

// How a field is to be kept: value (a number, true, false), text:MOST BYTES, ends:MOST BYTES (the
// beginning and the end of a text), causes:MOST BYTES (of a stack trace), stream (the lines of a
// text that name a query and its run), only:TEXT, object, list, set, tree, properties.
static void add_kind(struct buf *out, const rule &r) {
    static const char *const forms[] = {"object",     "list", "set",    "tree",
                                        "properties", "ends", "causes", "stream"};
    if (r.holds == form::ends || r.holds == form::causes) {
        buf_printf(out, "%s:%u", forms[static_cast<size_t>(r.holds)], r.limit);
    } else if (r.only != nullptr) {
        buf_printf(out, "only:%s", r.only);
    } else if (inside(r) != nullptr || r.holds != form::one) {
        buf_add_text(out, forms[static_cast<size_t>(r.holds)]);
    } else if (is_text(r)) {
        buf_printf(out, "text:%u", r.limit);
    } else {
        buf_add_text(out, "value");
    }
}

static void add_fields(struct buf *out, const shape &s, unsigned depth) {
    for (size_t i = 0; i < s.count; i++) {
        const rule &r = s.rules[i];
        if (r.what == as::skip || r.stays) {
            continue;
        }
        for (unsigned d = 0; d < depth; d++) {
            buf_add_char(out, ' ');
        }
        add_kind(out, r);
        buf_add_char(out, ' ');
        add_name(out, r.name);
        buf_add_char(out, '\n');
        if (inside(r) != nullptr) {
            add_fields(out, *inside(r), depth + 1);
        }
    }
}

} // namespace decode

using namespace decode;

extern "C" void decode_page(struct buf *out) {
    buf_add_text(out, "every\n");
    add_fields(out, common_shape(), 1);
    for (int kind = EVENT_OTHER + 1; kind < EVENT_KIND_COUNT; kind++) {
        const shape *top = fields_of(static_cast<event_kind>(kind)).top;
        buf_printf(out, "event %s\n", event_kind_name(static_cast<event_kind>(kind)));
        if (top->rules != common_shape().rules) {
            add_fields(out, *top, 1);
        }
    }
}
