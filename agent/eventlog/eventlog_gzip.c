// eventlog_gzip: unpacks gzip, any number of members, zero padding after the last one. Called by
// the event log reader.
#define ZLIB_CONST // so that zlib takes our bytes as const
#include <limits.h>
#include <zlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

#define GZIP_ONLY (16 + MAX_WBITS)

struct gzip_state {
    z_stream stream;
    bool in_member;
    bool padding; // zero bytes after a member: only more of them may follow
};

static void *gzip_create(void) {
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
        enum status status = input_more(in, err);
        if (status != ST_OK) {
            return status;
        }
        size_t n = in->len - in->pos;
        if (n == 0) {
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
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            return err_set(err, ST_SKIP, "%s",
                           s->stream.msg != NULL ? s->stream.msg : "bad gzip data");
        }
    }
    return ST_OK;
}

const struct codec codec_gzip = {"gzip", gzip_create, gzip_destroy, gzip_read};
