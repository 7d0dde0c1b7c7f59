// topics: see the header. One admin request at a time over a handle of its own, never longer than
// it was told to. A state topic gets as many partitions as its input really has: each keeps the
// state of the one with its number. Verifying changes nothing and needs no right beyond DESCRIBE;
// where settings may not be read it says so.
#include "kafka/topics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kafka/client_priv.h"

enum {
    MADE_PAUSE_MS = 100,
    SEGMENT_LARGE_BYTES = 256 << 20,
    LIMIT_DEFAULT_BYTES = 1048588 // Kafka's own: no topic of ours is made with less
};

// The handle, the time that is left and where findings go.
struct topics_call {
    struct client client;
    rd_kafka_queue_t *queue;
    int64_t deadline_ms;
    struct topics_report report;
    size_t *wrong;
};

// Opens a handle for admin requests. call_end must follow in every case.
static enum status call_begin(struct topics_call *call, const struct kafka_settings *settings,
                              int timeout_ms, struct err *err) {
    memset(call, 0, sizeof *call);
    client_init(&call->client, call);
    call->deadline_ms = clock_mono_ms() + timeout_ms;
    // Nothing is written, so no producer id is asked for: that would need a right of its own.
    static const char *const pairs[][2] = {{"enable.idempotence", "false"}};
    rd_kafka_conf_t *conf = NULL;
    enum status st =
        client_conf_with(settings, KAFKA_PRODUCER, pairs, ARRAY_LEN(pairs), &conf, err);
    if (st == ST_OK) {
        st = client_open(&call->client, KAFKA_PRODUCER, conf, err);
    }
    if (st == ST_OK) {
        call->queue = rd_kafka_queue_new(call->client.rk);
    }
    return st;
}

static void call_end(struct topics_call *call) {
    if (call->queue != NULL) {
        rd_kafka_queue_destroy(call->queue);
    }
    client_fini(&call->client);
}

// Options for one request, with what is left of the time. The caller destroys them.
static rd_kafka_AdminOptions_t *call_options(struct topics_call *call, rd_kafka_admin_op_t op) {
    char text[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(call->client.rk, op);
    int left_ms = client_left_ms(call->deadline_ms);
    rd_kafka_AdminOptions_set_request_timeout(options, left_ms, text, sizeof text);
    if (op == RD_KAFKA_ADMIN_OP_CREATETOPICS) {
        // How long the broker may take before it answers.
        rd_kafka_AdminOptions_set_operation_timeout(options, left_ms, text, sizeof text);
    }
    return options;
}

// ST_RETRY with words: no broker answered.
static enum status unanswered(struct topics_call *call, const char *what, rd_kafka_resp_err_t code,
                              struct err *err) {
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

// Waits for the answer; the caller destroys it. NULL with *err set (ST_RETRY) if there is none.
static rd_kafka_event_t *wait_for(struct topics_call *call, const char *what, struct err *err) {
    // The request has its own timeout; the extra second lets it answer so.
    rd_kafka_event_t *event =
        rd_kafka_queue_poll(call->queue, client_left_ms(call->deadline_ms) + 1000);
    rd_kafka_resp_err_t code =
        event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT) {
        unanswered(call, what, code, err);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
        return NULL;
    }
    return event;
}

// Hands one line to the caller and counts it if it is wrong.
PRINTF_LIKE(4, 5)
static void say(struct topics_call *call, enum topics_mark mark, const char *topic, const char *fmt,
                ...) {
    char text[700];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    *call->wrong += mark >= TOPICS_WRONG;
    call->report.line(call->report.ctx, mark, topic, text);
}

// The number of partitions a topic really has; *code says why there is none (-1). ST_RETRY: no
// answer.
static enum status ask_partitions(struct topics_call *call, const char *topic, int *count,
                                  rd_kafka_resp_err_t *code, struct err *err) {
    return client_ask_topic(&call->client, topic, client_left_ms(call->deadline_ms), count, code) ==
                   ST_OK
               ? ST_OK
               : unanswered(call, "looking at topics", *code, err);
}

enum status topics_partitions(const struct kafka_settings *settings, const char *topic,
                              int timeout_ms, int *count, struct err *err) {
    struct topics_call call;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    enum status st = call_begin(&call, settings, timeout_ms, err);
    if (st == ST_OK) {
        st = ask_partitions(&call, topic, count, &code, err);
    }
    if (st == ST_OK && *count < 0) {
        struct err words;
        client_error(&words, "cannot be used", code, NULL);
        st = err_set(err, ST_RETRY, "topic %s %s", topic, words.text);
    }
    call_end(&call);
    return st;
}

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
        bool more = spec->max_message_bytes > LIMIT_DEFAULT_BYTES;
        snprintf(bytes, sizeof bytes, "%lld",
                 more ? (long long)spec->max_message_bytes : (long long)LIMIT_DEFAULT_BYTES);
        rd_kafka_NewTopic_set_config(topic, "max.message.bytes", bytes);
    }
    return topic;
}

