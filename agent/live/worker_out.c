// worker_out: what the engine and the pipelines hand out, encoded and put into the open
// transaction. Called from within the worker's turn. A full queue is waited for: it empties as the
// broker takes records, and if it does not, the transaction has failed.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "worker.h"

enum { QUEUE_TIMEOUT_MS = 30000 };

enum status worker_send(struct worker *worker, enum agent_topic topic,
                        const struct sink_record *record) {
    struct err err = {0};
    enum status status = ST_OK;
    if (worker->broken) {
        return ST_OK;
    }
    if (!worker->in_transaction) {
        worker->in_transaction = true;
        status = kafka_sink_begin(worker->sink, &err);
    }
    int64_t deadline_ms = 0;
    while (status == ST_OK && (status = kafka_sink_send(worker->sink, record, &err)) == ST_RETRY) {
        int64_t now_ms = clock_mono_ms();
        deadline_ms = deadline_ms == 0 ? now_ms + QUEUE_TIMEOUT_MS : deadline_ms;
        status = now_ms < deadline_ms ? ST_OK : ST_ABORT;
    }
    if (status == ST_SKIP) {
        return ST_SKIP;
    }
    if (status != ST_OK) {
        worker_note_broken(worker, "publish", &err);
        return ST_OK;
    }
    worker->sent[topic]++;
    worker->records++;
    worker->bytes += (int64_t)(record->key.len + record->value.len);
    return ST_OK;
}

static enum status send_encoded(struct worker *worker, enum agent_topic topic, const char *key) {
    struct sink_record record = {.topic = worker->options->topics[topic],
                                 .key = str_of(key),
                                 .value = buf_str(&worker->encoded)};
    return worker_send(worker, topic, &record);
}

static void on_run(void *ctx, const struct pipeline_run *run) {
    struct worker *worker = ctx;
    avro_encode_run(worker->codec, run, &worker->encoded);
    if (send_encoded(worker, TOPIC_RUNS, run->identity.pipeline) == ST_SKIP) {
        struct pipeline_run less = *run; // the lists made it too large: what stage 2 needs is short
        less.stage_count = less.recommendation_count = 0;
        less.open_count = less.open_count < 20 ? less.open_count : 20;
        avro_encode_run(worker->codec, &less, &worker->encoded);
        metrics_add(METRIC_LIMIT_HITS, 1);
        if (send_encoded(worker, TOPIC_RUNS, run->identity.pipeline) != ST_OK) {
            log_error("run_not_published", "run=%s reason=%s", run->id, "too large for the topic");
        }
    }
}

static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *bottleneck) {
    struct worker *worker = ctx;
    avro_encode_bottleneck(worker->codec, identity, run_id, bottleneck, &worker->encoded);
    if (send_encoded(worker, TOPIC_BOTTLENECKS, identity->pipeline) != ST_OK) {
        log_error("bottleneck_not_published", "id=%s reason=%s", bottleneck->id,
                  "too large for the topic");
    }
    worker->urgent |= bottleneck->severity >= worker->options->pipelines.alert_min;
    if (worker->options->on_bottleneck != NULL) {
        worker->options->on_bottleneck(worker->options->hook_ctx, identity, bottleneck);
    }
}

static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *recommendation) {
    struct worker *worker = ctx;
    avro_encode_recommendation(worker->codec, identity, run_id, recommendation, &worker->encoded);
    if (send_encoded(worker, TOPIC_RECOMMENDATIONS, identity->pipeline) != ST_OK) {
        log_error("recommendation_not_published", "id=%s reason=%s", recommendation->id,
                  "too large for the topic");
    }
}

static void on_window(void *ctx, const struct pipeline_window *window) {
    struct worker *worker = ctx;
    avro_encode_window(worker->codec, window, &worker->encoded);
    if (send_encoded(worker, TOPIC_WINDOWS, window->pipeline) != ST_OK) {
        log_error("window_not_published", "pane_start_ms=%lld", (long long)window->pane_start_ms);
    }
}

static void on_alert(void *ctx, const struct alert *alert) {
    struct worker *worker = ctx;
    MEM_GROW(worker->news, worker->news_count, worker->news_cap);
    worker->news[worker->news_count++] = *alert;
    worker->urgent = true;
}

const struct engine_output worker_engine_output = {
    .run = on_run, .bottleneck = on_bottleneck, .recommendation = on_recommendation};
const struct pipelines_output worker_pipelines_output = {.window = on_window, .alert = on_alert};

// reason="malformed" -> malformed
static struct str reason_word(enum metric reason) {
    const char *label = metrics_row(reason)->label;
    const char *quote = strchr(label, '"');
    struct str word = str_of(quote == NULL ? label : quote + 1);
    word.len -= word.len > 0 && word.p[word.len - 1] == '"';
    return word;
}

void worker_dead_letter(struct worker *worker, const struct message *message, enum metric reason,
                        const char *words) {
    if (!worker->options->dlq_enabled) {
        return;
    }
    char partition[16], offset[24];
    snprintf(partition, sizeof partition, "%d", (int)message->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)message->offset);
    struct sink_header headers[] = {{"stoker.error.reason", reason_word(reason)},
                                    {"stoker.error.text", str_of(words)},
                                    {"stoker.source.topic", str_of(message->topic)},
                                    {"stoker.source.partition", str_of(partition)},
                                    {"stoker.source.offset", str_of(offset)}};
    struct sink_record record = {.topic = worker->options->topics[TOPIC_DLQ],
                                 .key = message->key,
                                 .value = message->value,
                                 .headers = headers,
                                 .header_count = ARRAY_LEN(headers)};
    if (worker_send(worker, TOPIC_DLQ, &record) == ST_SKIP) {
        record.value.len = 0; // too large to keep whole: at least where it lies
        if (worker_send(worker, TOPIC_DLQ, &record) != ST_OK) {
            log_error("dead_letter_not_kept", "partition=%s offset=%s", partition, offset);
        }
    }
}
