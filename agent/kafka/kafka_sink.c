// kafka_sink: an idempotent producer with a memory of what is under way. Called by the commands. A
// record that was taken is either acknowledged or reported as refused by a flush, never forgotten;
// when the library gives a producer up, everything under way is reported as refused.
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kafka/kafka_sink_priv.h"

#define DRAIN_MS 5000
#define REGISTER_MS 50

void sink_cannot_write(struct err *err, const char *topic, rd_kafka_resp_err_t code,
                       const char *text) {
    char what[160];
    snprintf(what, sizeof what, "topic %.120s cannot be written", topic);
    client_error_right(err, what, code, text, "WRITE");
}

void sink_note_refusal(struct kafka_sink *sink, const char *topic, rd_kafka_resp_err_t code,
                       const char *text) {
    metrics_add(METRIC_PUBLISH_ERRORS, 1);
    if (sink->refused++ == 0) {
        struct err words;
        sink->refusal = code;
        char denied[CLIENT_TOPIC_SIZE];
        if (client_denied(&sink->client, denied)) { // the others fell with that one
            sink_cannot_write(&words, denied, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL);
        } else {
            sink_cannot_write(&words, topic, code, text);
        }
        str_copy(sink->reason, sizeof sink->reason, str_of(words.text));
    }
}

// Delivery report, from within a poll or flush of ours.
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
    (void)rk;
    struct client *c = opaque;
    MAGIC_CHECK(c, CLIENT_MAGIC);
    struct kafka_sink *sink = c->owner;
    struct sink_topic *topic = m->_private;
    require(sink->outstanding > 0);
    sink->outstanding--;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        topic->delivered++;
        return;
    }
    int64_t bytes = (int64_t)(m->len + m->key_len);
    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && bytes > BATCH_BYTES) {
        topic->limit_bytes = bytes; // of a record with its headers this is a little less: larger
    }                               // or equal ones are skipped from here on
    // Not rd_kafka_message_errstr: of a producer's message that is the payload.
    sink_note_refusal(sink, topic->name, m->err, NULL);
}

static void report_delivered(struct kafka_sink *sink) {
    for (struct sink_topic *topic = sink->topics; topic != NULL; topic = topic->next) {
        if (topic->delivered > 0) {
            uint64_t count = topic->delivered;
            topic->delivered = 0;
            if (sink->callbacks.delivered != NULL) {
                sink->callbacks.delivered(sink->callbacks.ctx, topic->name, count);
            }
        }
    }
}

void sink_serve(struct kafka_sink *sink, int timeout_ms) {
    if (sink->client.rk != NULL) {
        rd_kafka_poll(sink->client.rk, timeout_ms);
        report_delivered(sink);
    }
}

enum status sink_open_producer(struct kafka_sink *sink, struct err *err) {
    return client_open(&sink->client, KAFKA_PRODUCER, rd_kafka_conf_dup(sink->conf), err);
}

enum status kafka_sink_new(const struct kafka_settings *settings,
                           const struct kafka_sink_options *options,
                           struct kafka_sink_callbacks callbacks, struct kafka_sink **out,
                           struct err *err) {
    struct kafka_sink *sink = mem_zalloc(1, sizeof *sink);
    sink->magic = SINK_MAGIC;
    client_init(&sink->client, sink);
    sink->callbacks = callbacks;
    sink->options = *options;
    if (sink->options.max_record_bytes <= 0) {
        sink->options.max_record_bytes = DEFAULT_RECORD_BYTES;
    }
    if (sink->options.queue_wait_ms <= 0) {
        sink->options.queue_wait_ms = DEFAULT_WAIT_MS;
    }
    enum status st = client_conf_new(settings, KAFKA_PRODUCER, &sink->conf, err);
    if (st == ST_OK) {
        char bytes[32];
        snprintf(bytes, sizeof bytes, "%lld", (long long)sink->options.max_record_bytes);
        st = client_conf_set(sink->conf, "message.max.bytes", bytes, err);
    }
    if (st == ST_OK && options->transactional_id != NULL) {
        sink->transactional = true;
        st = sink_conf_transactional(sink->conf, options->transactional_id, err);
    }
    if (st == ST_OK) {
        rd_kafka_conf_set_dr_msg_cb(sink->conf, on_delivery);
        st = sink_open_producer(sink, err);
    }
    if (st != ST_OK) {
        kafka_sink_free(sink);
        return st;
    }
    *out = sink;
    return ST_OK;
}

