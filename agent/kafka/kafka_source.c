// kafka_source: opens the consumer and hands out messages. Called by the commands. It must keep
// polling whatever a broker says, and never hand out a message of a partition that is not owned.
#include "kafka/kafka_source_priv.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

#define CLOSE_MS 10000
#define DESTROY_MS 3000

static enum status open_consumer(struct kafka_source *src, const struct kafka_settings *settings,
                                 const struct kafka_source_options *options, struct err *err) {
    rd_kafka_conf_t *conf = NULL;
    enum status st = client_conf_new(settings, KAFKA_CONSUMER, &conf, err);
    if (st != ST_OK) {
        return st;
    }
    st = client_conf_set(conf, "group.id", src->group, err);
    if (st == ST_OK && options->member != NULL) {
        st = client_conf_set(conf, "group.instance.id", options->member, err);
    }
    if (st == ST_OK && options->from_end) {
        st = client_conf_set(conf, "auto.offset.reset", "latest", err);
    }
    if (st == ST_OK && options->held) { // a position that is gone is a loss: never skipped over
        st = client_conf_set(conf, "auto.offset.reset", "error", err);
    }
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    rd_kafka_conf_set_rebalance_cb(conf, source_on_rebalance);
    st = client_open(&src->client, KAFKA_CONSUMER, conf, err);
    if (st != ST_OK) {
        return st;
    }
    rd_kafka_poll_set_consumer(src->client.rk);
    return ST_OK;
}

static enum status subscribe(struct kafka_source *src, struct err *err) {
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)src->topic_count);
    for (size_t i = 0; i < src->topic_count; i++) {
        rd_kafka_topic_partition_list_add(list, src->topics[i].name, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(src->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        client_error(err, "subscribing to the input topics", code, NULL);
        return err == NULL ? ST_FATAL : (err->status = ST_FATAL);
    }
    return ST_OK;
}

enum status kafka_source_new(const struct kafka_settings *settings,
                             const struct kafka_source_options *options,
                             struct kafka_source_callbacks callbacks, struct kafka_source **out,
                             struct err *err) {
    struct kafka_source *src = mem_zalloc(1, sizeof *src);
    src->magic = SOURCE_MAGIC;
    client_init(&src->client, src);
    require(pthread_mutex_init(&src->health_lock, NULL) == 0);
    src->callbacks = callbacks;
    src->alone = options->alone;
    src->held = options->held;
    src->group = mem_strdup(options->group);
    src->topics = mem_zalloc(options->topic_count, sizeof *src->topics);
    src->topic_count = options->topic_count;
    src->missing = options->topic_count;
    for (size_t i = 0; i < options->topic_count; i++) {
        src->topics[i].name = mem_strdup(options->topics[i]);
    }
    enum status st = open_consumer(src, settings, options, err);
    if (st == ST_OK && !src->alone) {
        st = subscribe(src, err);
    }
    if (st != ST_OK) {
        kafka_source_free(src);
        return st;
    }
    *out = src;
    return ST_OK;
}

static void drop_message(struct kafka_source *src) {
    if (src->message != NULL) {
        rd_kafka_message_destroy(src->message);
        src->message = NULL;
    }
}

// One event of a consumer that is closing. Messages that were fetched ahead come here too and are
// dropped, which is why this cannot be left to rd_kafka_queue_poll_callback: it aborts on them.
static void serve_closing(struct kafka_source *src, rd_kafka_queue_t *queue) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 50);
    if (event == NULL) {
        return;
    }
    bool rebalance = rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE;
    if (rebalance && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_assign(src->client.rk, NULL); // an assignment that comes too late is not taken
    } else if (rebalance) {
        source_on_rebalance(src->client.rk, rd_kafka_event_error(event),
                            rd_kafka_event_topic_partition_list(event), &src->client);
    }
    rd_kafka_event_destroy(event);
}

