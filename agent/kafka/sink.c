// sink: see the header. A record that was taken is either acknowledged or reported as refused by a
// flush or a commit, never forgotten. A producer that the library gives up is replaced; of one that
// writes transactions nothing is mended: it is closed, and the next begins after what Kafka says
// was committed, so that no request of the old one can reach into a later transaction.
#include "kafka/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kafka/client_priv.h"
#include "kafka/sizes.h"

#define MAGIC 0x4b534e4bu // "KSNK"
enum {
    DEFAULT_RECORD_BYTES = 1000000,
    DEFAULT_WAIT_MS = 1000,
    DRAIN_MS = 5000,
    REGISTER_MS = 50,
    LOOK_EVERY_MS = 1000,
    // A coordinator on the move is asked again after half a second; if by then the time of the call
    // is over, the library gives the whole transaction up.
    POSITIONS_MS = 5000
};

// How far a producer is. Without transactions it never goes beyond SINK_NEW.
enum sink_phase {
    SINK_CLOSED,     // no handle
    SINK_NEW,        // a handle
    SINK_KNOWN,      // the coordinator knows its id; topics may still be missing
    SINK_OPEN,       // a transaction may begin
    SINK_BEGUN,      // one takes records
    SINK_POSITIONED, // and has the positions: only its commit may follow
    SINK_PHASES
};

struct kafka_sink {
    uint32_t magic;
    struct client client;
    struct kafka_sink_callbacks callbacks;
    struct kafka_sink_options options;
    rd_kafka_conf_t *conf; // to make the next producer from
    struct sizes sizes;    // the topics written to, and what they are known to take
    int64_t batch_most;    // bytes of a batch, as the settings have it
    int64_t batch_bytes;   // as this producer has it: no topic refuses one
    uint64_t attempt;      // rises with every producer
    size_t outstanding;    // sent and unanswered
    bool transactional;
    enum sink_phase phase;       // changed by enter alone
    bool fenced;                 // the last failure: another took our identity
    uint64_t refused;            // since the last flush or begin
    rd_kafka_resp_err_t refusal; // the first of them
    char reason[512];            // its words
    int64_t looked_ms;           // monotonic time when the topics were looked at
};

// Everything may end; all else goes up by one step, and down only from a commit.
static void enter(struct kafka_sink *sink, enum sink_phase phase) {
    static const unsigned from[SINK_PHASES] = {
        [SINK_CLOSED] = ~0u,
        [SINK_NEW] = 1u << SINK_CLOSED,
        [SINK_KNOWN] = 1u << SINK_NEW,
        [SINK_OPEN] = 1u << SINK_KNOWN | 1u << SINK_BEGUN | 1u << SINK_POSITIONED,
        [SINK_BEGUN] = 1u << SINK_OPEN,
        [SINK_POSITIONED] = 1u << SINK_BEGUN,
    };
    require((from[phase] & 1u << sink->phase) != 0);
    require(sink->transactional || phase <= SINK_NEW);
    require((phase == SINK_CLOSED) == (sink->client.rk == NULL));
    sink->phase = phase;
}

// Counts a refused record and keeps the first reason.
static void note_refusal(struct kafka_sink *sink, const char *topic, rd_kafka_resp_err_t code,
                         const char *text) {
    metrics_add(METRIC_PUBLISH_ERRORS, 1);
    if (sink->refused++ == 0) {
        struct err words;
        sink->refusal = code;
        char denied[CLIENT_TOPIC_SIZE];
        if (client_denied(&sink->client, denied)) { // the others fell with that one
            client_error_topic(&words, denied, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL,
                               "WRITE");
        } else {
            client_error_topic(&words, topic, code, text, "WRITE");
        }
        str_copy(sink->reason, sizeof sink->reason, str_of(words.text));
    }
}

