// kafka_source_health: why nothing might be coming: unreachable brokers, missing topics, refused
// access, no assignment. A consumer that reads nothing must never look well. The notes are written
// by the polling thread and read by the thread that serves /readyz.
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "kafka/kafka_source_priv.h"

#define PROBE_INTERVAL_MS 1000
#define PROBE_TIMEOUT_MS 500
// Members of a group hear from their coordinator every 3 s.
#define SILENCE_MS 20000

// Says so in the log whenever the words change.
static void set_note(struct kafka_source *src, char note[SOURCE_NOTE_SIZE], const char *text) {
    char shown[SOURCE_NOTE_SIZE];
    client_printable(shown, sizeof shown, text);
    pthread_mutex_lock(&src->health_lock);
    bool changed = strcmp(note, shown) != 0;
    memcpy(note, shown, sizeof shown);
    pthread_mutex_unlock(&src->health_lock);
    if (changed && shown[0] != '\0') {
        log_warn("kafka_waiting", "group=%s reason=%s", src->group, shown);
    }
}

void source_note_well(struct kafka_source *src, const char *topic) {
    if (src->group_noted) {
        src->group_noted = false;
        set_note(src, src->group_note, "");
    }
    // Names are compared by address: both come from the same table.
    for (size_t i = 0; i < src->topic_count && topic != NULL; i++) {
        if (src->topics[i].name == topic && src->topics[i].noted) {
            src->topics[i].noted = false;
            set_note(src, src->topics[i].note, "");
        }
    }
}

static void set_missing(struct kafka_source *src) {
    size_t missing = 0;
    for (size_t i = 0; i < src->topic_count; i++) {
        missing += src->topics[i].partition_count == 0;
    }
    atomic_store(&src->missing, missing);
}

// `found`: the topic is there, only its messages do not come; else it is looked for again.
static void note_topic(struct kafka_source *src, struct source_topic *topic,
                       rd_kafka_resp_err_t code, bool found) {
    struct err words;
    char what[160];
    snprintf(what, sizeof what, "topic %.100s cannot be read", topic->name);
    client_error_right(&words, what, code, NULL, "READ");
    set_note(src, topic->note, words.text);
    topic->noted = true;
    if (!found) {
        topic->partition_count = 0;
        set_missing(src);
    }
}

static struct source_topic *topic_of(struct kafka_source *src, const rd_kafka_message_t *m) {
    const char *name = m->rkt == NULL ? "" : rd_kafka_topic_name(m->rkt);
    for (size_t i = 0; i < src->topic_count; i++) {
        if (strcmp(src->topics[i].name, name) == 0) {
            return &src->topics[i];
        }
    }
    return NULL;
}

enum status source_note_error(struct kafka_source *src, const rd_kafka_message_t *m,
                              struct err *err) {
    metrics_add(METRIC_KAFKA_ERRORS, 1);
    char text[256] = "";
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(src->client.rk, text, sizeof text);
    if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
        struct err words;
        client_error(&words, "the Kafka consumer is finished", fatal, text);
        set_note(src, src->fatal, words.text);
        return err_set(err, ST_FATAL, "%s", words.text);
    }
    struct source_topic *topic = topic_of(src, m);
    switch (m->err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        if (topic != NULL) {
            note_topic(src, topic, m->err,
                       m->partition >= 0 && m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
        }
        break;
    default: {
        struct err words;
        char what[160] = "the Kafka consumer waits";
        if (m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
            snprintf(what, sizeof what, "consumer group %.120s", src->group);
        }
        client_error_right(&words, what, m->err, rd_kafka_message_errstr(m), "READ");
        src->group_noted = true;
        set_note(src, src->group_note, words.text);
        break;
    }
    }
    return ST_RETRY;
}

// Asks for one topic. False if no broker answered.
static bool probe_topic(struct kafka_source *src, struct source_topic *topic) {
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(src->client.rk, topic->name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rkt == NULL ? rd_kafka_last_error()
                    : rd_kafka_metadata(src->client.rk, 0, rkt, &metadata, PROBE_TIMEOUT_MS);
    bool answered =
        code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata != NULL && metadata->topic_cnt == 1;
    if (answered) {
        const rd_kafka_metadata_topic_t *found = &metadata->topics[0];
        if (found->err == RD_KAFKA_RESP_ERR_NO_ERROR && found->partition_cnt > 0) {
            topic->partition_count = found->partition_cnt;
            topic->noted = false;
            set_note(src, topic->note, "");
        } else {
            note_topic(src, topic, found->err, false);
        }
    }
    if (metadata != NULL) {
        rd_kafka_metadata_destroy(metadata);
    }
    if (rkt != NULL) {
        rd_kafka_topic_destroy(rkt);
    }
    return answered;
}

// Without a group every partition of every topic is ours.
static void assign_all(struct kafka_source *src) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (size_t i = 0; i < src->topic_count; i++) {
        for (int32_t p = 0; p < src->topics[i].partition_count; p++) {
            rd_kafka_topic_partition_list_add(list, src->topics[i].name, p)->offset =
                RD_KAFKA_OFFSET_STORED;
        }
    }
    source_on_rebalance(src->client.rk, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, list, &src->client);
    rd_kafka_topic_partition_list_destroy(list);
}

void source_probe(struct kafka_source *src) {
    int64_t now_ms = clock_mono_ms();
    if (now_ms < src->probe_at_ms) {
        return;
    }
    for (size_t i = 0; i < src->topic_count; i++) {
        if (src->topics[i].partition_count == 0 && !probe_topic(src, &src->topics[i])) {
            break; // no broker: the others would wait as long
        }
    }
    set_missing(src);
    src->probe_at_ms = clock_mono_ms() + PROBE_INTERVAL_MS;
    if (src->alone && !atomic_load(&src->assigned) && atomic_load(&src->missing) == 0) {
        assign_all(src);
    }
}

bool kafka_source_health(struct kafka_source *src, struct buf *reason) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    char fatal[SOURCE_NOTE_SIZE], note[SOURCE_NOTE_SIZE] = "", group[SOURCE_NOTE_SIZE];
    pthread_mutex_lock(&src->health_lock);
    memcpy(fatal, src->fatal, sizeof fatal);
    memcpy(group, src->group_note, sizeof group);
    for (size_t i = 0; i < src->topic_count && note[0] == '\0'; i++) {
        memcpy(note, src->topics[i].note, sizeof note);
    }
    pthread_mutex_unlock(&src->health_lock);
    if (fatal[0] != '\0') {
        buf_add_text(reason, fatal);
        return false;
    }
    if (!client_connected(&src->client, src->alone ? 0 : SILENCE_MS, reason)) {
        return false;
    }
    bool assigned = atomic_load(&src->assigned);
    if (note[0] != '\0') {
        buf_add_text(reason, note);
    } else if (group[0] != '\0') {
        buf_add_text(reason, group);
    } else if (atomic_load(&src->missing) > 0) {
        buf_add_text(reason, "looking for the input topics");
    } else if (!assigned) {
        buf_printf(reason, "waiting for partitions from consumer group %s", src->group);
    } else {
        return true;
    }
    return false;
}
