// avro_write: our records as Avro binary, framed, by the rows of avro_rows.c and in the order of
// the schema that the codec was told to write by. Called by the commands and the live agent per
// record; takes no memory but the output's. Text is mended and numbers are made finite here, so
// that what goes out is valid whatever an application is called.
//
// By hand, as reading is: through Avro C's values, a field is searched by name, every list is built
// in memory and walked twice, which took longer than all judging. Tests hold every byte against
// Avro C.
#include <math.h>
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"

void avro_put_long(struct buf *out, int64_t number) {
    uint64_t rest = ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
    char *at = buf_reserve(out, 10);
    size_t n = 0;
    for (; rest >= 0x80; rest >>= 7) {
        at[n++] = (char)(rest | 0x80);
    }
    at[n++] = (char)rest;
    at[n] = '\0';
    out->len += n;
}

void avro_put_double(struct buf *out, double number) {
    uint64_t bits;
    char bytes[8];
    number = isfinite(number) ? number : 0;
    memcpy(&bits, &number, sizeof bits);
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (char)(bits >> (8 * i));
    }
    buf_add(out, bytes, sizeof bytes);
}

void avro_put_text(struct buf *out, struct str text) {
    struct buf mended = {0};
    if (!str_is_utf8(text)) {
        buf_add_mended(&mended, text);
        text = buf_str(&mended);
    }
    avro_put_long(out, (int64_t)text.len);
    buf_add_str(out, text);
    buf_fini(&mended);
}

// The branch of ["null", number].
static void put_optional(struct buf *out, bool present, int64_t number) {
    avro_put_long(out, present ? 1 : 0);
    if (present) {
        avro_put_long(out, number);
    }
}

static void put_row(struct buf *out, const void *from, const struct field_row *row) {
    const void *at = (const char *)from + row->offset;
    switch (row->type) {
    case FIELD_CHARS:
        avro_put_text(out, str_of(at));
        break;
    case FIELD_TEXT:
        avro_put_text(out, str_of(*(const char *const *)at));
        break;
    case FIELD_I64:
        avro_put_long(out, *(const int64_t *)at);
        break;
    case FIELD_I32:
        avro_put_long(out, *(const int32_t *)at);
        break;
    case FIELD_F64:
        avro_put_double(out, *(const double *)at);
        break;
    case FIELD_BOOL:
        buf_add_char(out, *(const bool *)at ? 1 : 0);
        break;
    case FIELD_TIME:
        put_optional(out, *(const int64_t *)at != 0, *(const int64_t *)at);
        break;
    case FIELD_OPT_I32:
        put_optional(out, *(const int32_t *)at >= 0, *(const int32_t *)at);
        break;
    case FIELD_WORD:
        avro_put_text(out, str_of(row->word(*(const int *)at)));
        break;
    }
}

// A field that no row knows; false if it is none that the program writes.
typedef bool put_rest(struct buf *out, const struct avro_node *field, const void *ctx);

// A record, its rows from the structs in `parts`; rest may be NULL if rows know all its fields.
// What only the schema knows gets the schema's default.
static void put_record(struct buf *out, const struct avro_node *record, const void *const parts[],
                       put_rest *rest, const void *ctx) {
    for (unsigned i = 0; i < record->count; i++) {
        const struct avro_node *field = &record->children[i];
        if (field->row != NULL) {
            put_row(out, parts[field->part], field->row);
        } else if (rest == NULL || !rest(out, field, ctx)) {
            require(field->initial != NULL);
            buf_add(out, field->initial, field->initial_bytes);
        }
    }
}

void avro_put_count(struct buf *out, size_t count) {
    if (count > 0) {
        avro_put_long(out, (int64_t)count);
    }
}

void avro_put_end(struct buf *out) {
    buf_add_char(out, 0);
}

static bool same_when_mended(struct str a, struct str b) {
    if (str_eq(a, b) || (str_is_utf8(a) && str_is_utf8(b))) {
        return str_eq(a, b);
    }
    struct buf one = {0}, other = {0};
    buf_add_mended(&one, a);
    buf_add_mended(&other, b);
    bool same = str_eq(buf_str(&one), buf_str(&other));
    buf_fini(&one);
    buf_fini(&other);
    return same;
}

typedef struct str map_key(const void *ctx, uint32_t i);
typedef void put_value(struct buf *out, const void *ctx, uint32_t i);

