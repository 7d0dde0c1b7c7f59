// worker: one consumer, one producer of transactions and the partitions they own, turned by one
// thread. Workers share nothing but the alert door; the agent reads their view. Used by the files
// of this room only.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "avro/avro_codec.h"
#include "kafka/kafka_sink.h"
#include "kafka/kafka_source.h"
#include "live/agent.h"
#include "restorer.h"

enum part_phase {
    PART_UNLOADED, // its state has to be asked for
    PART_LOADING,  // the restorer reads it
    PART_RUNNING
};

// One owned partition, of the events or of the runs topic.
struct part {
    struct part *next; // while it is suspended
    struct worker *worker;
    const char *topic; // one of options.topics
    int32_t partition;
    bool runs; // of stage 2
    enum part_phase phase;
    uint64_t number;             // of its load, tells a late answer
    struct engine *engine;       // stage 1, once loaded
    struct pipelines *pipelines; // stage 2, once loaded
    int64_t next_offset;         // of the next message
    int64_t ticks;               // how often its time went on by the clock
    int64_t changelog_messages;  // in its changelog when it was read
    int64_t heard_ms;            // monotonic time of the last message or tick
    bool ticked;                 // it was a tick
    bool touched;                // since the last commit
};

// What the agent shows of a worker; behind its lock.
struct worker_view {
    bool ready;
    char reason[512]; // why not
    struct pipeline_stats *stats;
    size_t stats_count, stats_cap;
    int64_t lag, newest_event_ms, partitions, loading, changelog_messages;
    enum status status; // ST_FATAL: it has ended
    char fatal[512];
};

struct worker {
    const struct agent_options *options;
    struct alertmanager *alerts; // the agent's
    char id[320];                // group, instance and number: the same after a restart
    pthread_t thread;
    _Atomic bool stop;
    _Atomic int64_t beat_ms; // monotonic time of its last turn
    struct kafka_source *source;
    struct kafka_sink *sink;
    struct restorer *restorer;
    struct decoder *decoder;
    struct avro_codec *codec;
    struct part **parts;    // owned
    struct part *suspended; // revoked, state kept in case they come back
    int64_t suspended_ms;   // since when, the newest of them
    uint32_t part_count, part_cap;
    uint64_t loads; // numbers given
    // the transaction
    bool in_transaction;
    bool broken;            // it failed: drop all state and begin again from what Kafka has
    bool reopen;            // and the consumer has to be replaced
    bool urgent;            // something in it should not wait
    bool behind;            // much is there to be read
    int64_t records, bytes; // in it
    int64_t sent[TOPIC_COUNT];
    struct alert *news; // alerts that changed in it
    uint32_t news_count, news_cap;
    struct buf encoded, value;
    char trouble[512]; // what failed, "" once a commit did not or nothing is left to do
    char waiting[512]; // why there is no producer, "" if there is
    int failures;      // transactions that failed since the last that did not
    int64_t again_ms;  // not before is the next one tried
    int64_t committed_ms, commit_took_ms, closed_ms, checked_ms, viewed_ms;
    int64_t fences[2]; // when another took our identity, newest first
    bool closing;
    pthread_mutex_t lock;
    struct worker_view view;
};

// worker.c
enum status worker_open_source(struct worker *worker, struct err *err) MUST_USE;
// One turn of about `budget_ms`. ST_FATAL: the agent cannot go on.
enum status worker_new(const struct agent_options *options, struct alertmanager *alerts, int index,
                       struct worker **out, struct err *err) MUST_USE;
enum status worker_turn(struct worker *worker, int budget_ms, struct err *err) MUST_USE;
// Commits, leaves the group and frees; the thread must have ended. Takes NULL.
void worker_free(struct worker *worker);

// worker_view.c
void worker_show(struct worker *worker, int64_t now_ms, bool at_once);

// worker_parts.c
extern const struct kafka_source_callbacks worker_callbacks; // ctx: NULL, to be filled in
struct part *worker_find(const struct worker *worker, const char *topic, int32_t partition);
// Drops a partition's state and lets it be read again.
void part_unload(struct part *part);
// Asks for state that is missing, takes what has been read. ST_FATAL: state and position do not
// fit.
enum status worker_load(struct worker *worker, struct err *err) MUST_USE;
void worker_drop_parts(struct worker *worker);
// State that did not come back in time goes.
void worker_forget_suspended(struct worker *worker, int64_t now_ms);

// worker_take.c
void worker_take(struct worker *worker, const struct message *message, int64_t now_ms);
// Lets the time of idle partitions go on.
void worker_tick(struct worker *worker, int64_t now_ms);

// worker_out.c: records into the transaction
extern const struct engine_output worker_engine_output;       // ctx: NULL, to be filled in
extern const struct pipelines_output worker_pipelines_output; // likewise
void worker_dead_letter(struct worker *worker, const struct message *message, enum metric reason,
                        const char *words);
// ST_OK also if the transaction broke (worker->broken says so). ST_SKIP: too large for the topic.
enum status worker_send(struct worker *worker, enum agent_topic topic,
                        const struct sink_record *record);

// worker_commit.c
bool worker_commit_due(const struct worker *worker, int64_t now_ms);
// Milliseconds until a commit may be due, at most `most`.
int worker_commit_in(const struct worker *worker, int64_t now_ms, int most);
// Output, state and positions in one transaction; then the alerts. ST_ABORT: worker->broken is set.
enum status worker_commit(struct worker *worker, int timeout_ms, struct err *err);
void worker_note_broken(struct worker *worker, const char *what, const struct err *err);
// Forgets what failed if nothing is left to be done again, e.g. because another does it.
void worker_forget_failures(struct worker *worker);
// Another process took our name. ST_FATAL if it happens often.
enum status worker_note_fence(struct worker *worker, int64_t now_ms, struct err *err) MUST_USE;
// Gives the failed transaction up and lets all state be read again.
enum status worker_begin_again(struct worker *worker, int64_t now_ms, struct err *err) MUST_USE;
