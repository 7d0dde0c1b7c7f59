// agent: see the header. The loop: take messages, hand them to the partition's engine or pipelines,
// and, once a commit interval, wait for the output's acknowledgements, commit the input, then send
// the alerts.
#include "agent_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum { QUEUE_HIGH = 50000 };

struct agent_part *agent_find_part(const struct agent *agent, const char *topic,
                                   int32_t partition) {
    for (uint32_t i = 0; i < agent->part_count; i++) {
        struct agent_part *part = agent->parts[i];
        if (part->partition == partition && strcmp(part->topic, topic) == 0) {
            return part;
        }
    }
    return NULL;
}

static void forget_alert(void *ctx, const struct alert *alert) {
    alertmanager_forget(((struct agent *)ctx)->alerts, alert, 1);
}

static void drop_part(struct agent *agent, struct agent_part *part) {
    if (part->pipelines != NULL) { // the next owner goes on with these alerts
        pipelines_each_alert(part->pipelines, forget_alert, agent);
    }
    engine_free(part->engine);
    pipelines_free(part->pipelines);
    for (uint32_t i = 0; i < agent->part_count; i++) {
        if (agent->parts[i] == part) {
            agent->parts[i] = agent->parts[--agent->part_count];
            break;
        }
    }
    mem_free(part);
}

static void on_assigned(void *ctx, const char *topic, int32_t partition) {
    struct agent *agent = ctx;
    bool runs = strcmp(topic, agent->options.topics[TOPIC_RUNS]) == 0;
    struct agent_part *part = mem_zalloc(1, sizeof *part);
    part->agent = agent;
    part->topic = agent->options.topics[runs ? TOPIC_RUNS : TOPIC_EVENTS];
    part->partition = partition;
    part->next_offset = part->committed_offset = -1;
    part->heard_ms = clock_mono_ms();
    if (runs) {
        struct pipelines_output output = agent_pipelines_output;
        output.ctx = part;
        part->pipelines = pipelines_new(&agent->options.pipelines, &output);
    } else {
        struct engine_output output = agent_engine_output;
        output.ctx = part;
        part->engine = engine_new(&agent->options.engine, agent->decoder, &output);
    }
    MEM_GROW(agent->parts, agent->part_count, agent->part_cap);
    agent->parts[agent->part_count++] = part;
    log_info("partition_assigned", "topic=%s partition=%d", topic, (int)partition);
}

static void on_revoking(void *ctx, bool lost) {
    struct agent *agent = ctx;
    struct err err = {0};
    metrics_add(METRIC_REBALANCES, 1);
    if (!lost && !agent->broken && agent_commit(agent, AGENT_FLUSH_MS, &err) != ST_OK) {
        log_warn("commit_before_revoke_failed", "error=%s", err.text);
    }
}

static void on_revoked(void *ctx, const char *topic, int32_t partition, bool lost) {
    struct agent *agent = ctx;
    struct agent_part *part = agent_find_part(agent, topic, partition);
    log_info("partition_revoked", "topic=%s partition=%d lost=%d", topic, (int)partition,
             (int)lost);
    if (part != NULL) {
        drop_part(agent, part);
    }
}

enum status agent_open_source(struct agent *agent, struct err *err) {
    const char *topics[] = {agent->options.topics[TOPIC_EVENTS], agent->options.topics[TOPIC_RUNS]};
    struct kafka_source_options options = {.group = agent->options.group,
                                           .topics = topics,
                                           .topic_count = ARRAY_LEN(topics),
                                           .alone = agent->options.alone};
    struct kafka_source_callbacks callbacks = {agent, on_assigned, on_revoking, on_revoked};
    return kafka_source_new(&agent->options.consumer, &options, callbacks, &agent->source, err);
}

static void on_delivered(void *ctx, const char *topic, uint64_t count) {
    struct agent *agent = ctx;
    static const enum metric counted[TOPIC_COUNT] = {
        [TOPIC_EVENTS] = METRIC_COUNT,
        [TOPIC_RUNS] = METRIC_RUNS_OUT,
        [TOPIC_BOTTLENECKS] = METRIC_BOTTLENECKS_OUT,
        [TOPIC_RECOMMENDATIONS] = METRIC_RECOMMENDATIONS_OUT,
        [TOPIC_WINDOWS] = METRIC_WINDOWS_OUT,
        [TOPIC_DLQ] = METRIC_COUNT,
    };
    for (int t = 0; t < TOPIC_COUNT; t++) {
        if (counted[t] != METRIC_COUNT && strcmp(topic, agent->options.topics[t]) == 0) {
            metrics_add(counted[t], (int64_t)count);
        }
    }
}

enum status agent_new(const struct agent_options *options, struct agent **out, struct err *err) {
    struct agent *agent = mem_zalloc(1, sizeof *agent);
    agent->options = *options;
    agent->started_ms = clock_wall_ms();
    agent->committed_ms = clock_mono_ms();
    agent->decoder = decoder_new(&agent->options.decode);
    agent->codec = avro_codec_new();
    agent->exposition = exposition_new(options->metrics_pipelines_max);
    struct kafka_sink_options sink = {.max_record_bytes = options->max_record_bytes,
                                      .queue_wait_ms = 1};
    struct kafka_sink_callbacks callbacks = {agent, on_delivered};
    enum status status = ST_OK;
    if (options->http_listen[0] != '\0') {
        status = http_new(options->http_listen, &agent->http, err);
    }
    if (status == ST_OK) {
        status = alertmanager_new(&options->alerts, &agent->alerts, err);
    }
    if (status == ST_OK) {
        status = kafka_sink_new(&options->producer, &sink, callbacks, &agent->sink, err);
    }
    if (status == ST_OK) {
        status = agent_open_source(agent, err);
    }
    if (status != ST_OK) {
        agent_free(agent);
        return ST_FATAL;
    }
    *out = agent;
    return ST_OK;
}

