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
    struct items time, all, runs, panes;
    struct err *err;
    bool bad;
};

static bool load_time(struct loading *loading, struct item *item) {
    return snapshot_read_time(loading->pipelines, item->value, loading->err);
}

static bool load_pipeline(struct loading *loading, struct item *item) {
    struct pipelines *pipelines = loading->pipelines;
    struct str key = {item->key.p + 1, item->key.len - 1};
    const char *newline = memchr(key.p, '\n', key.len);
    if (newline == NULL || newline - key.p > RUN_TEXT_MAX ||
        key.p + key.len - newline - 1 > RUN_TEXT_MAX || memchr(key.p, '\0', key.len) != NULL) {
        return false;
    }
    struct pipeline *p = pipelines_add(pipelines, key.p, key.len);
    p->written = true;
    return snapshot_read_pipeline(pipelines, p, item->value, loading->err);
}

// The run's own part of the value; its pipeline is found when all pipelines are there.
static bool prepare_run(struct loading *loading, struct item *item) {
    return snapshot_read_run(&item->run, item->value, loading->err);
}

static bool load_run(struct loading *loading, struct item *item) {
    size_t prefix = strlen(item->run.id) + 2;
    struct str key = item->key;
    if (prefix > key.len || memcmp(key.p + 1, item->run.id, prefix - 2) != 0 ||
        key.p[prefix - 1] != '.') {
        return false;
    }
    struct pipeline *p = pipelines_find(loading->pipelines, key.p + prefix, key.len - prefix);
    if (p == NULL || item->run.number >= p->run_number ||
        (p->run_count > 0 && p->runs[p->run_count - 1].number == item->run.number)) {
        return false;
    }
    MEM_GROW(p->runs, p->run_count, p->run_cap);
    p->runs[p->run_count] = item->run;
    p->runs[p->run_count++].written = true;
    return true;
}

static bool load_pane(struct loading *loading, struct item *item) {
    struct pipelines *pipelines = loading->pipelines;
    struct str key = item->key;
    const char *dot = memchr(key.p, '.', key.len);
    int64_t number;
    if (dot == NULL || !str_to_i64((struct str){key.p + 1, (size_t)(dot - key.p) - 1}, &number)) {
        return false;
    }
    struct pipeline *p = pipelines_find(pipelines, dot + 1, (size_t)(key.p + key.len - dot) - 1);
    if (p == NULL || number < 0 || number > PARTITION_TIME_MAX_MS) {
        return false;
    }
    if (!ring_holds(&p->ring, number)) {
        snapshot_note_gone(pipelines, key);
        pipelines->panes_lost++;
        return true;
    }
    if (window_pane(p, number) != NULL) {
        return false;
    }
    struct pane *pane = window_open_pane(p, number);
    if (!snapshot_read_pane(pane, item->value, loading->err)) {
        pane->changed = false; // not counted yet, and never will be
        return false;
    }
    pane->written = true;
    window_count_changed(pipelines, p, pane->changed);
    return true;
}

static void add(struct items *items, struct str key, struct str value) {
    MEM_GROW(items->list, items->count, items->cap);
    items->list[items->count++] = (struct item){.key = key, .value = value};
}

static void sort_out(void *ctx, struct str key, struct str value) {
    struct loading *loading = ctx;
    switch (key.len > 0 ? key.p[0] : '\0') {
    case 'P':
        if (key.len == 1) {
            add(&loading->time, key, value);
        }
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

static int by_number(const void *x, const void *y) {
    const struct item *a = x, *b = y;
    return (a->run.number > b->run.number) - (a->run.number < b->run.number);
}

static int by_offset(const void *x, const void *y) {
    const struct pipeline *a = *(struct pipeline *const *)x, *b = *(struct pipeline *const *)y;
    if (a->seen_offset == b->seen_offset) { // no two can be, but the order must not depend on qsort
        return strcmp(a->key, b->key);
    }
    return a->seen_offset > b->seen_offset ? 1 : -1;
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
    state_table_each(table, sort_out, &loading);
    load_all(&loading, &loading.time, load_time);
    load_all(&loading, &loading.all, load_pipeline);
    load_all(&loading, &loading.runs, prepare_run);
    if (loading.runs.count > 0) {
        qsort(loading.runs.list, loading.runs.count, sizeof *loading.runs.list, by_number);
    }
    load_all(&loading, &loading.runs, load_run);
    load_all(&loading, &loading.panes, load_pane);
    sort_pipelines(pipelines);
    mem_free(loading.time.list);
    mem_free(loading.all.list);
    mem_free(loading.runs.list);
    mem_free(loading.panes.list);
    return loading.bad ? ST_SKIP : ST_OK;
}
