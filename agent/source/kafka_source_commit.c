// kafka_source_commit: keeps positions in the group. Called by the commands between polls or in a
// callback. An answer that comes after its deadline belongs to a number that nobody waits for any
// more, so it is dropped.
#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "source/kafka_source_priv.h"

// The code that matters most for the caller among an answer and its partitions.
static rd_kafka_resp_err_t worst_code(rd_kafka_event_t *event) {
    rd_kafka_resp_err_t worst = rd_kafka_event_error(event);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        if (client_status(list->elems[i].err) > client_status(worst)) {
            worst = list->elems[i].err;
        }
    }
    return worst;
}

// Waits for the answer to commit `number`. False if none came in time.
static bool wait_answer(struct kafka_source *src, uintptr_t number, int timeout_ms,
                        rd_kafka_resp_err_t *code) {
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        rd_kafka_event_t *event = rd_kafka_queue_poll(src->commits, left_ms > 0 ? (int)left_ms : 0);
        if (event == NULL) {
            if (left_ms <= 0) {
                return false;
            }
            continue;
        }
        bool ours = rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT &&
                    (uintptr_t)rd_kafka_event_opaque(event) == number;
        if (ours) {
            *code = worst_code(event);
        }
        rd_kafka_event_destroy(event);
        if (ours) {
            return true;
        }
    }
}

static enum status refused(struct kafka_source *src, rd_kafka_resp_err_t code, struct err *err) {
    metrics_add(METRIC_COMMIT_ERRORS, 1);
    char text[256] = "";
    if (rd_kafka_fatal_error(src->client.rk, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = RD_KAFKA_RESP_ERR__FATAL;
    }
    return client_error(err, "committing positions", code, text);
}

enum status kafka_source_commit(struct kafka_source *src, const struct source_position *positions,
                                size_t count, int timeout_ms, struct err *err) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    if (count == 0) {
        return ST_OK;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition)
            ->offset = positions[i].offset;
    }
    uintptr_t number = ++src->commit_number;
    rd_kafka_resp_err_t code =
        rd_kafka_commit_queue(src->client.rk, list, src->commits, NULL, (void *)number);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && !wait_answer(src, number, timeout_ms, &code)) {
        metrics_add(METRIC_COMMIT_ERRORS, 1);
        char trouble[CLIENT_TROUBLE_SIZE];
        client_trouble(&src->client, trouble);
        return err_set(err, ST_RETRY, "committing positions: no answer within %d ms%s%s",
                       timeout_ms, trouble[0] == '\0' ? "" : ": ", trouble);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refused(src, code, err);
    }
    metrics_add(METRIC_COMMITS, 1);
    return ST_OK;
}
