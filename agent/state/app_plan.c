// app_plan: what an app's SQL plans say: which accumulators hold scan times, rows read, the sizes
// of what is read and what commands wrote, and what the operators do. Called by app.c; bounded:
// accumulators without a role are never kept, so decode skips them.
#include "app_priv.h"

#include "base/mem.h"
#include "base/sat.h"
#include "model/operator.h"

// A size that a source tells of itself: Iceberg's of the data files that it plans to read, Comet's
// of what its native readers read.
static bool is_source_size(const struct event_plan_metric *metric) {
    return str_contains(metric->type, STR("TotalDataFileSize")) ||
           str_starts(metric->name, STR("total data file size")) ||
           str_is(metric->name, "bytes_scanned");
}

static bool is_rows(const struct event_plan_metric *metric) {
    return str_is(metric->name, "number of output rows") || str_is(metric->name, "output rows");
}

// What Spark's own commands that write files tell when they are done.
static const struct {
    const char *name;
    enum accum_role role;
} written_metrics[] = {
    {"number of written files", ROLE_WRITTEN_FILES},
    {"written output", ROLE_WRITTEN_BYTES},
    {"number of dynamic part", ROLE_WRITTEN_FOLDERS},
    {"job commit time", ROLE_COMMIT_MS},
};

// `rows`: the role of a count of output rows of the node.
static enum accum_role role_of(const struct event_plan_metric *metric, enum accum_role rows) {
    if (str_is(metric->name, "scan time")) {
        return str_is(metric->type, "nsTiming") ? ROLE_SCAN_NS : ROLE_SCAN_MS;
    }
    if (str_is(metric->name, "size of files read")) {
        return ROLE_FILES_BYTES;
    }
    for (size_t i = 0; i < ARRAY_LEN(written_metrics); i++) {
        if (str_is(metric->name, written_metrics[i].name)) {
            return written_metrics[i].role;
        }
    }
    if (rows != ROLE_NONE && is_source_size(metric)) {
        return ROLE_SOURCE_BYTES;
    }
    return is_rows(metric) ? rows : ROLE_NONE;
}

// The sum that a driver's value of the role belongs to, or NULL.
static int64_t *size_of_role(struct app *app, int64_t role) {
    return role == ROLE_FILES_BYTES    ? &app->files_bytes
           : role == ROLE_SOURCE_BYTES ? &app->source_bytes
                                       : NULL;
}

static void add_metric(struct app *app, const struct event_plan_metric *metric,
                       enum accum_role rows) {
    enum accum_role role = role_of(metric, rows);
    if (role == ROLE_NONE || metric->accum_id < app->accums_from ||
        idmap_get(&app->accum_roles, metric->accum_id, NULL)) {
        return;
    }
    if (!idmap_put(&app->accum_roles, metric->accum_id, role, APP_ACCUMS_MAX)) {
        limit_hit(&app->limits, LIMIT_ACCUMULATORS);
        return;
    }
    app_touch_accum(app, metric->accum_id);
    int64_t early; // a value that came before the plan that explains it
    int64_t *size = size_of_role(app, role);
    if (size != NULL && idmap_get(&app->driver_values, metric->accum_id, &early)) {
        sat_inc(size, early);
    }
}

// What the rows of a node count as; notes a source that tells no size.
static enum accum_role rows_of_node(struct app *app, const struct event_plan *plan,
                                    const struct event_plan_node *node) {
    bool scan = operator_is_scan(node->name), rows = false, size = false;
    if (!scan && !operator_is_range(node->name)) {
        return ROLE_NONE;
    }
    if (operator_is_local_scan(node->name)) {
        return ROLE_SCAN_ROWS;
    }
    for (uint32_t i = 0; i < node->metric_count; i++) {
        const struct event_plan_metric *metric = &plan->metrics[node->first_metric + i];
        rows |= is_rows(metric);
        size |= is_source_size(metric) || str_is(metric->name, "size of files read");
    }
    app->unsized_source |= rows && !size;
    return !scan ? ROLE_NONE : size ? ROLE_SIZED_ROWS : ROLE_SOURCE_ROWS;
}

static void apply_plan(struct app *app, const struct event_sql *sql, bool first) {
    const struct event_plan *plan = &sql->plan;
    for (uint32_t n = 0; n < plan->node_count; n++) {
        const struct event_plan_node *node = &plan->nodes[n];
        app->foreign_engine = app->foreign_engine || operator_is_foreign(node->name);
        enum accum_role rows = rows_of_node(app, plan, node);
        for (uint32_t i = 0; i < node->metric_count; i++) {
            add_metric(app, &plan->metrics[node->first_metric + i], rows);
        }
    }
    // An update of metrics alone has no nodes.
    for (uint32_t i = 0; plan->node_count == 0 && i < plan->metric_count; i++) {
        add_metric(app, &plan->metrics[i], ROLE_NONE);
    }
    plans_apply_facts(app, sql);
    bool whole = plans_apply(app, sql, first); // what counts a scan's rows goes on doing so
    if (plan->truncated || !whole) {
        limit_hit(&app->limits, LIMIT_PLANS);
    }
}

