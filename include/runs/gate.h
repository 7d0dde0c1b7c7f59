// gate: one judged run held against limits, for pipelines of code: what was breached, or why it
// cannot be told. Pure; the run and the baseline are borrowed.
//
// A limit that is breached is breached, whatever else is not known. That none is can only be said
// of a run that ended well and whose events came: else it is inconclusive.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runs/facts.h"

enum gate_verdict { GATE_FINE, GATE_INCONCLUSIVE, GATE_BREACHED, GATE_VERDICTS };
const char *gate_verdict_name(enum gate_verdict verdict);

// What cannot be told below this share of the events.
#define GATE_COMPLETENESS_LEAST 0.95

struct gate_limits {
    int64_t duration_ms;  // of the run; -1: no limit, as below
    double skew;          // of a stage: its longest task over the mean; 0: no limit
    int64_t spill_bytes;  // to disk, all stages
    int64_t failed_tasks; // task attempts that failed, all stages
    int fail_on;          // severity that no finding may have, or worse
    int fail_on_new;      // the same of findings that the baseline has not, or less severe
    const struct run_facts *baseline; // NULL: none
    double slowdown; // share by which the run may take longer than the baseline, 0.2: 20 %
};
// No limits but the usual slowdown.
void gate_limits_init(struct gate_limits *limits);
bool gate_limits_any(const struct gate_limits *limits);

enum { GATE_LINES_MAX = 50 };
struct gate_line {
    enum gate_verdict verdict;
    const char *limit;     // static: the option's name without dashes; "" of what is inconclusive
    int32_t stage;         // -1: of the run
    double value, allowed; // in the option's unit: seconds, ratio, bytes, number, severity
    char words[400];       // where and how much
};

struct gate {
    enum gate_verdict verdict; // the worst of its lines
    uint32_t line_count;
    struct gate_line lines[GATE_LINES_MAX + 1]; // what is beyond is written to the last, untold
};

// A stage is uneven for the gate if its longest task was so much above the mean that it matters:
// 1 s and 1 % of the run.
void gate_judge(const struct run_facts *run, const struct gate_limits *limits, struct gate *out);
