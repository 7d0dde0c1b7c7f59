// avro_read: fields of verified bytes into our structs, by the rows of avro_rows.c, and as JSON.
// Called by avro_decode.c after avro_verify alone: what it could not read there would be our own
// mistake. Takes no memory but for what it returns: a value of Avro C costs a hundred times the
// bytes it is read from.
#include <math.h>
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"

int64_t avro_take_long(struct avro_bytes *from) {
    int64_t number = 0;
    require(avro_read_long(from, &number));
    return number;
}

struct str avro_take_text(struct avro_bytes *from) {
    int64_t len = avro_take_long(from);
    struct str text = {(const char *)from->at, (size_t)len};
    require(avro_skip_bytes(from, len));
    return text;
}

// What is no number counts as 0, as when it is written.
static double take_double(struct avro_bytes *from) {
    uint64_t bits = 0;
    double real;
    require(from->end - from->at >= 8);
    for (unsigned i = 0; i < 8; i++) {
        bits |= (uint64_t)from->at[i] << (8 * i);
    }
    from->at += 8;
    memcpy(&real, &bits, sizeof real);
    return isfinite(real) ? real : 0;
}

static bool take_bool(struct avro_bytes *from) {
    require(from->at < from->end);
    return *from->at++ != 0;
}

bool avro_take_item(struct avro_bytes *from, int64_t *block) {
    if (*block == 0) {
        *block = avro_take_long(from);
    }
    return (*block)-- > 0;
}

// The number in a ["null", number], or what stands for null.
static int64_t take_optional(struct avro_bytes *from, int64_t absent) {
    return avro_take_long(from) == 1 ? avro_take_long(from) : absent;
}

// False if a word is none of ours.
static bool take_row(struct avro_bytes *from, char *at, const struct field_row *row) {
    int word;
    switch (row->type) {
    case FIELD_CHARS:
        str_copy(at, row->size, avro_take_text(from));
        break;
    case FIELD_TEXT:
        require(!"no row read back holds a pointer");
        break;
    case FIELD_I64:
        *(int64_t *)(void *)at = avro_take_long(from);
        break;
    case FIELD_I32:
        *(int32_t *)(void *)at = (int32_t)avro_take_long(from);
        break;
    case FIELD_F64:
        *(double *)(void *)at = take_double(from);
        break;
    case FIELD_BOOL:
        *(bool *)(void *)at = take_bool(from);
        break;
    case FIELD_TIME:
        *(int64_t *)(void *)at = take_optional(from, 0);
        break;
    case FIELD_OPT_I32:
        *(int32_t *)(void *)at = (int32_t)take_optional(from, -1);
        break;
    case FIELD_WORD:
        word = row->parse(avro_take_text(from));
        *(int *)(void *)at = word;
        return word >= 0;
    }
    return true;
}

bool avro_take_field(struct avro_bytes *from, const struct avro_node *field, void *const parts[]) {
    if (field->row != NULL) {
        return take_row(from, (char *)parts[field->part] + field->row->offset, field->row);
    }
    require(avro_walk(from, field)); // only readers elsewhere need it
    return true;
}

static void take_json(struct avro_bytes *from, const struct avro_node *node, struct buf *out);

static void take_json_items(struct avro_bytes *from, const struct avro_node *item, bool keys,
                            struct buf *out) {
    int64_t block = 0;
    buf_add_char(out, keys ? '{' : '[');
    for (bool first = true; avro_take_item(from, &block); first = false) {
        buf_add_text(out, first ? "" : ",");
        if (keys) {
            buf_add_json(out, avro_take_text(from));
            buf_add_char(out, ':');
        }
        take_json(from, item, out);
    }
    buf_add_char(out, keys ? '}' : ']');
}

static void take_json_record(struct avro_bytes *from, const struct avro_node *record,
                             struct buf *out) {
    buf_add_char(out, '{');
    for (unsigned i = 0; i < record->count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        buf_add_json(out, str_of(record->children[i].name));
        buf_add_char(out, ':');
        take_json(from, &record->children[i], out);
    }
    buf_add_char(out, '}');
}

static void take_json(struct avro_bytes *from, const struct avro_node *node, struct buf *out) {
    switch (node->type) {
    case AVRO_UNION:
        take_json(from, &node->children[avro_take_long(from)], out);
        break;
    case AVRO_STRING:
        buf_add_json(out, avro_take_text(from));
        break;
    case AVRO_BOOLEAN:
        buf_add_text(out, take_bool(from) ? "true" : "false");
        break;
    case AVRO_INT32:
    case AVRO_INT64:
        buf_printf(out, "%lld", (long long)avro_take_long(from));
        break;
    case AVRO_DOUBLE:
        buf_add_json_number(out, take_double(from));
        break;
    case AVRO_RECORD:
        take_json_record(from, node, out);
        break;
    case AVRO_MAP:
        take_json_items(from, node->children, true, out);
        break;
    case AVRO_ARRAY:
        take_json_items(from, node->children, false, out);
        break;
    default:
        buf_add_text(out, "null");
        break;
    }
}

void avro_take_json(struct avro_bytes *from, const struct avro_node *node, struct buf *out) {
    take_json(from, node, out);
}