// A map of at most AVRO_MAP_MAX entries. Keys that are alike when mended are one, the last counts.
static void put_map(struct buf *out, uint32_t count, map_key *key, put_value *value,
                    const void *ctx) {
    bool again[AVRO_MAP_MAX] = {false};
    size_t kept = 0;
    count = count < AVRO_MAP_MAX ? count : AVRO_MAP_MAX;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t later = i + 1; later < count && !again[i]; later++) {
            again[i] = same_when_mended(key(ctx, i), key(ctx, later));
        }
        kept += !again[i];
    }
    avro_put_count(out, kept);
    for (uint32_t i = 0; i < count; i++) {
        if (!again[i]) {
            avro_put_text(out, key(ctx, i));
            value(out, ctx, i);
        }
    }
    avro_put_end(out);
}
// The frame, then the record.
static void put_framed(const struct avro_codec *codec, enum avro_record record,
                       const void *const parts[], put_rest *rest, const void *ctx,
                       struct buf *out) {
    const struct avro_schema *schema = codec->writes[record];
    char frame[AVRO_FRAME_BYTES] = {(char)0xC3, 0x01};
    for (int i = 0; i < 8; i++) {
        frame[2 + i] = (char)(schema->fingerprint >> (8 * i));
    }
    buf_clear(out);
    buf_add(out, frame, sizeof frame);
    put_record(out, &schema->root, parts, rest, ctx);
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
        put_record(out, array->children, &part, NULL, NULL);
    }
    avro_put_end(out);
}

static bool put_rest_of_run(struct buf *out, const struct avro_node *field, const void *ctx) {
    const struct pipeline_run *run = ctx;
    if (is(field, "data_size_gb")) {
        avro_put_double(out, (double)run->totals.data_size_bytes / 1073741824.0);
    } else if (is(field, "stages")) {
        put_records(out, field, run->stages, run->stage_count, sizeof *run->stages);
    } else if (is(field, "open_bottlenecks")) {
        put_records(out, field, run->open, run->open_count, sizeof *run->open);
    } else if (is(field, "bottleneck_kinds")) {
        put_kinds(out, run);
    } else if (is(field, "recommendations")) {
        avro_put_count(out, run->recommendation_count);
        for (uint32_t i = 0; i < run->recommendation_count; i++) {
            avro_put_text(out, str_of(run->recommendations[i]));
        }
        avro_put_end(out);
    } else {
        return false;
    }
    return true;
}

void avro_encode_run(struct avro_codec *codec, const struct pipeline_run *run, struct buf *out) {
    const void *const parts[] = {&run->identity, run, &run->totals};
    put_framed(codec, AVRO_RUN, parts, put_rest_of_run, run, out);
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

static bool put_rest_of_bottleneck(struct buf *out, const struct avro_node *field,
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
    } else if (is(field, "evidence")) {
        put_map(out, b->evidence_count, evidence_key, put_evidence_value, b);
    } else {
        return false;
    }
    return true;
}

void avro_encode_bottleneck(struct avro_codec *codec, const struct run_identity *identity,
                            const char *run_id, const struct bottleneck *bottleneck,
                            struct buf *out) {
    const void *const parts[] = {identity, bottleneck};
    struct of_run of = {run_id, bottleneck};
    put_framed(codec, AVRO_BOTTLENECK, parts, put_rest_of_bottleneck, &of, out);
}

static struct str setting_key(const void *ctx, uint32_t i) {
    return str_of(((const struct recommendation *)ctx)->settings[i].key);
}

static void put_setting_value(struct buf *out, const void *ctx, uint32_t i) {
    avro_put_text(out, str_of(((const struct recommendation *)ctx)->settings[i].value));
}

static bool put_rest_of_recommendation(struct buf *out, const struct avro_node *field,
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
    } else if (is(field, "settings")) {
        put_map(out, r->setting_count, setting_key, put_setting_value, r);
    } else {
        return false;
    }
    return true;
}

void avro_encode_recommendation(struct avro_codec *codec, const struct run_identity *identity,
                                const char *run_id, const struct recommendation *recommendation,
                                struct buf *out) {
    const void *const parts[] = {identity, recommendation};
    struct of_run of = {run_id, recommendation};
    put_framed(codec, AVRO_RECOMMENDATION, parts, put_rest_of_recommendation, &of, out);
}

static struct str severity_key(const void *ctx, uint32_t i) {
    (void)ctx;
    return str_of(severity_name((enum severity)i));
}

static void put_severity_value(struct buf *out, const void *ctx, uint32_t i) {
    avro_put_long(out, ((const struct pipeline_window *)ctx)->open_bottlenecks[i]);
}

static bool put_rest_of_window(struct buf *out, const struct avro_node *field, const void *ctx) {
    if (!is(field, "open_bottlenecks")) {
        return false;
    }
    put_map(out, SEVERITY_COUNT, severity_key, put_severity_value, ctx);
    return true;
}

void avro_encode_window(struct avro_codec *codec, const struct pipeline_window *window,
                        struct buf *out) {
    const void *const parts[] = {window};
    put_framed(codec, AVRO_WINDOW, parts, put_rest_of_window, window, out);
}
