// render_json: the NDJSON of `analyze --format json`. Names are a contract: add, never rename.
// Called by cmd_analyze; the reader is another program, so numbers are exact and text is valid
// UTF-8.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sat.h"
#include "present/render.h"

static void field(struct buf *out, const char *name) {
    char last = out->len > 0 ? out->data[out->len - 1] : '{';
    if (last != '{' && last != '[') {
        buf_add_char(out, ',');
    }
    buf_printf(out, "\"%s\":", name);
}

static void text(struct buf *out, const char *name, const char *value) {
    field(out, name);
    buf_add_json(out, str_of(value));
}

static void integer(struct buf *out, const char *name, int64_t value) {
    field(out, name);
    buf_printf(out, "%lld", (long long)value);
}

static void number(struct buf *out, const char *name, double value) {
    field(out, name);
    buf_add_json_number(out, value);
}

static void add_run(struct buf *out, const struct app *app, enum run_status status) {
    const struct run_identity *id = &app->identity;
    struct run_totals totals;
    app_totals(app, &totals);
    double duration_s = app_duration_s(app);
    double gb = (double)totals.data_size_bytes / 1073741824.0;
    buf_add_text(out, "\"run\":{");
    text(out, "cluster", id->cluster);
    text(out, "app_id", id->app_id);
    text(out, "attempt", id->attempt);
    text(out, "pipeline", id->pipeline);
    text(out, "app_name", id->app_name);
    text(out, "user", id->user);
    text(out, "spark_version", id->spark_version);
    text(out, "run_id", app->run_id);
    integer(out, "started_ms", app_start_ms(app));
    integer(out, "ended_ms", app_end_ms(app));
    number(out, "duration_s", duration_s);
    text(out, "outcome", run_status_name(status));
    text(out, "failure", status == RUN_FAILED ? app->failure : "");
    integer(out, "total_records", totals.records);
    text(out, "records_from", records_from_name(totals.records_from));
    integer(out, "data_size_bytes", totals.data_size_bytes);
    text(out, "data_size_from", totals.data_size_is_files ? "files" : "input");
    number(out, "data_size_gb", gb);
    number(out, "records_per_s", duration_s > 0 ? (double)totals.records / duration_s : 0);
    number(out, "gb_per_h", duration_s > 0 ? gb / (duration_s / 3600) : 0);
    integer(out, "shuffle_read_bytes", totals.shuffle_read_bytes);
    integer(out, "shuffle_write_bytes", totals.shuffle_write_bytes);
    number(out, "completeness", app_completeness(app));
    field(out, "limits_hit");
    buf_add_text(out, app->limit_hit ? "true}" : "false}");
}

static bool is_listed(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    return stage->submitted || stage->completed || s->tasks + s->tasks_failed + s->tasks_killed > 0;
}

static void add_stage(struct buf *out, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    buf_add_text(out, out->data[out->len - 1] == '[' ? "{" : ",{");
    integer(out, "stage", s->stage);
    integer(out, "attempt", s->attempt);
    text(out, "name", s->name);
    integer(out, "tasks", s->tasks);
    integer(out, "tasks_failed", s->tasks_failed);
    integer(out, "tasks_killed", s->tasks_killed);
    number(out, "mean_task_ms", s->mean_task_ms);
    integer(out, "max_task_ms", s->max_task_ms);
    integer(out, "memory_spilled_bytes", s->memory_spilled_bytes);
    integer(out, "disk_spilled_bytes", s->disk_spilled_bytes);
    integer(out, "shuffle_read_bytes", s->shuffle_read_bytes);
    integer(out, "shuffle_write_bytes", s->shuffle_write_bytes);
    integer(out, "input_bytes", s->input_bytes);
    integer(out, "input_records", s->input_records);
    integer(out, "output_bytes", s->output_bytes);
    integer(out, "output_records", s->output_records);
    integer(out, "run_ms", s->run_ms);
    number(out, "cpu_ms", (double)s->cpu_ns / 1e6);
    integer(out, "gc_ms", s->gc_ms);
    number(out, "read_ms", (double)s->read_ns / 1e6);
    integer(out, "wall_ms", stage_wall_ms(stage));
    field(out, "failed");
    buf_add_text(out, s->failed ? "true}" : "false}");
}

