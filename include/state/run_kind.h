// run_kind: what kind of run it is, as far as its events tell: batch work, a stream, or a server,
// shell or notebook. Streams and servers idle rightly, and a server is not failed by a statement of
// one of its users. Owned by an app; written only by state.
//
// A name or an event says it; what tasks do never does. Signs are only ever added, so the order of
// events matters for nothing but how long a query lasted. Bounded: few queries that run at once.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/event.h"
#include "model/record.h"

enum run_kind { RUN_KIND_BATCH, RUN_KIND_STREAM, RUN_KIND_SERVER_OR_SHELL };

enum { RUN_QUERIES_MAX = 32 }; // that run at once and are told apart

// One run of a streaming query, from its first event to its end.
struct run_query {
    int64_t run;        // hash of its run id
    int64_t started_ms; // time of the application then
    int64_t batch;      // the newest that was counted, plus one; 0: none
    int64_t busy_ms;    // sum of the lengths of its batches
};

struct run_signs {
    bool server;          // an event that only servers post
    bool stream;          // a job of a stream
    bool endless;         // a stream that did not end by itself, or nobody knows how
    bool queries_seen;    // events of the queries themselves
    uint32_t query_count; // that run
    struct run_query *queries;
    // The query that ended last of those that ended by themselves, and how many jobs there were.
    int64_t ended_busy_ms, ended_started_ms, ended_jobs;
};

struct app;
// What the run is; what it seems to be while it goes on. O(1).
enum run_kind app_run_kind(const struct app *app);

void run_signs_fini(struct run_signs *signs);
// A job begins; an event of a query (started, progress, idle, terminated) or of a server.
void app_see_signs(struct app *app, const struct event *event);
// Work of a stream was cut short by whoever stopped it.
void app_stream_cut(struct app *app);

extern const struct record record_run_signs;
