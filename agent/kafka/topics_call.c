// topics_call: one admin request at a time, for the files that make and check topics. Never waits
// longer than it was told to.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kafka/topics_priv.h"

enum status topics_call_init(struct topics_call *call, const struct kafka_settings *settings,
                             int timeout_ms, struct err *err) {
    memset(call, 0, sizeof *call);
    client_init(&call->client, call);
    call->deadline_ms = clock_mono_ms() + timeout_ms;
    rd_kafka_conf_t *conf = NULL;
    enum status st = client_conf_new(settings, KAFKA_PRODUCER, &conf, err);
    if (st != ST_OK) {
        return st;
    }
    // Nothing is written, so no producer id is asked for: that would need a right of its own.
    st = client_conf_set(conf, "enable.idempotence", "false", err);
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    st = client_open(&call->client, KAFKA_PRODUCER, conf, err);
    if (st == ST_OK) {
        call->queue = rd_kafka_queue_new(call->client.rk);
    }
    return st;
}

void topics_call_fini(struct topics_call *call) {
    if (call->queue != NULL) {
        rd_kafka_queue_destroy(call->queue);
    }
    client_fini(&call->client);
}

int topics_call_left_ms(const struct topics_call *call) {
    int64_t left_ms = call->deadline_ms - clock_mono_ms();
    return left_ms > 100 ? (int)left_ms : 100;
}

rd_kafka_AdminOptions_t *topics_call_options(struct topics_call *call, rd_kafka_admin_op_t op) {
    char text[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(call->client.rk, op);
    int left_ms = topics_call_left_ms(call);
    rd_kafka_AdminOptions_set_request_timeout(options, left_ms, text, sizeof text);
    if (op == RD_KAFKA_ADMIN_OP_CREATETOPICS) {
        // How long the broker may take before it answers.
        rd_kafka_AdminOptions_set_operation_timeout(options, left_ms, text, sizeof text);
    }
    return options;
}

enum status topics_call_unanswered(struct topics_call *call, const char *what,
                                   rd_kafka_resp_err_t code, struct err *err) {
    rd_kafka_poll(call->client.rk, 0); // errors that wait to be told
    struct buf reason = {0};
    if (client_connected(&call->client, 0, &reason)) {
        char trouble[CLIENT_TROUBLE_SIZE];
        client_trouble(&call->client, trouble);
        buf_add_text(&reason, trouble[0] == '\0' ? rd_kafka_err2str(code) : trouble);
    }
    err_set(err, ST_RETRY, "%s: %s", what, buf_text(&reason));
    buf_fini(&reason);
    return ST_RETRY;
}

rd_kafka_event_t *topics_call_wait(struct topics_call *call, const char *what, struct err *err) {
    // The request has its own timeout; the extra second lets it answer so.
    rd_kafka_event_t *event = rd_kafka_queue_poll(call->queue, topics_call_left_ms(call) + 1000);
    rd_kafka_resp_err_t code =
        event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT) {
        topics_call_unanswered(call, what, code, err);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
        return NULL;
    }
    return event;
}

void topics_call_say(struct topics_call *call, enum topics_mark mark, const char *topic,
                     const char *fmt, ...) {
    char text[700];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    *call->wrong += mark >= TOPICS_WRONG;
    call->report.line(call->report.ctx, mark, topic, text);
}

enum status topics_call_partitions(struct topics_call *call, const char *topic, int *count,
                                   rd_kafka_resp_err_t *code, struct err *err) {
    *count = -1;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(call->client.rk, topic, NULL);
    if (rkt == NULL) {
        return client_error(err, topic, rd_kafka_last_error(), NULL);
    }
    const struct rd_kafka_metadata *metadata = NULL;
    *code = rd_kafka_metadata(call->client.rk, 0, rkt, &metadata, topics_call_left_ms(call));
    rd_kafka_topic_destroy(rkt);
    if (*code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return topics_call_unanswered(call, "looking at topics", *code, err);
    }
    const rd_kafka_metadata_topic_t *found = metadata->topic_cnt == 1 ? metadata->topics : NULL;
    *code = found == NULL ? RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC : found->err;
    if (*code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *count = found->partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return ST_OK;
}

enum status topics_partitions(const struct kafka_settings *settings, const char *topic,
                              int timeout_ms, int *count, struct err *err) {
    struct topics_call call;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    enum status st = topics_call_init(&call, settings, timeout_ms, err);
    if (st == ST_OK) {
        st = topics_call_partitions(&call, topic, count, &code, err);
    }
    if (st == ST_OK && *count < 0) {
        struct err words;
        client_error(&words, "cannot be used", code, NULL);
        st = err_set(err, ST_RETRY, "topic %s %s", topic, words.text);
    }
    topics_call_fini(&call);
    return st;
}
