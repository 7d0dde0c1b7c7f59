// value: see the header; this is writing and reading. One function per form of field each way, and
// none that knows a struct. Lists of a kept struct are as long as its table allows, whatever a
// value says.
#include "keep/value.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/scrub.h"
#include "model/run.h"
#include "wire.h"

// The number at a place of a list of int64_t or uint32_t.
static int64_t number_at(const char *numbers, uint32_t place, size_t size) {
    return size == sizeof(uint32_t) ? (int64_t)((const uint32_t *)(const void *)numbers)[place]
                                    : ((const int64_t *)(const void *)numbers)[place];
}

static void write_fields(const struct record *record, const char *object, struct buf *out);

static void write_item(const struct record_row *row, const void *item, struct buf *out) {
    size_t begun = wire_begin(out, row->number);
    if (row->type == RECORD_VALUE) {
        buf_add_char(out, WIRE_VERSION);
    }
    write_fields(row->item, item, out);
    wire_end(out, begun);
}

// A record in its place; one of which all is zero is not told.
static void write_nested(const struct record_row *row, const void *item, struct buf *out) {
    size_t before = out->len, begun = wire_begin(out, row->number);
    write_fields(row->item, item, out);
    if (out->len > begun) {
        wire_end(out, begun);
    } else {
        out->len = before;
    }
}

static void write_items(const struct record_row *row, const char *object, struct buf *out) {
    union record_scratch scratch;
    if (row->type == RECORD_ARRAY) {
        uint32_t count = *(const uint32_t *)(const void *)(object + row->count_offset);
        for (uint32_t i = 0; i < count; i++) {
            write_item(row, object + row->offset + i * row->item->size, out);
        }
        return;
    }
    uint32_t count = row->list->size(object);
    for (uint32_t i = 0; i < count; i++) {
        const void *item = row->list->at(object, i, &scratch);
        if (item != NULL) {
            write_item(row, item, out);
        }
    }
}

static void write_places(const struct record_row *row, const char *object, struct buf *out) {
    const char *numbers = row->list == NULL ? object + row->offset : row->list->at(object, 0, NULL);
    size_t before = out->len, begun = wire_begin(out, row->number);
    for (uint32_t i = 0; i < row->max && numbers != NULL; i++) {
        wire_put_i64(out, i + 1, number_at(numbers, i, row->size));
    }
    if (out->len > begun) {
        wire_end(out, begun);
    } else {
        out->len = before; // all zero
    }
}

static void write_sparse(const struct record_row *row, const char *numbers, struct buf *out) {
    for (uint32_t i = 0; i < row->max; i++) {
        int64_t number = number_at(numbers, i, row->size);
        if (number != 0) {
            size_t begun = wire_begin(out, row->number);
            wire_put_i64(out, 1, i);
            wire_put_i64(out, 2, number);
            wire_end(out, begun);
        }
    }
}

static void write_text(struct buf *out, unsigned number, const char *text) {
    if (text != NULL && text[0] != '\0') {
        wire_put(out, number, str_of(text));
    }
}

// One number, boolean or text.
static void write_one(const struct record_row *row, const void *at, struct buf *out) {
    double real;
    switch (row->type) {
    case RECORD_I64:
        wire_put_i64(out, row->number, *(const int64_t *)at);
        break;
    case RECORD_I32:
    case RECORD_WORD:
        wire_put_i64(out, row->number, *(const int32_t *)at);
        break;
    case RECORD_BOOL:
        wire_put_i64(out, row->number, *(const bool *)at);
        break;
    case RECORD_F64:
        real = *(const double *)at;
        if (real != 0) {
            wire_put(out, row->number, (struct str){(const char *)&real, sizeof real});
        }
        break;
    case RECORD_CHARS:
        write_text(out, row->number, at);
        break;
    case RECORD_NAME:
        write_text(out, row->number, *(const char *const *)at);
        break;
    default: // retired, or never kept
        break;
    }
}

static void write_row(const struct record_row *row, const char *object, struct buf *out) {
    const char *at = object + row->offset;
    switch (row->type) {
    case RECORD_INLINE:
        write_fields(row->item, at, out);
        break;
    case RECORD_NESTED:
        write_nested(row, at, out);
        break;
    case RECORD_VALUE:
    case RECORD_ARRAY:
    case RECORD_LIST:
        write_items(row, object, out);
        break;
    case RECORD_PLACES:
        write_places(row, object, out);
        break;
    case RECORD_SPARSE:
        write_sparse(row, at, out);
        break;
    default:
        write_one(row, at, out);
        break;
    }
}

static void write_fields(const struct record *record, const char *object, struct buf *out) {
    for (size_t i = 0; i < record->row_count; i++) {
        if (record->rows[i].number != 0) {
            write_row(&record->rows[i], object, out);
        }
    }
}

void value_write(const struct record *record, const void *object, struct buf *value) {
    buf_clear(value);
    buf_add_char(value, WIRE_VERSION);
    write_fields(record, object, value);
}

static bool read_fields(const struct record *record, struct wire_reader reader, char *object,
                        struct err *err);

static bool bounded(const struct record_row *row, int64_t number) {
    return row->least == row->most || (number >= row->least && number <= row->most);
}

