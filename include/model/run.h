// run: who a run is, its totals, and the records that leave the agent: PipelineRun, Bottleneck,
// Recommendation, PipelineWindow, each with its table (model/record.h). Plain data; text is owned
// as said at each field. Built by engine and fleet, published by the codec, read by stage 2.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "model/record.h"

#define ID_TEXT_SIZE 37 // a UUID's text and NUL

enum {
    RUN_TEXT_MAX = 256,   // longest name kept, bytes without NUL
    RUN_STAGES_MAX = 500, // stages in a PipelineRun, slowest first
    RUN_OPEN_MAX = 200,   // open bottlenecks in a PipelineRun, worst first
    RUN_RECOMMENDATIONS_MAX = 50,
    RUN_SETTINGS_MAX = 128, // settings in a PipelineRun
    RUN_ADVICE_MAX = 64,    // pieces of advice in it: one of each kind
    EVIDENCE_MAX = 24       // pairs in one verdict
};

// Whose run it is. Fixed arrays: kept in state as they are.
struct run_identity {
    char cluster[RUN_TEXT_MAX + 1];
    char app_id[RUN_TEXT_MAX + 1];
    char attempt[33];
    char pipeline[RUN_TEXT_MAX + 1];
    char app_name[RUN_TEXT_MAX + 1];
    char user[129];
    char spark_version[65];
};

struct run_totals {
    int64_t records; // as `records_from` says
    enum records_from records_from;
    int64_t data_size_bytes;
    bool data_size_is_files; // taken from the scans' file sizes, not from input bytes
    int64_t input_bytes, input_records, output_bytes, output_records;
    int64_t shuffle_read_bytes, shuffle_write_bytes;
    int64_t memory_spilled_bytes, disk_spilled_bytes;
    int64_t run_ms, cpu_ns, gc_ms, task_ms; // sums over successful tasks
    int64_t wasted_ms;                      // time of failed and killed attempts
    int64_t tasks, tasks_failed, tasks_killed;
    int64_t stages, jobs, jobs_failed;
};

// Of a run that took so long: records a second, and GiB of its data size an hour; 0 if it took no
// time.
double run_records_per_s(const struct run_totals *totals, double duration_s);
double run_gb_per_h(const struct run_totals *totals, double duration_s);
#define RUN_GB_BYTES 1073741824.0 // what is called a GB of data size

struct stage_summary {
    int32_t stage, attempt;
    char name[129];
    int64_t submitted_ms, completed_ms; // 0 unknown
    int64_t tasks_expected;             // -1 unknown
    int64_t tasks, tasks_failed, tasks_killed;
    double mean_task_ms;
    int64_t max_task_ms;
    int64_t memory_spilled_bytes, disk_spilled_bytes;
    int64_t shuffle_read_bytes, shuffle_write_bytes;
    int64_t input_bytes, input_records, output_bytes, output_records;
    int64_t run_ms, cpu_ns, gc_ms, read_ns;
    bool failed;
};

struct evidence {
    const char *name; // static text, snake_case with its unit
    double value;
};

// A lasting copy of a short text that stands where code uses string literals (evidence names,
// reasons): equal texts give the same pointer. For state that is read back; any thread.
// NULL for no text, one beyond 128 bytes, and one beyond the 1,000th.
const char *run_static_name(struct str text);

