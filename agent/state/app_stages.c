// app_stages: the stages of an app and the task events that fill them. Called by app.c. One hash
// look-up per task at most (the newest stage is remembered); nothing here grows with the number of
// tasks.
#include "app_priv.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/sat.h"

static int64_t stage_key(int32_t id, int32_t attempt) {
    return (int64_t)(((uint64_t)(uint32_t)id << 32) | (uint32_t)attempt);
}

struct stage *app_stage(const struct app *app, int32_t id, int32_t attempt) {
    int64_t key = stage_key(id, attempt);
    struct app_stage_slot *slot;
    HASH_FIND(hh, app->stage_index, &key, sizeof key, slot);
    return slot == NULL ? NULL : slot->stage;
}

static void forget_stage(struct app *app, uint32_t at) {
    struct stage *stage = app->stages[at];
    int64_t key = stage_key(stage->summary.stage, stage->summary.attempt);
    struct app_stage_slot *slot;
    HASH_FIND(hh, app->stage_index, &key, sizeof key, slot);
    require(slot != NULL); // every stage is in the index
    HASH_DEL(app->stage_index, slot);
    mem_free(slot);
    memmove(app->stages + at, app->stages + at + 1,
            (app->stage_count - at - 1) * sizeof(struct stage *));
    app->stage_count--;
    app->open_stages -= !stage->completed;
    if (app->recent_stage == stage) {
        app->recent_stage = NULL;
    }
    keep_gone(&app->gone, &stage->kept,
              (struct kept_part){'s', {stage->summary.stage, stage->summary.attempt}});
    stage_free(stage);
    app->limit_hit = true;
    metrics_add(METRIC_LIMIT_HITS, 1);
}

// The oldest finished stage goes first, the oldest open one if too many are open.
static void make_room(struct app *app, bool too_many_open) {
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (app->stages[i]->completed != too_many_open) {
            forget_stage(app, i);
            return;
        }
    }
    forget_stage(app, 0);
}

void app_stages_bound(struct app *app, uint32_t coming) {
    while (app->open_stages + coming > APP_OPEN_STAGES_MAX ||
           app->stage_count + coming > APP_STAGES_MAX) {
        make_room(app, app->open_stages + coming > APP_OPEN_STAGES_MAX);
    }
}

void app_stage_adopt(struct app *app, struct stage *stage) {
    struct app_stage_slot *slot = mem_zalloc(1, sizeof *slot);
    slot->key = stage_key(stage->summary.stage, stage->summary.attempt);
    slot->stage = stage;
    HASH_ADD(hh, app->stage_index, key, sizeof slot->key, slot);
    MEM_GROW(app->stages, app->stage_count, app->stage_cap);
    app->stages[app->stage_count++] = stage;
    app->open_stages += !stage->completed;
}

struct stage *app_stage_get(struct app *app, int32_t id, int32_t attempt) {
    struct stage *recent = app->recent_stage;
    if (recent != NULL && recent->summary.stage == id && recent->summary.attempt == attempt) {
        keep_touch(&recent->kept);
        return recent;
    }
    struct stage *stage = app_stage(app, id, attempt);
    if (stage == NULL) {
        stage = stage_new(id, attempt);
        stage->number = app->stage_number++;
        app_stages_bound(app, 1);
        app_stage_adopt(app, stage);
    }
    keep_touch(&stage->kept); // whoever asks for it changes it
    app->recent_stage = stage;
    return stage;
}

void app_stages_fini(struct app *app) {
    struct app_stage_slot *slot, *next;
    HASH_ITER(hh, app->stage_index, slot, next) {
        HASH_DEL(app->stage_index, slot);
        mem_free(slot);
    }
    for (uint32_t i = 0; i < app->stage_count; i++) {
        stage_free(app->stages[i]);
    }
    mem_free(app->stages);
}

void app_drop_old_details(struct app *app) {
    unsigned kept = 0;
    for (uint32_t i = app->stage_count; i > 0; i--) {
        struct stage *stage = app->stages[i - 1];
        if (stage->completed && stage->detail != NULL && ++kept > APP_CLOSED_DETAILS) {
            stage_drop_detail(stage);
            keep_touch(&stage->kept);
            return; // one closes at a time, so at most one is too many
        }
    }
}

struct stage *app_apply_stage(struct app *app, const struct event *event) {
    bool completed = event->kind == EVENT_STAGE_COMPLETED;
    struct stage *stage = app_stage_get(app, event->stage.id, event->stage.attempt);
    bool was_completed = stage->completed;
    stage_apply_info(stage, &event->stage, completed);
    if (stage->job < 0) {
        stage->job = app_job_of_stage(app, event->stage.id);
    }
    if (completed && !was_completed) {
        app->open_stages--;
    }
    return stage;
}

