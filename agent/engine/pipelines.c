// pipelines: the registry of pipelines and what is remembered of their runs. Called by the live
// agent per PipelineRun record and by the demo; windows are kept in window.c, alerts in alerts.c.
#include "pipelines_priv.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"

void pipelines_options_init(struct pipelines_options *options) {
    *options = (struct pipelines_options){.window_ms = 3600000,
                                          .pane_ms = 60000,
                                          .alert_min = SEVERITY_MODERATE,
                                          .pipelines_max = 10000,
                                          .runs_max = 100};
}

struct pipelines *pipelines_new(const struct pipelines_options *options,
                                const struct pipelines_output *output) {
    struct pipelines *pipelines = mem_zalloc(1, sizeof *pipelines);
    pipelines->options = options;
    pipelines->output = *output;
    pipelines->newest_pane = INT64_MIN;
    return pipelines;
}

static void unlink_pipeline(struct pipelines *pipelines, struct pipeline *p) {
    if (p->older != NULL) {
        p->older->newer = p->newer;
    } else {
        pipelines->oldest = p->newer;
    }
    if (p->newer != NULL) {
        p->newer->older = p->older;
    } else {
        pipelines->newest = p->older;
    }
    p->older = p->newer = NULL;
}

static void link_newest(struct pipelines *pipelines, struct pipeline *p) {
    p->older = pipelines->newest;
    if (p->older != NULL) {
        p->older->newer = p;
    } else {
        pipelines->oldest = p;
    }
    pipelines->newest = p;
}

static void drop(struct pipelines *pipelines, struct pipeline *p) {
    require(p != NULL);
    unlink_pipeline(pipelines, p);
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash keeps the links
    HASH_DEL(pipelines->all, p);
    window_fini(p);
    mem_free(p->runs);
    mem_free(p);
    metrics_add(METRIC_PIPELINES_LIVE, -1);
}

void pipelines_free(struct pipelines *pipelines) {
    if (pipelines == NULL) {
        return;
    }
    while (pipelines->oldest != NULL) {
        drop(pipelines, pipelines->oldest);
    }
    mem_free(pipelines);
}

static struct pipeline *find(struct pipelines *pipelines, const struct run_identity *identity) {
    char key[2 * (RUN_TEXT_MAX + 1)];
    size_t cluster = strlen(identity->cluster), name = strlen(identity->pipeline);
    memcpy(key, identity->cluster, cluster);
    key[cluster] = '\n';
    memcpy(key + cluster + 1, identity->pipeline, name + 1);
    struct pipeline *p;
    HASH_FIND(hh, pipelines->all, key, cluster + 1 + name, p);
    if (p != NULL) {
        unlink_pipeline(pipelines, p);
        link_newest(pipelines, p);
        return p;
    }
    while (HASH_COUNT(pipelines->all) >= pipelines->options->pipelines_max) {
        drop(pipelines, pipelines->oldest);
        metrics_add(METRIC_LIMIT_HITS, 1);
    }
    p = mem_zalloc(1, sizeof *p);
    p->key_len = cluster + 1 + name;
    memcpy(p->key, key, p->key_len + 1);
    memcpy(p->stats.pipeline, identity->pipeline, name + 1);
    window_init(p, pipelines->options);
    HASH_ADD(hh, pipelines->all, key, p->key_len, p);
    link_newest(pipelines, p);
    metrics_add(METRIC_PIPELINES_LIVE, 1);
    return p;
}

static struct known_run *find_run(struct pipeline *p, const char *id) {
    for (uint32_t i = p->run_count; i > 0; i--) {
        if (strcmp(p->runs[i - 1].id, id) == 0) {
            return &p->runs[i - 1];
        }
    }
    return NULL;
}

