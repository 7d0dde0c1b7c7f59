// worker_commit: one transaction per commit: output, changed state, positions; then the alerts.
// Called by worker.c and before partitions go. A transaction that failed, or of which nobody knows,
// is never mended: it takes the road of a crash, all state is read again.
#include <stdio.h>

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "engine/snapshot.h"
#include "state/position.h"
#include "worker.h"

enum {
    SLICE_MS = 500,
    FENCES_WITHIN_MS = 60000,
    SAME_FENCE_MS = 300,
    URGENT_PAUSE_SHARE = 2,
    BEHIND_MESSAGES = 5000,
    BEHIND_PAUSE_SHARE = 19,
    BEHIND_PAUSE_MAX_MS = 5000,
    LAST_COMMIT_MS = 5000,
    AGAIN_PAUSE_MS = 1000
};
// What one transaction may hold before it is committed early.
enum { RECORDS_MAX = 50000, BYTES_MAX = 16 << 20 };

void worker_note_broken(struct worker *worker, const char *what, const struct err *err) {
    if (!worker->broken) {
        worker->broken = true;
        snprintf(worker->trouble, sizeof worker->trouble, "%s: %.480s", what, err->text);
        log_warn("transaction_failed", "worker=%s step=%s error=%s", worker->id, what, err->text);
    }
}

void worker_forget_failures(struct worker *worker) {
    bool over = worker->failures > 0 && !worker->in_transaction && !worker->broken;
    for (uint32_t i = 0; i < worker->part_count && over; i++) {
        const struct part *part = worker->parts[i];
        over = part->phase == PART_RUNNING && !part->touched &&
               kafka_source_caught_up(worker->source, part->topic, part->partition);
    }
    if (over) {
        worker->failures = 0;
        worker->trouble[0] = '\0';
    }
}

static bool anything(const struct worker *worker) {
    bool any = worker->in_transaction;
    for (uint32_t i = 0; i < worker->part_count && !any; i++) {
        any = worker->parts[i]->touched;
    }
    return any;
}

// When the next commit is due. What is urgent waits only so long that commits take a third of the
// time at most. Who is far behind has no news to be urgent about, and spends a twentieth of the
// time on commits.
static int64_t due_ms(const struct worker *worker) {
    int64_t wait_ms = worker->options->commit_interval_ms;
    int64_t urgent_ms = URGENT_PAUSE_SHARE * worker->commit_took_ms;
    int64_t behind_ms = BEHIND_PAUSE_SHARE * worker->commit_took_ms;
    if (worker->behind) {
        behind_ms = behind_ms < BEHIND_PAUSE_MAX_MS ? behind_ms : BEHIND_PAUSE_MAX_MS;
        wait_ms = wait_ms > behind_ms ? wait_ms : behind_ms;
    } else if (worker->urgent && wait_ms > urgent_ms) {
        wait_ms = urgent_ms;
    }
    return worker->committed_ms + wait_ms;
}

bool worker_commit_due(const struct worker *worker, int64_t now_ms) {
    if (!anything(worker)) {
        return false;
    }
    return now_ms >= due_ms(worker) || worker->records >= RECORDS_MAX || worker->bytes >= BYTES_MAX;
}

int worker_commit_in(const struct worker *worker, int64_t now_ms, int most) {
    int64_t left_ms = due_ms(worker) - now_ms;
    left_ms = left_ms < 0 ? 0 : left_ms;
    return anything(worker) && left_ms < most ? (int)left_ms : most;
}

static void put_state(void *ctx, struct str key, struct str value) {
    struct part *part = ctx;
    struct worker *worker = part->worker;
    enum agent_topic topic = part->runs ? TOPIC_STATE_PIPELINES : TOPIC_STATE_APPLICATIONS;
    struct sink_record record = {.topic = worker->options->topics[topic],
                                 .key = key,
                                 .value = value,
                                 .to_partition = true,
                                 .partition = part->partition};
    if (worker_send(worker, topic, &record) == ST_SKIP) {
        struct err err = {0};
        err_set(&err, ST_ABORT,
                "a state value of %zu bytes is too large for topic %s: raise its "
                "max.message.bytes",
                value.len, record.topic);
        worker_note_broken(worker, "state", &err);
        return;
    }
    metrics_add(METRIC_STATE_RECORDS_OUT, 1);
    metrics_add(METRIC_STATE_BYTES_OUT, (int64_t)(key.len + value.len));
}

// The changed state of every touched partition, its position last.
static size_t put_all(struct worker *worker, struct sink_position *positions) {
    size_t count = 0;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        struct part *part = worker->parts[i];
        if (!part->touched) {
            continue;
        }
        struct position position = {.offset = part->next_offset, .ticks = part->ticks};
        if (part->runs) {
            snapshot_pipelines_changes(part->pipelines, put_state, part);
        } else {
            snapshot_changes(part->engine, put_state, part);
            position.time_ms = engine_newest_ms(part->engine);
        }
        position_write(&position, &worker->value);
        put_state(part, STR(POSITION_KEY), buf_str(&worker->value));
        positions[count++] =
            (struct sink_position){part->topic, part->partition, part->next_offset, part->ticks};
    }
    return count;
}

static enum status commit_until(struct worker *worker, const struct sink_position *positions,
                                size_t count, int timeout_ms, struct err *err) {
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    enum status status;
    do {
        int64_t now_ms = clock_mono_ms();
        atomic_store(&worker->beat_ms, now_ms);
        status = kafka_sink_commit(worker->sink, kafka_source_client(worker->source), positions,
                                   count, SLICE_MS, err);
        if (status == ST_RETRY) {
            str_copy(worker->trouble, sizeof worker->trouble, str_of(err->text));
            worker_show(worker, now_ms, false);
        }
        if (atomic_load(&worker->stop) && deadline_ms > now_ms + LAST_COMMIT_MS) {
            deadline_ms = now_ms + LAST_COMMIT_MS;
        }
    } while (status == ST_RETRY && clock_mono_ms() < deadline_ms);
    if (status == ST_RETRY) {
        status = err->status = ST_ABORT;
    }
    return status;
}

