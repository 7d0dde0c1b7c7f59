// pipelines_kept: what of stage 2 is kept, and how it comes back: the partition's times, each
// pipeline with its alerts, its runs as last heard of, the panes of its window, and the advice that
// is followed up. Called through fleet/pipelines.h; must not know how a value or a key is written.
// Bytes may be damaged or made by an enemy, so every number that is later an index, a sum or a time
// is held against what state can be. Panes of another length than is set now, or beyond a window
// that is shorter now, are let go.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pipelines_priv.h"

// More runs than that were never counted anywhere.
#define COUNT_MAX (INT64_C(1) << 40)

static const struct record_row time_rows[] = {
    RECORD_ROW(1, I64, pipelines, time_ms, .most = PARTITION_TIME_MAX_MS),
    RECORD_ROW(2, I64, pipelines, clock_ms, .most = PARTITION_TIME_MAX_MS),
};
static const struct record record_time = RECORD_OF("partition", pipelines, time_rows);

static bool alert_is_of_a_kind(void *object) {
    return ((const struct pipeline_alert *)object)->kind > 0;
}
static const struct record_row alert_rows[] = {
    RECORD_ROW(1, I64, pipeline_alert, kind, .most = KIND_COUNT),
    RECORD_AS(2, CHARS, pipeline_alert, alert.description, "description", .prose = true),
    RECORD_AS(3, I64, pipeline_alert, alert.started_ms, "started_ms",
              .most = PARTITION_TIME_MAX_MS),
    RECORD_AS(4, I64, pipeline_alert, alert.ended_ms, "ended_ms", .most = PARTITION_TIME_MAX_MS),
    RECORD_ROW(5, CHARS, pipeline_alert, run),
    RECORD_ROW(6, I64, pipeline_alert, ended_clock_ms, .most = PARTITION_TIME_MAX_MS),
};
static const struct record record_alert = {"alert", sizeof(struct pipeline_alert), alert_rows,
                                           ARRAY_LEN(alert_rows), alert_is_of_a_kind};

static uint32_t alerts_size(const void *pipeline) {
    (void)pipeline;
    return KIND_COUNT;
}
static const void *alert_at(const void *pipeline, uint32_t i, union record_scratch *scratch) {
    (void)scratch;
    return ((const struct pipeline *)pipeline)->alerts[i];
}
static void *alert_add(void *pipeline, uint32_t count, union record_scratch *scratch) {
    (void)pipeline, (void)count;
    _Static_assert(sizeof(struct pipeline_alert) <= sizeof *scratch, "read into the scratch");
    return scratch; // its place is known when its kind is
}
static bool alert_added(void *of, void *item) {
    struct pipeline *p = of;
    struct pipeline_alert *kept = item;
    enum bottleneck_kind kind = (enum bottleneck_kind)(kept->kind - 1);
    if (p->alerts[kind] == NULL) {
        p->alerts[kind] = mem_zalloc(1, sizeof *kept);
    }
    *p->alerts[kind] = *kept;
    return true;
}
static const struct record_list alert_list = {alerts_size, alert_at, alert_add, alert_added};

static const struct record_row pipeline_rows[] = {
    RECORD_AS(1, I64, pipeline, ring.newest, "newest", .most = PARTITION_TIME_MAX_MS),
    RECORD_AS(2, BOOL, pipeline, ring.started, "started"),
    RECORD_ROW(3, I64, pipeline, run_number, .most = COUNT_MAX),
    RECORD_ROW(4, I64, pipeline, seen_offset, .most = INT64_MAX),
    RECORD_ROW(5, I64, pipeline, seen_clock_ms, .most = PARTITION_TIME_MAX_MS),
    RECORD_AS(6, F64, pipeline, stats.duration_sum_s, "duration_sum_s", .most = INT64_MAX),
    RECORD_AS(7, I64, pipeline, stats.runs, "runs", .most = COUNT_MAX),
    RECORD_AS(8, I64, pipeline, stats.records_total, "records_total", .most = INT64_MAX),
    RECORD_AS(9, I64, pipeline, stats.errors_total, "errors_total", .most = COUNT_MAX),
    RECORD_AS(10, F64, pipeline, stats.records_per_s, "records_per_s", .least = INT64_MIN,
              .most = INT64_MAX),
    RECORD_AS(11, WORD, pipeline, stats.last_status, "last_status",
              .words = &vocabulary_run_status),
    RECORD_AS(12, F64, pipeline, stats.last_duration_s, "last_duration_s", .most = INT64_MAX),
    RECORD_AS(13, I64, pipeline, stats.last_ended_ms, "last_ended_ms"),
    RECORD_AS(14, I64, pipeline, ring.pane_ms, "pane_ms"),
    {.number = 100,
     .type = RECORD_PLACES,
     .name = "duration_buckets",
     .offset = offsetof(struct pipeline, stats.duration_buckets),
     .size = sizeof(int64_t),
     .max = PIPELINE_DURATION_BUCKETS + 1,
     .most = COUNT_MAX},
    {.number = 101,
     .type = RECORD_PLACES,
     .name = "open_bottlenecks",
     .offset = offsetof(struct pipeline, stats.open_bottlenecks),
     .size = sizeof(int64_t),
     .words = &vocabulary_severity,
     .max = SEVERITY_COUNT,
     .most = COUNT_MAX},
    RECORD_HOOKED(102, LIST, "alerts", &alert_list, .item = &record_alert, .max = KIND_COUNT),
};
static const struct record record_pipeline = RECORD_OF("pipeline", pipeline, pipeline_rows);

