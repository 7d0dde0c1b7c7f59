// sink: the producer: records go out in order per key, are never doubled by a retry, and wait for a
// broker however long it is away. Called by replay, the demo and the live agent from one thread,
// kafka_sink_health excepted. Without transactions, whether they arrived is known after
// kafka_sink_flush only; with them, after kafka_sink_commit.
//
// A producer of transactions goes through phases, by one function that asserts each step:
//
//   closed -> new -> known (its id) -> open -> begun -> positioned -> open -> ...
//
// open, begin and commit take it along. Every failure ends in kafka_sink_abandon, which closes: no
// transaction is mended, and a request of it that is still under way cannot reach into a later one,
// which has another producer. For the same reason a commit that met a broken connection closes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "kafka/client.h"
#include "model/message.h"

struct kafka_sink;

struct kafka_sink_options {
    // Largest record in bytes, key, headers and framing included; 0: 1,000,000. A topic whose
    // max.message.bytes is known to be less takes less.
    int64_t max_record_bytes;
    // How long a send waits for room in the queue; 0: 1,000.
    int queue_wait_ms;
    // Makes a producer of transactions with this id, which must be the same after a restart and
    // nobody else's. Borrowed for the sink's life. NULL: none.
    const char *transactional_id;
};

struct kafka_sink_callbacks {
    void *ctx;
    // A record to `topic` was acknowledged. Called from within any function of the sink; must not
    // call the sink. May be NULL.
    void (*delivered)(void *ctx, const char *topic);
};

// Borrowed, copied by the call that takes it.
struct sink_record {
    const char *topic;
    struct str key;   // .p NULL: no key
    struct str value; // .p NULL: no value (a tombstone)
    const struct message_header *headers;
    size_t header_count;
    int64_t timestamp_ms; // 0: now, as for every record of a topic whose broker refused one's time
    // Into `partition`, whatever the key says. Such a topic is written by agents alone: a record
    // that does not lie behind all earlier ones counts as refused, since they are gone.
    bool to_partition;
    int32_t partition;
};

// Bytes of its key, value and headers, each of these with MESSAGE_HEADER_FRAMING.
static inline int64_t sink_record_bytes(const struct sink_record *record) {
    int64_t bytes = (int64_t)(record->key.len + record->value.len);
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += (int64_t)(strlen(record->headers[i].name) + record->headers[i].value.len) +
                 MESSAGE_HEADER_FRAMING;
    }
    return bytes;
}

// The offset of the next message that is to be read of a partition.
struct sink_position {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t mark; // kept with it, read back by changelog_committed
};

// Opens a producer; returns before any broker was asked. ST_FATAL for bad settings.
enum status kafka_sink_new(const struct kafka_settings *settings,
                           const struct kafka_sink_options *options,
                           struct kafka_sink_callbacks callbacks, struct kafka_sink **out,
                           struct err *err) MUST_USE;
// Drops what is not yet acknowledged (flush first) and frees. Takes NULL.
void kafka_sink_free(struct kafka_sink *sink);

// Queues one record; with transactions only between begin and commit. ST_OK: taken; see flush.
// ST_SKIP: larger than max_record_bytes or than what the topic takes, as far as the brokers told or
// refused it before; never sent, *err has both sizes. ST_RETRY: the queue is full and stayed so for
// queue_wait_ms; send it again later. ST_ABORT: refused (the topic is missing or denied), or the
// producer had to be replaced: flush, which says ST_ABORT too, and send the batch again after a
// pause. ST_FATAL: it could not be replaced.
enum status kafka_sink_send(struct kafka_sink *sink, const struct sink_record *record,
                            struct err *err) MUST_USE;
// Handles acknowledgements that are there, without waiting. Call it when nothing is sent for long.
void kafka_sink_poll(struct kafka_sink *sink);
// Waits up to `timeout_ms` until every record sent since the last flush has its answer. ST_OK: all
// acknowledged. ST_RETRY: some have none yet; flush again. ST_ABORT: all have one, but some were
// refused (METRIC_PUBLISH_ERRORS counts them): *err has how many and the first reason; send the
// batch again. ST_FATAL: as for send. After ST_OK and ST_ABORT the next batch begins.
enum status kafka_sink_flush(struct kafka_sink *sink, int timeout_ms, struct err *err) MUST_USE;

// --- Transactions: open, then begin, send ..., commit; again from begin if it is still open. Any
// other answer than ST_OK and ST_RETRY ends in kafka_sink_abandon and begins anew with open.

// Ends what an earlier producer of the same id left open, and makes the next transactions possible.
// `topics` are those that will be written, NULL-ended: their leaders are asked for now rather than
// by the first record; so are their limits, and a producer whose batches may hold more than one of
// them takes is closed at once. ST_OK: open (also if it was already). ST_RETRY: no answer within
// `timeout_ms`, call again. ST_FATAL: refused for good, e.g. by an ACL.
enum status kafka_sink_open(struct kafka_sink *sink, const char *const *topics, int timeout_ms,
                            struct err *err) MUST_USE;
// False before the first open, after an abandon, and after a commit that met a broken connection:
// the transaction counts, but a request of it may still be under way, and only a new producer is
// safe from it.
bool kafka_sink_is_open(const struct kafka_sink *sink);
// Begins a transaction. ST_ABORT: abandon.
enum status kafka_sink_begin(struct kafka_sink *sink, struct err *err) MUST_USE;
// Adds the positions of the consumer `group` (kafka_source_client), if there are any, to the
// transaction and commits it, waiting up to about `timeout_ms`, for the positions 5 s if that is
// longer. ST_OK: everything counts. ST_RETRY: no answer yet, call again with the same arguments.
// ST_ABORT: it failed, or nobody knows: abandon, and read from Kafka what counts.
enum status kafka_sink_commit(struct kafka_sink *sink, struct client *group,
                              const struct sink_position *positions, size_t count, int timeout_ms,
                              struct err *err) MUST_USE;
// Closes the producer without a word to the broker: the next open ends what it left behind.
void kafka_sink_abandon(struct kafka_sink *sink);
// True if the last failure was that another producer or group member took over our identity.
bool kafka_sink_was_fenced(const struct kafka_sink *sink);

// How many bytes of key, value and headers (MESSAGE_HEADER_FRAMING for each) a record to this topic
// may have now.
int64_t kafka_sink_room(struct kafka_sink *sink, const char *topic);

// Records without an answer yet.
size_t kafka_sink_outstanding(const struct kafka_sink *sink);
// True if a broker answers; else the reason is appended. Any thread.
bool kafka_sink_health(struct kafka_sink *sink, struct buf *reason);
