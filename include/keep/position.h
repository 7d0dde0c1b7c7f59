// position: the value under "#pos" in every partition of a state topic: how far the state next to
// it has read. Written with every commit, read by the restorer; `stoker state` shows it.
#pragma once

#include <stdint.h>

#include "keep/keep.h"

#define POSITION_KEY "#pos"

struct position {
    int64_t offset;  // of the next message of the input partition
    int64_t time_ms; // event time of the partition
    int64_t ticks;   // how often its time went on by the clock
};

// For those who show it. The key is the caller's own: no stage writes or loads it.
extern const struct keep_kind keep_kind_position;

// Replaces *value.
void position_write(const struct position *position, struct buf *value);
// ST_SKIP with words on damaged bytes or a newer version.
enum status position_read(struct str value, struct position *out, struct err *err) MUST_USE;