static const struct record_row run_rows[] = {
    RECORD_ROW(1, I64, known_run, number, .most = COUNT_MAX),
    RECORD_ROW(2, I64, known_run, revision),
    RECORD_ROW(3, I64, known_run, time_ms),
    RECORD_ROW(4, I64, known_run, started_ms),
    RECORD_ROW(5, I64, known_run, ended_ms),
    RECORD_ROW(6, F64, known_run, duration_s, .most = INT64_MAX),
    RECORD_ROW(7, WORD, known_run, status, .words = &vocabulary_run_status),
#define WINDOW_FIGURE(pane_number, run_number, name, from)                                         \
    RECORD_ROW(run_number, I64, known_run, name),
#include "model/window_figures.def"
#undef WINDOW_FIGURE
    RECORD_ROW(16, CHARS, known_run, id),
    RECORD_ROW(17, I64, known_run, settings),
    {.number = 101,
     .type = RECORD_PLACES,
     .name = "open_bottlenecks",
     .offset = offsetof(struct known_run, open),
     .size = sizeof(int64_t),
     .words = &vocabulary_severity,
     .max = SEVERITY_COUNT,
     .most = RUN_OPEN_MAX},
};
static const struct record record_known_run =
    RECORD_OF("run as last heard of", known_run, run_rows);

static const void *durations_at(const void *pane, uint32_t i, union record_scratch *scratch) {
    const struct sketch *durations = ((const struct pane *)pane)->durations_s10;
    (void)i, (void)scratch;
    return durations == NULL ? NULL : durations->counts;
}
static void *durations_add(void *of, uint32_t count, union record_scratch *scratch) {
    struct pane *pane = of;
    (void)count, (void)scratch;
    if (pane->durations_s10 != NULL) {
        return NULL;
    }
    pane->durations_s10 = mem_zalloc(1, sizeof *pane->durations_s10);
    return pane->durations_s10->counts;
}
static const struct record_list durations_list = {.at = durations_at, .add = durations_add};

static bool pane_is_whole(void *object) {
    struct sketch *durations = ((struct pane *)object)->durations_s10;
    for (unsigned i = 0; durations != NULL && i < SKETCH_BUCKETS; i++) {
        durations->total += durations->counts[i];
    }
    return true;
}
static const struct record_row pane_rows[] = {
    RECORD_ROW(1, BOOL, pane, changed),
    RECORD_ROW(2, INLINE, pane, window, .item = &record_pipeline_window), // 2 to 12 and 101
    RECORD_HOOKED(103, PLACES, "durations", &durations_list, .size = sizeof(uint32_t),
                  .max = SKETCH_BUCKETS),
};
static const struct record record_pane = {"pane", sizeof(struct pane), pane_rows,
                                          ARRAY_LEN(pane_rows), pane_is_whole};

static bool has_key(void *object) {
    return ((const struct followed_setting *)object)->key != NULL;
}
static const struct record_row setting_rows[] = {
    RECORD_ROW(1, NAME, followed_setting, key),
    RECORD_ROW(2, I32, followed_setting, towards, .least = -1, .most = 1),
    RECORD_ROW(3, CHARS, followed_setting, value),
};
static const struct record record_setting = {"setting", sizeof(struct followed_setting),
                                             setting_rows, ARRAY_LEN(setting_rows), has_key};

