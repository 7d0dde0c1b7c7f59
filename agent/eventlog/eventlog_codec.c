// eventlog_codec: tells how a log is packed, by its first bytes and its name, and unpacks what a
// library unpacks as a stream: Zstandard, gzip and LZ4 frames, any number of frames or members
// each. (Spark's own block streams: eventlog_blocks.c.) Called when a part is opened, and for its
// text; must never guess: content that contradicts the name is refused in words.
#define ZLIB_CONST // so that zlib takes our bytes as const
#include <limits.h>
#include <lz4frame.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

struct magic {
    struct str bytes;
    const struct codec *codec; // NULL: known, and not supported
    const char *name;
};

static const struct magic magics[] = {
    {{"\x28\xB5\x2F\xFD", 4}, &codec_zstd, "Zstandard"},
    {{"\x1F\x8B", 2}, &codec_gzip, "gzip"},
    {{"LZ4Block", 8}, &codec_lz4_block, "LZ4"},
    {{"\x04\x22\x4D\x18", 4}, &codec_lz4_frame, "LZ4"},
    {{"\x82SNAPPY\x00", 8}, &codec_snappy, "Snappy"},
    {{"ZV", 2}, NULL, "LZF"},
    {{"BZh", 3}, NULL, "bzip2"},
    {{"\xFD\x37zXZ\x00", 6}, NULL, "xz"},
    {{"PK\x03\x04", 4}, NULL, "zip"},
    {{"\xFF\x06\x00\x00sNaPpY", 10}, NULL, "framed Snappy (not Spark's form)"},
};

struct ending {
    const char *text;
    const char *name; // as in magics
};

static const struct ending endings[] = {
    {".zst", "Zstandard"}, {".zstd", "Zstandard"}, {".gz", "gzip"},
    {".lz4", "LZ4"},       {".snappy", "Snappy"},  {".lzf", "LZF"},
};

static const struct ending *ending_of(struct str file_name) {
    struct log_name says;
    log_name_read(file_name, &says);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (str_is(says.packing, endings[i].text)) {
            return &endings[i];
        }
    }
    return NULL;
}

static bool is_zstd_skippable(struct str first) {
    return first.len >= 4 && ((unsigned char)first.p[0] & 0xF0) == 0x50 &&
           memcmp(first.p + 1, "\x2A\x4D\x18", 3) == 0;
}

static enum status refuse(struct err *err, const char *name) {
    return err_set(err, ST_SKIP, "%s packing is not supported: unpack the log first", name);
}

// The name promises `ending`, the content did not tell: too short, unpacked in place, or broken.
static enum status choose_by_name(const struct ending *ending, struct str first,
                                  const struct codec **out, struct err *err) {
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        const struct magic *m = &magics[i];
        if (strcmp(m->name, ending->name) == 0 && first.len < m->bytes.len &&
            memcmp(m->bytes.p, first.p, first.len) == 0) {
            *out = m->codec;
            return m->codec == NULL ? refuse(err, m->name) : ST_OK;
        }
    }
    if (strcmp(ending->name, "LZF") == 0) {
        return refuse(err, ending->name);
    }
    if (first.p[0] == '{' || str_starts(first, STR("\xef\xbb\xbf{"))) {
        *out = &codec_plain; // unpacked without a new name
        return ST_OK;
    }
    return err_set(err, ST_SKIP, "the name ends in %s, but the content is not %s", ending->text,
                   ending->name);
}

enum status codec_choose(struct str file_name, struct str first_bytes, const struct codec **out,
                         struct err *err) {
    *out = &codec_plain;
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        if (str_starts(first_bytes, magics[i].bytes)) {
            *out = magics[i].codec;
            return *out == NULL ? refuse(err, magics[i].name) : ST_OK;
        }
    }
    if (is_zstd_skippable(first_bytes)) {
        *out = &codec_zstd;
        return ST_OK;
    }
    const struct ending *ending = ending_of(file_name);
    return ending == NULL ? ST_OK : choose_by_name(ending, first_bytes, out, err);
}

static void *plain_create(bool midway) {
    (void)midway;
    return NULL;
}

static void plain_destroy(void *state) {
    (void)state;
}

static enum status plain_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                              struct err *err) {
    (void)state;
    return input_read(in, out, room, got, err);
}

static bool plain_between(const void *state) {
    (void)state;
    return true;
}

const struct codec codec_plain = {"plain",       1,         plain_create, plain_destroy,
                                  plain_between, plain_read};

