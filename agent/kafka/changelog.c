// changelog: see the header. Two consumers: one reads what is committed, the other only asks where
// a partition ends, uncommitted records included: a commit marker may be on its way, and stopping
// at the last stable offset would miss what it makes valid. Must never join the group.
#include "kafka/changelog.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client_priv.h"

#define MAGIC 0x434c4f47u // "CLOG"

enum { LEADERS_TIMEOUT_MS = 2000, DESTROY_MS = 3000 };

struct changelog {
    uint32_t magic;
    const struct kafka_settings *settings;
    char *group;
    struct client committed, ends; // `ends` is opened by who asks for them
    struct client_headers headers; // of the record in hand
    bool denied;
};

enum status changelog_new(const struct kafka_settings *settings, const char *group,
                          struct changelog **out, struct err *err) {
    struct changelog *changelog = mem_zalloc(1, sizeof *changelog);
    changelog->magic = MAGIC;
    changelog->settings = settings;
    changelog->group = mem_strdup(group);
    client_init(&changelog->committed, changelog);
    client_init(&changelog->ends, changelog);
    enum status st =
        client_open_reader(&changelog->committed, settings, group, "read_committed", err);
    if (st != ST_OK) {
        changelog_free(changelog);
        return st;
    }
    *out = changelog;
    return ST_OK;
}

