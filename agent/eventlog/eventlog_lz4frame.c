// eventlog_lz4frame: unpacks what the lz4 tool writes, any number of frames: not Spark's own form,
// but what people have who packed a log by hand. Called by the event log reader.
#include <lz4frame.h>

#include "base/check.h"
#include "base/mem.h"
#include "eventlog/eventlog_priv.h"

struct frame_state {
    LZ4F_dctx *context;
    bool in_frame;
};

static void *frame_create(void) {
    struct frame_state *s = mem_zalloc(1, sizeof *s);
    require(!LZ4F_isError(LZ4F_createDecompressionContext(&s->context, LZ4F_VERSION)));
    return s;
}

static void frame_destroy(void *state) {
    struct frame_state *s = state;
    LZ4F_freeDecompressionContext(s->context);
    mem_free(s);
}

static enum status frame_read(void *state, struct input *in, char *out, size_t room, size_t *got,
                              struct err *err) {
    struct frame_state *s = state;
    while (*got == 0) {
        enum status status = input_more(in, err);
        if (status != ST_OK) {
            return status;
        }
        size_t taken = in->len - in->pos;
        bool at_end = taken == 0;
        size_t made = room;
        size_t hint = LZ4F_decompress(s->context, out, &made, in->data + in->pos, &taken, NULL);
        if (LZ4F_isError(hint)) {
            return err_set(err, ST_SKIP, "%s", LZ4F_getErrorName(hint));
        }
        in->pos += taken;
        *got = made;
        if (at_end && made == 0) {
            return s->in_frame ? err_set(err, ST_SKIP, "an LZ4 frame has no end") : ST_OK;
        }
        s->in_frame = hint != 0;
    }
    return ST_OK;
}

const struct codec codec_lz4_frame = {"lz4 frame", frame_create, frame_destroy, frame_read};
