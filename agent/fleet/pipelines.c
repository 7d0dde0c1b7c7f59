// pipelines: the registry of pipelines and what is remembered of their runs. Called by the live
// agent per PipelineRun record and by the demo; windows are kept in window.c, alerts in alerts.c.
#include "pipelines_priv.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"
#include "model/event.h"

enum { AHEAD_MAX_MS = 600000 };

void pipelines_options_init(struct pipelines_options *options) {
    *options = (struct pipelines_options){.window_ms = 3600000,
                                          .pane_ms = 60000,
                                          .alert_min = SEVERITY_MODERATE,
                                          .pipelines_max = 10000,
                                          .runs_max = 100,
                                          .alert_keep_ms = INT64_C(15) * 60000,
                                          .alert_silence_ms = INT64_C(7) * 24 * 3600000};
}

struct pipelines *pipelines_new(const struct pipelines_options *options,
                                const struct pipelines_output *output) {
    struct pipelines *pipelines = mem_zalloc(1, sizeof *pipelines);
    pipelines->options = options;
    pipelines->output = *output;
    return pipelines;
}

void pipelines_unlink(struct pipelines *pipelines, struct pipeline *p) {
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

void pipelines_link_newest(struct pipelines *pipelines, struct pipeline *p) {
    p->older = pipelines->newest;
    if (p->older != NULL) {
        p->older->newer = p;
    } else {
        pipelines->oldest = p;
    }
    pipelines->newest = p;
}

uint32_t pipelines_panes_lost(const struct pipelines *pipelines) {
    return pipelines->panes_lost;
}

static void release(struct pipelines *pipelines, struct pipeline *p) {
    require(p != NULL);
    pipelines_unlink(pipelines, p);
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash keeps the links
    HASH_DEL(pipelines->all, p);
    window_fini(pipelines, p);
    alerts_count(pipelines, p, -(int)p->alert_count);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        mem_free(p->alerts[kind]);
    }
    mem_free(p->runs);
    mem_free(p);
    metrics_add(METRIC_PIPELINES_LIVE, -1);
}

void pipelines_free(struct pipelines *pipelines) {
    if (pipelines == NULL) {
        return;
    }
    while (pipelines->oldest != NULL) {
        release(pipelines, pipelines->oldest);
    }
    buf_fini(&pipelines->gone);
    mem_free(pipelines);
}

void pipelines_drop(struct pipelines *pipelines, struct pipeline *p) {
    alerts_end_all(pipelines, p);
    snapshot_forget_pipeline(pipelines, p);
    release(pipelines, p);
}

struct pipeline *pipelines_add(struct pipelines *pipelines, const char *key, size_t key_len) {
    struct pipeline *p = mem_zalloc(1, sizeof *p);
    p->key_len = key_len;
    memcpy(p->key, key, key_len);
    const char *newline = memchr(key, '\n', key_len);
    size_t cluster = (size_t)(newline - key);
    memcpy(p->stats.pipeline, newline + 1, key_len - cluster - 1);
    window_init(p, pipelines->options);
    HASH_ADD(hh, pipelines->all, key, p->key_len, p);
    pipelines_link_newest(pipelines, p);
    metrics_add(METRIC_PIPELINES_LIVE, 1);
    return p;
}

struct pipeline *pipelines_find(const struct pipelines *pipelines, const char *key,
                                size_t key_len) {
    struct pipeline *p;
    HASH_FIND(hh, pipelines->all, key, key_len, p);
    return p;
}

// The pipeline of an update, the newest of the list from now on.
static struct pipeline *pipeline_of(struct pipelines *pipelines,
                                    const struct run_identity *identity) {
    char key[2 * (RUN_TEXT_MAX + 1)];
    size_t cluster = strlen(identity->cluster), name = strlen(identity->pipeline);
    for (size_t i = 0; i < cluster; i++) { // the first newline ends the cluster
        key[i] = identity->cluster[i] == '\n' ? '?' : identity->cluster[i];
    }
    key[cluster] = '\n';
    memcpy(key + cluster + 1, identity->pipeline, name + 1);
    struct pipeline *p = pipelines_find(pipelines, key, cluster + 1 + name);
    if (p != NULL) {
        pipelines_unlink(pipelines, p);
        pipelines_link_newest(pipelines, p);
        return p;
    }
    while (HASH_COUNT(pipelines->all) >= pipelines->options->pipelines_max) {
        pipelines_drop(pipelines, pipelines->oldest);
        metrics_add(METRIC_LIMIT_HITS, 1);
    }
    return pipelines_add(pipelines, key, cluster + 1 + name);
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
        stats->records_per_s = isfinite(records_per_s) ? records_per_s : 0;
        stats->last_status = now->status;
        stats->last_duration_s = now->duration_s;
        stats->last_ended_ms = now->ended_ms;
    }
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

void pipelines_feed(struct pipelines *pipelines, const struct pipeline_run *run, int64_t offset,
                    int64_t record_ms) {
    int64_t time_ms = time_of(pipelines, run, record_ms);
    struct pipeline *p = pipeline_of(pipelines, &run->identity);
    struct known_run now = known_run_of(run, time_ms), old;
    struct known_run *slot = known_runs_find(p, run->id);
    bool is_first = slot == NULL;
    p->touched = true;
    p->seen_offset = offset;
    p->seen_clock_ms = pipelines->clock_ms;
    if (!is_first && run->revision <= slot->revision) {
        return; // heard before
    }
    if (is_first) {
        slot = known_runs_add(pipelines, p);
    } else {
        old = *slot;
    }
    now.number = slot->number;
    now.written = slot->written;
    now.touched = true;
    *slot = now;
    known_runs_count_open(p);
    count_run(p, is_first ? NULL : &old, &now, run->records_per_s);
    partition_time_advance(pipelines, p, time_ms);
    window_add(pipelines, p, is_first ? NULL : &old, &now);
    alerts_update(pipelines, p, run, time_ms);
}

void pipelines_flush(struct pipelines *pipelines) {
    for (struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        window_flush(pipelines, p);
    }
}

void pipelines_each(const struct pipelines *pipelines,
                    void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx) {
    for (const struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        each(ctx, &p->stats);
    }
}

void pipelines_each_alert(const struct pipelines *pipelines,
                          void (*each)(void *ctx, const struct alert *alert), void *ctx) {
    for (const struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            if (p->alerts[kind] != NULL) {
                each(ctx, &p->alerts[kind]->alert);
            }
        }
    }
}
