// replay_source: one log that is being played: its current line, the time of that and whose it is.
// Called by replay.c only.
#pragma once

#include "base/buf.h"
#include "eventlog/eventlog.h"
#include "replay/replay.h"

struct source {
    struct eventlog *log;
    size_t index;     // of its path
    struct str line;  // the one to send next
    int64_t line_ms;  // when it happened, monotone; 0 = nothing told a time yet
    int64_t start_ms; // the earliest time of the lines looked at first; 0 = none
    bool need_line;   // `line` was sent: fetch the next before anything else
    bool ended;       //
    struct buf ahead; // lines read while looking for the application id, each with a line end
    size_t ahead_pos; //
    struct buf app_id, attempt, key;
    uint64_t faults;
};

// Opens the log and looks ahead. Statuses as replay_new.
MUST_USE enum status source_open(struct source *source, const char *path, size_t index,
                                 const struct replay_options *options, struct err *err);
void source_close(struct source *source);
// Fetches the next line, or sets `ended`. ST_OK or ST_RETRY (a signal: call again).
MUST_USE enum status source_advance(struct source *source, const struct replay_options *options,
                                    struct err *err);
