// avro_put: fields of our structs as Avro binary, by the rows of avro_rows.c, in the order of the
// schema. Called by the codec; takes no memory but the output's. Text is mended and numbers are
// made finite here, so that what goes out is valid whatever an application is called.
//
// By hand, as reading is: through Avro C's values, a field is searched by name, every list is built
// in memory and walked twice, which took longer than all judging. Tests hold every byte against
// Avro C.
#include <math.h>
#include <string.h>

#include "avro_priv.h"

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

void avro_put_record(struct buf *out, const struct avro_node *record, const void *const parts[],
                     avro_put_rest *rest, const void *ctx) {
    for (unsigned i = 0; i < record->count; i++) {
        const struct avro_node *field = &record->children[i];
        if (field->row != NULL) {
            put_row(out, parts[field->part], field->row);
        } else {
            rest(out, field, ctx);
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

void avro_put_map(struct buf *out, uint32_t count, avro_map_key *key, avro_put_value *value,
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
