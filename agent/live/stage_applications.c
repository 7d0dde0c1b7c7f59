// stage_applications: stage 1 in the live agent: Spark events in; runs, bottlenecks and
// recommendations out, by the engine. Called through its row in stages.def alone. Must not commit,
// nor know which partition it has.
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "engine/engine.h"
#include "stage_ops.h"

struct applications {
    struct stage_state state; // first
    struct engine *engine;
};

static struct engine *engine_of(const struct stage_state *state) {
    require(state->ops == &stage_applications);
    return ((const struct applications *)state)->engine;
}

enum { TELL_LIMITS_EVERY_MS = 60000 };

static void log_limits(struct stage_home *home, const struct pipeline_run *run) {
    unsigned long held;
    if (run->limits != 0 &&
        log_gate_open(&home->limits_gate, clock_mono_ms(), TELL_LIMITS_EVERY_MS, &held)) {
        struct buf names = {0};
        for (int limit = 0; limit < LIMIT_COUNT; limit++) {
            if (limit_in(run->limits, (enum limit)limit)) {
                buf_printf(&names, "%s%s", names.len > 0 ? "," : "", limit_name((enum limit)limit));
            }
        }
        log_warn("limits_hit", "run=%s limits=%s held_back=%lu", run->id, buf_text(&names), held);
        buf_fini(&names);
    }
}

static void log_loss(struct stage_home *home, const struct pipeline_run *run) {
    unsigned long held;
    if ((run->events_lost > 0 || run->events_cut > 0) &&
        log_gate_open(&home->loss_gate, clock_mono_ms(), TELL_LIMITS_EVERY_MS, &held)) {
        log_warn("events_lost", "run=%s lost=%lld cut=%lld completeness=%.4f held_back=%lu",
                 run->id, (long long)run->events_lost, (long long)run->events_cut,
                 run->completeness, held);
    }
}

// Sends what is encoded. False: it is too large for its topic, and goes out shortened, or not at
// all if nothing is short enough: the others must not wait for it. Told of once, with the size of
// what is `whole`.
static bool fits(struct stage_home *home, enum topic topic, const char *pipeline, bool *whole) {
    if (stage_publish(home, topic, pipeline) != ST_SKIP) {
        return true;
    }
    if (*whole) {
        transaction_oversize(home->transaction, topic, (int64_t)home->encoded.len);
        *whole = false;
    }
    return false;
}

static void on_run(void *ctx, const struct pipeline_run *run) {
    struct stage_home *home = ctx;
    log_limits(home, run);
    log_loss(home, run);
    struct pipeline_run less = *run;
    less.open = mem_alloc((run->open_count + 1) * sizeof *less.open);
    if (run->open_count > 0) {
        memcpy(less.open, run->open, run->open_count * sizeof *less.open);
    }
    bool whole = true, sent;
    do {
        avro_encode_run(home->codec, &less, &home->encoded);
        sent = fits(home, TOPIC_RUNS, run->identity.pipeline, &whole);
        if (!sent) {
            limit_hit(&less.limits, LIMIT_RECORD);
        }
    } while (!sent && pipeline_run_shorten(&less));
    mem_free(less.open);
    if (!sent) {
        log_error("run_not_published", "run=%s reason=%s", run->id, "too large for the topic");
    }
}

static void publish_bottleneck(struct stage_home *home, const struct run_identity *identity,
                               const char *run_id, const struct bottleneck *bottleneck) {
    struct bottleneck less = *bottleneck;
    bool whole = true, sent;
    do {
        avro_encode_bottleneck(home->codec, identity, run_id, &less, &home->encoded);
        sent = fits(home, TOPIC_BOTTLENECKS, identity->pipeline, &whole);
    } while (!sent && bottleneck_shorten(&less));
    if (!sent) {
        log_error("bottleneck_not_published", "id=%s reason=%s", bottleneck->id,
                  "too large for the topic");
    }
}

static void on_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *bottleneck) {
    struct stage_home *home = ctx;
    publish_bottleneck(home, identity, run_id, bottleneck);
    const struct pipelines_options *alerts = &home->options->pipelines;
    if (bottleneck->severity >= alerts->alert_min &&
        bottleneck->confidence <= alerts->alert_confidence) { // stage 2 will raise an alert
        transaction_hurry(home->transaction);
    }
    if (home->options->on_bottleneck != NULL) {
        home->options->on_bottleneck(home->options->hook_ctx, identity, bottleneck);
    }
}

static void on_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *recommendation) {
    struct stage_home *home = ctx;
    struct recommendation less = *recommendation;
    less.action = mem_strdup(recommendation->action);
    bool whole = true, sent;
    do {
        avro_encode_recommendation(home->codec, identity, run_id, &less, &home->encoded);
        sent = fits(home, TOPIC_RECOMMENDATIONS, identity->pipeline, &whole);
    } while (!sent && recommendation_shorten(&less));
    mem_free(less.action);
    if (!sent) {
        log_error("recommendation_not_published", "id=%s reason=%s", recommendation->id,
                  "too large for the topic");
    }
}

static struct stage_state *new_state(struct stage_home *home, int32_t partition) {
    struct applications *applications = mem_zalloc(1, sizeof *applications);
    struct engine_output output = {.ctx = home,
                                   .run = on_run,
                                   .bottleneck = on_bottleneck,
                                   .recommendation = on_recommendation};
    applications->state = (struct stage_state){&stage_applications, home, partition};
    applications->engine = engine_new(&home->options->engine, home->decoder, &output);
    return &applications->state;
}

static void free_state(struct stage_state *state) {
    engine_free(engine_of(state));
    mem_free(state);
}

static enum status load(struct stage_state *state, const struct keep_table *table,
                        struct err *err) {
    return engine_load(engine_of(state), table, err);
}

static enum status feed(struct stage_state *state, const struct message *message,
                        enum metric *reason, struct err *err) {
    struct stage_home *home = state->home;
    metrics_add(METRIC_EVENTS_READ, 1);
    metrics_add(METRIC_EVENT_BYTES_READ, (int64_t)message->value.len);
    home->events_read++;
    enum status status = engine_feed(engine_of(state), message, message->value.len, reason, err);
    home->events_skipped += status != ST_OK;
    return status;
}

static void tick(struct stage_state *state, int64_t by_ms) {
    engine_tick(engine_of(state), by_ms);
}

static bool waits(const struct stage_state *state) {
    return engine_waits(engine_of(state));
}

static void changes(struct stage_state *state, keep_each_fn each, void *ctx) {
    engine_changes(engine_of(state), each, ctx);
}

static int64_t newest_ms(const struct stage_state *state) {
    return engine_newest_ms(engine_of(state));
}

const struct stage_ops stage_applications = {.name = "applications",
                                             .input = TOPIC_EVENTS,
                                             .new = new_state,
                                             .free = free_state,
                                             .load = load,
                                             .feed = feed,
                                             .tick = tick,
                                             .waits = waits,
                                             .changes = changes,
                                             .newest_ms = newest_ms};