// True if another stage of the run had tasks on the cluster while this one waited.
static bool others_were_running(const struct app *app, const struct stage *stage) {
    for (uint32_t i = app->stage_count; i > 0; i--) {
        const struct stage *other = app->stages[i - 1];
        if (other != stage &&
            (other->tasks_running > 0 || other->last_finish_ms > stage->summary.submitted_ms)) {
            return true;
        }
        if (other->completed && app->stage_count - i > 64) {
            break; // stages this far back ended long ago
        }
    }
    return false;
}

// The first sign of a task fixes how many slots the stage could have used.
static void first_task(struct app *app, struct stage *stage) {
    if (stage->slots > 0) {
        return;
    }
    int64_t slots = executors_live_slots(&app->executors);
    int64_t expected = stage->summary.tasks_expected;
    stage->slots = expected > 0 && expected < slots ? expected : slots;
    stage->waited_for_own = others_were_running(app, stage);
}

static void launched(struct stage *stage, int64_t launch_ms) {
    if (launch_ms > 0 && (stage->first_launch_ms == 0 || launch_ms < stage->first_launch_ms)) {
        stage->first_launch_ms = launch_ms;
    }
}

struct stage *app_apply_task_start(struct app *app, const struct event_task *task) {
    struct stage *stage = app_stage_get(app, task->stage, task->stage_attempt);
    first_task(app, stage);
    launched(stage, task->launch_ms);
    stage->tasks_running++;
    return NULL; // nothing to judge yet
}

static void add_totals(struct app *app, const struct event_task *task, enum task_class class) {
    struct run_totals *t = &app->totals;
    int64_t duration_ms = sat_sub0(task->finish_ms, task->launch_ms);
    app->task_ends++;
    if (task->has_metrics) {
        sat_inc(&t->memory_spilled_bytes, task->memory_spill_bytes);
        sat_inc(&t->disk_spilled_bytes, task->disk_spill_bytes);
    }
    if (class != TASK_CLASS_SUCCESS) {
        t->tasks_failed += class == TASK_CLASS_FAILED;
        t->tasks_killed += class == TASK_CLASS_KILLED;
        sat_inc(&t->wasted_ms, duration_ms);
        return;
    }
    t->tasks++;
    sat_inc(&t->task_ms, duration_ms);
    sat_inc(&t->input_bytes, task->input_bytes);
    sat_inc(&t->input_records, task->input_records);
    sat_inc(&t->output_bytes, task->output_bytes);
    sat_inc(&t->output_records, task->output_records);
    sat_inc(&t->shuffle_read_bytes, sat_add(task->remote_read_bytes, task->local_read_bytes));
    sat_inc(&t->shuffle_write_bytes, task->shuffle_write_bytes);
    sat_inc(&t->run_ms, task->run_ms);
    sat_inc(&t->cpu_ns, task->cpu_ns);
    sat_inc(&t->gc_ms, task->gc_ms);
    sat_inc(&app->shuffle_read_records, task->shuffle_read_records);
    sat_inc(&app->fetch_wait_ms, task->fetch_wait_ms);
    sat_inc(&app->shuffle_write_ns, task->shuffle_write_ns);
}

bool app_apply_task_end(struct app *app, const struct event_task *task, struct stage **touched) {
    enum task_class class = stage_task_class(task);
    if (class == TASK_CLASS_NONE) { // an earlier success whose output was lost: no new work
        *touched = app_stage(app, task->stage, task->stage_attempt);
        if (*touched != NULL) {
            (*touched)->resubmitted++;
            keep_touch(&(*touched)->kept);
        }
        return true;
    }
    bool joined = false;
    if (task->task_id >= 0 &&
        !rangeset_add(&app->ended_tasks, task->task_id, APP_TASK_RANGES_MAX, &joined)) {
        metrics_add(METRIC_DUPLICATES, 1);
        *touched = NULL;
        return false;
    }
    if (joined) {
        app->limit_hit = true;
        metrics_add(METRIC_LIMIT_HITS, 1);
    }
    struct stage *stage = app_stage_get(app, task->stage, task->stage_attempt);
    first_task(app, stage);
    launched(stage, task->launch_ms);
    stage->tasks_running -= stage->tasks_running > 0;
    bool cold;
    int32_t host = executors_task(&app->executors, task->executor, task->host, &cold);
    int64_t scan_ns = class == TASK_CLASS_SUCCESS ? app_apply_task_accums(app, task) : -1;
    stage_apply_task(stage, task, host, cold, scan_ns);
    add_totals(app, task, class);
    *touched = stage;
    return true;
}
