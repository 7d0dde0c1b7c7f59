// stage: everything kept about one stage attempt: sums, extremes, the slowest few tasks and figures
// per host. O(1) in tasks, and no sum depends on the order of events. Owned by an app; written only
// by state, read by detect and engine.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/kept.h"
#include "model/run.h"
#include "state/load.h"
#include "stats/sketch.h"

enum { STAGE_SLOW_TASKS = 8, STAGE_HOSTS_MAX = 64, STAGE_RUNNING_MAX = 16 };

// One task, as far as comparing it with the rest needs: a successful one, or one that was killed
// because a copy of it won, which held the stage up for as long.
struct stage_task {
    int64_t duration_ms, launch_ms;
    int64_t bytes;   // input + shuffle read
    int64_t records; // input + shuffle read
    int64_t run_ms, cpu_ns, gc_ms, fetch_wait_ms, spill_bytes, deserialize_ms, delay_ms;
    int32_t index, host; // host: index into the app's host table
    bool cold;           // among the first tasks of its executor, or the stage's first on a slot
    bool lost;           // it was killed, a copy of it won; in no sum over successes
    bool near, far;      // it ran where its data are, or on another node; neither: not known
};

struct stage_host {
    int32_t host;
    int32_t longest_ms; // of its tasks, at most INT32_MAX
    int64_t tasks, task_ms, bytes;
};

// A task that has begun and not ended, as far as was seen.
struct stage_running {
    int64_t task_id, launch_ms;
    int32_t index, host;
};

// Needed only while the stage is open or has just closed.
struct stage_detail {
    struct stage_task slow[STAGE_SLOW_TASKS]; // the slowest, slowest first
    uint32_t slow_count;
    struct stage_host *hosts;
    uint32_t host_count, host_cap;
    struct sketch durations_ms;
    struct stage_running *running; // of an open stage: those that began first
    uint32_t running_count, running_cap;
};

// What a stage adds to the sums over the stages of its run.
struct stage_part {
    int64_t expected, seen; // tasks of a stage that ended well
    int64_t bytes;          // that it takes in memory
    int64_t busy;           // 1: it is open and has tasks that run
    int64_t running;        // tasks of it that run, if it is open
    int64_t pending;        // tasks of an open stage that wait for a slot
};

struct stage {
    struct stage_summary summary; // names, volumes, counts as published
    bool python;                  // Python workers do its work: the JVM's CPU time says little
    bool submitted, completed;    // the event was seen
    int32_t works;                // of its RDDs, see model/operator.h; app_stage_works() tells more
    int64_t shape;   // of its RDDs: the same in another run of the same work; 0 unknown
    int32_t profile; // its resource profile
    // Task slots it could use, from its first task to its last, weighted by how long each was
    // there: at least as many as its tasks were seen at once, at most its tasks. 0 before.
    int64_t slots;
    int64_t live_slots; // the same, however few tasks it had for them
    bool slots_begun;   // its first task was seen: from when, and the profile's slot-ms until then
    int64_t slots_from_ms;
    double slots_from;
    struct load_beside beside;                               // what else the run did meanwhile
    int64_t first_launch_ms, last_launch_ms, last_finish_ms; // over all tasks; 0 unknown
    bool cancelled; // it failed because somebody stopped its work
    // The next attempt, done because this one failed: its first launch, 0 none; its tasks.
    int64_t retry_launch_ms, retry_tasks;
    // Partitions of that of its RDDs that has most, and of that which is to be kept in memory and
    // nowhere else; 0: none, or not told.
    int64_t partitions_most, memory_only;
    int64_t files, files_bytes; // that its scans were planned to read; 0 unknown
    int32_t execution;          // SQL execution that it is of, counted from 1; 0 none
    int32_t joins;              // shuffled joins that it was seen to do: a set of enum join_type
    bool behind_a_job;          // and an older job of the run held them, for other work
    bool waited_for_own;        // it waited while other stages of the run held slots
    // sums over successes
    int64_t task_ms, bytes, records, fetch_wait_ms, shuffle_write_ns, deserialize_ms;
    int64_t spill_task_ms; // durations of tasks that spilled
    // of them: what no metric but waiting explains, and what they computed
    int64_t spill_wait_ms, spill_cpu_ns;
    int64_t cpu_untold_tasks; // with metrics, but without their CPU time: nothing follows from it
    int64_t cold_tasks;       // among the first of their executors
    int64_t near_tasks;       // that ran where their data are
    int64_t deserialize_cpu_ns;
    int64_t max_task_bytes; // that one read: input + shuffle
    // scheduler delay: successes with metrics
    int64_t metric_tasks, delay_ms, delay_run_ms;
    // of them: what tells a task's own price from that of its records, see tiny_tasks; a sum that
    // stands at INT64_MAX tells nothing
    int64_t records_squared, records_run_ms, run_squared_ms2;
    // the I/O rule: successes with input bytes that tell their CPU time
    int64_t io_tasks, io_cpu_ns, io_read_ns, scan_ns, scan_tasks, io_run_ms;
    int64_t tasks_with_metrics; // any outcome
    int64_t peak_memory_bytes;
    int64_t write_wait_ns; // successes that wrote output: what no metric but waiting explains
    // lost work
    int64_t failures[FAILURE_CLASS_COUNT], failed_ms, killed_ms, resubmitted,
        lost_to_infrastructure;
    // Speculative copies that lost to what they copied; the time of those that ran while tasks of
    // other stages waited for a slot.
    int64_t copies_lost, copies_lost_ms, copies_in_the_way_ms;
    int64_t longest_failed_ms, last_failure_ms; // of its tasks: how long, when
    int64_t tasks_running;                      // TaskStart seen, TaskEnd not yet; never below 0
    int64_t running_most, starts; // seen at once, but for the moment in which a slot is handed over
    // While it ran: when no other stage of the run did, the time of its tasks then, and the time
    // that the run waited for it (waited.h); up to the clocks' state at its last event.
    int64_t alone_ms, alone_task_ms, alone_seen_ms;
    double waited_ms, waited_seen_ms;
    struct stage_detail *detail;  // NULL once the stage is closed and others closed after it
    struct bottleneck **verdicts; // owned; at most one per kind
    uint32_t verdict_count;
    int64_t judged_ms;         // app time of the last judgement, 0 = never
    bool dirty;                // changed since
    int32_t number;            // place among the run's stages, in order of appearance
    struct stage_part counted; // of it in the run's sums
    struct kept kept;
};

