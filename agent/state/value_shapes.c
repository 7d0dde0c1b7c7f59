// value_shapes: the shapes of what state keeps, out of the tables that write it. Read through
// state/shape.h.
#include "app_priv.h"
#include "base/compiler.h"
#include "state/position.h"
#include "state/shape.h"
#include "value_priv.h"

#define PARTS(list) .parts = (list), .part_count = ARRAY_LEN(list)
#define ROWS(table) .rows = (table), .row_count = &table##_count

// Rows that are pairs of numbers have no struct of their own.
#define PAIR(id, words, first, second)                                                             \
    static const struct wire_row id##_rows[] = {{1, WIRE_I64, 0, 0, first},                        \
                                                {2, WIRE_I64, 0, 0, second}};                      \
    static const size_t id##_rows_count = ARRAY_LEN(id##_rows);                                    \
    static const struct shape id = {.name = (words), ROWS(id##_rows)}

PAIR(range, "range", "first", "last");
PAIR(role, "accumulator", "id", "role");
PAIR(driver_value, "accumulator", "id", "value");
PAIR(failed_key, "key", "key", "unused");
PAIR(failures, "count", "class", "count");
PAIR(bucket, "bucket", "index", "count");

static const struct wire_row pipeline_value_rows[] = {{1, WIRE_I64, 0, 0, "place"},
                                                      {2, WIRE_CHARS, 0, 0, "text"}};
static const size_t pipeline_value_rows_count = ARRAY_LEN(pipeline_value_rows);
static const struct shape pipeline_value = {.name = "property", ROWS(pipeline_value_rows)};

static const struct shape evidence = {.name = "evidence", ROWS(value_rows_evidence)};
static const struct shape_part verdict_parts[] = {
    {VALUE_EVIDENCE, "evidence", &evidence, SHAPE_LIST}};
static const struct shape verdict = {
    .name = "verdict", ROWS(value_rows_verdict), PARTS(verdict_parts)};
static const struct shape totals = {.name = "totals", ROWS(value_rows_totals)};
static const struct shape executors_sums = {.name = "sums", ROWS(value_rows_executors)};

static const struct shape_part app_parts[] = {
    {VALUE_TOTALS, "totals", &totals, SHAPE_ONCE},
    {VALUE_PIPELINE_VALUE, "pipeline_values", &pipeline_value, SHAPE_LIST},
    {VALUE_FAILED_KEY, "failed_keys", &failed_key, SHAPE_LIST},
    {VALUE_ENDED_TASKS, "ended_tasks", &range, SHAPE_LIST},
    {VALUE_STARTED_JOBS, "started_jobs", &range, SHAPE_LIST},
    {VALUE_ENDED_JOBS, "ended_jobs", &range, SHAPE_LIST},
    {VALUE_EXECUTORS, "executors", &executors_sums, SHAPE_ONCE},
    {VALUE_VERDICT, "verdicts", &verdict, SHAPE_LIST},
};
const struct shape shape_app = {.name = "application", ROWS(value_rows_app), PARTS(app_parts)};

static const struct shape summary = {.name = "summary", ROWS(value_rows_summary)};
static const struct shape slow_task = {.name = "task", ROWS(value_rows_slow_task)};
static const struct shape stage_host = {.name = "host", ROWS(value_rows_stage_host)};
static const struct shape_part detail_parts[] = {
    {VALUE_SLOW_TASK, "slow_tasks", &slow_task, SHAPE_LIST},
    {VALUE_STAGE_HOST, "hosts", &stage_host, SHAPE_LIST},
    {VALUE_DURATION, "durations", &bucket, SHAPE_LIST},
};
static const struct shape detail = {.name = "detail", PARTS(detail_parts)};
static const struct shape_part stage_parts[] = {
    {VALUE_SUMMARY, "summary", &summary, SHAPE_ONCE},
    {VALUE_FAILURES, "failures", &failures, SHAPE_LIST},
    {VALUE_DETAIL, "detail", &detail, SHAPE_ONCE},
    {VALUE_VERDICT, "verdicts", &verdict, SHAPE_LIST},
};
const struct shape shape_stage = {.name = "stage", ROWS(value_rows_stage), PARTS(stage_parts)};

static const struct shape_part accumulators_parts[] = {
    {VALUE_ROLE, "roles", &role, SHAPE_LIST},
    {VALUE_DRIVER_VALUE, "driver_values", &driver_value, SHAPE_LIST},
};
const struct shape shape_accumulators = {.name = "accumulators", PARTS(accumulators_parts)};

static const struct shape host = {.name = "host", ROWS(value_rows_host)};
static const struct shape executor = {.name = "executor", ROWS(value_rows_executor)};
static const struct shape_part executors_parts[] = {
    {VALUE_HOST, "hosts", &host, SHAPE_LIST},
    {VALUE_EXECUTOR, "executors", &executor, SHAPE_LIST},
};
const struct shape shape_executors = {.name = "executors", PARTS(executors_parts)};

static const struct wire_row property_rows[] = {
    {1, WIRE_I64, 0, 0, "number"}, {2, WIRE_CHARS, 0, 0, "name"}, {3, WIRE_CHARS, 0, 0, "value"}};
static const size_t property_rows_count = ARRAY_LEN(property_rows);
static const struct shape property = {.name = "property", ROWS(property_rows)};
static const struct shape_part properties_parts[] = {
    {VALUE_PROPERTY, "properties", &property, SHAPE_LIST}};
const struct shape shape_properties = {.name = "properties", PARTS(properties_parts)};

static const struct shape_part job_parts[] = {{VALUE_JOB_STAGE, "stages", NULL, SHAPE_ONCE}};
const struct shape shape_job = {.name = "job", ROWS(value_rows_job), PARTS(job_parts)};

const struct shape shape_position = {.name = "position", ROWS(position_rows)};