// The libraries say how many bytes to hand over next: the rest of a block, and the head of the one
// behind it. What they unpacked in a call that meets damage they keep, and of a damaged block they
// hand out more or less by how it came. So they get a block alone and whole, and nothing while text
// of it is left inside: damage costs the block it is in, however the bytes come.
struct feed {
    struct buf split; // a block that came in pieces
    size_t at;        // what was taken of it
    size_t want;      // bytes until the next decision
    size_t limit;     // of a block; what is passed over anyway may be longer
};

enum { ZSTD_BLOCK_HEAD_BYTES = 3, LZ4_BLOCK_HEAD_BYTES = 4, LZ4_FEED_BYTES = (4 << 20) + 8 };

static void feed_want(struct feed *f, size_t hint, size_t head_bytes) {
    size_t want = hint > head_bytes ? hint - head_bytes : hint;
    f->want = want < f->limit ? want : f->limit;
}

// What is to be unpacked next; it is shorter than wanted only where the input ends.
static enum status feed_next(struct feed *f, struct input *in, struct str *out, struct err *err) {
    enum status status = ST_OK;
    if (f->split.len == 0 && in->len - in->pos >= f->want) {
        *out = (struct str){(const char *)in->data + in->pos, f->want};
        return ST_OK;
    }
    status = input_collect(in, &f->split, f->at + f->want, err);
    size_t len = f->split.len - f->at;
    *out = (struct str){buf_text(&f->split) + f->at, len < f->want ? len : f->want};
    return status;
}

static void feed_took(struct feed *f, struct input *in, size_t bytes) {
    if (f->split.len == 0) {
        in->pos += bytes;
        return;
    }
    f->at += bytes;
    if (f->at == f->split.len) {
        buf_clear(&f->split);
        f->at = 0;
    }
}

// Zstandard. Spark closes a frame at every flush.
struct zstd_state {
    ZSTD_DStream *stream;
    struct feed feed;
    bool in_frame;
    bool inside; // there was no room for all: text is left inside
};

static void *zstd_create(bool midway) {
    (void)midway;
    struct zstd_state *s = mem_zalloc(1, sizeof *s);
    s->stream = ZSTD_createDStream();
    require(s->stream != NULL);
    s->feed.limit = ZSTD_DStreamInSize();
    s->feed.want = ZSTD_initDStream(s->stream);
    return s;
}

static void zstd_destroy(void *state) {
    struct zstd_state *s = state;
    ZSTD_freeDStream(s->stream);
    buf_fini(&s->feed.split);
    mem_free(s);
}

static enum status zstd_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                             struct err *err) {
    struct zstd_state *s = state;
    ZSTD_outBuffer to = {out, room, 0};
    while (to.pos == 0) {
        bool flush = s->inside;
        struct str block = {"", 0};
        enum status status = flush ? ST_OK : feed_next(&s->feed, in, &block, err);
        if (status != ST_OK) {
            return status;
        }
        if (block.len == 0 && !flush) {
            return s->in_frame ? err_set(err, ST_SKIP, "a frame has no end") : ST_OK;
        }
        ZSTD_inBuffer from = {block.p, block.len, 0};
        size_t hint = ZSTD_decompressStream(s->stream, &to, &from);
        if (ZSTD_isError(hint)) {
            return err_set(err, ST_SKIP, "%s", ZSTD_getErrorName(hint));
        }
        feed_took(&s->feed, in, from.pos);
        s->inside = to.pos == room;
        if (flush && to.pos == 0) { // there was none: what was known before holds
            continue;
        }
        s->in_frame = hint != 0;
        feed_want(&s->feed, hint == 0 ? ZSTD_initDStream(s->stream) : hint, ZSTD_BLOCK_HEAD_BYTES);
    }
    *got = to.pos;
    return ST_OK;
}

static bool zstd_between(const void *state) {
    const struct zstd_state *s = state;
    return !s->in_frame && !s->inside;
}

const struct codec codec_zstd = {"zstd", 2, zstd_create, zstd_destroy, zstd_between, zstd_read};

// gzip, with zero padding after the last member.
#define GZIP_ONLY (16 + MAX_WBITS)

struct gzip_state {
    z_stream stream;
    bool in_member;
    bool inside;  // there was no room for all: text is left inside
    bool padding; // zero bytes after a member: only more of them may follow
};

