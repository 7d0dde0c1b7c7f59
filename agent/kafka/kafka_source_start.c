// kafka_source_start: from where a partition is read, and when. Called by the live agent, which
// knows the position from its own state. A partition that was not started stays silent.
#include "base/check.h"
#include "kafka/kafka_source_priv.h"

#define SEEK_TIMEOUT_MS 5000

static rd_kafka_resp_err_t seek_and_resume(struct kafka_source *src, const char *topic,
                                           int32_t partition, int64_t offset) {
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(src->client.rk, topic, NULL);
    rd_kafka_resp_err_t code = rkt == NULL ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = rd_kafka_seek(rkt, partition, offset, SEEK_TIMEOUT_MS);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, topic, partition);
        code = rd_kafka_resume_partitions(src->client.rk, list);
        rd_kafka_topic_partition_list_destroy(list);
    }
    if (rkt != NULL) {
        rd_kafka_topic_destroy(rkt);
    }
    return code;
}

enum status kafka_source_start(struct kafka_source *src, const char *topic, int32_t partition,
                               int64_t offset, struct err *err) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    struct source_partition *p = source_find(src, topic, partition);
    require(p != NULL && src->held);
    rd_kafka_resp_err_t code =
        seek_and_resume(src, topic, partition,
                        offset == SOURCE_FROM_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : offset);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return err_set(err, ST_RETRY, "starting %s partition %d at %lld: %s", topic, (int)partition,
                       (long long)offset, rd_kafka_err2str(code));
    }
    p->started = true;
    p->caught_up = false;
    p->next = offset;
    return ST_OK;
}

void kafka_source_hold(struct kafka_source *src, const char *topic, int32_t partition) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    struct source_partition *p = source_find(src, topic, partition);
    if (p == NULL || !p->started) {
        return;
    }
    p->started = p->caught_up = false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_pause_partitions(src->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

struct client *kafka_source_client(struct kafka_source *src) {
    return src == NULL || src->client.rk == NULL ? NULL : &src->client;
}
