// snapshot_load: state of stage 1 read back. The values come from a table in no useful order; they
// are sorted by what they say themselves: runs by their last message, stages by their number.
// Trusts nothing: whatever does not fit is refused in words, nothing is guessed.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "engine/snapshot.h"
#include "snapshot_priv.h"
#include "state/value.h"

// One value of a run, with what it is sorted by.
struct item {
    struct str key, run_key, value;
    int64_t order;
};

struct items {
    struct item *list;
    size_t count, cap;
};

struct loading {
    struct engine *engine;
    struct items runs, stages, parts;
    struct err *err;
    bool bad;
};

static void add(struct items *items, struct str key, size_t prefix, struct str value,
                int64_t order) {
    MEM_GROW(items->list, items->count, items->cap);
    items->list[items->count++] = (struct item){
        .key = key, .run_key = {key.p + prefix, key.len - prefix}, .value = value, .order = order};
}

// Length of the key before the run key: a letter and `numbers` numbers, each ended by a dot.
static size_t prefix_length(struct str key, int numbers) {
    size_t at = 1;
    for (; numbers > 0 && at < key.len; numbers--) {
        const char *dot = memchr(key.p + at, '.', key.len - at);
        at = dot == NULL ? key.len : (size_t)(dot - key.p) + 1;
    }
    return at;
}

static bool load_engine(struct loading *loading, struct str value) {
    struct wire_reader reader;
    if (wire_open(value, &reader, loading->err) != ST_OK) {
        return false;
    }
    struct str fields = {reader.at, (size_t)(reader.end - reader.at)};
    return wire_take_all(loading->engine, snapshot_engine_rows, snapshot_engine_count, fields);
}

static void sort_out(void *ctx, struct str key, struct str value) {
    struct loading *loading = ctx;
    char kind = key.len > 0 ? key.p[0] : '\0';
    switch (kind) {
    case '#': // the caller's
        break;
    case 'e':
        loading->bad = loading->bad || !load_engine(loading, value);
        break;
    case 'r':
        add(&loading->runs, key, 1, value, 0);
        break;
    case 's':
        add(&loading->stages, key, prefix_length(key, 2), value, value_stage_number(value));
        break;
    case 'j':
    case 'a':
    case 'x':
    case 'c':
        add(&loading->parts, key, prefix_length(key, 1), value, 0);
        break;
    default: // of a later release
        break;
    }
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
    int64_t kind = parts[ADVICE_NUMBER];
    int64_t revision = parts[ADVICE_REVISION];
    if (reader.broken || kind < 0 || revision < 0 || revision >= INT32_MAX / 2) {
        return false;
    }
    if (!advice_kind_known(kind)) {
        return true; // of a later release
    }
    struct told_advice *told = report_told(&live->told, (enum advice_kind)kind);
    told->revision = (int32_t)revision;
    told->digest = (uint64_t)parts[ADVICE_DIGEST];
    return true;
}

static bool take_fields(const struct engine *engine, struct live_run *live, struct str value,
                        struct err *err) {
    struct wire_reader reader;
    unsigned number;
    struct str field;
    bool known, good = wire_open(value, &reader, err) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        if (number == FIELD_APP) {
            good = live->app == NULL &&
                   value_read_app(field, engine->options->cluster, &engine->options->pipeline,
                                  &live->app, err) == ST_OK;
        } else if (number == FIELD_ADVICE) {
            good = take_advice(live, field);
        } else {
            good = wire_take(live, snapshot_live_rows, snapshot_live_count, number, field, &known);
        }
    }
    return good && !reader.broken && live->app != NULL;
}

static struct live_run *find(const struct engine *engine, struct str run_key) {
    struct live_run *live;
    HASH_FIND(hh, engine->runs, run_key.p, run_key.len, live);
    return live;
}

