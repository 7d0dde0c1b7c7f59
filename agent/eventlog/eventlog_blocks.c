// eventlog_blocks: the two block streams that Spark writes itself, each block with a head that
// gives its lengths. LZ4: magic, token, packed and plain length, checksum; an empty block ends a
// stream and another may follow. Snappy: a head (magic, version, lowest compatible version), then
// blocks with a big-endian length each; a head may come again where streams were joined. Called by
// the event log reader; must never take memory for a length that no block may have.
#include <lz4.h>
#include <snappy-c.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

struct block_stream {
    const struct block_format *format;
    struct buf head;   // of the next block, as far as it came
    struct buf packed; // its body, likewise
    bool have_head;    // the whole head came: packed_len is known
    size_t packed_len; // <= CODEC_MAX_BLOCK_BYTES
    char *plain;       // a block that did not fit into the caller's room: [pos, len) is left of it
    size_t cap, pos, len;
    // LZ4 only
    uint32_t plain_len, checksum;
    uint8_t method;
    bool in_stream; // blocks came and no end yet
};

struct block_format {
    // Collects the next head and takes packed_len from it. *end: the input ended before it.
    enum status (*head)(struct block_stream *s, struct input *in, bool *end, struct err *err);
    // The length of the collected block once unpacked, at most CODEC_MAX_BLOCK_BYTES.
    enum status (*length)(const struct block_stream *s, size_t *plain_len, struct err *err);
    // Unpacks it to `to`, which has room for `plain_len`, and checks it.
    enum status (*unpack)(const struct block_stream *s, char *to, size_t plain_len,
                          struct err *err);
    const char *cut; // what to say of a body that is not whole
};

static struct block_stream *blocks_new(const struct block_format *format) {
    struct block_stream *s = mem_zalloc(1, sizeof *s);
    s->format = format;
    return s;
}

static void blocks_destroy(void *state) {
    struct block_stream *s = state;
    buf_fini(&s->head);
    buf_fini(&s->packed);
    mem_free(s->plain);
    mem_free(s);
}

// Collects head and body of the next block. *end: the input ended cleanly.
static enum status collect_block(struct block_stream *s, struct input *in, bool *end,
                                 struct err *err) {
    enum status status;
    if (!s->have_head) {
        status = s->format->head(s, in, end, err);
        if (status != ST_OK || *end) {
            return status;
        }
        s->have_head = true;
    }
    require(s->packed_len <= CODEC_MAX_BLOCK_BYTES);
    status = input_collect(in, &s->packed, s->packed_len, err);
    if (status == ST_OK && s->packed.len < s->packed_len) {
        return err_set(err, ST_SKIP, "%s", s->format->cut);
    }
    return status;
}

// Unpacks the collected block into `out` if it fits, else to the side.
static enum status unpack_block(struct block_stream *s, char *out, size_t room, size_t *got,
                                struct err *err) {
    size_t plain_len = 0;
    enum status status = s->format->length(s, &plain_len, err);
    if (status != ST_OK) {
        return status;
    }
    if (plain_len <= room) {
        status = s->format->unpack(s, out, plain_len, err);
        *got = status == ST_OK ? plain_len : 0;
        return status;
    }
    if (s->cap < plain_len) {
        mem_free(s->plain);
        s->plain = mem_alloc(plain_len);
        s->cap = plain_len;
    }
    status = s->format->unpack(s, s->plain, plain_len, err);
    s->pos = 0;
    s->len = status == ST_OK ? plain_len : 0;
    return status;
}

static enum status blocks_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                               struct err *err) {
    struct block_stream *s = state;
    while (s->pos == s->len) {
        bool end = false;
        enum status status = collect_block(s, in, &end, err);
        if (status != ST_OK || end) {
            return status;
        }
        status = unpack_block(s, out, room, got, err);
        s->have_head = false;
        buf_clear(&s->head);
        buf_clear(&s->packed);
        if (status != ST_OK || *got > 0) {
            return status;
        }
    }
    size_t left = s->len - s->pos;
    *got = left < room ? left : room;
    memcpy(out, s->plain + s->pos, *got);
    s->pos += *got;
    return ST_OK;
}

#define LZ4_HEAD_BYTES 21
#define LZ4_RAW 0x10
#define LZ4_PACKED 0x20
#define LZ4_CHECKSUM_SEED 0x9747B28Cu
#define LZ4_CHECKSUM_MASK 0x0FFFFFFFu // the Java class that writes it drops four bits