static uint32_t settings_size(const void *advised) {
    return ((const struct advised *)advised)->setting_count;
}
static const void *setting_at(const void *advised, uint32_t i, union record_scratch *scratch) {
    (void)scratch;
    return &((const struct advised *)advised)->settings[i];
}
static void *setting_add(void *of, uint32_t count, union record_scratch *scratch) {
    struct advised *f = of;
    (void)count, (void)scratch;
    if (f->setting_count == FOLLOWED_SETTINGS_MAX) {
        return NULL;
    }
    f->settings = mem_resize(f->settings, f->setting_count + 1, sizeof *f->settings);
    struct followed_setting *setting = &f->settings[f->setting_count++];
    *setting = (struct followed_setting){0};
    return setting;
}
static const struct record_list settings_list = {settings_size, setting_at, setting_add, NULL};

static const struct record_row advised_rows[] = {
    RECORD_ROW(1, WORD, advised, kind, .words = &vocabulary_advice_kind),
    RECORD_ROW(2, CHARS, advised, id),
    RECORD_ROW(3, I32, advised, revision, .most = INT32_MAX / 2),
    RECORD_ROW(4, I64, advised, finding, .most = KIND_COUNT),
    RECORD_ROW(5, F64, advised, share, .most = 1),
    RECORD_ROW(6, I64, advised, given, .most = COUNT_MAX),
    RECORD_ROW(7, BOOL, advised, had),
    RECORD_ROW(8, I64, advised, applied, .most = COUNT_MAX),
    RECORD_ROW(9, I64, advised, before),
    RECORD_ROW(10, I64, advised, after),
    RECORD_ROW(11, I64, advised, with),
    RECORD_ROW(12, I32, advised, judged, .most = COUNT_MAX),
    RECORD_ROW(13, I32, advised, misses, .most = COUNT_MAX),
    RECORD_HOOKED(100, LIST, "settings", &settings_list, .item = &record_setting,
                  .max = FOLLOWED_SETTINGS_MAX),
};
static const struct record record_advised =
    RECORD_OF("advice that is followed up", advised, advised_rows);

static void *open_time(void *of, struct keep_key *key) {
    (void)key;
    return of;
}
static bool close_time(void *of, const struct keep_key *key, void *object, bool good) {
    struct pipelines *pipelines = of;
    (void)key, (void)object;
    pipelines->kept.written = true;
    return good;
}

static void *open_pipeline(void *of, struct keep_key *key) {
    struct pipelines *pipelines = of;
    struct str owner = key->owner;
    const char *newline = memchr(owner.p, '\n', owner.len);
    if (newline == NULL || newline - owner.p > RUN_TEXT_MAX ||
        owner.p + owner.len - newline - 1 > RUN_TEXT_MAX ||
        memchr(owner.p, '\0', owner.len) != NULL) {
        return NULL;
    }
    struct pipeline *p = registry_add(pipelines, owner);
    p->kept.written = true;
    return p;
}

// Nothing in a pipeline is newer than its partition: else the partition's own value is missing.
static bool fits(const struct pipelines *pipelines, const struct pipeline *p) {
    bool good = p->ring.newest <= ring_pane_of(&p->ring, pipelines->time_ms) &&
                p->seen_clock_ms <= pipelines->clock_ms;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        good = good &&
               (p->alerts[kind] == NULL || p->alerts[kind]->ended_clock_ms <= pipelines->clock_ms);
    }
    return good;
}

static bool close_pipeline(void *of, const struct keep_key *key, void *object, bool good) {
    struct pipelines *pipelines = of;
    struct pipeline *p = object;
    (void)key;
    if (p->ring.pane_ms != pipelines->options->pane_ms) { // its panes go
        ring_init(&p->ring, pipelines->options->pane_ms, p->ring.panes);
        keep_touch(&p->kept);
    }
    return good && fits(pipelines, p);
}

static void *open_run(void *of, struct keep_key *key) {
    (void)of, (void)key;
    return mem_zalloc(1, sizeof(struct known_run));
}

// The key holds the run's id, which may be anything, and then its pipeline's.
static bool take_run(struct pipelines *pipelines, struct str key, const struct known_run *run) {
    size_t prefix = strlen(run->id) + 2;
    if (prefix > key.len || memcmp(key.p + 1, run->id, prefix - 2) != 0 ||
        key.p[prefix - 1] != '.') {
        return false;
    }
    struct pipeline *p = registry_find(pipelines, (struct str){key.p + prefix, key.len - prefix});
    if (p == NULL || run->number >= p->run_number) {
        return false;
    }
    MEM_GROW(p->runs, p->run_count, p->run_cap);
    p->runs[p->run_count] = *run;
    p->runs[p->run_count++].kept.written = true;
    return true;
}

