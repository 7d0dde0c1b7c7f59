// eventlog_lz4: unpacks the block stream that Spark's LZ4 writer makes (magic "LZ4Block", token,
// packed and plain length, checksum; an empty block ends a stream and another may follow) and the
// frames of the lz4 tool. Called by the event log reader.
#include <lz4.h>
#include <string.h>

#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

#define HEAD_BYTES 21
#define METHOD_RAW 0x10
#define METHOD_LZ4 0x20
#define CHECKSUM_SEED 0x9747B28Cu
#define CHECKSUM_MASK 0x0FFFFFFFu // the Java class that writes it drops four bits

struct block_state {
    struct buf head;
    struct buf packed;
    char *plain; // a block that did not fit into the caller's room
    size_t plain_cap, plain_pos, plain_len;
    uint32_t packed_len, want_len, checksum;
    uint8_t method;
    bool have_head;
    bool in_stream; // blocks came and no end yet
};

static uint32_t load_le32(const char *p) {
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void *block_create(void) {
    return mem_zalloc(1, sizeof(struct block_state));
}

static void block_destroy(void *state) {
    struct block_state *s = state;
    buf_fini(&s->head);
    buf_fini(&s->packed);
    mem_free(s->plain);
    mem_free(s);
}

// Checks and takes over the head of a block.
static enum status parse_head(struct block_state *s, struct err *err) {
    const char *p = s->head.data;
    if (memcmp(p, "LZ4Block", 8) != 0) {
        return err_set(err, ST_SKIP, "an LZ4 block does not begin with its magic");
    }
    uint8_t token = (uint8_t)p[8];
    s->method = token & 0xF0;
    s->packed_len = load_le32(p + 9);
    s->want_len = load_le32(p + 13);
    s->checksum = load_le32(p + 17);
    size_t limit = (size_t)1 << (10 + (token & 0x0F));
    bool empty = s->want_len == 0;
    if ((s->method != METHOD_RAW && s->method != METHOD_LZ4) || s->want_len > limit ||
        s->packed_len > CODEC_MAX_BLOCK_BYTES || empty != (s->packed_len == 0) ||
        (s->method == METHOD_RAW && s->packed_len != s->want_len) || (empty && s->checksum != 0)) {
        return err_set(err, ST_SKIP, "the head of an LZ4 block makes no sense");
    }
    s->in_stream = !empty;
    return ST_OK;
}

// Unpacks the collected block to `to`, which has room for it, and checks it.
static enum status unpack_block(struct block_state *s, char *to, struct err *err) {
    if (s->method == METHOD_RAW) {
        memcpy(to, s->packed.data, s->want_len);
    } else if (LZ4_decompress_safe(s->packed.data, to, (int)s->packed_len, (int)s->want_len) !=
               (int)s->want_len) {
        return err_set(err, ST_SKIP, "an LZ4 block cannot be unpacked");
    }
    if ((xxh32(to, s->want_len, CHECKSUM_SEED) & CHECKSUM_MASK) != s->checksum) {
        return err_set(err, ST_SKIP, "the checksum of an LZ4 block does not match");
    }
    return ST_OK;
}

// Collects head and body of the next block. *end: the input ended cleanly.
static enum status collect_block(struct block_state *s, struct input *in, bool *end,
                                 struct err *err) {
    enum status status;
    if (!s->have_head) {
        if ((status = input_collect(in, &s->head, HEAD_BYTES, err)) != ST_OK) {
            return status;
        }
        if (s->head.len == 0) {
            *end = true;
            return s->in_stream ? err_set(err, ST_SKIP, "the LZ4 stream has no end") : ST_OK;
        }
        if (s->head.len < HEAD_BYTES) {
            return err_set(err, ST_SKIP, "cut within the head of an LZ4 block");
        }
        if ((status = parse_head(s, err)) != ST_OK) {
            return status;
        }
        s->have_head = true;
    }
    status = input_collect(in, &s->packed, s->packed_len, err);
    if (status == ST_OK && s->packed.len < s->packed_len) {
        return err_set(err, ST_SKIP, "cut within an LZ4 block");
    }
    return status;
}

static enum status block_next(struct block_state *s, char *out, size_t room, size_t *got,
                              struct err *err) {
    enum status status;
    if (room >= s->want_len) {
        status = unpack_block(s, out, err);
        *got = status == ST_OK ? s->want_len : 0;
        return status;
    }
    if (s->plain_cap < s->want_len) {
        mem_free(s->plain);
        s->plain = mem_alloc(s->want_len);
        s->plain_cap = s->want_len;
    }
    status = unpack_block(s, s->plain, err);
    s->plain_pos = 0;
    s->plain_len = status == ST_OK ? s->want_len : 0;
    return status;
}

static enum status block_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                              struct err *err) {
    struct block_state *s = state;
    while (s->plain_pos == s->plain_len) {
        bool end = false;
        enum status status = collect_block(s, in, &end, err);
        if (status != ST_OK || end) {
            return status;
        }
        if (s->want_len > 0) {
            status = block_next(s, out, room, got, err);
        }
        s->have_head = false;
        buf_clear(&s->head);
        buf_clear(&s->packed);
        if (status != ST_OK || *got > 0) {
            return status;
        }
    }
    size_t left = s->plain_len - s->plain_pos;
    *got = left < room ? left : room;
    memcpy(out, s->plain + s->plain_pos, *got);
    s->plain_pos += *got;
    return ST_OK;
}

const struct codec codec_lz4_block = {"lz4", block_create, block_destroy, block_read};
