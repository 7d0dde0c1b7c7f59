// confidence: how sure a verdict is, by what every verdict has to bear: how much of its subject was
// seen, how many tasks it compares, whether the stage is over, what the run had to let go, whether
// metrics were there, whether the numbers tell a cause. Called by engine for each verdict; a
// detector adds doubts of its own (verdict_doubt). It never changes a severity: what costs much
// stays that costly, but nobody is woken up by what may well be wrong.
//
// A doubt takes a step, a strong one two: from high to medium to low. The verdict names the
// strongest, of equal ones the first here.
#include "base/check.h"
#include "base/compiler.h"
#include "detect/detector.h"
#include "model/limit.h"

// With fewer, one task moves the mean that it is compared with: of n tasks none can take more than
// n times the mean. What costs minutes is no chance, though.
enum { FEW_TASKS = 10, VERY_FEW_TASKS = 5, NO_CHANCE_S = 300 };

// Shares of the tasks, or of the events, that were seen.
static const double most = 0.95, half = 0.5, few = 0.25;
// From this share on Spark itself calls a task slow (spark.speculation.quantile).
static const double enough = 0.75;

// Beyond these limits a run's sums, slots or details are no more what they were.
static const enum limit telling[] = {LIMIT_UNNAMED,   LIMIT_STAGES,       LIMIT_JOBS,
                                     LIMIT_EXECUTORS, LIMIT_ACCUMULATORS, LIMIT_TASK_IDS,
                                     LIMIT_PLANS,     LIMIT_MEMORY};

struct doubts {
    int steps, strongest;
    const char *why;
};

static void doubt(struct doubts *doubts, int steps, const char *why) {
    if (steps > doubts->strongest) {
        doubts->strongest = steps;
        doubts->why = why;
    }
    doubts->steps += steps;
}

static bool let_go(const struct app *app) {
    for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
        if (limit_in(app->limits, telling[i])) {
            return true;
        }
    }
    return false;
}

// Of a stage that goes on: a detector that may speak whatever share has ended does not rest on it,
// and has its own word on that.
static void weigh_running(const struct detector *detector, double ended, struct doubts *doubts) {
    if (detector->completeness > 0 && ended < few) {
        doubt(doubts, 2, "few of the stage's tasks have ended");
    } else if (ended < enough && (detector->completeness > 0 || doubts->steps == 0)) {
        doubt(doubts, 1, "the stage goes on");
    }
}

static void weigh_stage(const struct stage *stage, double completeness, struct doubts *doubts) {
    if (stage->summary.failed) {
        doubt(doubts, 1, "the stage failed before all of its tasks had ended");
    } else if (completeness < half) {
        doubt(doubts, 2, "most of the stage's events are missing");
    } else if (completeness < most) {
        doubt(doubts, 1, "events of the stage are missing");
    }
}

static void weigh_run(double completeness, bool settled, struct doubts *doubts) {
    if (completeness < half) {
        doubt(doubts, 2, "most of the run's events are missing");
    } else if (completeness < most) {
        doubt(doubts, 1, "events of the run are missing");
    } else if (!settled) {
        doubt(doubts, 1, "the run goes on");
    }
}

// What a stage-level verdict that compares tasks has to compare.
static void weigh_tasks(const struct stage *stage, double saving_s, struct doubts *doubts) {
    require(stage != NULL);
    double tasks = (double)stage->summary.tasks, measured = (double)stage->metric_tasks;
    if (saving_s >= NO_CHANCE_S) {
        // whatever the number of tasks
    } else if (tasks < VERY_FEW_TASKS) {
        doubt(doubts, 2, "too few tasks to compare");
    } else if (tasks < FEW_TASKS) {
        doubt(doubts, 1, "few tasks to compare");
    }
    if (measured < half * tasks) {
        doubt(doubts, 2, "most tasks reported no metrics");
    } else if (measured < most * tasks) {
        doubt(doubts, 1, "some tasks reported no metrics");
    }
}

void confidence_weigh(const struct detector *detector, const struct app *app,
                      const struct stage *stage, double completeness, bool settled,
                      struct verdict *verdict) {
    if (detector->certain) {
        return;
    }
    struct doubts doubts = {.steps = (int)verdict->confidence,
                            .strongest = (int)verdict->confidence,
                            .why = verdict->confidence_why};
    if (stage != NULL && !settled) {
        weigh_running(detector, completeness, &doubts);
    } else if (stage != NULL) {
        weigh_stage(stage, completeness, &doubts);
    } else {
        weigh_run(completeness, settled, &doubts);
    }
    if (detector->needs_detail) {
        weigh_tasks(stage, verdict->saving_s, &doubts);
    }
    if (let_go(app)) {
        doubt(&doubts, 1, "a limit was hit, and something of the run was let go");
    }
    // Of what still runs the cause is told when it ends: that it goes on is doubt enough.
    if (verdict->cause == CAUSE_UNKNOWN && settled) {
        doubt(&doubts, 1, "the numbers do not tell the cause");
    }
    if (doubts.steps > 0) {
        verdict->confidence = doubts.steps < CONFIDENCE_LOW ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
        verdict->confidence_why = doubts.why;
    }
}
