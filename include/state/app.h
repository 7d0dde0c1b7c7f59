// app: the state of one run of a Spark application. It applies events and keeps what verdicts need:
// totals, stages, executors, what SQL metrics mean; sums and extremes, never a list of tasks, so
// its size depends on stages, executors and gaps in ids, each with a limit (what goes first beyond
// it is said there, and `limits` tells which was hit).
//
// Every event is a merge: idempotent where Kafka may repeat it (ids of tasks and jobs that ended
// are kept as ranges), tolerant of any order. What holds between events:
// - every stage is in `stages`, in order of appearance, and in the index by id and attempt, once;
// - `open_stages` counts those without `completed`, and `sums` is the sum of what each `counted`;
// - an open job is in started_jobs, and in `jobs` until it ends;
// - nothing that an event costs grows with the stages or executors of the run; with its open jobs,
//   executions and failures only as far as their limits let it, which are small (outcome.h);
// - whoever changes something that is kept under a key of its own says keep_touch of its mark, and
//   keep_gone when it goes; the run's own value is marked by whoever applies an event to it.
// No clock, no I/O. Written only here; detect and engine read the fields (engine also owns the
// verdict lists).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/limit.h"
#include "model/run.h"
#include "state/busy.h"
#include "state/delivery.h"
#include "state/executors.h"
#include "state/load.h"
#include "state/outcome.h"
#include "state/peaks.h"
#include "state/plans.h"
#include "state/properties.h"
#include "state/run_kind.h"
#include "state/stage.h"
#include "state/streams.h"
#include "state/waited.h"
#include "stats/idmap.h"
#include "stats/rangeset.h"

enum {
    APP_OPEN_STAGES_MAX = 2000,
    APP_STAGES_MAX = 10000, // open and finished together; the oldest finished goes first
    APP_CLOSED_DETAILS = 2, // finished stages that keep their detail for late events
    APP_OPEN_JOBS_MAX = 1000,
    APP_ACCUMS_MAX = 100000,
    APP_DRIVER_ACCUMS_MAX = 10000,
    APP_TASK_RANGES_MAX = 4096,
    APP_PIPELINE_KEYS_MAX = 16,
};

// How the pipeline's name is found: property keys in order of preference, taken as they are;
// "app_name" is the application's name, which is taken without the mark of the run, as is the Spark
// operator's label app-name. Borrowed for the app's life.
struct pipeline_rule {
    const char *const *keys;
    uint32_t count; // at most APP_PIPELINE_KEYS_MAX
};

struct app_stage_slot; // hash entry, private
struct app_job;        // private

// Stages that waited for slots which older jobs of the run held, longer than they then took.
struct own_waits {
    int64_t stages, longest_ms, longest_took_ms; // of them
    int32_t longest_stage;
};

// What a write command of SQL made; the one that made most files beyond what its data needs.
struct app_written {
    int64_t execution;             // its SQL execution, counted from 1; 0 none
    int64_t files, bytes, folders; // folders: of values of what it is partitioned by
    int64_t commit_ms;             // the driver's, when its tasks were done: 0 if it did not say
};

struct app {
    struct run_identity identity;
    char run_id[ID_TEXT_SIZE];
    const struct pipeline_rule *pipeline_rule;
    char *pipeline_values[APP_PIPELINE_KEYS_MAX]; // owned, NULL until the property was seen
    bool pipeline_fixed;                          // published once: the name no longer changes

    int64_t started_ms;       // ApplicationStart's time, 0 until seen
    int64_t ended_ms;         // ApplicationEnd's time, 0 until seen
    int64_t first_ms, now_ms; // smallest and largest time of any event, 0 until one
    bool has_exit_code;
    int64_t exit_code;
    int spark_major, spark_minor; // 0 until known

    struct run_totals totals; // records and data size are filled in by app_totals
    int64_t scan_rows;        // output rows of leaf scans
    // Bytes that tasks did not count are not few: of successes without input bytes, the rows that
    // they read, those of them whose source tells a size of its own, and those that only the scan
    // counted.
    int64_t uncounted_rows, sized_rows, silent_rows;
    int64_t source_bytes; // sizes that sources tell of themselves, beside Spark's of files
    bool unsized_source;  // a plan reads, or makes, rows of which nothing tells a size
    int32_t works;        // of the operators of all plans, see model/operator.h
    int64_t shuffle_read_records, files_bytes;
    int64_t fetch_wait_ms, shuffle_write_ns; // sums over successes
    int64_t task_ends;                       // of any class but Resubmitted
    int64_t exclusions, blacklistings;       // of executors and nodes; Spark 3.1+ posts both
    int64_t executor_memory_mib;             // of the default resource profile, 0 unknown
    struct busy work;    // when a stage was submitted or a task ran, as far as they have ended
    struct busy in_jobs; // when a job was open, likewise
    struct streams streams;
    struct peaks peaks;

