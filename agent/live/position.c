// position: see the header. Reading trusts nothing.
#include "position.h"

#include <stddef.h>

#include "base/compiler.h"
#include "state/wire.h"

enum { VERSION = 1 };

static const struct wire_row rows[] = {
    {1, WIRE_I64, offsetof(struct position, offset), 0, "offset"},
    {2, WIRE_I64, offsetof(struct position, time_ms), 0, "time_ms"},
    {3, WIRE_I64, offsetof(struct position, ticks), 0, "ticks"},
};

void position_write(const struct position *position, struct buf *value) {
    buf_clear(value);
    buf_add_char(value, VERSION);
    wire_put_rows(value, position, rows, ARRAY_LEN(rows));
}

enum status position_read(struct str value, struct position *out, struct err *err) {
    *out = (struct position){0};
    if (value.len > 0 && value.p[0] > VERSION) {
        return err_set(err, ST_SKIP,
                       "a position of version %d, this release reads version %d: run the newer "
                       "release",
                       value.p[0], VERSION);
    }
    if (value.len == 0 || value.p[0] != VERSION ||
        !wire_take_all(out, rows, ARRAY_LEN(rows), (struct str){value.p + 1, value.len - 1}) ||
        out->offset < 0) {
        return err_set(err, ST_SKIP, "a damaged position");
    }
    return ST_OK;
}