// A verdict as published. `id` is UUID v5 over run, stage, attempt and kind.
struct bottleneck {
    char id[ID_TEXT_SIZE];
    enum bottleneck_kind kind;
    int32_t stage, stage_attempt; // -1: a verdict on the whole run
    enum tri rule_met;
    const char *reason; // static text: why the rule was not evaluated; NULL if it was
    enum severity severity;
    enum cause cause;
    enum confidence confidence;
    const char *confidence_why;      // static text: what it is in doubt for; NULL if it is not
    char explained_by[ID_TEXT_SIZE]; // id of the verdict that is its root cause, "" if none is
    enum life life;
    int32_t revision;         // from 1
    double saving_s;          // at most this much time would be saved
    double saving_share;      // of the run's duration, 0..1
    enum severity floor, cap; // bounds of the severity, whatever the saving; not published
    bool published;           // some revision has left the agent; not published itself
    bool untold;              // it changed since the last one; not published either
    double completeness;      // tasks seen / expected, 0..1
    int64_t opened_ms, updated_ms;
    struct evidence evidence[EVIDENCE_MAX];
    uint32_t evidence_count;
    char summary[512];
};
// True if the verdict stands and costs something: neither unevaluated nor retracted nor resolved,
// and above negligible; nor is it what another brings about and no more than low. What is open is
// published as such, counted and alerted.
bool bottleneck_is_open(const struct bottleneck *bottleneck);
// True if it is open and no other is its cause: what is advised about.
bool bottleneck_is_root(const struct bottleneck *bottleneck);
// A number of its evidence, -1 if it has none of that name.
double bottleneck_number(const struct bottleneck *bottleneck, const char *name);

// What became of advice, as told by a run that followed (fleet/followed.c). Zeroed while it is but
// given.
struct advice_outcome {
    enum fate fate;
    double change;   // of the time per `per`, as a share of what it was before; 0: not known
    double spread;   // how far the runs before lie apart: of the farthest from the middle one
    int64_t runs;    // of those, how many
    const char *per; // static text: byte, record or run; NULL: nothing was compared
    enum confidence confidence;
    uint64_t with; // a set of kinds of advice that the run applied at the same time, it aside
};
// The place of a kind in such a set.
uint64_t advice_bit(enum advice_kind kind);

struct recommendation {
    char id[ID_TEXT_SIZE];
    const char *kind;                  // static text: a bottleneck kind or an advisor's name
    char (*bottlenecks)[ID_TEXT_SIZE]; // owned
    uint32_t bottleneck_count;
    char *action;         // owned
    size_t remedy_bytes;  // of the action: what to do; what the verdicts say follows. Not published
    char *code;           // owned: lines to write where no setting helps; NULL if there are none
    const char *when_not; // static text, one sentence: when not to do it; NULL: nothing is known
    struct setting_advice {
        char *key, *value; // owned
    } * settings;          // owned
    uint32_t setting_count;
    // What the run itself sets, probably on purpose, so that it is no part of `settings`; the
    // action tells it, too.
    struct own_setting {
        char *key, *value, *fits; // owned: what it sets, and what would fit
        bool by_program;          // while it ran, so that nothing set before counts
    } * own;                      // owned
    uint32_t own_count;
    double saving_s;
    char saving_how[160]; // how the saving was computed
    int32_t revision;
    int64_t updated_ms;
    struct advice_outcome outcome;
};
// Releases what it owns and zeroes it.
void recommendation_fini(struct recommendation *recommendation);

// One line of a PipelineRun's list of open bottlenecks.
struct open_bottleneck {
    char id[ID_TEXT_SIZE];
    enum bottleneck_kind kind;
    enum severity severity;
    enum severity floor; // at least that bad, whatever the saving
    enum cause cause;
    enum confidence confidence;
    int32_t stage, stage_attempt;
    double saving_s;
    char summary[512];
};

// A setting of Spark, of those that advice may give, and what was advised.
struct told_setting {
    char key[64];
    char value[80];   // what the run was told, "" if nothing
    char advised[80]; // what it should be told, "" if nothing
    char by[24];      // kind of the recommendation that says so
};

// A recommendation, as whoever follows it up needs it.
struct run_advice {
    char id[ID_TEXT_SIZE];
    enum advice_kind kind;
    int32_t revision;
    // Of lines to write, where no setting is given: the kind of bottleneck that is gone once they
    // are written. "" if there are settings, or nothing that would tell.
    char finding[24];
    double saving_s;
};

