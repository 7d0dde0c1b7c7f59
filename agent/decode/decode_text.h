// decode_text: what can be told of a text without a parser: before one reads it, and when none can.
// Private to the room.
#pragma once

extern "C" {
#include "base/str.h"
}

#include <initializer_list>
#include <strings.h>

#include "decode/decode.h"

namespace decode {

// Whether a text nests deeper than `max`: a parser would skip any depth, but what reads its output
// need not. Called for every message, so the common case must cost next to nothing.
bool is_too_deep(str text, size_t max);

// Whether a text is one of a few words, letters without their case.
inline bool is_one_of(str word, std::initializer_list<const char *> words) {
    for (const char *one : words) {
        if (word.len == strlen(one) && strncasecmp(word.p, one, word.len) == 0) {
            return true;
        }
    }
    return false;
}

inline bool is_blank_byte(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

// The first byte from `at` on that is none of what JSON may have between its words.
inline size_t skip_blanks(str text, size_t at) {
    while (at < text.len && is_blank_byte(text.p[at])) {
        at++;
    }
    return at;
}

// Begins as an object, an array or a string does.
inline bool looks_like_json(str text) {
    size_t first = skip_blanks(text, 0);
    return first < text.len && memchr("{[\"", text.p[first], 3) != nullptr;
}

// Of a text that is no JSON: where an event begins that stands at its end, behind what a log
// shipper wrote before it; text.len if none does.
inline size_t find_event_behind(str text) {
    static const str start = {"{\"Event\":\"", 10};
    const void *found = text.len == 0 ? nullptr : memmem(text.p, text.len, start.p, start.len);
    return found == nullptr ? text.len
                            : static_cast<size_t>(static_cast<const char *>(found) - text.p);
}

// Bytes before the JSON of a message: a byte order mark, and the five bytes that converters with a
// schema registry write before JSON.
inline size_t before_json(str value) {
    static const str mark = {"\xEF\xBB\xBF", 3};
    constexpr size_t FRAME = 5;
    if (str_starts(value, mark)) {
        return mark.len;
    }
    bool framed =
        value.len > FRAME && value.p[0] == 0 && memchr("{[\"", value.p[FRAME], 3) != nullptr;
    return framed ? FRAME : 0;
}

// What a text without an event is. If it is no JSON: DECODE_LOG_LINE if it is text of somebody
// else's, DECODE_MALFORMED if it may be a listener event that was damaged: it has a key that such
// events have, begins as a JSON object does, or is not even text. If it is readable: what it was
// taken for, unless it is somebody else's and yet holds a listener event, where nobody looks.
decode_error judge_text(str text, bool readable, decode_error as);

} // namespace decode
