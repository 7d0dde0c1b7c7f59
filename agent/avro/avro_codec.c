// avro_codec: schemas, framing and encoding. Called by the commands and the live agent per record.
// The fields that rows know are written by them; here is the rest: lists, maps, what is computed.
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
    return codec->fingerprints[record];
}

#define BIND(record, part, rows)                                                                   \
    avro_node_bind(record, part, avro_rows_##rows, avro_rows_##rows##_count)

struct avro_codec *avro_codec_new(void) {
    struct avro_codec *codec = mem_zalloc(1, sizeof *codec);
    struct avro_node *kinds = codec->kinds;
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        const char *text = avro_schema_texts[i];
        avro_node_init(&kinds[i], text);
        require(avro_fingerprint(text, &codec->fingerprints[i], NULL, NULL) == ST_OK);
    }
    BIND(&kinds[AVRO_RUN], 0, identity);
    BIND(&kinds[AVRO_RUN], 1, run);
    BIND(&kinds[AVRO_RUN], 2, totals);
    BIND(avro_node_field(&kinds[AVRO_RUN], "stages")->children, 0, stage);
    BIND(avro_node_field(&kinds[AVRO_RUN], "open_bottlenecks")->children, 0, open);
    BIND(&kinds[AVRO_BOTTLENECK], 0, identity);
    BIND(&kinds[AVRO_BOTTLENECK], 1, bottleneck);
    BIND(&kinds[AVRO_RECOMMENDATION], 0, identity);
    BIND(&kinds[AVRO_RECOMMENDATION], 1, recommendation);
    BIND(&kinds[AVRO_WINDOW], 0, window);
    return codec;
}

void avro_codec_free(struct avro_codec *codec) {
    if (codec == NULL) {
        return;
    }
    for (int i = 0; i < AVRO_RECORD_COUNT; i++) {
        avro_node_fini(&codec->kinds[i]);
    }
    mem_free(codec);
}

static void frame(const struct avro_codec *codec, enum avro_record record, struct buf *out) {
    char bytes[AVRO_FRAME_BYTES] = {(char)0xC3, 0x01};
    for (int i = 0; i < 8; i++) {
        bytes[2 + i] = (char)(codec->fingerprints[record] >> (8 * i));
    }
    buf_clear(out);
    buf_add(out, bytes, sizeof bytes);
}

static bool is(const struct avro_node *field, const char *name) {
    return strcmp(field->name, name) == 0;
}

// Kinds of the open bottlenecks, each once.
static void put_kinds(struct buf *out, const struct pipeline_run *run) {
    unsigned seen = 0;
    for (uint32_t i = 0; i < run->open_count; i++) {
        seen |= 1u << run->open[i].kind;
    }
    avro_put_count(out, (size_t)__builtin_popcount(seen));
    for (uint32_t i = 0; i < run->open_count; i++) {
        unsigned bit = 1u << run->open[i].kind;
        if ((seen & bit) != 0) {
            avro_put_text(out, str_of(kind_name(run->open[i].kind)));
            seen &= ~bit;
        }
    }
    avro_put_end(out);
}

// Records of an array, `size` bytes apart.
static void put_records(struct buf *out, const struct avro_node *array, const void *first,
                        uint32_t count, size_t size) {
    avro_put_count(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const void *const part = (const char *)first + i * size;
        avro_put_record(out, array->children, &part, NULL, NULL);
    }
    avro_put_end(out);
}

static void put_rest_of_run(struct buf *out, const struct avro_node *field, const void *ctx) {
    const struct pipeline_run *run = ctx;
    if (is(field, "data_size_gb")) {
        avro_put_double(out, (double)run->totals.data_size_bytes / 1073741824.0);
    } else if (is(field, "stages")) {
        put_records(out, field, run->stages, run->stage_count, sizeof *run->stages);
    } else if (is(field, "open_bottlenecks")) {
        put_records(out, field, run->open, run->open_count, sizeof *run->open);
    } else if (is(field, "bottleneck_kinds")) {
        put_kinds(out, run);
    } else {
        require(is(field, "recommendations"));
        avro_put_count(out, run->recommendation_count);
        for (uint32_t i = 0; i < run->recommendation_count; i++) {
            avro_put_text(out, str_of(run->recommendations[i]));
        }
        avro_put_end(out);
    }
}

