// slow_tasks: compares a stage's slowest tasks with the rest. Shared by data_skew (is it the data?)
// and straggler (if not, what is it?); private to detect.
#pragma once

#include "detect/detector.h"

// What another detector takes for uneven times: the default of data_skew and straggler.
enum { SLOW_TASKS_RATIO = 3 };

struct slow_tasks {
    enum cause cause;
    bool cold;             // the slow ones were only warming up their executor
    unsigned cold_count;   // of them, those that were among its first
    unsigned count;        // slow tasks looked at
    unsigned lost;         // of them, killed because a copy won
    unsigned running;      // tasks that still run and are slow already; the slowest is one of them
    int32_t running_index; // of the one that began first
    double longest_ms;     // the slowest of all, those that lost and those that run included
    double slow_ms, rest_ms;                                   // mean durations
    double slow_bytes, rest_bytes, slow_records, rest_records; // means
    double data_share; // how much of the extra time bytes, else records, explain; 0..1
    bool has_cpu;      // tasks report their CPU time
    double slow_cpu_share, rest_cpu_share; // CPU time over run time
    double slow_cpu_ms, rest_cpu_ms;
    double slow_run_ms, slow_fetch_ms, slow_gc_ms, slow_delay_ms;
    unsigned far;      // slow tasks that ran on another node than their data
    double rest, near; // how many others there are, and how many of them ran where their data are
    bool reads_input;  // locality is of input: what is far of a shuffle is fetch wait
    bool outside;      // part of the work is done outside the JVM: waiting is not told from it
    int32_t host;      // the one host of most slow tasks, -1 if several
    unsigned on_host;  // slow tasks that ran there
    unsigned hosts;    // hosts that ran tasks of the stage
    double host_ms, other_hosts_ms; // mean task time there and elsewhere
    int32_t slow_host_stages;       // of the run, that ended and in which that host was slow
    bool host_again;                // in so many that one slow task there suffices
    double saving_s;                // if nothing but the cause were gone
};

// True if max > ratio x mean over the successful tasks; `lost_too`: those that lost to their copies
// count among the slowest, as if they had succeeded.
bool slow_tasks_rule(const struct stage *stage, double ratio, bool lost_too);
// True if tasks that still run make it hold, if they ended now and those that have not begun took
// as long as the mean: it is told before the stage ends.
bool slow_tasks_hang(const struct stage *stage, double ratio, int64_t now_ms);
// Looks closer, as of the app's time; to be called when one of these holds.
void slow_tasks_compare(const struct app *app, const struct stage *stage, struct slow_tasks *out);
// True if data_skew is to tell it: it is the data, or may be, as what a task that still runs has
// read of a shuffle is told when it ends; splits of files are even.
bool slow_tasks_are_of_data(const struct stage *stage, const struct slow_tasks *slow);
// The summary while the slowest still runs; `why`: what holds it.
void slow_tasks_tell_running(const struct stage *stage, const struct slow_tasks *slow,
                             const char *why, struct verdict *out);
// The evidence both detectors publish.
void slow_tasks_evidence(const struct stage *stage, const struct slow_tasks *slow,
                         struct verdict *out);
