// topics_create: makes the topics that are missing. Called by the commands. A state topic gets as
// many partitions as its input really has: each keeps the state of the one with its number.
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kafka/topics_priv.h"

enum { MADE_PAUSE_MS = 100 };

// A changelog is read from its beginning: small segments and an eager cleaner keep it short. A
// tombstone stays a day, longer than any reader takes.
static const char *const compacted_config[][2] = {
    {"cleanup.policy", "compact"},        {"segment.bytes", "67108864"},
    {"min.cleanable.dirty.ratio", "0.2"}, {"max.compaction.lag.ms", "600000"},
    {"delete.retention.ms", "86400000"},
};

static rd_kafka_NewTopic_t *new_topic(const struct topic_spec *spec, int partitions,
                                      struct err *err) {
    char text[256] = "", bytes[32];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->name, partitions, spec->replication, text, sizeof text);
    if (topic == NULL) {
        err_set(err, ST_FATAL, "topic %s: %s", spec->name, text);
        return NULL;
    }
    // A leader that lost records would forget what was committed.
    rd_kafka_NewTopic_set_config(topic, "unclean.leader.election.enable", "false");
    if (spec->compacted) {
        for (size_t i = 0; i < ARRAY_LEN(compacted_config); i++) {
            rd_kafka_NewTopic_set_config(topic, compacted_config[i][0], compacted_config[i][1]);
        }
    } else {
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    }
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

// The partitions a topic that has just been made, or was there, really has.
static enum status real_partitions(struct topics_call *call, const char *topic, int *count,
                                   struct err *err) {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    enum status st;
    while ((st = topics_call_partitions(call, topic, count, &code, err)) == ST_OK && *count < 0 &&
           clock_mono_ms() < call->deadline_ms) {
        clock_sleep_ms(MADE_PAUSE_MS); // the brokers tell each other
    }
    if (st == ST_OK && *count < 0) {
        st = client_error(err, topic, code, NULL);
    }
    return st;
}

// Makes the topics that have, or have not, a rule for their partitions.
static enum status create_some(struct topics_call *call, const struct topic_spec *specs,
                               size_t count, bool with_rule, struct err *err) {
    rd_kafka_NewTopic_t **topics = mem_zalloc(count, sizeof(rd_kafka_NewTopic_t *));
    size_t made = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        int partitions = specs[i].partitions;
        if ((specs[i].partitions_of != NULL) != with_rule) {
            continue;
        }
        if (with_rule) {
            st = real_partitions(call, specs[i].partitions_of, &partitions, err);
        }
        if (st == ST_OK) {
            topics[made] = new_topic(&specs[i], partitions, err);
            st = topics[made] == NULL ? ST_FATAL : ST_OK;
            made += st == ST_OK;
        }
    }
    if (st == ST_OK && made > 0) {
        st = create(call, topics, made, err);
    }
    for (size_t i = 0; i < count && st == ST_OK && *call->wrong == 0; i++) {
        int partitions; // until they can be used by whoever comes next
        if ((specs[i].partitions_of != NULL) == with_rule) {
            st = real_partitions(call, specs[i].name, &partitions, err);
        }
    }
    rd_kafka_NewTopic_destroy_array(topics, made);
    mem_free(topics);
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
    if (st == ST_OK) {
        st = create_some(&call, specs, count, false, err);
    }
    if (st == ST_OK) {
        st = create_some(&call, specs, count, true, err);
    }
    topics_call_fini(&call);
    return st;
}
