// cargo: what goes into Kafka together: records since the last commit, and the producer that
// carries them. Used by the shipper alone. With transactions they count all or not at all; without
// (`plain`), those that were acknowledged count. A failure ends in cargo_drop.
#pragma once

#include "kafka/sink.h"
#include "ship/ship.h"

struct cargo {
    const struct ship_options *options; // borrowed
    const char *id;                     // transactional; borrowed
    struct kafka_sink *sink;            // owned
    bool begun;
    int64_t records, bytes; // since the last commit
    int64_t took_ms;        // the last commit
};

enum status cargo_init(struct cargo *cargo, const struct ship_options *options, const char *id,
                       struct err *err) MUST_USE;
void cargo_fini(struct cargo *cargo);
// Makes sending possible. ST_RETRY: not now. ST_FATAL: never.
enum status cargo_open(struct cargo *cargo, struct err *err) MUST_USE;
// Begins a transaction if none is open. ST_ABORT: drop it.
enum status cargo_begin(struct cargo *cargo, struct err *err) MUST_USE;
// A call of kafka_sink_send had this outcome: true if it should be made again, as the queue was
// full and there is still time. *began_ms is 0 before the first.
bool cargo_again(const struct cargo *cargo, enum status status, int64_t *began_ms);
// Everything sent since the last commit counts. In plain mode: is acknowledged. ST_ABORT: drop it.
enum status cargo_commit(struct cargo *cargo, int64_t patience_ms, struct err *err) MUST_USE;
// What was sent since the last commit does not count. *fenced: another process has our name.
// ST_FATAL: there is no new producer.
enum status cargo_drop(struct cargo *cargo, bool *fenced, struct err *err) MUST_USE;
