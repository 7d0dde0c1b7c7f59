// restorer: reads state back from Kafka in a thread of its own, so that partitions that run go on
// meanwhile. Used by the worker's files; each worker has one.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "keep/position.h"
#include "stage_ops.h"

// A partition's state: asked for with the first fields.
struct load {
    struct load *next;
    const struct stage_ops *ops;
    int32_t partition;
    uint64_t number;
    bool kept;                // the asker still has state
    struct position position; // of that
    // the answer
    bool kept_is_good;         // it is the newest: nothing was read
    enum status status;        // ST_OK, or ST_FATAL: state and position do not fit
    char words[512];           // why not
    struct stage_state *state; // unless kept_is_good
    struct keep_table *split;  // likewise: its keys whose values are kept in pieces
    bool former;               // it is to be kept anew, under a transactional id of today's form
    // `position` is that of the state
    int64_t first, end;              // of the input
    int64_t changelog_messages;      // between first and last of the changelog, compacted or not
    int64_t records, bytes, took_ms; // read
};

struct restorer;

// `home` is borrowed for its life and given to the state that it makes.
enum status restorer_new(struct stage_home *home, struct restorer **out, struct err *err) MUST_USE;
void restorer_free(struct restorer *restorer); // takes NULL
// Takes ownership until restorer_answer returns it, or frees it after restorer_forget.
void restorer_ask(struct restorer *restorer, struct load *load);
// The next answer, or NULL. Freed with load_free.
struct load *restorer_answer(struct restorer *restorer);
void restorer_forget(struct restorer *restorer, uint64_t number);
void load_free(struct load *load); // with the state, unless taken out; takes NULL
// Appends what it waits for, nothing if it does not wait.
void restorer_words(struct restorer *restorer, struct buf *out);
