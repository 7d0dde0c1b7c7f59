// topics: one admin request at a time, and the making of topics. Called by the commands. Never
// waits longer than it was told to.
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
    *call->wrong += mark == TOPICS_WRONG;
    call->report.line(call->report.ctx, mark, topic, text);
}

static rd_kafka_NewTopic_t *new_topic(const struct topic_spec *spec, struct err *err) {
    char text[256] = "", bytes[32];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->name, spec->partitions, spec->replication, text, sizeof text);
    if (topic == NULL) {
        err_set(err, ST_FATAL, "topic %s: %s", spec->name, text);
        return NULL;
    }
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", spec->compacted ? "compact" : "delete");
    if (spec->max_message_bytes > 0) {
        snprintf(bytes, sizeof bytes, "%lld", (long long)spec->max_message_bytes);
        rd_kafka_NewTopic_set_config(topic, "max.message.bytes", bytes);
    }
    return topic;
}

static void say_result(struct topics_call *call, const rd_kafka_topic_result_t *result) {
    const char *name = rd_kafka_topic_result_name(result);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        topics_call_say(call, TOPICS_FINE, name, "created");
    } else if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        topics_call_say(call, TOPICS_FINE, name, "exists already");
    } else {
        struct err words;
        client_error(&words, "not created", code, rd_kafka_topic_result_error_string(result));
        topics_call_say(call, TOPICS_WRONG, name, "%s", words.text);
    }
}

static enum status create(struct topics_call *call, rd_kafka_NewTopic_t **topics, size_t count,
                          struct err *err) {
    rd_kafka_AdminOptions_t *options = topics_call_options(call, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(call->client.rk, topics, count, options, call->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = topics_call_wait(call, "creating topics", err);
    if (event == NULL) {
        return ST_RETRY;
    }
    enum status st = ST_OK;
    size_t results = 0;
    const rd_kafka_topic_result_t **list =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &results);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        st = client_error(err, "creating topics", rd_kafka_event_error(event),
                          rd_kafka_event_error_string(event));
    }
    for (size_t i = 0; i < results && st == ST_OK; i++) {
        say_result(call, list[i]);
    }
    rd_kafka_event_destroy(event);
    return st;
}

enum status topics_create(const struct kafka_settings *settings, const struct topic_spec *specs,
                          size_t count, int timeout_ms, struct topics_report report, size_t *wrong,
                          struct err *err) {
    struct topics_call call;
    *wrong = 0;
    enum status st = topics_call_init(&call, settings, timeout_ms, err);
    call.report = report;
    call.wrong = wrong;
    rd_kafka_NewTopic_t **topics = mem_zalloc(count, sizeof(rd_kafka_NewTopic_t *));
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        topics[i] = new_topic(&specs[i], err);
        st = topics[i] == NULL ? ST_FATAL : ST_OK;
    }
    if (st == ST_OK) {
        st = create(&call, topics, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (topics[i] != NULL) {
            rd_kafka_NewTopic_destroy(topics[i]);
        }
    }
    mem_free(topics);
    topics_call_fini(&call);
    return st;
}
