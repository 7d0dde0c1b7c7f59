// id: UUID v5 over length-prefixed parts. Called by state, engine and advise; the namespace below
// is Stoker's own and must never change: ids would.
#include "model/id.h"

#include <string.h>
#include <uuid/uuid.h>

#include "base/buf.h"

static const uuid_t namespace_stoker = {0x5b, 0x1f, 0x0d, 0x7e, 0x9c, 0x0a, 0x4c, 0x53,
                                        0x8f, 0x2e, 0x73, 0x74, 0x6f, 0x6b, 0x65, 0x72};

// Length first, so ("ab","c") and ("a","bc") differ.
static void add_part(struct buf *name, const char *text) {
    buf_printf(name, "%zu:%s;", strlen(text), text);
}

static void add_run(struct buf *name, const char *what, const struct run_identity *run) {
    add_part(name, what);
    add_part(name, run->cluster);
    add_part(name, run->app_id);
    add_part(name, run->attempt);
}

static void finish(struct buf *name, char out[ID_TEXT_SIZE]) {
    uuid_t id;
    uuid_generate_sha1(id, namespace_stoker, name->data, name->len);
    uuid_unparse_lower(id, out);
    buf_fini(name);
}

void id_of_run(const struct run_identity *run, char out[ID_TEXT_SIZE]) {
    struct buf name = {0};
    add_run(&name, "run", run);
    finish(&name, out);
}

void id_of_bottleneck(const struct run_identity *run, int32_t stage, int32_t stage_attempt,
                      enum bottleneck_kind kind, char out[ID_TEXT_SIZE]) {
    struct buf name = {0};
    add_run(&name, "bottleneck", run);
    buf_printf(&name, "%d.%d;", (int)stage, (int)stage_attempt);
    add_part(&name, kind_name(kind));
    finish(&name, out);
}

void id_of_recommendation(const struct run_identity *run, const char *kind,
                          char out[ID_TEXT_SIZE]) {
    struct buf name = {0};
    add_run(&name, "recommendation", run);
    add_part(&name, kind);
    finish(&name, out);
}
