// replay_send: plays a replay into Kafka: every event a record with the key and the headers that a
// listener sets, at the pace of the replay, until all is acknowledged. Called by the command
// replay. It reads the clock and sleeps; it prints nothing.
#pragma once

#include <stdint.h>

#include "kafka/sink.h"
#include "replay/replay.h"

// Hands one event to the sink as a listener would send it: the application in the key and in the
// headers; without either if it is not known; then `more` headers, at most REPLAY_HEADERS_MAX. As
// kafka_sink_send.
enum { REPLAY_HEADERS_MAX = 4 };
MUST_USE enum status replay_send_event(struct kafka_sink *sink, const char *topic,
                                       const struct replay_event *event,
                                       const struct message_header *more, size_t more_count,
                                       struct err *err);

struct replay_send {
    struct replay *replay;
    const struct kafka_settings *kafka; // role properties: kafka.producer
    const char *topic;
    int64_t timeout_ms;       // how long nothing may be acknowledged while something is due
    int64_t max_record_bytes; // larger events are noted and passed over; 0: the sink's own limit
    const _Atomic int *stop;  // set to nonzero by a signal: end early, but cleanly; may be NULL
    void (*tick)(void *ctx);  // called about ten times a second, to show progress; may be NULL
    void (*note)(void *ctx, const char *words); // told of events passed over; may be NULL
    void *ctx;

    // Results.
    uint64_t acknowledged; // records
    uint64_t bytes;        // of their values
    uint64_t too_large;    // events passed over
    double seconds;        // from the first event to the last acknowledgement
};

// Plays to the end, or until *stop. ST_OK: all that was sent is acknowledged. ST_ABORT with words:
// the broker refused records, did not answer in time, or could not be reached. ST_FATAL: bad
// settings.
MUST_USE enum status replay_send_run(struct replay_send *send, struct err *err);
