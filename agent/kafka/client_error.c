// client_error: the one place that says what an error code of librdkafka or a broker means for the
// caller, and in which words. Called by every Kafka door. Text of the library goes through
// client_printable, since a broker may have put anything into it.
#include "kafka/client_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/scrub.h"

#define VERSION_2_6_1 0x020601ff

enum status client_status(rd_kafka_resp_err_t code) {
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return ST_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return ST_SKIP;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
        return ST_FATAL;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return ST_ABORT;
    default:
        // Transport, coordinators on the move, missing topics, logins: all may pass, and an agent
        // that waits and says so is better than one that is gone.
        return ST_RETRY;
    }
}

const char *client_hint(rd_kafka_resp_err_t code, bool scram) {
    switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return scram && rd_kafka_version() < VERSION_2_6_1
                   ? "wrong user or password, or a broker of Kafka 4: librdkafka before 2.6.1 "
                     "cannot log in there by SCRAM; use a newer librdkafka, TLS certificates or "
                     "SASL/PLAIN over TLS"
                   : "check user, password and sasl.mechanism";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return "the user needs an ACL: READ on topics that are read, WRITE on topics that are "
               "written, CREATE to make them";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return "the user needs an ACL: READ on the consumer group";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return "the user needs an ACL on the cluster: CREATE to make topics, IDEMPOTENT_WRITE to "
               "write with brokers before 2.8";
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        return "another process has the same group.instance.id";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        return "make it with `stoker topics --create`";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return "raise max.message.bytes of the topic, or lower kafka.producer.batch.size if the "
               "records are small";
    default:
        return "";
    }
}

void client_printable(char *out, size_t cap, const char *text) {
    struct buf shown = {0};
    char room[SCRUB_COPY_MAX];
    buf_add_printable(&shown, scrub_cut(str_of(text), sizeof room - 1, room));
    str_copy(out, cap, buf_str(&shown));
    buf_fini(&shown);
}

static enum status say(struct err *err, const char *what, rd_kafka_resp_err_t code,
                       const char *text, const char *hint) {
    char shown[256];
    client_printable(shown, sizeof shown,
                     text != NULL && text[0] != '\0' ? text : rd_kafka_err2str(code));
    return err_set(err, client_status(code), "%s: %s (%s)%s%s", what, shown,
                   rd_kafka_err2name(code), hint[0] == '\0' ? "" : ": ", hint);
}

enum kafka_denial kafka_denial_of(const char *words) {
    static const struct {
        rd_kafka_resp_err_t code;
        enum kafka_denial denial;
    } rows[] = {
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, KAFKA_DENIED_TOPIC},
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, KAFKA_DENIED_GROUP},
        {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, KAFKA_DENIED_ID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strstr(words, rd_kafka_err2name(rows[i].code)) != NULL) { // as say() has put it there
            return rows[i].denial;
        }
    }
    return KAFKA_DENIED_NOTHING;
}

enum status client_error(struct err *err, const char *what, rd_kafka_resp_err_t code,
                         const char *text) {
    return say(err, what, code, text, client_hint(code, false));
}

enum status client_error_right(struct err *err, const char *what, rd_kafka_resp_err_t code,
                               const char *text, const char *right) {
    char hint[64];
    if (code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED &&
        code != RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        return client_error(err, what, code, text);
    }
    snprintf(hint, sizeof hint, "the user needs the ACL %s on it", right);
    return say(err, what, code, text, hint);
}

enum status client_error_topic(struct err *err, const char *topic, rd_kafka_resp_err_t code,
                               const char *text, const char *right) {
    char what[160];
    snprintf(what, sizeof what, "topic %.100s cannot be %s", topic,
             strcmp(right, "READ") == 0 ? "read" : "written");
    return client_error_right(err, what, code, text, right);
}
