// render_runs: several runs held against each other, for people and for programs: a comparison of
// two as text or JSON, a benchmark report as Markdown, JSON or a page of HTML. Pure functions from
// what room runs worked out to a buffer; everything from a log is escaped. JSON names are for
// programs and stay; the other forms may change.
#pragma once

#include "present/render.h"
#include "runs/compare.h"
#include "runs/groups.h"

// In as many lines as it takes; `all`: differences too small to matter, too.
void render_compare_text(struct buf *out, const struct comparison *comparison,
                         const struct render_style *style);
// One object on one line, newline included; every stage is in it.
void render_compare_json(struct buf *out, const struct comparison *comparison);

// A report that was built, with the same numbers in every form. `baseline` is the word that named
// the baseline, NULL if none did.
void render_report_markdown(struct buf *out, const struct report *report, const char *baseline);
// One object on one line, newline included.
void render_report_json(struct buf *out, const struct report *report, const char *baseline);
// A whole page: charts are drawn in it, nothing is loaded.
void render_report_html(struct buf *out, const struct report *report, const char *baseline);
