// ship: feeds Kafka from folders of event logs as listeners would: each line of each log once, in
// its log's order, under the identity of its application, as the logs grow. Called by the command
// ship and, in a thread, by the agent for input.event_logs. Brings its own clock.
//
// Exactly once: events and the positions behind them are one transaction. Positions are records in
// a compacted topic of their own (keep/shipped.h), read back by whoever goes on. What was not
// committed never happened: after a crash or a failed transaction the logs are read again from the
// positions that were.
//
// Who ships a folder: each folder has a consumer group of its own, whose one partition is that of
// the positions. Whoever is given it ships; others of the same folder (and ship.name) wait until it
// is theirs. Who lost it without knowing (a process that was stopped and wakes up) is fenced by the
// transactional id, which is the folder's, too.
//
// Always: nothing is sent outside of a transaction (unless `plain`); a position is sent behind the
// lines it counts; a line that the topic does not take is counted by its kind, and the topic is
// told of it (StokerListenerReport) before the application's end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kafka/client.h"

struct ship;

// All borrowed for its life.
struct ship_options {
    struct kafka_settings consumer, producer;
    const char *group;          // names in Kafka begin with it
    const char *cluster;        // whose logs they are
    const char *name;           // of the shipper beside the folder; "": none
    const char *member;         // name in the groups, the same after a restart; NULL: none
    const char *const *folders; // absolute, each once
    unsigned folder_count;
    const char *events, *positions; // topics
    int64_t max_record_bytes, commit_interval_ms;
    int64_t since_ms;        // wall clock: logs that changed last before it are not begun; 0: all
    bool follow;             // go on when all is read
    bool plain;              // without transactions: repeats after a crash
    bool alone;              // without groups: tests
    bool topics_trusted;     // the topic of the positions needs no look: tests
    const _Atomic int *stop; // set to nonzero: do not wait for long; may be NULL
    void *ctx;
    // Told, in words, what is waited for (at most once a minute while it stays the same) and what
    // could not be read of a log.
    void (*note)(void *ctx, const char *words);
};

// What was committed since it began, and how far it is.
struct ship_view {
    int64_t events, bytes;           // lines, and bytes of their values
    int64_t refused;                 // lines too large for the topic
    int64_t troubles;                // things that could not be read
    int64_t logs, growing;           // known now; of these, not ended
    int64_t read_bytes, known_bytes; // of the logs, as they lie on disk
    bool ready;                      // every folder is shipped, by us or by another
    bool standby;                    // some are shipped by another
    char reason[512];                // why not
    char current[256];               // the log that was read last
};

// Opens the doors without waiting for any of them. ST_FATAL for settings that cannot work.
enum status ship_new(const struct ship_options *options, struct ship **out,
                     struct err *err) MUST_USE;
// Works for about `budget_ms`; *done (never set with `follow`): all that is there was shipped and
// committed. ST_OK, or ST_FATAL when it cannot go on.
enum status ship_turn(struct ship *ship, int budget_ms, bool *done, struct err *err) MUST_USE;
// Commits what is done, at the end of the work. ST_FATAL: it could not.
enum status ship_finish(struct ship *ship, struct err *err) MUST_USE;
void ship_look(const struct ship *ship, struct ship_view *out);
// Leaves the groups and frees; what was not committed was not shipped. Takes NULL.
void ship_free(struct ship *ship);