static void apply_driver_accums(struct app *app, const struct event_sql *sql) {
    for (uint32_t i = 0; i < sql->accum_count; i++) {
        int64_t id = sql->accums[i].id;
        int64_t value = sql->accums[i].update < 0 ? 0 : sql->accums[i].update;
        int64_t before = 0, role = 0;
        if (id < app->accums_from) {
            continue;
        }
        idmap_get(&app->driver_values, id, &before);
        if (!idmap_put(&app->driver_values, id, value, APP_DRIVER_ACCUMS_MAX)) {
            limit_hit(&app->limits, LIMIT_ACCUMULATORS);
            continue;
        }
        app_touch_accum(app, id);
        plans_add(&app->plans, id, value, true);
        int64_t *size = idmap_get(&app->accum_roles, id, &role) ? size_of_role(app, role) : NULL;
        if (size != NULL) {
            *size = sat_add(sat_sub0(*size, before), value);
        }
    }
}

// More than files of whole splits would have been.
static int64_t files_too_many(const struct app_written *written) {
    const int64_t split = 128 << 20;
    int64_t needed = written->bytes / split + 1;
    return written->files > needed ? written->files - needed : 0;
}

// A command tells all that it wrote at once.
static void note_written(struct app *app, const struct event_sql *sql) {
    struct app_written written = {
        .execution =
            sql->execution_id >= 0 && sql->execution_id < INT64_MAX ? sql->execution_id + 1 : 0};
    for (uint32_t i = 0; i < sql->accum_count; i++) {
        int64_t role = ROLE_NONE;
        idmap_get(&app->accum_roles, sql->accums[i].id, &role);
        int64_t value = sql->accums[i].update < 0 ? 0 : sql->accums[i].update;
        written.files = role == ROLE_WRITTEN_FILES ? value : written.files;
        written.bytes = role == ROLE_WRITTEN_BYTES ? value : written.bytes;
        written.folders = role == ROLE_WRITTEN_FOLDERS ? value : written.folders;
        written.commit_ms = role == ROLE_COMMIT_MS ? value : written.commit_ms;
    }
    if (files_too_many(&written) > files_too_many(&app->written)) {
        app->written = written;
    }
}

void app_apply_plan(struct app *app, const struct event *event) {
    if (event->kind == EVENT_SQL_DRIVER_ACCUMS) {
        apply_driver_accums(app, &event->sql);
        note_written(app, &event->sql);
    } else {
        apply_plan(app, &event->sql, event->kind == EVENT_SQL_START);
    }
}

// What the scans of one task read.
struct task_scans {
    int64_t ns;                   // scan time, -1 if none was told
    int64_t local, source, sized; // rows, by the roles that count them
};

static void add_accum(struct app *app, struct task_scans *scans, int64_t role, int64_t update) {
    switch (role) {
    case ROLE_SCAN_MS:
    case ROLE_SCAN_NS: {
        int64_t ns = role == ROLE_SCAN_MS ? sat_mul(update, 1000000) : update;
        scans->ns = sat_add(scans->ns < 0 ? 0 : scans->ns, ns);
        break;
    }
    case ROLE_SCAN_ROWS:
        sat_inc(&scans->local, update);
        break;
    case ROLE_SOURCE_ROWS:
        sat_inc(&scans->source, update);
        break;
    case ROLE_SIZED_ROWS:
        sat_inc(&scans->sized, update);
        break;
    case ROLE_SOURCE_BYTES:
        sat_inc(&app->source_bytes, update);
        break;
    default:
        break;
    }
}

// Rows of a task that counted no bytes.
static void add_uncounted(struct app *app, const struct event_task *task,
                          const struct task_scans *scans) {
    int64_t scanned = sat_add(scans->source, scans->sized);
    int64_t rows = scanned > task->input_records ? scanned : task->input_records;
    sat_inc(&app->uncounted_rows, rows);
    sat_inc(&app->sized_rows, scans->sized);
    sat_inc(&app->silent_rows, task->input_records == 0 ? scanned : 0);
}

int64_t app_apply_task_accums(struct app *app, const struct event_task *task) {
    struct task_scans scans = {.ns = -1};
    if (task->accums_truncated) {
        limit_hit(&app->limits, LIMIT_PLANS);
    }
    for (uint32_t i = 0; i < task->accum_count; i++) {
        int64_t role;
        if (idmap_get(&app->accum_roles, task->accums[i].id, &role)) {
            int64_t update = task->accums[i].update < 0 ? 0 : task->accums[i].update;
            add_accum(app, &scans, role, update);
        }
    }
    plans_add_task(&app->plans, task);
    sat_inc(&app->scan_rows, sat_add(scans.local, sat_add(scans.source, scans.sized)));
    if (task->input_bytes == 0) {
        add_uncounted(app, task, &scans);
    }
    return scans.ns;
}
