// agent_out: what the engine and the pipelines hand out, encoded and given to the producer. Called
// from within the agent's loop; a full queue never blocks it: records wait in order and input is
// paused.
#include <stdio.h>
#include <string.h>

#include "agent_priv.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

static void keep_pending(struct agent *agent, enum agent_topic topic,
                         const struct sink_record *record) {
    MEM_GROW(agent->pending, agent->pending_count, agent->pending_cap);
    struct agent_pending *p = &agent->pending[agent->pending_count++];
    *p = (struct agent_pending){
        .topic = topic, .key_len = record->key.len, .value_len = record->value.len};
    p->key = record->key.p == NULL ? NULL : mem_strndup(record->key.p, record->key.len);
    p->value = mem_strndup(record->value.p == NULL ? "" : record->value.p, record->value.len);
    p->header_count = record->header_count;
    for (size_t i = 0; i < record->header_count; i++) {
        struct str value = record->headers[i].value;
        p->headers[i].name = record->headers[i].name;
        p->headers[i].value = (struct str){mem_strndup(value.p, value.len), value.len};
    }
}

static void free_pending(struct agent_pending *p) {
    mem_free(p->key);
    mem_free(p->value);
    for (size_t i = 0; i < p->header_count; i++) {
        mem_free((char *)p->headers[i].value.p);
    }
}

void agent_drop_pending(struct agent *agent) {
    for (uint32_t i = 0; i < agent->pending_count; i++) {
        free_pending(&agent->pending[i]);
    }
    agent->pending_count = 0;
}

static void note_trouble(struct agent *agent, const struct err *err) {
    static struct log_gate gate;
    agent->broken = true;
    snprintf(agent->trouble, sizeof agent->trouble, "publishing: %.200s", err->text);
    if (log_gate_open(&gate, agent->committed_ms, 10000, NULL)) {
        log_error("publish_failed", "error=%s", err->text);
    }
}

// ST_OK or ST_SKIP (too large); anything else was taken care of.
static enum status send_record(struct agent *agent, enum agent_topic topic,
                               const struct sink_record *record) {
    struct err err = {0};
    if (agent->pending_count > 0) {
        keep_pending(agent, topic, record);
        return ST_OK;
    }
    enum status status = kafka_sink_send(agent->sink, record, &err);
    if (status == ST_RETRY) {
        keep_pending(agent, topic, record);
        return ST_OK;
    }
    if (status == ST_ABORT || status == ST_FATAL) {
        note_trouble(agent, &err);
        return ST_OK;
    }
    return status;
}

bool agent_send_pending(struct agent *agent) {
    uint32_t sent = 0;
    while (sent < agent->pending_count && !agent->broken) {
        struct agent_pending *p = &agent->pending[sent];
        struct sink_record record = {.topic = agent->options.topics[p->topic],
                                     .key = {p->key, p->key_len},
                                     .value = {p->value, p->value_len},
                                     .headers = p->headers,
                                     .header_count = p->header_count};
        struct err err = {0};
        enum status status = kafka_sink_send(agent->sink, &record, &err);
        if (status == ST_RETRY) {
            break;
        }
        if (status == ST_ABORT || status == ST_FATAL) {
            note_trouble(agent, &err);
            break;
        }
        free_pending(p);
        sent++;
    }
    if (sent > 0) {
        memmove(agent->pending, agent->pending + sent,
                (agent->pending_count - sent) * sizeof *agent->pending);
    }
    agent->pending_count -= sent;
    return agent->pending_count == 0;
}

static enum status send_encoded(struct agent *agent, enum agent_topic topic, const char *key) {
    struct sink_record record = {.topic = agent->options.topics[topic],
                                 .key = str_of(key),
                                 .value = buf_str(&agent->encoded)};
    return send_record(agent, topic, &record);
}

static void on_run(void *ctx, const struct pipeline_run *run) {
    struct agent *agent = ((struct agent_part *)ctx)->agent;
    avro_encode_run(agent->codec, run, &agent->encoded);
    if (send_encoded(agent, TOPIC_RUNS, run->identity.pipeline) == ST_SKIP) {
        struct pipeline_run less = *run; // the lists made it too large: what stage 2 needs is short
        less.stage_count = less.recommendation_count = 0;
        less.open_count = less.open_count < 20 ? less.open_count : 20;
        avro_encode_run(agent->codec, &less, &agent->encoded);
        metrics_add(METRIC_LIMIT_HITS, 1);
        if (send_encoded(agent, TOPIC_RUNS, run->identity.pipeline) != ST_OK) {
            log_error("run_not_published", "run=%s reason=%s", run->id, "too large for the topic");
        }
    }
}

static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *bottleneck) {
    struct agent *agent = ((struct agent_part *)ctx)->agent;
    avro_encode_bottleneck(agent->codec, identity, run_id, bottleneck, &agent->encoded);
    if (send_encoded(agent, TOPIC_BOTTLENECKS, identity->pipeline) != ST_OK) {
        log_error("bottleneck_not_published", "id=%s reason=%s", bottleneck->id,
                  "too large for the topic");
    }
    if (agent->options.on_bottleneck != NULL) {
        agent->options.on_bottleneck(agent->options.hook_ctx, identity, bottleneck);
    }
}

static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *recommendation) {
    struct agent *agent = ((struct agent_part *)ctx)->agent;
    avro_encode_recommendation(agent->codec, identity, run_id, recommendation, &agent->encoded);
    if (send_encoded(agent, TOPIC_RECOMMENDATIONS, identity->pipeline) != ST_OK) {
        log_error("recommendation_not_published", "id=%s reason=%s", recommendation->id,
                  "too large for the topic");
    }
}

static void on_window(void *ctx, const struct pipeline_window *window) {
    struct agent *agent = ((struct agent_part *)ctx)->agent;
    avro_encode_window(agent->codec, window, &agent->encoded);
    if (send_encoded(agent, TOPIC_WINDOWS, window->pipeline) != ST_OK) {
        log_error("window_not_published", "pane_start_ms=%lld", (long long)window->pane_start_ms);
    }
}

static void on_alert(void *ctx, const struct alert *alert) {
    struct agent *agent = ((struct agent_part *)ctx)->agent;
    MEM_GROW(agent->news, agent->news_count, agent->news_cap);
    agent->news[agent->news_count++] = *alert;
}

const struct engine_output agent_engine_output = {
    .run = on_run, .bottleneck = on_bottleneck, .recommendation = on_recommendation};
const struct pipelines_output agent_pipelines_output = {.window = on_window, .alert = on_alert};

// reason="malformed" -> malformed
static struct str reason_word(enum metric reason) {
    const char *label = metrics_row(reason)->label;
    const char *quote = strchr(label, '"');
    struct str word = str_of(quote == NULL ? label : quote + 1);
    word.len -= word.len > 0 && word.p[word.len - 1] == '"';
    return word;
}

void agent_dead_letter(struct agent *agent, const struct message *message, enum metric reason,
                       const char *words) {
    if (!agent->options.dlq_enabled) {
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
    struct sink_record record = {.topic = agent->options.topics[TOPIC_DLQ],
                                 .key = message->key,
                                 .value = message->value,
                                 .headers = headers,
                                 .header_count = ARRAY_LEN(headers)};
    if (send_record(agent, TOPIC_DLQ, &record) == ST_SKIP) {
        record.value.len = 0; // too large to keep whole: at least where it lies
        if (send_record(agent, TOPIC_DLQ, &record) != ST_OK) {
            log_error("dead_letter_not_kept", "partition=%s offset=%s", partition, offset);
        }
    }
    metrics_add(METRIC_DLQ_RECORDS, 1);
}
