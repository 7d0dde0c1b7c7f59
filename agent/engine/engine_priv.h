// engine_priv: what the files of stage 1 share.
#pragma once

#include <sys/queue.h>

#include "base/budget.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "keep/keep.h"

// The recommendation of one kind as last handed out.
struct told_advice {
    enum advice_kind kind;
    int32_t revision;
    uint64_t digest; // of its content
};

// What was handed out about a run: a second run under the same key goes on from it, as its records
// have the same ids.
struct told {
    int64_t run_revision;
    int64_t verdict_revision; // the highest of any bottleneck
    int64_t verdict_base;     // the highest of the runs before: new bottlenecks begin after it
    struct told_advice advice[ADVICE_KIND_COUNT]; // each kind once
    uint32_t advice_count;
};

// Where the telling of a run stands: see pace.h.
struct pace {
    int64_t since_bytes; // of its events since it was told
    int64_t price_bytes; // of the next update, by what the last one took
    // The first event that is not told yet: its offset and 1 (0: all is told), the idle clock then.
    int64_t waits_from, waits_idle_ms;
    int32_t level;              // how often the wait was doubled
    int32_t at_once;            // updates that could not wait, as far as they are counted
    uint64_t digest;            // of the PipelineRun as last told, but for its revision and time
    enum run_status status;     // as last told
    uint32_t worst[KIND_COUNT]; // severity of the worst open bottleneck of a kind, as last told
};
enum { PACE_LEVELS = 7 };

// A run in memory with what the engine remembers of its output.
struct live_run {
    char key[RUN_TEXT_MAX + 40];
    size_t key_len;
    struct app *app;
    int64_t seen_offset;  // of its last event: the order of the queues
    int64_t seen_idle_ms; // the engine's idle clock at its last event
    int64_t bytes;        // of it in the engine's account
    struct kept kept;     // with the app, but for its parts
    bool app_read;        // its value was there, when the run is loaded
    bool over;            // end seen or given up: settled, only late events may follow
    uint32_t evaluated;   // bit per kind: the rule could be evaluated somewhere
    int64_t run_minute;
    int64_t looked_ms;    // at its tasks that hang, in its own time; 0 never
    bool in_time;         // its last event came as it happened
    int32_t credit_bytes; // of its events, as far as nothing was spent of them: see pace.h
    int64_t counted_lost; // events that are missing, as far as a metric has counted them
    bool run_due;         // the worst of a kind of bottleneck is another than was told
    uint32_t look_place;  // among the engine's looks, from 1; 0: it is not there
    struct told told;
    struct pace pace;
    TAILQ_ENTRY(live_run) link;    // by last event, ended and running runs apart
    TAILQ_ENTRY(live_run) waiting; // by the first event that is not told, if there is one
    UT_hash_handle hh;
};

TAILQ_HEAD(run_queue, live_run); // the run with the oldest last event first

// Runs by the moment of their next look: see looks.h.
struct look {
    int64_t at_ms;
    struct live_run *live;
};
struct looks {
    struct look *list; // owned: a heap, the first is the next
    uint32_t count, cap;
};

struct engine {
    const struct engine_options *options;
    struct decoder *decoder;
    struct engine_output output;
    struct live_run *runs;   // by key
    struct live_run *recent; // the one looked up last
    unsigned replaced;       // runs kept aside, one_application only
    unsigned let_go;         // runs that were given up
    bool in_progress;        // the input has ended, but only for now
    struct run_queue running, ended;
    struct run_queue waiting[PACE_LEVELS]; // runs with something untold, by how long they wait
    int64_t idle_ms;                       // event time that passed, jumps cut: see engine.c
    int64_t last_event_ms;
    int64_t looked_ms;             // at the runs that are silent while others are not, in its time
    struct looks looks;            // those runs
    struct kept kept;              // of its times
    struct budget_account account; // the bytes of all runs
    struct keep keep;
};

// engine_kept.c: the run is about to go: so do its keys.
void engine_forget(struct engine *engine, struct live_run *live);

// engine.c: settles the run if it is not over, and forgets it.
void engine_give_up(struct engine *engine, struct live_run *live);

// trim.c
// The run changed: the account follows.
void trim_count(struct engine *engine, struct live_run *live);
// Lets go until the budget is kept. Runs may be gone after it.
void trim(struct engine *engine);

// judge.c
// By which thresholds a run is judged: the one place that may tell its pipeline from others.
const struct thresholds *judge_thresholds(const struct engine *engine, const struct app *app);
// Judges a stage; `over`: the run is over. Sets live->run_due if something worth telling changed.
void judge_stage(struct engine *engine, struct live_run *live, struct stage *stage, bool over);
// Judges the run as a whole; while it runs only the detectors that may.
void judge_run(struct engine *engine, struct live_run *live, bool over);
// Settles all severities against the run's final length.
void judge_settle(struct engine *engine, struct live_run *live);

// report.c: hands out a PipelineRun, unless it says what was said already, and the recommendations
// that changed.
void report(struct engine *engine, struct live_run *live);
// What was told of that kind so far, begun if need be.
struct told_advice *report_told(struct told *told, enum advice_kind kind);
