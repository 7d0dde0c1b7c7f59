// log_text: what the event log tests share: the text of tests/fixtures/codecs made again by its
// formula, and reading a whole log into one comparable text. Included by tests/eventlog/ only.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "eventlog/eventlog.h"
#include "eventlog/eventlog_priv.h"

// The text that MakeCodecs.java packed.
static inline void make_codec_text(struct buf *out) {
    uint32_t x = 1;
    for (int i = 0; i < 300; i++) {
        buf_printf(out, "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,", i / 100);
        buf_printf(out, "\"Task Info\":{\"Task ID\":%d},\"pad\":\"", i);
        int letters = i >= 100 && i < 103 ? 3000 : 20;
        for (int k = 0; k < letters; k++) {
            x = x * 1103515245u + 12345u;
            char c = (char)('0' + (x >> 16) % 75 % 64);
            buf_add_char(out, c == '\\' ? '+' : c);
        }
        buf_add_text(out, "\"}\n");
    }
}

// What a log gave: its lines with a line end each, and the words said, one a line.
struct reading {
    struct buf text;
    struct buf words;
    unsigned lines, skips, long_lines;
};

static inline void reading_fini(struct reading *r) {
    buf_fini(&r->text);
    buf_fini(&r->words);
    *r = (struct reading){0};
}

// Reads `log` to its end and frees it.
static inline void read_all(struct eventlog *log, struct reading *r) {
    *r = (struct reading){0};
    for (;;) {
        struct str line;
        struct err err = {0};
        size_t readable = 0;
        enum status status = eventlog_next(log, &line, &readable, &err);
        if (status == ST_OK && line.p == NULL) {
            break;
        }
        assert_true(status == ST_OK || status == ST_SKIP);
        if (line.p != NULL) {
            volatile unsigned sum = 0; // the padding must be readable
            assert_true(readable >= line.len + EVENTLOG_PADDING);
            for (size_t i = 0; i < line.len + EVENTLOG_PADDING; i++) {
                sum += (unsigned char)line.p[i];
            }
            r->lines += status == ST_OK;
            r->long_lines += status == ST_SKIP;
        }
        if (status == ST_OK) {
            buf_add_str(&r->text, line);
            buf_add_char(&r->text, '\n');
        } else if (line.p == NULL) {
            r->skips++;
            buf_printf(&r->words, "%s\n", err.text);
        }
    }
    eventlog_free(log);
}

static inline void read_path(const char *path, struct reading *r) {
    struct eventlog *log = NULL;
    struct err err = {0};
    if (eventlog_open(path, &log, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    read_all(log, r);
}

// Writes a file, making the test's scratch folder what the caller says.
static inline void write_file(const char *path, const void *bytes, size_t len) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static inline void read_file(const char *path, struct buf *out) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) {
        buf_add(out, chunk, n);
    }
    fclose(f);
}
