// eventlog_snappy: unpacks the stream that Spark's Snappy writer makes: a head (magic, version,
// lowest compatible version), then blocks with a big-endian length each; a head may come again
// where streams were joined. Called by the event log reader.
#include <snappy-c.h>
#include <string.h>

#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

#define MAGIC_BYTES 8
#define HEAD_BYTES 16
#define LENGTH_BYTES 4
#define SUPPORTED_VERSION 1

struct snappy_state {
    struct buf head;   // a length, or a whole head
    struct buf packed; // the block
    char *plain;       // a block that did not fit into the caller's room
    size_t plain_cap, plain_pos, plain_len;
    size_t packed_len;
    bool have_length;
};

static const char snappy_magic[MAGIC_BYTES] = "\x82SNAPPY";

static uint32_t load_be32(const char *p) {
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

static void *snappy_create(void) {
    return mem_zalloc(1, sizeof(struct snappy_state));
}

static void snappy_destroy(void *state) {
    struct snappy_state *s = state;
    buf_fini(&s->head);
    buf_fini(&s->packed);
    mem_free(s->plain);
    mem_free(s);
}

// Collects the length of the next block, passing over heads. *end: the input ended cleanly.
static enum status collect_length(struct snappy_state *s, struct input *in, bool *end,
                                  struct err *err) {
    while (!s->have_length) {
        size_t want = LENGTH_BYTES;
        if (s->head.len >= LENGTH_BYTES && memcmp(s->head.data, snappy_magic, LENGTH_BYTES) == 0) {
            want = HEAD_BYTES;
        }
        enum status status = input_collect(in, &s->head, want, err);
        if (status != ST_OK) {
            return status;
        }
        if (s->head.len < want) {
            *end = s->head.len == 0;
            return *end ? ST_OK : err_set(err, ST_SKIP, "cut within the head of a Snappy block");
        }
        if (want == HEAD_BYTES) {
            if (memcmp(s->head.data, snappy_magic, MAGIC_BYTES) != 0 ||
                load_be32(s->head.data + 12) > SUPPORTED_VERSION) {
                return err_set(err, ST_SKIP, "a Snappy head of an unknown version");
            }
            buf_clear(&s->head);
        } else if (memcmp(s->head.data, snappy_magic, LENGTH_BYTES) != 0) {
            s->packed_len = load_be32(s->head.data);
            s->have_length = true;
            buf_clear(&s->head);
        }
    }
    return ST_OK;
}

static enum status collect_block(struct snappy_state *s, struct input *in, bool *end,
                                 struct err *err) {
    enum status status = collect_length(s, in, end, err);
    if (status != ST_OK || *end) {
        return status;
    }
    if (s->packed_len > CODEC_MAX_BLOCK_BYTES) {
        return err_set(err, ST_SKIP, "the length of a Snappy block makes no sense");
    }
    status = input_collect(in, &s->packed, s->packed_len, err);
    if (status == ST_OK && s->packed.len < s->packed_len) {
        return err_set(err, ST_SKIP, "cut within a Snappy block");
    }
    return status;
}

// Unpacks the collected block into `out` if it fits, else to the side.
static enum status unpack_block(struct snappy_state *s, char *out, size_t room, size_t *got,
                                struct err *err) {
    size_t want = 0;
    if (snappy_uncompressed_length(buf_text(&s->packed), s->packed.len, &want) != SNAPPY_OK ||
        want > CODEC_MAX_BLOCK_BYTES) {
        return err_set(err, ST_SKIP, "a Snappy block of impossible length");
    }
    char *to = out;
    if (want > room) {
        if (s->plain_cap < want) {
            mem_free(s->plain);
            s->plain = mem_alloc(want);
            s->plain_cap = want;
        }
        to = s->plain;
    }
    if (snappy_uncompress(s->packed.data, s->packed.len, to, &want) != SNAPPY_OK) {
        return err_set(err, ST_SKIP, "a Snappy block cannot be unpacked");
    }
    if (to == out) {
        *got = want;
    } else {
        s->plain_pos = 0;
        s->plain_len = want;
    }
    return ST_OK;
}

static enum status snappy_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                               struct err *err) {
    struct snappy_state *s = state;
    while (s->plain_pos == s->plain_len) {
        bool end = false;
        enum status status = collect_block(s, in, &end, err);
        if (status != ST_OK || end) {
            return status;
        }
        status = unpack_block(s, out, room, got, err);
        s->have_length = false;
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

const struct codec codec_snappy = {"snappy", snappy_create, snappy_destroy, snappy_read};
