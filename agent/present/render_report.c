// render_report: a benchmark report as Markdown. Called by the commands report and bench-job; works
// nothing out.
#include "base/clock.h"
#include "present/render_runs.h"
#include "runs/report_words.h"

static void add_escaped(struct buf *out, struct buf *words) {
    buf_add_markdown(out, buf_str(words));
    buf_clear(words);
}

typedef const char *format_fn(double value, char out[SPAN_TEXT_SIZE]);

// "10.9 s (10.4 s to 12.6 s, standard deviation 900 ms)".
static void add_spread(struct buf *out, const struct spread *spread, format_fn *format,
                       const char *unit) {
    char mean[SPAN_TEXT_SIZE], min[SPAN_TEXT_SIZE], max[SPAN_TEXT_SIZE], sd[SPAN_TEXT_SIZE];
    buf_printf(out, "%s%s", format(spread->mean, mean), unit);
    if (spread->count > 1) {
        buf_printf(out, " (%s to %s, standard deviation %s)", format(spread->min, min),
                   format(spread->max, max), format(spread->deviation, sd));
    }
}

static void add_averages(struct buf *out, const struct report_pipeline *pipeline,
                         const struct report_group *group) {
    char text[SPAN_TEXT_SIZE];
    struct buf words = {0};
    buf_add_text(out, "- **Average duration:** ");
    add_spread(out, &group->duration_s, span_format_seconds, "");
    buf_add_text(out, "\n- **Average throughput:** ");
    if (group->records_per_s.max > 0) {
        add_spread(out, &group->records_per_s, span_format_count, " records/s");
    }
    if (group->gb_per_h.max > 0) {
        buf_add_text(out, group->records_per_s.max > 0 ? "; " : "");
        add_spread(out, &group->gb_per_h, report_number, " GB/h");
    }
    buf_add_text(out, group->records_per_s.max > 0 || group->gb_per_h.max > 0 ? "" : "not known");
    buf_add_text(out, "\n- **Performance ratio:** ");
    if (group->ratio_to >= 0) {
        buf_printf(out, "%s, ", report_number(group->ratio, text));
    }
    report_ratio_words(pipeline, group, &words);
    add_escaped(out, &words);
    buf_add_text(out, "\n\n");
    buf_fini(&words);
}

static void add_run(struct buf *out, const struct report_run *run) {
    char started[CLOCK_RFC3339_SIZE], texts[5][SPAN_TEXT_SIZE];
    clock_format_rfc3339(run->started_ms, started);
    buf_add_text(out, "| ");
    buf_add_markdown(out, str_of(run->identity.app_id));
    buf_printf(out, " | %.19sZ | %s | %s | %s | %s | %s | %s |\n", started,
               span_format_bytes((double)run->data_size_bytes, texts[0]),
               span_format_count((double)run->records, texts[1]),
               span_format_seconds(run->duration_s, texts[2]),
               span_format_count(run->records_per_s, texts[3]),
               report_number(run->gb_per_h, texts[4]), run->baseline ? "baseline" : "");
}

static void add_group(struct buf *out, const struct report *report,
                      const struct report_pipeline *pipeline, const struct report_group *group) {
    struct buf words = {0};
    buf_add_text(out, "### Data size: ");
    report_size_words(group, &words);
    add_escaped(out, &words);
    buf_printf(out, ", %u run%s\n\n", group->count, group->count == 1 ? "" : "s");
    report_range_words(group, &words);
    if (words.len > 0) {
        buf_printf(out, "From %s.\n\n", buf_text(&words));
    }
    buf_fini(&words);
    add_averages(out, pipeline, group);
    buf_add_text(out, "| run | started | input | records | duration | records/s | GB/h | |\n"
                      "|---|---|--:|--:|--:|--:|--:|---|\n");
    for (uint32_t i = 0; i < group->count; i++) {
        add_run(out, &report->runs[group->first + i]);
    }
    buf_add_char(out, '\n');
}

static void add_left_out(struct buf *out, const struct report *report,
                         const struct report_pipeline *pipeline) {
    if (pipeline->left_out_count == 0) {
        return;
    }
    buf_add_text(out, "### In no average\n\n| run | log | why |\n|---|---|---|\n");
    for (uint32_t i = 0; i < pipeline->left_out_count; i++) {
        const struct report_run *run = &report->runs[pipeline->left_out_first + i];
        buf_add_text(out, "| ");
        buf_add_markdown(out, str_of(run->identity.app_id));
        buf_add_text(out, " | ");
        buf_add_markdown(out, str_of(run->log));
        buf_printf(out, " | %s", report_run_left_out(run));
        if (run->status == RUN_FAILED && run->failure[0] != '\0') {
            buf_add_text(out, ": ");
            buf_add_markdown(out, str_of(run->failure));
        }
        buf_add_text(out, " |\n");
    }
    buf_add_char(out, '\n');
}

static void add_failures(struct buf *out, const struct report *report) {
    if (report->failure_count == 0) {
        return;
    }
    buf_add_text(out, "## Commands that failed\n\n| size | iteration | what went wrong |\n"
                      "|---|--:|---|\n");
    for (uint32_t i = 0; i < report->failure_count; i++) {
        buf_add_text(out, "| ");
        buf_add_markdown(out, str_of(report->failures[i].asked));
        buf_printf(out, " | %u | ", report->failures[i].iteration);
        buf_add_markdown(out, str_of(report->failures[i].words));
        buf_add_text(out, " |\n");
    }
    buf_add_char(out, '\n');
}

void render_report_markdown(struct buf *out, const struct report *report, const char *baseline) {
    buf_add_text(out, "# Stoker benchmark report\n\n");
    if (baseline != NULL) {
        buf_add_text(out, "Baseline: ");
        buf_add_markdown(out, str_of(baseline));
        buf_add_text(out, ".\n\n");
    }
    for (uint32_t p = 0; p < report->pipeline_count; p++) {
        const struct report_pipeline *pipeline = &report->pipelines[p];
        buf_add_text(out, "## ");
        buf_add_markdown(out, str_of(pipeline->name));
        buf_add_text(out, "\n\n");
        for (uint32_t g = 0; g < pipeline->group_count; g++) {
            add_group(out, report, pipeline, &pipeline->groups[g]);
        }
        add_left_out(out, report, pipeline);
    }
    add_failures(out, report);
}
