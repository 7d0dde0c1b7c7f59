// worker: see the header. The turn: have a producer, have state, take messages, commit when due.
// Called by the agent, from a thread of the worker's own or from the agent's caller.
#include "worker.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

enum {
    OPEN_TIMEOUT_MS = 500,
    SOON_MS = 1000,
    CLOSED_TOO_LONG_MS = 5000,
    COMMIT_TIMEOUT_MS = 60000 // a broker may be away for a while
};

enum status worker_open_source(struct worker *worker, struct err *err) {
    const struct agent_options *o = worker->options;
    const char *topics[] = {o->topics[TOPIC_EVENTS], o->topics[TOPIC_RUNS]};
    struct kafka_source_options options = {.group = o->group,
                                           .topics = topics,
                                           .topic_count = ARRAY_LEN(topics),
                                           .alone = o->alone,
                                           .member = o->alone || o->dynamic ? NULL : worker->id,
                                           .held = true};
    struct kafka_source_callbacks callbacks = worker_callbacks;
    callbacks.ctx = worker;
    return kafka_source_new(&o->consumer, &options, callbacks, &worker->source, err);
}

static enum status open_restorer(struct worker *worker, struct err *err) {
    const struct agent_options *o = worker->options;
    struct restorer_options options = {
        .consumer = &o->consumer,
        .producer = &o->producer,
        .group = o->group,
        .input_topic = {o->topics[TOPIC_EVENTS], o->topics[TOPIC_RUNS]},
        .state_topic = {o->topics[TOPIC_STATE_APPLICATIONS], o->topics[TOPIC_STATE_PIPELINES]},
        .topics_trusted = o->topics_trusted,
        .engine = &o->engine,
        .pipelines = &o->pipelines,
        .decoder = worker->decoder,
        .engine_output = worker_engine_output,
        .pipelines_output = worker_pipelines_output};
    options.engine_output.ctx = worker;
    options.pipelines_output.ctx = worker;
    return restorer_new(&options, &worker->restorer, err);
}

enum status worker_new(const struct agent_options *options, struct alertmanager *alerts, int index,
                       struct worker **out, struct err *err) {
    struct worker *worker = mem_zalloc(1, sizeof *worker);
    worker->options = options;
    worker->alerts = alerts;
    snprintf(worker->id, sizeof worker->id, "%.100s-%.200s-%d", options->group, options->instance,
             index);
    require(pthread_mutex_init(&worker->lock, NULL) == 0);
    worker->committed_ms = clock_mono_ms();
    atomic_store(&worker->beat_ms, clock_mono_ms());
    worker->decoder = decoder_new(&options->decode);
    worker->codec = avro_codec_new();
    struct kafka_sink_options sink = {.max_record_bytes = options->max_record_bytes,
                                      .transactional_id = worker->id};
    enum status status = kafka_sink_new(&options->producer, &sink, (struct kafka_sink_callbacks){0},
                                        &worker->sink, err);
    if (status == ST_OK) {
        status = open_restorer(worker, err);
    }
    if (status == ST_OK) { // joins the group at once: its partitions wait for the producer
        status = worker_open_source(worker, err);
    }
    if (status != ST_OK) {
        worker_free(worker);
        return ST_FATAL;
    }
    *out = worker;
    return ST_OK;
}

// Hands the messages out that are there, for about `wait_ms`. Nothing of them counts while no
// partition runs.
static enum status poll(struct worker *worker, int wait_ms, int64_t *now_ms, struct err *err) {
    struct message message;
    enum status status = kafka_source_poll(worker->source, wait_ms, &message, err);
    *now_ms = clock_mono_ms();
    if (status == ST_FATAL) { // another has our name in the group; or a broker that died thinks so
        status = worker_note_fence(worker, *now_ms, err);
        worker->reopen = true;
        worker_note_broken(worker, "membership", err);
        return status;
    }
    if (status == ST_OK) {
        worker_take(worker, &message, *now_ms);
    } else if (status == ST_ABORT) {
        worker->reopen = true;
        worker_note_broken(worker, "input", err);
    }
    return ST_OK;
}

static void unload_all(struct worker *worker) {
    for (uint32_t i = 0; i < worker->part_count; i++) {
        part_unload(worker->parts[i]);
    }
}

