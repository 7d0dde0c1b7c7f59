// worker_take: what a worker does with a message, and with silence. Called by worker.c. What a
// message causes goes into the open transaction.
#include "base/log.h"
#include "base/metrics.h"
#include "worker.h"

// How long a partition must be silent and read to its end before its time follows the clock.
enum { SILENCE_MS = 5000 };

static void take_run(struct worker *worker, struct part *part, const struct message *message) {
    struct pipeline_run run;
    struct err err = {0};
    if (avro_decode_run(worker->codec, message->value, AVRO_SKIP_STAGES, &run, &err) != ST_OK) {
        metrics_add(METRIC_SKIP_UNREADABLE_RUN, 1);
        worker_dead_letter(worker, message, METRIC_SKIP_UNREADABLE_RUN, err.text);
        return;
    }
    pipelines_feed(part->pipelines, &run, message->offset, message->timestamp_ms);
    if (worker->options->on_run != NULL) {
        worker->options->on_run(worker->options->hook_ctx, &run);
    }
    pipeline_run_fini(&run);
}

static void take_event(struct worker *worker, struct part *part, const struct message *message) {
    enum metric reason = METRIC_SKIP_MALFORMED;
    struct err err = {0};
    metrics_add(METRIC_EVENTS_READ, 1);
    metrics_add(METRIC_EVENT_BYTES_READ, (int64_t)message->value.len);
    if (engine_feed(part->engine, message, message->value.len, &reason, &err) != ST_OK) {
        worker_dead_letter(worker, message, reason, err.text);
    }
}

void worker_take(struct worker *worker, const struct message *message, int64_t now_ms) {
    struct part *part = worker_find(worker, message->topic, message->partition);
    if (part == NULL || part->phase != PART_RUNNING || message->offset < part->next_offset) {
        return; // read ahead of a position that does not count any more
    }
    if (part->runs) {
        take_run(worker, part, message);
    } else {
        take_event(worker, part, message);
    }
    part->next_offset = message->offset + 1;
    part->heard_ms = now_ms;
    part->ticked = false;
    part->touched = true;
}

static bool waits(const struct part *part) {
    return part->runs ? pipelines_waits(part->pipelines) : engine_waits(part->engine);
}

void worker_tick(struct worker *worker, int64_t now_ms) {
    int64_t tick_ms = worker->options->tick_ms;
    int64_t silence_ms = tick_ms > SILENCE_MS ? tick_ms : SILENCE_MS;
    for (uint32_t i = 0; i < worker->part_count && tick_ms > 0; i++) {
        struct part *part = worker->parts[i];
        int64_t due_ms = part->ticked ? tick_ms : silence_ms;
        if (part->phase != PART_RUNNING || now_ms - part->heard_ms < due_ms || !waits(part) ||
            !kafka_source_caught_up(worker->source, part->topic, part->partition)) {
            continue;
        }
        if (part->runs) {
            pipelines_tick(part->pipelines, tick_ms);
        } else {
            engine_tick(part->engine, tick_ms);
        }
        metrics_add(METRIC_TICKS, 1);
        part->ticks++;
        part->heard_ms = now_ms;
        part->ticked = part->touched = true;
    }
}
