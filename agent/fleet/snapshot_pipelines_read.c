// snapshot_pipelines_read: single values of stage 2's state into their structs. Called by
// snapshot_pipelines_load.c. Trusts nothing: bytes may be damaged or made by an enemy, so every
// number that is later an index, a sum or a time is held against what state can be.
#include <math.h>

#include "base/mem.h"
#include "snapshot_pipelines.h"

// More runs than that were never counted anywhere.
static const int64_t COUNT_MAX = INT64_C(1) << 40;

static bool within(int64_t value, int64_t most) {
    return value >= 0 && value <= most;
}

static bool is_amount(double value) {
    return isfinite(value) && value >= 0;
}

static bool take_numbers(struct str bytes, int64_t *out, unsigned count, int64_t most) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    while (wire_next(&reader, &number, &field)) {
        if (number == 0 || number > count || !wire_get_i64(field, &out[number - 1]) ||
            !within(out[number - 1], most)) {
            return false;
        }
    }
    return !reader.broken;
}

bool snapshot_read_time(struct pipelines *pipelines, struct str value, struct err *err) {
    struct wire_reader reader;
    return wire_open(value, &reader, err) == ST_OK &&
           wire_take_all(pipelines, snapshot_time_rows, snapshot_time_count,
                         (struct str){reader.at, (size_t)(reader.end - reader.at)}) &&
           within(pipelines->time_ms, PARTITION_TIME_MAX_MS) &&
           within(pipelines->clock_ms, PARTITION_TIME_MAX_MS);
}

static bool take_alert(struct pipelines *pipelines, struct pipeline *p, struct str bytes) {
    struct pipeline_alert kept = {0};
    if (!wire_take_all(&kept, snapshot_alert_rows, snapshot_alert_count, bytes) || kept.kind < 1 ||
        kept.kind > KIND_COUNT || !within(kept.alert.started_ms, PARTITION_TIME_MAX_MS) ||
        !within(kept.alert.ended_ms, PARTITION_TIME_MAX_MS) ||
        !within(kept.ended_clock_ms, pipelines->clock_ms)) {
        return false;
    }
    enum bottleneck_kind kind = (enum bottleneck_kind)(kept.kind - 1);
    alerts_name(p, &kept.alert, kind);
    struct pipeline_alert *place =
        p->alerts[kind] == NULL ? alerts_add(pipelines, p, kind) : p->alerts[kind];
    *place = kept;
    return true;
}

static bool stats_are_sane(const struct pipeline_stats *stats) {
    return within(stats->runs, COUNT_MAX) && within(stats->errors_total, COUNT_MAX) &&
           within(stats->records_total, INT64_MAX) && is_amount(stats->duration_sum_s) &&
           isfinite(stats->records_per_s) && is_amount(stats->last_duration_s) &&
           within((int64_t)stats->last_status, RUN_STATUS_COUNT - 1);
}

// Nothing in a pipeline is newer than its partition: else the partition's own value is missing.
static bool fits(const struct pipelines *pipelines, const struct pipeline *p) {
    int64_t newest = ring_pane_of(&p->ring, pipelines->time_ms);
    return within(p->ring.newest, newest) && within(p->run_number, COUNT_MAX) &&
           within(p->seen_offset, INT64_MAX) && within(p->seen_clock_ms, pipelines->clock_ms) &&
           stats_are_sane(&p->stats);
}

bool snapshot_read_pipeline(struct pipelines *pipelines, struct pipeline *p, struct str value,
                            struct err *err) {
    struct wire_reader reader;
    struct ring now = p->ring;
    unsigned number;
    struct str field;
    bool known, good = wire_open(value, &reader, err) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        good = number == FIELD_DURATIONS ? take_numbers(field, p->stats.duration_buckets,
                                                        PIPELINE_DURATION_BUCKETS + 1, COUNT_MAX)
               : number == FIELD_OPEN
                   ? take_numbers(field, p->stats.open_bottlenecks, SEVERITY_COUNT, COUNT_MAX)
               : number == FIELD_ALERT ? take_alert(pipelines, p, field)
                                       : wire_take(p, snapshot_pipeline_rows,
                                                   snapshot_pipeline_count, number, field, &known);
    }
    if (p->ring.pane_ms != now.pane_ms) {
        p->ring = now; // its panes go
        p->touched = true;
    }
    return good && !reader.broken && fits(pipelines, p);
}

bool snapshot_read_run(struct known_run *run, struct str value, struct err *err) {
    struct wire_reader reader;
    unsigned number;
    struct str field;
    bool known, good = wire_open(value, &reader, err) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        good = number == FIELD_OPEN
                   ? take_numbers(field, run->open, SEVERITY_COUNT, RUN_OPEN_MAX)
                   : wire_take(run, snapshot_run_rows, snapshot_run_count, number, field, &known);
    }
    return good && !reader.broken && within(run->number, COUNT_MAX) && is_amount(run->duration_s) &&
           within((int64_t)run->status, RUN_STATUS_COUNT - 1);
}

static bool take_sketch(struct pane *pane, struct str bytes) {
    int64_t counts[SKETCH_BUCKETS] = {0};
    if (pane->durations_s10 != NULL || !take_numbers(bytes, counts, SKETCH_BUCKETS, UINT32_MAX)) {
        return false;
    }
    pane->durations_s10 = mem_zalloc(1, sizeof *pane->durations_s10);
    for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
        pane->durations_s10->counts[i] = (uint32_t)counts[i];
        pane->durations_s10->total += (uint64_t)counts[i];
    }
    return true;
}

bool snapshot_read_pane(struct pane *pane, struct str value, struct err *err) {
    struct wire_reader reader;
    unsigned number;
    struct str field;
    bool known, good = wire_open(value, &reader, err) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        good = number == FIELD_OPEN
                   ? take_numbers(field, pane->window.open_bottlenecks, SEVERITY_COUNT, COUNT_MAX)
               : number == FIELD_SKETCH ? take_sketch(pane, field)
                                        : wire_take(pane, snapshot_pane_rows, snapshot_pane_count,
                                                    number, field, &known);
    }
    const struct pipeline_window *w = &pane->window;
    return good && !reader.broken && within(w->runs, COUNT_MAX) &&
           within(w->runs_failed, COUNT_MAX) && is_amount(w->duration_max_s);
}
