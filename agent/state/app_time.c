// app_time: where the time of a run went: to work on the cluster or waiting for it, to starting up,
// or to the driver alone. Called by detect when a run is judged; computes, changes nothing. Must
// never call a wait for executors the driver's.
#include "app_priv.h"

#include "base/sat.h"

// Until the session is there and executors have registered: Spark waits for them this long at most
// (spark.scheduler.maxRegisteredResourcesWaitingTime).
enum { START_UP_MS = 30000 };

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// A stage that did not end is waited for as long as its job is open. Without one, its end or that
// of its job was lost, and it is not known to have done anything after the last job's end.
static int64_t open_until_ms(const struct app *app, const struct stage *stage) {
    int64_t last_end_ms = app->in_jobs.to_ms, began_ms = stage_began_ms(stage);
    bool waited_for = app->job_count > 0 || last_end_ms <= began_ms;
    return waited_for ? app_end_ms(app) : larger(last_end_ms, stage->last_finish_ms);
}

static void add_open_stages(const struct app *app, struct busy *work) {
    for (uint32_t i = 0; i < app->stage_count && app->open_stages > 0; i++) {
        const struct stage *stage = app->stages[i];
        if (!stage->completed) {
            busy_add(work, stage_began_ms(stage), open_until_ms(app, stage));
        }
    }
}

// What of the intervals lies between the times.
static int64_t covered_between(const struct busy *busy, int64_t from_ms, int64_t to_ms) {
    int64_t outside_ms = sat_sub0(from_ms, busy->from_ms) + sat_sub0(busy->to_ms, to_ms);
    return sat_sub0(busy_covered_ms(busy), outside_ms);
}

void app_times(const struct app *app, struct app_times *out) {
    int64_t start_ms = app_start_ms(app), end_ms = app_end_ms(app);
    struct busy work = app->work, jobs = app->in_jobs;
    *out = (struct app_times){0};
    add_open_stages(app, &work);
    if (work.to_ms == 0 || start_ms == 0 || end_ms <= start_ms) {
        return;
    }
    if (app->job_count > 0) {
        busy_add(&jobs, app->jobs[0].started_ms, end_ms);
    }
    int64_t up_ms = larger(start_ms + START_UP_MS, app->executors.first_added_ms);
    up_ms = up_ms < work.from_ms ? up_ms : larger(work.from_ms, start_ms);
    out->run_ms = end_ms - start_ms;
    out->start_up_ms = up_ms < end_ms ? up_ms - start_ms : out->run_ms;
    out->busy_ms = covered_between(&work, start_ms, end_ms);
    out->driver_ms = sat_sub0(out->run_ms - out->start_up_ms, out->busy_ms);
    int64_t in_jobs_ms = sat_sub0(covered_between(&jobs, start_ms, end_ms), out->busy_ms);
    out->driver_in_jobs_ms = in_jobs_ms < out->driver_ms ? in_jobs_ms : out->driver_ms;
}
