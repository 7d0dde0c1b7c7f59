// decode_text: see the header. How deep a text nests, and the line between what is damaged and what
// never was an event. Must look at each byte a bounded number of times, and must not guess: what
// may be a damaged event is one.
#include "decode_text.h"

extern "C" {
#include "base/check.h"
}

namespace decode {

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

bool is_too_deep(str text, size_t max) {
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

// Behind the quotes and marks of escape at `at`.
static size_t skip_quote(str text, size_t at) {
    while (at < text.len && text.p[at] == '\\') {
        at++;
    }
    return at < text.len && text.p[at] == '"' ? at + 1 : at;
}

// The first place from `at` on where `word` stands as a key of JSON, at any depth of escapes:
// behind the colon, or the end if the text is cut before that. text.len + 1: nowhere.
static size_t find_key(str text, str word, size_t at) {
    for (; at < text.len; at++) {
        const void *found = memmem(text.p + at, text.len - at, word.p, word.len);
        if (found == nullptr) {
            break;
        }
        at = static_cast<size_t>(static_cast<const char *>(found) - text.p);
        size_t end = skip_quote(text, at + word.len);
        size_t colon = skip_blanks(text, end);
        bool quoted = end > at + word.len && text.p[end - 1] == '"';
        if (at > 0 && text.p[at - 1] == '"' &&
            (colon == text.len || (quoted && text.p[colon] == ':'))) {
            return colon == text.len ? text.len : colon + 1;
        }
    }
    return text.len + 1;
}

static bool is_text(str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = static_cast<unsigned char>(text.p[i]);
        if (byte < 0x20 && !is_blank_byte(text.p[i]) && byte != 0x1B) {
            return false;
        }
    }
    return str_is_utf8(text);
}

static bool begins_as_object(str text) {
    size_t at = skip_blanks(text, 0);
    if (at < text.len && text.p[at] == '[') {
        at = skip_blanks(text, at + 1);
    }
    if (at == text.len || text.p[at] != '{') {
        return false;
    }
    at = skip_blanks(text, at + 1);
    return at == text.len || text.p[at] == '"' || text.p[at] == '\\';
}

static decode_error judge_unreadable(str text) {
    static const char *const words[] = {
        "Event",  "Task Info",   "Task Metrics",     "Stage Info",    "Stage ID",     "Job ID",
        "App ID", "Executor ID", "Spark Properties", "sparkPlanInfo", "Accumulables",
    };
    if (!is_text(text) || begins_as_object(text)) {
        return DECODE_MALFORMED;
    }
    for (const char *word : words) {
        if (find_key(text, str_of(word), 0) <= text.len) {
            return DECODE_MALFORMED;
        }
    }
    return DECODE_LOG_LINE;
}

static bool holds_listener_event(str text) {
    static const str starts[] = {{"SparkListener", 13}, {"org.apache.spark.", 17}};
    for (size_t at = 0; at < text.len;) {
        at = find_key(text, STR("Event"), at);
        if (at > text.len) {
            break;
        }
        size_t first = skip_quote(text, skip_blanks(text, at));
        str name = {text.p + first, text.len - first};
        if (str_starts(name, starts[0]) || str_starts(name, starts[1])) {
            return true;
        }
    }
    return false;
}

decode_error judge_text(str text, bool readable, decode_error as) {
    if (!readable) {
        return judge_unreadable(text);
    }
    bool foreign = as == DECODE_LOG_LINE || as == DECODE_NO_EVENT;
    return foreign && holds_listener_event(text) ? DECODE_NOT_AN_EVENT : as;
}

} // namespace decode
