// value: a struct as a value under a key, and back, and shown, all by walking its table
// (model/record.h). A value is a version and a list of numbered fields; what is zero is left out,
// an unknown number is passed over, so releases may add fields. Called by keep with values of
// the state topics, and by present to show them; no I/O.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/record.h"

// Replaces *value.
void value_write(const struct record *record, const void *object, struct buf *value);
// Fills a zeroed struct. Trusts nothing: ST_SKIP with words on another version and on whatever the
// table does not allow; the struct, half filled, is then only good to be released.
enum status value_read(const struct record *record, struct str value, void *object,
                       struct err *err) MUST_USE;

// Appends a value as one JSON object; fields this release does not know are left out. ST_SKIP with
// words: another version, or damaged bytes; nothing was appended then.
enum status value_to_json(const struct record *record, struct str value, struct buf *out,
                          struct err *err) MUST_USE;
// Appends the fields of a value, with those of all that is nested in it, as a Markdown table.
void value_to_markdown(const struct record *record, struct buf *out);
