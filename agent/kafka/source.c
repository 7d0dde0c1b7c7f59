// source: see the header. Opens the consumer, takes and gives back partitions as the group says,
// and hands out messages. It must keep polling whatever a broker says, and never hand out a message
// of a partition that is not owned, or was not started. Callbacks of the caller are told before a
// partition is taken and while a revoked one can still be committed.
#include "kafka/source_priv.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { CLOSE_MS = 10000, DESTROY_MS = 3000, SEEK_TIMEOUT_MS = 5000, SERVE_MS = 50 };

// By topic, then by number.
static int compare(const struct source_partition *p, const struct source_topic *topic,
                   int32_t number) {
    if (p->topic != topic) {
        return p->topic < topic ? -1 : 1;
    }
    return (p->number > number) - (p->number < number);
}

// Where a partition is among those owned, or belongs.
static size_t place_of(const struct kafka_source *src, const struct source_topic *topic,
                       int32_t number) {
    size_t low = 0, high = src->partition_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(src->partitions[middle], topic, number) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The owned partition, NULL if it is not owned; `topic` may be NULL.
static struct source_partition *find(const struct kafka_source *src,
                                     const struct source_topic *topic, int32_t number) {
    size_t at = topic == NULL ? src->partition_count : place_of(src, topic, number);
    return at < src->partition_count && compare(src->partitions[at], topic, number) == 0
               ? src->partitions[at]
               : NULL;
}

static struct source_partition *find_named(struct kafka_source *src, const char *topic,
                                           int32_t number) {
    return find(src, source_topic_named(src, topic), number);
}

// The partition of a message. Messages of one come in rows, and the library has one handle for each
// topic, which we hold: no name is compared.
static struct source_partition *find_of(struct kafka_source *src, const rd_kafka_message_t *m) {
    struct source_partition *p = src->recent;
    if (p == NULL || p->number != m->partition || p->topic->handle != m->rkt) {
        size_t i = 0;
        while (i < src->topic_count && src->topics[i].handle != m->rkt) {
            i++;
        }
        p = find(src, i < src->topic_count ? &src->topics[i] : NULL, m->partition);
    }
    return src->recent = p;
}

static void take_one(struct kafka_source *src, struct source_topic *topic, int32_t number) {
    size_t at = place_of(src, topic, number);
    require(find(src, topic, number) == NULL);
    struct source_partition *p = mem_zalloc(1, sizeof *p);
    *p = (struct source_partition){.topic = topic, .number = number, .next = -1};
    MEM_GROW(src->partitions, src->partition_count, src->partition_cap);
    memmove(&src->partitions[at + 1], &src->partitions[at],
            (src->partition_count - at) * sizeof *src->partitions);
    src->partitions[at] = p;
    src->partition_count++;
    if (src->callbacks.assigned != NULL) {
        p->owner = src->callbacks.assigned(src->callbacks.ctx, topic->name, number);
    }
}

static void give_one(struct kafka_source *src, struct source_partition *p, bool lost) {
    size_t at = place_of(src, p->topic, p->number);
    require(src->partitions[at] == p);
    src->partition_count--;
    memmove(&src->partitions[at], &src->partitions[at + 1],
            (src->partition_count - at) * sizeof *src->partitions);
    src->recent = NULL;
    if (src->callbacks.revoked != NULL) {
        src->callbacks.revoked(src->callbacks.ctx, p->owner, lost);
    }
    mem_free(p);
}

// Takes the partitions of `list` and tells the callbacks.
static void take(struct kafka_source *src, const rd_kafka_topic_partition_list_t *list) {
    for (int i = 0; i < list->cnt; i++) {
        struct source_topic *topic = source_topic_named(src, list->elems[i].topic);
        if (topic != NULL && find(src, topic, list->elems[i].partition) == NULL) {
            take_one(src, topic, list->elems[i].partition);
        }
    }
}

static void give_back(struct kafka_source *src, const rd_kafka_topic_partition_list_t *list,
                      bool lost) {
    if (list->cnt > 0 && src->callbacks.revoking != NULL) {
        src->callbacks.revoking(src->callbacks.ctx, lost);
    }
    for (int i = 0; i < list->cnt; i++) {
        struct source_partition *p =
            find_named(src, list->elems[i].topic, list->elems[i].partition);
        if (p != NULL) {
            give_one(src, p, lost);
        }
    }
}

static void give_all_back(struct kafka_source *src, bool lost) {
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)src->partition_count);
    for (size_t i = 0; i < src->partition_count; i++) {
        rd_kafka_topic_partition_list_add(list, src->partitions[i]->topic->name,
                                          src->partitions[i]->number);
    }
    give_back(src, list, lost);
    rd_kafka_topic_partition_list_destroy(list);
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

// The rebalance callback; its opaque is the struct client.
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque) {
    struct client *c = opaque;
    MAGIC_CHECK(c, CLIENT_MAGIC);
    struct kafka_source *src = c->owner;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        take(src, list);
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
    give_back(src, list, lost);
    apply(rk, false, list);
    atomic_store(&src->assigned, src->partition_count > 0);
    log_info("kafka_revoked", "group=%s removed=%d owned=%zu lost=%s", src->group, list->cnt,
             src->partition_count, lost ? "true" : "false");
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
    on_rebalance(src->client.rk, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, list, &src->client);
    rd_kafka_topic_partition_list_destroy(list);
}

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
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    st = client_open(&src->client, KAFKA_CONSUMER, conf, err);
    if (st != ST_OK) {
        return st;
    }
    rd_kafka_poll_set_consumer(src->client.rk);
    return ST_OK;
}

