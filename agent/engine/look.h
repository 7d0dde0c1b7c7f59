// look: judges stages whose tasks hang, so that a stuck last task is told while it hangs. Used by
// engine.c before an event is taken, with each tick, and as the time of a busy partition goes on. A
// run is looked at at moments of its own time: every two seconds as long as it has events, and in a
// silence 2 s, 4 s, 8 s, ... after the last one. Each look, and each stage that it judges, is paid
// for by the bytes of the run's events (pace.h): where they are too few, the stages take turns. The
// moments and the bytes follow from its events alone: whether a tick came in between or only the
// event that ended the silence makes no difference to what is said, and as of when.
#pragma once

#include <stdlib.h>

#include "engine_priv.h"
#include "looks.h"
#include "pace.h"

enum {
    LOOK_EVERY_MS = 2000,
    LOOK_SILENCE_MAX_MS = 86400000,
    LOOK_SILENT_EVERY_MS = 10000, // at runs that are silent while others are not
    LOOK_IN_TIME_MS = 60000,
    LOOK_ON_ITS_WAY_MS = 10000,
    LOOK_STAGES_MAX = 64,   // the newest of a run: those before have ended, most likely
    LOOK_RUNNING_MS = 2000, // what runs for less does not hang
};

static inline int64_t look_next_ms(const struct live_run *live) {
    int64_t last_event_ms = live->app->now_ms, looked_ms = live->looked_ms;
    int64_t silence_ms = looked_ms - last_event_ms;
    int64_t next_ms = looked_ms + (silence_ms > LOOK_EVERY_MS ? silence_ms : LOOK_EVERY_MS);
    return next_ms > last_event_ms ? next_ms : last_event_ms;
}

// A stage may keep the run waiting before any task of it has ended if slots idle beside it.
static inline bool look_is_due(const struct stage *stage, int64_t at_ms) {
    const struct stage_summary *s = &stage->summary;
    int64_t longest_ms = stage_longest_running_ms(stage, at_ms);
    bool few = s->tasks_expected < stage->live_slots;
    return !stage->completed && (s->tasks > 0 || few) && longest_ms >= LOOK_RUNNING_MS &&
           (double)longest_ms > s->mean_task_ms;
}

static inline int look_longest_ago(const void *x, const void *y) {
    const struct stage *a = *(struct stage *const *)x, *b = *(struct stage *const *)y;
    if (a->judged_ms != b->judged_ms) {
        return a->judged_ms < b->judged_ms ? -1 : 1;
    }
    return (a->number < b->number) - (a->number > b->number);
}

// As of that moment, although no event of the run is so late. Of stages that are not all paid for
// those come first that were judged longest ago.
static inline void look_at(struct engine *engine, struct live_run *live, int64_t at_ms) {
    struct app *app = live->app;
    struct stage *due[LOOK_STAGES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < app->stage_count && i < LOOK_STAGES_MAX; i++) {
        struct stage *stage = app->stages[app->stage_count - 1 - i];
        if (look_is_due(stage, at_ms)) {
            due[count++] = stage;
        }
    }
    if (!pace_could_pay(live, (int32_t)count * PACE_JUDGE_BYTES + PACE_SAY_BYTES)) {
        qsort(due, count, sizeof(struct stage *), look_longest_ago);
    }
    int64_t now_ms = app->now_ms;
    app->now_ms = at_ms;
    for (uint32_t i = 0; i < count && pace_pays_judging(live); i++) {
        judge_stage(engine, live, due[i], false);
    }
    app->now_ms = now_ms;
}

// Looks at the tasks of the run that hang, as of every moment for that before `until_ms`, before
// which no event came.
static inline void look_until(struct engine *engine, struct live_run *live, int64_t until_ms) {
    struct app *app = live->app;
    if (live->over || app->started_ms == 0 || app->now_ms == 0) {
        return;
    }
    if (live->looked_ms == 0) {
        live->looked_ms = app->now_ms;
        keep_touch(&live->kept);
    }
    for (int64_t next_ms; (next_ms = look_next_ms(live)) < until_ms &&
                          next_ms - app->now_ms <= LOOK_SILENCE_MAX_MS;) {
        live->looked_ms = next_ms;
        keep_touch(&live->kept);
        if (app->sums.busy > 0 && pace_pays_look(live)) {
            look_at(engine, live, next_ms);
        }
    }
}

static inline void look_at_one(struct engine *engine, struct live_run *live, int64_t until_ms) {
    look_until(engine, live, until_ms);
    if (live->run_due && pace_may(live, true)) {
        keep_touch(&live->kept);
        report(engine, live);
    }
}

// The same for all runs that go on, as far as the partition's time has gone on without them: a
// tick.
static inline void look_at_idle(struct engine *engine) {
    struct live_run *live, *next;
    for (live = TAILQ_FIRST(&engine->running); live != NULL; live = next) {
        next = TAILQ_NEXT(live, link);
        if (live->app->sums.busy > 0) {
            int64_t silent_ms = engine->idle_ms - live->seen_idle_ms;
            look_at_one(engine, live, live->app->now_ms + silent_ms);
        }
    }
}

// An event of the run was taken: other runs' events may let it be looked at, at the soonest then.
static inline void look_place(struct engine *engine, struct live_run *live) {
    struct looks *looks = &engine->looks;
    const struct app *app = live->app;
    if (live->over || !live->in_time || app->sums.busy == 0 || app->started_ms == 0) {
        looks_remove(looks, live);
        return;
    }
    int64_t next_ms = look_next_ms(live);
    if (live->look_place == 0 || next_ms < looks->list[live->look_place - 1].at_ms) {
        looks_put(looks, live, next_ms);
    }
}

// Those whose next look is before `until_ms`, but for the run `of`. One may stand there for a
// moment at which it was looked at meanwhile: it is put where it belongs.
static inline void look_at_soonest(struct engine *engine, struct live_run *of, int64_t until_ms) {
    struct looks *looks = &engine->looks;
    looks_remove(looks, of); // until its event was taken
    while (looks->count > 0 && looks->list[0].at_ms < until_ms) {
        struct look first = looks->list[0];
        if (look_next_ms(first.live) <= first.at_ms) {
            look_at_one(engine, first.live, until_ms);
        }
        int64_t next_ms = look_next_ms(first.live);
        if (next_ms > first.at_ms) {
            looks_put(looks, first.live, next_ms);
        } else { // silent for so long that it is not looked at any more
            looks_remove(looks, first.live);
        }
    }
}

// An event of a run came in a record of `record_ms` (0: not known). If it came as it happened,
// other runs whose last event did, too, but that are silent since, are looked at: their time goes
// on with the partition's, but for what may still be on its way. Events of long ago say nothing of
// others.
static inline void look_at_silent(struct engine *engine, struct live_run *of, int64_t event_ms,
                                  int64_t record_ms) {
    of->in_time = event_ms > 0 && record_ms > 0 && record_ms - event_ms <= LOOK_IN_TIME_MS &&
                  event_ms - record_ms <= LOOK_IN_TIME_MS;
    if (!of->in_time || engine->last_event_ms - engine->looked_ms < LOOK_SILENT_EVERY_MS) {
        return;
    }
    engine->looked_ms = engine->last_event_ms;
    keep_touch(&engine->kept);
    look_at_soonest(engine, of, engine->last_event_ms - LOOK_ON_ITS_WAY_MS);
}
