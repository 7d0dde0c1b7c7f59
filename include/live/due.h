// due: when a worker commits, tries again and lets idle time go on. Pure functions of plain
// numbers; times are monotonic milliseconds, durations milliseconds. Called by the workers, and by
// who ships event logs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// How much time pauses get for one of commits.
enum { DUE_URGENT_PAUSES = 2, DUE_BEHIND_PAUSES = 19, DUE_BEHIND_PAUSE_MAX_MS = 5000 };
// What one transaction may hold before it is committed early.
enum { DUE_RECORDS = 50000, DUE_BYTES = 16 << 20 };
enum { DUE_AGAIN_PAUSE_MS = 1000, DUE_SILENCE_MS = 5000 };
// When what a backlog took is given back: after so many events, once so few have been left for so
// long, and not often, since under load it is soon taken again.
enum { DUE_BACKLOG_EVENTS = 100000, DUE_CALM_EVENTS = 5000 };
enum { DUE_CALM_MS = 5000, DUE_MEMORY_EVERY_MS = 60000 };

// How long after the last commit the next one is due. `took_ms` is how long the last one took.
// What is urgent (an alert begins or ends) waits only so long that commits take a third of the time
// at most. Who is far `behind` has no news to be urgent about, and spends a twentieth of the time
// on commits, which are at most 5 s apart unless the interval is longer.
static inline int64_t due_commit_ms(int64_t interval_ms, int64_t took_ms, bool urgent,
                                    bool behind) {
    if (behind) {
        int64_t pause_ms = DUE_BEHIND_PAUSES * took_ms;
        pause_ms = pause_ms < DUE_BEHIND_PAUSE_MAX_MS ? pause_ms : DUE_BEHIND_PAUSE_MAX_MS;
        return pause_ms > interval_ms ? pause_ms : interval_ms;
    }
    int64_t urgent_ms = DUE_URGENT_PAUSES * took_ms;
    return urgent && urgent_ms < interval_ms ? urgent_ms : interval_ms;
}

// True if a transaction holds so much that it is committed early.
static inline bool due_for_size(int64_t records, int64_t bytes) {
    return records >= DUE_RECORDS || bytes >= DUE_BYTES;
}

// How long to wait before the next transaction after so many that failed one after the other. One
// failure may be anything; after more a right is missing, say, which a human will give.
static inline int64_t due_again_ms(int failures) {
    return failures > 1 ? DUE_AGAIN_PAUSE_MS : 0;
}

// How long a partition that was read to its end must be silent before its time goes on by
// `tick_ms`: longer after a message than after a tick.
static inline int64_t due_tick_ms(int64_t tick_ms, bool ticked) {
    return ticked || tick_ms > DUE_SILENCE_MS ? tick_ms : DUE_SILENCE_MS;
}

struct due_memory {
    int64_t events;   // read when it was given back last
    int64_t given_ms; // then, 0: never
    int64_t calm_ms;  // since when little is left to be read, 0: much is
};

// True if memory is to be given back now. To be asked about once a second.
static inline bool due_for_memory(struct due_memory *m, int64_t now_ms, int64_t events_read,
                                  int64_t lag) {
    m->calm_ms = lag > DUE_CALM_EVENTS ? 0 : m->calm_ms == 0 ? now_ms : m->calm_ms;
    bool due = m->calm_ms != 0 && now_ms - m->calm_ms >= DUE_CALM_MS &&
               events_read - m->events >= DUE_BACKLOG_EVENTS &&
               (m->given_ms == 0 || now_ms - m->given_ms >= DUE_MEMORY_EVERY_MS);
    if (due) {
        m->events = events_read;
        m->given_ms = now_ms;
    }
    return due;
}