    struct delivery delivery;
    struct properties properties;
    struct properties session; // of SQL: what its jobs have otherwise, the newest job's
    struct executors executors;
    struct stage **stages; // owned, in order of appearance
    uint32_t stage_count, stage_cap;
    struct app_stage_slot *stage_index;
    struct stage *recent_stage;
    uint32_t open_stages;
    struct stage_part sums;           // over `stages`
    int64_t gone_expected, gone_seen; // the same over stages that were let go
    double gone_shuffle_s;            // and what moving their shuffled data took: stage_shuffle_s
    int64_t gone_slots_most, gone_last_finish_ms; // the largest among them
    int64_t last_finish_ms;                       // of any stage
    struct own_waits own_waits;
    struct run_load load;                             // how busy it was
    struct stage *closed_details[APP_CLOSED_DETAILS]; // finished stages with their detail
    unsigned closed_detail_count;

    struct app_job *jobs; // open jobs
    uint32_t job_count, job_cap;
    struct outcome outcome;
    bool sql_error;    // a failure stands of an execution or a query, none of whose jobs failed
    bool drivers_oom;  // the last execution with an error ended so because the driver's memory ran
                       // out
    char failure[513]; // first words of why

    struct run_signs signs; // of what kind the run is

    struct plans plans;
    struct app_written written;
    struct load_computed computed; // of all its stages so far
    struct idmap accum_roles;      // SQL accumulator id -> role; what decode keeps
    struct idmap driver_values;    // driver-side accumulator id -> last value
    struct rangeset started_tasks, ended_tasks, started_jobs, ended_jobs;
    int64_t accums_from;       // those of smaller ids were let go and are not known again
    struct idmap accum_chunks; // marks of both, by id / 256: see app_kept.c
    struct kept_gone gone;     // stages and jobs
    int32_t stage_number;      // stages that appeared so far

    uint32_t limits; // those that were hit
    bool limit_hit;  // any was: what release 0.1.0 knows
    bool
        foreign_engine; // a plan has Python, GPU or Photon operators: JVM CPU time is not all of it

    // engine's
    struct bottleneck **verdicts; // owned: on the run as a whole
    uint32_t verdict_count;
};

// A run of which nothing is known but who it is; texts are copied. Freed with app_free.
struct app *app_new(const char *cluster, struct str app_id, struct str attempt,
                    const struct pipeline_rule *rule);
void app_free(struct app *app);

// Merges one event. *touched (may be NULL) gets the stage it changed, or NULL. Returns false if the
// event was a repetition and changed nothing.
bool app_apply(struct app *app, const struct event *event, struct stage **touched);

// Forgets why the run failed, and says so in its place.
void app_withhold_failure(struct app *app);

// True if this ApplicationStart begins another run than the one in `app`.
bool app_is_other_run(const struct app *app, const struct event *event);

// Notes that a limit was hit that is not kept here; whoever finds it counts it.
void app_note_limit(struct app *app, enum limit limit);
// Start of the run: ApplicationStart, else the first time seen.
int64_t app_start_ms(const struct app *app);
// End: ApplicationEnd, else the newest time seen.
int64_t app_end_ms(const struct app *app);
// From start to end, in seconds.
double app_duration_s(const struct app *app);