static bool read_number(const struct record_row *row, struct str field, char *at) {
    int64_t number;
    if (!wire_get_i64(field, &number) || !bounded(row, number)) {
        return false;
    }
    bool fits = true;
    switch (row->type) {
    case RECORD_I64:
        *(int64_t *)(void *)at = number;
        break;
    case RECORD_BOOL:
        fits = number == 0 || number == 1;
        *(bool *)(void *)at = number != 0;
        break;
    case RECORD_WORD:
        fits = number >= 0 && number < row->words->count && row->words->words[number] != NULL;
        *(int32_t *)(void *)at = (int32_t)number;
        break;
    default:
        fits = number >= INT32_MIN && number <= INT32_MAX;
        *(int32_t *)(void *)at = (int32_t)number;
        break;
    }
    return fits;
}

static bool read_real(const struct record_row *row, struct str field, char *at) {
    double real;
    if (field.len != sizeof real) {
        return false;
    }
    memcpy(&real, field.p, sizeof real);
    memcpy(at, &real, sizeof real);
    return row->least == row->most ||
           (isfinite(real) && (row->least == INT64_MIN || real >= (double)row->least));
}

static bool read_item(const struct record_row *row, struct str field, char *object,
                      struct err *err) {
    union record_scratch scratch;
    struct wire_reader reader = wire_read(field);
    if (row->type == RECORD_VALUE && wire_open(field, &reader, err) != ST_OK) {
        return false;
    }
    if (row->type == RECORD_NESTED) {
        return read_fields(row->item, reader, object + row->offset, err);
    }
    if (row->type == RECORD_ARRAY) {
        uint32_t *count = (uint32_t *)(void *)(object + row->count_offset);
        if (*count >= row->max) {
            return false;
        }
        char *item = object + row->offset + *count * row->item->size;
        ++*count;
        return read_fields(row->item, reader, item, err);
    }
    memset(&scratch, 0, row->item->size < sizeof scratch ? row->item->size : 0);
    void *item = row->list->add(object, 1, &scratch);
    return item != NULL && read_fields(row->item, reader, item, err) &&
           (row->list->added == NULL || row->list->added(object, item));
}

static bool set_number(const struct record_row *row, char *numbers, int64_t place, int64_t number) {
    if (place < 0 || place >= row->max || number < 0 || !bounded(row, number)) {
        return false;
    }
    if (row->size == sizeof(uint32_t)) {
        ((uint32_t *)(void *)numbers)[place] = (uint32_t)number;
        return number <= UINT32_MAX;
    }
    ((int64_t *)(void *)numbers)[place] = number;
    return true;
}

static bool read_places(const struct record_row *row, struct str field, char *object) {
    struct wire_reader reader = wire_read(field);
    unsigned place;
    int64_t number;
    char *numbers = row->list == NULL ? object + row->offset : row->list->add(object, 1, NULL);
    while (numbers != NULL && wire_next(&reader, &place, &field)) {
        if (!wire_get_i64(field, &number) ||
            !set_number(row, numbers, (int64_t)place - 1, number)) {
            return false;
        }
    }
    return numbers != NULL && !reader.broken;
}

static bool read_sparse(const struct record_row *row, struct str field, char *numbers) {
    int64_t place, number;
    return wire_get_pair(field, &place, &number) && set_number(row, numbers, place, number);
}

// `object` is the struct the row is of.
static bool read_row(const struct record_row *row, struct str field, char *object,
                     struct err *err) {
    char *at = object + row->offset;
    switch (row->type) {
    case RECORD_RETIRED:
        return true;
    case RECORD_I64:
    case RECORD_I32:
    case RECORD_BOOL:
    case RECORD_WORD:
        return read_number(row, field, at);
    case RECORD_F64:
        return read_real(row, field, at);
    case RECORD_CHARS:
        if (row->prose) { // an older release may have kept what this one hides
            scrub_copy(at, row->size, field);
            return field.len < row->size;
        }
        return str_copy(at, row->size, field);
    case RECORD_NAME:
        *(const char **)(void *)at = run_static_name(field);
        return *(const char **)(void *)at != NULL;
    case RECORD_NESTED:
    case RECORD_VALUE:
    case RECORD_ARRAY:
    case RECORD_LIST:
        return read_item(row, field, object, err);
    case RECORD_PLACES:
        return read_places(row, field, object);
    case RECORD_SPARSE:
        return read_sparse(row, field, at);
    case RECORD_TEXT:
    case RECORD_INLINE:
        break;
    }
    require(!"no row that is read has this type");
    return false;
}

// The row of a number: that of the last field or, as a value is written in the order of its rows,
// one behind it.
static const struct record_row *row_of(const struct record *record, unsigned number, size_t *last,
                                       size_t *base) {
    for (size_t i = *last; i < record->row_count && number != 0; i++) {
        if (record->rows[i].number == number && record->rows[i].type != RECORD_INLINE) {
            *last = i;
            *base = 0;
            return &record->rows[i];
        }
    }
    return record_by_number(record, number, base);
}

static bool read_fields(const struct record *record, struct wire_reader reader, char *object,
                        struct err *err) {
    unsigned number;
    struct str field;
    size_t last = 0, base = 0;
    while (wire_next(&reader, &number, &field)) {
        const struct record_row *row = row_of(record, number, &last, &base);
        if (row != NULL && !read_row(row, field, object + base, err)) {
            return false;
        }
    }
    return !reader.broken && (record->whole == NULL || record->whole(object));
}

enum status value_read(const struct record *record, struct str value, void *object,
                       struct err *err) {
    struct wire_reader reader;
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    err_set(err, ST_SKIP, "damaged state, or state of which a part is missing");
    return read_fields(record, reader, object, err) ? ST_OK : ST_SKIP;
}
