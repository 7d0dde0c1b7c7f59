// compare: two runs of a pipeline held against each other: which stages took longer or shorter, and
// why, in seconds that add up; what was set otherwise; which findings are new, gone or worse. Pure;
// borrows both runs, which must outlive the comparison.
//
// How the difference of a stage is told: the time of a stage is what it waited for its first slot,
// its work spread evenly over its slots (time of its successful tasks / slots), the time of
// attempts that were lost over the slots, and the rest: uneven tasks, while slots idled. The
// difference of the work is that of the slots, that of the volume (more records at the old time for
// each), and for every kind of task time what is left of it. These parts add up to the difference.
//
// Where either run is known by its record alone (facts.h), what that does not tell is not made up:
// there are no reasons, parts of the run's difference, nor differences of stages whose length is
// not known, and these fields say so.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runs/facts.h"
#include "runs/match.h"

// Why a stage took another time. The names stand in JSON and docs/compare.md.
enum reason {
    REASON_WAITING, // for its first task slot
    REASON_SLOTS,   // fewer or more task slots
    REASON_VOLUME,  // more or less to read
    REASON_COMPUTE, // CPU time for as much
    REASON_GC,
    REASON_FETCH_WAIT,
    REASON_SHUFFLE_WRITE,
    REASON_DESERIALIZE,
    REASON_SCHEDULING, // delay of tasks in the scheduler
    REASON_SPILL,      // task time that no metric explains, of a stage that spilled more or less
    REASON_READING,    // likewise, of one that reads input
    REASON_OTHER,      // likewise
    REASON_SKEW,       // uneven tasks
    REASON_LOST,       // attempts that failed or were killed
    REASON_COUNT
};
const char *reason_name(enum reason reason);

struct stage_reason {
    enum reason reason;
    double seconds; // of the stage's difference; above 0: longer
};

struct stage_change {
    struct stage_pair pair;
    bool known;                                // how long it took is, in the runs that have it
    double seconds;                            // wall time in b less that in a; above 0: longer
    double share;                              // of the longer run's duration, 0..1
    struct stage_reason reasons[REASON_COUNT]; // those that count, largest first
    uint32_t reason_count;
};

struct setting_change {
    const char *key, *a, *b; // borrowed; NULL: not set
};

enum finding_turn { FINDING_NEW, FINDING_WORSE, FINDING_BETTER, FINDING_GONE, FINDING_TURN_COUNT };
const char *finding_turn_name(enum finding_turn turn);
struct finding_change {
    enum finding_turn turn;
    const struct bottleneck *a, *b; // borrowed; NULL: not in that run
};

struct comparison {
    const struct run_facts *a, *b;
    double seconds;                        // duration of b less that of a
    bool of_records;                       // one of them at least is known by its record alone
    double start_up_s, stages_s, driver_s; // of it; they add up; 0 of records: not known
    struct stage_change *stages;           // owned; the largest difference first
    uint32_t stage_count;
    // owned; by key; of records of those that advice may give, and none if a record has none
    struct setting_change *settings;
    uint32_t setting_count;
    struct finding_change *findings; // owned; new, worse, better, gone; each worst first
    uint32_t finding_count;
};

// Released with comparison_fini.
void comparison_init(struct comparison *comparison, const struct run_facts *a,
                     const struct run_facts *b);
void comparison_fini(struct comparison *comparison);

// The stage of a pair in a run; NULL if it is not in it.
const struct stage_facts *comparison_a(const struct comparison *comparison,
                                       const struct stage_change *change);
const struct stage_facts *comparison_b(const struct comparison *comparison,
                                       const struct stage_change *change);
// True if the difference of a stage is worth a line: 1 % of the longer run and 100 ms, or not
// known.
bool stage_change_matters(const struct stage_change *change);

// Fills in the reasons that count, of two stages that are a pair, whose difference is known: those
// of more than a tenth of it, and those that go the other way by more than a quarter.
void stage_change_explain(struct stage_change *change, const struct stage_facts *a,
                          const struct stage_facts *b);
// By what both stages count what they read, and how much more b reads: records, else bytes. 1 and
// "" if that is not known of both.
struct volume_ratio {
    double ratio;
    const char *unit; // "records" or "bytes"
};
struct volume_ratio stage_volume(const struct stage_facts *a, const struct stage_facts *b);

// Appends why, in words with the numbers of both: "6.1 times the CPU time for each record (1.4 ->
// 8.7 us)".
void stage_reason_words(const struct stage_facts *a, const struct stage_facts *b,
                        enum reason reason, struct buf *out);
// Appends what changed of what records tell of a stage, with the numbers of both: "time of all
// tasks 4.1 s -> 31.0 s, its CPU time 4.0 s -> 30.2 s". Nothing if all of it reads alike.
void stage_told_words(const struct stage_facts *a, const struct stage_facts *b, struct buf *out);