void avro_encode_run(struct avro_codec *codec, const struct pipeline_run *run, struct buf *out) {
    const void *const parts[] = {&run->identity, run, &run->totals};
    frame(codec, AVRO_RUN, out);
    avro_put_record(out, &codec->kinds[AVRO_RUN], parts, put_rest_of_run, run);
}

struct of_run {
    const char *run_id;
    const void *record;
};

static struct str evidence_key(const void *ctx, uint32_t i) {
    return str_of(((const struct bottleneck *)ctx)->evidence[i].name);
}

static void put_evidence_value(struct buf *out, const void *ctx, uint32_t i) {
    avro_put_double(out, ((const struct bottleneck *)ctx)->evidence[i].value);
}

static void put_rest_of_bottleneck(struct buf *out, const struct avro_node *field,
                                   const void *ctx) {
    const struct of_run *of = ctx;
    const struct bottleneck *b = of->record;
    if (is(field, "run_id")) {
        avro_put_text(out, str_of(of->run_id));
    } else if (is(field, "rule_met")) {
        avro_put_long(out, b->rule_met != TRI_NULL);
        if (b->rule_met != TRI_NULL) {
            buf_add_char(out, b->rule_met == TRI_TRUE);
        }
    } else if (is(field, "reason")) {
        avro_put_long(out, b->reason != NULL);
        if (b->reason != NULL) {
            avro_put_text(out, str_of(b->reason));
        }
    } else {
        require(is(field, "evidence"));
        avro_put_map(out, b->evidence_count, evidence_key, put_evidence_value, b);
    }
}

void avro_encode_bottleneck(struct avro_codec *codec, const struct run_identity *identity,
                            const char *run_id, const struct bottleneck *bottleneck,
                            struct buf *out) {
    const void *const parts[] = {identity, bottleneck};
    struct of_run of = {run_id, bottleneck};
    frame(codec, AVRO_BOTTLENECK, out);
    avro_put_record(out, &codec->kinds[AVRO_BOTTLENECK], parts, put_rest_of_bottleneck, &of);
}

static struct str setting_key(const void *ctx, uint32_t i) {
    return str_of(((const struct recommendation *)ctx)->settings[i].key);
}

static void put_setting_value(struct buf *out, const void *ctx, uint32_t i) {
    avro_put_text(out, str_of(((const struct recommendation *)ctx)->settings[i].value));
}

static void put_rest_of_recommendation(struct buf *out, const struct avro_node *field,
                                       const void *ctx) {
    const struct of_run *of = ctx;
    const struct recommendation *r = of->record;
    if (is(field, "run_id")) {
        avro_put_text(out, str_of(of->run_id));
    } else if (is(field, "bottlenecks")) {
        avro_put_count(out, r->bottleneck_count);
        for (uint32_t i = 0; i < r->bottleneck_count; i++) {
            avro_put_text(out, str_of(r->bottlenecks[i]));
        }
        avro_put_end(out);
    } else {
        require(is(field, "settings"));
        avro_put_map(out, r->setting_count, setting_key, put_setting_value, r);
    }
}

void avro_encode_recommendation(struct avro_codec *codec, const struct run_identity *identity,
                                const char *run_id, const struct recommendation *recommendation,
                                struct buf *out) {
    const void *const parts[] = {identity, recommendation};
    struct of_run of = {run_id, recommendation};
    frame(codec, AVRO_RECOMMENDATION, out);
    avro_put_record(out, &codec->kinds[AVRO_RECOMMENDATION], parts, put_rest_of_recommendation,
                    &of);
}

static struct str severity_key(const void *ctx, uint32_t i) {
    (void)ctx;
    return str_of(severity_name((enum severity)i));
}

static void put_severity_value(struct buf *out, const void *ctx, uint32_t i) {
    avro_put_long(out, ((const struct pipeline_window *)ctx)->open_bottlenecks[i]);
}

static void put_rest_of_window(struct buf *out, const struct avro_node *field, const void *ctx) {
    require(is(field, "open_bottlenecks"));
    avro_put_map(out, SEVERITY_COUNT, severity_key, put_severity_value, ctx);
}

void avro_encode_window(struct avro_codec *codec, const struct pipeline_window *window,
                        struct buf *out) {
    const void *const parts[] = {window};
    frame(codec, AVRO_WINDOW, out);
    avro_put_record(out, &codec->kinds[AVRO_WINDOW], parts, put_rest_of_window, window);
}
