// client_conf: turns settings into a librdkafka configuration. Called by the doors when they open
// and by `check`. Must never put the value of a secret property into a text.
#include "kafka/client_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define VERSION_2_2_0 0x020200ff
#define VERSION_2_5_0 0x020500ff

enum { COMMON = 1 << KAFKA_CONSUMER | 1 << KAFKA_PRODUCER };

// What we set before the user's properties, which win.
static const struct {
    const char *key, *value;
    int roles;
    int since; // the first version that knows it, 0 for all
} defaults[] = {
    {"log.connection.close", "false", COMMON, 0},
    {"reconnect.backoff.ms", "50", COMMON, 0},
    {"reconnect.backoff.max.ms", "1000", COMMON, 0},
    {"socket.keepalive.enable", "true", COMMON, 0},
    {"socket.nagle.disable", "true", COMMON, 0},
    // A frozen broker is noticed by request timeouts only.
    {"socket.timeout.ms", "20000", COMMON, 0},
    // A topic that is made later is found after this time.
    {"topic.metadata.refresh.interval.ms", "10000", COMMON, 0},
    {"client.software.name", "stoker", COMMON, 0},
    {"client.software.version", STOKER_VERSION, COMMON, 0},
    {"enable.metrics.push", "false", COMMON, VERSION_2_5_0},
    {"session.timeout.ms", "45000", 1 << KAFKA_CONSUMER, 0},
    {"partition.assignment.strategy", "range", 1 << KAFKA_CONSUMER, 0},
    {"check.crcs", "true", 1 << KAFKA_CONSUMER, 0},
    {"fetch.wait.max.ms", "100", 1 << KAFKA_CONSUMER, 0},
    // The queue is bounded by its bytes, not by a count.
    {"queued.min.messages", "1000000", 1 << KAFKA_CONSUMER, 0},
    {"fetch.queue.backoff.ms", "10", 1 << KAFKA_CONSUMER, VERSION_2_2_0},
    // Before, a full queue is not filled again for a second: it must hold what is worked off in
    // one.
    {"queued.max.messages.kbytes", "262144", 1 << KAFKA_CONSUMER, 0},
    {"queued.max.messages.kbytes", "65536", 1 << KAFKA_CONSUMER, VERSION_2_2_0},
    {"compression.codec", "lz4", 1 << KAFKA_PRODUCER, 0},
    {"linger.ms", "5", 1 << KAFKA_PRODUCER, 0},
    // A transaction that follows soon after another is told to wait; ask again at once.
    {"retry.backoff.ms", "20", 1 << KAFKA_PRODUCER, 0},
    // Longer than a cluster takes to replace a broker, shorter than anyone wants to wait for the
    // transaction of an agent that never comes back.
    {"transaction.timeout.ms", "45000", 1 << KAFKA_PRODUCER, 0},
    // The partitioner of the Java clients, so a key is in one partition whoever wrote it.
    {"partitioner", "murmur2_random", 1 << KAFKA_PRODUCER, 0},
};

// What correctness needs: the user may not set it. `value` NULL: set elsewhere, or not at all.
static const struct {
    const char *key, *value, *reason;
    int roles;
} reserved[] = {
    {"bootstrap.servers", NULL, "set kafka.brokers instead", 0},
    {"metadata.broker.list", NULL, "set kafka.brokers instead", 0},
    {"group.id", NULL, "set agent.group instead", 0},
    {"log.queue", NULL, "the agent writes the client's log itself", 0},
    {"transactional.id", NULL, "it is made of agent.group, agent.instance and the worker", 0},
    {"group.instance.id", NULL, "set agent.instance and agent.membership instead", 0},
    {"allow.auto.create.topics", "false", "topics are made by `stoker topics --create` only",
     COMMON},
    {"enable.auto.commit", "false",
     "a position is committed only after what follows from it was acknowledged",
     1 << KAFKA_CONSUMER},
    {"auto.commit.enable", NULL,
     "a position is committed only after what follows from it was acknowledged", 0},
    {"enable.auto.offset.store", "false",
     "a position is committed only after what follows from it was acknowledged",
     1 << KAFKA_CONSUMER},
    {"isolation.level", "read_committed", "what was not committed never happened",
     1 << KAFKA_CONSUMER},
    {"auto.offset.reset", "earliest",
     "a new group begins at the oldest event, any other where its state says", 1 << KAFKA_CONSUMER},
    {"enable.partition.eof", "true", "the agent must know when it has caught up",
     1 << KAFKA_CONSUMER},
    {"enable.idempotence", "true", "records must be neither doubled nor reordered by a retry",
     1 << KAFKA_PRODUCER},
    {"acks", "all", "a record counts when all replicas in sync have it", 1 << KAFKA_PRODUCER},
    {"request.required.acks", NULL, "a record counts when all replicas in sync have it", 0},
    {"message.timeout.ms", "0", "records wait for the broker however long it is away",
     1 << KAFKA_PRODUCER},
    {"delivery.timeout.ms", NULL, "records wait for the broker however long it is away", 0},
    {"retries", NULL, "records wait for the broker however long it is away", 0},
    {"message.send.max.retries", NULL, "records wait for the broker however long it is away", 0},
};

