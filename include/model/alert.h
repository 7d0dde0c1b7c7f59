// alert: one condition of a pipeline as Alertmanager should see it. Plain data from stage 2 to the
// alert door. The label set is the identity: nothing in it may change while the alert fires.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/run.h"

struct alert {
    char name[64];        // alertname, CamelCase
    const char *severity; // static: "critical" or "warning"
    char cluster[RUN_TEXT_MAX + 1];
    char pipeline[RUN_TEXT_MAX + 1];
    const char *kind; // static: bottleneck kind
    char summary[256];
    char description[1024];
    int64_t started_ms; // event time the condition began
    int64_t ended_ms;   // 0 while it holds
    bool silenced;      // a limit pushed it out while it held: told no more, and no end
};

// One family of numbers per pipeline, shown on /metrics.
enum { PIPELINE_DURATION_BUCKETS = 6 };
extern const double pipeline_duration_bounds_s[PIPELINE_DURATION_BUCKETS]; // 60 .. 7200
struct pipeline_stats {
    char pipeline[RUN_TEXT_MAX + 1];
    int64_t duration_buckets[PIPELINE_DURATION_BUCKETS + 1]; // not cumulative; last = +Inf
    double duration_sum_s;
    int64_t runs, records_total, errors_total;
    double records_per_s;        // of the newest run that ended
    enum run_status last_status; // of that run; meaningless while runs is 0
    double last_duration_s;
    int64_t last_ended_ms; // event time: runs may be told in another order
    int64_t open_bottlenecks[SEVERITY_COUNT];
};
