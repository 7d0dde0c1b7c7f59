// restorer: reads state back from Kafka in a thread of its own, so that partitions that run go on
// meanwhile. Used by worker_parts.c; each worker has one.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "engine/engine.h"
#include "fleet/pipelines.h"
#include "kafka/client.h"

struct restorer_options {
    const struct kafka_settings *consumer, *producer; // the latter to look at topics
    const char *group;
    const char *input_topic[2], *state_topic[2]; // of stage 1 and of stage 2
    bool topics_trusted; // need no look (a broker that has no answer: tests, the demo)
    const struct engine_options *engine;
    const struct pipelines_options *pipelines;
    struct decoder *decoder; // given to the engines, not used here
    struct engine_output engine_output;
    struct pipelines_output pipelines_output;
};

// A partition's state: asked for with the first fields.
struct load {
    struct load *next;
    bool runs; // of stage 2
    int32_t partition;
    uint64_t number;
    int64_t kept_offset, kept_ticks; // of state that the asker still has; offset -1: none
    // the answer
    bool kept_is_good;           // it is the newest: nothing was read
    enum status status;          // ST_OK, or ST_FATAL: state and position do not fit
    char words[512];             // why not
    struct engine *engine;       // stage 1
    struct pipelines *pipelines; // stage 2
    int64_t offset;              // from where to read on
    int64_t lost;                // messages before it that were deleted unread
    int64_t ticks;
    int64_t changelog_messages;      // between first and last of the changelog, compacted or not
    int64_t records, bytes, took_ms; // read
};

struct restorer;

enum status restorer_new(const struct restorer_options *options, struct restorer **out,
                         struct err *err) MUST_USE;
void restorer_free(struct restorer *restorer); // takes NULL
// Takes ownership until restorer_answer returns it, or frees it after restorer_forget.
void restorer_ask(struct restorer *restorer, struct load *load);
// The next answer, or NULL. Freed with load_free.
struct load *restorer_answer(struct restorer *restorer);
void restorer_forget(struct restorer *restorer, uint64_t number);
void load_free(struct load *load); // with the engines, unless taken out
// Appends what it waits for, nothing if it does not wait.
void restorer_words(struct restorer *restorer, struct buf *out);
