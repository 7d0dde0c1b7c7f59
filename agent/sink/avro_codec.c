// avro_codec: schemas, framing and encoding. Called by the commands per record; one value per kind
// of record is reused, so encoding allocates only where a record has lists.
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "base/mem.h"

extern const char *const avro_schema_texts[AVRO_RECORD_COUNT]; // made from schemas/ by the build

static const char *const names[AVRO_RECORD_COUNT] = {
    [AVRO_RUN] = "PipelineRun",
    [AVRO_BOTTLENECK] = "Bottleneck",
    [AVRO_RECOMMENDATION] = "Recommendation",
    [AVRO_WINDOW] = "PipelineWindow",
};

const char *avro_record_name(enum avro_record record) {
    return names[record];
}

const char *avro_schema_text(enum avro_record record) {
    return avro_schema_texts[record];
}

uint64_t avro_schema_fingerprint(const struct avro_codec *codec, enum avro_record record) {
    return codec->kinds[record].fingerprint;
}

struct avro_codec *avro_codec_new(void) {
    struct avro_codec *codec = mem_zalloc(1, sizeof *codec);
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        struct avro_kind *kind = &codec->kinds[i];
        const char *text = avro_schema_texts[i];
        require(avro_schema_from_json_length(text, strlen(text), &kind->schema) == 0);
        kind->class = avro_generic_class_from_schema(kind->schema);
        require(avro_generic_value_new(kind->class, &kind->value) == 0);
        require(avro_fingerprint(text, &kind->fingerprint, NULL, NULL) == ST_OK);
    }
    return codec;
}

void avro_codec_free(struct avro_codec *codec) {
    if (codec == NULL) {
        return;
    }
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        avro_value_decref(&codec->kinds[i].value);
        avro_value_iface_decref(codec->kinds[i].class);
        avro_schema_decref(codec->kinds[i].schema);
    }
    buf_fini(&codec->text);
    mem_free(codec);
}

static avro_value_t *begin(struct avro_codec *codec, enum avro_record record) {
    avro_value_t *value = &codec->kinds[record].value;
    require(avro_value_reset(value) == 0);
    return value;
}

static void finish(struct avro_codec *codec, enum avro_record record, struct buf *out) {
    struct avro_kind *kind = &codec->kinds[record];
    size_t size = 0;
    require(avro_value_sizeof(&kind->value, &size) == 0);
    buf_clear(out);
    char *at = buf_reserve(out, AVRO_FRAME_BYTES + size);
    at[0] = (char)0xC3;
    at[1] = 0x01;
    for (int i = 0; i < 8; i++) {
        at[2 + i] = (char)(kind->fingerprint >> (8 * i));
    }
    avro_writer_t writer = avro_writer_memory(at + AVRO_FRAME_BYTES, (int64_t)size);
    require(avro_value_write(writer, &kind->value) == 0);
    avro_writer_free(writer);
    out->len += AVRO_FRAME_BYTES + size;
    out->data[out->len] = '\0';
}

static avro_value_t append(avro_value_t *array) {
    avro_value_t element;
    require(avro_value_append(array, &element, NULL) == 0);
    return element;
}

// Kinds of the open bottlenecks, each once.
static void put_kinds(struct avro_codec *codec, avro_value_t *record,
                      const struct pipeline_run *run) {
    avro_value_t kinds = avro_field(record, "bottleneck_kinds");
    unsigned seen = 0;
    for (uint32_t i = 0; i < run->open_count; i++) {
        enum bottleneck_kind kind = run->open[i].kind;
        if ((seen & (1u << kind)) == 0) {
            avro_value_t element = append(&kinds);
            avro_put_text_value(codec, &element, str_of(kind_name(kind)));
            seen |= 1u << kind;
        }
    }
}

void avro_encode_run(struct avro_codec *codec, const struct pipeline_run *run, struct buf *out) {
    avro_value_t *record = begin(codec, AVRO_RUN);
    avro_put_rows(codec, record, &run->identity, avro_rows_identity, avro_rows_identity_count);
    avro_put_rows(codec, record, run, avro_rows_run, avro_rows_run_count);
    avro_put_rows(codec, record, &run->totals, avro_rows_totals, avro_rows_totals_count);
    avro_value_t gb = avro_field(record, "data_size_gb");
    avro_put_double(&gb, (double)run->totals.data_size_bytes / 1073741824.0);
    avro_value_t stages = avro_field(record, "stages");
    for (uint32_t i = 0; i < run->stage_count; i++) {
        avro_value_t element = append(&stages);
        avro_put_rows(codec, &element, &run->stages[i], avro_rows_stage, avro_rows_stage_count);
    }
    put_kinds(codec, record, run);
    avro_value_t open = avro_field(record, "open_bottlenecks");
    for (uint32_t i = 0; i < run->open_count; i++) {
        avro_value_t element = append(&open);
        avro_put_rows(codec, &element, &run->open[i], avro_rows_open, avro_rows_open_count);
    }
    avro_value_t texts = avro_field(record, "recommendations");
    for (uint32_t i = 0; i < run->recommendation_count; i++) {
        avro_value_t element = append(&texts);
        avro_put_text_value(codec, &element, str_of(run->recommendations[i]));
    }
    finish(codec, AVRO_RUN, out);
}

