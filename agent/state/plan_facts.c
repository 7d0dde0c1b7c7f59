// plan_facts: what plans say beside their joins: which scan read how many files, and by which
// engine the operators work. Called by app_plan.c, plans.c and app.c; what an execution told is let
// go with it, but for the engines of the newest few.
#include <string.h>

#include "app_priv.h"
#include "base/mem.h"
#include "base/sat.h"

static int64_t metric_of(const struct event_plan *plan, const struct event_plan_node *node,
                         const char *name) {
    for (uint32_t i = 0; i < node->metric_count; i++) {
        const struct event_plan_metric *metric = &plan->metrics[node->first_metric + i];
        if (str_is(metric->name, name)) {
            return metric->accum_id;
        }
    }
    return -1;
}

static void add_scan(struct plans *plans, const struct plan_scan *scan) {
    for (uint32_t i = 0; i < plans->scan_count; i++) {
        if (plans->scans[i].files == scan->files) {
            return; // the same, in a newer plan or below an exchange that is used again
        }
    }
    if (plans->scan_count == PLANS_SCANS_MAX) { // the oldest goes
        memmove(plans->scans, plans->scans + 1, (PLANS_SCANS_MAX - 1) * sizeof *plans->scans);
        plans->scan_count--;
    }
    MEM_GROW(plans->scans, plans->scan_count, plans->scan_cap);
    plans->scans[plans->scan_count++] = *scan;
}

static void put_engine(struct plans *plans, const struct plan_engine *engine) {
    uint32_t at = 0;
    while (at < plans->engine_count && plans->engines[at].execution != engine->execution) {
        at++;
    }
    if (at == plans->engine_count && at == PLANS_ENGINES_MAX) {
        memmove(plans->engines, plans->engines + 1,
                (PLANS_ENGINES_MAX - 1) * sizeof *plans->engines);
        at = --plans->engine_count;
    }
    if (at == plans->engine_count) {
        MEM_GROW(plans->engines, plans->engine_count, plans->engine_cap);
        plans->engine_count++;
    }
    plans->engines[at] = *engine;
}

static void note_scan(struct plans *plans, const struct event_sql *sql,
                      const struct event_plan_node *node) {
    struct plan_scan scan = {
        .execution = sql->execution_id,
        .rows = metric_of(&sql->plan, node, "number of output rows"),
        .files = metric_of(&sql->plan, node, "number of files read"),
        .bytes = metric_of(&sql->plan, node, "size of files read"),
        .stage = -1,
    };
    if (scan.files >= 0) {
        add_scan(plans, &scan);
    }
}

void plans_apply_facts(struct app *app, const struct event_sql *sql) {
    const struct event_plan *plan = &sql->plan;
    struct plan_engine engine = {.execution = sql->execution_id};
    for (uint32_t n = 0; n < plan->node_count; n++) {
        const struct event_plan_node *node = &plan->nodes[n];
        int32_t works = (int32_t)operator_works(node->name);
        bool native = operator_is_native(node->name);
        bool moves = operator_is_transition(node->name);
        engine.native += native && !moves;
        engine.transitions += moves;
        engine.jvm += !native && operator_is_work(node->name);
        engine.python |= works & (int32_t)WORK_PYTHON_SQL;
        app->works |= works;
        if (sql->execution_id >= 0 && operator_is_scan(node->name)) {
            note_scan(&app->plans, sql, node);
        }
    }
    if (engine.native + engine.python > 0 && sql->execution_id >= 0) {
        put_engine(&app->plans, &engine);
    }
}

void plans_end_facts(struct plans *plans, int64_t execution) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plans->scan_count; i++) {
        if (plans->scans[i].execution != execution) {
            plans->scans[kept++] = plans->scans[i];
        }
    }
    plans->scan_count = kept;
    if (kept == 0) {
        mem_free(plans->scans);
        plans->scans = NULL;
        plans->scan_cap = 0;
    }
}

// The files of a scan are the stage's, once the driver has told how many there are.
static void claim(struct app *app, struct stage *stage, struct plan_scan *scan) {
    int64_t files = 0, bytes = 0;
    if (idmap_get(&app->driver_values, scan->files, &files)) {
        idmap_get(&app->driver_values, scan->bytes, &bytes);
        sat_inc(&stage->files, files);
        sat_inc(&stage->files_bytes, bytes);
        scan->stage = stage->summary.stage;
    }
}

void plans_count_files(struct app *app, struct stage *stage, const struct event_task *task) {
    struct plans *plans = &app->plans;
    for (uint32_t s = 0; s < plans->scan_count; s++) {
        for (uint32_t i = 0; plans->scans[s].stage < 0 && i < task->accum_count; i++) {
            if (task->accums[i].id == plans->scans[s].rows) {
                claim(app, stage, &plans->scans[s]);
            }
        }
    }
}

void plans_guess_files(struct app *app, struct stage *stage) {
    struct plans *plans = &app->plans;
    bool reads = stage->io_tasks > 0 && stage->files == 0 && stage->execution > 0;
    for (uint32_t s = 0; reads && s < plans->scan_count; s++) {
        if (plans->scans[s].stage < 0 && plans->scans[s].execution == stage->execution - 1) {
            claim(app, stage, &plans->scans[s]);
        }
    }
}
