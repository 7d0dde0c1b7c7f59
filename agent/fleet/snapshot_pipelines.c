// snapshot_pipelines: the state of stage 2 written out, see engine/snapshot.h;
// snapshot_pipelines_load.c reads it back. Called by whoever keeps state outside the process. Keys:
// "P" the partition, "p<pipeline key>" a pipeline with its alerts, "k<run id>.<pipeline key>" a run
// as last heard of, "w<pane>.<pipeline key>" a pane of the window. A pipeline key is cluster,
// newline, name.
#include "snapshot_pipelines.h"

#include <stdio.h>
#include <string.h>

#include "engine/snapshot.h"

struct writer {
    state_each_fn each;
    void *ctx;
    struct buf key, value;
};

static void set_key(struct buf *key, const char *prefix, const struct pipeline *p) {
    buf_clear(key);
    buf_add_text(key, prefix);
    buf_add(key, p->key, p->key_len);
}

static void hand(struct writer *writer, const char *prefix, const struct pipeline *p) {
    set_key(&writer->key, prefix, p);
    writer->each(writer->ctx, buf_str(&writer->key), buf_str(&writer->value));
}

// A number under the place it has in a list; zeros are left out.
static void put_numbers(struct buf *value, unsigned field, const int64_t *numbers, unsigned count) {
    struct buf list = {0};
    for (unsigned i = 0; i < count; i++) {
        wire_put_i64(&list, i + 1, numbers[i]);
    }
    if (list.len > 0) {
        wire_put(value, field, buf_str(&list));
    }
    buf_fini(&list);
}

static void hand_time(struct writer *writer, const struct pipelines *pipelines) {
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, pipelines, snapshot_time_rows, snapshot_time_count);
    writer->each(writer->ctx, STR("P"), buf_str(&writer->value));
}

static void hand_pipeline(struct writer *writer, const struct pipeline *p) {
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, p, snapshot_pipeline_rows, snapshot_pipeline_count);
    put_numbers(&writer->value, FIELD_DURATIONS, p->stats.duration_buckets,
                PIPELINE_DURATION_BUCKETS + 1);
    put_numbers(&writer->value, FIELD_OPEN, p->stats.open_bottlenecks, SEVERITY_COUNT);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (p->alerts[kind] != NULL) {
            wire_put_nested(&writer->value, FIELD_ALERT, p->alerts[kind], snapshot_alert_rows,
                            snapshot_alert_count);
        }
    }
    hand(writer, "p", p);
}

static void run_prefix(const struct known_run *run, char out[ID_TEXT_SIZE + 8]) {
    snprintf(out, ID_TEXT_SIZE + 8, "k%s.", run->id);
}

static void hand_run(struct writer *writer, const struct pipeline *p, const struct known_run *run) {
    char prefix[ID_TEXT_SIZE + 8];
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, run, snapshot_run_rows, snapshot_run_count);
    put_numbers(&writer->value, FIELD_OPEN, run->open, SEVERITY_COUNT);
    run_prefix(run, prefix);
    hand(writer, prefix, p);
}

static void pane_prefix(const struct pipeline *p, const struct pane *pane, char out[32]) {
    snprintf(out, 32, "w%lld.", (long long)ring_pane_of(&p->ring, pane->window.pane_start_ms));
}

static void hand_pane(struct writer *writer, const struct pipeline *p, const struct pane *pane) {
    char prefix[32];
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, pane, snapshot_pane_rows, snapshot_pane_count);
    put_numbers(&writer->value, FIELD_OPEN, pane->window.open_bottlenecks, SEVERITY_COUNT);
    if (pane->durations_s10 != NULL) {
        struct buf counts = {0};
        for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
            wire_put_i64(&counts, i + 1, pane->durations_s10->counts[i]);
        }
        wire_put(&writer->value, FIELD_SKETCH, buf_str(&counts));
        buf_fini(&counts);
    }
    pane_prefix(p, pane, prefix);
    hand(writer, prefix, p);
}

static void hand_changes(struct writer *writer, struct pipeline *p) {
    hand_pipeline(writer, p);
    p->touched = false;
    p->written = true;
    for (uint32_t i = 0; i < p->run_count; i++) {
        if (p->runs[i].touched) {
            hand_run(writer, p, &p->runs[i]);
            p->runs[i].touched = false;
            p->runs[i].written = true;
        }
    }
    for (uint32_t i = 0; i < p->ring.panes; i++) {
        struct pane *pane = p->panes[i];
        if (pane != NULL && pane->touched) {
            hand_pane(writer, p, pane);
            pane->touched = false;
            pane->written = true;
        }
    }
}

