// snapshot: see the header. Called by whoever keeps state outside the process; adds to the runs'
// values what the engine itself remembers of its output, so that revisions and repeats come out the
// same.
#include "engine/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "engine_priv.h"
#include "state/value.h"
#include "state/wire.h"

#define LIVE(number, type, member)                                                                 \
    { number, type, offsetof(struct live_run, member), 0, #member }
static const struct wire_row live_rows[] = {
    LIVE(1, WIRE_I64, first_offset), LIVE(2, WIRE_I64, seen_idle_ms), LIVE(3, WIRE_BOOL, over),
    LIVE(4, WIRE_I32, evaluated),    LIVE(5, WIRE_I64, run_revision), LIVE(6, WIRE_I64, run_minute),
    LIVE(7, WIRE_BOOL, run_due),
};
static const struct wire_row engine_rows[] = {
    {1, WIRE_I64, offsetof(struct engine, idle_ms), 0, "idle_ms"},
    {2, WIRE_I64, offsetof(struct engine, last_event_ms), 0, "last_event_ms"},
};
enum { FIELD_APP = 100, FIELD_ADVICE, ADVICE_KIND = 1, ADVICE_REVISION, ADVICE_DIGEST };

// "r<run key>" and "s<stage>.<attempt>.<run key>".
static void run_key(const struct live_run *live, struct buf *key) {
    buf_clear(key);
    buf_add_char(key, 'r');
    buf_add(key, live->key, live->key_len);
}

static void stage_key(const struct live_run *live, const struct stage *stage, struct buf *key) {
    buf_clear(key);
    buf_printf(key, "s%d.%d.", (int)stage->summary.stage, (int)stage->summary.attempt);
    buf_add(key, live->key, live->key_len);
}

static void write_run(const struct live_run *live, struct buf *value) {
    struct buf app = {0};
    buf_clear(value);
    wire_put_rows(value, live, live_rows, ARRAY_LEN(live_rows));
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (live->advice[kind].revision != 0) {
            struct buf advice = {0};
            wire_put_i64(&advice, ADVICE_KIND, kind);
            wire_put_i64(&advice, ADVICE_REVISION, live->advice[kind].revision);
            wire_put_i64(&advice, ADVICE_DIGEST, (int64_t)live->advice[kind].digest);
            wire_put(value, FIELD_ADVICE, buf_str(&advice));
            buf_fini(&advice);
        }
    }
    value_write_app(live->app, &app);
    wire_put(value, FIELD_APP, buf_str(&app));
    buf_fini(&app);
}

static void each_of_queue(const struct run_queue *queue,
                          void (*each)(void *ctx, struct str key, struct str value), void *ctx) {
    struct buf key = {0}, value = {0};
    for (const struct live_run *live = queue->oldest; live != NULL; live = live->newer) {
        run_key(live, &key);
        write_run(live, &value);
        each(ctx, buf_str(&key), buf_str(&value));
        for (uint32_t i = 0; i < live->app->stage_count; i++) {
            stage_key(live, live->app->stages[i], &key);
            value_write_stage(live->app->stages[i], &value);
            each(ctx, buf_str(&key), buf_str(&value));
        }
    }
    buf_fini(&key);
    buf_fini(&value);
}

void snapshot_each(const struct engine *engine,
                   void (*each)(void *ctx, struct str key, struct str value), void *ctx) {
    struct buf value = {0};
    wire_put_rows(&value, engine, engine_rows, ARRAY_LEN(engine_rows));
    each(ctx, STR("e"), buf_str(&value));
    buf_fini(&value);
    each_of_queue(&engine->ended, each, ctx);
    each_of_queue(&engine->running, each, ctx);
}

static bool take_advice(struct live_run *live, struct str bytes) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    int64_t parts[4] = {0};
    while (wire_next(&reader, &number, &field)) {
        if (number < 4 && !wire_get_i64(field, &parts[number])) {
            return false;
        }
    }
    int64_t kind = parts[ADVICE_KIND];
    if (reader.broken || kind < 0 || kind >= KIND_COUNT) {
        return false;
    }
    live->advice[kind].revision = (int32_t)parts[ADVICE_REVISION];
    live->advice[kind].digest = (uint64_t)parts[ADVICE_DIGEST];
    return true;
}

static bool take_fields(struct engine *engine, struct live_run *live, struct str value,
                        struct err *err) {
    struct wire_reader reader = wire_read(value);
    unsigned number;
    struct str field;
    bool known, good = true;
    while (good && wire_next(&reader, &number, &field)) {
        if (number == FIELD_APP) {
            good = live->app == NULL &&
                   value_read_app(field, engine->options->cluster, &engine->options->pipeline,
                                  &live->app, err) == ST_OK;
        } else if (number == FIELD_ADVICE) {
            good = take_advice(live, field);
        } else {
            good = wire_take(live, live_rows, ARRAY_LEN(live_rows), number, field, &known);
        }
    }
    return good && !reader.broken && live->app != NULL;
}

static enum status take_run(struct engine *engine, struct str key, struct str value,
                            struct err *err) {
    struct live_run *same, *live = mem_zalloc(1, sizeof *live);
    HASH_FIND(hh, engine->runs, key.p, key.len, same);
    err_set(err, ST_SKIP, "a damaged state value of a run");
    if (key.len == 0 || key.len > sizeof live->key || same != NULL ||
        !take_fields(engine, live, value, err)) {
        app_free(live->app);
        mem_free(live);
        return ST_SKIP;
    }
    memcpy(live->key, key.p, key.len);
    live->key_len = key.len;
    HASH_ADD(hh, engine->runs, key, live->key_len, live);
    run_queue_add(live->over ? &engine->ended : &engine->running, live);
    metrics_add(METRIC_APPLICATIONS_LIVE, 1);
    return ST_OK;
}

static enum status take_stage(struct engine *engine, struct str key, struct str value,
                              struct err *err) {
    const char *first = memchr(key.p, '.', key.len);
    const char *second =
        first == NULL ? NULL : memchr(first + 1, '.', key.len - (size_t)(first + 1 - key.p));
    struct live_run *live = NULL;
    if (second != NULL) {
        HASH_FIND(hh, engine->runs, second + 1, key.len - (size_t)(second + 1 - key.p), live);
    }
    if (live == NULL) {
        return err_set(err, ST_SKIP, "a state value of a stage whose run is not there");
    }
    return value_read_stage(live->app, value, err);
}

enum status snapshot_take(struct engine *engine, struct str key, struct str value,
                          struct err *err) {
    struct str rest = key.len == 0 ? key : (struct str){key.p + 1, key.len - 1};
    if (key.len >= 1 && key.p[0] == 'e') {
        return wire_take_all(engine, engine_rows, ARRAY_LEN(engine_rows), value)
                   ? ST_OK
                   : err_set(err, ST_SKIP, "a damaged state value of the engine");
    }
    if (key.len >= 1 && key.p[0] == 'r') {
        return take_run(engine, rest, value, err);
    }
    if (key.len >= 1 && key.p[0] == 's') {
        return take_stage(engine, rest, value, err);
    }
    return err_set(err, ST_SKIP, "an unknown kind of state value");
}
