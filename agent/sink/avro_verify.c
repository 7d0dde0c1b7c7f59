// avro_verify: a walk over Avro binary along its schema, before Avro C sees it: Avro C 1.11.1 leaks
// on what it cannot decode and trusts lengths. Called by avro_decode.c; reads only, bounded by the
// bytes given.
#include "avro_priv.h"

struct walk {
    const unsigned char *at, *end;
};

// Zig-zag variable-length integer.
static bool read_long(struct walk *w, int64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        unsigned char byte = *w->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

static bool skip_bytes(struct walk *w, int64_t len) {
    if (len < 0 || len > w->end - w->at) {
        return false;
    }
    w->at += len;
    return true;
}

static bool walk_value(struct walk *w, avro_schema_t schema);

static bool walk_text(struct walk *w, bool must_be_utf8) {
    int64_t len;
    if (!read_long(w, &len)) {
        return false;
    }
    const char *text = (const char *)w->at;
    return skip_bytes(w, len) && (!must_be_utf8 || str_is_utf8((struct str){text, (size_t)len}));
}

// Blocks of an array or map. Every element takes at least a byte in our schemas, so a count is
// bounded by what is left.
static bool walk_blocks(struct walk *w, avro_schema_t element, bool keys) {
    int64_t count;
    while (read_long(w, &count)) {
        if (count == 0) {
            return true;
        }
        if (count < 0) { // a block with its size in bytes: our writer makes none
            return false;
        }
        if (count > w->end - w->at) {
            return false;
        }
        for (int64_t i = 0; i < count; i++) {
            if ((keys && !walk_text(w, true)) || !walk_value(w, element)) {
                return false;
            }
        }
    }
    return false;
}

static bool walk_record(struct walk *w, avro_schema_t schema) {
    size_t fields = avro_schema_record_size(schema);
    for (size_t i = 0; i < fields; i++) {
        if (!walk_value(w, avro_schema_record_field_get_by_index(schema, (int)i))) {
            return false;
        }
    }
    return true;
}

static bool walk_number(struct walk *w, avro_type_t type) {
    int64_t number;
    if (type == AVRO_DOUBLE) {
        return skip_bytes(w, 8);
    }
    if (type == AVRO_BOOLEAN) {
        return w->at < w->end && *w->at++ <= 1;
    }
    return read_long(w, &number) &&
           (type != AVRO_INT32 || (number >= INT32_MIN && number <= INT32_MAX));
}

static bool walk_value(struct walk *w, avro_schema_t schema) {
    int64_t branch;
    switch (avro_typeof(schema)) {
    case AVRO_NULL:
        return true;
    case AVRO_BOOLEAN:
    case AVRO_INT32:
    case AVRO_INT64:
    case AVRO_DOUBLE:
        return walk_number(w, avro_typeof(schema));
    case AVRO_STRING:
        return walk_text(w, true);
    case AVRO_ARRAY:
        return walk_blocks(w, avro_schema_array_items(schema), false);
    case AVRO_MAP:
        return walk_blocks(w, avro_schema_map_values(schema), true);
    case AVRO_UNION:
        return read_long(w, &branch) && branch >= 0 &&
               branch < (int64_t)avro_schema_union_size(schema) &&
               walk_value(w, avro_schema_union_branch(schema, (int)branch));
    case AVRO_RECORD:
        return walk_record(w, schema);
    default:
        return false; // no schema of ours has one
    }
}

bool avro_verify(avro_schema_t schema, struct str bytes) {
    struct walk w = {(const unsigned char *)bytes.p, (const unsigned char *)bytes.p + bytes.len};
    return walk_value(&w, schema) && w.at == w.end;
}
