// registry: which pipelines of a partition there are, in what order, and which one goes when there
// is no room for another. Called by the other files of stage 2. Must never end an alert: a pipeline
// that goes has not recovered.
//
// A pipeline is in the hash table, and in the lists that its state asks for: of all; of those with
// panes that were not handed out; of those whose alerts hold. All are in the order of the last
// updates, so what has waited for longest is found without a search, and no update walks pipelines
// that it does not concern.
//
// Who makes room is told by the same order. Pipelines without alerts go first, whole. If all have
// alerts, the oldest shrinks to them: its runs and panes go, its alerts are told on and end by
// their own rule. As many as pipelines may be held may be held shrunk beside; beyond that the
// oldest goes, and its alerts fall silent without an end. A pipeline comes to be without alerts
// long after its last update, at a place among the others that a list does not find: those are a
// heap.
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "pipelines_priv.h"

struct pipeline *registry_find(const struct pipelines *pipelines, struct str key) {
    struct pipeline *p;
    HASH_FIND(hh, pipelines->all, key.p, key.len, p);
    return p;
}

// Writes the name of a cluster as it stands in runs and keys: cut, and without a newline, which
// ends it there. Gives its length.
static size_t put_cluster(char out[RUN_TEXT_MAX + 1], const char *cluster) {
    str_copy(out, RUN_TEXT_MAX + 1, str_of(cluster));
    for (char *at = out; (at = strchr(at, '\n')) != NULL;) {
        *at = '?';
    }
    return strlen(out);
}

static bool is_foreign(const struct pipelines *pipelines, struct str cluster) {
    char ours[RUN_TEXT_MAX + 1];
    const char *set = pipelines->options->cluster;
    if (set == NULL) {
        return false;
    }
    size_t len = put_cluster(ours, set);
    return !str_eq(cluster, (struct str){ours, len});
}

struct pipeline *registry_add(struct pipelines *pipelines, struct str key) {
    struct pipeline *p = mem_zalloc(1, sizeof *p);
    const char *newline = memchr(key.p, '\n', key.len);
    require(newline != NULL && key.len < sizeof p->key); // cluster, newline, name
    p->key_len = key.len;
    memcpy(p->key, key.p, key.len);
    size_t cluster = (size_t)(newline - key.p);
    memcpy(p->stats.pipeline, newline + 1, key.len - cluster - 1);
    p->is_foreign = is_foreign(pipelines, (struct str){key.p, cluster});
    window_init(p, pipelines->options);
    HASH_ADD(hh, pipelines->all, key, p->key_len, p);
    metrics_add(METRIC_PIPELINES_LIVE, 1);
    return p;
}

static void put(struct pipelines *pipelines, uint32_t at, struct pipeline *p) {
    pipelines->quiet[at] = p;
    p->quiet_at = at;
}