static bool close_run(void *of, const struct keep_key *key, void *object, bool good) {
    good = good && take_run(of, key->text, object);
    mem_free(object);
    return good;
}

static void *open_pane(void *of, struct keep_key *key) {
    struct pipeline *p = registry_find(of, key->owner);
    key->of = p;
    int64_t number = key->numbers[0];
    if (p == NULL || number < 0 || number > PARTITION_TIME_MAX_MS) {
        return NULL;
    }
    if (!ring_holds(&p->ring, number)) {
        return mem_zalloc(1, sizeof(struct pane)); // to be read and let go
    }
    return window_pane(p, number) != NULL ? NULL : window_open_pane(p, number);
}

static bool close_pane(void *of, const struct keep_key *key, void *object, bool good) {
    struct pipelines *pipelines = of;
    struct pipeline *p = key->of;
    struct pane *pane = object;
    pane->kept.written = true;
    if (!ring_holds(&p->ring, key->numbers[0])) {
        keep_forget_one(&pipelines->keep, key, &pane->kept);
        pipelines->panes_lost++;
        mem_free(pane->durations_s10);
        mem_free(pane);
        return good;
    }
    pane->changed = pane->changed && good; // what is not good is not counted
    window_count_changed(pipelines, p, pane->changed);
    return good;
}

static void *open_advised(void *of, struct keep_key *key) {
    struct pipeline *p = registry_find(of, key->owner);
    int64_t place = key->numbers[0];
    if (place < 0 || place >= FOLLOWED_MAX || (p != NULL && p->followed.of[place] != NULL)) {
        return NULL;
    }
    struct advised *f = mem_zalloc(1, sizeof *f);
    key->of = p;
    if (p != NULL) {
        p->followed.of[place] = f;
    }
    return f;
}

static bool close_advised(void *of, const struct keep_key *key, void *object, bool good) {
    struct pipelines *pipelines = of;
    struct advised *f = object;
    f->kept.written = true;
    if (key->of == NULL) { // an agent of 0.1.0 let its pipeline go, and does not know such keys
        keep_forget_one(&pipelines->keep, key, &f->kept);
        mem_free(f->settings);
        mem_free(f);
    }
    return good;
}

static const struct keep_kind kinds[] = {
    {'P', 0, false, false, "P", "time of a partition of the runs", &record_time, open_time,
     close_time},
    {'p', 0, false, true, "p<pipeline key>", "a pipeline with its alerts", &record_pipeline,
     open_pipeline, close_pipeline},
    {'k', 0, true, true, "k<run id>.<pipeline key>", "a run as stage 2 last heard of it",
     &record_known_run, open_run, close_run},
    {'w', 1, false, true, "w<pane>.<pipeline key>", "a pane of a pipeline's window", &record_pane,
     open_pane, close_pane},
    {'f', 1, false, true, "f<place>.<pipeline key>", "advice that is followed up", &record_advised,
     open_advised, close_advised},
};
const struct keep_kinds pipelines_kinds = {kinds, ARRAY_LEN(kinds)};
enum { KIND_TIME, KIND_PIPELINE, KIND_RUN, KIND_PANE, KIND_ADVISED };

static struct str key_of(const struct pipeline *p) {
    return (struct str){p->key, p->key_len};
}

static struct keep_key run_key(const struct pipeline *p, const struct known_run *run) {
    return (struct keep_key){.kind = &kinds[KIND_RUN], .word = str_of(run->id), .owner = key_of(p)};
}

static struct keep_key pane_key(const struct pipeline *p, const struct pane *pane) {
    return (struct keep_key){.kind = &kinds[KIND_PANE],
                             .numbers = {ring_pane_of(&p->ring, pane->window.pane_start_ms)},
                             .owner = key_of(p)};
}

