// avro_verify: a walk over Avro binary along its schema: the bytes come from a topic anyone may
// write to, and Avro C 1.11.1 leaks on what it cannot decode and trusts lengths. Called by
// avro_decode.c and avro_read.c; reads only, bounded by the bytes given, and bounds what a reader
// would make of them.
#include "avro_priv.h"

bool avro_read_long(struct avro_bytes *w, int64_t *out) {
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

bool avro_skip_bytes(struct avro_bytes *w, int64_t len) {
    if (len < 0 || len > w->end - w->at) {
        return false;
    }
    w->at += len;
    return true;
}

static bool walk_text(struct avro_bytes *w, struct str *text) {
    int64_t len;
    if (!avro_read_long(w, &len)) {
        return false;
    }
    *text = (struct str){(const char *)w->at, len > 0 ? (size_t)len : 0};
    return avro_skip_bytes(w, len) && str_is_utf8(*text);
}

// The key of entry `i`: unlike those before it.
static bool walk_key(struct avro_bytes *w, struct str *keys, int64_t i) {
    if (i >= AVRO_MAP_MAX || !walk_text(w, &keys[i])) {
        return false;
    }
    for (int64_t k = 0; k < i; k++) {
        if (str_eq(keys[k], keys[i])) {
            return false;
        }
    }
    return true;
}

// Every item takes at least a byte, or a few bytes could claim any number of them.
static bool walk_item(struct avro_bytes *w, const struct avro_node *item) {
    const unsigned char *start = w->at;
    return avro_walk(w, item) && w->at > start;
}

// Blocks of an array or map. Lists of records are as long as our longest; a text is never much
// larger in memory than its bytes, so lists of texts need no bound.
static bool walk_blocks(struct avro_bytes *w, const struct avro_node *item, bool map) {
    struct str keys[AVRO_MAP_MAX];
    int64_t count, walked = 0, max = item->type == AVRO_RECORD ? RUN_STAGES_MAX : INT64_MAX;
    while (avro_read_long(w, &count)) {
        if (count == 0) {
            return true;
        }
        // Less than 0 is a block with its size in bytes: our writer makes none.
        if (count < 0 || count > w->end - w->at || count > max - walked) {
            return false;
        }
        for (int64_t end = walked + count; walked < end; walked++) {
            if ((map && !walk_key(w, keys, walked)) || !walk_item(w, item)) {
                return false;
            }
        }
    }
    return false;
}

static bool walk_record(struct avro_bytes *w, const struct avro_node *record) {
    for (unsigned i = 0; i < record->count; i++) {
        if (!avro_walk(w, &record->children[i])) {
            return false;
        }
    }
    return true;
}

static bool walk_number(struct avro_bytes *w, avro_type_t type) {
    int64_t number;
    if (type == AVRO_DOUBLE) {
        return avro_skip_bytes(w, 8);
    }
    if (type == AVRO_BOOLEAN) {
        return w->at < w->end && *w->at++ <= 1;
    }
    return avro_read_long(w, &number) &&
           (type != AVRO_INT32 || (number >= INT32_MIN && number <= INT32_MAX));
}

bool avro_walk(struct avro_bytes *w, const struct avro_node *node) {
    int64_t branch;
    struct str text;
    switch (node->type) {
    case AVRO_NULL:
        return true;
    case AVRO_BOOLEAN:
    case AVRO_INT32:
    case AVRO_INT64:
    case AVRO_DOUBLE:
        return walk_number(w, node->type);
    case AVRO_STRING:
        return walk_text(w, &text);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return walk_blocks(w, node->children, node->type == AVRO_MAP);
    case AVRO_UNION:
        return avro_read_long(w, &branch) && branch >= 0 && branch < (int64_t)node->count &&
               avro_walk(w, &node->children[branch]);
    case AVRO_RECORD:
        return walk_record(w, node);
    default:
        return false; // no schema of ours has one
    }
}

bool avro_verify(const struct avro_node *node, struct str bytes) {
    struct avro_bytes w = {(const unsigned char *)bytes.p,
                           (const unsigned char *)bytes.p + bytes.len};
    return avro_walk(&w, node) && w.at == w.end;
}
