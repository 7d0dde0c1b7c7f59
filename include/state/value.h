// value: state as values under keys, to be written out and read back: one value per run and one per
// stage attempt. A value is a version and a list of numbered fields (value_tables.c names them);
// what is zero is left out, an unknown number is passed over, so releases may add fields. Called by
// engine; no I/O.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/app.h"

// Version of the values below. A reader refuses a higher one in words.
enum { STATE_VALUE_VERSION = 1 };

// Replaces *value by the run without its stages.
void value_write_app(const struct app *app, struct buf *value);
// Replaces *value by one stage attempt.
void value_write_stage(const struct stage *stage, struct buf *value);

// A run from its value; *out is the caller's (app_free). ST_SKIP with words on damaged bytes or a
// newer version.
enum status value_read_app(struct str value, const char *cluster, const struct pipeline_rule *rule,
                           struct app **out, struct err *err) MUST_USE;
// Adds a stage attempt to a run. ST_SKIP with words likewise, or if the run has it already.
enum status value_read_stage(struct app *app, struct str value, struct err *err) MUST_USE;
