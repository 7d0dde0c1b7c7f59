// cost: what would be saved if a cause were gone, the same way for every kind: the stage's own
// tasks replayed on the slots it had, from sums and extremes, never below the longest task that is
// left or the work that is left over the slots; and no more than the stage and its run took. In
// seconds of wall time. Used by detectors, and by engine for the bound; must never assume a speed.
#pragma once

#include "state/app.h"

// Task slots that the stage could use, at least 1.
double cost_slots(const struct stage *stage);
// How much of the time in which a task wants a CPU it waits for one, in the run, 0..0.99: what the
// tasks of each stage that only computes do at least. No more than unpacking the stage's own tasks,
// which is work of the CPU, waited: tasks elsewhere may have waited for what their code calls.
double cost_cpu_wait_share(const struct app *app, const struct stage *stage);
// Of the time that tasks waited, what is left when they waited that share of the time for a CPU in
// which they wanted to compute; never below 0. In whatever unit both are.
double cost_beyond_cpu_wait(double waited, double computed, double share);
// How long its tasks take on its slots: the longest of them, or all their work over the slots, or
// the time in which no other stage ran; at most the time they did take.
double cost_running_s(const struct stage *stage);
// With so much of the tasks' work gone, taken from each in proportion. As of the next one, at most
// the time that the run waited for the stage.
double cost_of_work(const struct stage *stage, double gone_s);
// With so much work left, and no task longer than that.
double cost_of_rest(const struct stage *stage, double work_left_s, double longest_left_s);
// If its slow tasks were as fast as the usual one: at most the slots' time that idled beside them
// while the run waited for nothing else, and their work over the slots. A tail beside which a
// longer stage ran saves nothing.
double cost_of_tail(const struct app *app, const struct stage *stage, double saving_s);
// Of what a verdict says of a stage (NULL: of the run), so much can be saved at all: the wall time
// from the stage's submission to the end of its last retry, and the run.
double cost_at_most(const struct app *app, const struct stage *stage, double saving_s);
