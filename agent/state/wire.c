// wire: see the header. Called by the value files of state; never asserts on what it reads.
#include "state/wire.h"

#include <string.h>

#include "model/run.h"

static void put_varint(struct buf *out, uint64_t value) {
    while (value >= 0x80) {
        buf_add_char(out, (char)(value | 0x80));
        value >>= 7;
    }
    buf_add_char(out, (char)value);
}

static bool get_varint(const char **at, const char *end, uint64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        unsigned char byte = (unsigned char)*(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = value;
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

void wire_put(struct buf *out, unsigned number, struct str bytes) {
    put_varint(out, number);
    put_varint(out, bytes.len);
    buf_add_str(out, bytes);
}

void wire_put_i64(struct buf *out, unsigned number, int64_t value) {
    if (value != 0) {
        struct buf number_bytes = {0};
        put_varint(&number_bytes, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
        wire_put(out, number, buf_str(&number_bytes));
        buf_fini(&number_bytes);
    }
}

static void put_row(struct buf *out, const void *from, const struct wire_row *row) {
    const char *at = (const char *)from + row->offset;
    double real;
    const char *name;
    switch (row->type) {
    case WIRE_I64:
        wire_put_i64(out, row->number, *(const int64_t *)(const void *)at);
        break;
    case WIRE_I32:
        wire_put_i64(out, row->number, *(const int32_t *)(const void *)at);
        break;
    case WIRE_BOOL:
        wire_put_i64(out, row->number, *(const bool *)(const void *)at);
        break;
    case WIRE_F64:
        real = *(const double *)(const void *)at;
        if (real != 0) {
            wire_put(out, row->number, (struct str){(const char *)&real, sizeof real});
        }
        break;
    case WIRE_CHARS:
        if (at[0] != '\0') {
            wire_put(out, row->number, str_of(at));
        }
        break;
    case WIRE_NAME:
        name = *(const char *const *)(const void *)at;
        if (name != NULL) {
            wire_put(out, row->number, str_of(name));
        }
        break;
    }
}

void wire_put_rows(struct buf *out, const void *from, const struct wire_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_row(out, from, &rows[i]);
    }
}

void wire_put_nested(struct buf *out, unsigned number, const void *from,
                     const struct wire_row *rows, size_t count) {
    struct buf nested = {0};
    wire_put_rows(&nested, from, rows, count);
    wire_put(out, number, buf_str(&nested));
    buf_fini(&nested);
}

struct wire_reader wire_read(struct str bytes) {
    return (struct wire_reader){bytes.p, bytes.p + bytes.len, false};
}

bool wire_next(struct wire_reader *reader, unsigned *number, struct str *bytes) {
    uint64_t field, len;
    if (reader->at == reader->end || reader->broken) {
        return false;
    }
    if (!get_varint(&reader->at, reader->end, &field) || field > 100000 ||
        !get_varint(&reader->at, reader->end, &len) || len > (uint64_t)(reader->end - reader->at)) {
        reader->broken = true;
        return false;
    }
    *number = (unsigned)field;
    *bytes = (struct str){reader->at, (size_t)len};
    reader->at += len;
    return true;
}

bool wire_get_i64(struct str bytes, int64_t *out) {
    const char *at = bytes.p;
    uint64_t raw;
    if (!get_varint(&at, bytes.p + bytes.len, &raw) || at != bytes.p + bytes.len) {
        return false;
    }
    *out = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

static bool take_row(void *into, const struct wire_row *row, struct str bytes) {
    char *at = (char *)into + row->offset;
    int64_t number = 0;
    switch (row->type) {
    case WIRE_I64:
        return wire_get_i64(bytes, (int64_t *)(void *)at);
    case WIRE_I32:
        if (!wire_get_i64(bytes, &number) || number < INT32_MIN || number > INT32_MAX) {
            return false;
        }
        *(int32_t *)(void *)at = (int32_t)number;
        return true;
    case WIRE_BOOL:
        if (!wire_get_i64(bytes, &number) || number < 0 || number > 1) {
            return false;
        }
        *(bool *)(void *)at = number != 0;
        return true;
    case WIRE_F64:
        if (bytes.len != sizeof(double)) {
            return false;
        }
        memcpy(at, bytes.p, sizeof(double));
        return true;
    case WIRE_CHARS:
        return str_copy(at, row->size, bytes);
    case WIRE_NAME:
        *(const char **)(void *)at = run_static_name(bytes);
        return *(const char **)(void *)at != NULL;
    }
    return false;
}

bool wire_take(void *into, const struct wire_row *rows, size_t count, unsigned number,
               struct str bytes, bool *known) {
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number) {
            *known = true;
            return take_row(into, &rows[i], bytes);
        }
    }
    *known = false;
    return true;
}

bool wire_take_all(void *into, const struct wire_row *rows, size_t count, struct str bytes) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    bool known;
    while (wire_next(&reader, &number, &field)) {
        if (!wire_take(into, rows, count, number, field, &known)) {
            return false;
        }
    }
    return !reader.broken;
}

void wire_begin(struct buf *value) {
    buf_clear(value);
    buf_add_char(value, WIRE_VERSION);
}

enum status wire_open(struct str value, struct wire_reader *reader, struct err *err) {
    if (value.len == 0) {
        return err_set(err, ST_SKIP, "an empty state value");
    }
    if (value.p[0] != WIRE_VERSION) {
        return err_set(err, ST_SKIP,
                       "state of version %d; this release reads version %d: run the release that "
                       "wrote it, or begin anew with another agent.group and empty state topics",
                       (unsigned char)value.p[0], WIRE_VERSION);
    }
    *reader = wire_read((struct str){value.p + 1, value.len - 1});
    return ST_OK;
}
