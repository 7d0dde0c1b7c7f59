// snapshot_pipelines_load: state of stage 2 read back. The values come in no useful order; they are
// sorted by what they say themselves: pipelines by their last update, runs by their number. Trusts
// nothing: what does not fit is refused in words. Panes of another length than is set now, or
// beyond a window that is shorter now, are let go.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/snapshot.h"
#include "snapshot_pipelines.h"

struct item {
    struct str key, value;
    struct known_run run; // of a run's value
};

struct items {
    struct item *list;
    size_t count, cap;
};

struct loading {
    struct pipelines *pipelines;
    struct items all, runs, panes;
    struct err *err;
    bool bad;
};

static bool take_numbers(struct str bytes, int64_t *out, unsigned count) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    while (wire_next(&reader, &number, &field)) {
        if (number == 0 || number > count || !wire_get_i64(field, &out[number - 1]) ||
            out[number - 1] < 0) {
            return false;
        }
    }
    return !reader.broken;
}

static struct pipeline *find(const struct pipelines *pipelines, struct str key) {
    struct pipeline *p;
    HASH_FIND(hh, pipelines->all, key.p, key.len, p);
    return p;
}

static bool take_alert(struct pipeline *p, struct str bytes) {
    struct pipeline_alert kept = {0};
    if (!wire_take_all(&kept, snapshot_alert_rows, snapshot_alert_count, bytes) || kept.kind < 1 ||
        kept.kind > KIND_COUNT) {
        return false;
    }
    alerts_name(p, &kept.alert, (enum bottleneck_kind)(kept.kind - 1));
    p->alerts[kept.kind - 1] = kept;
    return true;
}

static bool fits(const struct pipeline *p) {
    int64_t most = INT64_MAX / 4 / p->ring.pane_ms;
    return p->ring.newest < most && p->ring.newest > -most && p->stats.last_status >= 0 &&
           p->stats.last_status < RUN_STATUS_COUNT && p->run_number >= 0;
}

static bool load_pipeline(struct loading *loading, struct item *item) {
    struct str key = {item->key.p + 1, item->key.len - 1};
    struct wire_reader reader;
    if (memchr(key.p, '\n', key.len) == NULL || key.len >= sizeof((struct pipeline *)0)->key ||
        find(loading->pipelines, key) != NULL ||
        wire_open(item->value, &reader, loading->err) != ST_OK) {
        return false;
    }
    const char *newline = memchr(key.p, '\n', key.len);
    if (newline - key.p > RUN_TEXT_MAX || key.p + key.len - newline - 1 > RUN_TEXT_MAX) {
        return false;
    }
    struct pipeline *p = pipelines_add(loading->pipelines, key.p, key.len);
    struct ring now = p->ring;
    unsigned number;
    struct str field;
    bool known, good = true;
    while (good && wire_next(&reader, &number, &field)) {
        good = number == FIELD_DURATIONS
                   ? take_numbers(field, p->stats.duration_buckets, PIPELINE_DURATION_BUCKETS + 1)
               : number == FIELD_OPEN
                   ? take_numbers(field, p->stats.open_bottlenecks, SEVERITY_COUNT)
               : number == FIELD_ALERT ? take_alert(p, field)
                                       : wire_take(p, snapshot_pipeline_rows,
                                                   snapshot_pipeline_count, number, field, &known);
    }
    p->written = true;
    if (p->ring.pane_ms != now.pane_ms) {
        p->ring = now; // its panes go
        p->touched = true;
    }
    return good && !reader.broken && fits(p);
}

// The run's own part of the value; its pipeline is found when all pipelines are there.
static bool read_run(struct item *item, struct err *err) {
    struct known_run *run = &item->run;
    struct wire_reader reader;
    unsigned number;
    struct str field;
    int64_t worst[KIND_COUNT] = {0};
    bool known, good = wire_open(item->value, &reader, err) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        good = number == FIELD_WORST ? take_numbers(field, worst, KIND_COUNT)
               : number == FIELD_OPEN
                   ? take_numbers(field, run->open, SEVERITY_COUNT)
                   : wire_take(run, snapshot_run_rows, snapshot_run_count, number, field, &known);
    }
    for (int kind = 0; kind < KIND_COUNT && good; kind++) {
        good = worst[kind] < SEVERITY_COUNT;
        run->worst[kind] = (enum severity)worst[kind];
    }
    return good && !reader.broken && run->status >= 0 && run->status < RUN_STATUS_COUNT;
}

static bool load_run(struct loading *loading, struct item *item) {
    size_t prefix = strlen(item->run.id) + 2;
    struct str key = item->key;
    if (prefix >= key.len || memcmp(key.p + 1, item->run.id, prefix - 2) != 0) {
        return false;
    }
    struct pipeline *p = find(loading->pipelines, (struct str){key.p + prefix, key.len - prefix});
    if (p == NULL || known_runs_find(p, item->run.id) != NULL ||
        item->run.number >= p->run_number) {
        return false;
    }
    MEM_GROW(p->runs, p->run_count, p->run_cap);
    p->runs[p->run_count] = item->run;
    p->runs[p->run_count++].written = true;
    return true;
}

static bool take_sketch(struct pane *pane, struct str bytes) {
    int64_t counts[SKETCH_BUCKETS] = {0};
    if (pane->durations_s10 != NULL || !take_numbers(bytes, counts, SKETCH_BUCKETS)) {
        return false;
    }
    pane->durations_s10 = mem_zalloc(1, sizeof *pane->durations_s10);
    for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
        if (counts[i] > UINT32_MAX) {
            return false;
        }
        pane->durations_s10->counts[i] = (uint32_t)counts[i];
        pane->durations_s10->total += (uint64_t)counts[i];
    }
    return true;
}

