// render_json: the NDJSON of `analyze --format json`. Names are a contract: add, never rename.
// Called by cmd_analyze and cmd_advise; the reader is another program, so numbers are exact and
// text is valid UTF-8.
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/mem.h"
#include "base/sat.h"
#include "present/render.h"
#include "present/render_advice.h"

static void add_limits(struct json_writer *json, uint32_t limits) {
    json_member_list(json, "limits");
    for (int limit = 0; limit < LIMIT_COUNT; limit++) {
        if (limit_in(limits, (enum limit)limit)) {
            json_begin_object(json);
            json_member_text(json, "name", limit_name((enum limit)limit));
            json_member_text(json, "means", limit_means((enum limit)limit));
            json_end_object(json);
        }
    }
    json_end_list(json);
}

// Of a run whose events nobody counted nothing is said.
static void add_loss(struct json_writer *json, const struct app *app) {
    struct delivery_loss loss = delivery_loss(&app->delivery);
    if (loss.sent > 0) {
        json_member_i64(json, "events_lost", loss.lost);
        json_member_i64(json, "events_cut", loss.cut);
    }
}

static void add_run(struct json_writer *json, const struct app *app, enum run_status status) {
    const struct run_identity *id = &app->identity;
    struct run_totals totals;
    struct app_times times;
    app_totals(app, &totals);
    app_times(app, &times);
    double duration_s = app_duration_s(app);
    json_member_object(json, "run");
    json_member_text(json, "cluster", id->cluster);
    json_member_text(json, "app_id", id->app_id);
    json_member_text(json, "attempt", id->attempt);
    json_member_text(json, "pipeline", id->pipeline);
    json_member_text(json, "app_name", id->app_name);
    json_member_text(json, "user", id->user);
    json_member_text(json, "spark_version", id->spark_version);
    json_member_text(json, "run_id", app->run_id);
    json_member_i64(json, "started_ms", app_start_ms(app));
    json_member_i64(json, "ended_ms", app_end_ms(app));
    json_member_number(json, "duration_s", duration_s);
    json_member_number(json, "start_up_s", (double)times.start_up_ms / 1e3);
    json_member_number(json, "driver_s", (double)times.driver_ms / 1e3);
    json_member_text(json, "outcome", run_status_name(status));
    json_member_text(json, "failure",
                     status == RUN_FAILED || status == RUN_KILLED ? app->failure : "");
    json_member_i64(json, "total_records", totals.records);
    json_member_text(json, "records_from", records_from_name(totals.records_from));
    json_member_i64(json, "data_size_bytes", totals.data_size_bytes);
    json_member_text(json, "data_size_from", totals.data_size_is_files ? "files" : "input");
    json_member_number(json, "data_size_gb", (double)totals.data_size_bytes / RUN_GB_BYTES);
    json_member_number(json, "records_per_s", run_records_per_s(&totals, duration_s));
    json_member_number(json, "gb_per_h", run_gb_per_h(&totals, duration_s));
    json_member_i64(json, "shuffle_read_bytes", totals.shuffle_read_bytes);
    json_member_i64(json, "shuffle_write_bytes", totals.shuffle_write_bytes);
    json_member_number(json, "completeness", app_completeness(app));
    add_loss(json, app);
    json_member_bool(json, "limits_hit", app->limit_hit);
    add_limits(json, app->limits);
    json_end_object(json);
}

