// pipelines: what is remembered of the runs of pipelines, and the time of their partition, which
// closes panes and lets alerts age. Called by the live agent per PipelineRun record; which
// pipelines there are is in registry.c, windows are in window.c, alerts in alerts.c. Never reads a
// clock.
#include "pipelines_priv.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "model/event.h"

enum { AHEAD_MAX_MS = 600000, CLOCK_STEP_MAX_MS = 60000, SWEEP_EVERY_MS = 60000 };
// Of a century; what is longer, or no number, comes from no clock.
static const double DURATION_MAX_S = 3e9;

void pipelines_options_init(struct pipelines_options *options) {
    *options = (struct pipelines_options){.window_ms = 3600000,
                                          .pane_ms = 60000,
                                          .alert_min = SEVERITY_MODERATE,
                                          .alert_confidence = CONFIDENCE_MEDIUM,
                                          .pipelines_max = 10000,
                                          .runs_max = 100,
                                          .alert_keep_ms = INT64_C(15) * 60000,
                                          .alert_silence_ms = INT64_C(7) * 24 * 3600000};
}

uint32_t pipelines_panes_lost(const struct pipelines *pipelines) {
    return pipelines->panes_lost;
}

uint32_t known_runs_victim(const struct known_run *runs, uint32_t count) {
    uint32_t at = 0;
    require(count > 0);
    while (at < count && runs[at].ended_ms == 0) {
        at++;
    }
    return at == count ? 0 : at;
}

static struct known_run *find_run(const struct pipeline *p, const char *id) {
    for (uint32_t i = p->run_count; i > 0; i--) {
        if (strcmp(p->runs[i - 1].id, id) == 0) {
            return &p->runs[i - 1];
        }
    }
    return NULL;
}

// A new entry, for which another one may go.
static struct known_run *add_run(struct pipelines *pipelines, struct pipeline *p) {
    while (p->run_count >= pipelines->options->runs_max) {
        uint32_t at = known_runs_victim(p->runs, p->run_count);
        pipelines_forget_run(pipelines, p, &p->runs[at]);
        memmove(p->runs + at, p->runs + at + 1, (p->run_count - at - 1) * sizeof *p->runs);
        p->run_count--;
    }
    MEM_GROW(p->runs, p->run_count, p->run_cap);
    struct known_run *run = &p->runs[p->run_count++];
    *run = (struct known_run){.number = p->run_number++};
    return run;
}

// How many bottlenecks of each severity the run has open. Its list may be shortened, so it is
// counted only if the writer did not know better; earlier releases of the agent read no more than
// RUN_OPEN_MAX back.
static void count_open_of(const struct pipeline_run *run, int64_t *open) {
    int64_t listed[SEVERITY_COUNT] = {0};
    for (uint32_t i = 0; i < run->open_count; i++) {
        listed[run->open[i].severity]++;
    }
    for (int s = 0; s < SEVERITY_COUNT; s++) {
        int64_t all = run->open_by_severity[s];
        open[s] = listed[s] > all ? listed[s] : all < RUN_OPEN_MAX ? all : RUN_OPEN_MAX;
    }
}

static struct known_run known_run_of(const struct pipeline_run *run, int64_t time_ms) {
    struct known_run k = {
        .revision = run->revision,
        .time_ms = time_ms,
        .started_ms = run->started_ms,
        .ended_ms = run->ended_ms,
        .duration_s = run->duration_s > 0 ? fmin(run->duration_s, DURATION_MAX_S) : 0,
        .status = run->status,
#define WINDOW_FIGURE(pane_number, run_number, name, from) .name = run->totals.from,
#include "model/window_figures.def"
#undef WINDOW_FIGURE
    };
    memcpy(k.id, run->id, sizeof k.id);
    count_open_of(run, k.open);
    return k;
}

// Counts what the pipeline suffers from now.
static void count_open(struct pipeline *p) {
    memset(p->stats.open_bottlenecks, 0, sizeof p->stats.open_bottlenecks);
    // The runs that go on, and the newest that ended: what the pipeline suffers from now.
    bool ended_counted = false;
    for (uint32_t i = p->run_count; i > 0; i--) {
        const struct known_run *run = &p->runs[i - 1];
        if (run->ended_ms > 0 && ended_counted) {
            continue;
        }
        ended_counted = ended_counted || run->ended_ms > 0;
        for (int s = 0; s < SEVERITY_COUNT; s++) {
            p->stats.open_bottlenecks[s] += run->open[s];
        }
    }
}

static void count_run(struct pipeline *p, const struct known_run *before,
                      const struct known_run *now, double records_per_s) {
    struct pipeline_stats *stats = &p->stats;
    sat_inc(&stats->records_total, sat_sub0(now->records, before == NULL ? 0 : before->records));
    if (now->ended_ms == 0 || (before != NULL && before->ended_ms > 0)) {
        return;
    }
    int bucket = 0;
    while (bucket < PIPELINE_DURATION_BUCKETS &&
           now->duration_s > pipeline_duration_bounds_s[bucket]) {
        bucket++;
    }
    stats->duration_buckets[bucket]++;
    stats->duration_sum_s += now->duration_s;
    stats->runs++;
    stats->errors_total += now->status != RUN_SUCCEEDED && now->status != RUN_RUNNING;
    if (now->ended_ms >= stats->last_ended_ms) {
        stats->records_per_s = isfinite(records_per_s) ? records_per_s : 0;
        stats->last_status = now->status;
        stats->last_duration_s = now->duration_s;
        stats->last_ended_ms = now->ended_ms;
    }
}

