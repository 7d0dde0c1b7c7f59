// pace: when a run that was told is told again. Called by engine.c per event, per tick and after
// each report. Never reads a clock, and knows nothing of commits or of other runs: what is told of
// a run is a function of its own events and of ticks.
//
// What comes out is bounded by what comes in. An update has a price, about as many bytes as it
// takes: while a run goes on it waits until a quarter of that has come for the run, after its end
// until all of it has, doubled with every correction. What must be known at once (a kind has a
// bottleneck worse than any before, or its worst one got better; another outcome) is told with the
// event, but after the first few of a run it has the price of an update, too. In a partition that
// is idle nothing waits longer than some ticks, whose number doubles as long as the price is not
// paid. Corrections that were doubled often wait for the last word: the end of the run's grace.
//
// What a run does beside its updates is paid out of a credit, to which each of its events adds its
// bytes, and which a tick cannot raise: bottlenecks that are handed out while it goes on, at a
// quarter of what they take, and work that no event of its size may cause, so much as an ordinary
// run does for so many bytes. A run may go a little into debt, a bottleneck that changed in what
// matters a little more, so that a small run that hangs is told of. What is not paid for waits; the
// run's end tells all.
#pragma once

#include "engine_priv.h"

enum {
    PACE_AT_ONCE_FREE = 16, // updates of a run that must be known at once and cost nothing
    PACE_LIVE_SHARE = 4,    // so much less an update of a run that goes on costs
    PACE_WAIT_MS = 10000,   // how long the first correction waits
    PACE_LIVE = 3,          // a run that goes on waits 80 s
    PACE_LIVE_LAST = 5,
    PACE_LAST = PACE_LEVELS - 1, // only the end of grace ends this wait
    PACE_CREDIT_MAX = 1 << 20,
    PACE_DEBT_MAX = 9000, // some looks at a stage of a run that is silent for a day
    PACE_DEBT_MATTERS_MAX = 12000,
    PACE_LOOK_BYTES = 128,  // a look at all stages of a run that may hang
    PACE_JUDGE_BYTES = 384, // one that is judged
    PACE_SAY_BYTES = 250,   // left for what is found
    PACE_LOOK_LEAST = PACE_LOOK_BYTES + PACE_JUDGE_BYTES + PACE_SAY_BYTES,
    PACE_JOB_BYTES = 4, // an open job that is asked whether it is done
};

// An event of the run came.
static inline void pace_earn(struct live_run *live, size_t bytes) {
    int64_t credit_bytes = live->credit_bytes + (int64_t)bytes;
    live->credit_bytes =
        credit_bytes < PACE_CREDIT_MAX ? (int32_t)credit_bytes : (int32_t)PACE_CREDIT_MAX;
}

static inline bool pace_could_pay(const struct live_run *live, int32_t bytes) {
    return live->credit_bytes + PACE_DEBT_MAX >= bytes;
}

// False if the run cannot pay so much; else it has.
static inline bool pace_pays(struct live_run *live, int32_t bytes) {
    bool pays = pace_could_pay(live, bytes);
    live->credit_bytes -= pays ? bytes : 0;
    return pays;
}

// The same for a look, which is not begun if nothing is left to judge by it and to tell, and for a
// stage that it judges.
static inline bool pace_pays_look(struct live_run *live) {
    return pace_could_pay(live, PACE_LOOK_LEAST) && pace_pays(live, PACE_LOOK_BYTES);
}
static inline bool pace_pays_judging(struct live_run *live) {
    return pace_could_pay(live, PACE_JUDGE_BYTES + PACE_SAY_BYTES) &&
           pace_pays(live, PACE_JUDGE_BYTES);
}

// The same for a bottleneck of about so many bytes that is to be handed out while the run goes on.
static inline bool pace_pays_verdict(struct live_run *live, size_t bytes, bool matters) {
    int32_t price_bytes = (int32_t)(bytes / PACE_LIVE_SHARE);
    if (!matters || live->credit_bytes <= -PACE_DEBT_MATTERS_MAX) {
        return pace_pays(live, price_bytes);
    }
    live->credit_bytes -= price_bytes;
    return true;
}

static inline struct run_queue *pace_queue(struct engine *engine, const struct live_run *live) {
    int level = live->pace.level + (live->over ? 0 : PACE_LIVE);
    int last = live->over ? PACE_LAST : PACE_LIVE_LAST;
    return &engine->waiting[level < last ? level : last];
}

// It waits: puts it into its queue, behind those that wait longer.
static inline void pace_wait(struct engine *engine, struct live_run *live) {
    TAILQ_INSERT_TAIL(pace_queue(engine, live), live, waiting);
}

// An event changed the run, which waits to be told from now on, if it did not before.
static inline void pace_event(struct engine *engine, struct live_run *live, size_t bytes,
                              int64_t offset) {
    struct pace *pace = &live->pace;
    pace->since_bytes += (int64_t)bytes;
    if (pace->waits_from == 0 && (live->over || live->app->started_ms > 0)) {
        pace->waits_from = offset + 1;
        pace->waits_idle_ms = engine->idle_ms;
        pace_wait(engine, live);
    }
}

static inline bool pace_is_paid(const struct pace *pace) {
    return pace->since_bytes >= pace->price_bytes / PACE_LIVE_SHARE;
}

// True if the run may be told now; `at_once`: for something that must be known at once.
static inline bool pace_may(const struct live_run *live, bool at_once) {
    const struct pace *pace = &live->pace;
    if (at_once && pace->at_once < PACE_AT_ONCE_FREE) {
        return true;
    }
    return live->over && !at_once ? pace->since_bytes >= pace->price_bytes << pace->level
                                  : pace_is_paid(pace);
}

// A run that has waited long enough for ticks, or NULL. To be told, after which it does not wait.
static inline struct live_run *pace_next(const struct engine *engine) {
    int64_t most_ms = PACE_WAIT_MS;
    for (int level = 0; level < PACE_LAST; level++, most_ms *= 2) {
        struct live_run *live = TAILQ_FIRST(&engine->waiting[level]);
        if (live != NULL && engine->idle_ms - live->pace.waits_idle_ms >= most_ms) {
            return live;
        }
    }
    return NULL;
}

// It waits no more.
static inline void pace_leave(struct engine *engine, struct live_run *live) {
    if (live->pace.waits_from != 0) {
        TAILQ_REMOVE(pace_queue(engine, live), live, waiting);
        live->pace.waits_from = live->pace.waits_idle_ms = 0;
    }
}

// The run is told as it is.
static inline void pace_told(struct engine *engine, struct live_run *live, bool at_once) {
    struct pace *pace = &live->pace;
    pace_leave(engine, live);
    if (live->over) {
        pace->level += pace->level < PACE_LAST;
    } else if (pace_is_paid(pace)) {
        pace->level = 0;
    } else {
        pace->level += pace->level < PACE_LIVE_LAST - PACE_LIVE;
    }
    pace->at_once += at_once && pace->at_once < PACE_AT_ONCE_FREE;
    pace->since_bytes = 0;
}
