// kafka_source_priv: what the files of the Kafka source share. Everything but `health` belongs to
// the one thread that polls.
#pragma once

#include "kafka/client_priv.h"
#include "kafka/kafka_source.h"

#define SOURCE_MAGIC 0x4b535243u // "KSRC"
#define SOURCE_NOTE_SIZE 512

struct source_partition {
    char *topic;
    int32_t partition;
    void *owner;  // the caller's
    int64_t next; // offset of the next message, -1 while unknown
    bool caught_up;
    bool started; // messages may come
};

struct source_topic {
    char *name;
    int partition_count;         // 0 while it was not found
    bool noted;                  // note is not empty
    char note[SOURCE_NOTE_SIZE]; // why nothing comes from it, "" if not known; behind health_lock
};

struct kafka_source {
    uint32_t magic;
    struct client client;
    struct kafka_source_callbacks callbacks;
    char *group;
    bool alone, held;
    struct source_topic *topics;
    size_t topic_count;
    struct source_partition *partitions;
    size_t partition_count, partition_cap;
    size_t recent;                  // index of the partition of the last message
    rd_kafka_message_t *message;    // what the caller looks at
    struct message_header *headers; // of that
    uint32_t header_cap;
    int64_t probe_at_ms; // when to ask for missing topics again
    // What the health function reads from another thread.
    pthread_mutex_t health_lock;
    _Atomic bool assigned;  // has an assignment, maybe an empty one
    _Atomic size_t missing; // topics that were not found
    char fatal[SOURCE_NOTE_SIZE];
    bool group_noted;                  // group_note is not empty
    char group_note[SOURCE_NOTE_SIZE]; // why there is no assignment, "" if not known
};

// The owned partition, NULL if it is not owned.
struct source_partition *source_find(struct kafka_source *src, const char *topic,
                                     int32_t partition);
// Takes the partitions of `list` (and tells the callbacks) or gives all of `list` back.
void source_take(struct kafka_source *src, const rd_kafka_topic_partition_list_t *list);
void source_give_back(struct kafka_source *src, const rd_kafka_topic_partition_list_t *list,
                      bool lost);
// The rebalance callback; its opaque is the struct client.
void source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque);
// All owned partitions as a list of the library; the caller destroys it.
rd_kafka_topic_partition_list_t *source_owned(const struct kafka_source *src);

// Looks for topics that were not found yet, every second, and assigns them if alone.
void source_probe(struct kafka_source *src);
// Forgets what was wrong with the group, and with a topic (NULL: none).
void source_note_well(struct kafka_source *src, const char *topic);
// Keeps what a consumer error says for the health text. ST_FATAL if the consumer is finished, else
// ST_RETRY.
enum status source_note_error(struct kafka_source *src, const rd_kafka_message_t *m,
                              struct err *err);