static void say_result(struct topics_call *call, const rd_kafka_topic_result_t *result) {
    const char *name = rd_kafka_topic_result_name(result);
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        say(call, TOPICS_FINE, name, "created");
    } else if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        say(call, TOPICS_FINE, name, "exists already");
    } else {
        struct err words;
        client_error(&words, "not created", code, rd_kafka_topic_result_error_string(result));
        say(call, TOPICS_WRONG, name, "%s", words.text);
    }
}

static enum status create(struct topics_call *call, rd_kafka_NewTopic_t **topics, size_t count,
                          struct err *err) {
    rd_kafka_AdminOptions_t *options = call_options(call, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_CreateTopics(call->client.rk, topics, count, options, call->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = wait_for(call, "creating topics", err);
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
    while ((st = ask_partitions(call, topic, count, &code, err)) == ST_OK && *count < 0 &&
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
    enum status st = call_begin(&call, settings, timeout_ms, err);
    call.report = report;
    call.wrong = wrong;
    if (st == ST_OK) {
        st = create_some(&call, specs, count, false, err);
    }
    if (st == ST_OK) {
        st = create_some(&call, specs, count, true, err);
    }
    call_end(&call);
    return st;
}

// What is looked at, beside the specs: which topics are there and which already have a finding.
struct verify {
    struct topics_call call;
    const struct topic_spec *specs;
    size_t count;
    bool *present;
    size_t *findings; // lines about this topic so far
};

static void say_missing(struct verify *v, size_t i, rd_kafka_resp_err_t code) {
    struct err words;
    client_error(&words, "cannot be used", code, NULL);
    v->findings[i]++;
    bool spare = v->specs[i].spare;
    say(&v->call, spare ? TOPICS_NOTE : TOPICS_MISSING, v->specs[i].name, "%s%s", words.text,
        spare ? "; nothing that is set up needs it" : "");
}

// The partitions of its input, where there is one: state belongs to a partition's number.
static enum status compare_partitions(struct verify *v, size_t i, int count, struct err *err) {
    const struct topic_spec *spec = &v->specs[i];
    rd_kafka_resp_err_t code;
    int wanted = spec->partitions;
    if (spec->partitions_of != NULL) {
        enum status st = ask_partitions(&v->call, spec->partitions_of, &wanted, &code, err);
        if (st != ST_OK) {
            return st;
        }
    }
    if (wanted <= 0 || wanted == count) {
        return ST_OK;
    }
    v->findings[i]++;
    if (spec->partitions_of == NULL) {
        say(&v->call, TOPICS_NOTE, spec->name, "has %d partitions, %d are configured", count,
            wanted);
    } else if (count < wanted) {
        say(&v->call, TOPICS_WRONG, spec->name,
            "has %d partitions, %s has %d: each keeps the state of the one with its "
            "number. If agents never ran on it, add partitions (kafka-topics.sh --alter "
            "--topic %s --partitions %d); if they did, the input was widened under "
            "them: begin anew with another agent.group and empty state topics",
            count, spec->partitions_of, wanted, spec->name, wanted);
    } else {
        say(&v->call, TOPICS_WRONG, spec->name,
            "has %d partitions, %s has only %d: was that one made anew? With another "
            "number of partitions, begin anew: delete this topic, make it with stoker "
            "topics --create, and use another agent.group",
            count, spec->partitions_of, wanted);
    }
    return ST_OK;
}

// Finds out whether topic `i` is there.
static enum status look(struct verify *v, size_t i, struct err *err) {
    rd_kafka_resp_err_t code;
    int count;
    enum status st = ask_partitions(&v->call, v->specs[i].name, &count, &code, err);
    if (st != ST_OK) {
        return st;
    }
    if (count < 0) {
        say_missing(v, i, code);
        return ST_OK;
    }
    v->present[i] = true;
    return compare_partitions(v, i, count, err);
}

static const char *entry_value(const rd_kafka_ConfigResource_t *resource, const char *name) {
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0) {
            const char *value = rd_kafka_ConfigEntry_value(entries[i]);
            return value == NULL ? "" : value;
        }
    }
    return "";
}

static void compare_segment(struct verify *v, size_t i, const char *segment_bytes) {
    if (v->specs[i].compacted && strtoll(segment_bytes, NULL, 10) > SEGMENT_LARGE_BYTES) {
        v->findings[i]++;
        say(&v->call, TOPICS_NOTE, v->specs[i].name,
            "segment.bytes is %lld: the newest segment is never compacted, and all of "
            "it is read after a restart; 67108864 is better",
            strtoll(segment_bytes, NULL, 10));
    }
}

static void compare_limit(struct verify *v, size_t i, const char *max_message_bytes) {
    const struct topic_spec *spec = &v->specs[i];
    long long takes = strtoll(max_message_bytes, NULL, 10);
    int64_t wanted = spec->least_message_bytes > spec->max_message_bytes ? spec->least_message_bytes
                                                                         : spec->max_message_bytes;
    if (max_message_bytes[0] == '\0' || takes >= wanted) {
        return;
    }
    bool wrong = takes < spec->least_message_bytes;
    v->findings[i]++;
    say(&v->call, wrong ? TOPICS_WRONG : TOPICS_NOTE, spec->name,
        "max.message.bytes is %lld: records of up to %lld bytes may come (kafka-configs.sh --alter "
        "--entity-type topics --entity-name %s --add-config max.message.bytes=%lld)",
        takes, (long long)wanted, spec->name, (long long)wanted);
}

static void compare(struct verify *v, size_t i, const rd_kafka_ConfigResource_t *resource) {
    const struct topic_spec *spec = &v->specs[i];
    char policy[64], bytes[32];
    client_printable(policy, sizeof policy, entry_value(resource, "cleanup.policy"));
    client_printable(bytes, sizeof bytes, entry_value(resource, "max.message.bytes"));
    const char *must = spec->compacted ? "compact" : "delete";
    if (policy[0] != '\0' && strcmp(policy, must) != 0) {
        v->findings[i]++;
        say(&v->call, TOPICS_WRONG, spec->name,
            "cleanup.policy is %s, it must be %s: %s (kafka-configs.sh --alter "
            "--entity-type topics --entity-name %s --add-config cleanup.policy=%s)",
            policy, must,
            spec->compacted ? "old state would be lost"
                            : "all but the last record of a key would be lost",
            spec->name, must);
    }
    compare_segment(v, i, entry_value(resource, "segment.bytes"));
    compare_limit(v, i, bytes);
}

static void compare_result(struct verify *v, const rd_kafka_ConfigResource_t *resource) {
    const char *name = rd_kafka_ConfigResource_name(resource);
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->specs[i].name, name) != 0) {
            continue;
        }
        rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            compare(v, i, resource);
        } else {
            v->findings[i]++;
            say(&v->call, TOPICS_NOTE, name,
                "its settings were not checked: %s (needs the right DESCRIBE_CONFIGS)",
                rd_kafka_err2name(code));
        }
    }
}

