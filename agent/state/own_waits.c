// own_waits: stages that waited for task slots which older jobs of the run held: in one FIFO pool a
// short job waits for all that was there before it. Called by app when a stage's first task comes
// and when it ends. A stage that waits for one of its own job or of its own SQL execution waits for
// nobody else, and what waits no longer than it then takes is in the usual order of things.
#include "app_priv.h"
#include "base/sat.h"

// Shorter waits matter to nobody.
enum { LEAST_MS = 1000 };

// The newest open job that has the stage, or NULL.
static const struct app_job *job_of(const struct app *app, const struct stage *stage) {
    int64_t place = (int64_t)stage->summary.stage + 1;
    for (uint32_t i = app->job_count; i > 0; i--) {
        const struct app_job *job = &app->jobs[i - 1];
        if (job->first_stage <= place && place <= job->last_stage) {
            return job;
        }
    }
    return NULL;
}

static bool is_same_work(const struct app_job *a, const struct app_job *b) {
    bool execution = a->execution_id >= 0 && a->execution_id == b->execution_id;
    return a == b || execution || (a->family > 0 && a->family == b->family);
}

bool app_behind_a_job(const struct app *app, const struct stage *stage) {
    bool fair = str_is(app_property(app, PROPERTY_SCHEDULER_MODE), "FAIR");
    if (fair || app->job_count < 2 || stage_wait_ms(stage) < LEAST_MS) {
        return false; // the walk is for those that waited
    }
    const struct app_job *job = job_of(app, stage), *oldest = &app->jobs[0];
    return job != NULL && !is_same_work(job, oldest);
}

void app_count_wait(struct app *app, const struct stage *stage) {
    int64_t wait_ms = stage_wait_ms(stage);
    int64_t took_ms = sat_sub0(stage->last_finish_ms, stage->first_launch_ms);
    struct own_waits *waits = &app->own_waits;
    if (!stage->behind_a_job || wait_ms <= took_ms) {
        return;
    }
    sat_inc(&waits->stages, 1);
    if (wait_ms > waits->longest_ms) {
        waits->longest_ms = wait_ms;
        waits->longest_took_ms = took_ms;
        waits->longest_stage = stage->summary.stage;
    }
}
