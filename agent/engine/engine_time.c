// engine_time: the time of a partition of the input: moved by events and ticks, it lets runs go.
// Called by engine.c per event; never by a clock of its own.
//
// Idle time: a run is given up when the partition's event time has moved on by idle_ms without it.
// One event moves that clock by at most a minute, so a wrong clock in one application, or old logs
// beside new ones, cannot expire the others at a stroke.
#include "base/metrics.h"
#include "engine_priv.h"

enum { IDLE_STEP_MAX_MS = 60000, AHEAD_MAX_MS = 600000 };

static void expire(struct engine *engine) {
    struct live_run *live;
    while ((live = engine->ended.oldest) != NULL &&
           engine->idle_ms - live->seen_idle_ms > engine->options->grace_ms) {
        engine_give_up(engine, live);
    }
    while ((live = engine->running.oldest) != NULL &&
           engine->idle_ms - live->seen_idle_ms > engine->options->idle_ms) {
        engine_give_up(engine, live);
    }
}

// A clock that is far ahead of the record's own time is wrong: it must not move everybody's time.
void engine_advance(struct engine *engine, int64_t time_ms, int64_t record_ms) {
    if (time_ms <= engine->last_event_ms || time_ms > EVENT_TIME_MAX_MS) {
        return;
    }
    if (record_ms > 0 && time_ms > record_ms + AHEAD_MAX_MS) {
        metrics_add(METRIC_FUTURE_EVENTS, 1);
        return;
    }
    int64_t step = time_ms - engine->last_event_ms;
    engine->touched = true;
    engine->idle_ms += step < IDLE_STEP_MAX_MS ? step : IDLE_STEP_MAX_MS;
    engine->last_event_ms = time_ms;
    if (!engine->options->one_application) {
        expire(engine);
    }
}

void engine_tick(struct engine *engine, int64_t by_ms) {
    engine->touched = true;
    engine->idle_ms += by_ms;
    engine->last_event_ms += engine->last_event_ms > 0 ? by_ms : 0;
    expire(engine);
}

bool engine_waits(const struct engine *engine) {
    return engine->runs != NULL;
}