// Lets the library answer for everything under way, then ends the producer.
void sink_drain_and_close(struct kafka_sink *sink) {
    if (sink->client.rk == NULL) {
        return;
    }
    rd_kafka_purge(sink->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    int64_t now_ms = clock_mono_ms(), deadline_ms = now_ms + DRAIN_MS;
    // A thread of the library tells the coordinator of the first record of a partition, at once. If
    // the handle ends in that instant, an assertion of the library ends the process (2.0.2 and
    // later ones).
    int64_t quiet_ms = now_ms + (sink->open ? REGISTER_MS : 0);
    while ((sink->outstanding > 0 && now_ms < deadline_ms) || now_ms < quiet_ms) {
        rd_kafka_poll(sink->client.rk, 20);
        now_ms = clock_mono_ms();
    }
    client_close(&sink->client, 0);
    sink->outstanding = 0; // the rest died with the handle
}

void kafka_sink_free(struct kafka_sink *sink) {
    if (sink == NULL) {
        return;
    }
    MAGIC_CHECK(sink, SINK_MAGIC);
    sink_drain_and_close(sink);
    client_fini(&sink->client);
    if (sink->conf != NULL) {
        rd_kafka_conf_destroy(sink->conf);
    }
    while (sink->topics != NULL) {
        struct sink_topic *topic = sink->topics;
        sink->topics = topic->next;
        mem_free(topic->name);
        mem_free(topic);
    }
    sink->magic = 0;
    mem_free(sink);
}

enum status sink_replace_if_fatal(struct kafka_sink *sink, struct err *err) {
    char text[256] = "";
    rd_kafka_resp_err_t code = sink->client.rk == NULL
                                   ? RD_KAFKA_RESP_ERR__FATAL
                                   : rd_kafka_fatal_error(sink->client.rk, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return ST_OK;
    }
    if (sink->transactional) { // the transaction is lost with it: the caller begins anew
        metrics_add(METRIC_PUBLISH_ERRORS, 1);
        return sink_give_up(sink, "the Kafka producer is finished", code, text, err);
    }
    sink_note_refusal(sink, "(any)", code, text);
    log_warn("kafka_producer_replaced", "reason=%s outstanding=%zu", sink->reason,
             sink->outstanding);
    sink_drain_and_close(sink);
    report_delivered(sink);
    enum status st = sink_open_producer(sink, err);
    if (st != ST_OK) {
        return st;
    }
    return err_set(err, ST_ABORT, "the Kafka producer was replaced: %s", sink->reason);
}

void kafka_sink_poll(struct kafka_sink *sink) {
    sink_serve(sink, 0);
}

enum status kafka_sink_flush(struct kafka_sink *sink, int timeout_ms, struct err *err) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    enum status st = sink_replace_if_fatal(sink, err);
    if (st == ST_OK) {
        rd_kafka_flush(sink->client.rk, timeout_ms);
        report_delivered(sink);
        st = sink_replace_if_fatal(sink, err);
    }
    if (st == ST_FATAL) {
        return st;
    }
    if (sink->outstanding > 0) {
        char trouble[CLIENT_TROUBLE_SIZE];
        client_trouble(&sink->client, trouble);
        return err_set(err, ST_RETRY, "%zu records are not acknowledged yet%s%s", sink->outstanding,
                       trouble[0] == '\0' ? "" : ": ", trouble);
    }
    uint64_t refused = sink->refused;
    sink->refused = 0;
    return refused == 0 ? ST_OK
                        : err_set(err, ST_ABORT, "%llu records were refused, the first: %s",
                                  (unsigned long long)refused, sink->reason);
}

size_t kafka_sink_outstanding(const struct kafka_sink *sink) {
    return sink->outstanding;
}

bool kafka_sink_health(struct kafka_sink *sink, struct buf *reason) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    return client_connected(&sink->client, 0, reason);
}
