// snapshot_pipelines: the form of stage 2's values, shared by writing and reading.
#pragma once

#include "pipelines_priv.h"
#include "state/wire.h"

extern const struct wire_row snapshot_time_rows[], snapshot_pipeline_rows[], snapshot_alert_rows[],
    snapshot_run_rows[], snapshot_pane_rows[];
extern const size_t snapshot_time_count, snapshot_pipeline_count, snapshot_alert_count,
    snapshot_run_count, snapshot_pane_count;

// Numbers of fields that are no plain member of a struct.
enum {
    FIELD_DURATIONS = 100, // in a pipeline's value: runs by duration bucket
    FIELD_OPEN,            // open bottlenecks by severity
    FIELD_ALERT,           // one alert
    FIELD_SKETCH,          // in a pane's value: runs by bucket of the sketch
};

// snapshot_pipelines.c: the key is to be forgotten with the next changes.
void snapshot_note_gone(struct pipelines *pipelines, struct str key);

// snapshot_pipelines_read.c: one value each into what was made for it. False on bytes that do not
// fit, and on numbers that no such state can hold; *err is set on another version only.
bool snapshot_read_time(struct pipelines *pipelines, struct str value, struct err *err);
bool snapshot_read_pipeline(struct pipelines *pipelines, struct pipeline *pipeline,
                            struct str value, struct err *err);
bool snapshot_read_run(struct known_run *run, struct str value, struct err *err);
bool snapshot_read_pane(struct pane *pane, struct str value, struct err *err);
