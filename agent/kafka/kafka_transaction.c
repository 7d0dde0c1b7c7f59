// kafka_transaction: the transactions of the sink. Called by the live agent's worker. It never
// mends a transaction that failed: the producer is given up and a new one begins after what Kafka
// says was committed, so that no request of the old one can reach into a later transaction.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/metrics.h"
#include "kafka/kafka_sink_priv.h"

// Kept with every position: tells a group that has state in Kafka from one that has none.
#define POSITION_MARK "stoker 1 %lld"
// A coordinator on the move is asked again after half a second; if by then the time of the call is
// over, the library gives the whole transaction up.
#define POSITIONS_MS 5000

enum { LOOK_EVERY_MS = 1000 };

static int64_t conf_number(const rd_kafka_conf_t *conf, const char *key) {
    char text[64] = "";
    size_t size = sizeof text;
    return rd_kafka_conf_get(conf, key, text, &size) == RD_KAFKA_CONF_OK ? strtoll(text, NULL, 10)
                                                                         : 0;
}

static enum status set_number(rd_kafka_conf_t *conf, const char *key, int64_t value,
                              struct err *err) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return client_conf_set(conf, key, text, err);
}

enum status sink_conf_transactional(rd_kafka_conf_t *conf, const char *id, struct err *err) {
    int64_t transaction_ms = conf_number(conf, "transaction.timeout.ms");
    enum status st = client_conf_set(conf, "transactional.id", id, err);
    // The library wants both to be within the transaction's.
    if (st == ST_OK) {
        st = set_number(conf, "message.timeout.ms", transaction_ms, err);
    }
    if (st == ST_OK && conf_number(conf, "socket.timeout.ms") > transaction_ms - 100) {
        st = set_number(conf, "socket.timeout.ms", transaction_ms - 100, err);
    }
    return st;
}

static bool is_fence(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

// Records that were purged with their transaction, and calls that came too late for it.
static bool is_echo(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
           code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

enum status sink_give_up(struct kafka_sink *sink, const char *what, rd_kafka_resp_err_t code,
                         const char *text, struct err *err) {
    bool told = sink->refused > 0 && !is_echo(sink->refusal); // a record knows it, and its topic
    char denied[CLIENT_TOPIC_SIZE];
    bool right = client_denied(&sink->client, denied);
    rd_kafka_error_t *cause = NULL;
    // To begin another transaction in the midst of one is refused; the refusal has the cause.
    if (!told && !right && is_echo(code) &&
        (cause = rd_kafka_begin_transaction(sink->client.rk)) != NULL) {
        code = rd_kafka_error_code(cause);
        text = rd_kafka_error_string(cause);
    }
    sink->fenced |= is_fence(code) || (told && is_fence(sink->refusal));
    if (right) {
        sink_cannot_write(err, denied, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL);
    } else if (told) {
        err_set(err, ST_ABORT, "%llu records were refused, the first: %s",
                (unsigned long long)sink->refused, sink->reason);
    } else {
        client_error(err, what, code, text);
    }
    if (cause != NULL) {
        rd_kafka_error_destroy(cause);
    }
    return err->status = ST_ABORT;
}

// Words and class of a failed call; takes the error.
static enum status failed(struct kafka_sink *sink, const char *what, rd_kafka_error_t *error,
                          struct err *err) {
    char text[256], trouble[CLIENT_TROUBLE_SIZE];
    client_printable(text, sizeof text, rd_kafka_error_string(error));
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool retriable = rd_kafka_error_is_retriable(error);
    rd_kafka_error_destroy(error);
    if (!retriable) {
        return sink_give_up(sink, what, code, text, err);
    }
    client_trouble(&sink->client, trouble);
    return err_set(err, ST_RETRY, "%s: %s", what, trouble[0] != '\0' ? trouble : text);
}

// What the brokers say of one topic: RD_KAFKA_RESP_ERR_NO_ERROR too if they say nothing.
static rd_kafka_resp_err_t ask_leaders(struct kafka_sink *sink, const char *name, int timeout_ms) {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(sink->client.rk, name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    if (topic != NULL && rd_kafka_metadata(sink->client.rk, 0, topic, &metadata, timeout_ms) == 0) {
        code = metadata->topic_cnt == 1 ? metadata->topics[0].err : code;
        rd_kafka_metadata_destroy(metadata);
    }
    if (topic != NULL) {
        rd_kafka_topic_destroy(topic);
    }
    return code;
}

// The first record of a topic would otherwise wait up to a second for its leaders. And a topic that
// is missing or denied is better known before anything is done for it.
static enum status look_at_topics(struct kafka_sink *sink, const char *const *topics,
                                  int timeout_ms, struct err *err) {
    int64_t now_ms = clock_mono_ms(), deadline_ms = now_ms + timeout_ms;
    if (sink->looked_ms != 0 && now_ms - sink->looked_ms < LOOK_EVERY_MS) {
        return err_set(err, ST_RETRY, "%s", sink->reason);
    }
    sink->looked_ms = now_ms;
    for (; *topics != NULL && now_ms < deadline_ms; topics++, now_ms = clock_mono_ms()) {
        rd_kafka_resp_err_t code = ask_leaders(sink, *topics, (int)(deadline_ms - now_ms));
        if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
            code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            sink_cannot_write(err, *topics, code, NULL);
            str_copy(sink->reason, sizeof sink->reason, str_of(err->text));
            return err->status = ST_RETRY;
        }
    }
    return ST_OK;
}

// Ends what a predecessor left open. ST_FATAL if the user may not use this id.
static enum status initialise(struct kafka_sink *sink, int timeout_ms, struct err *err) {
    rd_kafka_error_t *error = rd_kafka_init_transactions(sink->client.rk, timeout_ms);
    if (error == NULL) {
        sink->initialised = true;
        sink->looked_ms = 0;
        return ST_OK;
    }
    bool denied =
        rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    sink_serve(sink, 0); // why nobody answers is told by a poll only
    if (failed(sink, "opening transactions", error, err) != ST_RETRY) {
        kafka_sink_abandon(sink);
    }
    if (!denied) {
        return err->status = ST_RETRY;
    }
    char id[256] = "";
    size_t size = sizeof id;
    (void)rd_kafka_conf_get(sink->conf, "transactional.id", id, &size);
    return err_set(err, ST_FATAL,
                   "the user may not use the transactional id %s: give it the ACL WRITE on "
                   "transactional ids that begin with the agent's group",
                   id);
}

enum status kafka_sink_open(struct kafka_sink *sink, const char *const *topics, int timeout_ms,
                            struct err *err) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    require(sink->transactional);
    if (sink->open) {
        return ST_OK;
    }
    if (sink->client.rk == NULL && sink_open_producer(sink, err) != ST_OK) {
        return ST_FATAL;
    }
    enum status st = sink->initialised ? ST_OK : initialise(sink, timeout_ms, err);
    if (st == ST_OK) {
        st = look_at_topics(sink, topics, timeout_ms, err);
    }
    if (st != ST_OK) {
        return st;
    }
    atomic_store(&sink->client.doubtful, false);
    sink->open = true;
    sink->fenced = false;
    return ST_OK;
}

bool kafka_sink_is_open(const struct kafka_sink *sink) {
    return sink->open;
}

bool kafka_sink_was_fenced(const struct kafka_sink *sink) {
    return sink->fenced;
}

enum status kafka_sink_begin(struct kafka_sink *sink, struct err *err) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    require(sink->open);
    sink->positions_sent = false;
    sink->refused = 0;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->client.rk);
    if (error != NULL) {
        failed(sink, "beginning a transaction", error, err);
        return err->status = ST_ABORT;
    }
    return ST_OK;
}

