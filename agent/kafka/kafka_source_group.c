// kafka_source_group: which partitions are ours, and how they come and go. Called by the library
// inside a poll. Callbacks of the caller are told before a partition is taken and while a revoked
// one can still be committed.
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kafka/kafka_source_priv.h"

static bool is_partition(const struct source_partition *p, const char *topic, int32_t partition) {
    return p->partition == partition && strcmp(p->topic, topic) == 0;
}

struct source_partition *source_find(struct kafka_source *src, const char *topic,
                                     int32_t partition) {
    if (src->recent < src->partition_count &&
        is_partition(&src->partitions[src->recent], topic, partition)) {
        return &src->partitions[src->recent];
    }
    for (size_t i = 0; i < src->partition_count; i++) {
        if (is_partition(&src->partitions[i], topic, partition)) {
            src->recent = i;
            return &src->partitions[i];
        }
    }
    return NULL;
}

// The name as our topic table holds it, which outlives every partition.
static struct source_topic *find_topic(struct kafka_source *src, const char *name) {
    for (size_t i = 0; i < src->topic_count; i++) {
        if (strcmp(src->topics[i].name, name) == 0) {
            return &src->topics[i];
        }
    }
    return NULL;
}

void source_take(struct kafka_source *src, const rd_kafka_topic_partition_list_t *list) {
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *in = &list->elems[i];
        struct source_topic *topic = find_topic(src, in->topic);
        if (topic == NULL || source_find(src, in->topic, in->partition) != NULL) {
            continue;
        }
        MEM_GROW(src->partitions, src->partition_count, src->partition_cap);
        struct source_partition *p = &src->partitions[src->partition_count++];
        *p =
            (struct source_partition){.topic = topic->name, .partition = in->partition, .next = -1};
        metrics_add(METRIC_PARTITIONS, 1);
        if (src->callbacks.assigned != NULL) {
            p->owner = src->callbacks.assigned(src->callbacks.ctx, topic->name, in->partition);
        }
    }
}

void source_give_back(struct kafka_source *src, const rd_kafka_topic_partition_list_t *list,
                      bool lost) {
    if (list->cnt > 0 && src->callbacks.revoking != NULL) {
        src->callbacks.revoking(src->callbacks.ctx, lost);
    }
    for (int i = 0; i < list->cnt; i++) {
        struct source_partition *p =
            source_find(src, list->elems[i].topic, list->elems[i].partition);
        if (p == NULL) {
            continue;
        }
        void *owner = p->owner;
        *p = src->partitions[--src->partition_count];
        metrics_add(METRIC_PARTITIONS, -1);
        if (src->callbacks.revoked != NULL) {
            src->callbacks.revoked(src->callbacks.ctx, owner, lost);
        }
    }
}

rd_kafka_topic_partition_list_t *source_owned(const struct kafka_source *src) {
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)src->partition_count);
    for (size_t i = 0; i < src->partition_count; i++) {
        rd_kafka_topic_partition_list_add(list, src->partitions[i].topic,
                                          src->partitions[i].partition);
    }
    return list;
}

// Hands the change to the library, eagerly or incrementally as the group's strategy wants it.
static void apply(rd_kafka_t *rk, bool assign, const rd_kafka_topic_partition_list_t *list) {
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_t *error = NULL;
    if (strcmp(protocol == NULL ? "" : protocol, "COOPERATIVE") != 0) {
        code = rd_kafka_assign(rk, assign ? list : NULL);
    } else if (assign) {
        error = rd_kafka_incremental_assign(rk, list);
    } else {
        error = rd_kafka_incremental_unassign(rk, list);
    }
    if (error != NULL) {
        code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_warn("kafka_assignment_failed", "error=%s", rd_kafka_err2str(code));
    }
}

void source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque) {
    struct client *c = opaque;
    MAGIC_CHECK(c, CLIENT_MAGIC);
    struct kafka_source *src = c->owner;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        source_take(src, list);
        // Without a position of its own to look up, so that a start can set it at once.
        for (int i = 0; i < list->cnt && src->held; i++) {
            list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
        }
        apply(rk, true, list);
        if (src->held) {
            rd_kafka_pause_partitions(rk, list);
        }
        source_note_well(src, NULL);
        atomic_store(&src->assigned, true);
        metrics_add(METRIC_REBALANCES, 1);
        log_info("kafka_assigned", "group=%s added=%d owned=%zu", src->group, list->cnt,
                 src->partition_count);
        return;
    }
    bool lost = rd_kafka_assignment_lost(rk) != 0;
    source_give_back(src, list, lost);
    apply(rk, false, list);
    atomic_store(&src->assigned, src->partition_count > 0);
    log_info("kafka_revoked", "group=%s removed=%d owned=%zu lost=%s", src->group, list->cnt,
             src->partition_count, lost ? "true" : "false");
}

size_t kafka_source_partitions(const struct kafka_source *src) {
    return src->partition_count;
}

int64_t kafka_source_lag(const struct kafka_source *src) {
    int64_t lag = 0;
    for (size_t i = 0; i < src->partition_count; i++) {
        const struct source_partition *p = &src->partitions[i];
        int64_t low, high;
        if (p->next >= 0 &&
            rd_kafka_get_watermark_offsets(src->client.rk, p->topic, p->partition, &low, &high) ==
                RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > p->next) {
            lag += high - p->next;
        }
    }
    return lag;
}

bool kafka_source_caught_up(const struct kafka_source *src, const char *topic, int32_t partition) {
    for (size_t i = 0; i < src->partition_count; i++) {
        if (is_partition(&src->partitions[i], topic, partition)) {
            return src->partitions[i].caught_up;
        }
    }
    return false;
}