// Moves a pipeline of the heap to where it belongs, from `at`, which may hold anything.
static void sift(struct pipelines *pipelines, uint32_t at, struct pipeline *p) {
    struct pipeline **quiet = pipelines->quiet;
    while (at > 0 && pipeline_is_older(p, quiet[(at - 1) / 2])) {
        put(pipelines, at, quiet[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (uint32_t child; (child = 2 * at + 1) < pipelines->quiet_count; at = child) {
        child +=
            child + 1 < pipelines->quiet_count && pipeline_is_older(quiet[child + 1], quiet[child]);
        if (!pipeline_is_older(quiet[child], p)) {
            break;
        }
        put(pipelines, at, quiet[child]);
    }
    put(pipelines, at, p);
}

static void leave_quiet(struct pipelines *pipelines, const struct pipeline *p) {
    require(pipelines->quiet[p->quiet_at] == p);
    struct pipeline *last = pipelines->quiet[--pipelines->quiet_count];
    if (last != p) {
        sift(pipelines, p->quiet_at, last);
    }
}

static void stand(struct pipelines *pipelines, struct pipeline *p, enum standing standing) {
    if (p->standing == STANDING_QUIET) {
        leave_quiet(pipelines, p);
    } else if (p->standing != STANDING_NONE) {
        TAILQ_REMOVE(&pipelines->standing[p->standing], p, standing_link);
        pipelines->standing_count[p->standing]--;
    }
    p->standing = standing;
    if (standing == STANDING_QUIET) {
        MEM_GROW(pipelines->quiet, pipelines->quiet_count, pipelines->quiet_cap);
        sift(pipelines, pipelines->quiet_count++, p);
    } else if (standing != STANDING_NONE) {
        TAILQ_INSERT_TAIL(&pipelines->standing[standing], p, standing_link);
        pipelines->standing_count[standing]++;
    }
}

static enum standing standing_of(const struct pipeline *p) {
    return p->run_count == 0     ? STANDING_SHRUNK
           : p->alert_count == 0 ? STANDING_QUIET
                                 : STANDING_ALERTING;
}

// By what is kept, so that it is the same after a restart.
static int64_t bytes_of(const struct pipeline *p) {
    const int64_t block = 32; // beside each block of memory
    const int64_t pane = sizeof(struct pane) + sizeof(struct sketch) + 2 * block;
    return (int64_t)sizeof *p + 4 * block + p->ring.panes * (int64_t)sizeof(struct pane *) +
           p->pane_count * pane +
           p->run_count * (int64_t)sizeof(struct known_run) * 3 / 2 + // grows by doubling
           p->alert_count * ((int64_t)sizeof(struct pipeline_alert) + block) +
           followed_bytes(&p->followed);
}

static void count_bytes(struct pipelines *pipelines, struct pipeline *p) {
    int64_t bytes = bytes_of(p);
    budget_count(&pipelines->account, bytes - p->bytes);
    p->bytes = bytes;
}

void registry_enter(struct pipelines *pipelines, struct pipeline *p) {
    require(p->standing == STANDING_NONE && !p->is_open && !p->is_firing);
    TAILQ_INSERT_TAIL(&pipelines->by_update, p, link);
    p->is_open = p->changed_panes > 0;
    if (p->is_open) {
        TAILQ_INSERT_TAIL(&pipelines->open, p, open_link);
    }
    p->is_firing = p->firing_count > 0;
    if (p->is_firing) {
        TAILQ_INSERT_TAIL(&pipelines->firing[p->is_foreign], p, firing_link);
    }
    stand(pipelines, p, standing_of(p));
    count_bytes(pipelines, p);
}

static void close_lists(struct pipelines *pipelines, struct pipeline *p, bool open, bool firing) {
    if (p->is_open && !open) {
        TAILQ_REMOVE(&pipelines->open, p, open_link);
        p->is_open = false;
    }
    if (p->is_firing && !firing) {
        TAILQ_REMOVE(&pipelines->firing[p->is_foreign], p, firing_link);
        p->is_firing = false;
    }
}

static void leave(struct pipelines *pipelines, struct pipeline *p) {
    if (p->standing != STANDING_NONE) {
        TAILQ_REMOVE(&pipelines->by_update, p, link);
        close_lists(pipelines, p, false, false);
        stand(pipelines, p, STANDING_NONE);
    }
}

static void release(struct pipelines *pipelines, struct pipeline *p) {
    leave(pipelines, p);
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash keeps the links
    HASH_DEL(pipelines->all, p);
    window_fini(pipelines, p);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (p->alerts[kind] != NULL && p->alerts[kind]->pipeline != NULL) {
            TAILQ_REMOVE(&pipelines->ended, p->alerts[kind], ended_link);
        }
        mem_free(p->alerts[kind]);
    }
    pipelines->alert_count -= p->alert_count;
    budget_count(&pipelines->account, -p->bytes);
    followed_fini(&p->followed);
    mem_free(p->runs);
    mem_free(p);
    metrics_add(METRIC_PIPELINES_LIVE, -1);
}

static void drop(struct pipelines *pipelines, struct pipeline *p) {
    pipelines_forget(pipelines, p);
    release(pipelines, p);
}

void registry_change(struct pipelines *pipelines, struct pipeline *p) {
    if (p->standing == STANDING_NONE) {
        return; // it enters with what it is then
    }
    count_bytes(pipelines, p);
    close_lists(pipelines, p, p->changed_panes > 0, p->firing_count > 0);
    if (p->standing == STANDING_SHRUNK && p->alert_count == 0) {
        drop(pipelines, p);
    } else if (p->standing != standing_of(p)) {
        stand(pipelines, p, standing_of(p));
    }
}

// What is left are its alerts.
static void shrink(struct pipelines *pipelines, struct pipeline *p) {
    window_flush(pipelines, p);
    pipelines_forget(pipelines, p);
    p->kept = (struct kept){.touched = true};
    window_fini(pipelines, p);
    window_init(p, pipelines->options);
    followed_fini(&p->followed);
    mem_free(p->runs);
    p->runs = NULL;
    p->run_count = p->run_cap = 0;
    struct pipeline_stats none = {0};
    memcpy(none.pipeline, p->stats.pipeline, sizeof none.pipeline);
    p->stats = none;
    registry_change(pipelines, p);
    metrics_add(METRIC_PIPELINES_SHRUNK, 1);
}

static void silence(struct pipelines *pipelines, struct pipeline *p) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (alerts_is_active(p->alerts[kind])) {
            struct alert alert = p->alerts[kind]->alert;
            alert.silenced = true;
            pipelines->output.alert(pipelines->output.ctx, &alert);
            metrics_add(METRIC_ALERTS_SILENCED, 1);
            pipelines->pushed_out.alerts++;
        }
    }
    drop(pipelines, p);
}

