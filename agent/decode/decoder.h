// decoder: the decoder's insides, and how its files hand a message on: decode_simd.cpp (the door)
// to decode_top.cpp, from there to decode_wrapper.cpp and back, decode_finish.cpp at the end.
// Private to the room.
#pragma once

#include "decode_simd.h"

struct decoder {
    // Two, because a wrapper's texts must outlive the reading of the event inside.
    simdjson::ondemand::parser outer, inner;
    decode::context c;
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

// A copy of `text` with DECODE_PADDING bytes behind it; frees the copy made before.
str decoder_pad(decoder *d, str text);
status decoder_refuse(decoder *d, decode_error error, struct err *err);
// Reads one JSON text, `inside` a wrapper or not.
status decoder_text(decoder *d, simdjson::ondemand::parser &parser, str text, size_t readable,
                    bool inside, struct err *err);
void decoder_init_missing(event *out, event_kind kind);
// An event of that name begins.
void decoder_begin(decoder *d, str name);
// False if the event lacks what makes it one.
bool decoder_finish(decode::context &c);
// Takes a field of what may be a wrapper. True if it is "Event" and a text.
bool wrapper_field(decoder *d, const char *raw, decode::value v, wrapper *w);
// Reads the event inside.
status wrapper_open(decoder *d, wrapper *w, struct err *err);
