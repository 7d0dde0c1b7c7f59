// findings: the verdicts of a run as people should read them: one problem once. Shared by the forms
// for people (text, HTML); private to present.
#pragma once

#include "present/render.h"

// A run's verdicts that stand, worst first, and under which of them each is shown: the worst of its
// kind and cause, or, of what another explains, that of its root.
struct findings {
    const struct bottleneck **verdicts; // owned; with those whose rule could not be evaluated, last
    uint32_t *head;                     // owned; index of the verdict it is shown under: of its own
    uint32_t count;                     // all
    uint32_t judged;                    // of them, with a rule that was evaluated
};

void findings_collect(struct findings *findings, const struct app *app);
void findings_fini(struct findings *findings);
// True if it is shown on its own, unless it is negligible.
bool findings_is_head(const struct findings *findings, uint32_t index);
// True if it stands under that head because what is there explains it, and is worth a word.
bool findings_is_explained(const struct findings *findings, uint32_t head, uint32_t index);
// Appends "explains memory_pressure (spill): stage 2 spilled ...".
void findings_explained_words(const struct bottleneck *explained, struct buf *out);
// Appends "root cause: task_failures (oom), stage 3" of a head that is explained by what is told
// elsewhere; false if none is.
bool findings_root_words(const struct findings *findings, uint32_t head, struct buf *out);
