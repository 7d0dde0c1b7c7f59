// plans: the joins of a run's SQL executions, as the last plan of each has them: an adaptive plan
// is told again as it changes, and what was planned at first may never have run. While an execution
// is open, the numbers of its joins come from tasks and the driver; when it ends, what may matter
// is kept in a few words and the rest is let go. Owned by an app; written only by state.
//
// Bounded: so many joins are open at once, over all executions (the oldest execution goes first),
// and so many that ended are kept, those that cost most. No value is not 0: a number that never
// came is unknown.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/record.h"

enum {
    PLANS_JOINS_MAX = 32, // open
    PLANS_VALUES_MAX = 7 * PLANS_JOINS_MAX,
    PLANS_OVERS_MAX = 4,
    PLANS_SCANS_MAX = 32,   // of files, of open executions
    PLANS_ENGINES_MAX = 16, // executions with a native engine
};
// What a shuffled join's smaller side may have at most to be kept: more than any threshold.
#define PLANS_SMALL_ROWS INT64_C(1000000)
#define PLANS_UNKNOWN INT64_C(-1)

// An accumulator of a plan, and the sum of what came of it.
struct plan_value {
    int64_t id, sum; // PLANS_UNKNOWN: nothing came
};

struct plan_side {
    int64_t rows, bytes, moved; // accumulators: rows, their size in memory, as shuffled; -1 none
};

// A join that is open: of a plan that is not over.
struct plan_join {
    int64_t execution;
    int32_t way;  // enum join_way
    int32_t type; // enum join_type
    int64_t out;  // accumulator of its rows, -1 none
    struct plan_side left, right;
    int64_t task_ms;        // durations of the tasks in which it gave rows
    int32_t stage, attempt; // of the last of them; -1 none
    bool final;             // its plan is the one that ran
};

// A join that is over, by its numbers.
struct join_side {
    int64_t rows, bytes, moved; // PLANS_UNKNOWN each
};
struct join_over {
    int64_t execution;
    int32_t way, type;
    int64_t out; // rows
    struct join_side left, right;
    int64_t cost_ms; // of wall time, at most: its tasks' over the slots of their stage
    int32_t stage, attempt;
    bool final;
};

// A scan of files, of a plan that is not over: accumulators of its rows, and of the number and size
// of the files, which the driver tells.
struct plan_scan {
    int64_t execution, rows, files, bytes;
    int32_t stage; // that its files were counted to; -1 none yet
};

// By what engines the operators of an execution's last plan work, of plans with more than Spark's.
struct plan_engine {
    int64_t execution;
    int32_t native, jvm, transitions; // nodes
    int32_t python;                   // WORK_PYTHON_ROWS, WORK_PYTHON_BATCHES
};

struct plans {
    struct plan_join *joins; // owned; of each execution together, the oldest first
    uint32_t join_count, join_cap;
    struct plan_value *values; // owned; by rising id, what the joins name
    uint32_t value_count, value_cap;
    struct join_over *overs; // owned; the costliest first
    uint32_t over_count, over_cap;
    struct plan_scan *scans; // owned
    uint32_t scan_count, scan_cap;
    struct plan_engine *engines; // owned; the newest last
    uint32_t engine_count, engine_cap;
};

struct app;
struct stage;
struct event_task;

void plans_fini(struct plans *plans);
// A plan of an execution came, its first or a newer one. True if it was too large.
bool plans_apply(struct app *app, const struct event_sql *sql, bool first);
// The execution is over.
void plans_end(struct app *app, int64_t execution);
// What else a plan says: scans of files, engines, and what its operators do (app->works).
void plans_apply_facts(struct app *app, const struct event_sql *sql);
void plans_end_facts(struct plans *plans, int64_t execution);
// A success of the stage told of these accumulators: the files of the scans among them are the
// stage's.
void plans_count_files(struct app *app, struct stage *stage, const struct event_task *task);
// The stage is over: if no task told which scan it ran, it ran those of its execution that no other
// stage did.
void plans_guess_files(struct app *app, struct stage *stage);
// An accumulator that tasks or the driver told of; `set`: the whole, not a part.
void plans_add(struct plans *plans, int64_t id, int64_t update, bool set);
// The same of a successful task, in which the joins that gave rows worked.
void plans_add_task(struct plans *plans, const struct event_task *task);
// The shuffled joins that the stage was seen to do, as a set of 1 << enum join_type.
unsigned plans_joins_of(const struct app *app, const struct stage *stage);
// True if a join may be worth a word, whatever the thresholds.
bool plans_matters(const struct join_over *join);
// Gives up what is open.
void plans_let_go(struct app *app);
// An open join as it stands now.
struct join_over plans_join_now(const struct app *app, const struct plan_join *join);
int64_t plans_bytes(const struct plans *plans);

extern const struct record record_plans;
