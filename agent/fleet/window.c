// window: a pipeline's rolling window: a ring of panes, each with counters and a sketch of run
// durations. Called by pipelines.c per update; panes leave in order, a pane without news takes no
// memory.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sat.h"
#include "pipelines_priv.h"

void window_init(struct pipeline *pipeline, const struct pipelines_options *options) {
    ring_init(&pipeline->ring, options->pane_ms, (uint32_t)(options->window_ms / options->pane_ms));
    pipeline->panes = mem_zalloc(pipeline->ring.panes, sizeof *pipeline->panes);
}

void window_count_changed(struct pipelines *pipelines, struct pipeline *pipeline, int by) {
    require((int64_t)pipeline->changed_panes + by >= 0 &&
            pipelines->changed_panes >= pipeline->changed_panes);
    pipeline->changed_panes += (uint32_t)by;
    pipelines->changed_panes += (size_t)by;
}

static void clear_slot(struct pipelines *pipelines, struct pipeline *pipeline, uint32_t slot) {
    struct pane *pane = pipeline->panes[slot];
    if (pane != NULL) {
        window_count_changed(pipelines, pipeline, -(int)pane->changed);
        mem_free(pane->durations_s10);
        mem_free(pane);
        pipeline->panes[slot] = NULL;
        pipeline->pane_count--;
    }
}

void window_fini(struct pipelines *pipelines, struct pipeline *pipeline) {
    for (uint32_t i = 0; i < pipeline->ring.panes; i++) {
        clear_slot(pipelines, pipeline, i);
    }
    mem_free(pipeline->panes);
}

struct pane *window_pane(const struct pipeline *pipeline, int64_t number) {
    return pipeline->panes[ring_slot(&pipeline->ring, number)];
}

struct pane *window_open_pane(struct pipeline *pipeline, int64_t number) {
    struct pane *pane = mem_zalloc(1, sizeof *pane);
    const char *newline = strchr(pipeline->key, '\n');
    struct str cluster = {pipeline->key, (size_t)(newline - pipeline->key)};
    str_copy(pane->window.cluster, sizeof pane->window.cluster, cluster);
    str_copy(pane->window.pipeline, sizeof pane->window.pipeline, str_of(newline + 1));
    pane->window.pane_start_ms = number * pipeline->ring.pane_ms;
    pane->window.pane_end_ms = (number + 1) * pipeline->ring.pane_ms;
    require(pipeline->panes[ring_slot(&pipeline->ring, number)] == NULL);
    pipeline->panes[ring_slot(&pipeline->ring, number)] = pane;
    pipeline->pane_count++;
    return pane;
}

// The figures over the whole window as seen at the end of pane `number`.
static void fill_window(struct pipeline *pipeline, int64_t number, struct pipeline_window *w) {
    const struct ring *ring = &pipeline->ring;
    struct sketch all = {0};
    int64_t first = number - (int64_t)ring->panes + 1;
    double longest = 0;
    w->window_start_ms = first * ring->pane_ms;
    for (int64_t p = first; p <= number; p++) {
        struct pane *pane = window_pane(pipeline, p);
        // A slot may hold a later pane than p once the ring has moved on.
        if (pane == NULL || !ring_holds(ring, p) ||
            pane->window.pane_start_ms != p * ring->pane_ms) {
            continue;
        }
        w->window_runs += pane->window.runs;
        w->window_runs_failed += pane->window.runs_failed;
        longest = pane->window.duration_max_s > longest ? pane->window.duration_max_s : longest;
        if (pane->durations_s10 != NULL) {
            sketch_merge(&all, pane->durations_s10);
        }
    }
    // The sketch is off by a few percent: never beyond the longest, which is exact.
    w->duration_p50_s = fmin(sketch_quantile(&all, 0.5) / 10, longest);
    w->duration_p90_s = fmin(sketch_quantile(&all, 0.9) / 10, longest);
    w->duration_p99_s = fmin(sketch_quantile(&all, 0.99) / 10, longest);
    w->duration_max_s = longest;
}

