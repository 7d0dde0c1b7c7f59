// kind: the closed vocabularies of a verdict: bottleneck kinds, causes, severities, life cycle, run
// status. Names here are the names in topics, JSON, settings, labels and docs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum bottleneck_kind {
    KIND_DATA_SKEW,
    KIND_MEMORY_PRESSURE,
    KIND_NETWORK_OVERHEAD,
    KIND_IO_BOTTLENECK,
    KIND_RESOURCE_CONTENTION,
    KIND_SLOW_RUN,
    KIND_LOW_THROUGHPUT,
    KIND_STRAGGLER,
    KIND_TASK_FAILURES,
    KIND_PIPELINE_FAILURE,
    KIND_COUNT
};

enum severity {
    SEVERITY_NEGLIGIBLE,
    SEVERITY_LOW,
    SEVERITY_MODERATE,
    SEVERITY_SEVERE,
    SEVERITY_CRITICAL,
    SEVERITY_COUNT
};

enum cause {
    CAUSE_NONE, // no cause applies to this kind
    CAUSE_UNKNOWN,
    CAUSE_DATA,
    CAUSE_SLOW_HOST,
    CAUSE_COSTLY_RECORDS,
    CAUSE_BLOCKED,
    CAUSE_SCHEDULING,
    CAUSE_SPILL,
    CAUSE_GC,
    CAUSE_OOM,
    CAUSE_CONTAINER_KILLED,
    CAUSE_FETCH_FAILED,
    CAUSE_EXECUTOR_LOST,
    CAUSE_USER_CODE,
    CAUSE_OTHER,
    CAUSE_COUNT
};

enum life { LIFE_OPENED, LIFE_UPDATED, LIFE_CONFIRMED, LIFE_RETRACTED, LIFE_RESOLVED, LIFE_COUNT };

enum run_status { RUN_RUNNING, RUN_SUCCEEDED, RUN_FAILED, RUN_LOST, RUN_STATUS_COUNT };

// What a recommendation is about. A kind of bottleneck keeps its own number; the others are those
// of the advisors. The numbers stand in kept state.
#define ADVICE_KIND(number, id, name) ADVICE_##id = (number),
enum advice_kind {
#include "model/advice_kinds.def"
};
#undef ADVICE_KIND
#define ADVICE_KIND(number, id, name) +1
enum {
    ADVICE_KIND_COUNT = KIND_COUNT
#include "model/advice_kinds.def"
};
#undef ADVICE_KIND
// About bottlenecks of that kind.
enum advice_kind advice_kind_of(enum bottleneck_kind kind);
// True if this release knows the number.
bool advice_kind_known(int64_t number);

enum tri { TRI_NULL = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

const char *kind_name(enum bottleneck_kind kind);
const char *severity_name(enum severity severity);
const char *cause_name(enum cause cause); // "" for CAUSE_NONE
const char *life_name(enum life life);
const char *advice_kind_name(enum advice_kind kind); // a bottleneck kind's is that kind's name
const char *run_status_name(enum run_status status);
// The value with that name, or -1.
int kind_parse(struct str name);
int severity_parse(struct str name);
int cause_parse(struct str name);
int life_parse(struct str name);
int run_status_parse(struct str name);
int advice_kind_parse(struct str name);