// A self-contained update on one run: product, and the only link between the two stages.
struct pipeline_run {
    struct run_identity identity;
    char id[ID_TEXT_SIZE];        // UUID v5 over the run
    int64_t revision;             // rises with every update of the run
    int64_t started_ms, ended_ms; // ended 0 while running
    int64_t time_ms;              // event time of this update
    double duration_s;
    enum run_status status;
    char failure[513]; // why it failed, "" if it did not
    struct run_totals totals;
    double records_per_s, gb_per_h, completeness;
    char listener[33];               // version of what sent the events, "" unknown
    int64_t events_lost, events_cut; // of those that it had to send
    struct stage_summary *stages;    // owned
    uint32_t stage_count;
    struct open_bottleneck *open; // owned
    uint32_t open_count;
    char **recommendations; // owned texts
    uint32_t recommendation_count;
    int64_t open_by_severity[SEVERITY_COUNT]; // all that are open, in the list or not
    struct told_setting *settings;            // owned; of a run that ended
    uint32_t setting_count;
    struct run_advice *advice; // owned; likewise
    uint32_t advice_count;
    bool shortened;  // something is left out of stages, open or recommendations
    uint32_t limits; // a set (model/limit.h) of those that were hit
};
// Leaves the worst `most` of a list that is sorted worst first, in their order, and of every kind
// that is in it at least the worst of each confidence, even if that makes more: whoever reads the
// list must not take a bottleneck that was left out for one that is gone. Returns how many are
// left, at the front.
uint32_t run_shorten_open(struct open_bottleneck *open, uint32_t count, uint32_t most);
// Overwrites *to with a run that owns copies of all that the other owns; for pipeline_run_fini.
void pipeline_run_copy(struct pipeline_run *to, const struct pipeline_run *from);
// Releases what it owns and zeroes it.
void pipeline_run_fini(struct pipeline_run *run);

// A record that is larger than its topic takes is made shorter until it fits: each call takes a
// step, in what the record owns, and returns false if there is none left. Ids, names and
// numbers stay; what was shortened says so.
//
// The lists by halves: the slowest stages and the worst bottlenecks stay longest, and of each kind
// the worst for good; then the texts; then the settings and the advice, all of them.
bool pipeline_run_shorten(struct pipeline_run *run) MUST_USE;
// The summary, then the evidence, which is given whole or not at all.
bool bottleneck_shorten(struct bottleneck *bottleneck) MUST_USE;
// The list of bottlenecks by halves, the action, the code, then the settings; the last two are not
// cut: given whole or not at all. For a copy: the code is forgotten, its owner's to release.
bool recommendation_shorten(struct recommendation *recommendation) MUST_USE;

// One closed pane of a pipeline's rolling window, plus the window's own figures at that time.
struct pipeline_window {
    char cluster[RUN_TEXT_MAX + 1];
    char pipeline[RUN_TEXT_MAX + 1];
    int64_t pane_start_ms, pane_end_ms, window_start_ms;
    int64_t runs, runs_failed; // ended in the pane
    // progress made in the pane: records, data_bytes ... task_ms
#define WINDOW_FIGURE(pane_number, run_number, name, from) int64_t name;
#include "model/window_figures.def"
#undef WINDOW_FIGURE
    int64_t window_runs, window_runs_failed;
    double duration_p50_s, duration_p90_s, duration_p99_s,
        duration_max_s;                       // over the window's ended runs, 0 if none
    int64_t open_bottlenecks[SEVERITY_COUNT]; // open at the pane's end
};

// Their tables. Rows with a number are kept in state; rows are called as the fields of the schemas.
extern const struct record record_run_identity, record_run_totals, record_stage_summary,
    record_evidence, record_bottleneck, record_open_bottleneck, record_setting_advice,
    record_own_setting, record_recommendation, record_pipeline_run, record_pipeline_window;
