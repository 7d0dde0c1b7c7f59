// app_priv: what the files of app share and nobody else may see.
#pragma once

#include "base/hash.h"
#include "state/app.h"

static inline int64_t app_stage_key(int32_t id, int32_t attempt) {
    return (int64_t)(((uint64_t)(uint32_t)id << 32) | (uint32_t)attempt);
}

struct app_stage_slot {
    int64_t key; // stage id and attempt
    struct stage *stage;
    UT_hash_handle hh;
};

// The stage's entry in the index, or NULL.
static inline struct app_stage_slot *app_stage_slot(const struct app *app, int32_t id,
                                                    int32_t attempt) {
    int64_t key = app_stage_key(id, attempt);
    struct app_stage_slot *slot;
    HASH_FIND(hh, app->stage_index, &key, sizeof key, slot);
    return slot;
}

// Adds an id to one of the sets of ids; false if it was there already.
static inline bool app_add_id(struct app *app, struct rangeset *ids, int64_t id) {
    bool joined = false;
    bool added = rangeset_add(ids, id, APP_TASK_RANGES_MAX, &joined);
    if (joined) {
        limit_hit(&app->limits, LIMIT_TASK_IDS);
    }
    return added;
}

// A text in 64 bits, the same in every process: kept in its place, never 0.
static inline int64_t app_text_hash(struct str text) {
    uint64_t hash = hash_siphash13(0x53746F6B6572, 0x746578742D31, text.p, text.len);
    return (int64_t)(hash == 0 ? 1 : hash);
}

// What the stages of an open job tell of it.
enum job_sign { JOB_OPEN, JOB_DONE, JOB_CANCELLED, JOB_ABORTED };

struct app_job {
    int32_t id;
    enum job_sign sign;
    bool stream;                     // a streaming query made it
    int64_t execution_id;            // SQL execution, -1 none
    int64_t family;                  // the execution that this one belongs to, plus one; 0: none
    int64_t number;                  // how many jobs began, with it
    int64_t first_stage, last_stage; // ids, plus one; 0: none
    int64_t started_ms;
    struct work_mark work;
    struct kept kept;
};

// Accumulators are kept in chunks by id.
enum { ACCUM_CHUNK_BITS = 8, ACCUM_CHUNK = 1 << ACCUM_CHUNK_BITS };
// Marks of chunks of accumulators stand in a map by chunk.
enum { ACCUM_CHUNK_TOUCHED = 1, ACCUM_CHUNK_WRITTEN = 2 };

static inline struct kept app_chunk_mark(int64_t bits) {
    return (struct kept){(bits & ACCUM_CHUNK_TOUCHED) != 0, (bits & ACCUM_CHUNK_WRITTEN) != 0};
}

static inline int64_t app_chunk_bits(struct kept kept) {
    return (kept.touched ? ACCUM_CHUNK_TOUCHED : 0) | (kept.written ? ACCUM_CHUNK_WRITTEN : 0);
}

// What is known of an accumulator changed.
static inline void app_touch_accum(struct app *app, int64_t id) {
    int64_t chunk = id >> ACCUM_CHUNK_BITS, bits = 0;
    idmap_get(&app->accum_chunks, chunk, &bits);
    struct kept kept = app_chunk_mark(bits);
    if (!kept.touched) {
        keep_touch(&kept);
        idmap_put(&app->accum_chunks, chunk, app_chunk_bits(kept), SIZE_MAX);
    }
}

// Those of one chunk, as they are kept.
struct accum_chunk {
    struct app *app;
    int64_t first; // id
};

// executors.c: EXECUTORS_PER_CHUNK executors and as many hosts, as they are kept.
struct executor_chunk {
    struct executors *executors;
    uint32_t number;
};
extern const struct record record_executor_sums; // of struct executors
// What an executor and a host take, each with its places in tables.
enum { EXECUTOR_BYTES = 224, HOST_BYTES = 256 };
// Chunks that are in use.
static inline uint32_t executors_chunks(const struct executors *executors) {
    uint32_t most =
        executors->count > executors->host_count ? executors->count : executors->host_count;
    return (most + EXECUTORS_PER_CHUNK - 1) / EXECUTORS_PER_CHUNK;
}
// True if chunks came complete: no gap among hosts and executors, every host known.
bool executors_complete(const struct executors *executors);
// Forgets all executors and hosts, which are new when they are heard of again; their slots count
// on. Chunks that were kept are added to `gone`.
void executors_let_go(struct executors *executors, struct kept_gone *gone);

// app.c
// Takes a stage over; the app must not have one with its id.
void app_stage_adopt(struct app *app, struct stage *stage);

// app_bound.c
// The stage changed: the sums over the stages follow.
void app_count_stage(struct app *app, struct stage *stage);
// Forgets stages until there is room for so many more within the limits.
void app_stages_bound(struct app *app, uint32_t coming);

// app_plan.c
// Merges an event about the plan of a SQL execution or its metrics.
void app_apply_plan(struct app *app, const struct event *event);
// Adds what a successful task's SQL metrics say; returns its scan time in ns, -1 if it reports
// none.
int64_t app_apply_task_accums(struct app *app, const struct event_task *task);

// own_waits.c
// True if the stage, whose first task comes, waited behind an older job's other work.
bool app_behind_a_job(const struct app *app, const struct stage *stage);
// A stage ended: counts its wait.
void app_count_wait(struct app *app, const struct stage *stage);

// slow_hosts.c
// A stage ended: counts it on each host whose tasks took far longer than those elsewhere.
void app_count_slow_hosts(struct app *app, const struct stage *stage);

// pipeline_name.c
// Takes of a property what it tells of the pipeline's name.
void app_keep_property(struct app *app, const struct event_property *property);

// run_kind.c
extern const struct record_list app_signs_list; // of struct app: none, or its signs