// All of it counts now.
static void settle(struct worker *worker, int64_t now_ms) {
    static const enum metric counted[TOPIC_COUNT] = {
        [TOPIC_EVENTS] = METRIC_COUNT,
        [TOPIC_RUNS] = METRIC_RUNS_OUT,
        [TOPIC_BOTTLENECKS] = METRIC_BOTTLENECKS_OUT,
        [TOPIC_RECOMMENDATIONS] = METRIC_RECOMMENDATIONS_OUT,
        [TOPIC_WINDOWS] = METRIC_WINDOWS_OUT,
        [TOPIC_DLQ] = METRIC_DLQ_RECORDS,
        [TOPIC_STATE_APPLICATIONS] = METRIC_COUNT,
        [TOPIC_STATE_PIPELINES] = METRIC_COUNT,
    };
    for (int t = 0; t < TOPIC_COUNT; t++) {
        if (counted[t] != METRIC_COUNT) {
            metrics_add(counted[t], worker->sent[t]);
        }
        worker->sent[t] = 0;
    }
    for (uint32_t i = 0; i < worker->part_count; i++) {
        worker->parts[i]->touched = false;
    }
    if (worker->news_count > 0) {
        alertmanager_update(worker->alerts, worker, worker->news, worker->news_count,
                            clock_wall_ms());
        worker->news_count = 0;
    }
    metrics_add(METRIC_URGENT_COMMITS, worker->urgent && !worker->behind);
    worker->behind = kafka_source_lag(worker->source) > BEHIND_MESSAGES;
    worker->in_transaction = worker->urgent = false;
    worker->records = worker->bytes = 0;
    worker->committed_ms = now_ms;
    worker->failures = 0;
    worker->trouble[0] = '\0';
}

static enum status commit(struct worker *worker, int timeout_ms, struct err *err) {
    enum status status = ST_OK;
    if (!worker->in_transaction) {
        status = kafka_sink_begin(worker->sink, err);
        worker->in_transaction = true;
    }
    if (status != ST_OK) {
        return status;
    }
    struct sink_position *positions = mem_alloc((worker->part_count + 1) * sizeof *positions);
    CRASH_POINT("commit.begin");
    size_t count = put_all(worker, positions);
    CRASH_POINT("commit.state");
    status = worker->broken ? err_set(err, ST_ABORT, "%s", worker->trouble)
                            : commit_until(worker, positions, count, timeout_ms, err);
    mem_free(positions);
    return status;
}

enum status worker_commit(struct worker *worker, int timeout_ms, struct err *err) {
    if (worker->broken || !anything(worker)) {
        return worker->broken ? ST_ABORT : ST_OK;
    }
    int64_t start_ms = clock_mono_ms();
    enum status status = commit(worker, timeout_ms, err);
    int64_t now_ms = clock_mono_ms();
    if (status != ST_OK) {
        metrics_add(METRIC_COMMIT_ERRORS, 1);
        worker_note_broken(worker, "commit", err);
        return ST_ABORT;
    }
    CRASH_POINT("commit.done");
    metrics_add(METRIC_COMMITS, 1);
    worker->commit_took_ms = now_ms - start_ms;
    histogram_observe(HISTOGRAM_COMMIT, worker->commit_took_ms);
    settle(worker, now_ms);
    return ST_OK;
}

enum status worker_note_fence(struct worker *worker, int64_t now_ms, struct err *err) {
    if (worker->fences[0] != 0 && now_ms - worker->fences[0] < SAME_FENCE_MS) {
        return ST_OK; // consumer and producer tell of the same
    }
    metrics_add(METRIC_FENCED, 1);
    bool often = worker->fences[1] != 0 && now_ms - worker->fences[1] < FENCES_WITHIN_MS;
    worker->fences[1] = worker->fences[0];
    worker->fences[0] = now_ms;
    return often ? err_set(err, ST_FATAL,
                           "another process uses the name %s: give every agent its own "
                           "agent.instance",
                           worker->id)
                 : ST_OK;
}

enum status worker_begin_again(struct worker *worker, int64_t now_ms, struct err *err) {
    enum status status =
        kafka_sink_was_fenced(worker->sink) ? worker_note_fence(worker, now_ms, err) : ST_OK;
    metrics_add(METRIC_TXN_ABORTS, 1);
    kafka_sink_abandon(worker->sink);
    worker->failures++;
    if (worker->failures > 1) { // a right is missing, say: it will be given by a human
        worker->again_ms = now_ms + AGAIN_PAUSE_MS;
    }
    worker->in_transaction = worker->broken = worker->urgent = false;
    worker->records = worker->bytes = 0;
    worker->news_count = 0;
    for (int t = 0; t < TOPIC_COUNT; t++) {
        worker->sent[t] = 0;
    }
    for (uint32_t i = 0; i < worker->part_count; i++) {
        part_unload(worker->parts[i]);
    }
    worker_forget_suspended(worker, INT64_MAX);
    worker->committed_ms = now_ms;
    if (worker->reopen && status == ST_OK) {
        worker->reopen = false;
        kafka_source_free(worker->source);
        worker->source = NULL;
        worker_drop_parts(worker);
        status = worker_open_source(worker, err);
    }
    return status;
}
