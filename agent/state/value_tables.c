// value_tables: every field of state with its number. To add one: a row at the end of its table,
// with the next number. Read by value.c and value_stage.c.
#include "value_tables.h"

#include "app_priv.h"

#include "base/compiler.h"

#define AT(number, type, owner, member)                                                            \
    { number, type, offsetof(struct owner, member), 0, #member }
#define CHARS(number, owner, member)                                                               \
    {                                                                                              \
        number, WIRE_CHARS, offsetof(struct owner, member), sizeof(((struct owner *)0)->member),   \
            #member                                                                                \
    }

const struct wire_row value_rows_app[] = {
    CHARS(1, app, identity.cluster),
    CHARS(2, app, identity.app_id),
    CHARS(3, app, identity.attempt),
    CHARS(4, app, identity.pipeline),
    CHARS(5, app, identity.app_name),
    CHARS(6, app, identity.user),
    CHARS(7, app, identity.spark_version),
    CHARS(8, app, run_id),
    AT(9, WIRE_BOOL, app, pipeline_fixed),
    AT(10, WIRE_I64, app, started_ms),
    AT(11, WIRE_I64, app, ended_ms),
    AT(12, WIRE_I64, app, first_ms),
    AT(13, WIRE_I64, app, now_ms),
    AT(14, WIRE_BOOL, app, has_exit_code),
    AT(15, WIRE_I64, app, exit_code),
    AT(16, WIRE_I32, app, spark_major),
    AT(17, WIRE_I32, app, spark_minor),
    AT(18, WIRE_I64, app, scan_rows),
    AT(19, WIRE_I64, app, shuffle_read_records),
    AT(20, WIRE_I64, app, files_bytes),
    AT(21, WIRE_I64, app, fetch_wait_ms),
    AT(22, WIRE_I64, app, shuffle_write_ns),
    AT(23, WIRE_I64, app, task_ends),
    AT(24, WIRE_I64, app, exclusions),
    AT(25, WIRE_I64, app, blacklistings),
    AT(26, WIRE_I64, app, executor_memory_mib),
    AT(27, WIRE_BOOL, app, sql_error),
    CHARS(28, app, failure),
    AT(29, WIRE_BOOL, app, limit_hit),
    AT(30, WIRE_BOOL, app, foreign_engine),
    AT(31, WIRE_I32, app, stage_number),
};
const size_t value_rows_app_count = ARRAY_LEN(value_rows_app);

const struct wire_row value_rows_totals[] = {
    AT(1, WIRE_I64, run_totals, input_bytes),
    AT(2, WIRE_I64, run_totals, input_records),
    AT(3, WIRE_I64, run_totals, output_bytes),
    AT(4, WIRE_I64, run_totals, output_records),
    AT(5, WIRE_I64, run_totals, shuffle_read_bytes),
    AT(6, WIRE_I64, run_totals, shuffle_write_bytes),
    AT(7, WIRE_I64, run_totals, memory_spilled_bytes),
    AT(8, WIRE_I64, run_totals, disk_spilled_bytes),
    AT(9, WIRE_I64, run_totals, run_ms),
    AT(10, WIRE_I64, run_totals, cpu_ns),
    AT(11, WIRE_I64, run_totals, gc_ms),
    AT(12, WIRE_I64, run_totals, task_ms),
    AT(13, WIRE_I64, run_totals, wasted_ms),
    AT(14, WIRE_I64, run_totals, tasks),
    AT(15, WIRE_I64, run_totals, tasks_failed),
    AT(16, WIRE_I64, run_totals, tasks_killed),
    AT(17, WIRE_I64, run_totals, stages),
    AT(18, WIRE_I64, run_totals, jobs),
    AT(19, WIRE_I64, run_totals, jobs_failed),
};
const size_t value_rows_totals_count = ARRAY_LEN(value_rows_totals);

const struct wire_row value_rows_executors[] = {
    AT(1, WIRE_I64, executors, task_cpus),     AT(2, WIRE_I64, executors, added),
    AT(3, WIRE_I64, executors, lost_memory),   AT(4, WIRE_I64, executors, lost_infra),
    AT(5, WIRE_I64, executors, lost_unknown),  AT(6, WIRE_I64, executors, first_added_ms),
    AT(7, WIRE_I64, executors, last_added_ms),
};
const size_t value_rows_executors_count = ARRAY_LEN(value_rows_executors);

const struct wire_row value_rows_stage[] = {
    AT(1, WIRE_BOOL, stage, python),
    AT(2, WIRE_BOOL, stage, submitted),
    AT(3, WIRE_BOOL, stage, completed),
    AT(4, WIRE_I32, stage, job),
    AT(5, WIRE_I64, stage, slots),
    AT(6, WIRE_I64, stage, first_launch_ms),
    AT(7, WIRE_I64, stage, last_finish_ms),
    AT(8, WIRE_BOOL, stage, waited_for_own),
    AT(9, WIRE_I64, stage, task_ms),
    AT(10, WIRE_I64, stage, bytes),
    AT(11, WIRE_I64, stage, records),
    AT(12, WIRE_I64, stage, fetch_wait_ms),
    AT(13, WIRE_I64, stage, shuffle_write_ns),
    AT(14, WIRE_I64, stage, deserialize_ms),
    AT(15, WIRE_I64, stage, spill_task_ms),
    AT(16, WIRE_I64, stage, metric_tasks),
    AT(17, WIRE_I64, stage, delay_ms),
    AT(18, WIRE_I64, stage, delay_run_ms),
    AT(19, WIRE_I64, stage, io_tasks),
    AT(20, WIRE_I64, stage, io_cpu_ns),
    AT(21, WIRE_I64, stage, io_read_ns),
    AT(22, WIRE_I64, stage, scan_ns),
    AT(23, WIRE_I64, stage, scan_tasks),
    AT(24, WIRE_I64, stage, io_run_ms),
    AT(25, WIRE_I64, stage, tasks_with_metrics),
    AT(26, WIRE_I64, stage, peak_memory_bytes),
    AT(27, WIRE_I64, stage, failed_ms),
    AT(28, WIRE_I64, stage, killed_ms),
    AT(29, WIRE_I64, stage, resubmitted),
    AT(30, WIRE_I64, stage, lost_to_infrastructure),
    AT(31, WIRE_I64, stage, tasks_running),
    AT(32, WIRE_I64, stage, judged_ms),
    AT(33, WIRE_BOOL, stage, dirty),
    AT(34, WIRE_I32, stage, number),
};
const size_t value_rows_stage_count = ARRAY_LEN(value_rows_stage);

const struct wire_row value_rows_summary[] = {
    AT(1, WIRE_I32, stage_summary, stage),
    AT(2, WIRE_I32, stage_summary, attempt),
    CHARS(3, stage_summary, name),
    AT(4, WIRE_I64, stage_summary, submitted_ms),
    AT(5, WIRE_I64, stage_summary, completed_ms),
    AT(6, WIRE_I64, stage_summary, tasks_expected),
    AT(7, WIRE_I64, stage_summary, tasks),
    AT(8, WIRE_I64, stage_summary, tasks_failed),
    AT(9, WIRE_I64, stage_summary, tasks_killed),
    AT(10, WIRE_F64, stage_summary, mean_task_ms),
    AT(11, WIRE_I64, stage_summary, max_task_ms),
    AT(12, WIRE_I64, stage_summary, memory_spilled_bytes),
    AT(13, WIRE_I64, stage_summary, disk_spilled_bytes),
    AT(14, WIRE_I64, stage_summary, shuffle_read_bytes),
    AT(15, WIRE_I64, stage_summary, shuffle_write_bytes),
    AT(16, WIRE_I64, stage_summary, input_bytes),
    AT(17, WIRE_I64, stage_summary, input_records),
    AT(18, WIRE_I64, stage_summary, output_bytes),
    AT(19, WIRE_I64, stage_summary, output_records),
    AT(20, WIRE_I64, stage_summary, run_ms),
    AT(21, WIRE_I64, stage_summary, cpu_ns),
    AT(22, WIRE_I64, stage_summary, gc_ms),
    AT(23, WIRE_I64, stage_summary, read_ns),
    AT(24, WIRE_BOOL, stage_summary, failed),
};
const size_t value_rows_summary_count = ARRAY_LEN(value_rows_summary);

const struct wire_row value_rows_slow_task[] = {
    AT(1, WIRE_I64, stage_task, duration_ms), AT(2, WIRE_I64, stage_task, launch_ms),
    AT(3, WIRE_I64, stage_task, bytes),       AT(4, WIRE_I64, stage_task, records),
    AT(5, WIRE_I64, stage_task, run_ms),      AT(6, WIRE_I64, stage_task, cpu_ns),
    AT(7, WIRE_I64, stage_task, gc_ms),       AT(8, WIRE_I64, stage_task, fetch_wait_ms),
    AT(9, WIRE_I64, stage_task, spill_bytes), AT(10, WIRE_I64, stage_task, deserialize_ms),
    AT(11, WIRE_I64, stage_task, delay_ms),   AT(12, WIRE_I32, stage_task, index),
    AT(13, WIRE_I32, stage_task, host),       AT(14, WIRE_BOOL, stage_task, cold),
};
const size_t value_rows_slow_task_count = ARRAY_LEN(value_rows_slow_task);

const struct wire_row value_rows_stage_host[] = {
    AT(1, WIRE_I32, stage_host, host),
    AT(2, WIRE_I64, stage_host, tasks),
    AT(3, WIRE_I64, stage_host, task_ms),
    AT(4, WIRE_I64, stage_host, bytes),
};
const size_t value_rows_stage_host_count = ARRAY_LEN(value_rows_stage_host);

const struct wire_row value_rows_verdict[] = {
    CHARS(1, bottleneck, id),
    AT(2, WIRE_I32, bottleneck, kind),
    AT(3, WIRE_I32, bottleneck, stage),
    AT(4, WIRE_I32, bottleneck, stage_attempt),
    AT(5, WIRE_I32, bottleneck, rule_met),
    AT(6, WIRE_NAME, bottleneck, reason),
    AT(7, WIRE_I32, bottleneck, severity),
    AT(8, WIRE_I32, bottleneck, cause),
    AT(9, WIRE_I32, bottleneck, life),
    AT(10, WIRE_I32, bottleneck, revision),
    AT(11, WIRE_F64, bottleneck, saving_s),
    AT(12, WIRE_F64, bottleneck, saving_share),
    AT(13, WIRE_I32, bottleneck, floor),
    AT(14, WIRE_I32, bottleneck, cap),
    AT(15, WIRE_BOOL, bottleneck, published),
    AT(16, WIRE_F64, bottleneck, completeness),
    AT(17, WIRE_I64, bottleneck, opened_ms),
    AT(18, WIRE_I64, bottleneck, updated_ms),
    CHARS(19, bottleneck, summary),
};
const size_t value_rows_verdict_count = ARRAY_LEN(value_rows_verdict);

const struct wire_row value_rows_evidence[] = {
    AT(1, WIRE_NAME, evidence, name),
    AT(2, WIRE_F64, evidence, value),
};
const size_t value_rows_evidence_count = ARRAY_LEN(value_rows_evidence);

const struct wire_row value_rows_job[] = {
    AT(1, WIRE_I64, app_job, number),
    AT(2, WIRE_I64, app_job, execution_id),
    AT(4, WIRE_I32, app_job, id),
};
const size_t value_rows_job_count = ARRAY_LEN(value_rows_job);
