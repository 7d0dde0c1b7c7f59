// source: the consumer: membership of a group over some topics, messages, and what /readyz must
// say. Called by the command tail and the live agent from one thread, kafka_source_health
// excepted. A broker that is away, a topic that is missing or an ACL that is wrong is waited for,
// never a reason to end. It commits no position: those travel in the producer's transactions.
//
// It owns a sorted table of the partitions that the group gave it. Each carries the pointer that
// the caller returned for it, which comes back with every message, so that nobody looks a message's
// partition up by name. What is handed out is of an owned partition, and (held) of a started one,
// always.
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
    bool from_end; // a partition without a position is read from its end, not its beginning
    // Name of this member, the same after a restart; NULL: a member without a name.
    const char *member;
    // Nothing is read of a partition before kafka_source_start says from where.
    bool held;
};

// Told from within kafka_source_poll and kafka_source_free. Each may be NULL. A callback may commit
// a transaction with this consumer's positions, and must not poll or free.
struct kafka_source_callbacks {
    void *ctx;
    // Messages of this partition may come from here on. What it returns comes back with each of
    // them (message.owner) and when the partition goes.
    void *(*assigned)(void *ctx, const char *topic, int32_t partition);
    // Once before the partitions go, all of them or a part: the last moment to commit, unless
    // `lost` (another agent may own them already; a commit then fails).
    void (*revoking)(void *ctx, bool lost);
    // No message of this owner's partition comes any more.
    void (*revoked)(void *ctx, void *owner, bool lost);
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
// commit excepted; headers beyond MESSAGE_HEADERS_MAX_BYTES are left out. ST_RETRY: nothing now.
// ST_FATAL: this consumer is finished (fenced by another process with the same group.instance.id).
// ST_ABORT: a partition that was started has no message at its position any more; it stands still,
// and this consumer must be replaced. Call it at least once a minute, paused or not. A message
// without value (a tombstone) has an empty value.
enum status kafka_source_poll(struct kafka_source *src, int timeout_ms, struct message *out,
                              struct err *err) MUST_USE;

// Lets the messages of an owned partition come from `offset` on (SOURCE_FROM_BEGINNING: the first
// there is). Nothing that was read ahead of an earlier position comes any more. ST_RETRY: not done,
// call again.
#define SOURCE_FROM_BEGINNING INT64_C(-2)
enum status kafka_source_start(struct kafka_source *src, const char *topic, int32_t partition,
                               int64_t offset, struct err *err) MUST_USE;
// No more messages of an owned partition until it is started again.
void kafka_source_hold(struct kafka_source *src, const char *topic, int32_t partition);

// The first offset that an owned partition has. ST_RETRY: no answer within `timeout_ms`.
enum status kafka_source_first(struct kafka_source *src, const char *topic, int32_t partition,
                               int timeout_ms, int64_t *first, struct err *err) MUST_USE;

// The handle, for kafka_sink_commit. Borrowed; NULL while closed.
struct client *kafka_source_client(struct kafka_source *src);

// Messages not yet read, summed over the owned partitions of which it is known.
int64_t kafka_source_lag(const struct kafka_source *src);
// True if the end of this owned partition was reached and nothing has been read since.
bool kafka_source_caught_up(struct kafka_source *src, const char *topic, int32_t partition);
// The offset of the next message of an owned partition, or at least of where it ends; -1: unknown.
int64_t kafka_source_next(struct kafka_source *src, const char *topic, int32_t partition);

// True if connected, in the group, and all topics exist. Else false, and the reason in words is
// appended. Any thread.
bool kafka_source_health(struct kafka_source *src, struct buf *reason);
