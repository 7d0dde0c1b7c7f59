// replay: plays event logs as listeners would send them: each line unchanged, under the identity of
// its application, several logs interleaved by event time. Called by the commands replay and demo,
// which bring the clock and the place to send to; has neither of its own, nor threads.
//
// A log stands at one line, the next to send, with the time of that and whose it is, both found by
// searching the bytes for keys, for to decode a line would be to change it. The logs that are not
// at their end are a heap with the earliest line on top. A time never goes back within a log, and
// one that lies beyond a year from the log's first is taken for broken. The first event that tells
// a time sets the scale: it is due when it is met, everything else by its distance from it. At most
// the top of the heap lacks its line: the one that was just sent, fetched when the next step
// begins.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct replay;

struct replay_options {
    double speed;      // so many times as fast as it happened; 0 = as fast as possible
    bool align_starts; // all logs begin together, each with its own first event
    // Told, in words, what could not be read of a log (damage, a missing part, a line too long).
    // May be NULL.
    void (*note)(void *ctx, const char *words);
    void *note_ctx;
};

// One event to send. Borrowed: valid during the call of `emit` only.
struct replay_event {
    struct str app_id;  // "" if neither the log nor its name tells it
    struct str attempt; // "" if none
    struct str key;     // <app id> or <app id>/<attempt>
    struct str value;   // the line as it stands in the log
    int64_t event_ms;   // when it happened, never less than before it in the same log; 0 unknown
    size_t log;         // index of its path
};

struct replay_totals {
    uint64_t events, bytes; // sent: lines, and bytes of values
    uint64_t long_lines;    // passed over: too long
    uint64_t faults;        // damaged, missing or unreadable parts
};

// Opens all logs ("-" = standard input, folders as eventlog_open takes them) and looks ahead for
// the application id. ST_SKIP with words if one cannot be opened, ST_RETRY if a signal came (then
// nothing is open). The caller owns *out.
MUST_USE enum status replay_new(const char *const *paths, size_t count,
                                const struct replay_options *options, struct replay **out,
                                struct err *err);
// Takes NULL.
void replay_free(struct replay *replay);

// Hands the events that are due to `emit`, at most REPLAY_STEP_EVENTS, in order. `now_ms` is any
// clock that does not step back; the first call starts the play. *done: all logs are at their end.
// Whatever `emit` returns but ST_OK ends the step and is returned, with *err as emit left it; the
// event counts as not sent and comes again. ST_RETRY may also mean that a signal came while
// waiting for standard input.
#define REPLAY_STEP_EVENTS 1000
MUST_USE enum status replay_step(struct replay *replay, int64_t now_ms,
                                 enum status (*emit)(void *ctx, const struct replay_event *event,
                                                     struct err *err),
                                 void *ctx, bool *done, struct err *err);

// Milliseconds from `now_ms` until the next event is due: 0 if one is, or before the first step.
int64_t replay_wait_ms(const struct replay *replay, int64_t now_ms);

// What was sent and passed over so far.
struct replay_totals replay_totals(const struct replay *replay);
// Bytes of the logs read so far, as they lie on disk, and of how many (0 if a pipe is among them).
void replay_progress(const struct replay *replay, uint64_t *done_bytes, uint64_t *total_bytes);
