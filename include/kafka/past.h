// past: what a topic holds, read once: committed records only, from its beginning or a time on, to
// its end as it stood when that was asked. Called by the commands that look back; one thread. Joins
// no group, keeps no position and waits for no transaction that is still open. Needs the rights
// DESCRIBE and READ on the topic, and none on a group.
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "kafka/client.h"
#include "model/message.h"

struct past;

// Returns before any broker was asked; `settings` are only read now. ST_FATAL for bad settings.
enum status past_new(const struct kafka_settings *settings, struct past **out,
                     struct err *err) MUST_USE;
// Takes NULL.
void past_free(struct past *past);

// A stretch of a partition: offsets from `first` on, below `end`; none if they are equal.
struct past_range {
    int32_t partition;
    int64_t first, end;
};

// One for each partition of the topic: all that is committed, or what was written at or after
// `since_ms` (by the records' own times; 0: from the beginning). *out is the caller's to release
// with mem_free. ST_RETRY with words: no answer in `timeout_ms`, no such topic, or no right.
enum status past_ranges(struct past *past, const char *topic, int64_t since_ms, int timeout_ms,
                        struct past_range **out, uint32_t *count, struct err *err) MUST_USE;

struct past_reading {
    const char *topic;
    const struct past_range *ranges; // of different partitions
    uint32_t count;
    int timeout_ms; // without any progress
    void *ctx;
    // One record, in the order of its partition, borrowed; value.p NULL: a tombstone. Headers are
    // not looked at.
    void (*take)(void *ctx, const struct message *message);
    // May be NULL: how many offsets of all of them lie behind, often.
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
};

// Hands out every committed record that is left of the ranges. ST_RETRY with words: no progress for
// timeout_ms.
enum status past_read(struct past *past, const struct past_reading *reading,
                      struct err *err) MUST_USE;
