// position: the value under "#pos" in every partition of a state topic: how far the state next to
// it has read its input, and by which messages whoever reads on can tell that the input is still
// the one that was read: a topic may be deleted and made again. Written with every commit, read by
// the restorer; `stoker state` shows it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "keep/keep.h"
#include "model/message.h"

#define POSITION_KEY "#pos"
// Written once, when a partition's state begins, and never again: where it is missing beside a
// position that says so, other state is missing, too.
#define ROOT_KEY "#root"

// How many messages are remembered: in a topic that was written by transactions, there may be no
// message where one was before.
enum { POSITION_STAMPS = 4 };

// A message that was read, told from any other at its offset.
struct position_stamp {
    int64_t offset;
    int64_t print; // a hash of its time, its sizes and parts of its key and value
};

struct position {
    int64_t offset;  // of the next message of the input partition
    int64_t time_ms; // event time of the partition
    int64_t ticks;   // how often its time went on by the clock
    // Added to offsets where they order things: what they had reached in topics of the same name
    // before.
    int64_t shift;
    bool rooted;                                   // there is a ROOT_KEY, too
    struct position_stamp stamps[POSITION_STAMPS]; // of the last messages, rising
    uint32_t stamp_count;
};

// This message was taken: the position is behind it.
void position_take(struct position *position, const struct message *message);
// What is at the place of a message that was taken before.
enum position_proof {
    POSITION_UNKNOWN, // no stamp is of its offset
    POSITION_SAME,
    POSITION_ANOTHER // another message: this is not the input that was read
};
enum position_proof position_prove(const struct position *position, const struct message *message);
// Messages before `first` are gone: none of them can be compared any more.
void position_forget_before(struct position *position, int64_t first);
// The input is read from `offset` on, whatever was read before: none of that can be compared.
void position_restart(struct position *position, int64_t offset);
// A number that differs between two positions of one offset, of which the later took in more.
static inline int64_t position_mark(const struct position *position) {
    return (int64_t)((uint64_t)position->ticks + (uint64_t)position->shift);
}

// For those who show it. The keys are the caller's own: no stage writes or loads them.
extern const struct keep_kind keep_kind_position;

// Replaces *value.
void position_write(const struct position *position, struct buf *value);
// ST_SKIP with words on damaged bytes or a newer version.
enum status position_read(struct str value, struct position *out, struct err *err) MUST_USE;
