// topics_priv: what making and checking topics share: one admin request and its answer.
#pragma once

#include "kafka/client_priv.h"
#include "kafka/topics.h"

struct topics_call {
    struct client client;
    rd_kafka_queue_t *queue;
    int64_t deadline_ms;
    struct topics_report report;
    size_t *wrong;
};

// Opens a handle for admin requests. topics_call_fini must follow in every case.
enum status topics_call_init(struct topics_call *call, const struct kafka_settings *settings,
                             int timeout_ms, struct err *err) MUST_USE;
void topics_call_fini(struct topics_call *call);
// Options for one request, with what is left of the time. The caller destroys them.
rd_kafka_AdminOptions_t *topics_call_options(struct topics_call *call, rd_kafka_admin_op_t op);
// Waits for the answer; the caller destroys it. NULL with *err set (ST_RETRY) if there is none.
rd_kafka_event_t *topics_call_wait(struct topics_call *call, const char *what, struct err *err);
// The number of partitions a topic really has; *code says why there is none (-1). ST_RETRY: no
// answer.
enum status topics_call_partitions(struct topics_call *call, const char *topic, int *count,
                                   rd_kafka_resp_err_t *code, struct err *err) MUST_USE;
int topics_call_left_ms(const struct topics_call *call);
// ST_RETRY with words: no broker answered.
enum status topics_call_unanswered(struct topics_call *call, const char *what,
                                   rd_kafka_resp_err_t code, struct err *err);
// Hands one line to the caller and counts it if it is wrong.
void topics_call_say(struct topics_call *call, enum topics_mark mark, const char *topic,
                     const char *fmt, ...) PRINTF_LIKE(4, 5);