// Delivery report, from within a poll or flush of ours.
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque) {
    (void)rk;
    struct client *c = opaque;
    MAGIC_CHECK(c, CLIENT_MAGIC);
    struct kafka_sink *sink = c->owner;
    struct sink_topic *topic = m->_private;
    require(sink->outstanding > 0);
    sink->outstanding--;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sizes_taken(topic, sizes_bytes(m));
        if (!ends_rise(&topic->ends, m->partition, m->offset)) {
            note_refusal(sink, topic->name, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
                         "it was deleted and made again, or it lost its end");
        }
        if (sink->callbacks.delivered != NULL) {
            sink->callbacks.delivered(sink->callbacks.ctx, topic->name);
        }
        return;
    }
    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        sizes_refused(topic, sizes_bytes(m), sink->batch_bytes, sink->attempt, clock_mono_ms());
    }
    topic->refuses_times |= m->err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
    // Not rd_kafka_message_errstr: of a producer's message that is the payload.
    note_refusal(sink, topic->name, m->err, NULL);
}

static enum status set_bytes(rd_kafka_conf_t *conf, const char *key, int64_t bytes,
                             struct err *err) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)bytes);
    return client_conf_set(conf, key, text, err);
}

static enum status open_producer(struct kafka_sink *sink, struct err *err) {
    sink->attempt++;
    sink->batch_bytes = sizes_batch(&sink->sizes, sink->batch_most);
    enum status st = set_bytes(sink->conf, "batch.size", sink->batch_bytes, err);
    if (st == ST_OK) {
        st = client_open(&sink->client, KAFKA_PRODUCER, rd_kafka_conf_dup(sink->conf), err);
    }
    if (st == ST_OK) {
        enter(sink, SINK_NEW);
    }
    return st;
}

