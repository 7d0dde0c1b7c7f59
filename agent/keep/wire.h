// wire: the form of a kept value: a version, then fields: number, length, bytes; integers zig-zag
// in 7-bit groups. Appending takes no memory but the buffer's; reading is bounded by the bytes
// given and never asserts on them. Used by value.c and value_show.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { WIRE_VERSION = 1, WIRE_NUMBER_MAX = 100000 };

void wire_put(struct buf *out, unsigned number, struct str bytes);
void wire_put_i64(struct buf *out, unsigned number, int64_t value); // zero is left out
// A field that is filled by what is appended between the two. Fields nest.
size_t wire_begin(struct buf *out, unsigned number);
void wire_end(struct buf *out, size_t begun);

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
// Two integers, the fields 1 and 2 of nested bytes: one that is absent is 0.
bool wire_get_pair(struct str bytes, int64_t *first, int64_t *second);