// A stage attempt without a task; freed with stage_free.
struct stage *stage_new(int32_t id, int32_t attempt);
void stage_free(struct stage *stage);
// Frees the detail; causes already found stay in the verdicts.
void stage_drop_detail(struct stage *stage);
// Merges a StageSubmitted or StageCompleted into the stage. Idempotent.
void stage_apply_info(struct stage *stage, const struct event_stage *info, bool completed);
// Adds a task that begins.
void stage_apply_start(struct stage *stage, const struct event_task *task, int32_t host);
// How long the one of its running tasks that began first has run at that time, ms; 0 if none is
// known.
int64_t stage_longest_running_ms(const struct stage *stage, int64_t now_ms);
// Adds one task end that is neither Resubmitted nor a duplicate. `scan_ns` < 0: no scan time
// reported. `others_wait`: tasks of other stages wait for a slot.
void stage_apply_task(struct stage *stage, const struct event_task *task, int32_t host, bool cold,
                      int64_t scan_ns, bool others_wait);
// True if its tasks tell their CPU time: what is missing is not 0, no cause may be drawn from it.
bool stage_tells_cpu(const struct stage *stage);
// CPU time as a share of the time in which its tasks unpacked themselves, which is work of the CPU
// whatever a task does; NAN if that was too short to tell.
double stage_unpacking_cpu_share(const struct stage *stage);
// Seconds of its wall time in which it moved shuffled data, as far as its metrics show: fetch wait,
// writing, and of tasks that read a shuffle the waiting that nothing else explains. Of the latter
// nothing is known where work is done outside the JVM: `foreign`.
double stage_shuffle_s(const struct stage *stage, bool foreign);
// The stage's verdict of a kind, or NULL.
struct bottleneck *stage_verdict(const struct stage *stage, enum bottleneck_kind kind);

// Success, failure (a retry was needed) or killed (another attempt won); Resubmitted is none of
// them.
enum task_class { TASK_CLASS_SUCCESS, TASK_CLASS_FAILED, TASK_CLASS_KILLED, TASK_CLASS_NONE };
enum task_class stage_task_class(const struct event_task *task);
// How long a task held its stage up, ms: one that lost counts until the stage ended.
int64_t stage_task_length_ms(const struct stage *stage, const struct stage_task *task);
// What a failed attempt cost the run, ms: from its beginning, or from where it stopped making
// progress, until the next attempt began where it stood. 0 if it did not fail.
int64_t stage_lost_attempt_ms(const struct stage *stage);
// Time between launch and finish not explained by the executor, ms, never below 0 (Spark UI's
// definition: duration - run - deserialize - result serialization - getting result).
int64_t stage_scheduler_delay_ms(const struct event_task *task);
// True if it was submitted or did anything: stages that were skipped are known by name alone.
bool stage_has_begun(const struct stage *stage);
// Submission, or first launch if that is not known; 0 unknown.
int64_t stage_began_ms(const struct stage *stage);
// Wall time so far: completion (or last finish) - submission (or first launch), ms.
int64_t stage_wall_ms(const struct stage *stage);
// From submission to the first launch, ms; 0 if unknown.
int64_t stage_wait_ms(const struct stage *stage);
