// avro_schema: a schema's text as a tree that is quick to walk, its Parsing Canonical Form and
// fingerprint, and what a reader makes of a tree that somebody else wrote by. Called by the codec
// when it is made and when a schema is added, never per record. Text may come from a registry: a
// schema that does not fit is refused in words.
//
// Trees know the types of our schemas: null, boolean, int, long, double, string, array, map, union
// and record. tests/habits/schemas.py lets no other in, so that every release can walk what a later
// one writes.
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "base/mem.h"

enum {
    DEPTH_MAX = 12,   // of ours none contains itself, and the deepest is 5
    NODES_MAX = 4096, // more is no schema of records like ours
    NAMES_MAX = 64    // named records in a schema
};

// CRC-64-AVRO, "Schema Fingerprints" of the Avro specification, without its table: it is taken a
// few times at start.
static uint64_t crc64(struct str text) {
    const uint64_t empty = 0xc15d213aa4d7a795u;
    uint64_t fp = empty;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t low = (fp ^ (unsigned char)text.p[i]) & 0xff;
        for (int bit = 0; bit < 8; bit++) {
            low = (low >> 1) ^ (empty & -(low & 1u));
        }
        fp = (fp >> 8) ^ low;
    }
    return fp;
}

static void canonical(struct buf *out, const json_t *schema, const char *space);

static const struct {
    const char *name;
    enum avro_type type;
} primitives[] = {
    {"null", AVRO_T_NULL},     {"boolean", AVRO_T_BOOLEAN}, {"int", AVRO_T_INT},
    {"long", AVRO_T_LONG},     {"double", AVRO_T_DOUBLE},   {"string", AVRO_T_STRING},
    {"float", AVRO_T_FOREIGN}, {"bytes", AVRO_T_FOREIGN},
};

// The primitive type of this name, or NULL.
static const enum avro_type *primitive(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        if (strcmp(primitives[i].name, name) == 0) {
            return &primitives[i].type;
        }
    }
    return NULL;
}

