// topics: makes the agent's topics and checks that those which are there fit. Called by the
// commands topics, check and state; a running agent looks at its state topics before it trusts
// them, and makes none.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "kafka/client.h"

struct topic_spec {
    const char *name;
    int partitions;            // -1: the broker's default
    const char *partitions_of; // it must have as many as this topic really has; NULL: no such rule
    int replication;           // -1: the broker's default
    bool compacted;            // cleanup.policy=compact instead of delete
    bool spare;                // nothing needs it as things are set up: it may be missing
    int64_t max_message_bytes; // largest record that may come; 0: not set, not noted
    int64_t least_message_bytes; // largest record it must take; 0: not checked
};

// The number of partitions a topic has. ST_RETRY: nobody answered, or there is no such topic.
enum status topics_partitions(const struct kafka_settings *settings, const char *topic,
                              int timeout_ms, int *count, struct err *err) MUST_USE;

enum topics_mark { TOPICS_FINE, TOPICS_NOTE, TOPICS_WRONG, TOPICS_MISSING };

// Gets one line for each thing that was done or found; `text` is valid during the call, and ends
// with the command that mends it, if there is one, in brackets: " (kafka-configs.sh ...)".
struct topics_report {
    void *ctx;
    void (*line)(void *ctx, enum topics_mark mark, const char *topic, const char *text);
};

// Makes the topics that are missing, those with a `partitions_of` last; one that exists is fine and
// said to be there. *wrong gets the number of topics that could not be made, each reported as
// TOPICS_WRONG with the reason. ST_OK: the brokers answered for all. ST_RETRY: no broker answered
// in `timeout_ms`. ST_FATAL: bad settings.
enum status topics_create(const struct kafka_settings *settings, const struct topic_spec *specs,
                          size_t count, int timeout_ms, struct topics_report report, size_t *wrong,
                          struct err *err) MUST_USE;

// Looks at every topic. TOPICS_MISSING: not there, or denied (of a spare one a TOPICS_NOTE).
// TOPICS_WRONG: another cleanup.policy, not as many partitions as `partitions_of`, or a
// max.message.bytes below what it must take. Both count in *wrong. One below what may come, another
// number of partitions, or settings that may not be read, are a TOPICS_NOTE. A topic without a
// finding gets one TOPICS_FINE line. Statuses as for topics_create.
enum status topics_verify(const struct kafka_settings *settings, const struct topic_spec *specs,
                          size_t count, int timeout_ms, struct topics_report report, size_t *wrong,
                          struct err *err) MUST_USE;
