// wire: numbered fields in a buffer: number, length, bytes; integers zig-zag in 7-bit groups.
// Used by state and engine; every read is bounded by the bytes given.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum wire_type { WIRE_I64, WIRE_I32, WIRE_BOOL, WIRE_F64, WIRE_CHARS, WIRE_NAME };

// One field of a struct. Numbers are for ever; a name is what it is called in words.
struct wire_row {
    unsigned number;
    enum wire_type type;
    size_t offset, size; // size: of a char array
    const char *name;
};

// Version of the values that are made of such fields. A reader refuses a higher one in words.
enum { WIRE_VERSION = 1 };
// Empties the buffer and begins a value with the version.
void wire_begin(struct buf *value);

void wire_put(struct buf *out, unsigned number, struct str bytes);
void wire_put_i64(struct buf *out, unsigned number, int64_t value); // zero is left out
// All fields of a struct that are not zero or empty.
void wire_put_rows(struct buf *out, const void *from, const struct wire_row *rows, size_t count);
// The same as one nested field.
void wire_put_nested(struct buf *out, unsigned number, const void *from,
                     const struct wire_row *rows, size_t count);

struct wire_reader {
    const char *at, *end;
    bool broken;
};
struct wire_reader wire_read(struct str bytes);
// Checks the version and opens the fields behind it. ST_SKIP with words on a version this release
// does not read.
enum status wire_open(struct str value, struct wire_reader *reader, struct err *err) MUST_USE;
// The next field; false at the end or when the bytes are damaged (then broken is set).
bool wire_next(struct wire_reader *reader, unsigned *number, struct str *bytes);
// An integer that fills `bytes`; false otherwise.
bool wire_get_i64(struct str bytes, int64_t *out);
// Sets the field with this number if the table has it (*known says so). False on bytes that do not
// fit its type.
bool wire_take(void *into, const struct wire_row *rows, size_t count, unsigned number,
               struct str bytes, bool *known);
// A whole struct from nested bytes; unknown numbers are passed over.
bool wire_take_all(void *into, const struct wire_row *rows, size_t count, struct str bytes);
