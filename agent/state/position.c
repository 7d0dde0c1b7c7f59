// position: see the header. Reading trusts nothing.
#include "state/position.h"

#include <stddef.h>

#include "base/compiler.h"
#include "state/wire.h"

const struct wire_row position_rows[] = {
    {1, WIRE_I64, offsetof(struct position, offset), 0, "offset"},
    {2, WIRE_I64, offsetof(struct position, time_ms), 0, "time_ms"},
    {3, WIRE_I64, offsetof(struct position, ticks), 0, "ticks"},
};
const size_t position_rows_count = ARRAY_LEN(position_rows);

void position_write(const struct position *position, struct buf *value) {
    wire_begin(value);
    wire_put_rows(value, position, position_rows, position_rows_count);
}

enum status position_read(struct str value, struct position *out, struct err *err) {
    struct wire_reader reader;
    *out = (struct position){0};
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    struct str fields = {reader.at, (size_t)(reader.end - reader.at)};
    if (!wire_take_all(out, position_rows, position_rows_count, fields) || out->offset < 0) {
        return err_set(err, ST_SKIP, "a damaged position");
    }
    return ST_OK;
}