// Where the time of a run went, ms. What is not over yet counts up to the newest event.
struct app_times {
    int64_t run_ms;
    int64_t busy_ms;           // a stage was submitted or a task ran
    int64_t start_up_ms;       // before the first of them, as far as starting takes that long
    int64_t driver_ms;         // the rest: nothing was waited for but the driver
    int64_t driver_in_jobs_ms; // of it, while a job was open
};
// O(stages). All 0 as long as no stage or task was seen.
void app_times(const struct app *app, struct app_times *out);
// Totals with records, data size and completeness worked out.
void app_totals(const struct app *app, struct run_totals *out);
// Tasks of finished stages that were seen over those that were expected, 0..1.
double app_tasks_seen(const struct app *app);
// True if a source of the run read so many rows whose bytes nobody counted, neither its tasks nor
// itself, that the data size is not known.
bool app_bytes_uncounted(const struct app *app);
// What a stage's work is: by its RDDs; where they do not tell what it reads, as in logs without
// scopes, also what the plans of the run read.
unsigned app_stage_works(const struct app *app, const struct stage *stage);
// True if its tasks, as far as they tell, did nothing but compute in the JVM, and tell their CPU
// time: nothing read from a source, written or spilled, no Python, no other engine.
bool app_stage_only_computes(const struct app *app, const struct stage *stage);
// How much of the run was seen: the above, or less if events are known to be missing, 0..1.
double app_completeness(const struct app *app);
// The share of the events that came, 0..1; those missing that are tasks of finished stages left
// out, which these stages tell themselves.
double app_seen_beside_tasks(const struct app *app);
// Works the pipeline's name out (identity.pipeline) from what is known; nothing once it is fixed.
// Every event that tells more of it does so; "" before the first.
void app_settle_pipeline(struct app *app);
// Settles the name for good: it is about to be published.
void app_fix_pipeline(struct app *app);
// A Spark property of the run, "" if its environment did not tell it. Borrowed until the next
// event.
struct str app_property(const struct app *app, enum property property);
// The member of a family: (PROPERTY_SQL_ADAPTIVE, "enabled").
struct str app_property_of(const struct app *app, enum property family, const char *name);
// What the program itself set in its SQL session, other than the environment has it, as its newest
// job that tells it has it; "" if it did not. `name`: of a member of a family, else NULL.
struct str app_session_property(const struct app *app, enum property property, const char *name);

// The stage, or NULL.
struct stage *app_stage(const struct app *app, int32_t id, int32_t attempt);
// It was judged as it is; `over`: the run is. Late events of a stage come soon after its end, so
// while a run goes on only the few that closed last keep their detail.
void app_stage_judged(struct app *app, struct stage *stage, bool over);

// Bytes of memory that the run takes: counts times sizes, so the same after a restart. O(1).
int64_t app_bytes(const struct app *app);
// What a run can do without.
enum app_letting {
    LET_GO_DETAILS,                // slowest tasks and hosts of stages, executors, SQL metrics
    LET_GO_CLOSED_WITHOUT_VERDICT, // finished stages of which no bottleneck stands
    LET_GO_CLOSED,                 // finished stages
};
// Lets it go, noting the limit of memory; totals stay. False if there was nothing.
bool app_let_go(struct app *app, enum app_letting what);
// The run-level verdict of a kind, or NULL.
struct bottleneck *app_verdict(const struct app *app, enum bottleneck_kind kind);

// The name without the marks of one run at its end: a date or a time, a number of six digits and
// more, a UUID, a hash, and one random word behind a date. A short number that belongs to no date
// is part of the name. Never empty, unless the name is.
struct str app_name_unmarked(struct str name);

// What of a run is kept: the app itself without its parts, and the parts, which have keys of their
// own. Each is described by a table; how they are written is keep's.
extern const struct record record_app, record_stage, record_job, record_accumulators,
    record_executors, record_properties;

// Calls `each` with every part there is, its letter ('s' stage, 'j' open job, 'a' 256 accumulators,
// 'x' 128 executors and their hosts, 'c' its Spark properties, 'q' those of its session), the
// numbers of its key, its mark and the struct its table is of. Parts that went are in app->gone.
typedef void app_part_fn(void *ctx, struct kept_part part, struct kept *kept, const void *object);
// With `touched`, stages that did not change are left out: a run may have thousands.
void app_each_part(struct app *app, bool touched, app_part_fn *each, void *ctx);

// Reading back: an app with nothing in it, to be filled by record_app.
struct app *app_blank(const struct pipeline_rule *rule);
// A part to be filled by its table; NULL if a run has no such part.
void *app_part_open(struct app *app, struct kept_part part);
// It was filled (good) or could not be, and becomes the app's or is released. False if it does not
// fit to the others or to its key.
bool app_part_close(struct app *app, struct kept_part part, void *object, bool good);
// All parts were read, in whatever order. False if one is missing.
bool app_loaded(struct app *app);
