// outcome: how a run ended, from how its jobs, SQL executions and streaming queries did. Each
// failure stands until it is made up for: that of a job by the same work done again later (the same
// execution, or a later one, or a later job, with the same description or call site), that of an
// execution without a failed job by any execution that began after it and ended well. What was
// running already proves nothing. Work that was cut off with the SparkContext, or was still to do
// when the application ended, makes the run one that was killed; an event that comes late may still
// tell better.
//
// Owned by an app; written only by state. Bounded: of more open executions than the limit the
// oldest is forgotten, of more failures the newest are not noted. Descriptions and call sites are
// compared, never shown: their hashes are kept (app_text_hash).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/event.h"
#include "model/kind.h"
#include "model/record.h"
#include "stats/rangeset.h"

enum { OUTCOME_EXECUTIONS_MAX = 1000, OUTCOME_FAILURES_MAX = 1000 };

// What work it is: hashes of its description and its call site, of a streaming query those of the
// batch and the query; 0: not known.
struct work_mark {
    int64_t description, site;
};

struct execution { // an SQL execution that is not over
    int64_t id, root;
    struct work_mark work;
    int64_t stream_run; // hash of the run of its streaming query, 0: none
    int64_t started_ms;
    bool doubtful; // the job of it that ended last did not end well
};

enum failure_of { FAILURE_OF_JOB, FAILURE_OF_EXECUTION, FAILURE_OF_QUERY, FAILURE_OF_SHUTDOWN };

struct failure {
    int64_t execution;  // -1: none
    int64_t family;     // the execution that it belongs to, plus one; 0: none
    enum failure_of of; // of the last, work that was cut off
    struct work_mark work;
    int64_t ended_ms;
    int64_t executions, jobs; // largest id of an execution so far, plus one; jobs begun so far
    int64_t number;           // from 1, in the order in which they came
};

struct outcome {
    struct failure *failures; // owned: those that stand
    uint32_t failure_count, failure_cap;
    struct execution *executions; // owned
    uint32_t execution_count, execution_cap;
    struct rangeset ended, well; // executions that ended; those that said that they ended well
    int64_t newest_execution;    // largest id seen, plus one
    int64_t failures_seen;
    int64_t told;   // number of the failure whose words are kept
    bool stage_cut; // a stage was cut off with the SparkContext
};

struct app;
// Jobs, executions and queries begin and end, stages complete.
void app_apply_outcome(struct app *app, const struct event *event);
// What the evidence says of the outcome; `over` = no more events will come.
enum run_status app_status(const struct app *app, bool over);
// Jobs that were cut off with the SparkContext, or were still to do when the application ended.
uint32_t app_jobs_undone(const struct app *app);
void app_outcome_fini(struct app *app);

// How it is kept: of struct app, its failures that stand; none, or its outcome.
extern const struct record_list app_failure_list, app_outcome_list;
extern const struct record record_failure, record_outcome;
