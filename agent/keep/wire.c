// wire: see the header. Called by the walkers of records alone.
#include "wire.h"

#include <string.h>

#include "base/check.h"

static size_t varint_size(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) {
        size++;
    }
    return size;
}

static char *write_varint(char *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        *at++ = (char)(value | 0x80);
    }
    *at++ = (char)value;
    return at;
}

static void put_varint(struct buf *out, uint64_t value) {
    char *end = write_varint(buf_reserve(out, 10), value);
    *end = '\0';
    out->len = (size_t)(end - out->data);
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
        uint64_t zigzag = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
        put_varint(out, number);
        put_varint(out, varint_size(zigzag));
        put_varint(out, zigzag);
    }
}

size_t wire_begin(struct buf *out, unsigned number) {
    put_varint(out, number);
    buf_add_char(out, 0); // the length, of one byte as a rule
    return out->len;
}

void wire_end(struct buf *out, size_t begun) {
    require(begun <= out->len);
    size_t len = out->len - begun, more = varint_size(len) - 1;
    if (more > 0) {
        buf_reserve(out, more);
        memmove(out->data + begun + more, out->data + begun, len + 1); // with its NUL
        out->len += more;
    }
    write_varint(out->data + begun - 1, len);
}

struct wire_reader wire_read(struct str bytes) {
    return (struct wire_reader){bytes.p, bytes.p + bytes.len, false};
}

bool wire_next(struct wire_reader *reader, unsigned *number, struct str *bytes) {
    uint64_t field, len;
    if (reader->at == reader->end || reader->broken) {
        return false;
    }
    if (!get_varint(&reader->at, reader->end, &field) || field > WIRE_NUMBER_MAX ||
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

bool wire_get_pair(struct str bytes, int64_t *first, int64_t *second) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    *first = *second = 0;
    while (wire_next(&reader, &number, &field)) {
        if ((number == 1 && !wire_get_i64(field, first)) ||
            (number == 2 && !wire_get_i64(field, second))) {
            return false;
        }
    }
    return !reader.broken;
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