static bool read_pane(struct pane *pane, struct str value, struct err *err) {
    struct wire_reader reader;
    unsigned number;
    struct str field;
    bool known, good = wire_open(value, &reader, err) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        good = number == FIELD_OPEN
                   ? take_numbers(field, pane->window.open_bottlenecks, SEVERITY_COUNT)
               : number == FIELD_SKETCH ? take_sketch(pane, field)
                                        : wire_take(pane, snapshot_pane_rows, snapshot_pane_count,
                                                    number, field, &known);
    }
    return good && !reader.broken;
}

static bool load_pane(struct loading *loading, struct item *item) {
    struct str key = item->key;
    const char *dot = memchr(key.p, '.', key.len);
    int64_t number;
    if (dot == NULL || !str_to_i64((struct str){key.p + 1, (size_t)(dot - key.p) - 1}, &number)) {
        return false;
    }
    struct pipeline *p =
        find(loading->pipelines, (struct str){dot + 1, (size_t)(key.p + key.len - dot) - 1});
    if (p == NULL || number > INT64_MAX / 4 / p->ring.pane_ms ||
        number < -(INT64_MAX / 4 / p->ring.pane_ms)) {
        return false;
    }
    struct pane *pane = window_pane(p, number);
    if (!ring_holds(&p->ring, number)) {
        struct pane gone = {.written = true, .window = {.pane_start_ms = number * p->ring.pane_ms}};
        snapshot_forget_pane(loading->pipelines, p, &gone);
        return true;
    }
    if (pane->window.pane_end_ms != 0 || !read_pane(pane, item->value, loading->err)) {
        return false;
    }
    window_name_pane(p, pane, number);
    pane->written = true;
    p->changed_panes += pane->changed;
    return true;
}

static void add(struct items *items, struct str key, struct str value) {
    MEM_GROW(items->list, items->count, items->cap);
    items->list[items->count++] = (struct item){.key = key, .value = value};
}

static void sort_out(void *ctx, struct str key, struct str value) {
    struct loading *loading = ctx;
    struct wire_reader reader;
    switch (key.len > 0 ? key.p[0] : '\0') {
    case 'P':
        loading->bad = loading->bad || wire_open(value, &reader, loading->err) != ST_OK ||
                       !wire_take_all(loading->pipelines, snapshot_time_rows, snapshot_time_count,
                                      (struct str){reader.at, (size_t)(reader.end - reader.at)});
        break;
    case 'p':
        add(&loading->all, key, value);
        break;
    case 'k':
        add(&loading->runs, key, value);
        break;
    case 'w':
        add(&loading->panes, key, value);
        break;
    default: // the caller's, or of a later release
        break;
    }
}

// All items by `one`, until one fails; then the words name its key.
static void load_all(struct loading *loading, struct items *items,
                     bool (*one)(struct loading *loading, struct item *item)) {
    for (size_t i = 0; i < items->count && !loading->bad; i++) {
        struct err *err = loading->err;
        err_set(err, ST_SKIP, "damaged state, or state of which a part is missing");
        if (!one(loading, &items->list[i])) {
            struct buf key = {0};
            buf_add_printable(&key, items->list[i].key);
            err_wrap(err, "key %.200s", buf_text(&key));
            buf_fini(&key);
            loading->bad = true;
        }
    }
}

static bool prepare_run(struct loading *loading, struct item *item) {
    return read_run(item, loading->err);
}

static int by_number(const void *x, const void *y) {
    const struct item *a = x, *b = y;
    return (a->run.number > b->run.number) - (a->run.number < b->run.number);
}

static int by_offset(const void *x, const void *y) {
    const struct pipeline *a = *(struct pipeline *const *)x, *b = *(struct pipeline *const *)y;
    return (a->seen_offset > b->seen_offset) - (a->seen_offset < b->seen_offset);
}

// The list in the order of the pipelines' last updates.
static void sort_pipelines(struct pipelines *pipelines) {
    size_t count = 0;
    struct pipeline **sorted = mem_alloc((HASH_COUNT(pipelines->all) + 1) * sizeof *sorted);
    for (struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        sorted[count++] = p;
    }
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, by_offset);
    }
    for (size_t i = 0; i < count; i++) {
        pipelines_unlink(pipelines, sorted[i]);
        pipelines_link_newest(pipelines, sorted[i]);
    }
    mem_free(sorted);
}

enum status snapshot_pipelines_load(struct pipelines *pipelines, const struct state_table *table,
                                    struct err *err) {
    struct err unused = {0};
    struct loading loading = {.pipelines = pipelines, .err = err == NULL ? &unused : err};
    err_set(loading.err, ST_SKIP, "damaged state of a partition");
    state_table_each(table, sort_out, &loading);
    load_all(&loading, &loading.all, load_pipeline);
    load_all(&loading, &loading.runs, prepare_run);
    if (loading.runs.count > 0) {
        qsort(loading.runs.list, loading.runs.count, sizeof *loading.runs.list, by_number);
    }
    load_all(&loading, &loading.runs, load_run);
    load_all(&loading, &loading.panes, load_pane);
    sort_pipelines(pipelines);
    mem_free(loading.all.list);
    mem_free(loading.runs.list);
    mem_free(loading.panes.list);
    return loading.bad ? ST_SKIP : ST_OK;
}
