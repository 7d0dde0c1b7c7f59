// snapshot_shapes: which key of a state topic holds what, for those who show state. Out of the
// tables that write it.
#include "base/compiler.h"
#include "engine/snapshot.h"
#include "fleet/snapshot_pipelines.h"
#include "snapshot_priv.h"
#include "state/position.h"

#define PARTS(list) .parts = (list), .part_count = ARRAY_LEN(list)
#define ROWS(table, count) .rows = (table), .row_count = &(count)

static const struct shape engine = {.name = "partition",
                                    ROWS(snapshot_engine_rows, snapshot_engine_count)};

static const struct wire_row advice_rows[] = {{ADVICE_NUMBER, WIRE_I64, 0, 0, "kind"},
                                              {ADVICE_REVISION, WIRE_I64, 0, 0, "revision"},
                                              {ADVICE_DIGEST, WIRE_I64, 0, 0, "digest"}};
static const size_t advice_count = ARRAY_LEN(advice_rows);
static const struct shape advice = {.name = "advice", ROWS(advice_rows, advice_count)};
static const struct shape_part run_parts[] = {{FIELD_APP, "application", &shape_app, SHAPE_VALUE},
                                              {FIELD_ADVICE, "advice", &advice, SHAPE_LIST}};
static const struct shape run = {
    .name = "run", ROWS(snapshot_live_rows, snapshot_live_count), PARTS(run_parts)};

static const struct shape runs_time = {.name = "partition",
                                       ROWS(snapshot_time_rows, snapshot_time_count)};
static const struct shape numbers = {.name = "numbers by place", .by_place = true};
static const struct shape alert = {.name = "alert",
                                   ROWS(snapshot_alert_rows, snapshot_alert_count)};
static const struct shape_part pipeline_parts[] = {
    {FIELD_DURATIONS, "duration_buckets", &numbers, SHAPE_ONCE},
    {FIELD_OPEN, "open_bottlenecks", &numbers, SHAPE_ONCE},
    {FIELD_ALERT, "alerts", &alert, SHAPE_LIST}};
static const struct shape pipeline = {.name = "pipeline",
                                      ROWS(snapshot_pipeline_rows, snapshot_pipeline_count),
                                      PARTS(pipeline_parts)};
static const struct shape_part known_run_parts[] = {
    {FIELD_OPEN, "open_bottlenecks", &numbers, SHAPE_ONCE}};
static const struct shape known_run = {.name = "run as last heard of",
                                       ROWS(snapshot_run_rows, snapshot_run_count),
                                       PARTS(known_run_parts)};
static const struct shape_part pane_parts[] = {
    {FIELD_OPEN, "open_bottlenecks", &numbers, SHAPE_ONCE},
    {FIELD_SKETCH, "durations", &numbers, SHAPE_ONCE}};
static const struct shape pane = {
    .name = "pane", ROWS(snapshot_pane_rows, snapshot_pane_count), PARTS(pane_parts)};

const struct snapshot_kind snapshot_kinds[] = {
    {POSITION_KEY, POSITION_KEY, "how far this state has read its input", &shape_position},
    {"e", "e", "time of a partition of the events", &engine},
    {"r", "r<run key>", "a run", &run},
    {"s", "s<stage>.<attempt>.<run key>", "a stage attempt of a run", &shape_stage},
    {"j", "j<job>.<run key>", "a job that is open", &shape_job},
    {"a", "a<number>.<run key>", "256 accumulators of a run", &shape_accumulators},
    {"x", "x<number>.<run key>", "128 executors of a run and their hosts", &shape_executors},
    {"c", "c0.<run key>", "Spark properties of a run", &shape_properties},
    {"P", "P", "time of a partition of the runs", &runs_time},
    {"p", "p<pipeline key>", "a pipeline with its alerts", &pipeline},
    {"k", "k<run id>.<pipeline key>", "a run as stage 2 last heard of it", &known_run},
    {"w", "w<pane>.<pipeline key>", "a pane of a pipeline's window", &pane},
};
const size_t snapshot_kind_count = ARRAY_LEN(snapshot_kinds);

const struct snapshot_kind *snapshot_kind_of(struct str key) {
    for (size_t i = 0; i < snapshot_kind_count; i++) {
        if (key.len > 0 && key.p[0] == snapshot_kinds[i].prefix[0]) {
            return &snapshot_kinds[i];
        }
    }
    return NULL;
}
