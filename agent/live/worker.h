// worker: one consumer, one transaction at a time and the partitions they own, turned by one
// thread. Workers share nothing but the alert door; the agent reads their view. Used by the files
// of this room only.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "kafka/changelog.h"
#include "kafka/predecessor.h"
#include "kafka/source.h"
#include "keep/position.h"
#include "live/agent.h"
#include "live/names.h"
#include "restorer.h"
#include "stage_ops.h"
#include "transaction.h"

enum part_phase {
    PART_UNLOADED, // its state has to be asked for
    PART_LOADING,  // the restorer reads it
    PART_RUNNING   // it takes messages
};

// One owned partition of a stage's input topic. `state` is there while it runs, and is kept for a
// while when the partition goes, in case it comes back: it counts if nobody went on from it
// meanwhile.
struct part {
    struct part *next; // while it is suspended
    struct worker *worker;
    const struct stage_ops *ops;
    struct stage_state *state; // owned; NULL before it is loaded
    struct keep_table *split;  // owned, with it: its keys whose values are kept in pieces
    const char *topic;         // one of options.topics
    int32_t partition;
    enum part_phase phase;
    uint64_t number;            // of its load, tells a late answer
    struct position position;   // how far it is read; time_ms is filled in when it is written
    int64_t committed_offset;   // the position's as of the last commit, load or restart
    int64_t changelog_messages; // in its changelog when it was read
    int64_t heard_ms;           // monotonic time of the last message or tick
    bool ticked;                // it was a tick
    bool touched;               // since the last commit
    // Whether its input is still the one that was read: see worker_input.c.
    bool proving;             // messages that were taken come again, to be compared
    bool cut;                 // the input ended before the position when it was looked at
    int64_t first, same_till; // of the input; behind the last message that was the same, -1: none
    int64_t taken_ms;         // monotonic time of the last message that was taken, or compared
};

// What the agent shows of a worker; behind its lock.
struct worker_view {
    bool ready;
    char reason[512]; // why not
    struct pipeline_stats *stats;
    size_t stats_count, stats_cap;
    int64_t lag, newest_event_ms, partitions, loading, changelog_messages;
    int64_t events_read, events_skipped; // since the worker began
    int64_t records_loaded;              // likewise: of state that was read back
    const char *full;                    // the setting whose limit is reached, NULL: none
    int64_t partitions_full;             // in which it is
    enum status status;                  // ST_FATAL: it has ended
    char fatal[512];
};

struct worker {
    const struct agent_options *options;
    struct alert_doors *alerts; // the agent's
    struct names names;         // the same after a restart
    const char *id;             // one of them: the transactional id, and its name in the log
    pthread_t thread;
    _Atomic bool stop;
    _Atomic int64_t beat_ms;         // monotonic time of its last turn
    const char *topics[STAGES];      // that it reads
    struct predecessor *predecessor; // while it is looked for, there is no source
    struct kafka_source *source;
    struct restorer *restorer;
    struct changelog *peeker; // of inputs; NULL before it is needed first
    int64_t peek_ms;          // monotonic time: not before may it look again
    struct stage_home home;
    struct transaction transaction;
    struct part **parts;    // owned
    struct part *suspended; // revoked, state kept in case they come back
    int64_t suspended_ms;   // since when, the newest of them
    uint32_t part_count, part_cap;
    uint64_t loads;         // numbers given
    int64_t records_loaded; // of state that was taken over
    bool reopen;            // the consumer has to be replaced when the transaction is given up
    bool behind;            // much is there to be read
    bool closing;           // it ends: what waits at the alert door may still go out
    struct buf value;       // scratch for a position
    int64_t committed_ms, commit_took_ms, viewed_ms;
    pthread_mutex_t lock;
    struct worker_view view;
};

// worker.c
enum status worker_new(const struct agent_options *options, struct alert_doors *alerts, int index,
                       struct worker **out, struct err *err) MUST_USE;
// One turn of about `budget_ms`. ST_FATAL: the agent cannot go on.
enum status worker_turn(struct worker *worker, int budget_ms, struct err *err) MUST_USE;
// Commits, leaves the group and frees; the thread must have ended. Takes NULL.
void worker_free(struct worker *worker);
// Output, state and positions in one transaction; then the alerts. ST_ABORT: the transaction broke.
enum status worker_commit(struct worker *worker, int timeout_ms, struct err *err);

// worker_state.c
// Puts the changed state of every touched partition into the transaction, its position last.
// `positions` has room for those of all; *count is how many there are. ST_ABORT: it broke.
enum status worker_put_state(struct worker *worker, struct sink_position *positions, size_t *count,
                             struct err *err) MUST_USE;

// worker_input.c
// Lets a loaded partition's messages come, from where they can be compared with what was taken.
// ST_RETRY: not now.
enum status part_begin(struct part *part, const struct load *load, struct err *err) MUST_USE;
// True if this message of a running partition is the next one to be taken. May find that the input
// is another one than was read, or break the transaction so that everything is looked at again.
bool part_accepts(struct part *part, const struct message *message, int64_t now_ms);
// To be called while no message comes: the end may be reached before there was anything to compare.
// Likewise; not ST_OK: the transaction must break.
enum status part_look_at_end(struct part *part, struct err *err) MUST_USE;

// worker_parts.c
extern const struct kafka_source_callbacks worker_callbacks; // ctx: NULL, to be filled in
// Drops a partition's state and lets it be read again.
void part_unload(struct part *part);
// Asks for state that is missing, takes what has been read. ST_FATAL: state and position do not
// fit.
enum status worker_load(struct worker *worker, struct err *err) MUST_USE;
void worker_drop_parts(struct worker *worker);
// State that did not come back in time goes.
void worker_forget_suspended(struct worker *worker, int64_t now_ms);
