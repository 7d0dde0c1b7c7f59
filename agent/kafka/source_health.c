// source_health: why nothing might be coming: unreachable brokers, missing topics, refused access,
// no assignment. A consumer that reads nothing must never look well. The notes are written by the
// polling thread and read by the thread that serves /readyz.
#include "kafka/source_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

enum {
    PROBE_INTERVAL_MS = 1000,
    WATCH_INTERVAL_MS = 10000, // of topics that were found
    PROBE_TIMEOUT_MS = 500,
    SILENCE_MS = 20000 // members of a group hear from their coordinator every 3 s
};

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

void source_note_well(struct kafka_source *src, struct source_topic *topic) {
    if (src->group_noted) {
        src->group_noted = false;
        set_note(src, src->group_note, "");
    }
    if (topic != NULL && topic->noted) {
        topic->noted = false;
        set_note(src, topic->note, "");
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
    client_error_topic(&words, topic->name, code, NULL, "READ");
    set_note(src, topic->note, words.text);
    topic->noted = true;
    if (!found) {
        topic->partition_count = 0;
        set_missing(src);
    }
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
    struct source_topic *topic =
        m->rkt == NULL ? NULL : source_topic_named(src, rd_kafka_topic_name(m->rkt));
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

// The library says nothing of a topic that grows, and not in every version that one is gone.
static void note_count(struct kafka_source *src, struct source_topic *topic, int partitions) {
    int had = topic->partition_count > 0 ? topic->partition_count : topic->first_count;
    topic->partition_count = partitions;
    if (topic->first_count == 0) {
        topic->first_count = partitions;
        return;
    }
    if (partitions > had) {
        log_error("partitions_added", "group=%s topic=%s partitions=%d before=%d error=%s",
                  src->group, topic->name, partitions, had,
                  "messages of one key may come to another partition than the state of those "
                  "before: begin anew with another agent.group and empty state topics");
    }
    int64_t added = 0;
    for (size_t i = 0; i < src->topic_count; i++) {
        int more = src->topics[i].partition_count - src->topics[i].first_count;
        added += more > 0 ? more : 0;
    }
    metrics_set(METRIC_PARTITIONS_ADDED, added);
}

// Asks for one topic. False if no broker answered.
static bool probe_topic(struct kafka_source *src, struct source_topic *topic) {
    int partitions;
    rd_kafka_resp_err_t code;
    if (client_ask_topic(&src->client, topic->name, PROBE_TIMEOUT_MS, &partitions, &code) !=
        ST_OK) {
        return false;
    }
    if (partitions > 0) {
        if (topic->partition_count == 0) { // else a note is about its messages
            topic->noted = false;
            set_note(src, topic->note, "");
        }
        note_count(src, topic, partitions);
    } else {
        note_topic(src, topic, code, false);
    }
    return true;
}

bool source_probe(struct kafka_source *src) {
    int64_t now_ms = clock_mono_ms();
    bool missing = atomic_load(&src->missing) > 0;
    if (now_ms < src->probe_at_ms) {
        return false;
    }
    for (size_t i = 0; i < src->topic_count; i++) {
        if ((src->topics[i].partition_count == 0 || !missing) &&
            !probe_topic(src, &src->topics[i])) {
            break; // no broker: the others would wait as long
        }
    }
    set_missing(src);
    bool found = atomic_load(&src->missing) == 0;
    src->probe_at_ms = clock_mono_ms() + (found ? WATCH_INTERVAL_MS : PROBE_INTERVAL_MS);
    return missing && found;
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
