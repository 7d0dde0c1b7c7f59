// render: one judged run as JSON (the contract of `analyze --format json`), as text for people, or
// as a section of an HTML page. Pure functions from state to a buffer; everything from a log is
// escaped.
//
// A form is one file. All show the same run: its identity and sums out of struct app, its verdicts
// that stand, worst first (render_verdicts), and the recommendations the engine made of them. They
// judge nothing and change nothing, so what is left out of one form is left out by its own rules
// alone. JSON names are for programs and stay; text and HTML are for people and may change.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "engine/engine.h"
#include "runs/gate.h"

// Appends one object on one line, newline included.
void render_json(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count);
// The same with what a gate says of the run, as its member "gate".
void render_json_gated(struct buf *out, const struct app *app, enum run_status status,
                       const struct recommendation *recommendations, uint32_t count,
                       const struct gate *gate);

struct render_style {
    bool color;
    int width; // columns to fill, at least 40
    bool all;  // negligible verdicts too
};
// Appends a run for a person at a terminal, in as many lines as it takes.
void render_text(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count,
                 const struct render_style *style);

// The page around the sections: begin once, a section per run, end once.
void render_html_begin(struct buf *out);
void render_html(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count);
void render_html_end(struct buf *out);

// All verdicts of a run that stand: listed = the rule is met, the verdict was opened, or the rule
// could not be evaluated. Sorted: worst first, then by saving, stage and kind. The array is the
// caller's to free.
uint32_t render_verdicts(const struct app *app, const struct bottleneck ***out);
// Appends in words what of the run's events is known to be missing. False if nothing is.
bool render_loss(const struct app *app, struct buf *out);
// "moderate" in its colour, or plain.
const char *render_severity(enum severity severity, bool color);
