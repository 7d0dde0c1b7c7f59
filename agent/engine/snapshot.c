// snapshot: the state of stage 1 written out, see the header; snapshot_load.c reads it back. Called
// by whoever keeps state outside the process. Adds to the runs' values what the engine itself
// remembers of its output, so that revisions and repeats come out the same. Keys: "e" the engine,
// "r<run key>" a run, and for what belongs to it a letter, numbers, and the run key:
// "s<stage>.<attempt>.", "j<job>.", "a<chunk>.", "x<chunk>.", "c0.".
#include "engine/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "snapshot_priv.h"
#include "state/value.h"

#define LIVE(number, type, member)                                                                 \
    { number, type, offsetof(struct live_run, member), 0, #member }
#define TOLD(number, member)                                                                       \
    { number, WIRE_I64, offsetof(struct live_run, told.member), 0, #member }
const struct wire_row snapshot_live_rows[] = {
    LIVE(2, WIRE_I64, seen_idle_ms), LIVE(3, WIRE_BOOL, over),      LIVE(4, WIRE_I32, evaluated),
    TOLD(5, run_revision),           LIVE(6, WIRE_I64, run_minute), LIVE(7, WIRE_BOOL, run_due),
    LIVE(8, WIRE_I64, seen_offset),  TOLD(9, verdict_revision),     TOLD(10, verdict_base),
};
const size_t snapshot_live_count = ARRAY_LEN(snapshot_live_rows);
const struct wire_row snapshot_engine_rows[] = {
    {1, WIRE_I64, offsetof(struct engine, idle_ms), 0, "idle_ms"},
    {2, WIRE_I64, offsetof(struct engine, last_event_ms), 0, "last_event_ms"},
};
const size_t snapshot_engine_count = ARRAY_LEN(snapshot_engine_rows);

// What is being written out, and to whom.
struct writer {
    state_each_fn each;
    void *ctx;
    const struct live_run *live;
    struct buf key, value;
};

static void set_key(struct writer *writer, const char *prefix) {
    buf_clear(&writer->key);
    buf_add_text(&writer->key, prefix);
    buf_add(&writer->key, writer->live->key, writer->live->key_len);
}

static void hand_part(void *ctx, const char *prefix, struct str value) {
    struct writer *writer = ctx;
    set_key(writer, prefix);
    writer->each(writer->ctx, buf_str(&writer->key), value);
}

static void hand_engine(const struct engine *engine, struct writer *writer) {
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, engine, snapshot_engine_rows, snapshot_engine_count);
    writer->each(writer->ctx, STR("e"), buf_str(&writer->value));
}

static void hand_run(struct writer *writer) {
    const struct live_run *live = writer->live;
    struct buf app = {0}, advice = {0};
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, live, snapshot_live_rows, snapshot_live_count);
    for (uint32_t i = 0; i < live->told.advice_count; i++) {
        const struct told_advice *told = &live->told.advice[i];
        buf_clear(&advice);
        wire_put_i64(&advice, ADVICE_NUMBER, told->kind);
        wire_put_i64(&advice, ADVICE_REVISION, told->revision);
        wire_put_i64(&advice, ADVICE_DIGEST, (int64_t)told->digest);
        wire_put(&writer->value, FIELD_ADVICE, buf_str(&advice));
    }
    value_write_app(live->app, &app);
    wire_put(&writer->value, FIELD_APP, buf_str(&app));
    buf_fini(&app);
    buf_fini(&advice);
    hand_part(writer, "r", buf_str(&writer->value));
}

static void stage_prefix(const struct stage *stage, char out[64]) {
    snprintf(out, 64, "s%d.%d.", (int)stage->summary.stage, (int)stage->summary.attempt);
}

static void hand_stage(struct writer *writer, const struct stage *stage) {
    char prefix[64];
    stage_prefix(stage, prefix);
    value_write_stage(stage, &writer->value);
    hand_part(writer, prefix, buf_str(&writer->value));
}

static void hand_changes(struct writer *writer, struct live_run *live) {
    writer->live = live;
    value_each_changed_part(live->app, hand_part, writer);
    hand_run(writer);
    for (uint32_t i = 0; i < live->app->stage_count; i++) {
        struct stage *stage = live->app->stages[i];
        if (stage->touched) {
            hand_stage(writer, stage);
            stage->touched = false;
            stage->written = true;
        }
    }
    live->touched = false;
    live->written = true;
}

static void hand_gone(struct engine *engine, struct writer *writer) {
    for (size_t at = 0; at < engine->gone.len;) {
        size_t len;
        memcpy(&len, engine->gone.data + at, sizeof len);
        struct str key = {engine->gone.data + at + sizeof len, len};
        writer->each(writer->ctx, key, (struct str){NULL, 0});
        at += sizeof len + len;
    }
    buf_clear(&engine->gone);
}

void snapshot_changes(struct engine *engine, state_each_fn each, void *ctx) {
    struct writer writer = {.each = each, .ctx = ctx};
    hand_gone(engine, &writer); // first: a new run may have the same key
    if (engine->touched) {
        hand_engine(engine, &writer);
        engine->touched = false;
    }
    struct run_queue *queues[] = {&engine->ended, &engine->running};
    for (size_t q = 0; q < ARRAY_LEN(queues); q++) {
        for (struct live_run *live = queues[q]->oldest; live != NULL; live = live->newer) {
            if (live->touched) {
                hand_changes(&writer, live);
            }
        }
    }
    buf_fini(&writer.key);
    buf_fini(&writer.value);
}

void snapshot_each(const struct engine *engine, state_each_fn each, void *ctx) {
    struct writer writer = {.each = each, .ctx = ctx};
    if (engine->last_event_ms != 0 || engine->idle_ms != 0) {
        hand_engine(engine, &writer);
    }
    const struct run_queue *queues[] = {&engine->ended, &engine->running};
    for (size_t q = 0; q < ARRAY_LEN(queues); q++) {
        for (const struct live_run *live = queues[q]->oldest; live != NULL; live = live->newer) {
            writer.live = live;
            value_each_part(live->app, hand_part, &writer);
            hand_run(&writer);
            for (uint32_t i = 0; i < live->app->stage_count; i++) {
                hand_stage(&writer, live->app->stages[i]);
            }
        }
    }
    buf_fini(&writer.key);
    buf_fini(&writer.value);
}

static void note_gone(void *ctx, const char *prefix, struct str value) {
    (void)value;
    struct writer *writer = ctx;
    struct engine *engine = writer->ctx;
    set_key(writer, prefix);
    buf_add(&engine->gone, &writer->key.len, sizeof writer->key.len);
    buf_add_str(&engine->gone, buf_str(&writer->key));
}

void snapshot_forget(struct engine *engine, struct live_run *live) {
    if (!live->written) {
        return; // nothing of it was ever kept
    }
    struct writer writer = {.ctx = engine, .live = live};
    value_each_changed_part(live->app, note_gone, &writer); // keys already gone, and the newest
    value_each_part(live->app, note_gone, &writer);
    for (uint32_t i = 0; i < live->app->stage_count; i++) {
        char prefix[64];
        stage_prefix(live->app->stages[i], prefix);
        note_gone(&writer, prefix, (struct str){NULL, 0});
    }
    note_gone(&writer, "r", (struct str){NULL, 0});
    buf_fini(&writer.key);
}
