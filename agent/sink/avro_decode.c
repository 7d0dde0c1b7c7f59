// avro_decode: framed bytes back to a PipelineRun, and any record of ours to JSON. Called by the
// second stage and by `stoker tail`. Bytes come from a topic anyone may write to: they are verified
// before Avro C reads them.
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
    while (kind < AVRO_RECORD_COUNT && codec->kinds[kind].fingerprint != fingerprint) {
        kind++;
    }
    return (enum avro_record)kind;
}

// Reads the record into the codec's value of its kind.
static enum status read_record(struct avro_codec *codec, struct str bytes, enum avro_record *record,
                               struct err *err) {
    *record = kind_of(codec, bytes);
    if (*record == AVRO_RECORD_COUNT) {
        return err_set(err, ST_SKIP,
                       "not a record of this release of stoker (unknown framing or schema)");
    }
    struct avro_kind *kind = &codec->kinds[*record];
    struct str body = {bytes.p + AVRO_FRAME_BYTES, bytes.len - AVRO_FRAME_BYTES};
    if (!avro_verify(kind->schema, body)) {
        return err_set(err, ST_SKIP, "a damaged %s record", avro_record_name(*record));
    }
    require(avro_value_reset(&kind->value) == 0);
    avro_reader_t reader = avro_reader_memory(body.p, (int64_t)body.len);
    int failed = avro_value_read(reader, &kind->value);
    avro_reader_free(reader);
    return failed == 0 ? ST_OK
                       : err_set(err, ST_SKIP, "a damaged %s record", avro_record_name(*record));
}

// How many elements of an array are taken: at most `max`.
static uint32_t count_of(avro_value_t *array, uint32_t max) {
    size_t size = 0;
    require(avro_value_get_size(array, &size) == 0);
    return size > max ? max : (uint32_t)size;
}

static avro_value_t element_of(avro_value_t *array, uint32_t i) {
    avro_value_t element;
    require(avro_value_get_by_index(array, i, &element, NULL) == 0);
    return element;
}

static bool take_lists(avro_value_t *record, struct pipeline_run *out) {
    avro_value_t list = avro_field(record, "stages");
    uint32_t count = count_of(&list, RUN_STAGES_MAX);
    out->stages = mem_zalloc(count, sizeof *out->stages);
    for (; out->stage_count < count; out->stage_count++) {
        avro_value_t element = element_of(&list, out->stage_count);
        if (!avro_get_rows(&element, &out->stages[out->stage_count], avro_rows_stage,
                           avro_rows_stage_count)) {
            return false;
        }
    }
    list = avro_field(record, "open_bottlenecks");
    count = count_of(&list, RUN_OPEN_MAX);
    out->open = mem_zalloc(count, sizeof *out->open);
    for (; out->open_count < count; out->open_count++) {
        avro_value_t element = element_of(&list, out->open_count);
        if (!avro_get_rows(&element, &out->open[out->open_count], avro_rows_open,
                           avro_rows_open_count)) {
            return false;
        }
    }
    list = avro_field(record, "recommendations");
    count = count_of(&list, RUN_RECOMMENDATIONS_MAX);
    out->recommendations = mem_zalloc(count, sizeof *out->recommendations);
    for (; out->recommendation_count < count; out->recommendation_count++) {
        avro_value_t element = element_of(&list, out->recommendation_count);
        struct str text = avro_get_text(&element);
        out->recommendations[out->recommendation_count] = mem_strndup(text.p, text.len);
    }
    return true;
}

enum status avro_decode_run(struct avro_codec *codec, struct str bytes, struct pipeline_run *out,
                            struct err *err) {
    enum avro_record record;
    *out = (struct pipeline_run){0};
    enum status status = read_record(codec, bytes, &record, err);
    if (status != ST_OK) {
        return status;
    }
    if (record != AVRO_RUN) {
        return err_set(err, ST_SKIP, "a %s record where a PipelineRun is wanted",
                       avro_record_name(record));
    }
    avro_value_t *value = &codec->kinds[AVRO_RUN].value;
    bool good =
        avro_get_rows(value, &out->identity, avro_rows_identity, avro_rows_identity_count) &&
        avro_get_rows(value, out, avro_rows_run, avro_rows_run_count) &&
        avro_get_rows(value, &out->totals, avro_rows_totals, avro_rows_totals_count) &&
        take_lists(value, out);
    if (!good) {
        pipeline_run_fini(out);
        return err_set(err, ST_SKIP, "a PipelineRun with a word this release does not know");
    }
    return ST_OK;
}

static void add_json(avro_value_t *value, struct buf *out);

static void add_json_list(avro_value_t *value, bool named, struct buf *out) {
    size_t size = 0;
    require(avro_value_get_size(value, &size) == 0);
    buf_add_char(out, named ? '{' : '[');
    for (size_t i = 0; i < size; i++) {
        avro_value_t element;
        const char *name = NULL;
        require(avro_value_get_by_index(value, i, &element, &name) == 0);
        buf_add_text(out, i > 0 ? "," : "");
        if (named) {
            buf_add_json(out, str_of(name));
            buf_add_char(out, ':');
        }
        add_json(&element, out);
    }
    buf_add_char(out, named ? '}' : ']');
}

static void add_json_number(avro_value_t *value, avro_type_t type, struct buf *out) {
    int32_t small = 0;
    int64_t large = 0;
    double real = 0;
    if (type == AVRO_DOUBLE) {
        require(avro_value_get_double(value, &real) == 0);
        buf_add_json_number(out, real);
        return;
    }
    require((type == AVRO_INT32 ? avro_value_get_int(value, &small)
                                : avro_value_get_long(value, &large)) == 0);
    buf_printf(out, "%lld", type == AVRO_INT32 ? (long long)small : (long long)large);
}

static void add_json(avro_value_t *value, struct buf *out) {
    avro_value_t branch;
    int truth = 0;
    avro_type_t type = avro_value_get_type(value);
    switch (type) {
    case AVRO_UNION:
        require(avro_value_get_current_branch(value, &branch) == 0);
        add_json(&branch, out);
        break;
    case AVRO_STRING:
        buf_add_json(out, avro_get_text(value));
        break;
    case AVRO_BOOLEAN:
        require(avro_value_get_boolean(value, &truth) == 0);
        buf_add_text(out, truth ? "true" : "false");
        break;
    case AVRO_INT32:
    case AVRO_INT64:
    case AVRO_DOUBLE:
        add_json_number(value, type, out);
        break;
    case AVRO_RECORD:
    case AVRO_MAP:
        add_json_list(value, true, out);
        break;
    case AVRO_ARRAY:
        add_json_list(value, false, out);
        break;
    default:
        buf_add_text(out, "null");
        break;
    }
}

enum status avro_to_json(struct avro_codec *codec, struct str bytes, enum avro_record *record,
                         struct buf *out, struct err *err) {
    enum avro_record found;
    enum status status = read_record(codec, bytes, &found, err);
    if (status == ST_OK) {
        add_json(&codec->kinds[found].value, out);
        if (record != NULL) {
            *record = found;
        }
    }
    return status;
}
