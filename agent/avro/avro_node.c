// avro_node: our schemas as trees that are quick to walk, and which field of which struct a field
// is. Called by the codec when it is made; what does not fit together is a fault of the build and
// ends the process.
#include <string.h>

#include "avro_priv.h"
#include "base/check.h"
#include "base/mem.h"

enum { DEPTH_MAX = 8 };

static unsigned child_count(avro_schema_t schema) {
    switch (avro_typeof(schema)) {
    case AVRO_RECORD:
        return (unsigned)avro_schema_record_size(schema);
    case AVRO_UNION:
        return (unsigned)avro_schema_union_size(schema);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return 1;
    default:
        return 0;
    }
}

static avro_schema_t child_schema(avro_schema_t schema, int i) {
    switch (avro_typeof(schema)) {
    case AVRO_RECORD:
        return avro_schema_record_field_get_by_index(schema, i);
    case AVRO_UNION:
        return avro_schema_union_branch(schema, i);
    case AVRO_ARRAY:
        return avro_schema_array_items(schema);
    default:
        return avro_schema_map_values(schema);
    }
}

static void make(struct avro_node *node, avro_schema_t schema, const char *name, int depth) {
    require(depth < DEPTH_MAX); // none of ours contains itself
    *node = (struct avro_node){.type = avro_typeof(schema), .count = child_count(schema)};
    node->name = name == NULL ? NULL : mem_strdup(name);
    node->children = mem_zalloc(node->count, sizeof *node->children);
    for (unsigned i = 0; i < node->count; i++) {
        const char *field =
            node->type == AVRO_RECORD ? avro_schema_record_field_name(schema, (int)i) : NULL;
        make(&node->children[i], child_schema(schema, (int)i), field, depth + 1);
    }
}

void avro_node_init(struct avro_node *node, const char *schema_text) {
    avro_schema_t schema;
    require(avro_schema_from_json_length(schema_text, strlen(schema_text), &schema) == 0);
    make(node, schema, NULL, 0);
    avro_schema_decref(schema);
}

void avro_node_fini(struct avro_node *node) {
    for (unsigned i = 0; i < node->count; i++) {
        avro_node_fini(&node->children[i]);
    }
    mem_free(node->children);
    mem_free(node->name);
}

struct avro_node *avro_node_field(const struct avro_node *record, const char *name) {
    for (unsigned i = 0; i < record->count; i++) {
        if (strcmp(record->children[i].name, name) == 0) {
            return &record->children[i];
        }
    }
    require(!"a schema without a field that the program writes");
    return NULL;
}

static bool is_optional(const struct avro_node *node, avro_type_t type) {
    return node->type == AVRO_UNION && node->count == 2 && node->children[0].type == AVRO_NULL &&
           node->children[1].type == type;
}

static bool fits(const struct avro_node *node, enum field_type type) {
    switch (type) {
    case FIELD_CHARS:
    case FIELD_TEXT:
    case FIELD_WORD:
        return node->type == AVRO_STRING;
    case FIELD_I64:
        return node->type == AVRO_INT64;
    case FIELD_I32:
        return node->type == AVRO_INT32;
    case FIELD_F64:
        return node->type == AVRO_DOUBLE;
    case FIELD_BOOL:
        return node->type == AVRO_BOOLEAN;
    case FIELD_TIME:
        return is_optional(node, AVRO_INT64);
    case FIELD_OPT_I32:
        return is_optional(node, AVRO_INT32);
    }
    return false;
}

void avro_node_bind(struct avro_node *record, unsigned part, const struct field_row *rows,
                    unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct avro_node *field = avro_node_field(record, rows[i].name);
        require(field->row == NULL && fits(field, rows[i].type));
        field->row = &rows[i];
        field->part = part;
    }
}
