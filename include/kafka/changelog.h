// changelog: reads back what an agent wrote in transactions: the committed positions of a group and
// the records of a partition of a state topic, up to everything that may still become committed.
// Called by the live agent's restore, by its workers and by `stoker state`, each with one of its
// own in one thread. The order matters: positions first, then the records, see the live agent's
// restorer.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "kafka/client.h"
#include "model/message.h"

struct changelog;

// Opens the consumer that reads; returns before any broker was asked. `settings` is borrowed for
// its life. `group` is the agents' consumer group, which is not joined. ST_FATAL for bad settings.
enum status changelog_new(const struct kafka_settings *settings, const char *group,
                          struct changelog **out, struct err *err) MUST_USE;
// Takes NULL.
void changelog_free(struct changelog *changelog);

struct changelog_position {
    int64_t offset; // of the next message to be read; -1: the group has none
    bool marked;    // written by a transaction of an agent: there must be state too
    bool former;    // and of an earlier release, under a transactional id of another form
    int64_t mark;   // the number it kept with it; -1: none that can be read
};

// The group's position of one partition, once no transaction over it is open any more. ST_RETRY: no
// answer, or one is still open, after `timeout_ms`.
enum status changelog_committed(struct changelog *changelog, const char *topic, int32_t partition,
                                int timeout_ms, struct changelog_position *out,
                                struct err *err) MUST_USE;

// First offset that a partition has, and the one after its last record, committed or not.
enum status changelog_bounds(struct changelog *changelog, const char *topic, int32_t partition,
                             int timeout_ms, int64_t *first, int64_t *end,
                             struct err *err) MUST_USE;

// ST_OK if records of the topic may be read, which an empty one would not tell later. ST_RETRY: not
// (words say which right is missing), or no answer within `timeout_ms`.
enum status changelog_readable(struct changelog *changelog, const char *topic, int timeout_ms,
                               struct err *err) MUST_USE;

// True if a topic might not be read. The library says so once for each consumer: to be told again,
// or of the end of it, begin with a new changelog.
bool changelog_denied(const struct changelog *changelog);

struct changelog_reading {
    const char *topic;
    int32_t partition;
    int64_t first;            // from there on, or the oldest that is left
    int64_t end;              // as changelog_bounds said
    int timeout_ms;           // without any progress
    const _Atomic bool *stop; // may be NULL; set: give up with ST_RETRY
    void *ctx;
    // One committed record, in order, borrowed; value.p NULL: a tombstone.
    void (*take)(void *ctx, const struct message *message);
};

// Hands out every committed record below `end`; waits for transactions that are still open below
// it. ST_RETRY: no progress for timeout_ms (words say at which offset it stands), or stopped.
enum status changelog_read(struct changelog *changelog, const struct changelog_reading *reading,
                           struct err *err) MUST_USE;