// Lets the library answer for everything under way, then ends the producer.
static void drain_and_close(struct kafka_sink *sink) {
    if (sink->client.rk == NULL) {
        return;
    }
    sizes_hang_up(&sink->sizes);
    rd_kafka_purge(sink->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    int64_t now_ms = clock_mono_ms(), deadline_ms = now_ms + DRAIN_MS;
    // A thread of the library tells the coordinator of the first record of a partition, at once. If
    // the handle ends in that instant, an assertion of the library ends the process (2.0.2 and
    // later ones).
    int64_t quiet_ms = now_ms + (sink->phase >= SINK_OPEN ? REGISTER_MS : 0);
    while ((sink->outstanding > 0 && now_ms < deadline_ms) || now_ms < quiet_ms) {
        rd_kafka_poll(sink->client.rk, 20);
        now_ms = clock_mono_ms();
    }
    client_close(&sink->client, 0);
    enter(sink, SINK_CLOSED);
    sink->outstanding = 0; // the rest died with the handle
}

enum status kafka_sink_new(const struct kafka_settings *settings,
                           const struct kafka_sink_options *options,
                           struct kafka_sink_callbacks callbacks, struct kafka_sink **out,
                           struct err *err) {
    struct kafka_sink *sink = mem_zalloc(1, sizeof *sink);
    sink->magic = MAGIC;
    client_init(&sink->client, sink);
    sink->callbacks = callbacks;
    sink->options = *options;
    sink->options.max_record_bytes =
        options->max_record_bytes > 0 ? options->max_record_bytes : DEFAULT_RECORD_BYTES;
    sink->options.queue_wait_ms =
        options->queue_wait_ms > 0 ? options->queue_wait_ms : DEFAULT_WAIT_MS;
    enum status st = client_conf_new(settings, KAFKA_PRODUCER, &sink->conf, err);
    if (st == ST_OK) {
        char batch[32] = "";
        size_t size = sizeof batch;
        rd_kafka_conf_get(sink->conf, "batch.size", batch, &size);
        sink->batch_most = strtoll(batch, NULL, 10);
        st = set_bytes(sink->conf, "message.max.bytes", sink->options.max_record_bytes, err);
    }
    if (st == ST_OK && options->transactional_id != NULL) {
        sink->transactional = true;
        st = client_conf_transactional(sink->conf, options->transactional_id, err);
    }
    if (st == ST_OK) {
        rd_kafka_conf_set_dr_msg_cb(sink->conf, on_delivery);
        st = open_producer(sink, err);
    }
    if (st != ST_OK) {
        kafka_sink_free(sink);
        return st;
    }
    *out = sink;
    return ST_OK;
}

void kafka_sink_free(struct kafka_sink *sink) {
    if (sink == NULL) {
        return;
    }
    MAGIC_CHECK(sink, MAGIC);
    drain_and_close(sink);
    client_fini(&sink->client);
    if (sink->conf != NULL) {
        rd_kafka_conf_destroy(sink->conf);
    }
    sizes_fini(&sink->sizes);
    sink->magic = 0;
    mem_free(sink);
}

// Records that were purged with their transaction, and calls that came too late for it.
static bool is_echo(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
           code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

// Says why a transaction failed, of which `code` and `text` (may be NULL) are the last that was
// heard, and notes if another producer is to blame. ST_ABORT.
static enum status give_up(struct kafka_sink *sink, const char *what, rd_kafka_resp_err_t code,
                           const char *text, struct err *err) {
    bool told = sink->refused > 0 && !is_echo(sink->refusal); // a record knows it, and its topic
    char denied[CLIENT_TOPIC_SIZE];
    bool right = client_denied(&sink->client, denied);
    rd_kafka_error_t *cause = NULL;
    // To begin another transaction in the midst of one is refused; the refusal has the cause.
    if (!told && !right && is_echo(code) &&
        (cause = rd_kafka_begin_transaction(sink->client.rk)) != NULL) {
        code = rd_kafka_error_code(cause);
        text = rd_kafka_error_string(cause);
    }
    sink->fenced |= client_is_fence(code) || (told && client_is_fence(sink->refusal));
    if (right) {
        client_error_topic(err, denied, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL,
                           "WRITE");
    } else if (told) {
        err_set(err, ST_ABORT, "%llu records were refused, the first: %s",
                (unsigned long long)sink->refused, sink->reason);
    } else {
        client_error(err, what, code, text);
    }
    if (cause != NULL) {
        rd_kafka_error_destroy(cause);
    }
    return err->status = ST_ABORT;
}

// A producer that met a fatal error (the broker lost its sequence, say) takes nothing any more. A
// new one does; what was under way counts as refused, so the batch is sent again. ST_OK if nothing
// was wrong, else ST_ABORT, or ST_FATAL if there is no new producer.
static enum status replace_if_fatal(struct kafka_sink *sink, struct err *err) {
    char text[256] = "";
    rd_kafka_resp_err_t code = sink->client.rk == NULL
                                   ? RD_KAFKA_RESP_ERR__FATAL
                                   : rd_kafka_fatal_error(sink->client.rk, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return ST_OK;
    }
    if (sink->transactional) { // the transaction is lost with it: the caller begins anew
        metrics_add(METRIC_PUBLISH_ERRORS, 1);
        return give_up(sink, "the Kafka producer is finished", code, text, err);
    }
    note_refusal(sink, "(any)", code, text);
    log_warn("kafka_producer_replaced", "reason=%s outstanding=%zu", sink->reason,
             sink->outstanding);
    drain_and_close(sink);
    enum status st = open_producer(sink, err);
    if (st != ST_OK) {
        return st;
    }
    return err_set(err, ST_ABORT, "the Kafka producer was replaced: %s", sink->reason);
}

// ST_SKIP for what a broker would refuse, before it spoils a batch.
static enum status check_size(const struct kafka_sink *sink, const struct sink_topic *topic,
                              const struct sink_record *record, struct err *err) {
    int64_t bytes = sink_record_bytes(record);
    int64_t room = sizes_room(topic, sink->options.max_record_bytes, clock_mono_ms());
    return bytes <= room ? ST_OK
                         : err_set(err, ST_SKIP,
                                   "a record of %lld bytes for topic %s is over the limit of %lld",
                                   (long long)bytes, topic->name, (long long)room);
}

static rd_kafka_resp_err_t produce(struct kafka_sink *sink, const struct sink_topic *topic,
                                   const struct sink_record *record) {
    rd_kafka_headers_t *headers = NULL;
    if (record->header_count > 0) {
        headers = rd_kafka_headers_new(record->header_count);
        for (size_t i = 0; i < record->header_count; i++) {
            const struct message_header *h = &record->headers[i];
            rd_kafka_header_add(headers, h->name, -1, h->value.p, (ssize_t)h->value.len);
        }
    }
    // The library takes the headers if it takes the record.
    int32_t partition = record->to_partition ? record->partition : RD_KAFKA_PARTITION_UA;
    rd_kafka_resp_err_t code = rd_kafka_producev(
        sink->client.rk, RD_KAFKA_V_TOPIC(topic->name), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)record->key.p, record->key.len),
        RD_KAFKA_V_VALUE((void *)record->value.p, record->value.len),
        RD_KAFKA_V_TIMESTAMP(topic->refuses_times ? 0 : record->timestamp_ms),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)topic), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return code;
}

