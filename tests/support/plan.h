// plan: SQL plans as the decoder hands them over, node by node, for tests of state and detect.
// Nodes are added depth first; each has the metrics whose accumulators are not -1.
#pragma once

#include "support/spark.h"

enum { PLAN_NODES = 64, PLAN_METRICS = 256 };
struct plan_kit {
    struct event_plan_node nodes[PLAN_NODES];
    struct event_plan_metric metrics[PLAN_METRICS];
    uint32_t node_count, metric_count;
};

// A node under `parent` (-1: the root); returns its index.
static inline int32_t plan_node(struct plan_kit *kit, int32_t parent, const char *name) {
    kit->nodes[kit->node_count] = (struct event_plan_node){
        .name = str_of(name), .parent = parent, .first_metric = kit->metric_count};
    return (int32_t)kit->node_count++;
}

// A metric of the node added last.
static inline void plan_metric(struct plan_kit *kit, const char *name, int64_t id) {
    kit->metrics[kit->metric_count++] = (struct event_plan_metric){str_of(name), STR("sum"), id};
    kit->nodes[kit->node_count - 1].metric_count++;
}

static inline void plan_send(struct app *app, const struct plan_kit *kit, int64_t execution,
                             enum event_kind kind) {
    struct event event = {.kind = kind, .time_ms = 1000100};
    event.sql.execution_id = execution;
    event.sql.plan =
        (struct event_plan){kit->nodes, kit->node_count, kit->metrics, kit->metric_count, false};
    app_apply(app, &event, NULL);
}

static inline void plan_end(struct app *app, int64_t execution) {
    struct event event = {.kind = EVENT_SQL_END, .time_ms = 1002000};
    event.sql.execution_id = execution;
    app_apply(app, &event, NULL);
}

static inline void plan_driver_value(struct app *app, int64_t execution, int64_t id,
                                     int64_t value) {
    struct event_accum accum = {id, value};
    struct event event = {.kind = EVENT_SQL_DRIVER_ACCUMS, .time_ms = 1000200};
    event.sql.execution_id = execution;
    event.sql.accums = &accum;
    event.sql.accum_count = 1;
    app_apply(app, &event, NULL);
}

// A success of a stage that took `ms` and told of these accumulators.
static inline void plan_task(struct app *app, int32_t stage, int64_t task, int64_t ms,
                             const struct event_accum *accums, uint32_t count) {
    struct event event = spark_task(task, ms);
    event.task.stage = stage;
    event.task.remote_read_bytes = 0;
    event.task.accums = accums;
    event.task.accum_count = count;
    app_apply(app, &event, NULL);
}

// A sort-merge join: its rows are accumulator `base`, the left side's rows, bytes and shuffled
// bytes base + 1 to 3, the right side's base + 4 to 6; with wrappers and a subquery in the way.
static inline void plan_join(struct plan_kit *kit, int32_t parent, const char *way, int64_t base,
                             enum join_type type) {
    int32_t join = plan_node(kit, parent, way);
    kit->nodes[join].join = type;
    plan_metric(kit, "number of output rows", base);
    for (int64_t id = base + 1; id <= base + 4; id += 3) {
        int32_t sort = plan_node(kit, plan_node(kit, join, "WholeStageCodegen (2)"), "Sort");
        plan_metric(kit, "sort time", 9000 + id);
        int32_t stage = plan_node(kit, plan_node(kit, sort, "AQEShuffleRead"), "ShuffleQueryStage");
        int32_t exchange = plan_node(kit, stage, "Exchange");
        plan_metric(kit, "shuffle records written", id);
        plan_metric(kit, "data size", id + 1);
        plan_metric(kit, "shuffle bytes written", id + 2);
        plan_node(kit, exchange, "Scan parquet t");
        plan_metric(kit, "number of output rows", 9100 + id);
    }
    plan_node(kit, join, "Subquery");
}
