// engine_priv: what the files of stage 1 share.
#pragma once

#include "base/buf.h"
#include "base/hash.h"
#include "engine/engine.h"

enum { ADVICE_KINDS = KIND_COUNT };

// By what a run is found: app id, newline, attempt.
struct run_key {
    char text[RUN_TEXT_MAX + 40];
    size_t len;
    struct str app_id, attempt; // borrowed
};

// What was handed out about a run: a second run under the same key goes on from it, as its records
// have the same ids.
struct told {
    int64_t run_revision;
    int64_t verdict_revision; // the highest of any bottleneck
    int64_t verdict_base;     // the highest of the runs before: new bottlenecks begin after it
    struct {
        int32_t revision;
        uint64_t digest; // of the content last handed out
    } advice[ADVICE_KINDS];
};

// A run in memory with what the engine remembers of its output.
struct live_run {
    char key[RUN_TEXT_MAX + 40];
    size_t key_len;
    struct app *app;
    int64_t seen_offset;  // of its last event: the order of the queues
    int64_t seen_idle_ms; // the engine's idle clock at its last event
    bool touched;         // changed since it was written out
    bool written;         // to the state topic
    bool over;            // end seen or given up: settled, only late events may follow
    uint32_t evaluated;   // bit per kind: the rule could be evaluated somewhere
    int64_t run_minute;
    bool run_due; // a bottleneck opened, worsened or went
    struct told told;
    struct live_run *newer, *older; // by last event, ended and running runs apart
    UT_hash_handle hh;
};

struct run_queue {
    struct live_run *oldest, *newest;
};

struct engine {
    const struct engine_options *options;
    struct decoder *decoder;
    struct engine_output output;
    struct live_run *runs;   // by key
    struct live_run *recent; // the one looked up last
    unsigned replaced;       // runs kept aside, one_application only
    bool in_progress;        // the input has ended, but only for now
    struct run_queue running, ended;
    int64_t idle_ms; // event time that passed, jumps cut: see engine.c
    int64_t last_event_ms;
    bool touched;    // changed since it was written out
    struct buf gone; // keys that are gone since, each a length and its bytes
};

// snapshot.c: the run is about to go: so do its keys.
void snapshot_forget(struct engine *engine, struct live_run *live);

// engine.c
void run_queue_add(struct run_queue *queue, struct live_run *live);
// Settles the run if it is not over, and forgets it.
void engine_give_up(struct engine *engine, struct live_run *live);

// engine_time.c
// An event of `time_ms`, in a record of `record_ms` (0: not known), moves the partition's time.
void engine_advance(struct engine *engine, int64_t time_ms, int64_t record_ms);

// place.c
// App id and attempt of a message: headers, then key, then the value (`event`, may be NULL while
// the value is not decoded yet). False if there is none that can be used.
bool place_message(const struct engine_options *options, const struct message *message,
                   const struct event *event, struct run_key *key);

// The metric that counts a message the decoder refused.
enum metric place_skip_metric(enum decode_error error);

// judge.c
// Judges a stage; `over`: the run is over. Sets live->run_due if something worth telling changed.
void judge_stage(struct engine *engine, struct live_run *live, struct stage *stage, bool over);
// Judges the run as a whole; while it runs only the detectors that may.
void judge_run(struct engine *engine, struct live_run *live, bool over);
// Settles all severities against the run's final length.
void judge_settle(struct engine *engine, struct live_run *live);

// report.c
// Hands out a PipelineRun.
void report_run(struct engine *engine, struct live_run *live);
// Hands out the recommendations that changed.
void report_advice(struct engine *engine, struct live_run *live);
// The run's status as published.
enum run_status report_status(const struct engine *engine, const struct live_run *live);
// True if the verdict stands and is above negligible.
bool report_is_open(const struct bottleneck *bottleneck);
