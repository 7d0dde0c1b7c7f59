// scrub: takes secrets out of text of other people's programs: an error that quotes a connection
// string, a stage called after a URL. What is hidden is replaced by SCRUB_MARK, the key before it
// stays, so that the text is of use. Every text of a message that is kept or leaves goes through
// here where it is taken out of the message (decode), read back (keep, avro) or logged, and again
// wherever it is cut shorter.
//
// Known are: passwords in URLs of any kind, keys that name a secret with their values (k=v, k: v,
// JSON, XML, flags, percent-encoded, quoted), what goes with Authorization, Bearer and Basic, the
// shapes of tokens of many services, PEM blocks, long words without any order in them. A text that
// was cut before it came here is looked at as such. What is no secret stays byte for byte: ids,
// UUIDs, hashes, paths, names of classes.
//
// Always true: time linear in the text (one that was made to take more is hidden from there on);
// scrubbed text scrubbed again is the same text; well-formed UTF-8 stays so, a NUL becomes '?'; no
// memory is taken unless something is hidden, and by scrub_add.
#pragma once

#include "base/buf.h"
#include "base/str.h"

#define SCRUB_MARK "[hidden]"
// The longest text that scrub_cut and scrub_copy give, with a NUL.
enum { SCRUB_COPY_MAX = 1024 };

// True if nothing of the text would be hidden.
bool scrub_is_clean(struct str text);
// At most `max` bytes of the text (less than SCRUB_COPY_MAX), scrubbed first and cut then, so that
// no part of a secret is left at the end; no mark is cut either. A view of the text if nothing had
// to be hidden, else of `room`, which has `max` bytes. Of a longer text the first 4 KiB are looked
// at.
struct str scrub_cut(struct str text, size_t max, char *room);
// The same as a copy, as str_copy makes it. False if it is not the whole text as it was.
bool scrub_copy(char *out, size_t cap, struct str text);
// Appends the whole text, scrubbed.
void scrub_add(struct buf *out, struct str text);

// Appends what is known of secrets, a row a line, for a program of ours in another language.
void scrub_page(struct buf *out);

// By its name alone: the value of a setting, or of a property of librdkafka, must not be shown.
bool scrub_hides_setting(struct str name);
// A property of Spark must not be kept. The stricter of the two: whoever runs an application may
// call its properties anything.
bool scrub_hides_property(struct str name);
