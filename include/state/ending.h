// ending: what Spark says of how a job, a stage, an SQL execution or a streaming query ended. Spark
// tells a cancellation and its own shutdown in fixed sentences, which stand at the beginning of a
// message; the same words anywhere else are somebody's error (a database that cancelled a
// statement, gRPC's CANCELLED). Pure functions of a text from outside; nothing is copied.
//
// The sentences are those of Spark 2.4 to 4.1: bare to 3.5, behind an error class in brackets from
// 4.0 on, inside a JSON object in what SQL executions of 3.4 end with, and all of them may stand
// behind the name of Spark's exception.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum ending {
    ENDING_WELL,      // it says nothing
    ENDING_ERROR,     // anything else
    ENDING_CANCELLED, // by somebody, or by Spark itself
    ENDING_SHUT_DOWN, // with the SparkContext
};

enum ending ending_of(struct str message);
// The same of work of a streaming query. What interrupts its thread stops it: that is a
// cancellation, and so is an error that names its job group, which is its run id (`run` is its
// hash, app_text_hash; 0: not known).
enum ending ending_of_stream(struct str message, int64_t run);
// True if it says that the job failed because a stage could not be done: whatever it quotes.
bool ending_is_abort(struct str message);
// The job that a cancellation speaks of, -1 if it is none.
int64_t ending_job(struct str message);
