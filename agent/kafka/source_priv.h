// source_priv: what source.c and source_health.c share. Everything but the notes belongs to the one
// thread that polls.
#pragma once

#include <string.h>

#include "kafka/client_priv.h"
#include "kafka/source.h"

#define SOURCE_MAGIC 0x4b535243u // "KSRC"
#define SOURCE_NOTE_SIZE 512

struct source_topic {
    char *name;
    rd_kafka_topic_t *handle;    // held until the end: messages of the topic have the same
    int partition_count;         // 0 while it was not found
    int first_count;             // when it was found first
    bool noted;                  // note is not empty
    char note[SOURCE_NOTE_SIZE]; // why nothing comes from it, "" if not known; behind health_lock
};

// An owned partition.
struct source_partition {
    struct source_topic *topic;
    int32_t number;
    bool caught_up; // its end was reached and nothing was read since
    bool started;   // messages may come
    int64_t next;   // offset of the next message, -1 while unknown
    void *owner;    // the caller's
};

struct kafka_source {
    uint32_t magic;
    struct client client;
    struct kafka_source_callbacks callbacks;
    char *group;
    bool alone, held;
    struct source_topic *topics;
    size_t topic_count;
    struct source_partition **partitions; // owned, sorted by topic and number
    size_t partition_count, partition_cap;
    struct source_partition *recent; // of the last message; NULL: none, or it went
    rd_kafka_message_t *message;     // what the caller looks at
    struct client_headers headers;   // of that
    int64_t probe_at_ms;             // when to ask for topics again
    // What the health function reads from another thread.
    pthread_mutex_t health_lock;
    _Atomic bool assigned;  // has an assignment, maybe an empty one
    _Atomic size_t missing; // topics that were not found
    char fatal[SOURCE_NOTE_SIZE];
    bool group_noted;                  // group_note is not empty
    char group_note[SOURCE_NOTE_SIZE]; // why there is no assignment, "" if not known
};

// One of the source's topics, NULL if it is none.
static inline struct source_topic *source_topic_named(struct kafka_source *src, const char *name) {
    for (size_t i = 0; i < src->topic_count; i++) {
        if (strcmp(src->topics[i].name, name) == 0) {
            return &src->topics[i];
        }
    }
    return NULL;
}

// Looks for topics that were not found yet, every second, and at all now and then. True when the
// last one was found.
bool source_probe(struct kafka_source *src);
// Forgets what was wrong with the group, and with a topic (NULL: none).
void source_note_well(struct kafka_source *src, struct source_topic *topic);
// Keeps what a consumer error says for the health text. ST_FATAL if the consumer is finished, else
// ST_RETRY.
enum status source_note_error(struct kafka_source *src, const rd_kafka_message_t *m,
                              struct err *err);