// Panes that pipelines have left open are closed when time enters another one.
static void close_panes(struct pipelines *pipelines, int64_t from_ms, int64_t to_ms) {
    int64_t pane_ms = pipelines->options->pane_ms;
    if (from_ms / pane_ms == to_ms / pane_ms) {
        return;
    }
    struct pipeline *next;
    for (struct pipeline *p = TAILQ_FIRST(&pipelines->open); p != NULL; p = next) {
        next = TAILQ_NEXT(p, open_link);
        if (p->ring.newest < to_ms / pane_ms) {
            window_flush(pipelines, p);
        }
    }
}

// Alerts need no finer time than a minute.
static void age_alerts(struct pipelines *pipelines, int64_t by_ms) {
    int64_t before = pipelines->clock_ms / SWEEP_EVERY_MS;
    pipelines->clock_ms += by_ms;
    if (pipelines->clock_ms / SWEEP_EVERY_MS != before) {
        alerts_age(pipelines);
    }
}

// An update moves the partition's time. Its own pipeline is in no list: its panes are closed as the
// update is added to them.
static void advance(struct pipelines *pipelines, int64_t time_ms) {
    int64_t before = pipelines->time_ms;
    if (time_ms <= before) {
        return;
    }
    pipelines->time_ms = time_ms;
    keep_touch(&pipelines->kept);
    close_panes(pipelines, before, time_ms);
    int64_t step = time_ms - before;
    age_alerts(pipelines, step < CLOCK_STEP_MAX_MS ? step : CLOCK_STEP_MAX_MS);
}

// An update's time, as far as it can be true.
static int64_t time_of(const struct pipelines *pipelines, const struct pipeline_run *run,
                       int64_t record_ms) {
    if (run->time_ms < 0 || run->time_ms > EVENT_TIME_MAX_MS) {
        return pipelines->time_ms;
    }
    // A clock that is far ahead of the record's own time is wrong: it must not empty the window.
    bool ahead = record_ms > 0 && record_ms < run->time_ms - AHEAD_MAX_MS;
    return ahead ? record_ms + AHEAD_MAX_MS : run->time_ms;
}

static void take_in(struct pipelines *pipelines, struct pipeline *p, const struct pipeline_run *run,
                    int64_t time_ms) {
    struct known_run now = known_run_of(run, time_ms), old;
    struct known_run *slot = find_run(p, run->id);
    bool is_first = slot == NULL;
    if (!is_first && run->revision <= slot->revision) {
        return; // heard before
    }
    if (is_first) {
        slot = add_run(pipelines, p);
    } else {
        old = *slot;
    }
    now.number = slot->number;
    now.kept = slot->kept;
    now.settings = slot->settings;
    *slot = now;
    keep_touch(&slot->kept);
    count_open(p);
    count_run(p, is_first ? NULL : &old, &now, run->records_per_s);
    advance(pipelines, time_ms);
    window_add(pipelines, p, is_first ? NULL : &old, &now);
    alerts_update(pipelines, p, run, time_ms);
    if (now.ended_ms > 0 && (is_first || old.ended_ms == 0)) {
        followed_end(&p->followed, pipelines, p, run, slot);
    }
}

void pipelines_feed(struct pipelines *pipelines, const struct pipeline_run *run, int64_t offset,
                    int64_t record_ms) {
    int64_t time_ms = time_of(pipelines, run, record_ms);
    struct pipeline *p = registry_take(pipelines, &run->identity);
    keep_touch(&p->kept);
    p->seen_offset = offset;
    p->seen_clock_ms = pipelines->clock_ms;
    take_in(pipelines, p, run, time_ms);
    registry_enter(pipelines, p);
    registry_trim(pipelines);
}

void pipelines_tick(struct pipelines *pipelines, int64_t by_ms) {
    if (pipelines->time_ms == 0) {
        return; // nothing was ever heard
    }
    int64_t before = pipelines->time_ms, room_ms = PARTITION_TIME_MAX_MS - before;
    by_ms = by_ms < 0 ? 0 : by_ms < room_ms ? by_ms : room_ms;
    pipelines->time_ms += by_ms;
    keep_touch(&pipelines->kept);
    close_panes(pipelines, before, pipelines->time_ms);
    age_alerts(pipelines, by_ms);
    registry_trim(pipelines);
}

bool pipelines_waits(const struct pipelines *pipelines) {
    return pipelines->changed_panes > 0 || pipelines->alert_count > 0;
}

void pipelines_flush(struct pipelines *pipelines) {
    struct pipeline *next;
    for (struct pipeline *p = TAILQ_FIRST(&pipelines->open); p != NULL; p = next) {
        next = TAILQ_NEXT(p, open_link); // p leaves the list
        window_flush(pipelines, p);
    }
}

void pipelines_each(const struct pipelines *pipelines,
                    void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx) {
    for (const struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        if (p->run_count > 0) { // one that shrank has none
            each(ctx, &p->stats);
        }
    }
}

void pipelines_each_alert(const struct pipelines *pipelines,
                          void (*each)(void *ctx, const struct alert *alert), void *ctx) {
    const struct pipeline *p;
    TAILQ_FOREACH(p, &pipelines->by_update, link) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            if (p->alerts[kind] != NULL) {
                each(ctx, &p->alerts[kind]->alert);
            }
        }
    }
}
