// replay_send: the loop between a replay and the producer. Called by the command replay (by the
// demo for single events); must not end well unless every record was acknowledged.
#include "replay/replay_send.h"

#include "base/check.h"
#include "base/clock.h"

#define TICK_MS 100
#define QUEUE_WAIT_MS 100

struct run {
    struct replay_send *send;
    struct kafka_sink *sink;
    int64_t answered_ms; // when the broker last answered, or nothing was due from it
    int64_t ticked_ms;
};

static void on_delivered(void *ctx, const char *topic) {
    struct run *run = ctx;
    (void)topic;
    run->send->acknowledged++;
    run->answered_ms = clock_mono_ms();
}

enum status replay_send_event(struct kafka_sink *sink, const char *topic,
                              const struct replay_event *event, const struct message_header *more,
                              size_t more_count, struct err *err) {
    struct message_header headers[2 + REPLAY_HEADERS_MAX];
    size_t count = 0;
    bool known = event->app_id.len > 0;
    require(more_count <= REPLAY_HEADERS_MAX);
    if (known) {
        headers[count++] = (struct message_header){MESSAGE_HEADER_APP_ID, event->app_id};
    }
    if (known && event->attempt.len > 0) {
        headers[count++] = (struct message_header){MESSAGE_HEADER_APP_ATTEMPT, event->attempt};
    }
    for (size_t i = 0; i < more_count; i++) {
        headers[count++] = more[i];
    }
    struct sink_record record = {
        .topic = topic,
        .key = known ? event->key : (struct str){NULL, 0},
        .value = event->value,
        .headers = headers,
        .header_count = count,
    };
    return kafka_sink_send(sink, &record, err);
}

static enum status emit(void *ctx, const struct replay_event *event, struct err *err) {
    struct run *run = ctx;
    enum status status = replay_send_event(run->sink, run->send->topic, event, NULL, 0, err);
    run->send->bytes += status == ST_OK ? event->value.len : 0;
    if (status != ST_SKIP) {
        return status;
    }
    run->send->too_large++;
    if (run->send->note != NULL) {
        run->send->note(run->send->ctx, err->text);
    }
    return ST_OK;
}

// True as soon as the user wants no more.
static bool stopped(const struct run *run) {
    return run->send->stop != NULL && *run->send->stop != 0;
}

// ST_ABORT with the reason once the broker has owed an answer for too long.
static enum status check_patience(struct run *run, struct err *err) {
    int64_t now = clock_mono_ms();
    if (kafka_sink_outstanding(run->sink) == 0) {
        run->answered_ms = now;
    }
    if (now - run->answered_ms < run->send->timeout_ms) {
        return ST_OK;
    }
    struct buf reason = {0};
    if (kafka_sink_health(run->sink, &reason)) {
        buf_printf(&reason, "is there a topic %s?", run->send->topic);
    }
    err_set(err, ST_ABORT, "nothing acknowledged for %lld s: %s",
            (long long)run->send->timeout_ms / 1000, buf_text(&reason));
    buf_fini(&reason);
    return ST_ABORT;
}

static void tick(struct run *run) {
    int64_t now = clock_mono_ms();
    if (run->send->tick != NULL && now - run->ticked_ms >= TICK_MS) {
        run->ticked_ms = now;
        run->send->tick(run->send->ctx);
    }
}

// One turn: what is due is sent, then a short sleep if nothing is due.
static enum status turn(struct run *run, bool *done, struct err *err) {
    int64_t now = clock_mono_ms();
    enum status status = replay_step(run->send->replay, now, emit, run, done, err);
    if (status != ST_OK && status != ST_RETRY) { // RETRY: the queue is full, or a signal came
        return status;
    }
    tick(run);
    status = kafka_sink_flush(run->sink, 0, err); // tells early of records that were refused
    if (status != ST_OK && status != ST_RETRY) {
        return status;
    }
    int64_t wait = *done ? 0 : replay_wait_ms(run->send->replay, clock_mono_ms());
    if (wait > 0) {
        clock_sleep_ms(wait < TICK_MS ? wait : TICK_MS);
    }
    return check_patience(run, err);
}

static enum status play(struct run *run, struct err *err) {
    bool done = false;
    enum status status = ST_OK;
    while (!done && status == ST_OK && !stopped(run)) {
        status = turn(run, &done, err);
    }
    while (status == ST_OK) {
        tick(run);
        status = kafka_sink_flush(run->sink, TICK_MS, err);
        if (status != ST_RETRY) {
            break;
        }
        status = check_patience(run, err);
    }
    return status == ST_OK || status == ST_FATAL ? status : ST_ABORT;
}

enum status replay_send_run(struct replay_send *send, struct err *err) {
    require(send->timeout_ms > 0 && send->topic != NULL);
    struct run run = {.send = send, .answered_ms = clock_mono_ms()};
    struct kafka_sink_options options = {.max_record_bytes = send->max_record_bytes,
                                         .queue_wait_ms = QUEUE_WAIT_MS};
    struct kafka_sink_callbacks callbacks = {.ctx = &run, .delivered = on_delivered};
    enum status status = kafka_sink_new(send->kafka, &options, callbacks, &run.sink, err);
    if (status != ST_OK) {
        return status;
    }
    int64_t began_ns = clock_mono_ns();
    status = play(&run, err);
    send->seconds = (double)(clock_mono_ns() - began_ns) / 1e9;
    kafka_sink_free(run.sink);
    return status;
}
