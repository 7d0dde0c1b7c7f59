// client_priv: one librdkafka handle with what the doors share: its configuration, its error
// classes and what is known about its connection. Used by the files of this room only. The handle's
// opaque is the struct client, so every callback finds its owner through it.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "kafka/client.h"
#include "model/message.h"

#define CLIENT_MAGIC 0x434c4e54u // "CLNT"
#define CLIENT_TROUBLE_SIZE 512
#define CLIENT_TOPIC_SIZE 256

// Kept with every position, before a number: tells a group that has state in Kafka from one that
// has none, and how the transaction was called that kept it (1: up to release 0.1.0).
#define CLIENT_MARK "stoker 2 "
#define CLIENT_MARK_FORMER "stoker 1 "

struct client {
    uint32_t magic;
    rd_kafka_t *rk; // NULL while closed
    void *owner;    // the door, for its own callbacks
    bool scram;     // logs in by SASL SCRAM
    char brokers[256];
    _Atomic int64_t answered_ms; // monotonic time of the last good answer, 0 before the first
    _Atomic bool down;           // no broker can be reached, as far as is known
    _Atomic bool troubled;       // trouble is not empty
    // A request of a transaction failed on its way, so the broker may still get it, late.
    _Atomic bool doubtful;
    _Atomic unsigned partitions_answered; // how often a coordinator answered to added partitions
    pthread_mutex_t lock;                 // guards the rest: read by /readyz, written by callbacks
    char trouble[CLIENT_TROUBLE_SIZE];
    char denied[CLIENT_TOPIC_SIZE]; // the topic that a transaction may not write, "" if none
};

// What becomes of a property that a user sets: a row of client_rules.def.
enum client_rule_kind { RULE_FREE, RULE_RANGE, RULE_ONE_OF, RULE_OURS, RULE_REFUSED };
struct client_rule {
    const char *key;
    enum client_rule_kind kind;
    int roles;                 // bits 1 << enum kafka_role of those that know it
    int64_t min, max;          // RANGE
    const char *value;         // OURS: what it is set to; ONE_OF: the words, with commas
    const char *newer, *since; // ONE_OF: words that need that version of the library
    const char *reason;
};
// The row of a property, NULL if there is none: then it must not be set.
const struct client_rule *client_rule_of(const char *key);
// All rows, one after the other; NULL at the end.
const struct client_rule *client_rule_at(size_t i);
// ST_FATAL, with words that follow the key, for a value that a library of `version` (as
// rd_kafka_version says it) must not be given. `rule` NULL: a property without a row.
enum status client_rule_check(const struct client_rule *rule, const char *value, int version,
                              struct err *err) MUST_USE;

// Builds the configuration: our defaults, then the common, then the role's properties, then what
// correctness needs. ST_FATAL names the property at fault. The caller owns *out.
enum status client_conf_new(const struct kafka_settings *settings, enum kafka_role role,
                            rd_kafka_conf_t **out, struct err *err) MUST_USE;
// Likewise, with properties of the caller's own (key, value), which must be valid.
enum status client_conf_with(const struct kafka_settings *settings, enum kafka_role role,
                             const char *const (*pairs)[2], size_t count, rd_kafka_conf_t **out,
                             struct err *err) MUST_USE;
// Sets a property that must be valid: a refusal is our own mistake or an unusable library.
enum status client_conf_set(rd_kafka_conf_t *conf, const char *key, const char *value,
                            struct err *err) MUST_USE;

// Adds what a producer of transactions with this id needs beyond the others.
enum status client_conf_transactional(rd_kafka_conf_t *conf, const char *id,
                                      struct err *err) MUST_USE;

// Makes *c ready for client_open; client_fini ends it.
void client_init(struct client *c, void *owner);
// Creates the handle. Takes `conf` in every case. ST_FATAL if the library refuses.
enum status client_open(struct client *c, enum kafka_role role, rd_kafka_conf_t *conf,
                        struct err *err) MUST_USE;
// Likewise, a consumer that reads or asks in the name of `group` and never joins it. `isolation` is
// the isolation.level that it has.
enum status client_open_reader(struct client *c, const struct kafka_settings *settings,
                               const char *group, const char *isolation, struct err *err) MUST_USE;