// Handles of the topics, the same for every message of one as long as they are held.
static enum status hold_topics(struct kafka_source *src, struct err *err) {
    for (size_t i = 0; i < src->topic_count; i++) {
        struct source_topic *topic = &src->topics[i];
        topic->handle = rd_kafka_topic_new(src->client.rk, topic->name, NULL);
        if (topic->handle == NULL) {
            return err_set(err, ST_FATAL, "topic %s: %s", topic->name,
                           rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
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
    require(options->topic_count > 0 && (!options->held || !options->from_end));
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
    if (st == ST_OK) {
        st = hold_topics(src, err);
    }
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
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, SERVE_MS);
    if (event == NULL) {
        return;
    }
    bool rebalance = rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE;
    if (rebalance && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_assign(src->client.rk, NULL); // an assignment that comes too late is not taken
    } else if (rebalance) {
        on_rebalance(src->client.rk, rd_kafka_event_error(event),
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
            give_all_back(src, false);
        }
        leave(src);
        if (src->partition_count > 0) { // the library did not get as far as the callback
            give_all_back(src, true);
        }
        for (size_t i = 0; i < src->topic_count && src->topics[i].handle != NULL; i++) {
            rd_kafka_topic_destroy(src->topics[i].handle);
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
    mem_free(src->headers.list);
    mem_free(src->group);
    src->magic = 0;
    mem_free(src);
}

static void fill(struct kafka_source *src, const rd_kafka_message_t *m,
                 const struct source_partition *p, struct message *out) {
    *out = client_message(m);
    out->value = m->payload == NULL ? STR("") : out->value;
    out->topic = p->topic->name;
    out->owner = p->owner;
    client_headers(&src->headers, m, out);
    if (out->headers_dropped > 0) {
        metrics_add(METRIC_LIMIT_HEADERS, 1);
    }
}

enum status kafka_source_poll(struct kafka_source *src, int timeout_ms, struct message *out,
                              struct err *err) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    drop_message(src);
    if (source_probe(src) && src->alone && !atomic_load(&src->assigned)) {
        assign_all(src);
    }
    rd_kafka_message_t *m = rd_kafka_consumer_poll(src->client.rk, timeout_ms);
    if (m == NULL) {
        return ST_RETRY;
    }
    struct source_partition *p = m->rkt == NULL ? NULL : find_of(src, m);
    bool wanted = p != NULL && (p->started || !src->held);
    enum status st = ST_RETRY;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (wanted) {
            p->caught_up = true;
            p->next = m->offset;
            source_note_well(src, p->topic);
        }
    } else if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && src->held) {
        st = err_set(err, ST_ABORT, "%s partition %d has nothing at offset %lld any more",
                     p == NULL ? "?" : p->topic->name, (int)m->partition, (long long)m->offset);
    } else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        st = source_note_error(src, m, err);
    } else if (wanted) {
        p->caught_up = false;
        p->next = m->offset + 1;
        source_note_well(src, p->topic);
        require(p->number == m->partition && p->topic->handle == m->rkt);
        fill(src, m, p, out);
        src->message = m;
        return ST_OK;
    }
    rd_kafka_message_destroy(m);
    return st;
}

static rd_kafka_resp_err_t seek_and_resume(struct kafka_source *src,
                                           const struct source_partition *p, int64_t offset) {
    rd_kafka_resp_err_t code = rd_kafka_seek(p->topic->handle, p->number, offset, SEEK_TIMEOUT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, p->topic->name, p->number);
        code = rd_kafka_resume_partitions(src->client.rk, list);
        rd_kafka_topic_partition_list_destroy(list);
    }
    return code;
}

enum status kafka_source_start(struct kafka_source *src, const char *topic, int32_t partition,
                               int64_t offset, struct err *err) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    struct source_partition *p = find_named(src, topic, partition);
    require(p != NULL && src->held);
    require(offset >= 0 || offset == SOURCE_FROM_BEGINNING);
    rd_kafka_resp_err_t code = seek_and_resume(
        src, p, offset == SOURCE_FROM_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : offset);
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
    struct source_partition *p = find_named(src, topic, partition);
    if (p == NULL || !p->started) {
        return;
    }
    p->started = p->caught_up = false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    rd_kafka_pause_partitions(src->client.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

enum status kafka_source_first(struct kafka_source *src, const char *topic, int32_t partition,
                               int timeout_ms, int64_t *first, struct err *err) {
    MAGIC_CHECK(src, SOURCE_MAGIC);
    int64_t end;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(src->client.rk, topic, partition, first, &end, timeout_ms);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ST_OK
               : err_set(err, ST_RETRY, "asking where %s partition %d begins: %s", topic,
                         (int)partition, rd_kafka_err2str(code));
}

struct client *kafka_source_client(struct kafka_source *src) {
    return src == NULL || src->client.rk == NULL ? NULL : &src->client;
}

int64_t kafka_source_lag(const struct kafka_source *src) {
    int64_t lag = 0;
    for (size_t i = 0; i < src->partition_count; i++) {
        const struct source_partition *p = src->partitions[i];
        int64_t low, high;
        if (p->next >= 0 &&
            rd_kafka_get_watermark_offsets(src->client.rk, p->topic->name, p->number, &low,
                                           &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > p->next) {
            lag += high - p->next;
        }
    }
    return lag;
}

bool kafka_source_caught_up(struct kafka_source *src, const char *topic, int32_t partition) {
    const struct source_partition *p = find_named(src, topic, partition);
    return p != NULL && p->caught_up;
}

int64_t kafka_source_next(struct kafka_source *src, const char *topic, int32_t partition) {
    const struct source_partition *p = find_named(src, topic, partition);
    return p == NULL ? -1 : p->next;
}
