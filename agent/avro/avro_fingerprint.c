// avro_fingerprint: the Parsing Canonical Form of a schema and its CRC-64-AVRO, by the Avro
// specification
// ("Transforming into Parsing Canonical Form", "Schema Fingerprints"): Avro C has neither. Called
// once per schema at start.
#include <jansson.h>
#include <string.h>

#include "avro/avro_codec.h"
#include "base/mem.h"

static uint64_t crc64(struct str text) {
    static uint64_t table[256];
    const uint64_t empty = 0xc15d213aa4d7a795u;
    if (table[1] == 0) {
        for (unsigned i = 0; i < 256; i++) {
            uint64_t fp = i;
            for (int bit = 0; bit < 8; bit++) {
                fp = (fp >> 1) ^ (empty & -(fp & 1u));
            }
            table[i] = fp;
        }
    }
    uint64_t fp = empty;
    for (size_t i = 0; i < text.len; i++) {
        fp = (fp >> 8) ^ table[(fp ^ (unsigned char)text.p[i]) & 0xff];
    }
    return fp;
}

static void canonical(struct buf *out, const json_t *schema, const char *space);

static bool is_primitive(const char *name) {
    static const char *const names[] = {"null",  "boolean", "int",   "long",
                                        "float", "double",  "bytes", "string"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_named(const char *type) {
    return strcmp(type, "record") == 0 || strcmp(type, "error") == 0 || strcmp(type, "enum") == 0 ||
           strcmp(type, "fixed") == 0;
}

// Names are written in full: namespace.name. A name with a dot is full already.
static void add_name(struct buf *out, const char *name, const char *space) {
    struct buf full = {0};
    if (strchr(name, '.') == NULL && space[0] != '\0') {
        buf_printf(&full, "%s.", space);
    }
    buf_add_text(&full, name);
    buf_add_json(out, buf_str(&full));
    buf_fini(&full);
}

static void add_fields(struct buf *out, const json_t *fields, const char *space) {
    size_t i;
    json_t *field;
    buf_add_char(out, '[');
    json_array_foreach(fields, i, field) {
        buf_add_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        buf_add_json(out, str_of(json_string_value(json_object_get(field, "name"))));
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
static char *space_of(const char *name, const json_t *schema, const char *around) {
    const char *own = json_string_value(json_object_get(schema, "namespace"));
    const char *dot = strrchr(name, '.');
    return dot != NULL ? mem_strndup(name, (size_t)(dot - name))
                       : mem_strdup(own != NULL ? own : around);
}

static void add_named(struct buf *out, const json_t *schema, const char *type, const char *around) {
    const char *name = json_string_value(json_object_get(schema, "name"));
    name = name == NULL ? "" : name;
    char *space = space_of(name, schema, around);
    buf_add_text(out, "{\"name\":");
    add_name(out, name, space);
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
    const json_t *type_value = json_object_get(schema, "type");
    const char *type = json_is_string(type_value) ? json_string_value(type_value) : "";
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
        canonical(out, type_value, space);
    }
}

static void canonical(struct buf *out, const json_t *schema, const char *space) {
    if (json_is_string(schema)) {
        const char *name = json_string_value(schema);
        if (is_primitive(name)) {
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

enum status avro_fingerprint(const char *schema_text, uint64_t *out, struct buf *canonical_out,
                             struct err *err) {
    json_error_t error;
    json_t *schema = json_loads(schema_text, JSON_DECODE_ANY, &error);
    if (schema == NULL) {
        return err_set(err, ST_SKIP, "schema, line %d: %s", error.line, error.text);
    }
    struct buf form = {0};
    canonical(&form, schema, "");
    *out = crc64(buf_str(&form));
    if (canonical_out != NULL) {
        buf_add_str(canonical_out, buf_str(&form));
    }
    buf_fini(&form);
    json_decref(schema);
    return ST_OK;
}

const char *avro_json_library_version(void) {
    return jansson_version_str();
}
