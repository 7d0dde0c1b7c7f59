// kafka_source: the consumer: membership of a group over some topics, messages, positions, and what
// /readyz must say. Called by the commands from one thread, kafka_source_health excepted. A broker
// that is away, a topic that is missing or an ACL that is wrong is waited for, never a reason to
// end. A position is committed only by kafka_source_commit.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "kafka/client.h"
#include "model/message.h"

struct kafka_source;

struct kafka_source_options {
    const char *group; // consumer group; positions are kept under it
    const char *const *topics;
    size_t topic_count;
    // Takes every partition of the topics without joining the group: starts at once, but must be
    // the only reader of the group. For demo and tail.
    bool alone;
};

// Told from within kafka_source_poll and kafka_source_free. Each may be NULL. A callback may
// commit, and must not poll or free.
struct kafka_source_callbacks {
    void *ctx;
    // Messages of this partition may come from here on.
    void (*assigned)(void *ctx, const char *topic, int32_t partition);
    // Once before the partitions go, all of them or a part: the last moment to commit, unless
    // `lost` (another agent may own them already; a commit then fails).
    void (*revoking)(void *ctx, bool lost);
    // No message of this partition comes any more.
    void (*revoked)(void *ctx, const char *topic, int32_t partition, bool lost);
};

// The position of a partition: the offset of the next message that is to be read after a restart.
struct source_position {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

// Begins to join the group; returns before any broker was asked. Everything passed is copied or
// only read now. ST_FATAL for bad settings. Freed with kafka_source_free.
enum status kafka_source_new(const struct kafka_settings *settings,
                             const struct kafka_source_options *options,
                             struct kafka_source_callbacks callbacks, struct kafka_source **out,
                             struct err *err) MUST_USE;
// Revokes (callbacks are called), leaves the group and frees; takes at most about 10 s if no broker
// answers. Takes NULL.
void kafka_source_free(struct kafka_source *src);

// Waits up to `timeout_ms` for the next message. ST_OK: *out is set, valid until the next poll,
// commit excepted. ST_RETRY: nothing now. ST_FATAL: this consumer is finished (fenced by another
// process with the same group.instance.id). Call it at least once a minute, paused or not. A
// message without value (a tombstone) has an empty value.
enum status kafka_source_poll(struct kafka_source *src, int timeout_ms, struct message *out,
                              struct err *err) MUST_USE;

// Commits positions of owned partitions and waits up to `timeout_ms` for the answer. ST_OK: all are
// kept. ST_RETRY: no answer yet or a passing error; repeat with the same or later positions.
// ST_ABORT: refused, because the partitions belong to another agent by now or an ACL is missing.
// ST_FATAL: as for poll.
enum status kafka_source_commit(struct kafka_source *src, const struct source_position *positions,
                                size_t count, int timeout_ms, struct err *err) MUST_USE;

// Back-pressure: no messages until resume, for partitions that are assigned meanwhile too.
// Repeating either is fine.
void kafka_source_pause(struct kafka_source *src);
void kafka_source_resume(struct kafka_source *src);

// Partitions owned now.
size_t kafka_source_partitions(const struct kafka_source *src);
// Messages not yet read, summed over the owned partitions of which it is known.
int64_t kafka_source_lag(const struct kafka_source *src);
// True if the end of this owned partition was reached and nothing has been read since.
bool kafka_source_caught_up(const struct kafka_source *src, const char *topic, int32_t partition);

// True if connected, in the group, and all topics exist. Else false, and the reason in words is
// appended. Any thread.
bool kafka_source_health(struct kafka_source *src, struct buf *reason);