static uint32_t load_le32(const char *p) {
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static enum status lz4_parse_head(struct block_stream *s, struct err *err) {
    const char *p = s->head.data;
    if (memcmp(p, "LZ4Block", 8) != 0) {
        return err_set(err, ST_SKIP, "an LZ4 block does not begin with its magic");
    }
    uint8_t token = (uint8_t)p[8];
    s->method = token & 0xF0;
    s->packed_len = load_le32(p + 9);
    s->plain_len = load_le32(p + 13);
    s->checksum = load_le32(p + 17);
    size_t limit = (size_t)1 << (10 + (token & 0x0F));
    bool empty = s->plain_len == 0;
    if ((s->method != LZ4_RAW && s->method != LZ4_PACKED) || s->plain_len > limit ||
        s->packed_len > CODEC_MAX_BLOCK_BYTES || empty != (s->packed_len == 0) ||
        (s->method == LZ4_RAW && s->packed_len != s->plain_len) || (empty && s->checksum != 0)) {
        return err_set(err, ST_SKIP, "the head of an LZ4 block makes no sense");
    }
    s->in_stream = !empty;
    return ST_OK;
}

static enum status lz4_head(struct block_stream *s, struct input *in, bool *end, struct err *err) {
    enum status status = input_collect(in, &s->head, LZ4_HEAD_BYTES, err);
    if (status != ST_OK) {
        return status;
    }
    if (s->head.len == 0) {
        *end = true;
        return s->in_stream ? err_set(err, ST_SKIP, "the LZ4 stream has no end") : ST_OK;
    }
    if (s->head.len < LZ4_HEAD_BYTES) {
        return err_set(err, ST_SKIP, "cut within the head of an LZ4 block");
    }
    return lz4_parse_head(s, err);
}

static enum status lz4_length(const struct block_stream *s, size_t *plain_len, struct err *err) {
    (void)err;
    *plain_len = s->plain_len;
    return ST_OK;
}

static enum status lz4_unpack(const struct block_stream *s, char *to, size_t plain_len,
                              struct err *err) {
    if (plain_len == 0) {
        return ST_OK; // the end of a stream
    }
    if (s->method == LZ4_RAW) {
        memcpy(to, s->packed.data, plain_len);
    } else if (LZ4_decompress_safe(s->packed.data, to, (int)s->packed_len, (int)plain_len) !=
               (int)plain_len) {
        return err_set(err, ST_SKIP, "an LZ4 block cannot be unpacked");
    }
    if ((XXH32(to, plain_len, LZ4_CHECKSUM_SEED) & LZ4_CHECKSUM_MASK) != s->checksum) {
        return err_set(err, ST_SKIP, "the checksum of an LZ4 block does not match");
    }
    return ST_OK;
}

static void *lz4_create(bool midway) {
    static const struct block_format format = {lz4_head, lz4_length, lz4_unpack,
                                               "cut within an LZ4 block"};
    struct block_stream *s = blocks_new(&format);
    s->in_stream = midway;
    return s;
}

// Between blocks of a stream, not between streams: whoever begins there knows that an end must
// come.
static bool lz4_between(const void *state) {
    const struct block_stream *s = state;
    return s->in_stream && s->head.len == 0 && s->pos == s->len;
}

const struct codec codec_lz4_block = {"lz4",          4,           lz4_create,
                                      blocks_destroy, lz4_between, blocks_read};

#define SNAPPY_MAGIC_BYTES 8
#define SNAPPY_HEAD_BYTES 16
#define SNAPPY_LENGTH_BYTES 4
#define SNAPPY_VERSION 1

static const char snappy_magic[SNAPPY_MAGIC_BYTES] = "\x82SNAPPY";

static uint32_t load_be32(const char *p) {
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

// A whole head of the stream came: passes over it.
static enum status snappy_pass_head(struct block_stream *s, struct err *err) {
    if (memcmp(s->head.data, snappy_magic, SNAPPY_MAGIC_BYTES) != 0 ||
        load_be32(s->head.data + 12) > SNAPPY_VERSION) {
        return err_set(err, ST_SKIP, "a Snappy head of an unknown version");
    }
    buf_clear(&s->head);
    return ST_OK;
}

static enum status snappy_head(struct block_stream *s, struct input *in, bool *end,
                               struct err *err) {
    for (;;) {
        bool is_head = s->head.len >= SNAPPY_LENGTH_BYTES &&
                       memcmp(s->head.data, snappy_magic, SNAPPY_LENGTH_BYTES) == 0;
        size_t want = is_head ? SNAPPY_HEAD_BYTES : SNAPPY_LENGTH_BYTES;
        enum status status = input_collect(in, &s->head, want, err);
        if (status != ST_OK) {
            return status;
        }
        if (s->head.len < want) {
            *end = s->head.len == 0;
            return *end ? ST_OK : err_set(err, ST_SKIP, "cut within the head of a Snappy block");
        }
        if (is_head) {
            status = snappy_pass_head(s, err);
            if (status != ST_OK) {
                return status;
            }
        } else if (memcmp(s->head.data, snappy_magic, SNAPPY_LENGTH_BYTES) != 0) {
            break;
        }
    }
    s->packed_len = load_be32(s->head.data);
    return s->packed_len <= CODEC_MAX_BLOCK_BYTES
               ? ST_OK
               : err_set(err, ST_SKIP, "the length of a Snappy block makes no sense");
}

static enum status snappy_length(const struct block_stream *s, size_t *plain_len, struct err *err) {
    if (snappy_uncompressed_length(buf_text(&s->packed), s->packed.len, plain_len) != SNAPPY_OK ||
        *plain_len > CODEC_MAX_BLOCK_BYTES) {
        return err_set(err, ST_SKIP, "a Snappy block of impossible length");
    }
    return ST_OK;
}

static enum status snappy_unpack(const struct block_stream *s, char *to, size_t plain_len,
                                 struct err *err) {
    return snappy_uncompress(s->packed.data, s->packed.len, to, &plain_len) == SNAPPY_OK
               ? ST_OK
               : err_set(err, ST_SKIP, "a Snappy block cannot be unpacked");
}

static void *snappy_create(bool midway) {
    require(!midway);
    static const struct block_format format = {snappy_head, snappy_length, snappy_unpack,
                                               "cut within a Snappy block"};
    return blocks_new(&format);
}

// A block begins with its length and nothing that would tell it from other bytes: no `between`.
const struct codec codec_snappy = {"snappy", 6, snappy_create, blocks_destroy, NULL, blocks_read};
