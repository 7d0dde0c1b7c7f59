// roots: one root cause is one finding. Of what the detectors found of one subject, a stage attempt
// or a run, tells which is only what another brings about: the spill of the tasks that have too
// much data, the delay that launching thousands of tiny tasks takes. Called by engine when a
// subject has been judged, before anything is handed out.
//
// It never makes a loss smaller: a finding explains another only if it weighs at least as much.
// What is explained stands, with its numbers, but never above low, and is not advised about.
#pragma once

#include "detect/detector.h"

// What stands of a kind.
struct finding {
    bool holds;
    enum severity severity;
    enum cause cause;
    double saving_s;
    // That is about to be concluded; NULL: it was concluded before and stays as it is, but may be
    // the root of others.
    struct verdict *verdict;
    bool was_explained; // by `was_root`, when it was judged before
    enum bottleneck_kind was_root;
    bool is_explained;                 // by `root`
    enum bottleneck_kind root;         // never one that is explained itself
    const struct bottleneck *on_stage; // the verdict on a stage that explains it, NULL if none
};

// Fills is_explained and root of the findings of a subject, one for each kind; `stage` NULL: of the
// run. The verdict of a root names in summary and evidence what it explains; that of what is
// explained is capped.
void roots_find(const struct stage *stage, struct finding findings[KIND_COUNT]);

// The same for what stages explain of the findings of their run, which is said behind roots_find: a
// failed run by the failures of the stage that ended it (but a failure stays as severe), idle
// executors by a stage of too few tasks, or of one that the others waited for, that takes most of
// the run. Sets on_stage.
void roots_find_on_stages(const struct app *app, struct finding findings[KIND_COUNT]);