void changelog_free(struct changelog *changelog) {
    if (changelog == NULL) {
        return;
    }
    MAGIC_CHECK(changelog, MAGIC);
    client_close(&changelog->ends, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (!client_close_within(&changelog->committed, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE,
                             DESTROY_MS)) {
        log_warn("kafka_consumer_stuck", "reason=%s",
                 "the client library does not end a reader of state: left behind");
        return;
    }
    client_fini(&changelog->committed);
    client_fini(&changelog->ends);
    changelog->magic = 0;
    mem_free(changelog->headers.list);
    mem_free(changelog->group);
    mem_free(changelog);
}

bool changelog_denied(const struct changelog *changelog) {
    return changelog->denied;
}

static void note_denied(struct changelog *changelog, rd_kafka_resp_err_t code) {
    changelog->denied |= code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

// Everything but a good answer is asked again: words are what the caller needs.
static enum status unanswered(struct client *client, const char *what, const char *topic,
                              int32_t partition, rd_kafka_resp_err_t code, struct err *err) {
    struct err words;
    char trouble[CLIENT_TROUBLE_SIZE];
    client_trouble(client, trouble);
    client_error_right(&words, what, code, NULL, "READ");
    return err_set(err, ST_RETRY, "%s partition %d: %s%s%s", topic, (int)partition, words.text,
                   trouble[0] == '\0' ? "" : ": ", trouble);
}

// The number behind the last blank.
static int64_t mark_of(struct str metadata) {
    const char *blank = memrchr(metadata.p, ' ', metadata.len);
    size_t skip = blank == NULL ? metadata.len : (size_t)(blank + 1 - metadata.p);
    int64_t mark;
    return str_to_i64((struct str){metadata.p + skip, metadata.len - skip}, &mark) && mark >= 0
               ? mark
               : -1;
}

enum status changelog_committed(struct changelog *changelog, const char *topic, int32_t partition,
                                int timeout_ms, struct changelog_position *out, struct err *err) {
    MAGIC_CHECK(changelog, MAGIC);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(changelog->committed.rk, list, timeout_ms);
    code = code == RD_KAFKA_RESP_ERR_NO_ERROR ? p->err : code;
    out->offset = p->offset >= 0 ? p->offset : -1;
    out->marked = p->offset >= 0 && p->metadata_size > 0;
    out->former = client_former_mark(p);
    out->mark = out->marked ? mark_of((struct str){p->metadata, p->metadata_size}) : -1;
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ST_OK
               : unanswered(&changelog->committed, "asking for the committed position", topic,
                            partition, code, err);
}

// The number of the topic's partitions, -1 if it is not known.
static int ask_leaders(struct client *client, const char *topic) {
    int partitions;
    rd_kafka_resp_err_t code;
    (void)!client_ask_topic(client, topic, LEADERS_TIMEOUT_MS, &partitions, &code);
    return partitions;
}

enum status changelog_bounds(struct changelog *changelog, const char *topic, int32_t partition,
                             int timeout_ms, int64_t *first, int64_t *end, struct err *err) {
    MAGIC_CHECK(changelog, MAGIC);
    if (changelog->ends.rk == NULL) {
        enum status st = client_open_reader(&changelog->ends, changelog->settings, changelog->group,
                                            "read_uncommitted", err);
        if (st != ST_OK) {
            return st;
        }
    }
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(changelog->ends.rk, topic,
                                                                partition, first, end, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return ST_OK;
    }
    int partitions = ask_leaders(&changelog->ends, topic);
    if (partitions > 0 && partition >= partitions) {
        return err_set(err, ST_RETRY,
                       "topic %s has no partition %d, only %d in all: were partitions added to the "
                       "input while agents ran? What is in the new ones waits. Begin anew with "
                       "another agent.group and empty state topics, or give this topic as many "
                       "(applications that run are then judged in two parts)",
                       topic, (int)partition, partitions);
    }
    return unanswered(&changelog->ends, "asking where it ends", topic, partition, code, err);
}

static void assign(struct changelog *changelog, const char *topic, int32_t partition,
                   int64_t offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    rd_kafka_assign(changelog->committed.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

enum status changelog_readable(struct changelog *changelog, const char *topic, int timeout_ms,
                               struct err *err) {
    MAGIC_CHECK(changelog, MAGIC);
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    (void)ask_leaders(&changelog->committed, topic);
    assign(changelog, topic, 0, RD_KAFKA_OFFSET_END);
    while (code == RD_KAFKA_RESP_ERR__TIMED_OUT && clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(changelog->committed.rk, 50);
        if (m != NULL) {
            code = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ? RD_KAFKA_RESP_ERR_NO_ERROR : m->err;
            rd_kafka_message_destroy(m);
        }
    }
    rd_kafka_assign(changelog->committed.rk, NULL);
    note_denied(changelog, code);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ST_OK
               : unanswered(&changelog->committed, "reading", topic, 0, code, err);
}

// One message; returns the offset up to which all is read now, -1 if that is not known.
static int64_t take_message(struct changelog *changelog, const struct changelog_reading *reading,
                            const rd_kafka_message_t *m, struct err *err) {
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return m->offset; // past commit markers and aborted records, which are never handed out
    }
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_denied(changelog, m->err);
        client_error_right(err, reading->topic, m->err, rd_kafka_message_errstr(m), "READ");
        return -1;
    }
    if (m->offset < reading->end) {
        struct message message = client_message(m);
        message.topic = reading->topic;
        client_headers(&changelog->headers, m, &message);
        reading->take(reading->ctx, &message);
    }
    return m->offset + 1;
}

enum status changelog_read(struct changelog *changelog, const struct changelog_reading *reading,
                           struct err *err) {
    MAGIC_CHECK(changelog, MAGIC);
    require(reading->take != NULL && reading->timeout_ms > 0);
    struct err last = {0};
    int64_t at = 0, deadline_ms = clock_mono_ms() + reading->timeout_ms;
    if (reading->end > 0) {
        (void)ask_leaders(&changelog->committed, reading->topic);
        assign(changelog, reading->topic, reading->partition,
               reading->first > 0 ? reading->first : RD_KAFKA_OFFSET_BEGINNING);
    }
    bool stopped = false;
    while (at < reading->end && !stopped && !changelog->denied && clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(changelog->committed.rk, 50);
        if (m != NULL) {
            int64_t reached = take_message(changelog, reading, m, &last);
            if (reached > at) {
                at = reached;
                deadline_ms = clock_mono_ms() + reading->timeout_ms;
            }
            rd_kafka_message_destroy(m);
        }
        stopped = reading->stop != NULL && atomic_load(reading->stop);
    }
    rd_kafka_assign(changelog->committed.rk, NULL);
    if (at >= reading->end) {
        return ST_OK;
    }
    return err_set(err, ST_RETRY,
                   "reading state from %s partition %d stands at offset %lld of %lld%s%s",
                   reading->topic, (int)reading->partition, (long long)at, (long long)reading->end,
                   last.text[0] != '\0' ? ": " : ", a transaction may be open there", last.text);
}