enum status client_conf_set(rd_kafka_conf_t *conf, const char *key, const char *value,
                            struct err *err) {
    char text[256];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) == RD_KAFKA_CONF_OK) {
        return ST_OK;
    }
    return err_set(err, ST_FATAL, "librdkafka %s does not take %s: %s", rd_kafka_version_str(), key,
                   secret_setting(str_of(key)) ? "invalid value" : text);
}

static const char *reserved_reason(const char *key) {
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcmp(reserved[i].key, key) == 0) {
            return reserved[i].reason;
        }
    }
    return NULL;
}

static enum status set_property(rd_kafka_conf_t *conf, const char *section,
                                const struct kafka_property *property, struct err *err) {
    char key[128], text[256], shown[512];
    client_printable(key, sizeof key, property->key);
    const char *reason = reserved_reason(property->key);
    if (reason != NULL) {
        return err_set(err, ST_FATAL, "%s.%s: cannot be set: %s", section, key, reason);
    }
    switch (rd_kafka_conf_set(conf, property->key, property->value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return ST_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return err_set(err, ST_FATAL, "%s.%s: No such configuration property (librdkafka %s)",
                       section, key, rd_kafka_version_str());
    default:
        client_printable(shown, sizeof shown,
                         secret_setting(str_of(property->key)) ? "invalid value" : text);
        return err_set(err, ST_FATAL, "%s.%s: %s", section, key, shown);
    }
}

static enum status set_section(rd_kafka_conf_t *conf, const char *section,
                               const struct kafka_property *properties, size_t count,
                               struct err *err) {
    for (size_t i = 0; i < count; i++) {
        enum status st = set_property(conf, section, &properties[i], err);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

static enum status set_defaults(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                                enum kafka_role role, struct err *err) {
    enum status st = client_conf_set(
        conf, "client.id", settings->client_id == NULL ? "stoker" : settings->client_id, err);
    for (size_t i = 0; i < ARRAY_LEN(defaults) && st == ST_OK; i++) {
        if ((defaults[i].roles & 1 << role) != 0 && rd_kafka_version() >= defaults[i].since) {
            st = client_conf_set(conf, defaults[i].key, defaults[i].value, err);
        }
    }
    return st;
}

static enum status set_reserved(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                                enum kafka_role role, struct err *err) {
    enum status st = client_conf_set(conf, "bootstrap.servers", settings->brokers, err);
    for (size_t i = 0; i < ARRAY_LEN(reserved) && st == ST_OK; i++) {
        if ((reserved[i].roles & 1 << role) != 0) {
            st = client_conf_set(conf, reserved[i].key, reserved[i].value, err);
        }
    }
    return st;
}

enum status client_conf_new(const struct kafka_settings *settings, enum kafka_role role,
                            rd_kafka_conf_t **out, struct err *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum status st = set_defaults(conf, settings, role, err);
    if (st == ST_OK) {
        st = set_section(conf, "kafka.common", settings->common, settings->common_count, err);
    }
    if (st == ST_OK) {
        st = set_section(conf, role == KAFKA_CONSUMER ? "kafka.consumer" : "kafka.producer",
                         settings->role, settings->role_count, err);
    }
    if (st == ST_OK) {
        st = set_reserved(conf, settings, role, err);
    }
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    *out = conf;
    return ST_OK;
}

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

enum status client_conf_transactional(rd_kafka_conf_t *conf, const char *id, struct err *err) {
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
