// logs: hands the lines of fixture logs to a function: every file below a folder, plain, Zstandard
// or gzip, read whole and apart from the agent's own reader. For tests only; a file that cannot be
// read ends the test.
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

// Bytes that may be read behind every line.
enum { LOGS_PADDING = 64 };

typedef void logs_line(const char *path, struct str line, void *context);

static inline void logs_read_plain(const char *path, struct buf *out) {
    char bytes[65536];
    int n;
    gzFile file = gzopen(path, "rb"); // reads what is not gzip as it is
    require(file != NULL);
    while ((n = gzread(file, bytes, sizeof bytes)) > 0) {
        buf_add(out, bytes, (size_t)n);
    }
    require(n == 0);
    gzclose(file);
}

static inline void logs_unpack_zstd(struct buf *packed, struct buf *out) {
    struct str in = buf_str(packed);
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer from = {in.p, in.len, 0};
    char bytes[65536];
    size_t left = 1;
    while (from.pos < from.size) {
        ZSTD_outBuffer to = {bytes, sizeof bytes, 0};
        left = ZSTD_decompressStream(stream, &to, &from);
        require(!ZSTD_isError(left));
        buf_add(out, bytes, to.pos);
        while (from.pos == from.size && to.pos == to.size) { // more is waiting inside
            to.pos = 0;
            left = ZSTD_decompressStream(stream, &to, &from);
            require(!ZSTD_isError(left));
            buf_add(out, bytes, to.pos);
        }
    }
    require(left == 0);
    ZSTD_freeDStream(stream);
}

static inline void logs_file(const char *path, logs_line *f, void *context) {
    struct buf text = {0}, unpacked = {0};
    logs_read_plain(path, &text);
    struct str packed = buf_str(&text);
    if (str_starts(packed, STR("\x28\xB5\x2F\xFD"))) {
        logs_unpack_zstd(&text, &unpacked);
        buf_fini(&text);
        text = unpacked;
    }
    static const char padding[LOGS_PADDING];
    struct str all = buf_str(&text);
    buf_add(&text, padding, sizeof padding);
    const char *at = buf_str(&text).p, *end = at + all.len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline == NULL ? end : newline;
        if (stop > at) {
            f(path, (struct str){at, (size_t)(stop - at)}, context);
        }
        at = stop + 1;
    }
    buf_fini(&text);
}

static struct {
    logs_line *f;
    void *context;
    int files;
} logs_walk;

static inline int logs_visit(const char *path, const struct stat *status, int type,
                             struct FTW *at) {
    (void)at;
    size_t len = strlen(path);
    bool label = len > 5 && strcmp(path + len - 5, ".json") == 0; // what the log shows, no log
    if (type == FTW_F && status->st_size > 0 && !label) {
        logs_walk.files++;
        logs_file(path, logs_walk.f, logs_walk.context);
    }
    return 0;
}

// Every line of every log below `folder`; returns how many files it read.
static inline int logs_each(const char *folder, logs_line *f, void *context) {
    logs_walk.f = f;
    logs_walk.context = context;
    logs_walk.files = 0;
    require(nftw(folder, logs_visit, 16, FTW_PHYS) == 0);
    return logs_walk.files;
}
