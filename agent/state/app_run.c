// app_run: what is known of the run as a whole: its times, totals and outcome. Called by engine,
// detect and present; computes, changes nothing.
#include "app_priv.h"

#include <math.h>
#include <string.h>

#include "base/sat.h"
#include "model/operator.h"

int64_t app_start_ms(const struct app *app) {
    return app->started_ms > 0 ? app->started_ms : app->first_ms;
}

int64_t app_end_ms(const struct app *app) {
    return app->ended_ms > 0 ? app->ended_ms : app->now_ms;
}

double app_duration_s(const struct app *app) {
    return (double)sat_sub0(app_end_ms(app), app_start_ms(app)) / 1000.0;
}

// More than one in a hundred of the rows that the run read.
static bool many_rows(const struct app *app, int64_t rows) {
    int64_t all = sat_add(app->totals.input_records, app->silent_rows);
    return rows > 0 && sat_mul(rows, 100) > all;
}

bool app_bytes_uncounted(const struct app *app) {
    if (!many_rows(app, app->uncounted_rows)) {
        return false;
    }
    if (app->sized_rows > 0) {
        return (app->source_bytes == 0 && app->files_bytes == 0) ||
               many_rows(app, sat_sub0(app->uncounted_rows, app->sized_rows));
    }
    // Tasks do not tell which scan the rows are of: a size that stands for more than was counted
    // is theirs, if nothing else in the plans could have read them.
    bool sized = app->source_bytes > 0 || app->files_bytes > app->totals.input_bytes;
    return app->unsized_source || !sized;
}

unsigned app_stage_works(const struct app *app, const struct stage *stage) {
    bool reads = stage->summary.input_records > 0 || stage->summary.shuffle_read_bytes == 0;
    bool told = (stage->works & WORK_READS) != 0;
    return (unsigned)(stage->works | (reads && !told ? app->works & WORK_READS : 0));
}

bool app_stage_only_computes(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    unsigned elsewhere = WORK_READS | WORK_PYTHON_RDD | WORK_PYTHON_SQL;
    return s->input_bytes == 0 && s->output_bytes == 0 && s->memory_spilled_bytes == 0 &&
           s->disk_spilled_bytes == 0 && !app->foreign_engine && !stage->python &&
           (app_stage_works(app, stage) & elsewhere) == 0 && stage_tells_cpu(stage);
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
    if (out->records_from == RECORDS_INPUT && app->silent_rows > 0) {
        out->records = sat_add(out->records, app->silent_rows);
        out->records_from =
            app->silent_rows > app->totals.input_records ? RECORDS_SCAN : RECORDS_INPUT;
    }
    // Spark 4.1 reads Parquet and ORC by vectored I/O and hardly counts the bytes.
    bool vectored = app->spark_major > 4 || (app->spark_major == 4 && app->spark_minor >= 1);
    bool uncounted = many_rows(app, app->uncounted_rows);
    out->data_size_is_files = (vectored || uncounted) && app->files_bytes > app->totals.input_bytes;
    out->data_size_bytes = out->data_size_is_files ? app->files_bytes : app->totals.input_bytes;
    if (uncounted && app->source_bytes > 0) {
        out->data_size_is_files = true;
        out->data_size_bytes = sat_add(out->data_size_bytes, app->source_bytes);
    }
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
