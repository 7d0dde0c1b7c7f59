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

// Room for `more` bytes, which there is most of the time: a call for each number would show.
static char *room(struct buf *out, size_t more) {
    return out->cap - out->len > more ? out->data + out->len : buf_reserve(out, more);
}

void avro_put_long(struct buf *out, int64_t number) {
    uint64_t rest = ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
    char *at = room(out, 10);
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
    char *at = room(out, sizeof bits);
    number = isfinite(number) ? number : 0;
    memcpy(&bits, &number, sizeof bits);
    for (unsigned i = 0; i < sizeof bits; i++) {
        at[i] = (char)(bits >> (8 * i));
    }
    at[sizeof bits] = '\0';
    out->len += sizeof bits;
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

// The text a NAME or TEXT points to.
static struct str text_at(const void *at) {
    return str_of(*(const char *const *)at);
}

// The entries of a map: structs of a text and a value, or numbers whose places have words.
struct entries {
    const struct record_row *row;
    const char *first;
    uint32_t count;
};

static struct str entry_key(const struct entries *entries, uint32_t i) {
    const struct record_row *row = entries->row;
    return row->type == RECORD_PLACES
               ? str_of(vocabulary_name(row->words, (int)i))
               : text_at(entries->first + i * row->item->size + row->item->rows[0].offset);
}

static void put_entry_value(struct buf *out, const struct entries *entries, uint32_t i) {
    const struct record_row *row = entries->row;
    if (row->type == RECORD_PLACES) {
        avro_put_long(out, *(const int64_t *)(const void *)(entries->first + i * row->size));
        return;
    }
    const struct record_row *value = &row->item->rows[1];
    const void *at = entries->first + i * row->item->size + value->offset;
    if (value->type == RECORD_F64) {
        avro_put_double(out, *(const double *)at);
    } else {
        avro_put_text(out, text_at(at));
    }
}

// A map of at most AVRO_MAP_MAX entries. Keys that are alike when mended are one, the last counts.
static void put_map(struct buf *out, const struct entries *entries) {
    bool again[AVRO_MAP_MAX] = {false};
    size_t kept = 0;
    uint32_t count = entries->count < AVRO_MAP_MAX ? entries->count : AVRO_MAP_MAX;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t later = i + 1; later < count && !again[i]; later++) {
            again[i] = same_when_mended(entry_key(entries, i), entry_key(entries, later));
        }
        kept += !again[i];
    }
    avro_put_count(out, kept);
    for (uint32_t i = 0; i < count; i++) {
        if (!again[i]) {
            avro_put_text(out, entry_key(entries, i));
            put_entry_value(out, entries, i);
        }
    }
    avro_put_end(out);
}

// A field that no row knows; false if it is none that the program writes.
typedef bool put_rest(struct buf *out, const struct avro_node *field, const void *ctx);

static void put_record(struct buf *out, const struct avro_node *record, const void *const parts[],
                       put_rest *rest, const void *ctx);

static void put_list(struct buf *out, const struct avro_node *field, const char *owner) {
    const struct record_row *row = field->row;
    const char *at = owner + row->offset;
    const char *first = row->type == RECORD_LIST ? *(const char *const *)(const void *)at : at;
    uint32_t count = *(const uint32_t *)(const void *)(owner + row->count_offset);
    if (field->type == AVRO_T_MAP) {
        put_map(out, &(struct entries){row, first, count});
        return;
    }
    avro_put_count(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const void *const item = first + i * row->item->size;
        put_record(out, field->children, &item, NULL, NULL);
    }
    avro_put_end(out);
}

// Branch 1 of a ["null", T], or null; true if its value follows.
static bool put_branch(struct buf *out, const struct avro_node *field, bool present) {
    bool optional = field->type == AVRO_T_UNION;
    if (optional) {
        avro_put_long(out, present ? 1 : 0);
    }
    return present || !optional;
}

