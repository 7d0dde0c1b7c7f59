// cost: see the header; this is the arithmetic.
#include "detect/cost.h"

#include <math.h>

enum { RETRIES_MAX = 64 }; // attempts of a stage that are looked at

double cost_slots(const struct stage *stage) {
    return stage->slots > 0 ? (double)stage->slots : 1;
}

double cost_cpu_wait_share(const struct app *app, const struct stage *stage) {
    double run_ms = (double)app->computed.run_ms;
    double share = run_ms > 0 ? (double)app->computed.waited_ms / run_ms : 0;
    share = fmin(share, 1 - stage_unpacking_cpu_share(stage)); // of NAN and a number: the number
    return fmin(0.99, fmax(0, share));
}

double cost_beyond_cpu_wait(double waited, double computed, double share) {
    return fmax(0, waited - computed * share / (1 - share));
}

// From the first launch to the last end of a task, 0 unknown.
static double wall_s(const struct stage *stage) {
    bool known = stage->first_launch_ms > 0 && stage->last_finish_ms > stage->first_launch_ms;
    return known ? (double)(stage->last_finish_ms - stage->first_launch_ms) / 1000 : 0;
}

double cost_running_s(const struct stage *stage) {
    double longest_s = (double)stage->summary.max_task_ms / 1000;
    double running_s = fmax(longest_s, (double)stage->task_ms / 1000 / cost_slots(stage));
    struct stage_time time = waited_of(NULL, stage);
    double took_s = wall_s(stage);
    running_s = time.known ? fmax(running_s, time.alone_ms / 1000) : running_s;
    return took_s > 0 ? fmin(running_s, took_s) : running_s;
}

// At most the time that the run waited for the stage.
static double while_waited_for(const struct stage *stage, double saving_s) {
    struct stage_time time = waited_of(NULL, stage);
    return time.known ? fmin(saving_s, fmax(0, time.waited_ms / 1000)) : saving_s;
}

double cost_of_work(const struct stage *stage, double gone_s) {
    double work_s = (double)stage->task_ms / 1000;
    if (gone_s <= 0) {
        return 0;
    }
    if (work_s <= 0) { // no task ended well: it is all there is
        return gone_s / cost_slots(stage);
    }
    return while_waited_for(stage, fmin(1, gone_s / work_s) * cost_running_s(stage));
}

double cost_of_rest(const struct stage *stage, double work_left_s, double longest_left_s) {
    double left_s = fmax(longest_left_s, work_left_s / cost_slots(stage));
    return while_waited_for(stage, fmax(0, cost_running_s(stage) - left_s));
}

// What its tasks took beyond the usual one, together.
static double beyond_usual_s(const struct stage *stage) {
    if (stage->detail == NULL) {
        return (double)stage->task_ms / 1000;
    }
    double usual_ms = sketch_quantile(&stage->detail->durations_ms, 0.5);
    return fmax(0, (double)stage->task_ms - usual_ms * (double)stage->summary.tasks) / 1000;
}

double cost_of_tail(const struct app *app, const struct stage *stage, double saving_s) {
    struct stage_time time = waited_of(app, stage);
    double slots = cost_slots(stage);
    double idle_s = fmax(0, time.alone_ms - time.alone_task_ms / slots) / 1000;
    double waited_s = fmax(0, time.waited_ms / 1000);
    double most_s = idle_s + fmin(beyond_usual_s(stage) / slots, waited_s);
    return time.known ? fmin(saving_s, most_s) : saving_s;
}

// The end of the stage attempt, as far as it is known.
static int64_t end_ms(const struct app *app, const struct stage *stage) {
    int64_t completed_ms = stage->summary.completed_ms;
    int64_t end = completed_ms > stage->last_finish_ms ? completed_ms : stage->last_finish_ms;
    return !stage->completed && app->now_ms > end ? app->now_ms : end;
}

// From the submission of the attempt to the end of the last one; 0 unknown.
static double wall_with_retries_s(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    int64_t from = s->submitted_ms > 0 ? s->submitted_ms : stage->first_launch_ms;
    int64_t to = end_ms(app, stage);
    for (int32_t i = 1; i <= RETRIES_MAX && s->attempt <= INT32_MAX - i; i++) {
        const struct stage *retry = app_stage(app, s->stage, s->attempt + i);
        if (retry == NULL) {
            break;
        }
        to = end_ms(app, retry) > to ? end_ms(app, retry) : to;
    }
    return from > 0 && to > from ? (double)(to - from) / 1000 : 0;
}

double cost_at_most(const struct app *app, const struct stage *stage, double saving_s) {
    double run_s = app_duration_s(app);
    double wall = stage != NULL ? wall_with_retries_s(app, stage) : 0;
    saving_s = run_s > 0 ? fmin(saving_s, run_s) : saving_s;
    return wall > 0 ? fmin(saving_s, wall) : saving_s;
}
