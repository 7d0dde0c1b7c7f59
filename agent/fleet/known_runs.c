// known_runs: what is remembered of a pipeline's runs, as last heard of. Called by pipelines.c per
// update.
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "pipelines_priv.h"

// Of a century; what is longer, or no number, comes from no clock.
static const double DURATION_MAX_S = 3e9;

struct known_run *known_runs_find(const struct pipeline *p, const char *id) {
    for (uint32_t i = p->run_count; i > 0; i--) {
        if (strcmp(p->runs[i - 1].id, id) == 0) {
            return &p->runs[i - 1];
        }
    }
    return NULL;
}

struct known_run *known_runs_add(struct pipelines *pipelines, struct pipeline *p) {
    while (p->run_count >= pipelines->options->runs_max) {
        uint32_t at = 0;
        while (at < p->run_count && p->runs[at].ended_ms == 0) {
            at++;
        }
        at = at == p->run_count ? 0 : at;
        snapshot_forget_run(pipelines, p, &p->runs[at]);
        memmove(p->runs + at, p->runs + at + 1, (p->run_count - at - 1) * sizeof *p->runs);
        p->run_count--;
    }
    MEM_GROW(p->runs, p->run_count, p->run_cap);
    struct known_run *run = &p->runs[p->run_count++];
    *run = (struct known_run){.number = p->run_number++};
    return run;
}

struct known_run known_run_of(const struct pipeline_run *run, int64_t time_ms) {
    const struct run_totals *t = &run->totals;
    struct known_run k = {
        .revision = run->revision,
        .time_ms = time_ms,
        .started_ms = run->started_ms,
        .ended_ms = run->ended_ms,
        .duration_s = run->duration_s > 0 ? fmin(run->duration_s, DURATION_MAX_S) : 0,
        .status = run->status,
        .records = t->records,
        .data_bytes = t->data_size_bytes,
        .shuffle_read_bytes = t->shuffle_read_bytes,
        .shuffle_write_bytes = t->shuffle_write_bytes,
        .memory_spilled_bytes = t->memory_spilled_bytes,
        .disk_spilled_bytes = t->disk_spilled_bytes,
        .gc_ms = t->gc_ms,
        .task_ms = t->task_ms,
    };
    memcpy(k.id, run->id, sizeof k.id);
    for (uint32_t i = 0; i < run->open_count; i++) {
        const struct open_bottleneck *b = &run->open[i];
        k.open[b->severity]++;
    }
    return k;
}

void known_runs_count_open(struct pipeline *p) {
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
