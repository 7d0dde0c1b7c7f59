// advise: what to do about a run. An advisor is one file that ends in a const struct advisor, and
// one row in advisors.def. Each time a run is reported every advisor looks at the verdicts, at the
// sums and properties that state keeps of the run, and adds what it recommends; it has no memory of
// its own, reads no clock and changes nothing. What was handed out before is the engine's to
// remember, by kind of recommendation: only what changed leaves.
//
// Invariants: a run has at most one recommendation of a kind, as its id says no more, and at most
// one value of a setting; a saving is finite and not negative, and all of them together (that of a
// failed run aside) are never more than the run's duration.
#pragma once

#include "base/buf.h"
#include "detect/detector.h"
#include "model/run.h"
#include "state/app.h"

// A run's verdicts by kind of bottleneck: of each kind the run's own first, then those of its
// stages in the order they appeared.
struct run_verdicts {
    const struct bottleneck **all; // owned by who collected them
    uint32_t end[KIND_COUNT];      // of each kind's; it begins where the one before ends
};
// The verdicts of one kind; *count gets how many.
const struct bottleneck *const *run_verdicts_of(const struct run_verdicts *verdicts,
                                                enum bottleneck_kind kind, uint32_t *count);

// What advice is given on.
struct advice_view {
    const struct app *app;
    const struct run_verdicts *verdicts;
    const struct thresholds *thresholds; // by which it was judged
    double duration_s;                   // of the run so far
};

// The recommendations of one run. Starts zeroed; advice_fini releases what they own.
struct advice {
    struct recommendation list[ADVICE_KIND_COUNT];
    uint32_t count;
};

struct advisor {
    const char *name; // that of its row
    const char *help; // one sentence: what it recommends, and when
    void (*advise)(const struct advice_view *view, struct advice *out);
};

// All advisors, in the order of advisors.def; *count gets how many.
const struct advisor *const *advisors(unsigned *count);

// Appends the table of advisors in docs/rules.md.
void advisors_to_markdown(struct buf *out);

// Makes one set of all that the recommendations give: no key twice, nothing that the run does
// already, that its Spark does not know or that its verdicts speak against, and values that hold
// together (bounds in their order, cores that divide, switches that are on). What the run itself
// sets, probably on purpose, is named beside what would fit, and is no part of the set.
void advice_make_coherent(const struct advice_view *view, struct advice *advice);
// Fills *out with what `all` recommend, in their order, as one coherent set.
void advise(const struct advisor *const *all, unsigned count, const struct advice_view *view,
            struct advice *out);
// Releases what the recommendations own.
void advice_fini(struct advice *advice);

// For advisors. Begins a recommendation about the run; there must be none of its kind yet. Borrowed
// from *advice: the advisor sets action (owned: from mem_strdup), saving_s and saving_how, the rest
// is there or added by the calls below and by those of advise/setting.h.
struct recommendation *advice_add(struct advice *advice, const struct advice_view *view,
                                  enum advice_kind kind);
// It answers those of the verdicts that are open and no other's doing. To be called once; returns
// how many.
uint32_t advice_answers(struct recommendation *recommendation,
                        const struct bottleneck *const *verdicts, uint32_t count);
// Adds a sentence to what it says helps, before the numbers of the run, printf style.
void advice_note(struct recommendation *recommendation, const char *fmt, ...) PRINTF_LIKE(2, 3);
