// executors: how many executors would have done, where cores were held and not used: money, not
// time. Called through the table of advisors, behind kubernetes, which answers it for its pods. As
// many as the run was seen to have tasks for at once, with half as much again; never fewer, as then
// it would take longer. Of what is not known nothing is taken away.
#include <math.h>
#include <stdio.h>

#include "advise/setting.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"

enum { IDLE_TIMEOUT_MS = 60000, SPARK_TRACKING = 300 };
#define MARGIN 1.5

// Tasks that ran at once at most: of the stage that had most, and of what ran beside it on the
// average. 0 if it is not known.
static double tasks_at_once(const struct app *app) {
    double most = (double)app->gone_slots_most; // of stages that were let go
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        bool counted = stage->starts >= stage->summary.tasks && stage->starts > 0;
        double own = (double)(counted ? stage->running_most : stage->slots);
        double wall_ms = (double)stage->last_finish_ms - (double)stage->first_launch_ms;
        double beside = (double)load_beside(app, stage).task_ms / fmax(1, wall_ms);
        most = fmax(most, own + fmax(0, beside));
    }
    return most;
}

// What would do of the executors that there were; 0 if all of them, or if that is not known.
static double enough(const struct app *app, double added, double at_once) {
    double executors = ceil(MARGIN * at_once / (double)facts_tasks_at_once(app));
    return at_once > 0 && executors < added && app->executors.gone_slots == 0 ? executors : 0;
}

// Executors that come and go; false if they had better not: the batches of a stream come and go
// faster, and before 3.0 shuffled data would go with its executor.
static bool set_allocation(const struct app *app, double most, struct recommendation *r) {
    double on = 0, service = 0, least = 0;
    (void)setting_number(app, SETTING_DYNAMIC_ALLOCATION_ENABLED, &on);
    (void)setting_number(app, SETTING_SHUFFLE_SERVICE_ENABLED, &service);
    (void)setting_number(app, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, &least);
    if (app_run_kind(app) == RUN_KIND_STREAM ||
        (setting_spark_of(app) < SPARK_TRACKING && service == 0)) {
        return false;
    }
    if (on == 0) {
        advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_ENABLED, true);
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, 1);
    } else if (least > most && most > 0) {
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MIN_EXECUTORS, most);
    }
    if (most > 0) {
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_INITIAL_EXECUTORS, fmin(most, fmax(1, least)));
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, most);
    }
    if (service == 0) {
        advice_set_bool(r, SETTING_DYNAMIC_ALLOCATION_SHUFFLE_TRACKING_ENABLED, true);
    }
    advice_set_ms(r, SETTING_DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT, IDLE_TIMEOUT_MS);
    return true;
}

static void say(const struct app *app, double would_do, double added, double at_once,
                struct buf *out) {
    char tasks[SPAN_TEXT_SIZE], had[SPAN_TEXT_SIZE];
    buf_printf(out,
               "%.0f executor%s would do, of %s: no more than %s tasks ran at once, and each "
               "executor runs %lld; that is half as much again. ",
               would_do, would_do == 1 ? "" : "s", span_format_count(added, had),
               span_format_count(ceil(at_once), tasks), (long long)facts_tasks_at_once(app));
}

static void recommend(const struct advice_view *view, struct advice *out) {
    const struct app *app = view->app;
    struct answers answers = {0};
    answers_take(view, KIND_IDLE_EXECUTORS, NULL, &answers);
    answers_leave_out(&answers, out);
    if (answers.count > 0) {
        const struct bottleneck *idle = answers.list[0];
        double added = facts_evidence(idle, "executors_added"), at_once = tasks_at_once(app);
        double would_do = enough(app, added, at_once);
        double hours =
            facts_evidence(idle, "core_hours_held") * fmax(0, facts_evidence(idle, "idle_share"));
        struct recommendation *r = advice_add(out, view, ADVICE_GENERAL);
        struct buf what = {0};
        if (would_do > 0) {
            say(app, would_do, added, at_once, &what);
        }
        answers_add_remedies(&answers, NULL, &what);
        if (!set_allocation(app, would_do > 0 ? would_do : fmax(0, added), r) && would_do > 0) {
            advice_set_int(r, SETTING_EXECUTOR_INSTANCES, would_do);
        }
        r->when_not = "Not where executors are kept warm for what comes next, nor where other runs "
                      "of the pipeline have more to do at once.";
        snprintf(r->saving_how, sizeof r->saving_how,
                 "no time: up to %.1f core hours that no task used", fmax(0, hours));
        answers_finish(&answers, &what, r);
    }
    answers_fini(&answers);
}

const struct advisor advisor_executors = {
    .name = "executors",
    .help = "how many executors would do, with half as many again as the run had tasks for at "
            "once, and that they go when they idle; for idle_executors",
    .advise = recommend,
};