static void hand_out(struct pipelines *pipelines, struct pipeline *pipeline, int64_t number) {
    struct pane *pane = window_pane(pipeline, number);
    if (pane == NULL || !pane->changed) {
        return;
    }
    pane->changed = false;
    keep_touch(&pane->kept);
    keep_touch(&pipeline->kept);
    window_count_changed(pipelines, pipeline, -1);
    struct pipeline_window w = pane->window;
    fill_window(pipeline, number, &w);
    pipelines->output.window(pipelines->output.ctx, &w);
}

// All panes before the newest are closed; those that still hold news are handed out, oldest first.
static void close_before(struct pipelines *pipelines, struct pipeline *pipeline, int64_t number) {
    const struct ring *ring = &pipeline->ring;
    for (int64_t p = ring->newest - (int64_t)ring->panes + 1; p < number && p <= ring->newest;
         p++) {
        hand_out(pipelines, pipeline, p);
    }
}

struct leaving {
    struct pipelines *pipelines;
    struct pipeline *pipeline;
};

static void leave_pane(void *ctx, int64_t number) {
    const struct leaving *leaving = ctx;
    struct pipeline *pipeline = leaving->pipeline;
    const struct pane *pane = window_pane(pipeline, number);
    if (pane != NULL) {
        pipelines_forget_pane(leaving->pipelines, pipeline, pane);
        clear_slot(leaving->pipelines, pipeline, ring_slot(&pipeline->ring, number));
    }
}

// The pane for a time: its own while the window holds it, else the newest. *is_new: it was none.
static struct pane *open_pane(struct pipelines *pipelines, struct pipeline *pipeline,
                              int64_t time_ms, bool *is_new) {
    struct ring *ring = &pipeline->ring;
    struct leaving leaving = {pipelines, pipeline};
    int64_t number = ring_pane_of(ring, time_ms);
    if (ring->started && number > ring->newest) {
        close_before(pipelines, pipeline, number);
    }
    ring_advance(ring, time_ms, leave_pane, &leaving);
    if (!ring_holds(ring, number)) {
        number = ring->newest;
    }
    struct pane *pane = window_pane(pipeline, number);
    *is_new = pane == NULL;
    return *is_new ? window_open_pane(pipeline, number) : pane;
}

void window_add(struct pipelines *pipelines, struct pipeline *pipeline,
                const struct known_run *before, const struct known_run *now) {
    static const struct known_run nothing;
    const struct known_run *from = before == NULL ? &nothing : before;
    bool news; // else it would be handed out as it was
    int64_t more;
    struct pane *pane = open_pane(pipelines, pipeline, now->time_ms, &news);
    struct pipeline_window *w = &pane->window;
#define WINDOW_FIGURE(pane_number, run_number, name, of)                                           \
    more = sat_sub0(now->name, from->name);                                                        \
    news |= more != 0;                                                                             \
    sat_inc(&w->name, more);
#include "model/window_figures.def"
#undef WINDOW_FIGURE
    if (now->ended_ms > 0 && from->ended_ms == 0) {
        news = true;
        w->runs++;
        w->runs_failed += now->status == RUN_FAILED || now->status == RUN_KILLED;
        w->duration_max_s =
            now->duration_s > w->duration_max_s ? now->duration_s : w->duration_max_s;
        if (pane->durations_s10 == NULL) {
            pane->durations_s10 = mem_zalloc(1, sizeof *pane->durations_s10);
        }
        sketch_add(pane->durations_s10, (int64_t)(now->duration_s * 10 + 0.5));
    }
    const int64_t *open = pipeline->stats.open_bottlenecks;
    news |= memcmp(w->open_bottlenecks, open, sizeof w->open_bottlenecks) != 0;
    memcpy(w->open_bottlenecks, open, sizeof w->open_bottlenecks);
    if (news) {
        window_count_changed(pipelines, pipeline, !pane->changed);
        pane->changed = true;
        keep_touch(&pane->kept);
    }
}

void window_flush(struct pipelines *pipelines, struct pipeline *pipeline) {
    if (pipeline->ring.started) {
        close_before(pipelines, pipeline, pipeline->ring.newest);
        hand_out(pipelines, pipeline, pipeline->ring.newest);
        registry_change(pipelines, pipeline);
    }
}