static void *gzip_create(bool midway) {
    (void)midway;
    struct gzip_state *s = mem_zalloc(1, sizeof *s);
    require(inflateInit2(&s->stream, GZIP_ONLY) == Z_OK);
    return s;
}

static void gzip_destroy(void *state) {
    struct gzip_state *s = state;
    inflateEnd(&s->stream);
    mem_free(s);
}

// Between members: begins the next one, or passes over padding. False if there is neither.
static bool begin_member(struct gzip_state *s, struct input *in) {
    if (in->data[in->pos] == 0) {
        s->padding = true;
        in->pos++;
        return true;
    }
    s->in_member = !s->padding && inflateReset(&s->stream) == Z_OK;
    return s->in_member;
}

static enum status gzip_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                             struct err *err) {
    struct gzip_state *s = state;
    while (*got == 0) {
        enum status status = s->inside ? ST_OK : input_more(in, err);
        if (status != ST_OK) {
            return status;
        }
        size_t n = in->len - in->pos;
        if (n == 0 && !s->inside) {
            return s->in_member ? err_set(err, ST_SKIP, "a gzip member has no end") : ST_OK;
        }
        if (!s->in_member) {
            if (!begin_member(s, in)) {
                return err_set(err, ST_SKIP, "foreign bytes behind the end of the gzip data");
            }
            continue;
        }
        s->stream.next_in = in->data + in->pos;
        s->stream.avail_in = (uInt)n; // at most INPUT_READ_BYTES
        s->stream.next_out = (Bytef *)out;
        s->stream.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
        int code = inflate(&s->stream, Z_NO_FLUSH);
        in->pos = in->len - s->stream.avail_in;
        *got = (size_t)((char *)s->stream.next_out - out);
        s->in_member = code != Z_STREAM_END;
        s->inside = s->in_member && s->stream.avail_out == 0;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            return err_set(err, ST_SKIP, "%s",
                           s->stream.msg != NULL ? s->stream.msg : "bad gzip data");
        }
    }
    return ST_OK;
}

static bool gzip_between(const void *state) {
    const struct gzip_state *s = state;
    return !s->in_member && !s->padding;
}

const struct codec codec_gzip = {"gzip", 3, gzip_create, gzip_destroy, gzip_between, gzip_read};

// What the lz4 tool writes: not Spark's own form, but what people have who packed a log by hand.
struct frame_state {
    LZ4F_dctx *context;
    struct feed feed;
    bool in_frame;
    bool inside; // there was no room for all: text is left inside
};

static void *frame_create(bool midway) {
    (void)midway;
    struct frame_state *s = mem_zalloc(1, sizeof *s);
    require(!LZ4F_isError(LZ4F_createDecompressionContext(&s->context, LZ4F_VERSION)));
    s->feed.limit = LZ4_FEED_BYTES;
    s->feed.want = LZ4F_HEADER_SIZE_MIN;
    return s;
}

static void frame_destroy(void *state) {
    struct frame_state *s = state;
    LZ4F_freeDecompressionContext(s->context);
    buf_fini(&s->feed.split);
    mem_free(s);
}

static enum status frame_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                              struct err *err) {
    struct frame_state *s = state;
    while (*got == 0) {
        bool flush = s->inside;
        struct str block = {"", 0};
        enum status status = flush ? ST_OK : feed_next(&s->feed, in, &block, err);
        if (status != ST_OK) {
            return status;
        }
        if (block.len == 0 && !flush) {
            return s->in_frame ? err_set(err, ST_SKIP, "an LZ4 frame has no end") : ST_OK;
        }
        size_t taken = block.len, made = room;
        size_t hint = LZ4F_decompress(s->context, out, &made, block.p, &taken, NULL);
        if (LZ4F_isError(hint)) {
            return err_set(err, ST_SKIP, "%s", LZ4F_getErrorName(hint));
        }
        feed_took(&s->feed, in, taken);
        *got = made;
        s->inside = made == room;
        if (flush && made == 0) { // there was none: what was known before holds
            continue;
        }
        s->in_frame = hint != 0;
        feed_want(&s->feed, hint == 0 ? LZ4F_HEADER_SIZE_MIN : hint, LZ4_BLOCK_HEAD_BYTES);
    }
    return ST_OK;
}

static bool frame_between(const void *state) {
    const struct frame_state *s = state;
    return !s->in_frame && !s->inside;
}

const struct codec codec_lz4_frame = {"lz4 frame",   5,         frame_create, frame_destroy,
                                      frame_between, frame_read};
