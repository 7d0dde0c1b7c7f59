// avro_rows: which field of which struct is which field of a schema. To add a field: one row here
// and one in schemas/, with a default. Bound to the schemas by the codec, both ways.
#include "avro_priv.h"

#define CHARS(name, type, member)                                                                  \
    {                                                                                              \
        name, FIELD_CHARS, offsetof(struct type, member), sizeof(((struct type *)0)->member),      \
            NULL, NULL                                                                             \
    }
#define AT(kind, name, type, member)                                                               \
    { name, kind, offsetof(struct type, member), 0, NULL, NULL }
#define I64(name, type, member) AT(FIELD_I64, name, type, member)
#define F64(name, type, member) AT(FIELD_F64, name, type, member)
#define WORD(name, type, member, vocabulary)                                                       \
    { name, FIELD_WORD, offsetof(struct type, member), 0, word_##vocabulary, vocabulary##_parse }
#define VOCABULARY(vocabulary, type)                                                               \
    static const char *word_##vocabulary(int value) {                                              \
        return vocabulary##_name((enum type)value);                                                \
    }

VOCABULARY(kind, bottleneck_kind)
VOCABULARY(severity, severity)
VOCABULARY(cause, cause)
VOCABULARY(life, life)
VOCABULARY(run_status, run_status)
VOCABULARY(records_from, records_from)

const struct field_row avro_rows_identity[] = {
    CHARS("cluster", run_identity, cluster),
    CHARS("app_id", run_identity, app_id),
    CHARS("attempt", run_identity, attempt),
    CHARS("pipeline", run_identity, pipeline),
    CHARS("app_name", run_identity, app_name),
    CHARS("user", run_identity, user),
    CHARS("spark_version", run_identity, spark_version),
};
const unsigned avro_rows_identity_count = ARRAY_LEN(avro_rows_identity);

const struct field_row avro_rows_run[] = {
    CHARS("run_id", pipeline_run, id),
    I64("revision", pipeline_run, revision),
    I64("started_ms", pipeline_run, started_ms),
    AT(FIELD_TIME, "ended_ms", pipeline_run, ended_ms),
    I64("time_ms", pipeline_run, time_ms),
    F64("duration_s", pipeline_run, duration_s),
    WORD("status", pipeline_run, status, run_status),
    CHARS("failure", pipeline_run, failure),
    F64("records_per_s", pipeline_run, records_per_s),
    F64("gb_per_h", pipeline_run, gb_per_h),
    F64("completeness", pipeline_run, completeness),
};
const unsigned avro_rows_run_count = ARRAY_LEN(avro_rows_run);

const struct field_row avro_rows_totals[] = {
    I64("total_records", run_totals, records),
    WORD("records_from", run_totals, records_from, records_from),
    I64("data_size_bytes", run_totals, data_size_bytes),
    AT(FIELD_BOOL, "data_size_is_files", run_totals, data_size_is_files),
    I64("input_bytes", run_totals, input_bytes),
    I64("input_records", run_totals, input_records),
    I64("output_bytes", run_totals, output_bytes),
    I64("output_records", run_totals, output_records),
    I64("shuffle_read_bytes", run_totals, shuffle_read_bytes),
    I64("shuffle_write_bytes", run_totals, shuffle_write_bytes),
    I64("memory_spilled_bytes", run_totals, memory_spilled_bytes),
    I64("disk_spilled_bytes", run_totals, disk_spilled_bytes),
    I64("run_ms", run_totals, run_ms),
    I64("cpu_ns", run_totals, cpu_ns),
    I64("gc_ms", run_totals, gc_ms),
    I64("task_ms", run_totals, task_ms),
    I64("wasted_ms", run_totals, wasted_ms),
    I64("tasks", run_totals, tasks),
    I64("tasks_failed", run_totals, tasks_failed),
    I64("tasks_killed", run_totals, tasks_killed),
    I64("stage_count", run_totals, stages),
    I64("jobs", run_totals, jobs),
    I64("jobs_failed", run_totals, jobs_failed),
};
const unsigned avro_rows_totals_count = ARRAY_LEN(avro_rows_totals);