enum status kafka_sink_send(struct kafka_sink *sink, const struct sink_record *record,
                            struct err *err) {
    MAGIC_CHECK(sink, MAGIC);
    require(!sink->transactional || sink->phase == SINK_BEGUN);
    enum status st = replace_if_fatal(sink, err);
    if (st != ST_OK) {
        return st;
    }
    struct sink_topic *topic = sizes_of(&sink->sizes, record->topic);
    topic->ends.kept |= record->to_partition;
    st = check_size(sink, topic, record, err);
    if (st != ST_OK) {
        return st;
    }
    int64_t deadline_ms = clock_mono_ms() + sink->options.queue_wait_ms;
    rd_kafka_resp_err_t code;
    while ((code = produce(sink, topic, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           clock_mono_ms() < deadline_ms) {
        rd_kafka_poll(sink->client.rk, 10);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sink->outstanding++;
        kafka_sink_poll(sink);
        return ST_OK;
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return err_set(err, ST_RETRY, "%zu records wait for the broker already", sink->outstanding);
    }
    st = replace_if_fatal(sink, err);
    if (st != ST_OK) {
        return st;
    }
    note_refusal(sink, topic->name, code, NULL);
    return sink->transactional ? give_up(sink, "sending a record", code, NULL, err)
                               : err_set(err, ST_ABORT, "%s", sink->reason);
}

void kafka_sink_poll(struct kafka_sink *sink) {
    if (sink->client.rk != NULL) {
        rd_kafka_poll(sink->client.rk, 0);
    }
}

enum status kafka_sink_flush(struct kafka_sink *sink, int timeout_ms, struct err *err) {
    MAGIC_CHECK(sink, MAGIC);
    enum status st = replace_if_fatal(sink, err);
    if (st == ST_OK) {
        rd_kafka_flush(sink->client.rk, timeout_ms);
        st = replace_if_fatal(sink, err);
    }
    if (st == ST_FATAL) {
        return st;
    }
    if (sink->outstanding > 0) {
        char trouble[CLIENT_TROUBLE_SIZE];
        client_trouble(&sink->client, trouble);
        return err_set(err, ST_RETRY, "%zu records are not acknowledged yet%s%s", sink->outstanding,
                       trouble[0] == '\0' ? "" : ": ", trouble);
    }
    uint64_t refused = sink->refused;
    sink->refused = 0;
    return refused == 0 ? ST_OK
                        : err_set(err, ST_ABORT, "%llu records were refused, the first: %s",
                                  (unsigned long long)refused, sink->reason);
}

int64_t kafka_sink_room(struct kafka_sink *sink, const char *topic) {
    return sizes_room(sizes_of(&sink->sizes, topic), sink->options.max_record_bytes,
                      clock_mono_ms());
}

size_t kafka_sink_outstanding(const struct kafka_sink *sink) {
    return sink->outstanding;
}

bool kafka_sink_health(struct kafka_sink *sink, struct buf *reason) {
    MAGIC_CHECK(sink, MAGIC);
    return client_connected(&sink->client, 0, reason);
}

// --- Transactions

// Words and class of a failed call; takes the error.
static enum status failed(struct kafka_sink *sink, const char *what, rd_kafka_error_t *error,
                          struct err *err) {
    char text[256], trouble[CLIENT_TROUBLE_SIZE];
    client_printable(text, sizeof text, rd_kafka_error_string(error));
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool retriable = rd_kafka_error_is_retriable(error);
    rd_kafka_error_destroy(error);
    if (!retriable) {
        return give_up(sink, what, code, text, err);
    }
    client_trouble(&sink->client, trouble);
    return err_set(err, ST_RETRY, "%s: %s", what, trouble[0] != '\0' ? trouble : text);
}

// A topic that is missing or denied is better known before anything is done for it. No answer is no
// refusal.
static enum status look_at_topics(struct kafka_sink *sink, const char *const *topics,
                                  int timeout_ms, struct err *err) {
    int64_t now_ms = clock_mono_ms(), deadline_ms = now_ms + timeout_ms;
    if (sink->looked_ms != 0 && now_ms - sink->looked_ms < LOOK_EVERY_MS) {
        return err_set(err, ST_RETRY, "%s", sink->reason);
    }
    sink->looked_ms = now_ms;
    for (; *topics != NULL && now_ms < deadline_ms; topics++, now_ms = clock_mono_ms()) {
        int partitions;
        rd_kafka_resp_err_t code;
        if (client_ask_topic(&sink->client, *topics, (int)(deadline_ms - now_ms), &partitions,
                             &code) == ST_OK &&
            (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
             code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)) {
            client_error_topic(err, *topics, code, NULL, "WRITE");
            str_copy(sink->reason, sizeof sink->reason, str_of(err->text));
            return err->status = ST_RETRY;
        }
    }
    return ST_OK;
}

// How large records and batches may be is known before the first is sent, if the brokers tell us. A
// producer whose batches are too large is closed: the next one's are not. ST_RETRY then.
static enum status look_at_limits(struct kafka_sink *sink, const char *const *topics,
                                  int timeout_ms, struct err *err) {
    for (; *topics != NULL; topics++) {
        (void)sizes_of(&sink->sizes, *topics);
    }
    sizes_refresh(&sink->sizes, sink->client.rk, timeout_ms, clock_mono_ms());
    if (sizes_batch(&sink->sizes, sink->batch_most) == sink->batch_bytes) {
        return ST_OK;
    }
    kafka_sink_abandon(sink);
    return err_set(err, ST_RETRY, "%s", "the limits of the topics are other ones now");
}

// Ends what a predecessor left open. ST_FATAL if the user may not use this id.
static enum status initialise(struct kafka_sink *sink, int timeout_ms, struct err *err) {
    rd_kafka_error_t *error = rd_kafka_init_transactions(sink->client.rk, timeout_ms);
    if (error == NULL) {
        enter(sink, SINK_KNOWN);
        sink->looked_ms = 0;
        return ST_OK;
    }
    bool denied =
        rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    kafka_sink_poll(sink); // why nobody answers is told by a poll only
    if (failed(sink, "opening transactions", error, err) != ST_RETRY) {
        kafka_sink_abandon(sink);
    }
    return !denied ? (err->status = ST_RETRY)
                   : err_set(err, ST_FATAL,
                             "the user may not use the transactional id %s: give it the ACL WRITE "
                             "on transactional ids that begin with the agent's group",
                             sink->options.transactional_id);
}

enum status kafka_sink_open(struct kafka_sink *sink, const char *const *topics, int timeout_ms,
                            struct err *err) {
    MAGIC_CHECK(sink, MAGIC);
    require(sink->transactional);
    if (sink->phase >= SINK_OPEN) {
        return ST_OK;
    }
    if (sink->phase == SINK_CLOSED && open_producer(sink, err) != ST_OK) {
        return ST_FATAL;
    }
    enum status st = sink->phase == SINK_KNOWN ? ST_OK : initialise(sink, timeout_ms, err);
    if (st == ST_OK) {
        st = look_at_topics(sink, topics, timeout_ms, err);
    }
    if (st == ST_OK) {
        st = look_at_limits(sink, topics, timeout_ms, err);
    }
    if (st != ST_OK) {
        return st;
    }
    atomic_store(&sink->client.doubtful, false);
    sink->fenced = false;
    enter(sink, SINK_OPEN);
    return ST_OK;
}

bool kafka_sink_is_open(const struct kafka_sink *sink) {
    return sink->phase >= SINK_OPEN;
}

bool kafka_sink_was_fenced(const struct kafka_sink *sink) {
    return sink->fenced;
}

enum status kafka_sink_begin(struct kafka_sink *sink, struct err *err) {
    MAGIC_CHECK(sink, MAGIC);
    require(sink->phase == SINK_OPEN);
    sink->refused = 0;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->client.rk);
    if (error != NULL) {
        failed(sink, "beginning a transaction", error, err);
        return err->status = ST_ABORT;
    }
    enter(sink, SINK_BEGUN);
    return ST_OK;
}

static enum status send_positions(struct kafka_sink *sink, struct client *group,
                                  const struct sink_position *positions, size_t count,
                                  int timeout_ms, struct err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition);
        p->offset = positions[i].offset;
        char mark[64];
        p->metadata_size =
            (size_t)snprintf(mark, sizeof mark, CLIENT_MARK "%lld", (long long)positions[i].mark);
        p->metadata = strdup(mark); // the library frees it
    }
    // Asked for now: a member that was thrown out of the group since must be refused.
    rd_kafka_consumer_group_metadata_t *member = rd_kafka_consumer_group_metadata(group->rk);
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(sink->client.rk, list, member, timeout_ms);
    rd_kafka_consumer_group_metadata_destroy(member);
    rd_kafka_topic_partition_list_destroy(list);
    if (error != NULL) {
        return failed(sink, "sending positions", error, err);
    }
    enter(sink, SINK_POSITIONED);
    return ST_OK;
}

