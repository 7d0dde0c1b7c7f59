// app_sql: what the SQL metrics of an app mean: which accumulators hold scan times, rows read and
// file sizes. Called by app.c. Accumulator ids outside these roles are never kept, so decode skips
// them.
#include "app_priv.h"

#include "base/metrics.h"
#include "base/sat.h"

static bool is_scan(struct str node) {
    static const char *const prefixes[] = {"Scan ",         "BatchScan",  "GpuScan",
                                           "GpuBatchScan",  "PhotonScan", "FileScan",
                                           "MicroBatchScan"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts(node, str_of(prefixes[i]))) {
            return true;
        }
    }
    return str_is(node, "LocalTableScan");
}

static enum accum_role role_of(const struct event_plan_metric *metric, bool in_scan) {
    if (str_is(metric->name, "scan time")) {
        return str_is(metric->type, "nsTiming") ? ROLE_SCAN_NS : ROLE_SCAN_MS;
    }
    if (str_is(metric->name, "size of files read")) {
        return ROLE_FILES_BYTES;
    }
    bool rows =
        str_is(metric->name, "number of output rows") || str_is(metric->name, "output rows");
    return in_scan && rows ? ROLE_SCAN_ROWS : ROLE_NONE;
}

static void add_metric(struct app *app, const struct event_plan_metric *metric, bool in_scan) {
    enum accum_role role = role_of(metric, in_scan);
    if (role == ROLE_NONE || metric->accum_id < 0 ||
        idmap_get(&app->accum_roles, metric->accum_id, NULL)) {
        return;
    }
    if (!idmap_put(&app->accum_roles, metric->accum_id, role, APP_ACCUMS_MAX)) {
        app->limit_hit = true;
        metrics_add(METRIC_LIMIT_HITS, 1);
        return;
    }
    app_touch_accum(app, metric->accum_id);
    int64_t early; // a value that came before the plan that explains it
    if (role == ROLE_FILES_BYTES && idmap_get(&app->driver_values, metric->accum_id, &early)) {
        sat_inc(&app->files_bytes, early);
    }
}

// Operators whose work runs outside the JVM's task thread.
static bool is_foreign(struct str node) {
    return str_contains(node, STR("Python")) || str_contains(node, STR("InPandas")) ||
           str_starts(node, STR("Gpu")) || str_starts(node, STR("Photon"));
}

void app_apply_plan(struct app *app, const struct event_plan *plan) {
    uint32_t done = 0;
    for (uint32_t n = 0; n < plan->node_count; n++) {
        const struct event_plan_node *node = &plan->nodes[n];
        bool scan = is_scan(node->name);
        app->foreign_engine = app->foreign_engine || is_foreign(node->name);
        for (uint32_t i = 0; i < node->metric_count; i++) {
            add_metric(app, &plan->metrics[node->first_metric + i], scan);
        }
        done += node->metric_count;
    }
    // An update of metrics alone has no nodes.
    for (uint32_t i = plan->node_count == 0 ? done : plan->metric_count; i < plan->metric_count;
         i++) {
        add_metric(app, &plan->metrics[i], false);
    }
}

void app_apply_driver_accums(struct app *app, const struct event_sql *sql) {
    for (uint32_t i = 0; i < sql->accum_count; i++) {
        int64_t id = sql->accums[i].id;
        int64_t value = sql->accums[i].update < 0 ? 0 : sql->accums[i].update;
        int64_t before = 0, role = 0;
        idmap_get(&app->driver_values, id, &before);
        if (!idmap_put(&app->driver_values, id, value, APP_DRIVER_ACCUMS_MAX)) {
            app->limit_hit = true;
            metrics_add(METRIC_LIMIT_HITS, 1);
            continue;
        }
        app_touch_accum(app, id);
        if (idmap_get(&app->accum_roles, id, &role) && role == ROLE_FILES_BYTES) {
            app->files_bytes = sat_add(sat_sub0(app->files_bytes, before), value);
        }
    }
}

int64_t app_apply_task_accums(struct app *app, const struct event_task *task) {
    int64_t scan_ns = -1;
    for (uint32_t i = 0; i < task->accum_count; i++) {
        int64_t role;
        if (!idmap_get(&app->accum_roles, task->accums[i].id, &role)) {
            continue;
        }
        int64_t update = task->accums[i].update < 0 ? 0 : task->accums[i].update;
        if (role == ROLE_SCAN_ROWS) {
            sat_inc(&app->scan_rows, update);
        } else if (role == ROLE_SCAN_MS || role == ROLE_SCAN_NS) {
            int64_t ns = role == ROLE_SCAN_MS ? sat_mul(update, 1000000) : update;
            scan_ns = sat_add(scan_ns < 0 ? 0 : scan_ns, ns);
        }
    }
    return scan_ns;
}
