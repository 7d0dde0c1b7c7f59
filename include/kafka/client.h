// client: what every Kafka door takes, and what is known about the client library. Included by the
// doors' headers and by the commands. Property values may be secrets: nothing here or below ever
// prints one.
//
// The room holds all of librdkafka. A door is one idea over one handle (or two): source reads as a
// member of a group, sink writes, with or without transactions, changelog reads back what was
// committed, topics makes and checks topics, mock is a Kafka for tests and the demo. Under them
// lies one client: its settings, its log carried into ours, what is known of its connection, and
// the class of every error code, which is what the caller must do and nothing else:
//
//   ST_OK     it counts (after a flush or a commit: not before)
//   ST_SKIP   this record never will: keep it elsewhere or drop it, counted
//   ST_RETRY  not yet; the words say what is waited for. Brokers that are away, topics that are
//             missing and logins that fail are of this class: they pass, or a human mends them
//   ST_ABORT  the batch or transaction is lost: begin it again from what Kafka says is committed
//   ST_FATAL  no attempt will help: wrong settings, or another process has our name
//
// Whatever a broker, a record or the library says is bounded and made printable before it is shown.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

// One librdkafka property as the user wrote it, e.g. {"ssl.ca.location", "/etc/ca.pem"}.
struct kafka_property {
    const char *key, *value;
};

// What a door needs to reach a cluster. All borrowed, only for the duration of the call.
struct kafka_settings {
    const char *brokers; // "host:port,host:port"
    const struct kafka_property *common;
    size_t common_count;
    const struct kafka_property *role; // kafka.consumer of a source, else kafka.producer
    size_t role_count;
    const char *client_id; // NULL: "stoker"
};

// One open handle of a door, for the other door that needs it: see kafka_sink_commit.
struct client;

enum kafka_role { KAFKA_CONSUMER, KAFKA_PRODUCER };

// Builds the configuration of a door and throws it away: for checking settings without a broker.
// ST_OK, or ST_FATAL with the section, the property and what is wrong with it, as in
// "kafka.consumer.session.timeout.msx: No such configuration property".
enum status kafka_settings_check(const struct kafka_settings *settings, enum kafka_role role,
                                 struct err *err) MUST_USE;

// Likewise of the properties as they are, without what only shows when all of them come together:
// for finding the one at fault (a login's protocol makes no sense without its mechanism).
enum status kafka_properties_check(const struct kafka_settings *settings, enum kafka_role role,
                                   struct err *err) MUST_USE;

// What the user has no right to, by the words of any error of this room: they name its code.
enum kafka_denial { KAFKA_DENIED_NOTHING, KAFKA_DENIED_TOPIC, KAFKA_DENIED_GROUP, KAFKA_DENIED_ID };
enum kafka_denial kafka_denial_of(const char *words);

// Appends what may be set of librdkafka's properties and why not the others, as Markdown.
void kafka_properties_doc(struct buf *out);

// The version of the client library that runs now, e.g. "2.0.2" (static).
const char *kafka_library_version(void);

// Monotonic time of the last good answer of a broker to any handle of this process, 0 before the
// first. Any thread.
int64_t kafka_answered_ms(void);

// Keeps the large buffers of the fetchers inside the heap instead of mapping and unmapping each of
// them. Call first in main of a long-running command, before any other thread.
void kafka_tune_memory(void);
// Gives the system back what a backlog took and nobody holds any more: the allocator keeps it else.
// Takes some hundredths of a second. Any thread.
void kafka_give_memory_back(void);
