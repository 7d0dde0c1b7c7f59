// decode: JSON of one message to one struct event, by simdjson's on-demand parser. Called by
// engine, with a decoder of the worker or of `stoker analyze`.
//
// Each kind of event is a table: a key, how its value is read, where in struct event it is kept.
// One walk reads an object by its table, in the order of the text, and a table may name another for
// an object inside. What no table names is skipped without a look. The strings of an event point
// into the message or the parser's buffer, its lists into arrays that grow to their bound once, so
// that nothing is allocated per event.
//
// Always true: a kind writes only its own part of struct event, and a kind without a table writes
// none; what is missing is as model/event.h says; no byte behind the padding is read; no byte of a
// message is trusted, no message stops the process, and what is refused is refused with words that
// hold nothing of it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model/event.h"
#include "stats/idmap.h"

#ifdef __cplusplus
extern "C" {
#endif

// Bytes that must be readable behind a value for it to be parsed in place.
#define DECODE_PADDING 64

struct decode_options {
    size_t max_bytes; // longer messages are refused unread
    bool raw_only;    // a message is an event, or an error: no envelopes, nothing is ignored
    // Where the outermost envelope keeps the event, the application id and the attempt; "" = under
    // one of the usual names (agent/decode/decode_owner.cpp).
    const char *wrapper_event_key, *wrapper_app_key, *wrapper_attempt_key;
    // Properties to keep beside the allow-list, named by the user; one that looks like a secret is
    // not.
    const char *const *more_properties;
    unsigned more_property_count;
};

enum decode_error {
    DECODE_MALFORMED,     // not JSON, cut, not UTF-8
    DECODE_NOT_AN_EVENT,  // JSON, but no object with an "Event"
    DECODE_INVALID_FIELD, // an event without what makes it one: a stage id, a job id, Task Info
    DECODE_TOO_LARGE,
    DECODE_TOO_DEEP,
    // From here on: what never was an event of a listener.
    DECODE_OTHER_CATEGORY, // an envelope that says so: Log, Metrics
    DECODE_LOG_LINE,       // text, alone or in an envelope
    DECODE_NO_EVENT,       // JSON of something else
    DECODE_EMPTY,          // nothing, blanks, null
    DECODE_IGNORED = DECODE_OTHER_CATEGORY,
};

struct decoder;

// The options' strings are borrowed for the decoder's life. Not thread-safe: one decoder a thread.
struct decoder *decoder_new(const struct decode_options *options);
void decoder_free(struct decoder *decoder);

// The value is an event, an event with keys of an envelope's beside its own, or an envelope that
// holds one as an object or as JSON in a string, up to three in each other; JSON in a string alone;
// or text that ends with an event. Whose event it is: what stands around it names the application
// (appId, applicationId, ...) or the event log that it was a line of (file, path, log.file.path,
// ...), the outermost first; only if nothing does, the event's own App ID or its property
// spark.app.id. The attempt comes from where the id does. What is skipped is not validated, a key
// that stands twice is no error.
//
// Decodes one value into *out, whose strings and arrays live until the next call. `readable` is how
// many bytes may be read from value.p; with less than value.len + DECODE_PADDING the value is
// copied first. `wanted`: the SQL accumulators of a task end worth keeping, NULL for all. ST_OK,
// also for types of no interest (EVENT_OTHER); ST_SKIP with words that hold nothing of the message,
// see decoder_last_error.
enum status decoder_decode(struct decoder *decoder, struct str value, size_t readable,
                           const struct idmap *wanted, struct event *out, struct err *err);

// A value may hold an array of envelopes or events: decoder_decode reads the first of them, and as
// long as decoder_more is true, decoder_next the next one, with a result of its own. The value must
// still be there.
bool decoder_more(const struct decoder *decoder);
enum status decoder_next(struct decoder *decoder, const struct idmap *wanted, struct event *out,
                         struct err *err);
// Bytes that the event decoded last took of the value: all of it, or those of its element.
size_t decoder_event_bytes(const struct decoder *decoder);

// Why the last decoder_decode or decoder_next was ST_SKIP.
enum decode_error decoder_last_error(const struct decoder *decoder);

// Appends what is read of each kind of event, told from the tables that read it, a field a line:
// what a producer that sends no more than the agent reads must keep (the listener's slim mode).
void decode_page(struct buf *out);

// The version of the JSON parser (static).
const char *decode_library_version(void);

#ifdef __cplusplus
}
#endif