// Every record acknowledged, so that a refused one is known with its reason.
static enum status settle_records(struct kafka_sink *sink, int timeout_ms, struct err *err) {
    rd_kafka_flush(sink->client.rk, timeout_ms);
    if (sink->refused > 0) {
        return give_up(sink, "sending records", sink->refusal, NULL, err);
    }
    size_t left = sink->outstanding;
    return left == 0 ? ST_OK : err_set(err, ST_RETRY, "%zu records are not acknowledged yet", left);
}

enum status kafka_sink_commit(struct kafka_sink *sink, struct client *group,
                              const struct sink_position *positions, size_t count, int timeout_ms,
                              struct err *err) {
    MAGIC_CHECK(sink, MAGIC);
    require(sink->phase == SINK_BEGUN || sink->phase == SINK_POSITIONED);
    require(group != NULL || count == 0);
    enum status st = replace_if_fatal(sink, err);
    if (st == ST_OK && sink->phase == SINK_BEGUN && group != NULL && count > 0) {
        st = send_positions(sink, group, positions, count,
                            timeout_ms > POSITIONS_MS ? timeout_ms : POSITIONS_MS, err);
    }
    if (st == ST_OK) {
        CRASH_POINT("commit.offsets");
        st = settle_records(sink, timeout_ms, err);
    }
    if (st != ST_OK) {
        return st;
    }
    CRASH_POINT("commit.flushed");
    CRASH_POINT_SOON("commit.during");
    rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->client.rk, timeout_ms);
    if (error != NULL) {
        return failed(sink, "committing the transaction", error, err);
    }
    enter(sink, SINK_OPEN);
    sizes_refresh(&sink->sizes, sink->client.rk, 0, clock_mono_ms());
    if (atomic_load(&sink->client.doubtful)) {
        log_info("kafka_producer_replaced", "reason=%s", "a connection broke inside a transaction");
        metrics_add(METRIC_PRODUCERS_REPLACED, 1);
        kafka_sink_abandon(sink);
    } else if (sizes_batch(&sink->sizes, sink->batch_most) != sink->batch_bytes) {
        kafka_sink_abandon(sink);
    }
    return ST_OK;
}

void kafka_sink_abandon(struct kafka_sink *sink) {
    MAGIC_CHECK(sink, MAGIC);
    drain_and_close(sink);
    sink->refused = 0;
}
