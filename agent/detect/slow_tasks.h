// slow_tasks: compares a stage's slowest tasks with the rest. Shared by data_skew (is it the data?)
// and straggler (if not, what is it?); private to detect.
#pragma once

#include "detect/detector.h"

// What another detector takes for uneven times: the default of data_skew and straggler.
enum { SLOW_TASKS_RATIO = 3 };

struct slow_tasks {
    enum cause cause;
    bool cold;               // the slow ones were only warming up their executor
    unsigned count;          // slow tasks looked at
    double slow_ms, rest_ms; // mean durations
    double slow_bytes, rest_bytes, slow_records, rest_records; // means
    double slow_cpu_share, rest_cpu_share;                     // CPU time over run time
    double slow_cpu_ms, rest_cpu_ms;
    double slow_fetch_ms, slow_gc_ms, slow_delay_ms;
    int32_t host;                   // the one host of most slow tasks, -1 if several
    unsigned on_host;               // slow tasks that ran there
    double host_ms, other_hosts_ms; // mean task time there and elsewhere
    double saving_s;                // if the slowest task took as long as the mean
};

// True if max > ratio x mean over the successful tasks.
bool slow_tasks_rule(const struct stage *stage, double ratio);
// Looks closer; to be called when the rule is met and the stage still has its detail.
void slow_tasks_compare(const struct stage *stage, struct slow_tasks *out);
// The evidence both detectors publish.
void slow_tasks_evidence(const struct stage *stage, const struct slow_tasks *slow,
                         struct verdict *out);
