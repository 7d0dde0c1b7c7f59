// eventlog_zstd: unpacks Zstandard, any number of frames (Spark closes one at every flush). Called
// by the event log reader. The input is handed over one block at a time, so that damage costs only
// the block it is in.
#include <zstd.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

struct zstd_state {
    ZSTD_DStream *stream;
    size_t wanted; // bytes until the next decision: the rest of a block
    bool in_frame;
};

static void *zstd_create(void) {
    struct zstd_state *s = mem_zalloc(1, sizeof *s);
    s->stream = ZSTD_createDStream();
    require(s->stream != NULL);
    s->wanted = ZSTD_initDStream(s->stream);
    return s;
}

static void zstd_destroy(void *state) {
    struct zstd_state *s = state;
    ZSTD_freeDStream(s->stream);
    mem_free(s);
}

static enum status zstd_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                             struct err *err) {
    struct zstd_state *s = state;
    ZSTD_outBuffer to = {out, room, 0};
    while (to.pos == 0) {
        enum status status = input_more(in, err);
        if (status != ST_OK) {
            return status;
        }
        size_t n = in->len - in->pos;
        ZSTD_inBuffer from = {in->data + in->pos, n < s->wanted ? n : s->wanted, 0};
        size_t hint = ZSTD_decompressStream(s->stream, &to, &from);
        if (ZSTD_isError(hint)) {
            return err_set(err, ST_SKIP, "%s", ZSTD_getErrorName(hint));
        }
        in->pos += from.pos;
        if (n == 0 && to.pos == 0) { // nothing came, and nothing was left inside
            return s->in_frame ? err_set(err, ST_SKIP, "a frame has no end") : ST_OK;
        }
        s->in_frame = hint != 0;
        s->wanted = hint != 0 ? hint : ZSTD_initDStream(s->stream);
    }
    *got = to.pos;
    return ST_OK;
}

const struct codec codec_zstd = {"zstd", zstd_create, zstd_destroy, zstd_read};