const struct field_row avro_rows_stage[] = {
    AT(FIELD_I32, "stage", stage_summary, stage),
    AT(FIELD_I32, "attempt", stage_summary, attempt),
    CHARS("name", stage_summary, name),
    AT(FIELD_TIME, "submitted_ms", stage_summary, submitted_ms),
    AT(FIELD_TIME, "completed_ms", stage_summary, completed_ms),
    I64("tasks_expected", stage_summary, tasks_expected),
    I64("tasks", stage_summary, tasks),
    I64("tasks_failed", stage_summary, tasks_failed),
    I64("tasks_killed", stage_summary, tasks_killed),
    F64("mean_task_ms", stage_summary, mean_task_ms),
    I64("max_task_ms", stage_summary, max_task_ms),
    I64("memory_spilled_bytes", stage_summary, memory_spilled_bytes),
    I64("disk_spilled_bytes", stage_summary, disk_spilled_bytes),
    I64("shuffle_read_bytes", stage_summary, shuffle_read_bytes),
    I64("shuffle_write_bytes", stage_summary, shuffle_write_bytes),
    I64("input_bytes", stage_summary, input_bytes),
    I64("input_records", stage_summary, input_records),
    I64("output_bytes", stage_summary, output_bytes),
    I64("output_records", stage_summary, output_records),
    I64("run_ms", stage_summary, run_ms),
    I64("cpu_ns", stage_summary, cpu_ns),
    I64("gc_ms", stage_summary, gc_ms),
    I64("read_ns", stage_summary, read_ns),
    AT(FIELD_BOOL, "failed", stage_summary, failed),
};
const unsigned avro_rows_stage_count = ARRAY_LEN(avro_rows_stage);

const struct field_row avro_rows_open[] = {
    CHARS("id", open_bottleneck, id),
    WORD("kind", open_bottleneck, kind, kind),
    WORD("severity", open_bottleneck, severity, severity),
    WORD("cause", open_bottleneck, cause, cause),
    AT(FIELD_OPT_I32, "stage", open_bottleneck, stage),
    AT(FIELD_OPT_I32, "stage_attempt", open_bottleneck, stage_attempt),
    F64("saving_s", open_bottleneck, saving_s),
    CHARS("summary", open_bottleneck, summary),
};
const unsigned avro_rows_open_count = ARRAY_LEN(avro_rows_open);

const struct field_row avro_rows_bottleneck[] = {
    CHARS("id", bottleneck, id),
    WORD("kind", bottleneck, kind, kind),
    AT(FIELD_OPT_I32, "stage", bottleneck, stage),
    AT(FIELD_OPT_I32, "stage_attempt", bottleneck, stage_attempt),
    WORD("severity", bottleneck, severity, severity),
    WORD("cause", bottleneck, cause, cause),
    WORD("state", bottleneck, life, life),
    AT(FIELD_I32, "revision", bottleneck, revision),
    CHARS("summary", bottleneck, summary),
    F64("saving_s", bottleneck, saving_s),
    F64("saving_share", bottleneck, saving_share),
    F64("completeness", bottleneck, completeness),
    I64("opened_ms", bottleneck, opened_ms),
    I64("updated_ms", bottleneck, updated_ms),
};
const unsigned avro_rows_bottleneck_count = ARRAY_LEN(avro_rows_bottleneck);

const struct field_row avro_rows_recommendation[] = {
    CHARS("id", recommendation, id),
    AT(FIELD_TEXT, "kind", recommendation, kind),
    AT(FIELD_TEXT, "action", recommendation, action),
    F64("saving_s", recommendation, saving_s),
    CHARS("saving_how", recommendation, saving_how),
    AT(FIELD_I32, "revision", recommendation, revision),
    I64("updated_ms", recommendation, updated_ms),
};
const unsigned avro_rows_recommendation_count = ARRAY_LEN(avro_rows_recommendation);

const struct field_row avro_rows_window[] = {
    CHARS("cluster", pipeline_window, cluster),
    CHARS("pipeline", pipeline_window, pipeline),
    I64("pane_start_ms", pipeline_window, pane_start_ms),
    I64("pane_end_ms", pipeline_window, pane_end_ms),
    I64("window_start_ms", pipeline_window, window_start_ms),
    I64("runs", pipeline_window, runs),
    I64("runs_failed", pipeline_window, runs_failed),
    I64("records", pipeline_window, records),
    I64("data_bytes", pipeline_window, data_bytes),
    I64("shuffle_read_bytes", pipeline_window, shuffle_read_bytes),
    I64("shuffle_write_bytes", pipeline_window, shuffle_write_bytes),
    I64("memory_spilled_bytes", pipeline_window, memory_spilled_bytes),
    I64("disk_spilled_bytes", pipeline_window, disk_spilled_bytes),
    I64("gc_ms", pipeline_window, gc_ms),
    I64("task_ms", pipeline_window, task_ms),
    I64("window_runs", pipeline_window, window_runs),
    I64("window_runs_failed", pipeline_window, window_runs_failed),
    F64("duration_p50_s", pipeline_window, duration_p50_s),
    F64("duration_p90_s", pipeline_window, duration_p90_s),
    F64("duration_p99_s", pipeline_window, duration_p99_s),
    F64("duration_max_s", pipeline_window, duration_max_s),
};
const unsigned avro_rows_window_count = ARRAY_LEN(avro_rows_window);
