// transaction: see the header. A full queue is waited for: it empties as the broker takes records,
// and if it does not, the transaction has failed. One that failed, or of which nobody knows, is
// never mended: it takes the road of a crash.
#include "transaction.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "live/due.h"

enum {
    OPEN_TIMEOUT_MS = 500,
    SOON_MS = 1000,
    QUEUE_TIMEOUT_MS = 30000,
    FENCES_WITHIN_MS = 60000,
    SAME_FENCE_MS = 300,
    OVERSIZE_SAY_MS = 60000,
    OVERSIZE_MARGIN_BYTES = 1024, // framing, and then some
    TIMES_MAX = 1000000
};

enum status transaction_init(struct transaction *tx, const struct agent_options *options,
                             const char *id, struct err *err) {
    struct kafka_sink_options sink = {.max_record_bytes = options->max_record_bytes,
                                      .transactional_id = id};
    *tx = (struct transaction){.options = options, .id = id};
    return kafka_sink_new(&options->producer, &sink, (struct kafka_sink_callbacks){0}, &tx->sink,
                          err);
}

void transaction_fini(struct transaction *tx) {
    kafka_sink_free(tx->sink);
    mem_free(tx->news);
    mem_free(tx->headers);
}

void transaction_waits(struct transaction *tx, int64_t now_ms, const char *words) {
    tx->closed_ms = tx->closed_ms == 0 ? now_ms : tx->closed_ms;
    if (now_ms - tx->closed_ms > SOON_MS && strcmp(tx->waiting, words) != 0) {
        log_warn("kafka_waiting", "worker=%s reason=%s", tx->id, words);
        str_copy(tx->waiting, sizeof tx->waiting, str_of(words));
    }
}

enum status transaction_possible(struct transaction *tx, bool *possible, struct err *err) {
    *possible = kafka_sink_is_open(tx->sink);
    int64_t now_ms = clock_mono_ms();
    if (*possible || now_ms < tx->again_ms) {
        return ST_OK;
    }
    const char *topics[TOPIC_COUNT + 1] = {0}; // NULL-ended
    int count = 0;
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        if (topic_is_written(t, tx->options->dlq_enabled)) {
            topics[count++] = tx->options->topics[t];
        }
    }
    enum status status = kafka_sink_open(tx->sink, topics, OPEN_TIMEOUT_MS, err);
    *possible = status == ST_OK;
    if (*possible) {
        transaction_waits_no_more(tx); // the words of what failed stay: it may fail again
    } else {
        transaction_waits(tx, now_ms, err->text);
    }
    return status == ST_FATAL ? ST_FATAL : ST_OK;
}

void transaction_break(struct transaction *tx, const char *what, const struct err *err) {
    if (!tx->broken) {
        tx->broken = true;
        snprintf(tx->trouble, sizeof tx->trouble, "%s: %.480s", what, err->text);
        log_warn("transaction_failed", "worker=%s step=%s error=%s", tx->id, what, err->text);
    }
}

enum status transaction_begin(struct transaction *tx, struct err *err) {
    require(!tx->broken);
    if (tx->begun) {
        return ST_OK;
    }
    require(tx->records == 0 && tx->bytes == 0);
    tx->begun = true;
    return kafka_sink_begin(tx->sink, err);
}

enum status transaction_send(struct transaction *tx, enum topic topic,
                             const struct sink_record *record) {
    struct err err = {0};
    if (tx->broken) {
        return ST_OK;
    }
    enum status status = transaction_begin(tx, &err);
    int64_t deadline_ms = 0;
    while (status == ST_OK && (status = kafka_sink_send(tx->sink, record, &err)) == ST_RETRY) {
        int64_t now_ms = clock_mono_ms();
        deadline_ms = deadline_ms == 0 ? now_ms + QUEUE_TIMEOUT_MS : deadline_ms;
        status = now_ms < deadline_ms ? ST_OK : ST_ABORT;
    }
    if (status == ST_SKIP) {
        return ST_SKIP;
    }
    if (status != ST_OK) {
        transaction_break(tx, "publish", &err);
        return ST_OK;
    }
    tx->sent[topic]++;
    tx->records++;
    tx->bytes += (int64_t)(record->key.len + record->value.len);
    return ST_OK;
}

void transaction_oversize(struct transaction *tx, enum topic topic, int64_t bytes) {
    struct oversize *oversize = &tx->oversize[topic];
    oversize->records++;
    oversize->largest_bytes = bytes > oversize->largest_bytes ? bytes : oversize->largest_bytes;
}

