// groups: many runs as a benchmark report shows them: by pipeline, within it by how much data they
// read, each group with its averages and their spread, and how it does against a baseline. Pure.
//
// Sizes come as they are, so groups follow the runs: those of a pipeline stand in the order of
// their size, and are parted at the widest gap (by ratio) until no group spans more than a factor
// of two. Runs of the same job on the same data are thus together wherever a round number lies.
// A size that was asked for (bench-job) is its group by itself.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "state/app.h"

#define GROUP_SPAN 2.0 // largest size of a group over its smallest, at most

// What the sizes of runs are counted by.
enum size_unit { SIZE_BYTES, SIZE_RECORDS, SIZE_ASKED, SIZE_UNKNOWN, SIZE_UNITS };
const char *size_unit_name(enum size_unit unit);

// One run, as far as a report needs it.
struct report_run {
    struct run_identity identity;
    char run_id[ID_TEXT_SIZE];
    char *log;   // owned: the path that it was read from, or where its record lies
    char *tags;  // owned: words with commas, "" if none
    char *asked; // owned: the size that was asked for, NULL if none was
    bool of_record;
    enum run_status status;
    int64_t started_ms;
    double duration_s, completeness;
    int64_t records, data_size_bytes;
    double records_per_s, gb_per_h;
    char failure[513];
    bool baseline;
};
// Fills one in; `asked` may be NULL. Released with report_run_fini.
void report_run_init(struct report_run *run, const struct app *app, enum run_status status,
                     const char *log, const char *asked);
// Likewise, of its record, which has no tags. `place` is where that lies.
void report_run_of_record(struct report_run *run, const struct pipeline_run *record,
                          const char *place);
void report_run_fini(struct report_run *run);
// Why the run is not counted in averages; NULL if it is.
const char *report_run_left_out(const struct report_run *run);

// Averages with how far the runs lie apart.
struct spread {
    uint32_t count;
    double mean, min, max;
    double deviation; // standard, of the sample; 0 of fewer than two
};
struct spread spread_of(const double *values, uint32_t count);

struct report_group {
    enum size_unit unit;
    double size, size_min, size_max; // mean and extremes, in the unit; 0 of unknown
    const char *asked;               // borrowed from a run; NULL
    uint32_t first, count;           // of the report's runs, in the order of their start
    struct spread duration_s, records_per_s, gb_per_h;
    // Mean throughput over that of the baseline, of the runs that are not the baseline if any are;
    // 0: there is none to compare with. Of what: "records/s", "GB/h" or, if neither is known of
    // all, "1/duration".
    double ratio;
    const char *ratio_of;
    int32_t ratio_to; // the group that the baseline's runs are of
    bool is_baseline; // it is the baseline itself
    bool apart;       // all its runs are faster than any of the baseline, or all slower
};

struct report_pipeline {
    char cluster[RUN_TEXT_MAX + 1], name[RUN_TEXT_MAX + 1];
    struct report_group *groups; // owned; by size, of unknown size last
    uint32_t group_count;
    // Runs that are in no average, behind those of the groups.
    uint32_t left_out_first, left_out_count;
};

// A command of bench-job that gave nothing to average.
struct report_failure {
    char *asked, *words; // owned: the size it was run with, and what went wrong
    uint32_t iteration;  // from 1
};

struct report {
    struct report_run *runs; // owned; put in order by report_build
    uint32_t run_count, run_cap;
    struct report_pipeline *pipelines; // owned; by name
    uint32_t pipeline_count;
    struct report_failure *failures; // owned
    uint32_t failure_count, failure_cap;
    bool baseline_named; // else the smallest size of a pipeline is: how it scales
};

// A place for one more run, zeroed.
struct report_run *report_add(struct report *report);
// Notes a command that failed; texts are copied.
void report_add_failure(struct report *report, const char *asked, uint32_t iteration,
                        const char *words);
// Marks the runs that a word names: an application id, a run id, the path of a log, a tag (a word
// of spark.yarn.tags, or a folder of the log's path), or a day in UTC (2026-11-30). Returns how
// many.
uint32_t report_set_baseline(struct report *report, const char *word);
// Groups what was added; call it once.
void report_build(struct report *report);
void report_fini(struct report *report);