// A new entry; the oldest ended run makes room, the oldest of all if none has ended.
static struct known_run *add_run(const struct pipelines *pipelines, struct pipeline *p) {
    if (p->run_count >= pipelines->options->runs_max) {
        uint32_t at = 0;
        while (at < p->run_count && p->runs[at].ended_ms == 0) {
            at++;
        }
        at = at == p->run_count ? 0 : at;
        memmove(p->runs + at, p->runs + at + 1, (p->run_count - at - 1) * sizeof *p->runs);
        p->run_count--;
    }
    MEM_GROW(p->runs, p->run_count, p->run_cap);
    struct known_run *run = &p->runs[p->run_count++];
    *run = (struct known_run){0};
    return run;
}

static struct known_run known(const struct pipeline_run *run, int64_t offset) {
    const struct run_totals *t = &run->totals;
    struct known_run k = {
        .revision = run->revision,
        .time_ms = run->time_ms,
        .started_ms = run->started_ms,
        .ended_ms = run->ended_ms,
        .offset = offset,
        .duration_s = run->duration_s,
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
        k.worst[b->kind] = b->severity > k.worst[b->kind] ? b->severity : k.worst[b->kind];
    }
    return k;
}

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
    stats->errors_total += now->status == RUN_FAILED || now->status == RUN_LOST;
    if (now->ended_ms >= stats->last_ended_ms) {
        stats->records_per_s = records_per_s;
        stats->last_status = now->status;
        stats->last_duration_s = now->duration_s;
        stats->last_ended_ms = now->ended_ms;
    }
}

// Time is the partition's: when it enters another pane, what other pipelines have left open is
// closed too.
static void close_panes(struct pipelines *pipelines, const struct pipeline *at, int64_t time_ms) {
    int64_t pane = ring_pane_of(&at->ring, time_ms);
    if (pane <= pipelines->newest_pane) {
        return;
    }
    pipelines->newest_pane = pane;
    for (struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        if (p != at && p->ring.started && p->ring.newest < pane) {
            window_flush(pipelines, p);
        }
    }
}

void pipelines_feed(struct pipelines *pipelines, const struct pipeline_run *run, int64_t offset) {
    struct pipeline *p = find(pipelines, &run->identity);
    struct known_run now = known(run, offset), old;
    struct known_run *slot = find_run(p, run->id);
    bool is_first = slot == NULL;
    if (!is_first && run->revision <= slot->revision) {
        return; // heard before
    }
    if (is_first) {
        slot = add_run(pipelines, p);
    } else {
        old = *slot;
        now.offset = old.offset;
    }
    *slot = now;
    count_open(p);
    count_run(p, is_first ? NULL : &old, &now, run->records_per_s);
    close_panes(pipelines, p, now.time_ms);
    window_add(pipelines, p, is_first ? NULL : &old, &now);
    alerts_update(pipelines, p, run);
}

void pipelines_flush(struct pipelines *pipelines) {
    for (struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        window_flush(pipelines, p);
    }
}

static bool keeps_alert(const struct pipeline *p, const struct known_run *run) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (p->alerts[kind].name[0] != '\0' && strcmp(p->alert_run[kind], run->id) == 0) {
            return true;
        }
    }
    return false;
}

int64_t pipelines_oldest_offset(const struct pipelines *pipelines) {
    int64_t oldest = INT64_MAX;
    for (const struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        for (uint32_t i = 0; i < p->run_count; i++) {
            const struct known_run *run = &p->runs[i];
            if (run->ended_ms == 0 || run->time_ms >= window_start_ms(p) || keeps_alert(p, run)) {
                oldest = run->offset < oldest ? run->offset : oldest;
            }
        }
    }
    return oldest;
}

void pipelines_each(const struct pipelines *pipelines,
                    void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx) {
    for (const struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        each(ctx, &p->stats);
    }
}

void pipelines_each_alert(const struct pipelines *pipelines,
                          void (*each)(void *ctx, const struct alert *alert), void *ctx) {
    for (const struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            if (p->alerts[kind].name[0] != '\0') {
                each(ctx, &p->alerts[kind]);
            }
        }
    }
}