static void settle_oversize(struct transaction *tx, enum topic topic, int64_t now_ms) {
    struct oversize *oversize = &tx->oversize[topic];
    if (oversize->records == 0) {
        return;
    }
    metrics_add(topic_row(topic)->too_large, oversize->records);
    if (oversize->said_ms == 0 || now_ms - oversize->said_ms >= OVERSIZE_SAY_MS) {
        const char *name = tx->options->topics[topic];
        char remedy[512];
        snprintf(remedy, sizeof remedy,
                 "kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config "
                 "max.message.bytes=%lld",
                 name, (long long)oversize->largest_bytes + OVERSIZE_MARGIN_BYTES);
        oversize->said_ms = now_ms;
        log_warn("records_too_large",
                 "topic=%s records=%lld largest_bytes=%lld takes_bytes=%lld remedy=%s", name,
                 (long long)oversize->records, (long long)oversize->largest_bytes,
                 (long long)kafka_sink_room(tx->sink, name), remedy);
    }
}

// reason="malformed" -> malformed
static struct str reason_word(enum metric reason) {
    const char *label = metrics_row(reason)->label;
    const char *quote = strchr(label, '"');
    struct str word = str_of(quote == NULL ? label : quote + 1);
    word.len -= word.len > 0 && word.p[word.len - 1] == '"';
    return word;
}

// What a dead letter says of itself, in this order.
enum {
    SAYS_REASON,
    SAYS_TEXT,
    SAYS_TIMES, // how often this message has become one: it may have been sent in again
    SAYS_TOPIC,
    SAYS_PARTITION,
    SAYS_OFFSET,
    SAYS_TIMESTAMP,
    SAYS_DROPPED,       // headers that are not here
    SAYS_VALUE_DROPPED, // bytes of the value, which is not here
    SAYS_KEY_DROPPED,   // of the key
    SAYS_COUNT
};
static const char *const says[SAYS_COUNT] = {"stoker.error.reason",        "stoker.error.text",
                                             "stoker.error.times",         "stoker.source.topic",
                                             "stoker.source.partition",    "stoker.source.offset",
                                             "stoker.source.timestamp_ms", "stoker.headers.dropped",
                                             "stoker.value.dropped",       "stoker.key.dropped"};

// What is said by now; a header without a name is not.
struct letter {
    struct message_header ours[SAYS_COUNT];
    char texts[SAYS_COUNT][24]; // of numbers
};

static void say(struct letter *letter, int what, struct str text) {
    letter->ours[what] = (struct message_header){says[what], text};
}

static void say_number(struct letter *letter, int what, int64_t number) {
    char *text = letter->texts[what];
    int n = snprintf(text, sizeof letter->texts[what], "%lld", (long long)number);
    say(letter, what, (struct str){text, (size_t)n});
}

static bool is_said(const char *name) {
    for (int i = 0; i < SAYS_COUNT; i++) {
        if (strcmp(name, says[i]) == 0) {
            return true;
        }
    }
    return false;
}

// What of a message its dead letter holds, from all to where it lies.
enum letter_form { LETTER_WHOLE, LETTER_NO_VALUE, LETTER_NO_HEADERS, LETTER_NO_KEY, LETTER_FORMS };

// The message's own headers, then ours. Those an earlier dead letter of it got say nothing true any
// more: a message that was sent in again and failed again looks as if it had failed once, but for
// the number of times.
static uint32_t letter_headers(struct transaction *tx, const struct message *message,
                               enum letter_form form, struct letter *letter) {
    uint32_t count = 0, own = 0;
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (!is_said(message->headers[i].name)) {
            MEM_GROW(tx->headers, own, tx->header_cap);
            tx->headers[own++] = message->headers[i];
        }
    }
    count = form < LETTER_NO_HEADERS ? own : 0;
    const int64_t dropped[SAYS_COUNT] = {
        [SAYS_DROPPED] = message->headers_dropped + own - count,
        [SAYS_VALUE_DROPPED] = form < LETTER_NO_VALUE ? 0 : (int64_t)message->value.len,
        [SAYS_KEY_DROPPED] = form < LETTER_NO_KEY ? 0 : (int64_t)message->key.len};
    for (int i = 0; i < SAYS_COUNT; i++) {
        if (dropped[i] > 0) {
            say_number(letter, i, dropped[i]);
        }
        if (letter->ours[i].name != NULL) {
            MEM_GROW(tx->headers, count, tx->header_cap);
            tx->headers[count++] = letter->ours[i];
        }
    }
    return count;
}

