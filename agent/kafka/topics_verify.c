// topics_verify: compares the topics of a cluster with what the agent needs. Called by the
// commands. It changes nothing and needs no right beyond DESCRIBE; where settings may not be read
// it says so.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kafka/topics_priv.h"

enum { SEGMENT_LARGE_BYTES = 256 << 20 };

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
    topics_call_say(&v->call, TOPICS_MISSING, v->specs[i].name, "%s", words.text);
}

// The partitions of its input, where there is one: state belongs to a partition's number.
static enum status compare_partitions(struct verify *v, size_t i, int count, struct err *err) {
    const struct topic_spec *spec = &v->specs[i];
    rd_kafka_resp_err_t code;
    int wanted = spec->partitions;
    if (spec->partitions_of != NULL) {
        enum status st = topics_call_partitions(&v->call, spec->partitions_of, &wanted, &code, err);
        if (st != ST_OK) {
            return st;
        }
    }
    if (wanted <= 0 || wanted == count) {
        return ST_OK;
    }
    v->findings[i]++;
    if (spec->partitions_of == NULL) {
        topics_call_say(&v->call, TOPICS_NOTE, spec->name, "has %d partitions, %d are configured",
                        count, wanted);
    } else if (count < wanted) {
        topics_call_say(
            &v->call, TOPICS_WRONG, spec->name,
            "has %d partitions, %s has %d: each keeps the state of the one with its "
            "number. If agents never ran on it, add partitions (kafka-topics.sh --alter "
            "--topic %s --partitions %d); if they did, the input was widened under "
            "them: begin anew with another agent.group and empty state topics",
            count, spec->partitions_of, wanted, spec->name, wanted);
    } else {
        topics_call_say(&v->call, TOPICS_WRONG, spec->name,
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
    enum status st = topics_call_partitions(&v->call, v->specs[i].name, &count, &code, err);
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
        topics_call_say(&v->call, TOPICS_NOTE, v->specs[i].name,
                        "segment.bytes is %lld: the newest segment is never compacted, and all of "
                        "it is read after a restart; 67108864 is better",
                        strtoll(segment_bytes, NULL, 10));
    }
}

static void compare(struct verify *v, size_t i, const rd_kafka_ConfigResource_t *resource) {
    const struct topic_spec *spec = &v->specs[i];
    char policy[64], bytes[32];
    client_printable(policy, sizeof policy, entry_value(resource, "cleanup.policy"));
    client_printable(bytes, sizeof bytes, entry_value(resource, "max.message.bytes"));
    const char *must = spec->compacted ? "compact" : "delete";
    if (policy[0] != '\0' && strcmp(policy, must) != 0) {
        v->findings[i]++;
        topics_call_say(&v->call, TOPICS_WRONG, spec->name,
                        "cleanup.policy is %s, it must be %s: %s (kafka-configs.sh --alter "
                        "--entity-type topics --entity-name %s --add-config cleanup.policy=%s)",
                        policy, must,
                        spec->compacted ? "old state would be lost"
                                        : "all but the last record of a key would be lost",
                        spec->name, must);
    }
    compare_segment(v, i, entry_value(resource, "segment.bytes"));
    if (bytes[0] != '\0' && spec->max_message_bytes > 0 &&
        strtoll(bytes, NULL, 10) < spec->max_message_bytes) {
        v->findings[i]++;
        topics_call_say(&v->call, TOPICS_NOTE, spec->name,
                        "max.message.bytes is %s: of the records of up to %lld bytes that may "
                        "come, larger ones are refused",
                        bytes, (long long)spec->max_message_bytes);
    }
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
            topics_call_say(&v->call, TOPICS_NOTE, name,
                            "its settings were not checked: %s (needs the right DESCRIBE_CONFIGS)",
                            rd_kafka_err2name(code));
        }
    }
}

static void say_unchecked(struct verify *v, rd_kafka_resp_err_t code) {
    for (size_t i = 0; i < v->count; i++) {
        if (v->present[i]) {
            v->findings[i]++;
            topics_call_say(&v->call, TOPICS_NOTE, v->specs[i].name,
                            "its settings were not checked: %s", rd_kafka_err2name(code));
        }
    }
}

static enum status describe(struct verify *v, rd_kafka_ConfigResource_t **resources, size_t count,
                            struct err *err) {
    rd_kafka_AdminOptions_t *options =
        topics_call_options(&v->call, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(v->call.client.rk, resources, count, options, v->call.queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = topics_call_wait(&v->call, "reading the settings of topics", err);
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
    enum status st = topics_call_init(&v.call, settings, timeout_ms, err);
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
            topics_call_say(&v.call, TOPICS_FINE, specs[i].name, "fits");
        }
    }
    topics_call_fini(&v.call);
    mem_free(v.present);
    mem_free(v.findings);
    return st;
}
