// avro_write: our records as Avro binary, framed, by the rows of their tables and in the order of
// the schema that the codec was told to write by; and the defaults of a schema. Called per record
// by the stages of the live agent; takes no memory but the output's. Text is mended and numbers
// are made finite here, so that what goes out is valid whatever an application is called.
//
// By hand, as reading is: through Avro C's values, a field is searched by name, every list is built
// in memory and walked twice, which took longer than all judging. Tests hold every byte against
// Avro C.
#include <math.h>
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "model/limit.h"

// Room for `more` bytes, which there is most of the time: a call for each number would show.
static char *room(struct buf *out, size_t more) {
    return out->cap - out->len > more ? out->data + out->len : buf_reserve(out, more);
}

static void put_long(struct buf *out, int64_t number) {
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

static void put_double(struct buf *out, double number) {
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

static void put_text(struct buf *out, struct str text) {
    struct buf mended = {0};
    if (!str_is_utf8(text)) {
        buf_add_mended(&mended, text);
        text = buf_str(&mended);
    }
    put_long(out, (int64_t)text.len);
    buf_add_str(out, text);
    buf_fini(&mended);
}

static void put_count(struct buf *out, size_t count) {
    if (count > 0) {
        put_long(out, (int64_t)count);
    }
}

static void put_end(struct buf *out) {
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
        put_long(out, *(const int64_t *)(const void *)(entries->first + i * row->size));
        return;
    }
    const struct record_row *value = &row->item->rows[1];
    const void *at = entries->first + i * row->item->size + value->offset;
    if (value->type == RECORD_F64) {
        put_double(out, *(const double *)at);
    } else {
        put_text(out, text_at(at));
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
    put_count(out, kept);
    for (uint32_t i = 0; i < count; i++) {
        if (!again[i]) {
            put_text(out, entry_key(entries, i));
            put_entry_value(out, entries, i);
        }
    }
    put_end(out);
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
    put_count(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const void *const item = first + i * row->item->size;
        put_record(out, field->children, &item, NULL, NULL);
    }
    put_end(out);
}

// Branch 1 of a ["null", T], or null; true if its value follows.
static bool put_branch(struct buf *out, const struct avro_node *field, bool present) {
    bool optional = field->type == AVRO_T_UNION;
    if (optional) {
        put_long(out, present ? 1 : 0);
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
        put_long(out, number);
    }
}

// The field's row, from the struct that it is of.
static void put_row(struct buf *out, const struct avro_node *field, const char *part) {
    const struct record_row *row = field->row;
    const void *at = part + field->at;
    switch (field->row_type) {
    case RECORD_I64: // nearly all there is
        if (field->type == AVRO_T_LONG || put_branch(out, field, *(const int64_t *)at != 0)) {
            put_long(out, *(const int64_t *)at);
        }
        break;
    case RECORD_I32:
        put_i32(out, field, *(const int32_t *)at);
        break;
    case RECORD_F64:
        put_double(out, *(const double *)at);
        break;
    case RECORD_BOOL:
        buf_add_char(out, *(const bool *)at ? 1 : 0);
        break;
    case RECORD_CHARS:
        put_text(out, str_of(at));
        break;
    case RECORD_NAME:
    case RECORD_TEXT:
        if (put_branch(out, field, *(const char *const *)at != NULL)) {
            put_text(out, text_at(at));
        }
        break;
    case RECORD_WORD:
        put_text(out, str_of(vocabulary_name(row->words, *(const int *)at)));
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

static bool put_default_items(struct buf *out, const struct avro_node *item, json_t *value) {
    size_t i, count = json_is_array(value) ? json_array_size(value) : json_object_size(value);
    json_t *each;
    const char *key;
    bool good = true;
    put_count(out, count);
    if (json_is_array(value)) {
        json_array_foreach(value, i, each) {
            good = good && avro_put_default(out, item, each);
        }
    } else {
        json_object_foreach(value, key, each) {
            put_text(out, str_of(key));
            good = good && avro_put_default(out, item, each);
        }
    }
    put_end(out);
    return good;
}

static bool put_default_record(struct buf *out, const struct avro_node *record,
                               const json_t *value) {
    bool good = json_is_object(value);
    for (unsigned i = 0; good && i < record->count; i++) {
        const struct avro_node *field = &record->children[i];
        const json_t *given = json_object_get(value, field->name);
        if (given != NULL) {
            good = avro_put_default(out, field, given);
        } else {
            good = field->initial != NULL;
            buf_add(out, good ? field->initial : "", good ? field->initial_bytes : 0);
        }
    }
    return good;
}

// Older specifications want one of the first branch, newer ones of any.
static bool put_default_branch(struct buf *out, const struct avro_node *branches,
                               const json_t *value) {
    size_t start = out->len;
    for (unsigned i = 0; i < branches->count; i++) {
        put_long(out, i);
        if (avro_put_default(out, &branches->children[i], value)) {
            return true;
        }
        out->len = start;
    }
    return false;
}

// A default of the schema's text as the binary it stands for. False if it is none of its type.
bool avro_put_default(struct buf *out, const struct avro_node *node, const json_t *value) {
    switch (node->type) {
    case AVRO_T_NULL:
        return json_is_null(value);
    case AVRO_T_BOOLEAN:
        buf_add_char(out, json_is_true(value) ? 1 : 0);
        return json_is_boolean(value);
    case AVRO_T_INT:
    case AVRO_T_LONG:
        put_long(out, json_integer_value(value));
        return json_is_integer(value);
    case AVRO_T_DOUBLE:
        put_double(out, json_number_value(value));
        return json_is_number(value);
    case AVRO_T_STRING:
        put_text(out, (struct str){json_string_value(value), json_string_length(value)});
        return json_is_string(value);
    case AVRO_T_ARRAY:
        return json_is_array(value) && put_default_items(out, node->children, (json_t *)value);
    case AVRO_T_MAP:
        return json_is_object(value) && put_default_items(out, node->children, (json_t *)value);
    case AVRO_T_UNION:
        return put_default_branch(out, node, value);
    case AVRO_T_RECORD:
        return put_default_record(out, node, value);
    case AVRO_T_FOREIGN:
        break;
    }
    return false;
}

// The frame, then the record.
static void put_framed(const struct avro_codec *codec, enum avro_record record,
                       const void *const parts[], put_rest *rest, const void *ctx,
                       struct buf *out) {
    const struct avro_schema *schema = codec->writes[record];
    require(schema->record == record);
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
    put_count(out, (size_t)__builtin_popcount(seen));
    for (uint32_t i = 0; i < run->open_count; i++) {
        unsigned bit = 1u << run->open[i].kind;
        if ((seen & bit) != 0) {
            put_text(out, str_of(kind_name(run->open[i].kind)));
            seen &= ~bit;
        }
    }
    put_end(out);
}

static void put_limits(struct buf *out, uint32_t limits) {
    put_count(out, (size_t)__builtin_popcount(limits));
    for (int limit = 0; limit < LIMIT_COUNT; limit++) {
        if (limit_in(limits, (enum limit)limit)) {
            put_text(out, str_of(limit_name((enum limit)limit)));
        }
    }
    put_end(out);
}

static bool put_rest_of_run(struct buf *out, const struct avro_node *field, const void *ctx) {
    const struct pipeline_run *run = ctx;
    if (is(field, "data_size_gb")) {
        put_double(out, (double)run->totals.data_size_bytes / 1073741824.0);
    } else if (is(field, "bottleneck_kinds")) {
        put_kinds(out, run);
    } else if (is(field, "recommendations")) {
        put_count(out, run->recommendation_count);
        for (uint32_t i = 0; i < run->recommendation_count; i++) {
            put_text(out, str_of(run->recommendations[i]));
        }
        put_end(out);
    } else if (is(field, "limits")) {
        put_limits(out, run->limits);
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

static void put_advice_kinds(struct buf *out, uint64_t set) {
    const char *names[ADVICE_KIND_COUNT];
    size_t count = 0;
    for (int kind = 0; kind < (int)vocabulary_advice_kind.count; kind++) {
        if (advice_kind_known(kind) && (set & advice_bit((enum advice_kind)kind)) != 0) {
            names[count++] = advice_kind_name((enum advice_kind)kind);
        }
    }
    put_count(out, count);
    for (size_t i = 0; i < count; i++) {
        put_text(out, str_of(names[i]));
    }
    put_end(out);
}

static bool put_rest_of_recommendation(struct buf *out, const struct avro_node *field,
                                       const void *ctx) {
    const struct recommendation *r = ctx;
    if (is(field, "outcome_with")) {
        put_advice_kinds(out, r->outcome.with);
        return true;
    }
    if (!is(field, "bottlenecks")) {
        return false;
    }
    put_count(out, r->bottleneck_count);
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        put_text(out, str_of(r->bottlenecks[i]));
    }
    put_end(out);
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
