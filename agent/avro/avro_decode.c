// avro_decode: framed bytes back to a PipelineRun, and any record of ours to JSON. Called by the
// second stage and by `stoker tail`. Bytes come from a topic anyone may write to: they are verified
// first, then read along the schema without building values.
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "base/mem.h"

// The kind of record whose frame the bytes begin with, or AVRO_RECORD_COUNT.
static enum avro_record kind_of(const struct avro_codec *codec, struct str bytes) {
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (bytes.len < AVRO_FRAME_BYTES || p[0] != 0xC3 || p[1] != 0x01) {
        return AVRO_RECORD_COUNT;
    }
    uint64_t fingerprint = 0;
    for (int i = 0; i < 8; i++) {
        fingerprint |= (uint64_t)p[2 + i] << (8 * i);
    }
    int kind = 0;
    while (kind < AVRO_RECORD_COUNT && codec->fingerprints[kind] != fingerprint) {
        kind++;
    }
    return (enum avro_record)kind;
}

// Verifies the record; *body is then where its fields begin.
static enum status open_record(const struct avro_codec *codec, struct str bytes,
                               enum avro_record *record, struct avro_bytes *body, struct err *err) {
    *record = kind_of(codec, bytes);
    if (*record == AVRO_RECORD_COUNT) {
        return err_set(err, ST_SKIP,
                       "not a record of this release of stoker (unknown framing or schema)");
    }
    struct str rest = {bytes.p + AVRO_FRAME_BYTES, bytes.len - AVRO_FRAME_BYTES};
    if (!avro_verify(&codec->kinds[*record], rest)) {
        return err_set(err, ST_SKIP, "a damaged %s record", avro_record_name(*record));
    }
    body->at = (const unsigned char *)rest.p;
    body->end = body->at + rest.len;
    return ST_OK;
}

static bool take_record(struct avro_bytes *from, const struct avro_node *record, void *into) {
    for (unsigned i = 0; i < record->count; i++) {
        if (!avro_take_field(from, &record->children[i], &into)) {
            return false;
        }
    }
    return true;
}

// The lists take their first items; what is beyond their bounds was verified and is passed over.
static bool take_stages(struct avro_bytes *from, const struct avro_node *item,
                        struct pipeline_run *out) {
    uint32_t cap = 0;
    for (int64_t block = 0; avro_take_item(from, &block);) {
        if (out->stage_count == RUN_STAGES_MAX) {
            require(avro_walk(from, item));
            continue;
        }
        MEM_GROW(out->stages, out->stage_count, cap);
        struct stage_summary *stage = &out->stages[out->stage_count++];
        memset(stage, 0, sizeof *stage);
        if (!take_record(from, item, stage)) {
            return false;
        }
    }
    return true;
}

static bool take_open(struct avro_bytes *from, const struct avro_node *item,
                      struct pipeline_run *out) {
    uint32_t cap = 0;
    for (int64_t block = 0; avro_take_item(from, &block);) {
        if (out->open_count == RUN_OPEN_MAX) {
            require(avro_walk(from, item));
            continue;
        }
        MEM_GROW(out->open, out->open_count, cap);
        struct open_bottleneck *open = &out->open[out->open_count++];
        memset(open, 0, sizeof *open);
        if (!take_record(from, item, open)) {
            return false;
        }
    }
    return true;
}

static void take_recommendations(struct avro_bytes *from, struct pipeline_run *out) {
    uint32_t cap = 0;
    for (int64_t block = 0; avro_take_item(from, &block);) {
        struct str text = avro_take_text(from);
        if (out->recommendation_count < RUN_RECOMMENDATIONS_MAX) {
            MEM_GROW(out->recommendations, out->recommendation_count, cap);
            out->recommendations[out->recommendation_count++] = mem_strndup(text.p, text.len);
        }
    }
}

static bool take_run(struct avro_bytes *from, const struct avro_node *record,
                     enum avro_stages stages, struct pipeline_run *out) {
    void *const parts[] = {&out->identity, out, &out->totals};
    bool good = true;
    for (unsigned i = 0; good && i < record->count; i++) {
        const struct avro_node *field = &record->children[i];
        if (field->row == NULL && stages == AVRO_TAKE_STAGES &&
            strcmp(field->name, "stages") == 0) {
            good = take_stages(from, field->children, out);
        } else if (field->row == NULL && strcmp(field->name, "open_bottlenecks") == 0) {
            good = take_open(from, field->children, out);
        } else if (field->row == NULL && strcmp(field->name, "recommendations") == 0) {
            take_recommendations(from, out);
        } else {
            good = avro_take_field(from, field, parts);
        }
    }
    return good;
}

enum status avro_decode_run(struct avro_codec *codec, struct str bytes, enum avro_stages stages,
                            struct pipeline_run *out, struct err *err) {
    enum avro_record record;
    struct avro_bytes body;
    *out = (struct pipeline_run){0};
    enum status status = open_record(codec, bytes, &record, &body, err);
    if (status != ST_OK) {
        return status;
    }
    if (record != AVRO_RUN) {
        return err_set(err, ST_SKIP, "a %s record where a PipelineRun is wanted",
                       avro_record_name(record));
    }
    if (!take_run(&body, &codec->kinds[AVRO_RUN], stages, out)) {
        pipeline_run_fini(out);
        return err_set(err, ST_SKIP, "a PipelineRun with a word this release does not know");
    }
    return ST_OK;
}

enum status avro_to_json(struct avro_codec *codec, struct str bytes, enum avro_record *record,
                         struct buf *out, struct err *err) {
    enum avro_record found;
    struct avro_bytes body;
    enum status status = open_record(codec, bytes, &found, &body, err);
    if (status == ST_OK) {
        avro_take_json(&body, &codec->kinds[found], out);
        if (record != NULL) {
            *record = found;
        }
    }
    return status;
}
