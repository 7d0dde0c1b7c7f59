// app_run: what is known of the run as a whole: its times, totals and outcome. Called by engine,
// detect and present; computes, changes nothing.
#include "app_priv.h"

#include <math.h>
#include <string.h>

#include "base/sat.h"

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