// Destroys the handle; `flags` as rd_kafka_destroy_flags. The client may be opened again.
void client_close(struct client *c, int flags);
// Likewise, but false if it takes longer than `timeout_ms`: then the library still uses the client,
// which must stay as it is for ever. librdkafka before 2.6 never ends a consumer whose topic went
// away, or may not be read any more, while messages of it were waiting.
bool client_close_within(struct client *c, int flags, int timeout_ms) MUST_USE;
// Closes if open and releases everything.
void client_fini(struct client *c);

// True if a broker answers, else false with the reason appended to `reason`. `silence_ms` > 0: no
// answer for so long counts as unreachable. Any thread.
bool client_connected(struct client *c, int64_t silence_ms, struct buf *reason);
// Asks the brokers for one topic, so that the handle knows its leaders: whoever needs them first
// would otherwise wait up to a second, and one that knows only the old ones asks those in vain
// until the next refresh, seconds later. ST_OK: answered; *partitions is their number, or -1 and
// *code says what is wrong with the topic. ST_RETRY: no answer in time, *code says why.
enum status client_ask_topic(struct client *c, const char *name, int timeout_ms, int *partitions,
                             rd_kafka_resp_err_t *code) MUST_USE;

// What is left until a deadline for one question, 100 ms at least.
static inline int client_left_ms(int64_t deadline_ms) {
    int64_t left_ms = deadline_ms - clock_mono_ms();
    return left_ms > 100 ? (int)left_ms : 100;
}

// The group that an answer to rd_kafka_DescribeConsumerGroups for one describes, borrowed from it.
// NULL and *code: an error, or that `event` is NULL since none came in time.
const rd_kafka_ConsumerGroupDescription_t *client_group(rd_kafka_event_t *event,
                                                        rd_kafka_resp_err_t *code);

// True if this position was kept by a transaction of the former form of ids.
static inline bool client_former_mark(const rd_kafka_topic_partition_t *position) {
    return position->offset >= 0 &&
           str_starts((struct str){position->metadata, position->metadata_size},
                      STR(CLIENT_MARK_FORMER));
}

// The current trouble in words, "" if none. Any thread.
void client_trouble(struct client *c, char out[CLIENT_TROUBLE_SIZE]);
// Keeps the name of a topic that a transaction may not write, until the handle is closed.
void client_note_denied(struct client *c, struct str topic);
// True if there is one.
bool client_denied(struct client *c, char out[CLIENT_TOPIC_SIZE]);

// The class of a librdkafka or broker error code.
enum status client_status(rd_kafka_resp_err_t code);
// Sets *err to "what: words" for a code; `text` is the library's own, may be NULL. Returns the
// class.
enum status client_error(struct err *err, const char *what, rd_kafka_resp_err_t code,
                         const char *text);
// Likewise, for a door that knows which right on `what` an ACL must give, e.g. "READ".
enum status client_error_right(struct err *err, const char *what, rd_kafka_resp_err_t code,
                               const char *text, const char *right);
// Likewise, of a topic that cannot be read (right READ) or written (WRITE).
enum status client_error_topic(struct err *err, const char *topic, rd_kafka_resp_err_t code,
                               const char *text, const char *right);
// True if another producer, or member of the group, took over the identity.
static inline bool client_is_fence(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}
// Words on what to do about an error code, "" if there are none.
const char *client_hint(rd_kafka_resp_err_t code, bool scram);
// Appends text that came from outside, one line, at most `max` bytes of it, into a C string.
void client_printable(char *out, size_t cap, const char *text);

// The headers of a message, as many as one may bring (MESSAGE_HEADERS_MAX_BYTES), into a list that
// grows and lives as long as the message; the rest is counted in out->headers_dropped.
struct client_headers {
    struct message_header *list; // owned
    uint32_t cap;
};
void client_headers(struct client_headers *headers, const rd_kafka_message_t *m,
                    struct message *out);

// A message but for its headers and topic, borrowed from `m`; value.p NULL: a tombstone.
static inline struct message client_message(const rd_kafka_message_t *m) {
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(m, &type);
    bool timed = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && time_ms > 0;
    return (struct message){.value = {m->payload, m->len},
                            .key = {m->key, m->key_len},
                            .partition = m->partition,
                            .offset = m->offset,
                            .timestamp_ms = timed ? time_ms : 0};
}