static void take_run(struct agent *agent, struct agent_part *part, const struct message *message) {
    struct pipeline_run run;
    struct err err = {0};
    if (avro_decode_run(agent->codec, message->value, &run, &err) != ST_OK) {
        metrics_add(METRIC_SKIP_UNREADABLE_RUN, 1);
        agent_dead_letter(agent, message, METRIC_SKIP_UNREADABLE_RUN, err.text);
        return;
    }
    pipelines_feed(part->pipelines, &run, message->offset);
    if (agent->options.on_run != NULL) {
        agent->options.on_run(agent->options.hook_ctx, &run);
    }
    pipeline_run_fini(&run);
}

static void take_event(struct agent *agent, struct agent_part *part,
                       const struct message *message) {
    enum metric reason = METRIC_SKIP_MALFORMED;
    struct err err = {0};
    metrics_add(METRIC_EVENTS_READ, 1);
    metrics_add(METRIC_EVENT_BYTES_READ, (int64_t)message->value.len);
    if (engine_feed(part->engine, message, message->value.len, &reason, &err) != ST_OK) {
        agent_dead_letter(agent, message, reason, err.text);
    }
}

static void take(struct agent *agent, const struct message *message, int64_t now_ms) {
    struct agent_part *part = agent_find_part(agent, message->topic, message->partition);
    if (part == NULL) {
        return; // revoked while it was on its way
    }
    if (part->engine != NULL) {
        take_event(agent, part, message);
    } else {
        take_run(agent, part, message);
    }
    part->next_offset = message->offset + 1;
    part->heard_ms = now_ms;
    part->flushed = false;
}

// A partition of runs that has been silent for a pane, with nothing left to read, shows its open
// panes.
static void flush_idle(struct agent *agent, int64_t now_ms) {
    for (uint32_t i = 0; i < agent->part_count; i++) {
        struct agent_part *part = agent->parts[i];
        if (part->pipelines != NULL && !part->flushed &&
            now_ms - part->heard_ms >= agent->options.pipelines.pane_ms &&
            kafka_source_caught_up(agent->source, part->topic, part->partition)) {
            pipelines_flush(part->pipelines);
            part->flushed = true;
        }
    }
}

static void control_flow(struct agent *agent) {
    bool full = agent->pending_count > 0 || kafka_sink_outstanding(agent->sink) > QUEUE_HIGH;
    if (full && !agent->paused) {
        kafka_source_pause(agent->source);
    } else if (!full && agent->paused) {
        kafka_source_resume(agent->source);
    }
    agent->paused = full;
}

enum status agent_step(struct agent *agent, int budget_ms, struct err *err) {
    int64_t start_ms = clock_mono_ms(), now_ms = start_ms;
    if (agent->http != NULL) {
        http_beat(agent->http, now_ms);
    }
    if (agent->broken) {
        agent_publish_pages(agent, now_ms);
        return agent_start_again(agent, now_ms, err);
    }
    do {
        struct message message;
        int wait_ms = (int)(budget_ms - (now_ms - start_ms));
        enum status status =
            kafka_source_poll(agent->source, wait_ms > 0 ? wait_ms : 0, &message, err);
        if (status == ST_FATAL) {
            return ST_FATAL;
        }
        now_ms = clock_mono_ms();
        if (status == ST_OK) {
            take(agent, &message, now_ms);
            agent_send_pending(agent);
        }
        control_flow(agent);
    } while (now_ms - start_ms < budget_ms && !agent->broken);
    kafka_sink_poll(agent->sink);
    flush_idle(agent, now_ms);
    if (now_ms - agent->committed_ms >= agent->options.commit_interval_ms && !agent->broken) {
        struct err why = {0};
        enum status status = agent_commit(agent, 100, &why);
        if (status == ST_OK) {
            agent->committed_ms = now_ms;
        }
    }
    agent_publish_pages(agent, now_ms);
    return ST_OK;
}

void agent_free(struct agent *agent) {
    if (agent == NULL) {
        return;
    }
    kafka_source_free(agent->source); // commits through on_revoking
    if (agent->alerts != NULL) {
        alertmanager_drain(agent->alerts, AGENT_FLUSH_MS);
    }
    while (agent->part_count > 0) {
        drop_part(agent, agent->parts[0]);
    }
    agent_drop_pending(agent);
    alertmanager_free(agent->alerts);
    kafka_sink_free(agent->sink);
    http_free(agent->http);
    exposition_free(agent->exposition);
    avro_codec_free(agent->codec);
    decoder_free(agent->decoder);
    buf_fini(&agent->encoded);
    mem_free(agent->parts);
    mem_free(agent->pending);
    mem_free(agent->news);
    mem_free(agent);
}

uint16_t agent_http_port(const struct agent *agent) {
    return agent->http == NULL ? 0 : http_port(agent->http);
}

void agent_each_pipeline(struct agent *agent,
                         void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx) {
    for (uint32_t i = 0; i < agent->part_count; i++) {
        if (agent->parts[i]->pipelines != NULL) {
            pipelines_each(agent->parts[i]->pipelines, each, ctx);
        }
    }
}
