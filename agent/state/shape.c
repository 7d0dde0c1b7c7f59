// shape: see the header. Walks a value along its tables. Trusts nothing: what does not fit its type
// makes the value damaged.
#include "state/shape.h"

#include <string.h>

enum { DEPTH_MAX = 6 };

static const char *type_name(enum wire_type type) {
    static const char *const names[] = {
        [WIRE_I64] = "number", [WIRE_I32] = "number", [WIRE_BOOL] = "boolean",
        [WIRE_F64] = "real",   [WIRE_CHARS] = "text", [WIRE_NAME] = "text"};
    return names[type];
}

// Members are named after where they are in memory; people need the last part of it.
static const char *short_name(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

static void add_name(struct buf *out, bool *first, const char *name) {
    buf_add_text(out, *first ? "\"" : ",\"");
    buf_add_text(out, short_name(name));
    buf_add_text(out, "\":");
    *first = false;
}

static bool add_scalar(struct buf *out, enum wire_type type, struct str field) {
    int64_t number;
    double real;
    if (type == WIRE_CHARS || type == WIRE_NAME) {
        buf_add_json(out, field);
        return true;
    }
    if (type == WIRE_F64) {
        if (field.len != sizeof real) {
            return false;
        }
        memcpy(&real, field.p, sizeof real);
        buf_add_json_number(out, real);
        return true;
    }
    if (!wire_get_i64(field, &number) || (type == WIRE_BOOL && number != 0 && number != 1)) {
        return false;
    }
    if (type == WIRE_BOOL) {
        buf_add_text(out, number != 0 ? "true" : "false");
    } else {
        buf_printf(out, "%lld", (long long)number);
    }
    return true;
}

static bool add_object(const struct shape *shape, struct str bytes, int depth, struct buf *out);

static bool add_numbers(struct str bytes, struct buf *out) {
    int32_t number;
    buf_add_char(out, '[');
    for (size_t at = 0; at + sizeof number <= bytes.len; at += sizeof number) {
        memcpy(&number, bytes.p + at, sizeof number);
        buf_printf(out, at == 0 ? "%d" : ",%d", (int)number);
    }
    buf_add_char(out, ']');
    return bytes.len % sizeof number == 0;
}

// All fields of one part, as a list if it may repeat itself.
static bool add_part(const struct shape_part *part, struct str bytes, int depth, bool *first,
                     struct buf *out) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    bool any = false, good = true;
    while (good && wire_next(&reader, &number, &field)) {
        if (number != part->number) {
            continue;
        }
        if (!any) {
            add_name(out, first, part->name);
            buf_add_text(out, part->times == SHAPE_LIST ? "[" : "");
        } else if (part->times == SHAPE_LIST) {
            buf_add_char(out, ',');
        } else {
            return false;
        }
        any = true;
        if (part->times == SHAPE_VALUE) {
            struct wire_reader inside = {0};
            good = wire_open(field, &inside, NULL) == ST_OK;
            field = (struct str){inside.at, good ? (size_t)(inside.end - inside.at) : 0};
        }
        good = good && (part->shape == NULL ? add_numbers(field, out)
                                            : add_object(part->shape, field, depth + 1, out));
    }
    buf_add_text(out, any && part->times == SHAPE_LIST ? "]" : "");
    return good && !reader.broken;
}

static bool add_places(struct str bytes, struct buf *out) {
    struct wire_reader reader = wire_read(bytes);
    unsigned place;
    struct str field;
    bool first = true, good = true;
    while (good && wire_next(&reader, &place, &field)) {
        buf_printf(out, first ? "\"%u\":" : ",\"%u\":", place);
        good = add_scalar(out, WIRE_I64, field);
        first = false;
    }
    return good && !reader.broken;
}

static bool add_rows(const struct shape *shape, struct str bytes, bool *first, struct buf *out) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    size_t count = shape->row_count == NULL ? 0 : *shape->row_count;
    while (wire_next(&reader, &number, &field)) {
        for (size_t i = 0; i < count; i++) {
            if (shape->rows[i].number == number) {
                add_name(out, first, shape->rows[i].name);
                if (!add_scalar(out, shape->rows[i].type, field)) {
                    return false;
                }
            }
        }
    }
    return !reader.broken;
}

static bool add_object(const struct shape *shape, struct str bytes, int depth, struct buf *out) {
    bool first = true;
    if (depth > DEPTH_MAX) {
        return false;
    }
    buf_add_char(out, '{');
    bool good = shape->by_place ? add_places(bytes, out) : add_rows(shape, bytes, &first, out);
    for (size_t i = 0; i < shape->part_count && good; i++) {
        good = add_part(&shape->parts[i], bytes, depth, &first, out);
    }
    buf_add_char(out, '}');
    return good;
}

enum status shape_to_json(const struct shape *shape, struct str value, struct buf *out,
                          struct err *err) {
    struct wire_reader reader;
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    size_t before = out->len;
    if (!add_object(shape, (struct str){reader.at, (size_t)(reader.end - reader.at)}, 0, out)) {
        out->len = before;
        return err_set(err, ST_SKIP, "damaged state");
    }
    return ST_OK;
}

static void add_tables(const struct shape *shape, const char *path, int depth, struct buf *out) {
    size_t count = shape->row_count == NULL ? 0 : *shape->row_count;
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "| %u | %s%s | %s |\n", shape->rows[i].number, path,
                   short_name(shape->rows[i].name), type_name(shape->rows[i].type));
    }
    for (size_t i = 0; i < shape->part_count && depth < DEPTH_MAX; i++) {
        const struct shape_part *part = &shape->parts[i];
        buf_printf(out, "| %u | %s%s | %s%s |\n", part->number, path, part->name,
                   part->times == SHAPE_LIST ? "list of " : "",
                   part->shape == NULL ? "32-bit numbers, little-endian" : part->shape->name);
        if (part->shape != NULL) {
            char inner[128];
            struct buf text = {0};
            buf_printf(&text, "%s%s.", path, part->name);
            (void)str_copy(inner, sizeof inner, buf_str(&text));
            buf_fini(&text);
            add_tables(part->shape, inner, depth + 1, out);
        }
    }
}

void shape_to_markdown(const struct shape *shape, struct buf *out) {
    buf_add_text(out, "| number | field | type |\n|---|---|---|\n");
    add_tables(shape, "", 0, out);
}
