// app_bound: how much memory a run takes, and how it gives some back. The bytes are a function of
// what is kept, counts times sizes, never of how it came to be: state that was read back takes as
// many as before. Called by the files of app as stages come, change and go, and by engine, which
// decides whose memory goes (engine/trim.c). What goes is summed up first: no total changes.
#include <string.h>

#include "app_priv.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/sat.h"

// Beside each block of memory: its header and what the allocator rounds up.
#define BLOCK_BYTES INT64_C(32)
// A hash table as soon as it has an entry.
enum { TABLE_BYTES = sizeof(UT_hash_table) + 32 * sizeof(UT_hash_bucket) + 2 * BLOCK_BYTES };
// An id in a map of which three quarters down to three eighths are taken.
enum { MAPPED_BYTES = 32 };
enum {
    STAGE_BYTES = sizeof(struct stage) + sizeof(struct app_stage_slot) + sizeof(struct stage *) +
                  2 * BLOCK_BYTES,
    DETAIL_BYTES = sizeof(struct stage_detail) + 2 * BLOCK_BYTES,
    VERDICT_BYTES = sizeof(struct bottleneck) + sizeof(struct bottleneck *) + BLOCK_BYTES,
};
// Sums of so many parts do not overflow.
enum { PART_TASKS_MAX = INT32_MAX };

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static struct stage_part part_of(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    struct stage_part part = {
        .bytes = STAGE_BYTES + stage->verdict_count * (int64_t)VERDICT_BYTES,
        .busy = !stage->completed && stage->tasks_running > 0,
        .running = stage->completed ? 0 : least(stage->tasks_running, PART_TASKS_MAX),
    };
    // A stage whose tasks end without having begun is one of a log without starts.
    if (!stage->completed && stage->submitted && (part.busy > 0 || s->tasks == 0)) {
        int64_t begun = sat_add(s->tasks, stage->tasks_running);
        part.pending = least(sat_sub0(s->tasks_expected, begun), PART_TASKS_MAX);
    }
    if (stage->detail != NULL) {
        int64_t lists = stage->detail->host_count * (int64_t)sizeof(struct stage_host) +
                        stage->detail->running_count * (int64_t)sizeof(struct stage_running);
        part.bytes += DETAIL_BYTES + lists * 3 / 2; // arrays grow by doubling
    }
    if (stage->completed && !s->failed && s->tasks_expected > 0) {
        part.expected = least(s->tasks_expected, PART_TASKS_MAX);
        part.seen = least(s->tasks, part.expected);
    }
    return part;
}

static void add_part(struct stage_part *sum, const struct stage_part *part, int64_t sign) {
    sum->expected += sign * part->expected;
    sum->seen += sign * part->seen;
    sum->bytes += sign * part->bytes;
    sum->busy += sign * part->busy;
    sum->running += sign * part->running;
    sum->pending += sign * part->pending;
}

void app_count_stage(struct app *app, struct stage *stage) {
    struct stage_part now = part_of(stage);
    add_part(&app->sums, &stage->counted, -1);
    add_part(&app->sums, &now, 1);
    stage->counted = now;
    app->last_finish_ms = most(app->last_finish_ms, stage->last_finish_ms);
}

static void forget_stage(struct app *app, struct stage *stage) {
    struct app_stage_slot *slot = app_stage_slot(app, stage->summary.stage, stage->summary.attempt);
    require(slot != NULL); // every stage is in the index
    HASH_DEL(app->stage_index, slot);
    mem_free(slot);
    require(stage->completed || app->open_stages > 0);
    app->open_stages -= !stage->completed;
    app->recent_stage = app->recent_stage == stage ? NULL : app->recent_stage;
    for (unsigned i = 0; i < app->closed_detail_count; i++) {
        if (app->closed_details[i] == stage) {
            app->closed_details[i--] = app->closed_details[--app->closed_detail_count];
        }
    }
    add_part(&app->sums, &stage->counted, -1);
    sat_inc(&app->gone_expected, stage->counted.expected);
    sat_inc(&app->gone_seen, stage->counted.seen);
    app->gone_slots_most = most(app->gone_slots_most, stage->slots);
    app->gone_last_finish_ms = most(app->gone_last_finish_ms, stage->last_finish_ms);
    app->gone_shuffle_s += stage_shuffle_s(stage, app->foreign_engine);
    keep_gone(&app->gone, &stage->kept,
              (struct kept_part){'s', {stage->summary.stage, stage->summary.attempt}});
    stage_free(stage);
}

static bool has_open_verdict(const struct stage *stage) {
    for (uint32_t i = 0; i < stage->verdict_count; i++) {
        if (bottleneck_is_open(stage->verdicts[i])) {
            return true;
        }
    }
    return false;
}

// Which stages may go.
enum going { GOING_OPEN, GOING_CLOSED, GOING_CLOSED_WITHOUT_VERDICT };

static bool may_go(const struct stage *stage, enum going going) {
    return going == GOING_OPEN
               ? !stage->completed
               : stage->completed && (going == GOING_CLOSED || !has_open_verdict(stage));
}

// The oldest `at_most` of those go, in one pass. Returns how many did.
static uint32_t forget_stages(struct app *app, enum going going, uint32_t at_most) {
    uint32_t gone = 0, kept = 0;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        struct stage *stage = app->stages[i];
        if (gone < at_most && may_go(stage, going)) {
            forget_stage(app, stage);
            gone++;
        } else {
            app->stages[kept++] = stage;
        }
    }
    app->stage_count = kept;
    return gone;
}

