// position: the value under "#pos" in every partition of a state topic: how far the state next to
// it has read. Written by worker.c, read by the restorer; `stoker state` shows it.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "state/wire.h"

#define POSITION_KEY "#pos"

struct position {
    int64_t offset;  // of the next message of the input partition
    int64_t time_ms; // event time of the partition
    int64_t ticks;   // how often its time went on by the clock
};

// Its fields, for those who show it.
extern const struct wire_row position_rows[];
extern const size_t position_rows_count;

// Replaces *value.
void position_write(const struct position *position, struct buf *value);
// ST_SKIP with words on damaged bytes or a newer version.
enum status position_read(struct str value, struct position *out, struct err *err) MUST_USE;