static void put_i32(struct buf *out, const struct avro_node *field, int32_t number) {
    if (!put_branch(out, field, number >= 0)) {
        return;
    }
    if (field->type == AVRO_T_UNION && field->children[1].type == AVRO_T_BOOLEAN) {
        buf_add_char(out, number != 0 ? 1 : 0);
    } else {
        avro_put_long(out, number);
    }
}

// The field's row, from the struct that it is of.
static void put_row(struct buf *out, const struct avro_node *field, const char *part) {
    const struct record_row *row = field->row;
    const void *at = part + field->at;
    switch (field->row_type) {
    case RECORD_I64: // nearly all there is
        if (field->type == AVRO_T_LONG || put_branch(out, field, *(const int64_t *)at != 0)) {
            avro_put_long(out, *(const int64_t *)at);
        }
        break;
    case RECORD_I32:
        put_i32(out, field, *(const int32_t *)at);
        break;
    case RECORD_F64:
        avro_put_double(out, *(const double *)at);
        break;
    case RECORD_BOOL:
        buf_add_char(out, *(const bool *)at ? 1 : 0);
        break;
    case RECORD_CHARS:
        avro_put_text(out, str_of(at));
        break;
    case RECORD_NAME:
    case RECORD_TEXT:
        if (put_branch(out, field, *(const char *const *)at != NULL)) {
            avro_put_text(out, text_at(at));
        }
        break;
    case RECORD_WORD:
        avro_put_text(out, str_of(vocabulary_name(row->words, *(const int *)at)));
        break;
    case RECORD_PLACES:
        put_map(out, &(struct entries){row, at, row->max});
        break;
    default:
        put_list(out, field, part + field->base);
        break;
    }
}

// A record, its rows from the structs in `parts`; rest may be NULL if rows know all its fields.
// What only the schema knows gets the schema's default.
static void put_record(struct buf *out, const struct avro_node *record, const void *const parts[],
                       put_rest *rest, const void *ctx) {
    for (unsigned i = 0; i < record->count; i++) {
        const struct avro_node *field = &record->children[i];
        if (field->row != NULL) {
            put_row(out, field, parts[field->part]);
        } else if (rest == NULL || !rest(out, field, ctx)) {
            require(field->initial != NULL);
            buf_add(out, field->initial, field->initial_bytes);
        }
    }
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

static bool put_rest_of_run(struct buf *out, const struct avro_node *field, const void *ctx) {
    const struct pipeline_run *run = ctx;
    if (is(field, "data_size_gb")) {
        avro_put_double(out, (double)run->totals.data_size_bytes / 1073741824.0);
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
    const void *const parts[] = {run};
    put_framed(codec, AVRO_RUN, parts, put_rest_of_run, run, out);
}

void avro_encode_bottleneck(struct avro_codec *codec, const struct run_identity *identity,
                            const char *run_id, const struct bottleneck *bottleneck,
                            struct buf *out) {
    const void *const parts[] = {bottleneck, identity, &(struct avro_of_run){run_id}};
    put_framed(codec, AVRO_BOTTLENECK, parts, NULL, NULL, out);
}

static bool put_rest_of_recommendation(struct buf *out, const struct avro_node *field,
                                       const void *ctx) {
    const struct recommendation *r = ctx;
    if (!is(field, "bottlenecks")) {
        return false;
    }
    avro_put_count(out, r->bottleneck_count);
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        avro_put_text(out, str_of(r->bottlenecks[i]));
    }
    avro_put_end(out);
    return true;
}

void avro_encode_recommendation(struct avro_codec *codec, const struct run_identity *identity,
                                const char *run_id, const struct recommendation *recommendation,
                                struct buf *out) {
    const void *const parts[] = {recommendation, identity, &(struct avro_of_run){run_id}};
    put_framed(codec, AVRO_RECOMMENDATION, parts, put_rest_of_recommendation, recommendation, out);
}

void avro_encode_window(struct avro_codec *codec, const struct pipeline_window *window,
                        struct buf *out) {
    const void *const parts[] = {window};
    put_framed(codec, AVRO_WINDOW, parts, NULL, NULL, out);
}
