// partition_time: the time of a partition of the runs topic: moved by updates and ticks, it closes
// panes and lets alerts age. Called by pipelines.c; never by a clock of its own.
#include "pipelines_priv.h"

enum { CLOCK_STEP_MAX_MS = 60000, SWEEP_EVERY_MS = 60000 };

// Panes that pipelines have left open are closed when time enters another one.
static void close_panes(struct pipelines *pipelines, const struct pipeline *except, int64_t from_ms,
                        int64_t to_ms) {
    int64_t pane_ms = pipelines->options->pane_ms;
    if (from_ms / pane_ms == to_ms / pane_ms) {
        return;
    }
    for (struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        if (p != except && p->changed_panes > 0 && p->ring.newest < to_ms / pane_ms) {
            window_flush(pipelines, p);
        }
    }
}

// Alerts need no finer time than a minute.
static void age_alerts(struct pipelines *pipelines, int64_t by_ms) {
    int64_t before = pipelines->clock_ms / SWEEP_EVERY_MS;
    pipelines->clock_ms += by_ms;
    if (pipelines->clock_ms / SWEEP_EVERY_MS == before) {
        return;
    }
    for (struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        if (p->alert_count > 0) {
            alerts_expire(pipelines, p);
        }
    }
}

void partition_time_advance(struct pipelines *pipelines, const struct pipeline *pipeline,
                            int64_t time_ms) {
    int64_t before = pipelines->time_ms;
    if (time_ms <= before) {
        return;
    }
    pipelines->time_ms = time_ms;
    pipelines->touched = true;
    close_panes(pipelines, pipeline, before, time_ms);
    int64_t step = time_ms - before;
    age_alerts(pipelines, step < CLOCK_STEP_MAX_MS ? step : CLOCK_STEP_MAX_MS);
}

void pipelines_tick(struct pipelines *pipelines, int64_t by_ms) {
    if (pipelines->time_ms == 0) {
        return; // nothing was ever heard
    }
    int64_t before = pipelines->time_ms, room_ms = PARTITION_TIME_MAX_MS - before;
    by_ms = by_ms < 0 ? 0 : by_ms < room_ms ? by_ms : room_ms;
    pipelines->time_ms += by_ms;
    pipelines->touched = true;
    close_panes(pipelines, NULL, before, pipelines->time_ms);
    age_alerts(pipelines, by_ms);
}

bool pipelines_waits(const struct pipelines *pipelines) {
    return pipelines->changed_panes > 0 || pipelines->alert_count > 0;
}
