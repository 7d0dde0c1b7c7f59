// facts: one judged run as plain numbers that outlive its engine: what is held against another run
// (compare.h) and against limits (gate.h). Copied out of an app when its log has been read, or out
// of the run's record (PipelineRun), which tells less; must never judge anything anew.
//
// A stage stands here once, with the sums over its attempts, in the order of its number. What a
// record does not tell is FACTS_UNKNOWN, never 0: of its stages `shape` (0), and all that is marked
// "not of a record".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/run.h"
#include "state/app.h"

enum { RUN_FINDINGS_MAX = 1000 }; // the worst
#define FACTS_UNKNOWN (-1)

struct stage_facts {
    int32_t stage, attempts;
    char name[129];
    int64_t shape;  // see struct stage; 0 unknown
    bool python;    // Python workers do its work; not of a record
    bool tells_cpu; // its tasks tell their CPU time
    // Of all attempts.
    int64_t wall_ms; // from submission to end, one attempt after the other; of a record: if all
                     // ended well
    int64_t wait_ms; // of it: before the first task began; not of a record
    int64_t lost_ms; // of attempts of tasks that failed or were killed; not of a record
    int64_t tasks, tasks_failed, tasks_killed;
    // Over successful tasks.
    int64_t task_ms, run_ms, cpu_ns, gc_ms;
    int64_t fetch_wait_ms, shuffle_write_ns, deserialize_ms, delay_ms; // not of a record
    int64_t memory_spilled_bytes, disk_spilled_bytes;
    int64_t bytes, records; // read: input and shuffle; of a record: records if none were shuffled
    int64_t input_bytes, input_records, output_bytes, output_records;
    int64_t shuffle_read_bytes, shuffle_write_bytes;
    int64_t slots; // task slots that it could use, at least 1; not of a record
    // Of the attempt whose longest task was the farthest above the mean.
    int64_t max_task_ms;
    double mean_task_ms;
};

struct run_setting {
    char *key, *value; // owned
};

struct run_facts {
    struct run_identity identity;
    char run_id[ID_TEXT_SIZE];
    char failure[513];
    enum run_status status;
    int64_t started_ms, ended_ms;
    double duration_s, completeness;
    uint32_t limits;       // a set (model/limit.h)
    bool of_record;        // it was copied out of one
    int64_t stages_untold; // attempts of stages that the record has left out: not the slowest
    bool findings_untold;  // so of findings: not the worst
    bool settings_untold;  // it has none of its settings; else those that advice may give
    struct run_totals totals;
    struct app_times times;     // not of a record
    struct stage_facts *stages; // owned
    uint32_t stage_count;
    // owned: those that are open, worst first, each kind once a stage
    struct bottleneck *findings;
    uint32_t finding_count;
    // owned, by key: properties of Spark that say how the run works, not which run it is
    struct run_setting *settings;
    uint32_t setting_count;
};

// What is known of the run now. Released with run_facts_free.
struct run_facts *run_facts_new(const struct app *app, enum run_status status);
// What a record tells of its run. Released likewise.
struct run_facts *run_facts_of_record(const struct pipeline_run *run);
// Takes NULL.
void run_facts_free(struct run_facts *facts);
// The value of a setting by its key, NULL if the run did not tell it.
const char *run_facts_setting(const struct run_facts *facts, const char *key);
// The stage of that number, or NULL.
const struct stage_facts *run_facts_stage(const struct run_facts *facts, int32_t stage);