static void add_stage(struct json_writer *json, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    json_begin_object(json);
    json_member_i64(json, "stage", s->stage);
    json_member_i64(json, "attempt", s->attempt);
    json_member_text(json, "name", s->name);
    json_member_i64(json, "tasks", s->tasks);
    json_member_i64(json, "tasks_failed", s->tasks_failed);
    json_member_i64(json, "tasks_killed", s->tasks_killed);
    json_member_number(json, "mean_task_ms", s->mean_task_ms);
    json_member_i64(json, "max_task_ms", s->max_task_ms);
    json_member_i64(json, "memory_spilled_bytes", s->memory_spilled_bytes);
    json_member_i64(json, "disk_spilled_bytes", s->disk_spilled_bytes);
    json_member_i64(json, "shuffle_read_bytes", s->shuffle_read_bytes);
    json_member_i64(json, "shuffle_write_bytes", s->shuffle_write_bytes);
    json_member_i64(json, "input_bytes", s->input_bytes);
    json_member_i64(json, "input_records", s->input_records);
    json_member_i64(json, "output_bytes", s->output_bytes);
    json_member_i64(json, "output_records", s->output_records);
    json_member_i64(json, "run_ms", s->run_ms);
    json_member_number(json, "cpu_ms", (double)s->cpu_ns / 1e6);
    json_member_i64(json, "gc_ms", s->gc_ms);
    json_member_number(json, "read_ms", (double)s->read_ns / 1e6);
    json_member_i64(json, "wall_ms", stage_wall_ms(stage));
    json_member_i64(json, "wait_ms", stage_wait_ms(stage));
    json_member_i64(json, "slots", stage->slots);
    json_member_i64(json, "task_ms", stage->task_ms);
    json_member_i64(json, "lost_ms", sat_add(stage->failed_ms, stage->killed_ms));
    json_member_i64(json, "records", stage->records);
    json_member_i64(json, "bytes", stage->bytes);
    json_member_i64(json, "fetch_wait_ms", stage->fetch_wait_ms);
    json_member_number(json, "shuffle_write_ms", (double)stage->shuffle_write_ns / 1e6);
    json_member_i64(json, "deserialize_ms", stage->deserialize_ms);
    json_member_i64(json, "delay_ms", stage->delay_ms);
    json_member_bool(json, "failed", s->failed);
    json_end_object(json);
}

static void add_bottleneck(struct json_writer *json, const struct bottleneck *b) {
    json_begin_object(json);
    json_member_text(json, "id", b->id);
    json_member_text(json, "kind", kind_name(b->kind));
    if (b->stage < 0) {
        json_member_null(json, "stage");
        json_member_null(json, "attempt");
    } else {
        json_member_i64(json, "stage", b->stage);
        json_member_i64(json, "attempt", b->stage_attempt);
    }
    if (b->rule_met == TRI_NULL) {
        json_member_null(json, "rule_met");
    } else {
        json_member_bool(json, "rule_met", b->rule_met == TRI_TRUE);
    }
    if (b->reason != NULL) {
        json_member_text(json, "reason", b->reason);
    }
    json_member_text(json, "severity", severity_name(b->severity));
    json_member_text(json, "cause", cause_name(b->cause));
    json_member_text(json, "confidence", confidence_name(b->confidence));
    if (b->confidence_why != NULL) {
        json_member_text(json, "confidence_why", b->confidence_why);
    }
    json_member_text(json, "summary", b->summary);
    json_member_number(json, "saving_s", b->saving_s);
    json_member_number(json, "saving_share", b->saving_share);
    json_member_number(json, "completeness", b->completeness);
    json_member_object(json, "evidence");
    for (uint32_t i = 0; i < b->evidence_count; i++) {
        json_member_number(json, b->evidence[i].name, b->evidence[i].value);
    }
    json_end_object(json);
    if (b->explained_by[0] != '\0') {
        json_member_text(json, "explained_by", b->explained_by);
    }
    json_member_text(json, "state", life_name(b->life));
    json_member_i64(json, "opened_ms", b->opened_ms);
    json_member_i64(json, "updated_ms", b->updated_ms);
    json_end_object(json);
}

// What the run sets itself, and what would fit.
static void add_own(struct json_writer *json, const struct recommendation *r) {
    json_member_object(json, "set_on_purpose");
    for (uint32_t i = 0; i < r->own_count; i++) {
        json_member_object(json, r->own[i].key);
        json_member_text(json, "value", r->own[i].value);
        json_member_text(json, "fits", r->own[i].fits);
        json_member_bool(json, "by_program", r->own[i].by_program);
        json_end_object(json);
    }
    json_end_object(json);
}

static void add_recommendation(struct json_writer *json, const struct recommendation *r) {
    json_begin_object(json);
    json_member_text(json, "id", r->id);
    json_member_text(json, "kind", r->kind);
    json_member_list(json, "bottlenecks");
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        json_put_str(json, str_of(r->bottlenecks[i]));
    }
    json_end_list(json);
    json_member_text(json, "action", r->action);
    json_member_object(json, "settings");
    for (uint32_t i = 0; i < r->setting_count; i++) {
        json_member_text(json, r->settings[i].key, r->settings[i].value);
    }
    json_end_object(json);
    if (r->own_count > 0) {
        add_own(json, r);
    }
    json_member_text(json, "code", r->code != NULL ? r->code : "");
    json_member_text(json, "when_not", r->when_not != NULL ? r->when_not : "");
    json_member_number(json, "saving_s", r->saving_s);
    json_member_text(json, "saving_how", r->saving_how);
    json_end_object(json);
}