static void visit_pipeline(struct pipeline *p, struct keep_walk *walk) {
    struct keep_key key = {.kind = &kinds[KIND_PIPELINE], .owner = key_of(p)};
    if (!keep_wants(walk, &p->kept)) { // whose runs or panes change, it changes
        return;
    }
    keep_visit(walk, &key, &p->kept, p);
    for (uint32_t i = 0; i < p->run_count; i++) {
        if (keep_wants(walk, &p->runs[i].kept)) {
            key = run_key(p, &p->runs[i]);
            keep_visit(walk, &key, &p->runs[i].kept, &p->runs[i]);
        }
    }
    for (uint32_t i = 0; i < p->ring.panes; i++) {
        struct pane *pane = p->panes[i];
        if (pane != NULL && keep_wants(walk, &pane->kept)) {
            key = pane_key(p, pane);
            keep_visit(walk, &key, &pane->kept, pane);
        }
    }
    for (int i = 0; i < FOLLOWED_MAX; i++) {
        struct advised *f = p->followed.of[i];
        if (f != NULL && keep_wants(walk, &f->kept)) {
            key =
                (struct keep_key){.kind = &kinds[KIND_ADVISED], .numbers = {i}, .owner = key_of(p)};
            keep_visit(walk, &key, &f->kept, f);
        }
    }
}

static void visit_all(void *of, void *thing, struct keep_walk *walk) {
    struct pipelines *pipelines = of;
    struct pipeline *p;
    if (thing != NULL) {
        visit_pipeline(thing, walk);
        return;
    }
    struct keep_key key = {.kind = &kinds[KIND_TIME]};
    keep_visit(walk, &key, &pipelines->kept, pipelines);
    TAILQ_FOREACH(p, &pipelines->by_update, link) {
        visit_pipeline(p, walk);
    }
}

void pipelines_changes(struct pipelines *pipelines, keep_each_fn each, void *ctx) {
    keep_changes(&pipelines->keep, pipelines, visit_all, each, ctx);
}

void pipelines_all(struct pipelines *pipelines, keep_each_fn each, void *ctx) {
    keep_all(pipelines, visit_all, each, ctx);
}

void pipelines_forget(struct pipelines *pipelines, struct pipeline *pipeline) {
    keep_forget(&pipelines->keep, pipelines, visit_all, pipeline);
}

void pipelines_forget_run(struct pipelines *pipelines, const struct pipeline *pipeline,
                          const struct known_run *run) {
    struct keep_key key = run_key(pipeline, run);
    keep_forget_one(&pipelines->keep, &key, &run->kept);
}

void pipelines_forget_pane(struct pipelines *pipelines, const struct pipeline *pipeline,
                           const struct pane *pane) {
    struct keep_key key = pane_key(pipeline, pane);
    keep_forget_one(&pipelines->keep, &key, &pane->kept);
}

static int by_number(const void *x, const void *y) {
    const struct known_run *a = x, *b = y;
    return (a->number > b->number) - (a->number < b->number);
}

// A pipeline's runs in the order of their numbers, which are one each.
static bool order_runs(struct pipeline *p) {
    bool good = true;
    if (p->run_count > 0) {
        qsort(p->runs, p->run_count, sizeof *p->runs, by_number);
    }
    for (uint32_t i = 1; i < p->run_count; i++) {
        good = good && p->runs[i - 1].number < p->runs[i].number;
    }
    return good;
}

static int by_update(const void *x, const void *y) {
    const struct pipeline *a = *(struct pipeline *const *)x, *b = *(struct pipeline *const *)y;
    return pipeline_is_older(a, b) ? -1 : a != b;
}

// All pipelines enter the lists, in the order of their last updates.
static void order_pipelines(struct pipelines *pipelines) {
    size_t count = 0;
    struct pipeline **sorted = mem_alloc((HASH_COUNT(pipelines->all) + 1) * sizeof *sorted);
    for (struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        sorted[count++] = p;
    }
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, by_update);
    }
    for (size_t i = 0; i < count; i++) {
        registry_enter(pipelines, sorted[i]);
    }
    mem_free(sorted);
}

static bool is_whole(void *of, struct err *err) {
    struct pipelines *pipelines = of;
    bool good = true;
    for (struct pipeline *p = pipelines->all; p != NULL && good; p = p->hh.next) {
        good = order_runs(p);
        if (!good) {
            struct buf key = {0};
            buf_add_printable(&key, key_of(p));
            err_set(err, ST_SKIP, "key p%.200s: damaged state: two runs of one number",
                    buf_text(&key));
            buf_fini(&key);
        }
    }
    if (good) {
        alerts_complete(pipelines);
        order_pipelines(pipelines);
    }
    return good;
}

enum status pipelines_load(struct pipelines *pipelines, const struct keep_table *table,
                           struct err *err) {
    return keep_load(&pipelines_kinds, pipelines, table, is_whole, err);
}
