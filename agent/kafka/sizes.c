// sizes: see the header; this is what the brokers tell. One admin request at a time, over the
// handle of the sink. Must not wait longer than it was told to; an answer that never comes, or a
// right that is missing, changes nothing.
#include "kafka/sizes.h"

#include <stdlib.h>

#include "base/log.h"

// A limit that was raised is seen after this time; one that was lowered is met at once.
enum { EVERY_MS = 30000, REQUEST_MS = 5000 };

static void ask(struct sizes *sizes, rd_kafka_t *rk) {
    size_t count = 0;
    for (const struct sink_topic *topic = sizes->topics; topic != NULL; topic = topic->next) {
        count++;
    }
    if (count == 0) {
        return;
    }
    rd_kafka_ConfigResource_t **resources = mem_zalloc(count, sizeof(rd_kafka_ConfigResource_t *));
    count = 0;
    for (const struct sink_topic *topic = sizes->topics; topic != NULL; topic = topic->next) {
        resources[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic->name);
    }
    char text[256];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, text, sizeof text);
    sizes->answers = rd_kafka_queue_new(rk);
    rd_kafka_DescribeConfigs(rk, resources, count, options, sizes->answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(resources, count);
    mem_free(resources);
}

// 0: not told, or not to us.
static int64_t told_by(const rd_kafka_ConfigResource_t *resource) {
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "max.message.bytes") == 0 &&
            value != NULL) {
            long long bytes = strtoll(value, NULL, 10);
            return bytes > 0 ? bytes : 1; // 0 is a limit, too
        }
    }
    return 0;
}

static void take(struct sizes *sizes, const rd_kafka_ConfigResource_t *resource) {
    struct sink_topic *topic = sizes_of(sizes, rd_kafka_ConfigResource_name(resource));
    int64_t bytes = told_by(resource);
    if (bytes != topic->told_bytes) {
        if (topic->told_bytes != 0) {
            log_info("topic_limit", "topic=%s max_message_bytes=%lld", topic->name,
                     (long long)bytes);
        }
        topic->told_bytes = bytes;
        sizes_unlearn(topic);
    }
}

static void hear(struct sizes *sizes, int wait_ms) {
    rd_kafka_event_t *event =
        sizes->answers == NULL ? NULL : rd_kafka_queue_poll(sizes->answers, wait_ms);
    if (event == NULL) {
        return;
    }
    size_t count = 0;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    if (result != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_ConfigResource_t **list =
            rd_kafka_DescribeConfigs_result_resources(result, &count);
        for (size_t i = 0; i < count; i++) {
            take(sizes, list[i]);
        }
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(sizes->answers);
    sizes->answers = NULL;
}

void sizes_refresh(struct sizes *sizes, rd_kafka_t *rk, int wait_ms, int64_t now_ms) {
    if (sizes->asked_ms == 0 || now_ms - sizes->asked_ms >= EVERY_MS) {
        sizes_hang_up(sizes);
        sizes->asked_ms = now_ms;
        ask(sizes, rk);
    }
    hear(sizes, wait_ms);
}
