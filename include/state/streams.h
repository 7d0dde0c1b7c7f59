// streams: what the last batches of a run's streaming queries say of whether they keep up: how long
// each took, against the time in which its rows came. O(1) per query, few queries; what is beyond
// is not known. Owned by an app; written only by state.
//
// A batch counts once, in the order of the batches; the first of a query's run only warms it up.
// One without rows says that all there was is done: what came before it counts no more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/record.h"

enum { STREAMS_MAX = 8, STREAM_BATCHES = 12, STREAM_NAME_SIZE = 65 };

struct stream_batch {
    int64_t took_ms;
    int64_t came_ms; // in which its rows came: since the batch before it began
};

struct stream_query {
    int64_t id, run; // hashes of the query's id and of its run's
    char name[STREAM_NAME_SIZE];
    int64_t batch;                       // the newest, -1: none
    int64_t batches;                     // of this run that had rows
    int64_t began_ms, took_ms;           // the newest, with rows or without
    int64_t trigger_ms;                  // shortest time between batches that waited; 0 unknown
    double input_per_s, processed_per_s; // rows, as the newest batch told; 0 unknown
    struct stream_batch recent[STREAM_BATCHES]; // oldest first
    uint32_t recent_count;
    bool empty; // the newest had no rows
    bool ended;
};

struct streams {
    struct stream_query *list; // owned, in the order of appearance
    uint32_t count;
};

void streams_fini(struct streams *streams);
// QueryProgress. Repeated ones and those of earlier batches change nothing.
void streams_progress(struct streams *streams, const struct event_stream *progress);
// QueryTerminated.
void streams_ended(struct streams *streams, const struct event_stream *end);

extern const struct record record_stream;
