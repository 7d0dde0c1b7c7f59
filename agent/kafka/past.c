// past: see the header. One consumer that takes the ranges as its own and reads them side by side.
// The end of a partition is asked with the isolation that is read with: what lies below it is
// decided, so nothing is waited for. Must never ask for positions of a group, which would need a
// right on it.
#include "kafka/past.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client_priv.h"

#define MAGIC 0x50415354u // "PAST"

enum { POLL_MS = 50, SLICE_MS = 1000, DESTROY_MS = 3000 };

struct past {
    uint32_t magic;
    struct client client;
};

enum status past_new(const struct kafka_settings *settings, struct past **out, struct err *err) {
    struct past *past = mem_zalloc(1, sizeof *past);
    past->magic = MAGIC;
    client_init(&past->client, past);
    enum status st =
        client_open_reader(&past->client, settings, "stoker-past", "read_committed", err);
    if (st != ST_OK) {
        past_free(past);
        return st;
    }
    *out = past;
    return ST_OK;
}

void past_free(struct past *past) {
    if (past == NULL) {
        return;
    }
    MAGIC_CHECK(past, MAGIC);
    if (past->client.rk != NULL &&
        !client_close_within(&past->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, DESTROY_MS)) {
        log_warn("kafka_consumer_stuck", "reason=%s",
                 "the client library does not end a reader: left behind");
        return;
    }
    client_fini(&past->client);
    past->magic = 0;
    mem_free(past);
}

// Lets the library tell what it has to.
static void hear(struct past *past) {
    rd_kafka_message_t *told = rd_kafka_consumer_poll(past->client.rk, 0);
    if (told != NULL) {
        rd_kafka_message_destroy(told);
    }
}

// No answer: why, as far as the connection knows.
static enum status unanswered(struct past *past, const char *topic, rd_kafka_resp_err_t code,
                              struct err *err) {
    struct buf reason = {0};
    bool lost = code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
                code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    hear(past);
    if (lost && !client_connected(&past->client, 0, &reason)) {
        err_set(err, ST_RETRY, "%s (is kafka.brokers right?)", buf_text(&reason));
    } else {
        char trouble[CLIENT_TROUBLE_SIZE];
        client_trouble(&past->client, trouble);
        client_error_topic(err, topic, code, trouble, "READ");
        err->status = ST_RETRY;
    }
    buf_fini(&reason);
    return ST_RETRY;
}

// Asked again until an answer comes, or it is known that no broker can be reached.
static enum status count_partitions(struct past *past, const char *topic, int64_t deadline_ms,
                                    int *count, struct err *err) {
    rd_kafka_resp_err_t code;
    enum status st;
    do {
        int left_ms = client_left_ms(deadline_ms);
        st = client_ask_topic(&past->client, topic, left_ms < SLICE_MS ? left_ms : SLICE_MS, count,
                              &code);
        hear(past);
    } while (st != ST_OK && !atomic_load(&past->client.down) && clock_mono_ms() < deadline_ms);
    return st == ST_OK && *count >= 0 ? ST_OK : unanswered(past, topic, code, err);
}

// From the first record that is as young; there is none: from the end.
static rd_kafka_resp_err_t begin_at(struct past *past, const char *topic, int64_t since_ms,
                                    int timeout_ms, struct past_range *ranges, uint32_t count) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (uint32_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, topic, ranges[i].partition)->offset = since_ms;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(past->client.rk, list, timeout_ms);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        struct past_range *range = &ranges[p->partition];
        code = p->err;
        bool none = p->offset < 0 || p->offset > range->end;
        range->first = none ? range->end : p->offset > range->first ? p->offset : range->first;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

enum status past_ranges(struct past *past, const char *topic, int64_t since_ms, int timeout_ms,
                        struct past_range **out, uint32_t *count, struct err *err) {
    MAGIC_CHECK(past, MAGIC);
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    int partitions = 0;
    enum status st = count_partitions(past, topic, deadline_ms, &partitions, err);
    if (st != ST_OK) {
        return st;
    }
    struct past_range *ranges = mem_zalloc((size_t)partitions + 1, sizeof *ranges);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int32_t i = 0; i < partitions && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        ranges[i].partition = i;
        code = rd_kafka_query_watermark_offsets(past->client.rk, topic, i, &ranges[i].first,
                                                &ranges[i].end, client_left_ms(deadline_ms));
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && since_ms > 0) {
        code = begin_at(past, topic, since_ms, client_left_ms(deadline_ms), ranges,
                        (uint32_t)partitions);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        mem_free(ranges);
        return unanswered(past, topic, code, err);
    }
    *out = ranges;
    *count = (uint32_t)partitions;
    return ST_OK;
}