// True if `word`, what stands between letter and dot of a key, names a part of this pipeline.
static bool has_part(const struct pipeline *p, char letter, struct str word) {
    char id[ID_TEXT_SIZE];
    int64_t number;
    if (letter == 'k') {
        return str_copy(id, sizeof id, word) && known_runs_find(p, id) != NULL;
    }
    return str_to_i64(word, &number) && ring_holds(&p->ring, number) &&
           window_pane(p, number) != NULL;
}

// True if what had this key is there again: then its new value is handed out, and nothing else.
static bool is_back(const struct pipelines *pipelines, struct str key) {
    if (key.p[0] == 'p') {
        return pipelines_find(pipelines, key.p + 1, key.len - 1) != NULL;
    }
    for (size_t i = 1; i < key.len && i <= ID_TEXT_SIZE; i++) { // a dot may be part of an id too
        const struct pipeline *p =
            key.p[i] == '.' ? pipelines_find(pipelines, key.p + i + 1, key.len - i - 1) : NULL;
        if (p != NULL && has_part(p, key.p[0], (struct str){key.p + 1, i - 1})) {
            return true;
        }
    }
    return false;
}

static void hand_gone(struct writer *writer, struct pipelines *pipelines) {
    struct buf *gone = &pipelines->gone;
    for (size_t at = 0; at < gone->len;) {
        size_t len;
        memcpy(&len, gone->data + at, sizeof len);
        struct str key = {gone->data + at + sizeof len, len};
        if (!is_back(pipelines, key)) {
            writer->each(writer->ctx, key, (struct str){NULL, 0});
        }
        at += sizeof len + len;
    }
    buf_clear(gone);
}

void snapshot_pipelines_changes(struct pipelines *pipelines, state_each_fn each, void *ctx) {
    struct writer writer = {.each = each, .ctx = ctx};
    hand_gone(&writer, pipelines);
    if (pipelines->touched) {
        hand_time(&writer, pipelines);
        pipelines->touched = false;
    }
    for (struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        if (p->touched) {
            hand_changes(&writer, p);
        }
    }
    buf_fini(&writer.key);
    buf_fini(&writer.value);
}

void snapshot_pipelines_each(const struct pipelines *pipelines, state_each_fn each, void *ctx) {
    struct writer writer = {.each = each, .ctx = ctx};
    if (pipelines->time_ms != 0 || pipelines->clock_ms != 0) {
        hand_time(&writer, pipelines);
    }
    for (const struct pipeline *p = pipelines->oldest; p != NULL; p = p->newer) {
        hand_pipeline(&writer, p);
        for (uint32_t i = 0; i < p->run_count; i++) {
            hand_run(&writer, p, &p->runs[i]);
        }
        for (uint32_t i = 0; i < p->ring.panes; i++) {
            if (p->panes[i] != NULL) {
                hand_pane(&writer, p, p->panes[i]);
            }
        }
    }
    buf_fini(&writer.key);
    buf_fini(&writer.value);
}

void snapshot_note_gone(struct pipelines *pipelines, struct str key) {
    buf_add(&pipelines->gone, &key.len, sizeof key.len);
    buf_add_str(&pipelines->gone, key);
}

static void note_gone(struct pipelines *pipelines, const char *prefix, const struct pipeline *p) {
    struct buf key = {0};
    set_key(&key, prefix, p);
    snapshot_note_gone(pipelines, buf_str(&key));
    buf_fini(&key);
}

void snapshot_forget_run(struct pipelines *pipelines, const struct pipeline *pipeline,
                         const struct known_run *run) {
    if (run->written) {
        char prefix[ID_TEXT_SIZE + 8];
        run_prefix(run, prefix);
        note_gone(pipelines, prefix, pipeline);
    }
}

void snapshot_forget_pane(struct pipelines *pipelines, const struct pipeline *pipeline,
                          const struct pane *pane) {
    if (pane->written) {
        char prefix[32];
        pane_prefix(pipeline, pane, prefix);
        note_gone(pipelines, prefix, pipeline);
    }
}

void snapshot_forget_pipeline(struct pipelines *pipelines, const struct pipeline *pipeline) {
    for (uint32_t i = 0; i < pipeline->run_count; i++) {
        snapshot_forget_run(pipelines, pipeline, &pipeline->runs[i]);
    }
    for (uint32_t i = 0; i < pipeline->ring.panes; i++) {
        if (pipeline->panes[i] != NULL) {
            snapshot_forget_pane(pipelines, pipeline, pipeline->panes[i]);
        }
    }
    if (pipeline->written) {
        note_gone(pipelines, "p", pipeline);
    }
}
