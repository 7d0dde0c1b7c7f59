// oracle_sql: SQL executions, their plans, and streaming queries as the oracle reads them. Plans
// are walked by recursion, to a depth that is known to fit the stack.
#include "base/sat.h"
#include "oracle_priv.h"

enum { PLAN_DEPTH_MAX = 256 };

static void add_metrics(struct oracle *o, const json_t *list, struct event_plan *plan) {
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)list, i, entry) {
        struct event_plan_metric metric = {oracle_text(entry, "name", 256),
                                           oracle_text(entry, "metricType", 64),
                                           oracle_id64(entry, "accumulatorId")};
        if (o->metric_count == EVENT_PLAN_METRICS_MAX) {
            plan->truncated = true;
            return;
        }
        if (metric.accum_id >= 0) {
            MEM_GROW(o->metrics, o->metric_count, o->metric_cap);
            o->metrics[o->metric_count++] = metric;
        }
    }
}

static void add_node(struct oracle *o, const json_t *node, int32_t parent, int depth,
                     struct event_plan *plan) {
    if (!json_is_object(node)) {
        return;
    }
    if (depth == PLAN_DEPTH_MAX || o->node_count == EVENT_PLAN_NODES_MAX) {
        plan->truncated = true;
        return;
    }
    struct str name = oracle_text(node, "nodeName", 256), text = STR("");
    if (str_contains(name, STR("Join")) || str_contains(name, STR("Exchange"))) {
        text = oracle_text(node, "simpleString", 256);
    }
    uint32_t first = (uint32_t)o->metric_count;
    add_metrics(o, oracle_field(node, "metrics"), plan);
    int32_t self = (int32_t)o->node_count;
    MEM_GROW(o->nodes, o->node_count, o->node_cap);
    o->nodes[o->node_count++] =
        (struct event_plan_node){name, text, parent, first, (uint32_t)o->metric_count - first};
    size_t i;
    json_t *child;
    json_array_foreach((json_t *)oracle_field(node, "children"), i, child) {
        add_node(o, child, self, depth + 1, plan);
    }
}

static void add_driver_updates(struct oracle *o, const json_t *list) {
    size_t i;
    json_t *pair;
    json_array_foreach((json_t *)list, i, pair) {
        int64_t id = -1, update = 0;
        if (json_array_size(pair) != 2 || !oracle_integer(json_array_get(pair, 0), &id) || id < 0 ||
            o->accum_count == EVENT_ACCUMS_MAX) {
            continue;
        }
        if (!oracle_integer(json_array_get(pair, 1), &update) || update < 0) {
            update = 0;
        }
        MEM_GROW(o->accums, o->accum_count, o->accum_cap);
        o->accums[o->accum_count++] = (struct event_accum){id, update};
    }
}

void oracle_sql(struct oracle *o, const json_t *event, struct event *out) {
    struct event_sql *s = &out->sql;
    const json_t *error = oracle_field(event, "errorMessage");
    s->execution_id = oracle_id64(event, "executionId");
    s->root_execution_id = oracle_id64(event, "rootExecutionId");
    s->description = oracle_text(event, "description", 256);
    s->has_error = json_is_string(error);
    s->error = oracle_text_of(error, 512);
    add_node(o, oracle_field(event, "sparkPlanInfo"), -1, 0, &s->plan);
    add_metrics(o, oracle_field(event, "sqlPlanMetrics"), &s->plan);
    add_driver_updates(o, oracle_field(event, "accumUpdates"));
    s->plan.nodes = o->nodes;
    s->plan.node_count = (uint32_t)o->node_count;
    s->plan.metrics = o->metrics;
    s->plan.metric_count = (uint32_t)o->metric_count;
    s->accums = o->accums;
    s->accum_count = (uint32_t)o->accum_count;
}

static void read_names(const json_t *object, struct event_stream *s) {
    s->query_id = oracle_text(object, "id", 64);
    s->run_id = oracle_text(object, "runId", 64);
    s->name = oracle_text(object, "name", 256);
}

void oracle_stream(const json_t *event, struct event *out) {
    struct event_stream *s = &out->stream;
    const json_t *progress = oracle_field(event, "progress");
    size_t i;
    json_t *source;
    read_names(json_is_object(progress) ? progress : event, s);
    s->error = oracle_text(event, "exception", 512);
    s->batch_id = oracle_id64(progress, "batchId");
    s->batch_ms = oracle_metric(progress, "batchDuration");
    s->trigger_ms = oracle_metric(oracle_field(progress, "durationMs"), "triggerExecution");
    json_array_foreach((json_t *)oracle_field(progress, "sources"), i, source) {
        sat_inc(&s->input_rows, oracle_metric(source, "numInputRows"));
    }
}
