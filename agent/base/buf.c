// buf: the one growable buffer and its escapers. Called from every room that builds text or bytes;
// must never emit a byte of a message unescaped through the escaping functions.
#include "base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"

void buf_fini(struct buf *buf) {
    mem_free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf) {
    buf->len = 0;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

char *buf_reserve(struct buf *buf, size_t more) {
    require(buf->data == NULL ? buf->cap == 0 : buf->len < buf->cap);
    require(more < PTRDIFF_MAX / 4 - buf->len);
    if (buf->cap - buf->len < more + 1 || buf->data == NULL) {
        size_t want = buf->len + more + 1;
        size_t cap = buf->cap < 64 ? 64 : buf->cap;
        while (cap < want) {
            cap *= 2;
        }
        buf->data = mem_resize(buf->data, cap, 1);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len) {
    char *at = buf_reserve(buf, len);
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, struct str text) {
    buf_add(buf, text.p, text.len);
}

void buf_add_text(struct buf *buf, const char *text) {
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c) {
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    char *at = buf_reserve(buf, 128);
    int n = vsnprintf(at, buf->cap - buf->len, fmt, args);
    if (n > 0 && (size_t)n >= buf->cap - buf->len) {
        at = buf_reserve(buf, (size_t)n);
        vsnprintf(at, buf->cap - buf->len, fmt, again);
    }
    buf->len += n > 0 ? (size_t)n : 0;
    va_end(again);
    va_end(args);
}

void buf_add_mended(struct buf *buf, struct str text) {
    struct str_char c;
    while (str_next(&text, &c)) {
        buf_add_str(buf, c.shown);
    }
}

// As JSON writes what it may not or should not hold: UTF-16, in hexadecimal.
static void add_utf16(struct buf *buf, uint32_t code) {
    if (code > 0xFFFF) {
        code -= 0x10000;
        buf_printf(buf, "\\u%04x", (unsigned)(0xD800 | code >> 10));
        code = 0xDC00 | (code & 0x3FF);
    }
    buf_printf(buf, "\\u%04x", (unsigned)code);
}

void buf_add_json(struct buf *buf, struct str text) {
    struct str_char c;
    buf_add_char(buf, '"');
    while (str_next(&text, &c)) {
        if (c.byte == '"' || c.byte == '\\') {
            buf_add_char(buf, '\\');
            buf_add_char(buf, (char)c.byte);
        } else if (str_is_unseen(c.code)) {
            add_utf16(buf, c.code);
        } else {
            buf_add_str(buf, c.shown);
        }
    }
    buf_add_char(buf, '"');
}

void buf_add_json_number(struct buf *buf, double value) {
    if (!isfinite(value)) {
        buf_add_text(buf, "null");
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    buf_add_text(buf, text);
}

void buf_add_printable(struct buf *buf, struct str text) {
    struct str_char c;
    for (struct str at = text; str_next(&text, &c); at = text) {
        if (c.good && !str_is_unseen(c.code)) {
            buf_add_str(buf, c.shown);
        } else if (c.good && c.code > 0xFF) {
            buf_printf(buf, c.code > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned)c.code);
        } else {
            for (; at.p < text.p; at.p++) {
                buf_printf(buf, "\\x%02x", (unsigned char)*at.p);
            }
        }
    }
}

// Of a page: what nobody would see has a sign in its place.
static void add_shown(struct buf *buf, const struct str_char *c) {
    buf_add_str(buf, str_is_unseen(c->code) ? STR("\xEF\xBF\xBD") : c->shown);
}

void buf_add_html(struct buf *buf, struct str text) {
    struct str_char c;
    while (str_next(&text, &c)) {
        if (c.byte != '\0' && strchr("&<>\"'", c.byte) != NULL) {
            buf_printf(buf, "&#%d;", c.byte);
        } else if (c.byte == '\n' || c.byte == '\t') {
            buf_add_char(buf, ' ');
        } else {
            add_shown(buf, &c);
        }
    }
}

void buf_add_markdown(struct buf *buf, struct str text) {
    struct str_char c;
    while (str_next(&text, &c)) {
        if (c.byte != '\0' && strchr("\\`*_[]<>&|#~!$@", c.byte) != NULL) {
            buf_add_char(buf, '\\');
            buf_add_char(buf, (char)c.byte);
        } else if (c.byte == '\n' || c.byte == '\t') {
            buf_add_char(buf, ' ');
        } else {
            add_shown(buf, &c);
        }
    }
}

struct str buf_str(const struct buf *buf) {
    return (struct str){buf->data == NULL ? "" : buf->data, buf->len};
}

const char *buf_text(const struct buf *buf) {
    return buf->data == NULL ? "" : buf->data;
}