static int by_stage(const void *a, const void *b) {
    const struct stage_summary *x = &(*(struct stage *const *)a)->summary;
    const struct stage_summary *y = &(*(struct stage *const *)b)->summary;
    int by_id = (x->stage > y->stage) - (x->stage < y->stage);
    return by_id != 0 ? by_id : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static void add_stages(struct json_writer *json, const struct app *app) {
    struct stage **stages = mem_alloc(app->stage_count * sizeof *stages);
    if (app->stage_count > 0) {
        memcpy(stages, app->stages, app->stage_count * sizeof *stages);
        qsort(stages, app->stage_count, sizeof *stages, by_stage);
    }
    json_member_list(json, "stages");
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (stage_has_begun(stages[i])) {
            add_stage(json, stages[i]);
        }
    }
    json_end_list(json);
    mem_free(stages);
}

static void add_gate(struct json_writer *json, const struct gate *gate) {
    json_member_object(json, "gate");
    json_member_text(json, "verdict", gate_verdict_name(gate->verdict));
    json_member_list(json, "lines");
    for (uint32_t i = 0; i < gate->line_count; i++) {
        const struct gate_line *line = &gate->lines[i];
        json_begin_object(json);
        json_member_text(json, "verdict", gate_verdict_name(line->verdict));
        if (line->limit[0] != '\0') {
            json_member_text(json, "limit", line->limit);
            json_member_number(json, "value", line->value);
            json_member_number(json, "allowed", line->allowed);
        }
        if (line->stage >= 0) {
            json_member_i64(json, "stage", line->stage);
        }
        json_member_text(json, "words", line->words);
        json_end_object(json);
    }
    json_end_list(json);
    json_end_object(json);
}

// `gate` may be NULL.
static void add_all(struct buf *out, const struct app *app, enum run_status status,
                    const struct recommendation *recommendations, uint32_t count,
                    const struct gate *gate) {
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    add_run(&json, app, status);
    add_stages(&json, app);
    const struct bottleneck **verdicts;
    uint32_t n = render_verdicts(app, &verdicts);
    json_member_list(&json, "bottlenecks");
    for (uint32_t i = 0; i < n; i++) {
        add_bottleneck(&json, verdicts[i]);
    }
    json_end_list(&json);
    mem_free(verdicts);
    json_member_list(&json, "recommendations");
    for (uint32_t i = 0; i < count; i++) {
        add_recommendation(&json, &recommendations[i]);
    }
    json_end_list(&json);
    if (gate != NULL) {
        add_gate(&json, gate);
    }
    json_end_object(&json);
    buf_add_char(out, '\n');
}

void render_advice_json(struct buf *out, const struct render_advised *run,
                        const struct recommendation *list, uint32_t count) {
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    if (run != NULL) {
        json_member_object(&json, "run");
        json_member_text(&json, "app_id", run->identity->app_id);
        json_member_text(&json, "attempt", run->identity->attempt);
        json_member_text(&json, "pipeline", run->identity->pipeline);
        json_member_text(&json, "spark_version", run->identity->spark_version);
        json_member_number(&json, "duration_s", run->duration_s);
        json_member_text(&json, "outcome", run_status_name(run->status));
        json_end_object(&json);
    }
    json_member_list(&json, "recommendations");
    for (uint32_t i = 0; i < count; i++) {
        add_recommendation(&json, &list[i]);
    }
    json_end_list(&json);
    json_member_object(&json, "settings");
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < list[i].setting_count; k++) {
            json_member_text(&json, list[i].settings[k].key, list[i].settings[k].value);
        }
    }
    json_end_object(&json);
    if (run != NULL && run->given != NULL) {
        render_given_members(&json, run->given);
    }
    json_end_object(&json);
    buf_add_char(out, '\n');
}

void render_json(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count) {
    add_all(out, app, status, recommendations, count, NULL);
}

void render_json_gated(struct buf *out, const struct app *app, enum run_status status,
                       const struct recommendation *recommendations, uint32_t count,
                       const struct gate *gate) {
    add_all(out, app, status, recommendations, count, gate);
}