// In the first form that the topic takes.
static void send_letter(struct transaction *tx, const struct message *message,
                        struct letter *letter) {
    enum status status = ST_SKIP;
    for (enum letter_form form = LETTER_WHOLE; form < LETTER_FORMS && status == ST_SKIP; form++) {
        struct sink_record record = {.topic = tx->options->topics[TOPIC_DLQ],
                                     .key = message->key,
                                     .value = message->value,
                                     .timestamp_ms = message->timestamp_ms};
        record.header_count = letter_headers(tx, message, form, letter);
        record.headers = tx->headers;
        record.value.len = form < LETTER_NO_VALUE ? record.value.len : 0;
        record.key = form < LETTER_NO_KEY ? record.key : (struct str){NULL, 0};
        status = transaction_send(tx, TOPIC_DLQ, &record);
        if (status == ST_SKIP && form == LETTER_WHOLE) {
            transaction_oversize(tx, TOPIC_DLQ, sink_record_bytes(&record));
        }
    }
    if (status != ST_OK) {
        log_error("dead_letter_not_kept", "partition=%s offset=%s", letter->texts[SAYS_PARTITION],
                  letter->texts[SAYS_OFFSET]);
    }
}

void transaction_dead_letter(struct transaction *tx, const struct message *message,
                             enum metric reason, const char *words) {
    if (!tx->options->dlq_enabled) {
        return;
    }
    int64_t before = 0;
    (void)str_to_i64(message_header_last(message, says[SAYS_TIMES]), &before);
    before = before > 0 && before < TIMES_MAX ? before : 0;
    struct letter letter = {0};
    say(&letter, SAYS_REASON, reason_word(reason));
    say(&letter, SAYS_TEXT, str_of(words));
    say_number(&letter, SAYS_TIMES, before + 1);
    say(&letter, SAYS_TOPIC, str_of(message->topic));
    say_number(&letter, SAYS_PARTITION, message->partition);
    say_number(&letter, SAYS_OFFSET, message->offset);
    if (message->timestamp_ms != 0) {
        say_number(&letter, SAYS_TIMESTAMP, message->timestamp_ms);
    }
    send_letter(tx, message, &letter);
}

void transaction_alert(struct transaction *tx, const struct alert *alert) {
    MEM_GROW(tx->news, tx->news_count, tx->news_cap);
    tx->news[tx->news_count++] = *alert;
    tx->urgent = true;
}

static void clear(struct transaction *tx) {
    tx->begun = tx->broken = tx->urgent = false;
    tx->records = tx->bytes = 0;
    tx->news_count = 0;
    memset(tx->sent, 0, sizeof tx->sent);
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        tx->oversize[t].records = tx->oversize[t].largest_bytes = 0;
    }
}

void transaction_settle(struct transaction *tx, struct alert_doors *alerts, const void *holder) {
    require(tx->begun && !tx->broken);
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        enum metric counts = topic_row(t)->counts;
        if (counts != METRIC_COUNT) {
            metrics_add(counts, tx->sent[t]);
        }
        settle_oversize(tx, t, clock_mono_ms());
    }
    if (tx->news_count > 0) {
        alert_doors_update(alerts, holder, tx->news, tx->news_count, clock_wall_ms());
    }
    clear(tx);
    transaction_forget_failures(tx);
}

enum status transaction_give_up(struct transaction *tx, int64_t now_ms, struct err *err) {
    require(tx->broken);
    enum status status =
        kafka_sink_was_fenced(tx->sink) ? transaction_note_fence(tx, now_ms, err) : ST_OK;
    if (tx->hopeless) {
        status = err_set(err, ST_FATAL, "%s", tx->trouble);
    }
    metrics_add(METRIC_TXN_ABORTS, 1);
    kafka_sink_abandon(tx->sink);
    tx->again_ms = now_ms + due_again_ms(++tx->failures);
    clear(tx);
    return status;
}

enum status transaction_note_fence(struct transaction *tx, int64_t now_ms, struct err *err) {
    if (tx->fences[0] != 0 && now_ms - tx->fences[0] < SAME_FENCE_MS) {
        return ST_OK; // consumer and producer tell of the same
    }
    metrics_add(METRIC_FENCED, 1);
    bool often = tx->fences[1] != 0 && now_ms - tx->fences[1] < FENCES_WITHIN_MS;
    tx->fences[1] = tx->fences[0];
    tx->fences[0] = now_ms;
    return often ? err_set(err, ST_FATAL,
                           "another process uses the name %s: give every agent its own "
                           "agent.instance",
                           tx->id)
                 : ST_OK;
}

void transaction_forget_failures(struct transaction *tx) {
    tx->failures = 0;
    tx->trouble[0] = '\0';
}
