// sizes: the topics of a sink, and what they take at most. Two sources: the brokers, which tell
// each topic's max.message.bytes to whoever may ask (DESCRIBE_CONFIGS), and refusals, from which it
// is learned where nobody tells, or where what was told is old. Sizes count before compression, so
// what is thought to fit does. Known to the sink alone; one thread, as it.
//
// What is learned: a batch that was refused says nothing of its records, so batches become smaller,
// by a factor each time, until a refused record was alone. From its size on, records are not sent.
// The first few of these sizes are taken as they are; then they are halved, so a topic is known
// after a bounded number of refusals. It is remembered as long as what the brokers tell stays the
// same. Where they tell nothing, a record that was once too large is tried again after a pause that
// grows: the limit may have been raised.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "base/mem.h"
#include "kafka/ends.h"
#include "model/message.h"

enum {
    // Framing of a batch of one record, generously: batch header, lengths, offsets, times.
    SIZES_FRAMING_BYTES = 128,
    SIZES_BATCH_DIVISOR = 8, // of a refused batch: a megabyte is down to one record after seven
    SIZES_EXACT_ATTEMPTS = 4,
    SIZES_FIRST_PAUSE_MS = 10 * 60 * 1000,
    SIZES_LAST_PAUSE_MS = 6 * 60 * 60 * 1000
};

// What is known of one topic. Records on their way point to it.
struct sink_topic {
    struct sink_topic *next;
    char *name;
    int64_t told_bytes;         // its max.message.bytes; 0: nobody told
    int64_t refused_bytes;      // records from this size on are refused; INT64_MAX: none was
    int64_t batch_bytes;        // what a batch may hold, as refusals tell; INT64_MAX at first
    int attempts;               // in how many attempts a record was refused alone
    uint64_t attempt;           // the last of them
    int64_t pause_ms, again_ms; // how long one that is too large is not tried, and until when
    bool refuses_times;         // of records' own: they get the present time from here on
    struct ends ends;           // kept if the caller chooses the partition
};

// Zeroed at first.
struct sizes {
    struct sink_topic *topics; // owned, as their names
    rd_kafka_queue_t *answers; // of the handle that was asked, NULL: none is owed
    int64_t asked_ms;          // monotonic; 0: this handle never was
};

// Takes the answer to what this handle was asked, if it comes within `wait_ms`; asks for the limits
// of all topics noted if that was long ago.
void sizes_refresh(struct sizes *sizes, rd_kafka_t *rk, int wait_ms, int64_t now_ms);

// The handle is about to end: what it was asked is forgotten, what is known is not.
static inline void sizes_hang_up(struct sizes *sizes) {
    if (sizes->answers != NULL) {
        rd_kafka_queue_destroy(sizes->answers);
    }
    sizes->answers = NULL;
    sizes->asked_ms = 0;
}

static inline void sizes_unlearn(struct sink_topic *topic) {
    topic->refused_bytes = topic->batch_bytes = INT64_MAX;
    topic->attempts = 0;
    topic->pause_ms = SIZES_FIRST_PAUSE_MS;
    topic->again_ms = 0;
}

// A topic by its name, noted if it is new.
static inline struct sink_topic *sizes_of(struct sizes *sizes, const char *name) {
    for (struct sink_topic *topic = sizes->topics; topic != NULL; topic = topic->next) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    struct sink_topic *topic = mem_zalloc(1, sizeof *topic);
    topic->name = mem_strdup(name);
    sizes_unlearn(topic);
    topic->next = sizes->topics;
    sizes->topics = topic;
    return topic;
}

static inline void sizes_fini(struct sizes *sizes) {
    while (sizes->topics != NULL) {
        struct sink_topic *topic = sizes->topics;
        sizes->topics = topic->next;
        ends_fini(&topic->ends);
        mem_free(topic->name);
        mem_free(topic);
    }
}

// The bytes of key, value and headers, each of these with MESSAGE_HEADER_FRAMING.
static inline int64_t sizes_bytes(const rd_kafka_message_t *message) {
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size, bytes = message->len + message->key_len;
    rd_kafka_resp_err_t code = rd_kafka_message_headers(message, &headers);
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = rd_kafka_header_get_all(headers, i, &name, &value, &size);
        bytes +=
            code != RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : strlen(name) + size + MESSAGE_HEADER_FRAMING;
    }
    return (int64_t)bytes;
}

// How many of these bytes a record may have, of `most` that the sink itself allows.
static inline int64_t sizes_room(const struct sink_topic *topic, int64_t most, int64_t now_ms) {
    int64_t bytes = topic->told_bytes > 0 && topic->told_bytes < most ? topic->told_bytes : most;
    bool trying = topic->told_bytes == 0 && now_ms >= topic->again_ms;
    bytes -= SIZES_FRAMING_BYTES;
    if (!trying && topic->refused_bytes <= bytes) {
        bytes = topic->refused_bytes - 1;
    }
    return bytes > 0 ? bytes : 0;
}

// How many bytes a batch may hold, of `most`, so that none is refused by any topic noted.
static inline int64_t sizes_batch(const struct sizes *sizes, int64_t most) {
    for (const struct sink_topic *topic = sizes->topics; topic != NULL; topic = topic->next) {
        most = topic->told_bytes > 0 && topic->told_bytes < most ? topic->told_bytes : most;
        most = topic->batch_bytes < most ? topic->batch_bytes : most;
    }
    return most;
}

// A record of so many bytes was refused for its size, by a producer whose batches hold
// `batch_bytes`; `attempt` numbers what is sent again as a whole.
static inline void sizes_refused(struct sink_topic *topic, int64_t bytes, int64_t batch_bytes,
                                 uint64_t attempt, int64_t now_ms) {
    if (bytes <= batch_bytes) { // it may have had company: only larger ones travel alone
        topic->batch_bytes =
            batch_bytes > SIZES_BATCH_DIVISOR ? batch_bytes / SIZES_BATCH_DIVISOR : 1;
        return;
    }
    if (topic->attempt != attempt) {
        topic->attempt = attempt;
        topic->attempts++;
        topic->again_ms = now_ms + topic->pause_ms;
        topic->pause_ms =
            topic->pause_ms * 2 < SIZES_LAST_PAUSE_MS ? topic->pause_ms * 2 : SIZES_LAST_PAUSE_MS;
    }
    if (bytes < topic->refused_bytes) {
        topic->refused_bytes = topic->attempts > SIZES_EXACT_ATTEMPTS ? bytes / 2 : bytes;
    }
}

// A record of so many bytes was taken.
static inline void sizes_taken(struct sink_topic *topic, int64_t bytes) {
    if (bytes >= topic->refused_bytes) { // the limit was raised
        topic->refused_bytes = INT64_MAX;
        topic->attempts = 0;
    }
}
