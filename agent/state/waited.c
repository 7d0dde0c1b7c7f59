// waited: see the header; this is the arithmetic.
#include "state/waited.h"

#include "base/sat.h"
#include "state/app.h"

struct stage_time waited_of(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    struct stage_time time = {
        .known = stage->starts > 0 && stage->starts >= s->tasks + s->tasks_failed + s->tasks_killed,
        .alone_ms = (double)stage->alone_ms,
        .alone_task_ms = (double)stage->alone_task_ms,
        .waited_ms = stage->waited_ms,
    };
    if (app != NULL && !stage->completed && stage->tasks_running > 0) {
        double running = (double)stage->tasks_running;
        double alone_ms = (double)(app->load.alone_ms - stage->alone_seen_ms);
        double since_ms = (double)sat_sub0(app->now_ms, app->load.at_ms);
        if (app->sums.busy == 1) { // no other began since
            alone_ms += since_ms;
            time.waited_ms += since_ms;
        }
        time.alone_ms += alone_ms;
        time.alone_task_ms += alone_ms * running;
        time.waited_ms += (app->load.waited_ms - stage->waited_seen_ms) * running;
    }
    return time;
}

void waited_settle(const struct app *app, struct stage *stage) {
    if (!stage->completed && stage->tasks_running > 0) {
        int64_t alone_ms = sat_sub0(app->load.alone_ms, stage->alone_seen_ms);
        sat_inc(&stage->alone_ms, alone_ms);
        sat_inc(&stage->alone_task_ms, sat_mul(alone_ms, stage->tasks_running));
        stage->waited_ms +=
            (app->load.waited_ms - stage->waited_seen_ms) * (double)stage->tasks_running;
    }
    stage->alone_seen_ms = app->load.alone_ms;
    stage->waited_seen_ms = app->load.waited_ms;
}

// A slot's next task is launched before the result of the one before is taken in, so for a moment
// one slot seems to have two tasks; several slots, where their tasks end together.
enum { HANDOVER_MS = 50 };

static int64_t just_launched(const struct stage *stage, int64_t finish_ms) {
    const struct stage_detail *detail = stage->detail;
    int64_t count = 0;
    for (uint32_t i = 0; detail != NULL && i < detail->running_count; i++) {
        count += sat_sub0(finish_ms, detail->running[i].launch_ms) < HANDOVER_MS;
    }
    // The newest is not listed where many run.
    return count > 0 ? count : sat_sub0(finish_ms, stage->last_launch_ms) < HANDOVER_MS;
}

void waited_began(struct stage *stage) {
    stage->starts++;
}

// A driver that is late tells of more tasks at once than there can be: where all executors told
// their cores, these bound it.
static int64_t slots_there(struct app *app, const struct stage *stage) {
    int64_t live = executors_slots_of(&app->executors, stage->profile, app->now_ms)->live;
    return live > 0 && executors_all_told(&app->executors) ? live : INT64_MAX;
}

void waited_ended(struct app *app, struct stage *stage, int64_t finish_ms) {
    int64_t at_once = stage->tasks_running - just_launched(stage, finish_ms);
    int64_t most = slots_there(app, stage);
    at_once = at_once > most ? most : at_once;
    stage->running_most = at_once > stage->running_most ? at_once : stage->running_most;
    stage->tasks_running -= stage->tasks_running > 0;
}

// Slots of its profile on the average since its first task.
static int64_t usable_slots(struct app *app, struct stage *stage) {
    int64_t now_ms = app->now_ms;
    const struct slot_profile *profile =
        executors_slots_of(&app->executors, stage->profile, now_ms);
    double until = slots_until(&app->executors.slots, profile, now_ms);
    if (!stage->slots_begun) {
        stage->slots_begun = true;
        stage->slots_from_ms = now_ms;
        stage->slots_from = until;
    }
    if (now_ms <= stage->slots_from_ms) {
        return profile->live;
    }
    double average = (until - stage->slots_from) / (double)(now_ms - stage->slots_from_ms);
    return average > 0 ? (int64_t)(average + 0.5) : 0;
}

void waited_slots(struct app *app, struct stage *stage) {
    if (stage->completed && stage->slots > 0) {
        return; // what comes late used no slot of it
    }
    int64_t slots = usable_slots(app, stage), expected = stage->summary.tasks_expected;
    slots = slots < stage->running_most ? stage->running_most : slots;
    stage->live_slots = slots < 1 ? 1 : slots;
    slots = expected > 0 && expected < slots ? expected : slots;
    stage->slots = slots < 1 ? 1 : slots;
}