static bool is_named(const char *type) {
    return strcmp(type, "record") == 0 || strcmp(type, "error") == 0 || strcmp(type, "enum") == 0 ||
           strcmp(type, "fixed") == 0;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

// Names in full: namespace.name. A name with a dot is full already.
static void full_name(struct buf *out, const char *name, const char *space) {
    if (strchr(name, '.') == NULL && space[0] != '\0') {
        buf_printf(out, "%s.", space);
    }
    buf_add_text(out, name);
}

static void add_name(struct buf *out, const char *name, const char *space) {
    struct buf full = {0};
    full_name(&full, name, space);
    buf_add_json(out, buf_str(&full));
    buf_fini(&full);
}

static void add_fields(struct buf *out, const json_t *fields, const char *space) {
    size_t i;
    json_t *field;
    buf_add_char(out, '[');
    json_array_foreach(fields, i, field) {
        buf_add_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        buf_add_json(out, str_of(text_of(field, "name")));
        buf_add_text(out, ",\"type\":");
        canonical(out, json_object_get(field, "type"), space);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void add_symbols(struct buf *out, const json_t *symbols) {
    size_t i;
    json_t *symbol;
    buf_add_text(out, ",\"symbols\":[");
    json_array_foreach(symbols, i, symbol) {
        buf_add_text(out, i > 0 ? "," : "");
        buf_add_json(out, str_of(json_string_value(symbol)));
    }
    buf_add_char(out, ']');
}

// The namespace that a named type gives to the names within it, to be freed: what stands before the
// last dot of its name, else its own attribute, else that around it.
static char *space_of(const json_t *schema, const char *around) {
    const char *name = text_of(schema, "name"), *dot = strrchr(name, '.');
    const char *own = json_string_value(json_object_get(schema, "namespace"));
    return dot != NULL ? mem_strndup(name, (size_t)(dot - name))
                       : mem_strdup(own != NULL ? own : around);
}

static void add_named(struct buf *out, const json_t *schema, const char *type, const char *around) {
    char *space = space_of(schema, around);
    buf_add_text(out, "{\"name\":");
    add_name(out, text_of(schema, "name"), space);
    buf_printf(out, ",\"type\":\"%s\"", type);
    if (json_object_get(schema, "fields") != NULL) {
        buf_add_text(out, ",\"fields\":");
        add_fields(out, json_object_get(schema, "fields"), space);
    }
    if (json_object_get(schema, "symbols") != NULL) {
        add_symbols(out, json_object_get(schema, "symbols"));
    }
    if (json_object_get(schema, "size") != NULL) {
        buf_printf(out, ",\"size\":%lld",
                   (long long)json_integer_value(json_object_get(schema, "size")));
    }
    buf_add_char(out, '}');
    mem_free(space);
}

static void add_object(struct buf *out, const json_t *schema, const char *space) {
    const char *type = text_of(schema, "type");
    if (strcmp(type, "array") == 0) {
        buf_add_text(out, "{\"type\":\"array\",\"items\":");
        canonical(out, json_object_get(schema, "items"), space);
        buf_add_char(out, '}');
    } else if (strcmp(type, "map") == 0) {
        buf_add_text(out, "{\"type\":\"map\",\"values\":");
        canonical(out, json_object_get(schema, "values"), space);
        buf_add_char(out, '}');
    } else if (is_named(type)) {
        add_named(out, schema, type, space);
    } else { // {"type": {...}}, a primitive or a name; logical types are stripped
        canonical(out, json_object_get(schema, "type"), space);
    }
}

// "Transforming into Parsing Canonical Form" of the Avro specification.
static void canonical(struct buf *out, const json_t *schema, const char *space) {
    if (json_is_string(schema)) {
        const char *name = json_string_value(schema);
        if (primitive(name) != NULL) {
            buf_printf(out, "\"%s\"", name);
        } else {
            add_name(out, name, space);
        }
    } else if (json_is_array(schema)) { // a union
        size_t i;
        json_t *branch;
        buf_add_char(out, '[');
        json_array_foreach(schema, i, branch) {
            buf_add_text(out, i > 0 ? "," : "");
            canonical(out, branch, space);
        }
        buf_add_char(out, ']');
    } else if (json_is_object(schema)) {
        add_object(out, schema, space);
    }
}

static json_t *load(struct str text, struct err *err) {
    json_error_t error;
    json_t *schema = json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (schema == NULL) {
        err_set(err, ST_SKIP, "schema, line %d: %s", error.line, error.text);
    }
    return schema;
}

static uint64_t fingerprint_of(const json_t *schema, struct buf *canonical_out) {
    struct buf form = {0};
    canonical(&form, schema, "");
    uint64_t fingerprint = crc64(buf_str(&form));
    if (canonical_out != NULL) {
        buf_add_str(canonical_out, buf_str(&form));
    }
    buf_fini(&form);
    return fingerprint;
}

enum status avro_fingerprint(struct str schema_text, uint64_t *out, struct buf *canonical_out,
                             struct err *err) {
    json_t *schema = load(schema_text, err);
    if (schema == NULL) {
        return ST_SKIP;
    }
    *out = fingerprint_of(schema, canonical_out);
    json_decref(schema);
    return ST_OK;
}

const char *avro_json_library_version(void) {
    return jansson_version_str();
}

// A tree in the making. Names met so far may be used for what they were defined as.
struct making {
    struct named {
        char *full, *space; // owned
        const json_t *schema;
    } names[NAMES_MAX];
    unsigned name_count, nodes;
    struct err *err;
};

static bool make(struct making *m, struct avro_node *node, const json_t *schema, const char *space,
                 int depth);

static bool refuse(struct making *m, const char *what, const char *name) {
    err_set(m->err, ST_SKIP, "schema: %s: %s", name, what);
    return false;
}

static void make_children(struct avro_node *node, size_t count) {
    node->count = (unsigned)count;
    node->children = mem_zalloc(count, sizeof *node->children);
}

static bool make_default(struct making *m, struct avro_node *field, const json_t *value) {
    struct buf bytes = {0};
    bool good = avro_put_default(&bytes, field, value) && avro_verify(field, buf_str(&bytes));
    if (good) {
        field->initial = mem_alloc(bytes.len + 1);
        memcpy(field->initial, buf_text(&bytes), bytes.len + 1);
        field->initial_bytes = (unsigned)bytes.len;
    }
    buf_fini(&bytes);
    return good || refuse(m, "its default is none of its type", field->name);
}

static bool make_field(struct making *m, struct avro_node *field, const json_t *schema,
                       const char *space, int depth) {
    const char *name = text_of(schema, "name");
    const json_t *value = json_object_get(schema, "default");
    if (name[0] == '\0') {
        return refuse(m, "a field without a name", space);
    }
    if (!make(m, field, json_object_get(schema, "type"), space, depth + 1)) {
        return false;
    }
    field->name = mem_strdup(name);
    return value == NULL || make_default(m, field, value);
}

static bool make_record(struct making *m, struct avro_node *node, const json_t *schema,
                        const char *space, int depth) {
    const json_t *fields = json_object_get(schema, "fields");
    if (!json_is_array(fields) || json_array_size(fields) > NODES_MAX) {
        return refuse(m, "a record without fields", text_of(schema, "name"));
    }
    node->type = AVRO_T_RECORD;
    make_children(node, json_array_size(fields));
    for (unsigned i = 0; i < node->count; i++) {
        if (!make_field(m, &node->children[i], json_array_get(fields, i), space, depth)) {
            return false;
        }
        for (unsigned k = 0; k < i; k++) {
            if (strcmp(node->children[k].name, node->children[i].name) == 0) {
                return refuse(m, "two fields of one name", node->children[i].name);
            }
        }
    }
    return true;
}

// What a name stands for, which was defined before it.
static bool make_known(struct making *m, struct avro_node *node, const char *name,
                       const char *space, int depth) {
    struct buf full = {0};
    full_name(&full, name, space);
    const struct named *known = NULL;
    for (unsigned i = 0; i < m->name_count && known == NULL; i++) {
        known = strcmp(m->names[i].full, buf_text(&full)) == 0 ? &m->names[i] : NULL;
    }
    buf_fini(&full);
    return known == NULL ? refuse(m, "a type that no schema of Stoker has", name)
                         : make_record(m, node, known->schema, known->space, depth);
}

static bool make_union(struct making *m, struct avro_node *node, const json_t *branches,
                       const char *space, int depth) {
    size_t count = json_array_size(branches);
    if (count == 0 || count > NODES_MAX) {
        return refuse(m, "a union without branches", "");
    }
    node->type = AVRO_T_UNION;
    make_children(node, count);
    for (unsigned i = 0; i < node->count; i++) {
        if (!make(m, &node->children[i], json_array_get(branches, i), space, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool make_object(struct making *m, struct avro_node *node, const json_t *schema,
                        const char *space, int depth) {
    const char *type = text_of(schema, "type");
    if (strcmp(type, "array") == 0 || strcmp(type, "map") == 0) {
        bool array = type[0] == 'a';
        node->type = array ? AVRO_T_ARRAY : AVRO_T_MAP;
        make_children(node, 1);
        return make(m, node->children, json_object_get(schema, array ? "items" : "values"), space,
                    depth + 1);
    }
    if (strcmp(type, "record") != 0) { // {"type": {...}}, {"type": "long", "logicalType": ...}
        return make(m, node, json_object_get(schema, "type"), space, depth + 1);
    }
    if (m->name_count == NAMES_MAX) {
        return refuse(m, "too many records", text_of(schema, "name"));
    }
    struct named *named = &m->names[m->name_count++];
    struct buf full = {0};
    *named = (struct named){.schema = schema, .space = space_of(schema, space)};
    full_name(&full, text_of(schema, "name"), named->space);
    named->full = mem_strdup(buf_text(&full));
    buf_fini(&full);
    return make_record(m, node, schema, named->space, depth);
}

static bool make(struct making *m, struct avro_node *node, const json_t *schema, const char *space,
                 int depth) {
    if (depth > DEPTH_MAX || ++m->nodes > NODES_MAX) {
        return refuse(m, "too deep, or too large", "");
    }
    if (json_is_array(schema)) {
        return make_union(m, node, schema, space, depth);
    }
    if (json_is_object(schema)) {
        return make_object(m, node, schema, space, depth);
    }
    const char *name = json_is_string(schema) ? json_string_value(schema) : "";
    const enum avro_type *type = primitive(name);
    if (type == NULL || *type == AVRO_T_FOREIGN) {
        return make_known(m, node, name, space, depth);
    }
    node->type = *type;
    return true;
}

enum status avro_schema_init(struct avro_schema *schema, struct str text, struct err *err) {
    struct making m = {.err = err};
    *schema = (struct avro_schema){0};
    json_t *json = load(text, err);
    if (json == NULL) {
        return ST_SKIP;
    }
    bool good = make(&m, &schema->root, json, "", 0);
    if (good && schema->root.type != AVRO_T_RECORD) {
        good = refuse(&m, "not that of a record", "");
    }
    if (good) {
        schema->name = mem_strdup(m.names[0].full);
        schema->fingerprint = fingerprint_of(json, NULL);
    }
    for (unsigned i = 0; i < m.name_count; i++) {
        mem_free(m.names[i].full);
        mem_free(m.names[i].space);
    }
    json_decref(json);
    if (!good) {
        avro_schema_fini(schema);
    }
    return good ? ST_OK : ST_SKIP;
}

static void node_fini(struct avro_node *node) {
    for (unsigned i = 0; i < node->count; i++) {
        node_fini(&node->children[i]);
    }
    mem_free(node->children);
    mem_free(node->absent);
    mem_free(node->initial);
    mem_free(node->name);
}

void avro_schema_fini(struct avro_schema *schema) {
    node_fini(&schema->root);
    mem_free(schema->name);
    *schema = (struct avro_schema){0};
}

struct avro_node *avro_node_field(const struct avro_node *record, const char *name) {
    for (unsigned i = 0; i < record->count; i++) {
        if (strcmp(record->children[i].name, name) == 0) {
            return &record->children[i];
        }
    }
    return NULL;
}

static enum status resolve_record(struct avro_node *writer, const struct avro_node *reader,
                                  struct err *err) {
    unsigned found = 0;
    require(writer->absent == NULL);
    for (unsigned i = 0; i < writer->count; i++) {
        struct avro_node *field = &writer->children[i];
        const struct avro_node *known = avro_node_field(reader, field->name);
        if (known != NULL) {
            found++;
            if (avro_resolve(field, known, err) != ST_OK) {
                return err_wrap(err, "%s", field->name);
            }
        }
    }
    writer->absent = mem_zalloc(reader->count - found, sizeof *writer->absent);
    for (unsigned i = 0; i < reader->count; i++) {
        const struct avro_node *field = &reader->children[i];
        if (avro_node_field(writer, field->name) == NULL) {
            if (field->initial == NULL) {
                return err_set(err, ST_SKIP, "it has no field %s", field->name);
            }
            writer->absent[writer->absent_count++] = field;
        }
    }
    return ST_OK;
}

enum status avro_resolve(struct avro_node *writer, const struct avro_node *reader,
                         struct err *err) {
    if (writer->type != reader->type ||
        (writer->type != AVRO_T_RECORD && writer->count != reader->count)) {
        return err_set(err, ST_SKIP, "it has another type");
    }
    writer->row = reader->row;
    writer->row_type = reader->row_type;
    writer->part = reader->part;
    writer->at = reader->at;
    writer->base = reader->base;
    if (writer->type == AVRO_T_RECORD) {
        return resolve_record(writer, reader, err);
    }
    for (unsigned i = 0; i < writer->count; i++) {
        if (avro_resolve(&writer->children[i], &reader->children[i], err) != ST_OK) {
            return ST_SKIP;
        }
    }
    return ST_OK;
}
