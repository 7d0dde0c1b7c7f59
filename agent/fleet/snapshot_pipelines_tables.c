// snapshot_pipelines_tables: the numbered fields of stage 2's values. A number is for ever: a new
// field gets a new one, a retired one is never used again. Used by snapshot_pipelines.c and its
// reader.
#include "base/compiler.h"
#include "snapshot_pipelines.h"

#define FIELD(number, type, of, member)                                                            \
    { number, type, offsetof(struct of, member), sizeof(((struct of *)0)->member), #member }

const struct wire_row snapshot_time_rows[] = {
    FIELD(1, WIRE_I64, pipelines, time_ms),
    FIELD(2, WIRE_I64, pipelines, clock_ms),
};
const size_t snapshot_time_count = ARRAY_LEN(snapshot_time_rows);

const struct wire_row snapshot_pipeline_rows[] = {
    FIELD(1, WIRE_I64, pipeline, ring.newest),
    FIELD(2, WIRE_BOOL, pipeline, ring.started),
    FIELD(3, WIRE_I64, pipeline, run_number),
    FIELD(4, WIRE_I64, pipeline, seen_offset),
    FIELD(5, WIRE_I64, pipeline, seen_clock_ms),
    FIELD(6, WIRE_F64, pipeline, stats.duration_sum_s),
    FIELD(7, WIRE_I64, pipeline, stats.runs),
    FIELD(8, WIRE_I64, pipeline, stats.records_total),
    FIELD(9, WIRE_I64, pipeline, stats.errors_total),
    FIELD(10, WIRE_F64, pipeline, stats.records_per_s),
    FIELD(11, WIRE_I32, pipeline, stats.last_status),
    FIELD(12, WIRE_F64, pipeline, stats.last_duration_s),
    FIELD(13, WIRE_I64, pipeline, stats.last_ended_ms),
    FIELD(14, WIRE_I64, pipeline, ring.pane_ms),
};
const size_t snapshot_pipeline_count = ARRAY_LEN(snapshot_pipeline_rows);

const struct wire_row snapshot_alert_rows[] = {
    FIELD(1, WIRE_I64, pipeline_alert, kind),
    FIELD(2, WIRE_CHARS, pipeline_alert, alert.description),
    FIELD(3, WIRE_I64, pipeline_alert, alert.started_ms),
    FIELD(4, WIRE_I64, pipeline_alert, alert.ended_ms),
    FIELD(5, WIRE_CHARS, pipeline_alert, run),
    FIELD(6, WIRE_I64, pipeline_alert, ended_clock_ms),
};
const size_t snapshot_alert_count = ARRAY_LEN(snapshot_alert_rows);

const struct wire_row snapshot_run_rows[] = {
    FIELD(1, WIRE_I64, known_run, number),
    FIELD(2, WIRE_I64, known_run, revision),
    FIELD(3, WIRE_I64, known_run, time_ms),
    FIELD(4, WIRE_I64, known_run, started_ms),
    FIELD(5, WIRE_I64, known_run, ended_ms),
    FIELD(6, WIRE_F64, known_run, duration_s),
    FIELD(7, WIRE_I32, known_run, status),
    FIELD(8, WIRE_I64, known_run, records),
    FIELD(9, WIRE_I64, known_run, data_bytes),
    FIELD(10, WIRE_I64, known_run, shuffle_read_bytes),
    FIELD(11, WIRE_I64, known_run, shuffle_write_bytes),
    FIELD(12, WIRE_I64, known_run, memory_spilled_bytes),
    FIELD(13, WIRE_I64, known_run, disk_spilled_bytes),
    FIELD(14, WIRE_I64, known_run, gc_ms),
    FIELD(15, WIRE_I64, known_run, task_ms),
    FIELD(16, WIRE_CHARS, known_run, id),
};
const size_t snapshot_run_count = ARRAY_LEN(snapshot_run_rows);

const struct wire_row snapshot_pane_rows[] = {
    FIELD(1, WIRE_BOOL, pane, changed),
    FIELD(2, WIRE_I64, pane, window.runs),
    FIELD(3, WIRE_I64, pane, window.runs_failed),
    FIELD(4, WIRE_I64, pane, window.records),
    FIELD(5, WIRE_I64, pane, window.data_bytes),
    FIELD(6, WIRE_I64, pane, window.shuffle_read_bytes),
    FIELD(7, WIRE_I64, pane, window.shuffle_write_bytes),
    FIELD(8, WIRE_I64, pane, window.memory_spilled_bytes),
    FIELD(9, WIRE_I64, pane, window.disk_spilled_bytes),
    FIELD(10, WIRE_I64, pane, window.gc_ms),
    FIELD(11, WIRE_I64, pane, window.task_ms),
    FIELD(12, WIRE_F64, pane, window.duration_max_s),
};
const size_t snapshot_pane_count = ARRAY_LEN(snapshot_pane_rows);