static void add_bottleneck(struct buf *out, const struct bottleneck *b) {
    buf_add_text(out, out->data[out->len - 1] == '[' ? "{" : ",{");
    text(out, "id", b->id);
    text(out, "kind", kind_name(b->kind));
    field(out, "stage");
    b->stage < 0 ? buf_add_text(out, "null") : buf_printf(out, "%d", (int)b->stage);
    field(out, "attempt");
    b->stage < 0 ? buf_add_text(out, "null") : buf_printf(out, "%d", (int)b->stage_attempt);
    field(out, "rule_met");
    buf_add_text(out, b->rule_met == TRI_NULL   ? "null"
                      : b->rule_met == TRI_TRUE ? "true"
                                                : "false");
    if (b->reason != NULL) {
        text(out, "reason", b->reason);
    }
    text(out, "severity", severity_name(b->severity));
    text(out, "cause", cause_name(b->cause));
    text(out, "summary", b->summary);
    number(out, "saving_s", b->saving_s);
    number(out, "saving_share", b->saving_share);
    number(out, "completeness", b->completeness);
    field(out, "evidence");
    buf_add_char(out, '{');
    for (uint32_t i = 0; i < b->evidence_count; i++) {
        number(out, b->evidence[i].name, b->evidence[i].value);
    }
    buf_add_char(out, '}');
    text(out, "state", life_name(b->life));
    buf_add_char(out, '}');
}

static void add_recommendation(struct buf *out, const struct recommendation *r) {
    buf_add_text(out, out->data[out->len - 1] == '[' ? "{" : ",{");
    text(out, "id", r->id);
    text(out, "kind", r->kind);
    field(out, "bottlenecks");
    buf_add_char(out, '[');
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        buf_add_json(out, str_of(r->bottlenecks[i]));
    }
    buf_add_char(out, ']');
    text(out, "action", r->action);
    field(out, "settings");
    buf_add_char(out, '{');
    for (uint32_t i = 0; i < r->setting_count; i++) {
        buf_add_text(out, i > 0 ? "," : "");
        buf_add_json(out, str_of(r->settings[i].key));
        buf_add_char(out, ':');
        buf_add_json(out, str_of(r->settings[i].value));
    }
    buf_add_char(out, '}');
    number(out, "saving_s", r->saving_s);
    text(out, "saving_how", r->saving_how);
    buf_add_char(out, '}');
}

static int by_stage(const void *a, const void *b) {
    const struct stage_summary *x = &(*(struct stage *const *)a)->summary;
    const struct stage_summary *y = &(*(struct stage *const *)b)->summary;
    int by_id = (x->stage > y->stage) - (x->stage < y->stage);
    return by_id != 0 ? by_id : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

void render_json(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count) {
    buf_add_char(out, '{');
    add_run(out, app, status);
    struct stage **stages = mem_alloc(app->stage_count * sizeof *stages);
    if (app->stage_count > 0) {
        memcpy(stages, app->stages, app->stage_count * sizeof *stages);
        qsort(stages, app->stage_count, sizeof *stages, by_stage);
    }
    buf_add_text(out, ",\"stages\":[");
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (is_listed(stages[i])) {
            add_stage(out, stages[i]);
        }
    }
    mem_free(stages);
    const struct bottleneck **verdicts;
    uint32_t n = render_verdicts(app, &verdicts);
    buf_add_text(out, "],\"bottlenecks\":[");
    for (uint32_t i = 0; i < n; i++) {
        add_bottleneck(out, verdicts[i]);
    }
    mem_free(verdicts);
    buf_add_text(out, "],\"recommendations\":[");
    for (uint32_t i = 0; i < count; i++) {
        add_recommendation(out, &recommendations[i]);
    }
    buf_add_text(out, "]}\n");
}
