// worker_state: what a commit writes of the state: the values that changed since the last one, each
// whole or in pieces, and behind them how far the input is read. Called by worker.c. Must leave
// nothing behind of a value's former pieces, and must not end the transaction.
#include "base/check.h"
#include "base/metrics.h"
#include "worker.h"

enum {
    PIECE_KEY_BYTES = 12, // what the key of a piece has beyond the value's
    PIECE_LEAST_BYTES = 256
};

// Puts one record into the part's partition of its state topic.
static void put_record(void *ctx, struct str key, struct str value) {
    struct part *part = ctx;
    struct transaction *tx = &part->worker->transaction;
    enum topic topic = topic_of_state(part->ops->input);
    struct sink_record record = {.topic = part->worker->options->topics[topic],
                                 .key = key,
                                 .value = value,
                                 .to_partition = true,
                                 .partition = part->partition};
    if (transaction_send(tx, topic, &record) == ST_SKIP) { // it takes less than a moment ago
        struct err err = {0};
        err_set(&err, ST_ABORT, "%zu bytes for topic %s", key.len + value.len, record.topic);
        transaction_break(tx, "state", &err);
        return;
    }
    metrics_add(METRIC_STATE_RECORDS_OUT, 1);
    metrics_add(METRIC_STATE_BYTES_OUT, (int64_t)(key.len + value.len));
}

// A value that is larger than the topic takes goes out in pieces. They are half as large as they
// could be: if the limit has to be learned, it is soon known. Returns how many, 0 if even pieces
// are too large.
static uint32_t put_split(struct part *part, struct str key, struct str value, int64_t room) {
    struct transaction *tx = &part->worker->transaction;
    enum topic topic = topic_of_state(part->ops->input);
    int64_t piece_bytes = room / 2 - (int64_t)key.len - PIECE_KEY_BYTES;
    if (piece_bytes < PIECE_LEAST_BYTES) {
        struct err err = {0};
        const char *name = part->worker->options->topics[topic];
        err_set(&err, ST_FATAL,
                "topic %s takes records of %lld bytes, too few to keep state: raise its "
                "max.message.bytes (kafka-configs.sh --alter --entity-type topics --entity-name %s "
                "--add-config max.message.bytes=%d)",
                name, (long long)room, name, TOPIC_RECORD_BYTES);
        tx->hopeless |= !tx->broken; // what broke it before may pass, and has the words
        transaction_break(tx, "state", &err);
        return 0;
    }
    uint32_t pieces = keep_split(key, value, (size_t)piece_bytes, put_record, part);
    transaction_oversize(tx, topic, (int64_t)(key.len + value.len));
    return pieces;
}

static void put_state(void *ctx, struct str key, struct str value) {
    struct part *part = ctx;
    struct transaction *tx = &part->worker->transaction;
    const char *topic = part->worker->options->topics[topic_of_state(part->ops->input)];
    uint32_t before = keep_table_pieces(part->split, key), pieces = 0;
    int64_t room = kafka_sink_room(tx->sink, topic);
    if ((int64_t)(key.len + value.len) > room && value.p != NULL) {
        pieces = put_split(part, key, value, room);
    } else {
        put_record(part, key, value);
    }
    if (pieces != before) {
        keep_table_note_pieces(part->split, key, pieces);
        keep_split_forget(key, pieces, before, put_record, part);
    }
}

enum status worker_put_state(struct worker *worker, struct sink_position *positions, size_t *count,
                             struct err *err) {
    *count = 0;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        struct part *part = worker->parts[i];
        if (!part->touched) {
            continue;
        }
        require(part->phase == PART_RUNNING && part->state != NULL);
        struct position *position = &part->position;
        if (!position->rooted) {
            position_write(&(struct position){0}, &worker->value);
            put_state(part, STR(ROOT_KEY), buf_str(&worker->value));
            position->rooted = true;
        }
        part->ops->changes(part->state, put_state, part);
        position->time_ms = part->ops->newest_ms(part->state);
        position_write(position, &worker->value);
        put_state(part, STR(POSITION_KEY), buf_str(&worker->value));
        positions[(*count)++] = (struct sink_position){part->topic, part->partition,
                                                       position->offset, position_mark(position)};
    }
    const struct transaction *tx = &worker->transaction;
    return tx->broken ? err_set(err, ST_ABORT, "%s", tx->trouble) : ST_OK;
}