// Leaves the group, with a deadline: without a coordinator the library may wait for a session.
static void leave(struct kafka_source *src) {
    rd_kafka_queue_t *queue = rd_kafka_queue_new(src->client.rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(src->client.rk, queue);
    int64_t deadline_ms = clock_mono_ms() + CLOSE_MS;
    while (error == NULL && !rd_kafka_consumer_closed(src->client.rk) &&
           clock_mono_ms() < deadline_ms) {
        serve_closing(src, queue);
    }
    if (error != NULL) {
        rd_kafka_error_destroy(error);
    }
    rd_kafka_queue_destroy(queue);
}

void kafka_source_free(struct kafka_source *src) {
    if (src == NULL) {
        return;
    }
    MAGIC_CHECK(src, SOURCE_MAGIC);
    drop_message(src);
    if (src->client.rk != NULL) {
        if (src->alone) {
            rd_kafka_topic_partition_list_t *owned = source_owned(src);
            source_give_back(src, owned, false);
            rd_kafka_topic_partition_list_destroy(owned);
        }
        leave(src);
        if (src->partition_count > 0) { // the library did not get as far as the callback
            rd_kafka_topic_partition_list_t *owned = source_owned(src);
            source_give_back(src, owned, true);
            rd_kafka_topic_partition_list_destroy(owned);
        }
        if (!client_close_within(&src->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, DESTROY_MS)) {
            log_warn("kafka_consumer_stuck", "group=%s reason=%s", src->group,
                     "the client library does not end it: left behind");
            return;
        }
    }
    client_fini(&src->client);
    for (size_t i = 0; i < src->topic_count; i++) {
        mem_free(src->topics[i].name);
    }
    pthread_mutex_destroy(&src->health_lock);
    mem_free(src->topics);
    mem_free(src->partitions);
    mem_free(src->headers);
    mem_free(src->group);
    src->magic = 0;
    mem_free(src);
}

// The headers of the message in hand, as many as a message may bring.
static void fill_headers(struct kafka_source *src, const rd_kafka_message_t *m,
                         struct message *out) {
    rd_kafka_headers_t *headers = NULL;
    size_t bytes = 0;
    struct message_header h;
    const void *value;
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &h.name, &value, &h.value.len) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        h.value.p = value;
        size_t takes = strlen(h.name) + h.value.len + MESSAGE_HEADER_FRAMING;
        if (takes > MESSAGE_HEADERS_MAX_BYTES - bytes) {
            out->headers_dropped++;
            continue;
        }
        bytes += takes;
        MEM_GROW(src->headers, out->header_count, src->header_cap);
        src->headers[out->header_count++] = h;
    }
    out->headers = src->headers;
    if (out->headers_dropped > 0) {
        metrics_add(METRIC_LIMIT_HITS, 1);
    }
}

static void fill(struct kafka_source *src, const rd_kafka_message_t *m,
                 const struct source_partition *p, struct message *out) {
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(m, &type);
    *out = (struct message){
        .value = m->payload == NULL ? STR("") : (struct str){m->payload, m->len},
        .key = {m->key, m->key_len},
        .topic = p->topic,
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms =
            type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp_ms < 0 ? 0 : timestamp_ms,
        .owner = p->owner,
    };
    fill_headers(src, m, out);
}

enum status kafka_source_poll(struct kafka_source *src, int timeout_ms, struct message *out,
                              struct err *err) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    drop_message(src);
    if (atomic_load(&src->missing) > 0) {
        source_probe(src);
    }
    rd_kafka_message_t *m = rd_kafka_consumer_poll(src->client.rk, timeout_ms);
    if (m == NULL) {
        return ST_RETRY;
    }
    struct source_partition *p =
        m->rkt == NULL ? NULL : source_find(src, rd_kafka_topic_name(m->rkt), m->partition);
    enum status st = ST_RETRY;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (p != NULL && (p->started || !src->held)) {
            p->caught_up = true;
            p->next = m->offset;
            source_note_well(src, p->topic);
        }
    } else if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && src->held) {
        st = err_set(err, ST_ABORT, "%s partition %d has nothing at offset %lld any more",
                     p == NULL ? "?" : p->topic, (int)m->partition, (long long)m->offset);
    } else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        st = source_note_error(src, m, err);
    } else if (p != NULL && (p->started || !src->held)) {
        p->caught_up = false;
        p->next = m->offset + 1;
        source_note_well(src, p->topic);
        fill(src, m, p, out);
        src->message = m;
        return ST_OK;
    }
    rd_kafka_message_destroy(m);
    return st;
}
