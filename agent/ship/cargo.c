// cargo: see the header. Must not mend a transaction that failed, or of which nobody knows.
#include "cargo.h"

#include "base/clock.h"
#include "base/metrics.h"

enum { OPEN_MS = 500, SLICE_MS = 500, STOPPED_MS = 5000, QUEUE_MS = 30000 };

enum status cargo_init(struct cargo *cargo, const struct ship_options *options, const char *id,
                       struct err *err) {
    *cargo = (struct cargo){.options = options, .id = id};
    struct kafka_sink_options sink = {.max_record_bytes = options->max_record_bytes,
                                      .queue_wait_ms = SLICE_MS,
                                      .transactional_id = options->plain ? NULL : id};
    return kafka_sink_new(&options->producer, &sink, (struct kafka_sink_callbacks){0}, &cargo->sink,
                          err);
}

void cargo_fini(struct cargo *cargo) {
    kafka_sink_free(cargo->sink);
}

enum status cargo_open(struct cargo *cargo, struct err *err) {
    const char *const topics[] = {cargo->options->events, cargo->options->positions, NULL};
    return cargo->options->plain ? ST_OK : kafka_sink_open(cargo->sink, topics, OPEN_MS, err);
}

enum status cargo_begin(struct cargo *cargo, struct err *err) {
    if (cargo->begun || cargo->options->plain) {
        return ST_OK;
    }
    if (!kafka_sink_is_open(cargo->sink)) {
        return err_set(err, ST_ABORT, "there is no producer");
    }
    cargo->begun = true;
    return kafka_sink_begin(cargo->sink, err);
}

// Asked to end, nobody waits for long.
static int64_t patience_of(const struct cargo *cargo, int64_t patience_ms) {
    bool stopped = cargo->options->stop != NULL && *cargo->options->stop != 0;
    return stopped && patience_ms > STOPPED_MS ? STOPPED_MS : patience_ms;
}

bool cargo_again(const struct cargo *cargo, enum status status, int64_t *began_ms) {
    int64_t now_ms = clock_mono_ms();
    *began_ms = *began_ms == 0 ? now_ms : *began_ms;
    return status == ST_RETRY && now_ms - *began_ms < patience_of(cargo, QUEUE_MS);
}

enum status cargo_commit(struct cargo *cargo, int64_t patience_ms, struct err *err) {
    int64_t began_ms = clock_mono_ms();
    enum status status;
    do {
        status = cargo->options->plain
                     ? kafka_sink_flush(cargo->sink, SLICE_MS, err)
                     : kafka_sink_commit(cargo->sink, NULL, NULL, 0, SLICE_MS, err);
    } while (status == ST_RETRY && clock_mono_ms() - began_ms < patience_of(cargo, patience_ms));
    if (status != ST_OK) {
        return ST_ABORT;
    }
    cargo->took_ms = clock_mono_ms() - began_ms;
    cargo->begun = false;
    cargo->records = cargo->bytes = 0;
    return ST_OK;
}

enum status cargo_drop(struct cargo *cargo, bool *fenced, struct err *err) {
    *fenced = !cargo->options->plain && kafka_sink_was_fenced(cargo->sink);
    cargo->begun = false;
    cargo->records = cargo->bytes = 0;
    if (cargo->options->plain) { // what is under way may arrive, or not
        kafka_sink_free(cargo->sink);
        cargo->sink = NULL;
        return cargo_init(cargo, cargo->options, cargo->id, err);
    }
    metrics_add(METRIC_TXN_ABORTS, 1);
    kafka_sink_abandon(cargo->sink);
    return ST_OK;
}
