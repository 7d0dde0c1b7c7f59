// app_work: the work of an app as Spark plans it: which jobs are open, which SQL execution they
// belong to and how they ended; and what the metrics of SQL plans mean: which accumulators hold
// scan times, rows read and file sizes. Called by app.c; bounded: the oldest open job is forgotten
// beyond the limit, and accumulators without a role are never kept, so decode skips them.
#include "app_priv.h"

#include <string.h>

#include "base/mem.h"
#include "base/sat.h"
#include "base/scrub.h"

static int64_t execution_of(const struct event_job *job) {
    for (uint32_t i = 0; i < job->property_count; i++) {
        int64_t id;
        if (str_is(job->properties[i].key, "spark.sql.execution.id") &&
            str_to_i64(job->properties[i].value, &id) && id >= 0) {
            return id;
        }
    }
    return -1;
}

static struct app_job *find_job(const struct app *app, int32_t id) {
    for (uint32_t i = app->job_count; i > 0; i--) {
        if (app->jobs[i - 1].id == id) {
            return &app->jobs[i - 1];
        }
    }
    return NULL;
}

static void forget_job(struct app *app, struct app_job *job) {
    keep_gone(&app->gone, &job->kept, (struct kept_part){'j', {job->id}});
    size_t at = (size_t)(job - app->jobs);
    memmove(job, job + 1, (app->job_count - at - 1) * sizeof *job);
    app->job_count--;
}

static void apply_job_start(struct app *app, const struct event *event) {
    const struct event_job *job = &event->job;
    for (uint32_t i = 0; i < job->property_count; i++) {
        app_keep_property(app, &job->properties[i]);
    }
    app_job_signs(app, job);
    if (!app_add_id(app, &app->started_jobs, job->id)) {
        return;
    }
    app->totals.jobs++;
    if (app->job_count == APP_OPEN_JOBS_MAX) {
        forget_job(app, &app->jobs[0]);
        limit_hit(&app->limits, LIMIT_JOBS);
    }
    MEM_GROW(app->jobs, app->job_count, app->job_cap);
    struct app_job *open = &app->jobs[app->job_count++];
    *open = (struct app_job){.id = job->id,
                             .execution_id = execution_of(job),
                             .number = app->totals.jobs,
                             .started_ms = event->time_ms};
    keep_touch(&open->kept);
}

static void set_failed(struct app *app, int64_t key, bool failed) {
    uint32_t at = 0;
    while (at < app->failed_key_count && app->failed_keys[at] != key) {
        at++;
    }
    bool present = at < app->failed_key_count;
    if (failed && !present && app->failed_key_count == APP_FAILED_KEYS_MAX) {
        limit_hit(&app->limits, LIMIT_FAILED_JOBS);
    } else if (failed && !present) {
        MEM_GROW(app->failed_keys, app->failed_key_count, app->failed_key_cap);
        app->failed_keys[app->failed_key_count++] = key;
    } else if (!failed && present) {
        app->failed_keys[at] = app->failed_keys[--app->failed_key_count];
    }
}

// The first line of an error.
static void keep_failure(struct app *app, struct str text) {
    const char *line_end = memchr(text.p, '\n', text.len);
    if (line_end != NULL) {
        text.len = (size_t)(line_end - text.p);
    }
    scrub_copy(app->failure, sizeof app->failure, text);
}

static void apply_job_end(struct app *app, const struct event *event) {
    const struct event_job *job = &event->job;
    struct app_job *open = find_job(app, job->id);
    int64_t key = open == NULL ? -1 : open->execution_id;
    bool first = app_add_id(app, &app->ended_jobs, job->id);
    bool cancelled =
        !job->succeeded && (str_contains_nocase(job->error, STR("cancelled")) ||
                            str_contains_nocase(job->error, STR("SparkContext was shut down")));
    if (first && !cancelled) {
        app->totals.jobs_failed += !job->succeeded;
        set_failed(app, key, !job->succeeded);
        if (!job->succeeded) {
            keep_failure(app, job->error);
        }
    }
    if (open != NULL) {
        busy_add(&app->in_jobs, open->started_ms, event->time_ms);
        forget_job(app, open);
    }
}

static void apply_sql_end(struct app *app, const struct event_sql *sql) {
    app->sql_error = sql->has_error && sql->error.len > 0;
    if (app->sql_error && app->failure[0] == '\0') {
        keep_failure(app, sql->error);
    }
}

void app_jobs_fini(struct app *app) {
    while (app->job_count > 0) {
        forget_job(app, &app->jobs[app->job_count - 1]);
    }
    mem_free(app->jobs);
    mem_free(app->failed_keys);
}

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

// What is known of an accumulator changed.
static void touch_accum(struct app *app, int64_t id) {
    int64_t chunk = id >> ACCUM_CHUNK_BITS, bits = 0;
    idmap_get(&app->accum_chunks, chunk, &bits);
    struct kept kept = app_chunk_mark(bits);
    if (!kept.touched) {
        keep_touch(&kept);
        idmap_put(&app->accum_chunks, chunk, app_chunk_bits(kept), SIZE_MAX);
    }
}

static void add_metric(struct app *app, const struct event_plan_metric *metric, bool in_scan) {
    enum accum_role role = role_of(metric, in_scan);
    if (role == ROLE_NONE || metric->accum_id < app->accums_from ||
        idmap_get(&app->accum_roles, metric->accum_id, NULL)) {
        return;
    }
    if (!idmap_put(&app->accum_roles, metric->accum_id, role, APP_ACCUMS_MAX)) {
        limit_hit(&app->limits, LIMIT_ACCUMULATORS);
        return;
    }
    touch_accum(app, metric->accum_id);
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

static void apply_plan(struct app *app, const struct event_plan *plan) {
    uint32_t done = 0;
    if (plan->truncated) {
        limit_hit(&app->limits, LIMIT_PLANS);
    }
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
        touch_accum(app, id);
        if (idmap_get(&app->accum_roles, id, &role) && role == ROLE_FILES_BYTES) {
            app->files_bytes = sat_add(sat_sub0(app->files_bytes, before), value);
        }
    }
}

int64_t app_apply_task_accums(struct app *app, const struct event_task *task) {
    int64_t scan_ns = -1;
    if (task->accums_truncated) {
        limit_hit(&app->limits, LIMIT_PLANS);
    }
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

void app_apply_work(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_JOB_START:
        apply_job_start(app, event);
        break;
    case EVENT_JOB_END:
        apply_job_end(app, event);
        break;
    case EVENT_SQL_START:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
        apply_plan(app, &event->sql.plan);
        break;
    case EVENT_SQL_END:
        apply_sql_end(app, &event->sql);
        break;
    case EVENT_SQL_DRIVER_ACCUMS:
        apply_driver_accums(app, &event->sql);
        break;
    default:
        app_other_signs(app, event);
        break;
    }
}
