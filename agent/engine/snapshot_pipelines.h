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
    FIELD_WORST,           // in a run's value: worst severity by kind
    FIELD_SKETCH,          // in a pane's value: pairs of bucket and count
};