bool pipelines_full(const struct pipelines *pipelines) {
    return pipelines->quiet_count + pipelines->standing_count[STANDING_ALERTING] >=
           pipelines->options->pipelines_max;
}

struct pipelines_pushed_out pipelines_pushed_out(const struct pipelines *pipelines) {
    return pipelines->pushed_out;
}

// There is one that has not shrunk.
static void push_out_one(struct pipelines *pipelines) {
    pipelines->pushed_out.pipelines++;
    if (pipelines->quiet_count > 0) {
        window_flush(pipelines, pipelines->quiet[0]);
        drop(pipelines, pipelines->quiet[0]);
        metrics_add(METRIC_PIPELINES_EVICTED, 1);
    } else {
        shrink(pipelines, TAILQ_FIRST(&pipelines->standing[STANDING_ALERTING]));
    }
}

void registry_trim(struct pipelines *pipelines) {
    int64_t most_bytes = pipelines->account.bytes - budget_excess(&pipelines->account);
    while (pipelines->account.bytes > most_bytes) {
        metrics_add(METRIC_LIMIT_MEMORY, 1);
        pipelines->pushed_out.for_memory++;
        if (pipelines->quiet_count + pipelines->standing_count[STANDING_ALERTING] > 0) {
            push_out_one(pipelines);
        } else {
            silence(pipelines, TAILQ_FIRST(&pipelines->standing[STANDING_SHRUNK]));
        }
    }
}

static void make_room(struct pipelines *pipelines) {
    while (pipelines_full(pipelines)) {
        metrics_add(METRIC_LIMIT_PIPELINES, 1);
        push_out_one(pipelines);
    }
    struct pipeline *oldest;
    while (pipelines->standing_count[STANDING_SHRUNK] > pipelines->options->pipelines_max &&
           (oldest = TAILQ_FIRST(&pipelines->standing[STANDING_SHRUNK])) != NULL) {
        silence(pipelines, oldest);
    }
}

struct pipeline *registry_take(struct pipelines *pipelines, const struct run_identity *identity) {
    char text[2 * (RUN_TEXT_MAX + 1)];
    size_t cluster = put_cluster(text, identity->cluster);
    struct str name = str_of(identity->pipeline), key = {text, cluster + 1 + name.len};
    text[cluster] = '\n';
    memcpy(text + cluster + 1, name.p, name.len);
    struct pipeline *p = registry_find(pipelines, key);
    if (p != NULL) {
        leave(pipelines, p);
    }
    if (p == NULL || p->run_count == 0) { // new, or it had shrunk
        make_room(pipelines);
    }
    return p != NULL ? p : registry_add(pipelines, key);
}

struct pipelines *pipelines_new(const struct pipelines_options *options,
                                const struct pipelines_output *output) {
    struct pipelines *pipelines = mem_zalloc(1, sizeof *pipelines);
    pipelines->options = options;
    pipelines->output = *output;
    TAILQ_INIT(&pipelines->by_update);
    TAILQ_INIT(&pipelines->open);
    TAILQ_INIT(&pipelines->ended);
    for (int i = 0; i < 2; i++) {
        TAILQ_INIT(&pipelines->firing[i]);
    }
    for (int i = 0; i < STANDING_COUNT; i++) {
        TAILQ_INIT(&pipelines->standing[i]);
    }
    budget_open(&pipelines->account, options->budget);
    return pipelines;
}

void pipelines_free(struct pipelines *pipelines) {
    if (pipelines == NULL) {
        return;
    }
    struct pipeline *p = NULL, *next = NULL;
    HASH_ITER(hh, pipelines->all, p, next) {
        release(pipelines, p);
    }
    budget_close(&pipelines->account);
    keep_fini(&pipelines->keep);
    mem_free(pipelines->quiet);
    mem_free(pipelines);
}
