// value_tables: the fields of state as written out. A number is never used again for something
// else.
#pragma once

#include "state/wire.h"

extern const struct wire_row value_rows_app[], value_rows_totals[], value_rows_executors[],
    value_rows_stage[], value_rows_summary[], value_rows_slow_task[], value_rows_stage_host[],
    value_rows_verdict[], value_rows_evidence[], value_rows_job[], value_rows_executor[],
    value_rows_host[]; // the last two are in executors.c
extern const size_t value_rows_app_count, value_rows_totals_count, value_rows_executors_count,
    value_rows_stage_count, value_rows_summary_count, value_rows_slow_task_count,
    value_rows_stage_host_count, value_rows_verdict_count, value_rows_evidence_count,
    value_rows_job_count, value_rows_executor_count, value_rows_host_count;

// The one field of a job that is no number.
enum { VALUE_JOB_STAGE = 3 };

// Numbers of the fields that are lists or nested.
enum {
    VALUE_TOTALS = 200,
    VALUE_PIPELINE_VALUE, // index, then text
    VALUE_FAILED_KEY,
    VALUE_ROLE = VALUE_FAILED_KEY + 2, // one number is not used any more
    VALUE_DRIVER_VALUE,
    VALUE_ENDED_TASKS,
    VALUE_STARTED_JOBS,
    VALUE_ENDED_JOBS,
    VALUE_VERDICT,
    VALUE_EXECUTORS,
    VALUE_EXECUTOR,
    VALUE_HOST,
    VALUE_SUMMARY,
    VALUE_FAILURES,
    VALUE_DETAIL,
    VALUE_SLOW_TASK,
    VALUE_STAGE_HOST,
    VALUE_DURATION,
    VALUE_EVIDENCE,
    VALUE_PROPERTY, // number, name, value
};
