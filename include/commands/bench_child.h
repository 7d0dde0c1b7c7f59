// bench_child: one run of a user's command, with Spark's event log switched on for whatever Spark
// it starts, in a process group of its own. Called by cmd_bench_job.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct bench_child {
    char *const *argv;  // the command; in every word {size} stands for the size
    const char *size;   // as the command gets it, also in STOKER_BENCH_SIZE
    unsigned iteration; // also in STOKER_BENCH_ITERATION
    const char
        *folder; // of its own: event logs go to eventlog/ in it, what it prints to output.txt
    int64_t timeout_ms; // 0: it may take as long as it likes
    // Called some ten times a second while it runs; may be NULL.
    void (*tick)(void *ctx, int64_t running_ms);
    void *ctx;
};

// Runs it to its end. True if it ended with 0; else `words` says in a few words how it ended. A
// signal to stop (signals.h) ends it, too: all of its group, gently at first.
bool bench_child_run(const struct bench_child *child, struct buf *words);
