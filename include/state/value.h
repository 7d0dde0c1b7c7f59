// value: state as values under keys, to be written out and read back: one value per run, one per
// stage attempt, and parts of a run under keys of their own: open jobs ('j'), accumulators ('a'),
// executors ('x') and Spark properties ('c'). A value is a version and a list of numbered fields
// (value_tables.c names them); what is zero is left out, an unknown number is passed over, so
// releases may add fields. No value grows beyond some hundred kilobytes: the limits of state see to
// that. Called by engine; no I/O.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/app.h"

// Replaces *value by the run without its stages and parts.
void value_write_app(const struct app *app, struct buf *value);
// Replaces *value by one stage attempt.
void value_write_stage(const struct stage *stage, struct buf *value);

// Gets the first part of a key, as in "j12." or "s3.0.", and the value, .p NULL if it is gone.
typedef void (*value_part_fn)(void *ctx, const char *prefix, struct str value);
// Every part of a run.
void value_each_part(const struct app *app, value_part_fn each, void *ctx);
// The parts that changed since the last call, and the keys (of stages, too) that are gone.
void value_each_changed_part(struct app *app, value_part_fn each, void *ctx);

// A run from its value; *out is the caller's (app_free). ST_SKIP with words on damaged bytes or a
// newer version.
enum status value_read_app(struct str value, const char *cluster, const struct pipeline_rule *rule,
                           struct app **out, struct err *err) MUST_USE;
// Adds a stage attempt to a run; they must come in the order of stage->number. ST_SKIP with words
// likewise, or if the run has it already.
enum status value_read_stage(struct app *app, struct str value, struct err *err) MUST_USE;
// The place of a stage among its run's, -1 if the value is damaged.
int32_t value_stage_number(struct str value);
// Adds a part to a run. `kind` is the key's first character.
enum status value_read_part(struct app *app, char kind, struct str value, struct err *err) MUST_USE;
// True if the parts that were read fit together: none is missing.
bool value_is_complete(const struct app *app);
