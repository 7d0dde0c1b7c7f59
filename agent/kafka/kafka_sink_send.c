// kafka_sink_send: takes one record into the producer's queue. Called by the commands. What a
// broker would refuse for its size is refused here, before it spoils a batch; a full queue is
// waited for.
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kafka/kafka_sink_priv.h"

static struct sink_topic *find_topic(struct kafka_sink *sink, const char *name) {
    for (struct sink_topic *topic = sink->topics; topic != NULL; topic = topic->next) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    struct sink_topic *topic = mem_zalloc(1, sizeof *topic);
    topic->name = mem_strdup(name);
    topic->limit_bytes = INT64_MAX;
    topic->next = sink->topics;
    sink->topics = topic;
    return topic;
}

static enum status check_size(const struct kafka_sink *sink, const struct sink_topic *topic,
                              const struct sink_record *record, struct err *err) {
    int64_t payload = (int64_t)(record->key.len + record->value.len);
    int64_t bytes = payload + FRAMING_BYTES;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += (int64_t)(strlen(record->headers[i].name) + record->headers[i].value.len) + 10;
    }
    if (bytes > sink->options.max_record_bytes) {
        return err_set(err, ST_SKIP,
                       "a record of %lld bytes for topic %s is over the limit of %lld",
                       (long long)bytes, topic->name, (long long)sink->options.max_record_bytes);
    }
    if (payload >= topic->limit_bytes) {
        return err_set(err, ST_SKIP, "a record of %lld bytes for topic %s: the broker refused %lld",
                       (long long)payload, topic->name, (long long)topic->limit_bytes);
    }
    return ST_OK;
}

static rd_kafka_resp_err_t produce(struct kafka_sink *sink, struct sink_topic *topic,
                                   const struct sink_record *record) {
    rd_kafka_headers_t *headers = NULL;
    if (record->header_count > 0) {
        headers = rd_kafka_headers_new(record->header_count);
        for (size_t i = 0; i < record->header_count; i++) {
            const struct message_header *h = &record->headers[i];
            rd_kafka_header_add(headers, h->name, -1, h->value.p, (ssize_t)h->value.len);
        }
    }
    // The library takes the headers if it takes the record.
    int32_t partition = record->to_partition ? record->partition : RD_KAFKA_PARTITION_UA;
    rd_kafka_resp_err_t code =
        rd_kafka_producev(sink->client.rk, RD_KAFKA_V_TOPIC(topic->name),
                          RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY((void *)record->key.p, record->key.len),
                          RD_KAFKA_V_VALUE((void *)record->value.p, record->value.len),
                          RD_KAFKA_V_TIMESTAMP(record->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
                          RD_KAFKA_V_OPAQUE(topic), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return code;
}

enum status kafka_sink_send(struct kafka_sink *sink, const struct sink_record *record,
                            struct err *err) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    enum status st = sink_replace_if_fatal(sink, err);
    if (st != ST_OK) {
        return st;
    }
    struct sink_topic *topic = find_topic(sink, record->topic);
    st = check_size(sink, topic, record, err);
    if (st != ST_OK) {
        return st;
    }
    int64_t deadline_ms = clock_mono_ms() + sink->options.queue_wait_ms;
    rd_kafka_resp_err_t code;
    while ((code = produce(sink, topic, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           clock_mono_ms() < deadline_ms) {
        sink_serve(sink, 10);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sink->outstanding++;
        sink_serve(sink, 0);
        return ST_OK;
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return err_set(err, ST_RETRY, "%zu records wait for the broker already", sink->outstanding);
    }
    st = sink_replace_if_fatal(sink, err);
    if (st != ST_OK) {
        return st;
    }
    sink_note_refusal(sink, topic->name, code, NULL);
    return sink->transactional ? sink_give_up(sink, "sending a record", code, NULL, err)
                               : err_set(err, ST_ABORT, "%s", sink->reason);
}