// An eighth goes at once, so that a stage beyond the bound costs no walk over all others.
void app_stages_bound(struct app *app, uint32_t coming) {
    bool hit = false;
    while (app->open_stages + coming > APP_OPEN_STAGES_MAX) {
        forget_stages(app, GOING_OPEN, APP_OPEN_STAGES_MAX / 8);
        hit = true;
    }
    while (app->stage_count + coming > APP_STAGES_MAX) {
        forget_stages(app, GOING_CLOSED, APP_STAGES_MAX / 8);
        hit = true;
    }
    if (hit) {
        limit_hit(&app->limits, LIMIT_STAGES);
    }
}

static void drop_detail(struct app *app, struct stage *stage) {
    stage_drop_detail(stage);
    keep_touch(&stage->kept);
    app_count_stage(app, stage);
}

// Of those that have closed with their detail, the one that appeared first gives it up.
static void drop_old_details(struct app *app, struct stage *closed) {
    unsigned count = app->closed_detail_count, oldest = 0;
    require(count <= APP_CLOSED_DETAILS);
    for (unsigned i = 0; i < count; i++) {
        if (app->closed_details[i] == closed) {
            return;
        }
        oldest = app->closed_details[i]->number < app->closed_details[oldest]->number ? i : oldest;
    }
    if (closed->detail == NULL) {
        return;
    }
    if (count < APP_CLOSED_DETAILS) {
        app->closed_details[app->closed_detail_count++] = closed;
    } else if (closed->number < app->closed_details[oldest]->number) {
        drop_detail(app, closed);
    } else {
        drop_detail(app, app->closed_details[oldest]);
        app->closed_details[oldest] = closed;
    }
}

void app_stage_judged(struct app *app, struct stage *stage, bool over) {
    stage->judged_ms = app->now_ms;
    stage->dirty = false;
    keep_touch(&stage->kept);
    app_count_stage(app, stage);
    if (stage->completed && !over) {
        drop_old_details(app, stage);
    }
}

int64_t app_bytes(const struct app *app) {
    int64_t ranges =
        (int64_t)(app->started_tasks.len + app->ended_tasks.len + app->started_jobs.len +
                  app->ended_jobs.len + app->delivery.numbers.len + app->outcome.ended.len +
                  app->outcome.well.len);
    int64_t ids = (int64_t)(app->accum_roles.len + app->driver_values.len + app->accum_chunks.len);
    int64_t values = 0;
    for (uint32_t i = 0; i < app->pipeline_rule->count; i++) {
        values += app->pipeline_values[i] != NULL;
    }
    int64_t tables = (app->stage_count > 0) + 2 * (app->executors.count > 0);
    return (int64_t)sizeof *app + 8 * BLOCK_BYTES + tables * TABLE_BYTES + app->sums.bytes +
           app->verdict_count * (int64_t)VERDICT_BYTES +
           (app->job_count * (int64_t)sizeof *app->jobs +
            app->outcome.failure_count * (int64_t)sizeof *app->outcome.failures +
            app->outcome.execution_count * (int64_t)sizeof *app->outcome.executions +
            ranges * (int64_t)sizeof(struct rangeset_range)) *
               3 / 2 +
           ids * MAPPED_BYTES + plans_bytes(&app->plans) * 3 / 2 +
           values * (RUN_TEXT_MAX + 1 + BLOCK_BYTES) +
           app->signs.query_count * (int64_t)sizeof *app->signs.queries +
           app->executors.count * (int64_t)EXECUTOR_BYTES +
           app->streams.count * (int64_t)sizeof(struct stream_query) +
           app->executors.host_count * (int64_t)HOST_BYTES +
           app->executors.slots.count * (int64_t)sizeof(struct slot_profile) +
           (int64_t)(app->properties.packed.len + app->session.packed.len) * 3 / 2;
}

// The largest id of a map; INT64_MIN if it is empty.
static int64_t largest_id(const struct idmap *map) {
    int64_t largest = INT64_MIN;
    for (size_t i = 0; i < map->cap; i++) {
        largest = map->keys[i] > largest ? map->keys[i] : largest;
    }
    return largest;
}

static void let_go_accums(struct app *app) {
    plans_let_go(app);
    const int64_t ids[] = {largest_id(&app->accum_roles), largest_id(&app->driver_values)};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        if (ids[i] >= app->accums_from && ids[i] < INT64_MAX) {
            app->accums_from = ids[i] + 1;
        }
    }
    for (size_t i = 0; i < app->accum_chunks.cap; i++) {
        int64_t number = app->accum_chunks.keys[i];
        if (number != INT64_MIN) {
            struct kept kept = app_chunk_mark(app->accum_chunks.values[i]);
            keep_gone(&app->gone, &kept, (struct kept_part){'a', {number}});
        }
    }
    idmap_fini(&app->accum_chunks);
    idmap_fini(&app->accum_roles);
    idmap_fini(&app->driver_values);
}

bool app_let_go(struct app *app, enum app_letting what) {
    int64_t before = app_bytes(app);
    if (what == LET_GO_DETAILS) {
        for (uint32_t i = 0; i < app->stage_count; i++) {
            if (app->stages[i]->detail != NULL) {
                drop_detail(app, app->stages[i]);
            }
        }
        app->closed_detail_count = 0;
        executors_let_go(&app->executors, &app->gone);
        let_go_accums(app);
    } else {
        forget_stages(app, what == LET_GO_CLOSED ? GOING_CLOSED : GOING_CLOSED_WITHOUT_VERDICT,
                      UINT32_MAX);
    }
    if (app_bytes(app) == before) {
        return false;
    }
    limit_hit(&app->limits, LIMIT_MEMORY);
    app->limit_hit = true;
    return true;
}
