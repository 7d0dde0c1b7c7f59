// app_run: what is known of the run as a whole: its name as a pipeline, its times, totals and
// outcome. Called by engine, detect and present; computes, changes nothing but the pipeline's name.
#include "app_priv.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/sat.h"
#include "base/scrub.h"

void app_keep_property(struct app *app, const struct event_property *property) {
    if (app->pipeline_fixed || property->value.len == 0) {
        return;
    }
    for (uint32_t i = 0; i < app->pipeline_rule->count; i++) {
        if (str_is(property->key, app->pipeline_rule->keys[i]) && app->pipeline_values[i] == NULL) {
            size_t len = str_cut_utf8(property->value, RUN_TEXT_MAX);
            app->pipeline_values[i] = mem_strndup(property->value.p, len);
            if (len < property->value.len) {
                limit_hit(&app->limits, LIMIT_NAMES);
            }
            app_settle_pipeline(app);
        }
    }
}

static bool is_separator(char c) {
    return strchr("-_ .:/#@()[]", c) != NULL && c != '\0';
}

// A token is a run mark if it is all digits, part of an ISO time (digits with one T, a Z at the
// end), or 16 and more hexadecimal digits with a figure among them.
static bool is_run_token(struct str token) {
    size_t digits = 0, hex = 0, t = 0;
    for (size_t i = 0; i < token.len; i++) {
        digits += isdigit((unsigned char)token.p[i]) != 0;
        hex += isxdigit((unsigned char)token.p[i]) != 0;
        t += token.p[i] == 'T';
    }
    if (token.len == 0 || digits == 0) {
        return false;
    }
    size_t z = token.p[token.len - 1] == 'Z';
    bool iso = isdigit((unsigned char)token.p[0]) && t <= 1 && digits + t + z == token.len;
    return iso || (hex == token.len && token.len >= 16);
}

// Length without a UUID at the end, or the whole length.
static size_t without_uuid(struct str name) {
    static const size_t groups[] = {8, 4, 4, 4, 12};
    if (name.len <= 36) {
        return name.len;
    }
    const char *p = name.p + name.len - 36;
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        for (size_t i = 0; i < groups[g]; i++) {
            if (!isxdigit((unsigned char)*p++)) {
                return name.len;
            }
        }
        if (g + 1 < ARRAY_LEN(groups) && *p++ != '-') {
            return name.len;
        }
    }
    return name.len - 36;
}

void app_strip_run_mark(char *name) {
    size_t len = strlen(name);
    size_t best = len;
    for (;;) {
        size_t end = without_uuid((struct str){name, best});
        bool uuid = end < best;
        if (!uuid) {
            while (end > 0 && is_separator(name[end - 1])) {
                end--;
            }
            size_t start = end;
            while (start > 0 && !is_separator(name[start - 1])) {
                start--;
            }
            if (start == 0 || !is_run_token((struct str){name + start, end - start})) {
                break;
            }
            end = start;
        }
        while (end > 0 && is_separator(name[end - 1])) {
            end--;
        }
        if (end == 0) {
            break;
        }
        best = end;
    }
    name[best] = '\0';
}

void app_settle_pipeline(struct app *app) {
    if (app->pipeline_fixed) {
        return;
    }
    char *name = app->identity.pipeline;
    name[0] = '\0';
    for (uint32_t i = 0; i < app->pipeline_rule->count && name[0] == '\0'; i++) {
        if (app->pipeline_values[i] != NULL) {
            str_copy(name, sizeof app->identity.pipeline, str_of(app->pipeline_values[i]));
        } else if (strcmp(app->pipeline_rule->keys[i], "app_name") == 0) {
            char bare[sizeof app->identity.pipeline];
            str_copy(bare, sizeof bare, str_of(app->identity.app_name));
            app_strip_run_mark(bare);
            scrub_copy(name, sizeof app->identity.pipeline, str_of(bare));
        }
    }
    if (name[0] == '\0') {
        str_copy(name, sizeof app->identity.pipeline, STR("unnamed"));
    }
}

void app_fix_pipeline(struct app *app) {
    app_settle_pipeline(app);
    app->pipeline_fixed = true;
}

int64_t app_start_ms(const struct app *app) {
    return app->started_ms > 0 ? app->started_ms : app->first_ms;
}

int64_t app_end_ms(const struct app *app) {
    return app->ended_ms > 0 ? app->ended_ms : app->now_ms;
}

double app_duration_s(const struct app *app) {
    return (double)sat_sub0(app_end_ms(app), app_start_ms(app)) / 1000.0;
}

void app_totals(const struct app *app, struct run_totals *out) {
    *out = app->totals;
    const struct {
        int64_t records;
        enum records_from from;
    } sources[] = {{app->totals.input_records, RECORDS_INPUT},
                   {app->scan_rows, RECORDS_SCAN},
                   {app->shuffle_read_records, RECORDS_SHUFFLE},
                   {app->totals.output_records, RECORDS_OUTPUT}};
    for (size_t i = 0; i < ARRAY_LEN(sources) && out->records_from == RECORDS_UNKNOWN; i++) {
        if (sources[i].records > 0) {
            out->records = sources[i].records;
            out->records_from = sources[i].from;
        }
    }
    // Spark 4.1 reads Parquet and ORC by vectored I/O and hardly counts the bytes.
    bool vectored = app->spark_major > 4 || (app->spark_major == 4 && app->spark_minor >= 1);
    out->data_size_is_files = vectored && app->files_bytes > app->totals.input_bytes;
    out->data_size_bytes = out->data_size_is_files ? app->files_bytes : app->totals.input_bytes;
    out->stages = app->stage_number;
}

double app_tasks_seen(const struct app *app) {
    double expected = (double)app->sums.expected + (double)app->gone_expected;
    double seen = (double)app->sums.seen + (double)app->gone_seen;
    return expected > 0 ? seen / expected : 1.0;
}

double app_completeness(const struct app *app) {
    return fmin(app_tasks_seen(app), delivery_share(&app->delivery, 0));
}

double app_seen_beside_tasks(const struct app *app) {
    int64_t of_stages =
        sat_add(app->sums.expected - app->sums.seen, sat_sub0(app->gone_expected, app->gone_seen));
    return delivery_share(&app->delivery, of_stages);
}

enum run_status app_status(const struct app *app, bool over) {
    if (app->has_exit_code && app->exit_code != 0) {
        return RUN_FAILED;
    }
    bool ended = app->ended_ms > 0;
    if (!ended && !over) {
        return RUN_RUNNING;
    }
    if (app->failed_key_count > 0 || app->sql_error) {
        return RUN_FAILED;
    }
    return ended ? RUN_SUCCEEDED : RUN_LOST;
}

void app_withhold_failure(struct app *app) {
    if (app->failure[0] != '\0') {
        str_copy(app->failure, sizeof app->failure, STR("(withheld by publish.failure_text)"));
    }
}

struct bottleneck *app_verdict(const struct app *app, enum bottleneck_kind kind) {
    for (uint32_t i = 0; i < app->verdict_count; i++) {
        if (app->verdicts[i]->kind == kind) {
            return app->verdicts[i];
        }
    }
    return NULL;
}
