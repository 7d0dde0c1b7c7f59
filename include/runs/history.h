// history: the runs of one pipeline as the topic of runs tells them: of each its newest revision,
// without what it lists (stages, findings, texts), and where that lies, so that the whole of a few
// can be read again. Fed with records in any order between runs, each run's own in theirs; no
// clock, no I/O. Every byte is of whoever may write the topic: a record that cannot be read is
// counted.
//
// Invariants: records of other pipelines are never decoded, their names aside; memory is bounded by
// `most` (about 5 KB a run) and HISTORY_NAMES_MAX names, whatever comes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "avro/avro_codec.h"
#include "model/message.h"

enum {
    HISTORY_MOST_MAX = 10000,
    HISTORY_NAMES_MAX = 4096, // of other pipelines, until one of the own comes
    HISTORY_NEAR_MAX = 3
};

struct history_run {
    struct pipeline_run run; // its lists are empty
    int32_t partition;       // of its newest revision
    int64_t offset;
};

struct history {
    const char *pipeline;            // borrowed
    const struct history_run **runs; // by start, once history_settle was called
    uint32_t count;
    bool cut;                 // older runs than these were left out
    uint64_t unreadable;      // records of the pipeline
    char unreadable_why[600]; // of the first of them, with its place
    // Of a pipeline without a run: names seen that are nearest to it.
    char near[HISTORY_NEAR_MAX][RUN_TEXT_MAX + 1];
    unsigned near_count;
    struct history_table *table; // its own
};

// Of the `most` runs that began last, 1 to HISTORY_MOST_MAX. `codec` and `pipeline` are borrowed.
void history_init(struct history *history, struct avro_codec *codec, const char *pipeline,
                  uint32_t most);
void history_fini(struct history *history);
// One record of the topic.
void history_take(struct history *history, const struct message *message);
// When all were taken: puts the runs in order, finds the names that are near. Once.
void history_settle(struct history *history);

// The run of that run id or application id ("app-1", or "app-1/2" with its attempt), the one that
// began last if there are several; NULL if there is none.
const struct history_run *history_find(const struct history *history, const char *word);
// The one that ended last, however; NULL if none has.
const struct history_run *history_last(const struct history *history);
// The last one that succeeded before another ended, on the same cluster; NULL if none has.
const struct history_run *history_before(const struct history *history,
                                         const struct history_run *run);
