// render_report_json: a benchmark report for programs. Called by the commands report and bench-job.
// Names are a contract: add, never rename; every number follows from those that
// `analyze --format json` prints of the same logs.
#include "base/json_writer.h"
#include "present/render_runs.h"

static void add_spread(struct json_writer *json, const char *key, const struct spread *spread) {
    json_member_object(json, key);
    json_member_number(json, "mean", spread->mean);
    json_member_number(json, "min", spread->min);
    json_member_number(json, "max", spread->max);
    json_member_number(json, "deviation", spread->deviation);
    json_end_object(json);
}

static void add_identity(struct json_writer *json, const struct report_run *run) {
    json_begin_object(json);
    json_member_text(json, "app_id", run->identity.app_id);
    json_member_text(json, "attempt", run->identity.attempt);
    json_member_text(json, "run_id", run->run_id);
    json_member_text(json, "spark_version", run->identity.spark_version);
    json_member_text(json, "log", run->log);
    json_member_text(json, "outcome", run_status_name(run->status));
    json_member_i64(json, "started_ms", run->started_ms);
    json_member_number(json, "duration_s", run->duration_s);
}

static void add_run(struct json_writer *json, const struct report_run *run) {
    add_identity(json, run);
    json_member_i64(json, "total_records", run->records);
    json_member_i64(json, "data_size_bytes", run->data_size_bytes);
    json_member_number(json, "records_per_s", run->records_per_s);
    json_member_number(json, "gb_per_h", run->gb_per_h);
    json_member_number(json, "completeness", run->completeness);
    json_member_bool(json, "baseline", run->baseline);
    json_end_object(json);
}

static void add_group(struct json_writer *json, const struct report *report,
                      const struct report_group *group) {
    json_begin_object(json);
    json_member_text(json, "size_unit", size_unit_name(group->unit));
    if (group->asked != NULL) {
        json_member_text(json, "asked", group->asked);
    }
    json_member_number(json, "size", group->size);
    json_member_number(json, "size_min", group->size_min);
    json_member_number(json, "size_max", group->size_max);
    json_member_i64(json, "iterations", group->count);
    add_spread(json, "duration_s", &group->duration_s);
    add_spread(json, "records_per_s", &group->records_per_s);
    add_spread(json, "gb_per_h", &group->gb_per_h);
    if (group->ratio_to >= 0) {
        json_member_number(json, "performance_ratio", group->ratio);
        json_member_text(json, "ratio_of", group->ratio_of);
        json_member_i64(json, "ratio_to_group", group->ratio_to);
    } else {
        json_member_null(json, "performance_ratio");
    }
    json_member_bool(json, "is_baseline", group->is_baseline);
    json_member_bool(json, "beyond_spread", group->apart);
    json_member_list(json, "runs");
    for (uint32_t i = 0; i < group->count; i++) {
        add_run(json, &report->runs[group->first + i]);
    }
    json_end_list(json);
    json_end_object(json);
}

static void add_left_out(struct json_writer *json, const struct report_run *run) {
    add_identity(json, run);
    json_member_text(json, "why", report_run_left_out(run));
    json_member_text(json, "failure", run->status == RUN_FAILED ? run->failure : "");
    json_end_object(json);
}

static void add_pipeline(struct json_writer *json, const struct report *report,
                         const struct report_pipeline *pipeline) {
    json_begin_object(json);
    json_member_text(json, "cluster", pipeline->cluster);
    json_member_text(json, "pipeline", pipeline->name);
    json_member_list(json, "groups");
    for (uint32_t i = 0; i < pipeline->group_count; i++) {
        add_group(json, report, &pipeline->groups[i]);
    }
    json_end_list(json);
    json_member_list(json, "left_out");
    for (uint32_t i = 0; i < pipeline->left_out_count; i++) {
        add_left_out(json, &report->runs[pipeline->left_out_first + i]);
    }
    json_end_list(json);
    json_end_object(json);
}

void render_report_json(struct buf *out, const struct report *report, const char *baseline) {
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    if (baseline != NULL) {
        json_member_text(&json, "baseline", baseline);
    } else {
        json_member_null(&json, "baseline");
    }
    json_member_list(&json, "pipelines");
    for (uint32_t i = 0; i < report->pipeline_count; i++) {
        add_pipeline(&json, report, &report->pipelines[i]);
    }
    json_end_list(&json);
    json_member_list(&json, "failed_commands");
    for (uint32_t i = 0; i < report->failure_count; i++) {
        const struct report_failure *failure = &report->failures[i];
        json_begin_object(&json);
        json_member_text(&json, "asked", failure->asked);
        json_member_i64(&json, "iteration", failure->iteration);
        json_member_text(&json, "words", failure->words);
        json_end_object(&json);
    }
    json_end_list(&json);
    json_end_object(&json);
    buf_add_char(out, '\n');
}