static bool load_run(struct loading *loading, const struct item *item) {
    struct engine *engine = loading->engine;
    struct live_run *live = mem_zalloc(1, sizeof *live);
    if (item->run_key.len == 0 || item->run_key.len > sizeof live->key ||
        find(engine, item->run_key) != NULL ||
        !take_fields(engine, live, item->value, loading->err)) {
        app_free(live->app);
        mem_free(live);
        return false;
    }
    memcpy(live->key, item->run_key.p, item->run_key.len);
    live->key_len = item->run_key.len;
    live->written = true;
    HASH_ADD(hh, engine->runs, key, live->key_len, live);
    // In no queue yet, but forgotten with the engine: the order comes last.
    run_queue_add(live->over ? &engine->ended : &engine->running, live);
    metrics_add(METRIC_APPLICATIONS_LIVE, 1);
    return true;
}

static bool load_stage(struct loading *loading, const struct item *item) {
    struct live_run *live = find(loading->engine, item->run_key);
    return live != NULL && item->order >= 0 &&
           value_read_stage(live->app, item->value, loading->err) == ST_OK;
}

static bool load_part(struct loading *loading, const struct item *item) {
    struct live_run *live = find(loading->engine, item->run_key);
    return live != NULL &&
           value_read_part(live->app, item->key.p[0], item->value, loading->err) == ST_OK;
}

static int by_order(const void *x, const void *y) {
    const struct item *a = x, *b = y;
    return (a->order > b->order) - (a->order < b->order);
}

// All items by `one`, until one fails; then the words name its key.
static void load_all(struct loading *loading, struct items *items,
                     bool (*one)(struct loading *loading, const struct item *item)) {
    if (items->count > 0) {
        qsort(items->list, items->count, sizeof *items->list, by_order);
    }
    for (size_t i = 0; i < items->count && !loading->bad; i++) {
        const struct item *item = &items->list[i];
        struct err *err = loading->err;
        err_set(err, ST_SKIP, "damaged state, or state of which a part is missing");
        if (!one(loading, item)) {
            struct buf key = {0};
            buf_add_printable(&key, item->key);
            err_wrap(err, "key %.200s", buf_text(&key));
            buf_fini(&key);
            loading->bad = true;
        }
    }
    mem_free(items->list);
}

static int by_offset(const void *x, const void *y) {
    const struct live_run *a = *(struct live_run *const *)x, *b = *(struct live_run *const *)y;
    return (a->seen_offset > b->seen_offset) - (a->seen_offset < b->seen_offset);
}

// The queues in the order of the runs' last messages.
static void sort_queue(struct run_queue *queue) {
    size_t count = 0;
    for (struct live_run *live = queue->oldest; live != NULL; live = live->newer) {
        count++;
    }
    struct live_run **sorted = mem_alloc((count + 1) * sizeof *sorted);
    count = 0;
    for (struct live_run *live = queue->oldest; live != NULL; live = live->newer) {
        sorted[count++] = live;
    }
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, by_offset);
    }
    *queue = (struct run_queue){0};
    for (size_t i = 0; i < count; i++) {
        run_queue_add(queue, sorted[i]);
    }
    mem_free(sorted);
}

static bool complete(const struct engine *engine) {
    bool all = true;
    for (const struct live_run *live = engine->runs; live != NULL && all; live = live->hh.next) {
        all = value_is_complete(live->app);
    }
    return all;
}

enum status snapshot_load(struct engine *engine, const struct state_table *table, struct err *err) {
    struct err unused = {0};
    struct loading loading = {.engine = engine, .err = err == NULL ? &unused : err};
    err_set(loading.err, ST_SKIP, "damaged state of a partition");
    state_table_each(table, sort_out, &loading);
    load_all(&loading, &loading.runs, load_run);
    load_all(&loading, &loading.stages, load_stage);
    load_all(&loading, &loading.parts, load_part);
    sort_queue(&engine->ended);
    sort_queue(&engine->running);
    if (!loading.bad && !complete(engine)) {
        loading.bad = true;
        err_set(loading.err, ST_SKIP, "state of which a part is missing");
    }
    return loading.bad ? ST_SKIP : ST_OK;
}