static enum status send_positions(struct kafka_sink *sink, struct client *group,
                                  const struct sink_position *positions, size_t count,
                                  int timeout_ms, struct err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition);
        p->offset = positions[i].offset;
        char mark[64];
        p->metadata_size =
            (size_t)snprintf(mark, sizeof mark, POSITION_MARK, (long long)positions[i].mark);
        p->metadata = strdup(mark); // the library frees it
    }
    // Asked for now: a member that was thrown out of the group since must be refused.
    rd_kafka_consumer_group_metadata_t *member = rd_kafka_consumer_group_metadata(group->rk);
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(sink->client.rk, list, member, timeout_ms);
    rd_kafka_consumer_group_metadata_destroy(member);
    rd_kafka_topic_partition_list_destroy(list);
    return error == NULL ? ST_OK : failed(sink, "sending positions", error, err);
}

// Every record acknowledged, so that a refused one is known with its reason.
static enum status settle_records(struct kafka_sink *sink, int timeout_ms, struct err *err) {
    rd_kafka_flush(sink->client.rk, timeout_ms);
    if (sink->refused > 0) {
        return sink_give_up(sink, "sending records", sink->refusal, NULL, err);
    }
    return sink->outstanding == 0
               ? ST_OK
               : err_set(err, ST_RETRY, "%zu records are not acknowledged yet", sink->outstanding);
}

enum status kafka_sink_commit(struct kafka_sink *sink, struct client *group,
                              const struct sink_position *positions, size_t count, int timeout_ms,
                              struct err *err) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    enum status st = sink_replace_if_fatal(sink, err);
    if (st == ST_OK && !sink->positions_sent && count > 0) {
        st = send_positions(sink, group, positions, count,
                            timeout_ms > POSITIONS_MS ? timeout_ms : POSITIONS_MS, err);
        sink->positions_sent = st == ST_OK;
    }
    if (st == ST_OK) {
        CRASH_POINT("commit.offsets");
        st = settle_records(sink, timeout_ms, err);
    }
    if (st != ST_OK) {
        return st;
    }
    CRASH_POINT("commit.flushed");
    CRASH_POINT_SOON("commit.during");
    rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->client.rk, timeout_ms);
    if (error != NULL) {
        return failed(sink, "committing the transaction", error, err);
    }
    if (atomic_load(&sink->client.doubtful)) {
        log_info("kafka_producer_replaced", "reason=%s", "a connection broke inside a transaction");
        metrics_add(METRIC_PRODUCERS_REPLACED, 1);
        kafka_sink_abandon(sink);
    }
    return ST_OK;
}

void kafka_sink_abandon(struct kafka_sink *sink) {
    MAGIC_CHECK(sink, SINK_MAGIC);
    sink_drain_and_close(sink);
    sink->open = sink->initialised = false;
    sink->refused = 0;
}
