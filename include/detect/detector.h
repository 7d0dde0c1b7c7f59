// detector: the contract of a detector and the table of all. A detector is one file that ends in a
// const struct detector, and one row in detectors.def: what it finds and when in words, its
// thresholds, what helps, the words of its alert, and `judge`. It judges one subject, a stage
// attempt or a run, from the sums that state keeps: it has no memory of its own, allocates nothing,
// reads no clock, logs nothing, so the same sums give the same verdict, live or from a log.
//
// Invariants of a verdict: rule_met is the rule to the letter, TRI_NULL only with a reason; floor
// <= cap; the saving is seconds of wall time, at most what would be saved. Severity follows from
// saving and length alone, between floor and cap. There is one detector for each kind.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "model/run.h"
#include "state/app.h"

enum { DETECTOR_THRESHOLDS_MAX = 4 };

// A number a user may set as detectors.<kind>.<name>.
struct detector_threshold {
    const char *name, *help;
    double def, min, max;
    // Where the default comes from: the base rule, a paper, what peers use, a measurement. One that
    // is only assumed says so.
    const char *source;
};

// The thresholds of all detectors, as one pipeline is judged by.
struct thresholds {
    double of[KIND_COUNT]
             [DETECTOR_THRESHOLDS_MAX]; // each kind's in the order of its detector's table
};
// The built-in defaults.
void thresholds_init(struct thresholds *thresholds);

// What a judgement works on. `stage` is NULL for a verdict on the run.
struct detector_view {
    const struct app *app;
    const struct stage *stage;
    bool over;                // no more events of the run will come
    const double *thresholds; // in the order of the detector's table
};

// What it says. Starts zeroed with rule_met = TRI_NULL.
struct verdict {
    enum tri rule_met;
    const char *reason; // static: why the rule could not be evaluated
    bool opens;         // worth a verdict although the rule is not met
    enum cause cause;
    double saving_s;     // at most this much wall time would be saved
    enum severity floor; // at least this bad, whatever the saving
    enum severity cap;   // at most this bad; the engine starts it at critical
    // Doubts of its own (verdict_doubt): the engine adds those that every verdict has to bear.
    enum confidence confidence;
    const char *confidence_why; // static text; NULL while it is high
    struct evidence evidence[EVIDENCE_MAX];
    uint32_t evidence_count;
    char summary[512];
};

enum detector_subject { SUBJECT_STAGE, SUBJECT_RUN };

// What helps in general against a bottleneck of one cause.
struct remedy {
    enum cause cause; // CAUSE_NONE: any; ends the list
    const char *text; // sentences; the numbers of the run follow
};

// The same, where what helps is told by more than the cause: its evidence has this above 0.
struct fine_remedy {
    enum cause cause;
    const char *evidence; // NULL ends the list
    const char *text;
};

struct detector {
    enum bottleneck_kind kind;
    enum detector_subject subject;
    bool live;         // a run-level one: also judged while the run goes on
    bool needs_detail; // a stage-level one: compares single tasks
    // It rests on what single events say, not on sums: few tasks or missing events put it in no
    // doubt.
    bool certain;
    // A stage-level one that compares the stage with others of its run: what it said is looked at
    // again when the run is over.
    bool by_run;
    // A stage-level one: share of the tasks that must have ended before it speaks of a running
    // stage.
    double completeness;
    const char *help;         // one sentence: what it finds
    const char *rule;         // when rule_met is true, in words and numbers (Markdown)
    const char *unknown_when; // when rule_met is null, in words (Markdown)
    const char *never_text;   // reason when no stage of a run could be evaluated
    const struct detector_threshold *thresholds;
    unsigned threshold_count;
    const struct fine_remedy *fine_remedies; // looked at first; NULL: none
    const struct remedy *remedies;
    // The alert of a pipeline whose run has it: alertname (CamelCase, its identity: never to be
    // changed) and summary. Critical whatever the severity, or a warning.
    const char *alert_name, *alert_summary;
    bool alert_critical;
    void (*judge)(const struct detector_view *view, struct verdict *out);
    // Of a stage-level one: what it says of the run as a whole, once it is over. The rule is of
    // stages: it is never met here. NULL: nothing.
    void (*judge_run)(const struct detector_view *view, struct verdict *out);
};

// All detectors, in the order of detectors.def; *count gets how many.
const struct detector *const *detectors(unsigned *count);
// The one of a kind; there is one for each.
const struct detector *detector_of(enum bottleneck_kind kind);
// What helps against that bottleneck of its kind: by its cause and evidence, else by its cause,
// else against any. Static.
const char *detector_remedy(const struct detector *detector, const struct bottleneck *bottleneck);

// Adds a pair to a verdict's evidence; `name` must be static. Beyond EVIDENCE_MAX it is an internal
// error.
void verdict_evidence(struct verdict *verdict, const char *name, double value);
// It is no surer than that, for this reason (static text, "few tasks to compare"). The greater
// doubt stays, of equal ones the first.
void verdict_doubt(struct verdict *verdict, enum confidence confidence, const char *why);
// Sets the one-line summary, printf style.
void verdict_summary(struct verdict *verdict, const char *fmt, ...) PRINTF_LIKE(2, 3);

// Adds to a verdict the doubts that follow from how much of its subject was seen: `completeness` of
// the stage or, if that is NULL, of the run; `settled`: it is over.
void confidence_weigh(const struct detector *detector, const struct app *app,
                      const struct stage *stage, double completeness, bool settled,
                      struct verdict *verdict);

// How bad a loss is: from the seconds that would be saved at most and their share of `run_s`.
// `running`: the run's length is not known yet, so short runs are taken as five minutes long.
enum severity severity_of_loss(double saving_s, double run_s, bool running);

// Append the tables of docs/rules.md: what each detector finds and when, what severity means, and
// the thresholds with their sources.
void detectors_to_markdown(struct buf *out);
void severities_to_markdown(struct buf *out);
void thresholds_to_markdown(struct buf *out);
