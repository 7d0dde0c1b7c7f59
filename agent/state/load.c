// load: two integrals over event time and their differences, and how busy the CPUs were. Called by
// app for events of stages and tasks, O(1) for each, and by detect.
#include "state/load.h"

#include "base/sat.h"
#include "state/app.h"

// Most slots are taken: what one stage has less to do, another gets done sooner.
static bool slots_are_scarce(const struct app *app) {
    int64_t slots = executors_live_slots(&app->executors);
    return slots == 0 || app->sums.running >= slots - slots / 4;
}

void load_advance(struct app *app) {
    struct run_load *load = &app->load;
    int64_t passed_ms = load->at_ms > 0 ? sat_sub0(app->now_ms, load->at_ms) : 0;
    sat_inc(&load->task_ms, sat_mul(passed_ms, app->sums.running));
    if (app->sums.busy == 1) {
        sat_inc(&load->alone_ms, passed_ms);
    }
    if (app->sums.busy == 1 || (app->sums.busy > 1 && slots_are_scarce(app))) {
        load->waited_ms += (double)passed_ms / (double)app->sums.running;
    }
    load->at_ms = app->now_ms;
}

void load_begin(const struct app *app, struct stage *stage) {
    if (!stage->completed) { // of one whose tasks come after its end nothing is known
        stage->beside = (struct load_beside){app->load.task_ms, app->load.alone_ms, false};
    }
}

// The sums as of now.
static struct load_beside beside_so_far(const struct app *app, const struct stage *stage) {
    int64_t passed_ms = sat_sub0(app->now_ms, app->load.at_ms);
    int64_t task_ms = sat_add(app->load.task_ms, sat_mul(passed_ms, app->sums.running));
    int64_t own_ms = sat_add(stage->task_ms, sat_add(stage->failed_ms, stage->killed_ms));
    if (!stage->completed) { // those that run have done so since the first at most
        int64_t since_ms = sat_sub0(app->now_ms, stage->first_launch_ms);
        own_ms = sat_add(own_ms, sat_mul(since_ms, stage->tasks_running));
    }
    return (struct load_beside){
        .task_ms = sat_sub0(sat_sub0(task_ms, stage->beside.task_ms), own_ms),
        .alone_ms = sat_sub0(app->load.alone_ms, stage->beside.alone_ms),
        .outlasted = app->sums.busy > stage->counted.busy,
    };
}

void load_end(const struct app *app, struct stage *stage) {
    stage->beside = stage->slots > 0 ? beside_so_far(app, stage) : (struct load_beside){0};
}

struct load_beside load_beside(const struct app *app, const struct stage *stage) {
    return stage->completed ? stage->beside : beside_so_far(app, stage);
}

static const struct record_row load_rows[] = {
    RECORD_ROW(1, I64, run_load, at_ms, .most = INT64_MAX),
    RECORD_ROW(2, I64, run_load, task_ms, .most = INT64_MAX),
    RECORD_ROW(3, I64, run_load, alone_ms, .most = INT64_MAX),
    RECORD_ROW(4, F64, run_load, waited_ms, .most = INT64_MAX),
};
const struct record record_load = RECORD_OF("load", run_load, load_rows);

static const struct record_row beside_rows[] = {
    RECORD_ROW(1, I64, load_beside, task_ms, .most = INT64_MAX),
    RECORD_ROW(2, I64, load_beside, alone_ms, .most = INT64_MAX),
    RECORD_ROW(3, BOOL, load_beside, outlasted),
};
const struct record record_beside = RECORD_OF("beside", load_beside, beside_rows);

enum { COMPUTED_LEAST_MS = 2000 }; // shorter stages load classes

void load_note_computed(struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    if (s->run_ms < COMPUTED_LEAST_MS || !app_stage_only_computes(app, stage)) {
        return;
    }
    int64_t known_ns = sat_add(sat_mul(sat_add(s->gc_ms, stage->fetch_wait_ms), 1000000),
                               sat_add(s->cpu_ns, stage->shuffle_write_ns));
    int64_t waited_ms = sat_sub0(s->run_ms, known_ns / 1000000);
    struct load_computed *least = &app->computed;
    double share = (double)waited_ms / (double)s->run_ms;
    if (least->run_ms == 0 || share < (double)least->waited_ms / (double)least->run_ms) {
        *least = (struct load_computed){.run_ms = s->run_ms, .waited_ms = waited_ms};
    }
}
