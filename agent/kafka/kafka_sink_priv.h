// kafka_sink_priv: what the files of the Kafka sink share. One thread owns all of it; only the
// client inside is read from others.
#pragma once

#include "kafka/client_priv.h"
#include "kafka/kafka_sink.h"

#define SINK_MAGIC 0x4b534e4bu // "KSNK"
#define DEFAULT_RECORD_BYTES 1000000
#define DEFAULT_WAIT_MS 1000
// Framing of a batch of one record, generously: batch header, lengths, offsets, times.
#define FRAMING_BYTES 128
// A refused batch of small records says nothing about the size of one of them. Larger ones than a
// batch holds travel alone.
#define BATCH_BYTES 1000000

struct sink_topic {
    struct sink_topic *next;
    char *name;
    int64_t limit_bytes; // what the broker is known to take, INT64_MAX at first
    uint64_t delivered;  // acknowledged and not yet reported to the callback
};

struct kafka_sink {
    uint32_t magic;
    struct client client;
    struct kafka_sink_callbacks callbacks;
    struct kafka_sink_options options;
    rd_kafka_conf_t *conf;     // to make the next producer from
    struct sink_topic *topics; // a few; each lives as long as the sink
    size_t outstanding;        // sent and unanswered
    bool transactional;
    bool initialised;    // the broker knows us; the topics may still be missing
    bool open;           // transactions are possible
    bool positions_sent; // in this transaction
    bool fenced;
    uint64_t refused;            // since the last flush
    rd_kafka_resp_err_t refusal; // the first of them
    char reason[512];            // its words
    int64_t looked_ms;           // monotonic time when the topics were looked at
};

// "topic T cannot be written: ...", with the right that is missing.
void sink_cannot_write(struct err *err, const char *topic, rd_kafka_resp_err_t code,
                       const char *text);
// Counts a refused record and keeps the first reason.
void sink_note_refusal(struct kafka_sink *sink, const char *topic, rd_kafka_resp_err_t code,
                       const char *text);
// Handles what the library has to tell, waiting up to `timeout_ms` for the first.
void sink_serve(struct kafka_sink *sink, int timeout_ms);
// A producer that met a fatal error (the broker lost its sequence, say) takes nothing any more. A
// new one does; what was under way counts as refused, so the batch is sent again. ST_OK if nothing
// was wrong, else ST_ABORT, or ST_FATAL if there is no new producer.
enum status sink_replace_if_fatal(struct kafka_sink *sink, struct err *err);

// A new handle from the configuration.
enum status sink_open_producer(struct kafka_sink *sink, struct err *err);
// Lets the library answer for everything under way, then ends the handle.
void sink_drain_and_close(struct kafka_sink *sink);
// Says why a transaction failed, of which `code` and `text` (may be NULL) are the last that was
// heard, and notes if another producer is to blame. Returns ST_ABORT.
enum status sink_give_up(struct kafka_sink *sink, const char *what, rd_kafka_resp_err_t code,
                         const char *text, struct err *err);
// What a producer of transactions needs beyond the others.
enum status sink_conf_transactional(rd_kafka_conf_t *conf, const char *id, struct err *err);
