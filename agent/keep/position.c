// position: see the header. Reading trusts nothing.
#include "keep/position.h"

#include "base/compiler.h"

static const struct record_row rows[] = {
    RECORD_ROW(1, I64, position, offset, .most = INT64_MAX),
    RECORD_ROW(2, I64, position, time_ms),
    RECORD_ROW(3, I64, position, ticks),
};
static const struct record record_position = RECORD_OF("position", position, rows);

const struct keep_kind keep_kind_position = {.letter = '#',
                                             .form = POSITION_KEY,
                                             .holds = "how far this state has read its input",
                                             .record = &record_position};

void position_write(const struct position *position, struct buf *value) {
    value_write(&record_position, position, value);
}

enum status position_read(struct str value, struct position *out, struct err *err) {
    *out = (struct position){0};
    enum status status = value_read(&record_position, value, out, err);
    return status == ST_OK ? status : err_wrap(err, "position");
}
