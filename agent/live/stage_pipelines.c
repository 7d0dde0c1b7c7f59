// stage_pipelines: stage 2 in the live agent: runs in; windows, alerts, what became of advice and
// the pipelines' numbers out. Called through its row in stages.def alone. Must not commit, nor know
// which partition it has but for the log.
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "fleet/pipelines.h"
#include "stage_ops.h"

enum { COMPLAIN_EVERY_MS = 60000 };

struct fleet {
    struct stage_state state; // first
    struct pipelines *pipelines;
    struct pipelines_pushed_out said; // to be pushed out
    struct log_gate gate;
};

static struct fleet *fleet_of(const struct stage_state *state) {
    require(state->ops == &stage_pipelines);
    return (struct fleet *)state;
}

static struct pipelines *pipelines_of(const struct stage_state *state) {
    return fleet_of(state)->pipelines;
}

static void on_window(void *ctx, const struct pipeline_window *window) {
    struct stage_home *home = ctx;
    avro_encode_window(home->codec, window, &home->encoded);
    if (stage_publish(home, TOPIC_WINDOWS, window->pipeline) == ST_SKIP) { // has nothing to spare
        transaction_oversize(home->transaction, TOPIC_WINDOWS, (int64_t)home->encoded.len);
        log_error("window_not_published", "pane_start_ms=%lld", (long long)window->pane_start_ms);
    }
}

static void on_outcome(void *ctx, const struct run_identity *identity, const char *run_id,
                       const struct recommendation *recommendation) {
    struct stage_home *home = ctx;
    avro_encode_recommendation(home->codec, identity, run_id, recommendation, &home->encoded);
    if (stage_publish(home, TOPIC_RECOMMENDATIONS, identity->pipeline) == ST_SKIP) { // is short
        transaction_oversize(home->transaction, TOPIC_RECOMMENDATIONS, (int64_t)home->encoded.len);
        log_error("outcome_not_published", "id=%s", recommendation->id);
    }
}

static void on_alert(void *ctx, const struct alert *alert) {
    struct stage_home *home = ctx;
    transaction_alert(home->transaction, alert);
}

static struct stage_state *new_state(struct stage_home *home, int32_t partition) {
    struct fleet *fleet = mem_zalloc(1, sizeof *fleet);
    struct pipelines_output output = {
        .ctx = home, .window = on_window, .alert = on_alert, .outcome = on_outcome};
    fleet->state = (struct stage_state){&stage_pipelines, home, partition};
    fleet->pipelines = pipelines_new(&home->options->pipelines, &output);
    return &fleet->state;
}

static void free_state(struct stage_state *state) {
    pipelines_free(pipelines_of(state));
    mem_free(state);
}

static enum status load(struct stage_state *state, const struct keep_table *table,
                        struct err *err) {
    struct pipelines *pipelines = pipelines_of(state);
    enum status status = pipelines_load(pipelines, table, err);
    if (status == ST_OK && pipelines_panes_lost(pipelines) > 0) {
        log_warn("panes_dropped", "partition=%d panes=%llu reason=%s", (int)state->partition,
                 (unsigned long long)pipelines_panes_lost(pipelines),
                 "window.pane or window.length is another one now");
    }
    return status;
}

// Says in the log what had to make room, and by which limit.
static void say_pushed_out(struct fleet *fleet) {
    struct pipelines_pushed_out now = pipelines_pushed_out(fleet->pipelines);
    uint64_t pipelines = now.pipelines - fleet->said.pipelines;
    uint64_t alerts = now.alerts - fleet->said.alerts;
    uint64_t for_memory = now.for_memory - fleet->said.for_memory;
    if (pipelines + alerts + for_memory == 0 ||
        !log_gate_open(&fleet->gate, clock_mono_ms(), COMPLAIN_EVERY_MS, NULL)) {
        return;
    }
    log_warn("pipelines_pushed_out",
             "partition=%d pipelines=%llu for_memory=%llu alerts_silenced=%llu error=%s",
             (int)fleet->state.partition, (unsigned long long)pipelines,
             (unsigned long long)for_memory, (unsigned long long)alerts,
             for_memory > 0
                 ? "more is kept than limits.memory: pipelines with the oldest news made room"
                 : "more pipelines than limits.pipelines: those with the oldest news made room");
    fleet->said = now;
}

static enum status feed(struct stage_state *state, const struct message *message,
                        enum metric *reason, struct err *err) {
    const struct agent_options *options = state->home->options;
    struct pipeline_run run;
    enum status status =
        avro_decode_run(state->home->codec, message->value, AVRO_SKIP_STAGES, &run, err);
    if (status != ST_OK) { // to wait for a schema would let any stranger's bytes stop the partition
        *reason = status == ST_RETRY ? METRIC_SKIP_UNKNOWN_SCHEMA : METRIC_SKIP_UNREADABLE_RUN;
        metrics_add(*reason, 1);
        return ST_SKIP;
    }
    pipelines_feed(pipelines_of(state), &run, message->offset, message->timestamp_ms);
    say_pushed_out(fleet_of(state));
    if (options->on_run != NULL) {
        options->on_run(options->hook_ctx, &run);
    }
    pipeline_run_fini(&run);
    return ST_OK;
}

static void tick(struct stage_state *state, int64_t by_ms) {
    pipelines_tick(pipelines_of(state), by_ms);
    say_pushed_out(fleet_of(state));
}

static bool waits(const struct stage_state *state) {
    return pipelines_waits(pipelines_of(state));
}

static void changes(struct stage_state *state, keep_each_fn each, void *ctx) {
    pipelines_changes(pipelines_of(state), each, ctx);
}

static int64_t newest_ms(const struct stage_state *state) {
    (void)state; // its time is the runs', not the events'
    return 0;
}

static void each_alert(const struct stage_state *state,
                       void (*each)(void *ctx, const struct alert *alert), void *ctx) {
    pipelines_each_alert(pipelines_of(state), each, ctx);
}

static void each_pipeline(const struct stage_state *state,
                          void (*each)(void *ctx, const struct pipeline_stats *stats), void *ctx) {
    pipelines_each(pipelines_of(state), each, ctx);
}

static const char *full(const struct stage_state *state) {
    return pipelines_full(pipelines_of(state)) ? "limits.pipelines" : NULL;
}

const struct stage_ops stage_pipelines = {.name = "pipelines",
                                          .input = TOPIC_RUNS,
                                          .new = new_state,
                                          .free = free_state,
                                          .load = load,
                                          .feed = feed,
                                          .tick = tick,
                                          .waits = waits,
                                          .changes = changes,
                                          .newest_ms = newest_ms,
                                          .each_alert = each_alert,
                                          .each_pipeline = each_pipeline,
                                          .full = full};
