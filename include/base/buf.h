// buf: a growable byte buffer, always NUL-terminated one past `len`, so it can be printed. Owned in
// place: buf_fini releases it. Appending never fails (memory aborts in base/mem). And the escapers:
// text of a message reaches an output only through one of them.
//
// Always true: zeroed is empty and valid; once there is data, len < cap and data[len] is NUL.
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct buf {
    char *data; // NULL while nothing was appended
    size_t len;
    size_t cap;
};

// Releases the memory and makes the buffer empty and reusable.
void buf_fini(struct buf *buf);
// Forgets the content, keeps the memory.
void buf_clear(struct buf *buf);
// Makes room for `more` bytes beyond len (+1) and returns where they would start.
char *buf_reserve(struct buf *buf, size_t more);
// Append bytes, a view, a C string, a character as they are; buf_printf what printf would print.
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

// Appends `text` with bytes that are not UTF-8 replaced by U+FFFD.
void buf_add_mended(struct buf *buf, struct str text);
// The escapers. None writes raw what nobody would see (str_is_unseen): each has its own way to show
// it.
//
// Appends `text` as a JSON string with its quotes: valid UTF-8 stays, bad bytes become U+FFFD,
// unseen characters are escaped as \uNNNN: a parser reads the same string back.
void buf_add_json(struct buf *buf, struct str text);
// Appends a finite number the way JSON wants it, shortest form that reads back equal; NaN and
// infinities become null.
void buf_add_json_number(struct buf *buf, double value);
// Appends `text` for one line of terminal output: bytes of control characters (ESC too) and of bad
// UTF-8 are shown as \xNN, other unseen characters as \uNNNN or \UNNNNNNNN.
void buf_add_printable(struct buf *buf, struct str text);
// Appends `text` with & < > " ' escaped for HTML, line ends and tabs as spaces, bad UTF-8 and
// unseen characters replaced by U+FFFD.
void buf_add_html(struct buf *buf, struct str text);
// Appends `text` for a line or a cell of Markdown: punctuation that means something there behind a
// backslash, the rest as for HTML. Not at the start of a line, where more means something.
void buf_add_markdown(struct buf *buf, struct str text);

// The content as a view, and as a C string ("" when empty). Valid until the next change.
struct str buf_str(const struct buf *buf);
const char *buf_text(const struct buf *buf);