static void put_rule(struct avro_codec *codec, avro_value_t *record, const struct bottleneck *b) {
    avro_value_t rule = avro_field(record, "rule_met"), reason = avro_field(record, "reason"),
                 branch;
    bool known = b->rule_met != TRI_NULL;
    require(avro_value_set_branch(&rule, known, &branch) == 0);
    require((known ? avro_value_set_boolean(&branch, b->rule_met == TRI_TRUE)
                   : avro_value_set_null(&branch)) == 0);
    require(avro_value_set_branch(&reason, b->reason != NULL, &branch) == 0);
    if (b->reason != NULL) {
        avro_put_text_value(codec, &branch, str_of(b->reason));
    } else {
        require(avro_value_set_null(&branch) == 0);
    }
}

void avro_encode_bottleneck(struct avro_codec *codec, const struct run_identity *identity,
                            const char *run_id, const struct bottleneck *bottleneck,
                            struct buf *out) {
    avro_value_t *record = begin(codec, AVRO_BOTTLENECK);
    avro_put_rows(codec, record, identity, avro_rows_identity, avro_rows_identity_count);
    avro_put_text(codec, record, "run_id", str_of(run_id));
    avro_put_rows(codec, record, bottleneck, avro_rows_bottleneck, avro_rows_bottleneck_count);
    put_rule(codec, record, bottleneck);
    avro_value_t evidence = avro_field(record, "evidence");
    for (uint32_t i = 0; i < bottleneck->evidence_count; i++) {
        avro_value_t element = avro_put_key(codec, &evidence, str_of(bottleneck->evidence[i].name));
        avro_put_double(&element, bottleneck->evidence[i].value);
    }
    finish(codec, AVRO_BOTTLENECK, out);
}

void avro_encode_recommendation(struct avro_codec *codec, const struct run_identity *identity,
                                const char *run_id, const struct recommendation *r,
                                struct buf *out) {
    avro_value_t *record = begin(codec, AVRO_RECOMMENDATION);
    avro_put_rows(codec, record, identity, avro_rows_identity, avro_rows_identity_count);
    avro_put_text(codec, record, "run_id", str_of(run_id));
    avro_put_text(codec, record, "id", str_of(r->id));
    avro_put_text(codec, record, "kind", str_of(r->kind));
    avro_put_text(codec, record, "action", str_of(r->action));
    avro_put_text(codec, record, "saving_how", str_of(r->saving_how));
    avro_value_t field = avro_field(record, "saving_s");
    avro_put_double(&field, r->saving_s);
    field = avro_field(record, "revision");
    require(avro_value_set_int(&field, r->revision) == 0);
    field = avro_field(record, "updated_ms");
    require(avro_value_set_long(&field, r->updated_ms) == 0);
    avro_value_t ids = avro_field(record, "bottlenecks");
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        avro_value_t element = append(&ids);
        avro_put_text_value(codec, &element, str_of(r->bottlenecks[i]));
    }
    avro_value_t settings = avro_field(record, "settings");
    for (uint32_t i = 0; i < r->setting_count; i++) {
        avro_value_t element = avro_put_key(codec, &settings, str_of(r->settings[i].key));
        avro_put_text_value(codec, &element, str_of(r->settings[i].value));
    }
    finish(codec, AVRO_RECOMMENDATION, out);
}

void avro_encode_window(struct avro_codec *codec, const struct pipeline_window *window,
                        struct buf *out) {
    avro_value_t *record = begin(codec, AVRO_WINDOW);
    avro_put_rows(codec, record, window, avro_rows_window, avro_rows_window_count);
    avro_value_t open = avro_field(record, "open_bottlenecks");
    for (int s = 0; s < SEVERITY_COUNT; s++) {
        avro_value_t element = avro_put_key(codec, &open, str_of(severity_name((enum severity)s)));
        require(avro_value_set_long(&element, window->open_bottlenecks[s]) == 0);
    }
    finish(codec, AVRO_WINDOW, out);
}