// Says so in the log whenever the words change, unless it is soon over.
static void note_closed(struct worker *worker, int64_t now_ms, const char *words) {
    if (now_ms - worker->closed_ms > SOON_MS && strcmp(worker->waiting, words) != 0) {
        log_warn("kafka_waiting", "worker=%s reason=%s", worker->id, words);
        str_copy(worker->waiting, sizeof worker->waiting, str_of(words));
    }
}

// True if transactions are possible. While they are not, nothing may be taken.
static enum status have_producer(struct worker *worker, bool *have, struct err *err) {
    const struct agent_options *o = worker->options;
    const char *topics[TOPIC_COUNT] = {0};
    int count = 0;
    for (int t = TOPIC_RUNS; t < TOPIC_COUNT; t++) {
        if (t != TOPIC_DLQ || o->dlq_enabled) {
            topics[count++] = o->topics[t];
        }
    }
    *have = kafka_sink_is_open(worker->sink);
    if (*have) {
        return ST_OK;
    }
    int64_t now_ms = clock_mono_ms();
    if (now_ms < worker->again_ms) {
        return ST_OK;
    }
    worker->closed_ms = worker->closed_ms == 0 ? now_ms : worker->closed_ms;
    enum status status = kafka_sink_open(worker->sink, topics, OPEN_TIMEOUT_MS, err);
    *have = status == ST_OK;
    if (*have) {
        worker->closed_ms = 0;
        worker->waiting[0] = '\0'; // the words of what failed stay: it may fail again
    } else {
        note_closed(worker, now_ms, err->text);
    }
    return status == ST_FATAL ? ST_FATAL : ST_OK;
}

// The broker is away for long: keep the membership alive, without any state to spoil.
static enum status wait_for_producer(struct worker *worker, int budget_ms, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    if (worker->closed_ms != 0 && now_ms - worker->closed_ms > CLOSED_TOO_LONG_MS) {
        unload_all(worker);
        return poll(worker, budget_ms, &now_ms, err);
    }
    clock_sleep_ms(budget_ms);
    return ST_OK;
}

static enum status take_all(struct worker *worker, int budget_ms, struct err *err) {
    int64_t start_ms = clock_mono_ms(), now_ms = start_ms;
    do {
        int left_ms = (int)(start_ms + budget_ms - now_ms);
        int wait_ms = worker_commit_in(worker, now_ms, left_ms > 0 ? left_ms : 0);
        if (poll(worker, wait_ms, &now_ms, err) != ST_OK) {
            return ST_FATAL;
        }
    } while (now_ms - start_ms < budget_ms && !worker->broken &&
             !worker_commit_due(worker, now_ms));
    return ST_OK;
}

enum status worker_turn(struct worker *worker, int budget_ms, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    bool have = false;
    atomic_store(&worker->beat_ms, now_ms);
    enum status status = worker->broken ? worker_begin_again(worker, now_ms, err) : ST_OK;
    if (status == ST_OK) {
        status = have_producer(worker, &have, err);
    }
    if (status == ST_OK && !have) {
        status = wait_for_producer(worker, budget_ms, err);
        worker_show(worker, now_ms, false);
        return status;
    }
    if (status == ST_OK) {
        status = worker_load(worker, err);
    }
    if (status == ST_OK) {
        status = take_all(worker, budget_ms, err);
    }
    if (status == ST_OK) {
        struct err why = {0};
        now_ms = clock_mono_ms();
        worker_tick(worker, now_ms);
        worker_forget_suspended(worker, now_ms);
        worker_forget_failures(worker);
        if (worker_commit_due(worker, now_ms)) {
            (void)worker_commit(worker, COMMIT_TIMEOUT_MS, &why);
        }
    }
    worker_show(worker, now_ms, false);
    return status;
}

void worker_free(struct worker *worker) {
    if (worker == NULL) {
        return;
    }
    worker->closing = true;
    kafka_source_free(worker->source); // commits through the callback
    worker->source = NULL;
    worker_drop_parts(worker);
    restorer_free(worker->restorer);
    kafka_sink_free(worker->sink);
    avro_codec_free(worker->codec);
    decoder_free(worker->decoder);
    buf_fini(&worker->encoded);
    buf_fini(&worker->value);
    pthread_mutex_destroy(&worker->lock);
    mem_free(worker->view.stats);
    mem_free(worker->parts);
    mem_free(worker->news);
    mem_free(worker);
}
