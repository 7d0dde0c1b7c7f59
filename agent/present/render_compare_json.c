// render_compare_json: two runs held against each other, for programs. Called by cmd_compare. Names
// are a contract: add, never rename; numbers are exact.
#include "base/json_writer.h"
#include "present/render_runs.h"

static void add_run(struct json_writer *json, const char *key, const struct run_facts *run) {
    json_member_object(json, key);
    json_member_text(json, "cluster", run->identity.cluster);
    json_member_text(json, "app_id", run->identity.app_id);
    json_member_text(json, "attempt", run->identity.attempt);
    json_member_text(json, "pipeline", run->identity.pipeline);
    json_member_text(json, "spark_version", run->identity.spark_version);
    json_member_text(json, "run_id", run->run_id);
    json_member_text(json, "outcome", run_status_name(run->status));
    json_member_i64(json, "started_ms", run->started_ms);
    json_member_number(json, "duration_s", run->duration_s);
    json_member_i64(json, "total_records", run->totals.records);
    json_member_i64(json, "data_size_bytes", run->totals.data_size_bytes);
    json_member_number(json, "completeness", run->completeness);
    if (run->of_record) {
        json_member_i64(json, "stages_left_out", run->stages_untold);
        json_member_bool(json, "findings_left_out", run->findings_untold);
        json_member_bool(json, "settings_known", !run->settings_untold);
    }
    json_end_object(json);
}

// null: its record does not tell it.
static void add_known(struct json_writer *json, const char *key, int64_t number) {
    if (number == FACTS_UNKNOWN) {
        json_member_null(json, key);
    } else {
        json_member_i64(json, key, number);
    }
}

static void add_seconds(struct json_writer *json, const char *key, bool known, double seconds) {
    if (known) {
        json_member_number(json, key, seconds);
    } else {
        json_member_null(json, key);
    }
}

static void add_side(struct json_writer *json, const char *key, const struct stage_facts *stage) {
    if (stage == NULL) {
        json_member_null(json, key);
        return;
    }
    json_member_object(json, key);
    json_member_i64(json, "stage", stage->stage);
    json_member_i64(json, "attempts", stage->attempts);
    json_member_text(json, "name", stage->name);
    add_known(json, "wall_ms", stage->wall_ms);
    json_member_i64(json, "tasks", stage->tasks);
    add_known(json, "records", stage->records);
    json_member_i64(json, "bytes", stage->bytes);
    json_member_i64(json, "task_ms", stage->task_ms);
    json_member_number(json, "cpu_ms", (double)stage->cpu_ns / 1e6);
    json_member_i64(json, "disk_spilled_bytes", stage->disk_spilled_bytes);
    json_end_object(json);
}

static void add_stage(struct json_writer *json, const struct comparison *c,
                      const struct stage_change *change) {
    const struct stage_facts *a = comparison_a(c, change), *b = comparison_b(c, change);
    struct buf words = {0};
    json_begin_object(json);
    add_side(json, "a", a);
    add_side(json, "b", b);
    add_seconds(json, "seconds", change->known, change->seconds);
    add_seconds(json, "share", change->known, change->share);
    json_member_bool(json, "matters", stage_change_matters(change));
    if (c->of_records) {
        json_member_null(json, "reasons");
        json_end_object(json);
        return;
    }
    json_member_list(json, "reasons");
    for (uint32_t i = 0; i < change->reason_count; i++) {
        buf_clear(&words);
        stage_reason_words(a, b, change->reasons[i].reason, &words);
        json_begin_object(json);
        json_member_text(json, "reason", reason_name(change->reasons[i].reason));
        json_member_number(json, "seconds", change->reasons[i].seconds);
        json_member_str(json, "words", buf_str(&words));
        json_end_object(json);
    }
    json_end_list(json);
    json_end_object(json);
    buf_fini(&words);
}

static void add_setting(struct json_writer *json, const struct setting_change *change) {
    json_begin_object(json);
    json_member_text(json, "key", change->key);
    if (change->a == NULL) {
        json_member_null(json, "a");
    } else {
        json_member_text(json, "a", change->a);
    }
    if (change->b == NULL) {
        json_member_null(json, "b");
    } else {
        json_member_text(json, "b", change->b);
    }
    json_end_object(json);
}

static void add_judged(struct json_writer *json, const char *key, const struct bottleneck *b) {
    if (b == NULL) {
        json_member_null(json, key);
        return;
    }
    json_member_object(json, key);
    json_member_text(json, "id", b->id);
    if (b->stage >= 0) {
        json_member_i64(json, "stage", b->stage);
    } else {
        json_member_null(json, "stage");
    }
    json_member_text(json, "severity", severity_name(b->severity));
    json_member_text(json, "cause", cause_name(b->cause));
    json_member_number(json, "saving_s", b->saving_s);
    json_member_text(json, "summary", b->summary);
    json_end_object(json);
}

static void add_finding(struct json_writer *json, const struct finding_change *change) {
    json_begin_object(json);
    json_member_text(json, "change", finding_turn_name(change->turn));
    json_member_text(json, "kind", kind_name((change->b != NULL ? change->b : change->a)->kind));
    add_judged(json, "a", change->a);
    add_judged(json, "b", change->b);
    json_end_object(json);
}

void render_compare_json(struct buf *out, const struct comparison *c) {
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    add_run(&json, "a", c->a);
    add_run(&json, "b", c->b);
    json_member_number(&json, "seconds", c->seconds);
    add_seconds(&json, "start_up_s", !c->of_records, c->start_up_s);
    add_seconds(&json, "stages_s", !c->of_records, c->stages_s);
    add_seconds(&json, "driver_s", !c->of_records, c->driver_s);
    json_member_list(&json, "stages");
    for (uint32_t i = 0; i < c->stage_count; i++) {
        add_stage(&json, c, &c->stages[i]);
    }
    json_end_list(&json);
    json_member_list(&json, "settings");
    for (uint32_t i = 0; i < c->setting_count; i++) {
        add_setting(&json, &c->settings[i]);
    }
    json_end_list(&json);
    json_member_list(&json, "findings");
    for (uint32_t i = 0; i < c->finding_count; i++) {
        add_finding(&json, &c->findings[i]);
    }
    json_end_list(&json);
    json_end_object(&json);
    buf_add_char(out, '\n');
}