static void say_unchecked(struct verify *v, rd_kafka_resp_err_t code) {
    for (size_t i = 0; i < v->count; i++) {
        if (v->present[i]) {
            v->findings[i]++;
            say(&v->call, TOPICS_NOTE, v->specs[i].name, "its settings were not checked: %s",
                rd_kafka_err2name(code));
        }
    }
}

static enum status describe(struct verify *v, rd_kafka_ConfigResource_t **resources, size_t count,
                            struct err *err) {
    rd_kafka_AdminOptions_t *options = call_options(&v->call, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(v->call.client.rk, resources, count, options, v->call.queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = wait_for(&v->call, "reading the settings of topics", err);
    if (event == NULL) {
        return ST_RETRY;
    }
    size_t results = 0;
    const rd_kafka_ConfigResource_t **list = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &results);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        say_unchecked(v, rd_kafka_event_error(event));
        results = 0;
    }
    for (size_t i = 0; i < results; i++) {
        compare_result(v, list[i]);
    }
    rd_kafka_event_destroy(event);
    return ST_OK;
}

// Two specs may name one topic; a request may not.
static bool is_first(const struct verify *v, size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (strcmp(v->specs[j].name, v->specs[i].name) == 0) {
            return false;
        }
    }
    return true;
}

static enum status describe_present(struct verify *v, struct err *err) {
    rd_kafka_ConfigResource_t **resources =
        mem_zalloc(v->count, sizeof(rd_kafka_ConfigResource_t *));
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (v->present[i] && is_first(v, i)) {
            resources[count++] =
                rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, v->specs[i].name);
        }
    }
    enum status st = count == 0 ? ST_OK : describe(v, resources, count, err);
    rd_kafka_ConfigResource_destroy_array(resources, count);
    mem_free(resources);
    return st;
}

enum status topics_verify(const struct kafka_settings *settings, const struct topic_spec *specs,
                          size_t count, int timeout_ms, struct topics_report report, size_t *wrong,
                          struct err *err) {
    struct verify v = {.specs = specs, .count = count};
    v.present = mem_zalloc(count, sizeof *v.present);
    v.findings = mem_zalloc(count, sizeof *v.findings);
    *wrong = 0;
    enum status st = call_begin(&v.call, settings, timeout_ms, err);
    v.call.report = report;
    v.call.wrong = wrong;
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        st = look(&v, i, err);
    }
    if (st == ST_OK) {
        st = describe_present(&v, err);
    }
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        if (v.present[i] && v.findings[i] == 0) {
            say(&v.call, TOPICS_FINE, specs[i].name, "fits");
        }
    }
    call_end(&v.call);
    mem_free(v.present);
    mem_free(v.findings);
    return st;
}