// What is left to read: a place behind what was read, for each range.
struct run_through {
    const struct past_reading *reading;
    int64_t *next; // owned; as the ranges
    uint32_t open; // ranges that are not at their end
    uint64_t done, total;
};

static uint32_t range_of(const struct past_reading *reading, int32_t partition) {
    uint32_t i = 0;
    while (i < reading->count && reading->ranges[i].partition != partition) {
        i++;
    }
    return i;
}

static void through_init(struct run_through *through, const struct past_reading *reading) {
    *through = (struct run_through){.reading = reading,
                                    .next = mem_zalloc(reading->count + 1, sizeof(int64_t))};
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct past_range *range = &reading->ranges[i];
        through->next[i] = range->first;
        if (range->end > range->first) {
            through->open++;
            through->total += (uint64_t)(range->end - range->first);
        }
    }
}

// All below `reached` of a partition lies behind. False if that is nothing new.
static bool advance(struct run_through *through, uint32_t at, int64_t reached) {
    const struct past_range *range = &through->reading->ranges[at];
    reached = reached < range->end ? reached : range->end;
    if (reached <= through->next[at]) {
        return false;
    }
    through->done += (uint64_t)(reached - through->next[at]);
    through->next[at] = reached;
    through->open -= reached == range->end;
    return true;
}

// One event of the consumer. True if it brought the reading on.
static bool take_one(struct run_through *through, const rd_kafka_message_t *m, struct err *last) {
    const struct past_reading *reading = through->reading;
    uint32_t at = m->rkt == NULL ? reading->count : range_of(reading, m->partition);
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) { // past markers and what was aborted
        return at < reading->count && advance(through, at, m->offset);
    }
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error_topic(last, reading->topic, m->err, rd_kafka_message_errstr(m), "READ");
        return false;
    }
    if (at == reading->count || m->offset < through->next[at]) {
        return false;
    }
    if (m->offset < reading->ranges[at].end) {
        struct message message = client_message(m);
        message.topic = reading->topic;
        reading->take(reading->ctx, &message);
    }
    return advance(through, at, m->offset + 1);
}

static void assign(struct past *past, const struct run_through *through) {
    const struct past_reading *reading = through->reading;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reading->count);
    for (uint32_t i = 0; i < reading->count; i++) {
        if (through->next[i] < reading->ranges[i].end) {
            rd_kafka_topic_partition_list_add(list, reading->topic, reading->ranges[i].partition)
                ->offset = through->next[i];
        }
    }
    rd_kafka_assign(past->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

enum status past_read(struct past *past, const struct past_reading *reading, struct err *err) {
    MAGIC_CHECK(past, MAGIC);
    require(reading->take != NULL && reading->timeout_ms > 0);
    struct run_through through;
    struct err last = {0};
    through_init(&through, reading);
    assign(past, &through);
    int64_t deadline_ms = clock_mono_ms() + reading->timeout_ms;
    while (through.open > 0 && clock_mono_ms() < deadline_ms) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(past->client.rk, POLL_MS);
        if (m != NULL) {
            if (take_one(&through, m, &last)) {
                deadline_ms = clock_mono_ms() + reading->timeout_ms;
            }
            rd_kafka_message_destroy(m);
        }
        if (reading->progress != NULL) {
            reading->progress(reading->ctx, through.done, through.total);
        }
    }
    rd_kafka_assign(past->client.rk, NULL);
    mem_free(through.next);
    if (through.open == 0) {
        return ST_OK;
    }
    return err_set(err, ST_RETRY, "%s: nothing more came after %llu of %llu offsets%s%s",
                   reading->topic, (unsigned long long)through.done,
                   (unsigned long long)through.total, last.text[0] != '\0' ? ": " : "", last.text);
}
