// render_report_html: a benchmark report as one page of HTML by itself: what the Markdown says,
// with a chart of each average and its spread, drawn as SVG in the page. Called by the commands
// report and bench-job. A chart shows nothing that does not stand beside it in numbers, so paper
// and readers of screens lose nothing.
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "html_page.h"
#include "present/render_runs.h"
#include "runs/report_words.h"

// Of a chart, in its own units: a row for each group, its name, its bar, its number.
enum { CHART_WIDTH = 760, ROW_HEIGHT = 30, BAR_HEIGHT = 16, BAR_FROM = 190, BAR_TO = 600 };

typedef const char *format_fn(double value, char out[SPAN_TEXT_SIZE]);

// One of the averages of a group.
struct measure {
    const char *title, *unit;
    size_t offset; // of the spread in struct report_group
    format_fn *format;
};
static const struct measure measures[] = {
    {"Average duration", "", offsetof(struct report_group, duration_s), span_format_seconds},
    {"Average throughput, records/s", " records/s", offsetof(struct report_group, records_per_s),
     span_format_count},
    {"Average throughput, GB/h", " GB/h", offsetof(struct report_group, gb_per_h), report_number},
};

static const struct spread *spread_in(const struct report_group *group,
                                      const struct measure *measure) {
    return (const struct spread *)(const void *)((const char *)group + measure->offset);
}

static void add_words(struct buf *out, struct buf *words) {
    buf_add_html(out, buf_str(words));
    buf_clear(words);
}

static double x_of(double value, double most) {
    return BAR_FROM + (BAR_TO - BAR_FROM) * (most > 0 ? value / most : 0);
}

static void add_row(struct buf *out, const struct report_group *group,
                    const struct measure *measure, double most, unsigned row) {
    const struct spread *spread = spread_in(group, measure);
    double top = row * ROW_HEIGHT + (ROW_HEIGHT - BAR_HEIGHT) / 2.0;
    double middle = row * ROW_HEIGHT + ROW_HEIGHT / 2.0;
    double min = x_of(spread->min, most), max = x_of(spread->max, most);
    char text[SPAN_TEXT_SIZE];
    struct buf words = {0};
    buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", BAR_FROM - 10, middle + 4.5);
    report_size_words(group, &words);
    add_words(out, &words);
    buf_printf(out, "</text><rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
               group->is_baseline ? "base" : "bar", BAR_FROM, top,
               x_of(spread->mean, most) - BAR_FROM, BAR_HEIGHT);
    if (spread->max > spread->min) {
        buf_printf(out,
                   "<path class=\"line\" d=\"M%.1f %.1fH%.1fM%.1f %.1fV%.1fM%.1f %.1fV%.1f\"/>",
                   min, middle, max, min, middle - 5, middle + 5, max, middle - 5, middle + 5);
    }
    buf_printf(out, "<text x=\"%d\" y=\"%.1f\">%s%s</text>\n", BAR_TO + 12, middle + 4.5,
               measure->format(spread->mean, text), group->is_baseline ? " (baseline)" : "");
    buf_fini(&words);
}

// Nothing if the measure is known of no group.
static void add_chart(struct buf *out, const struct report_pipeline *pipeline,
                      const struct measure *measure) {
    double most = 0;
    for (uint32_t i = 0; i < pipeline->group_count; i++) {
        most = fmax(most, spread_in(&pipeline->groups[i], measure)->max);
    }
    if (!(most > 0)) {
        return;
    }
    buf_printf(out,
               "<figure><figcaption>%s by data size</figcaption><svg viewBox=\"0 0 %d %u\" "
               "role=\"img\" aria-label=\"%s by data size, as in the tables below\">\n",
               measure->title, CHART_WIDTH, pipeline->group_count * ROW_HEIGHT, measure->title);
    for (uint32_t i = 0; i < pipeline->group_count; i++) {
        add_row(out, &pipeline->groups[i], measure, most, i);
    }
    buf_add_text(out, "</svg></figure>\n");
}

static void add_average(struct buf *out, const struct report_group *group,
                        const struct measure *measure) {
    const struct spread *spread = spread_in(group, measure);
    char mean[SPAN_TEXT_SIZE], min[SPAN_TEXT_SIZE], max[SPAN_TEXT_SIZE], sd[SPAN_TEXT_SIZE];
    if (!(spread->max > 0)) {
        return;
    }
    buf_printf(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td>", measure->title,
               measure->format(spread->mean, mean));
    if (spread->count > 1) {
        buf_printf(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>",
                   measure->format(spread->min, min), measure->format(spread->max, max),
                   measure->format(spread->deviation, sd));
    } else {
        buf_add_text(out, "<td></td><td></td><td></td>");
    }
    buf_add_text(out, "</tr>\n");
}

static void add_runs(struct buf *out, const struct report *report,
                     const struct report_group *group) {
    buf_add_text(out, "<table><tr><th>run</th><th>started</th><th class=\"n\">input</th>"
                      "<th class=\"n\">records</th><th class=\"n\">duration</th>"
                      "<th class=\"n\">records/s</th><th class=\"n\">GB/h</th></tr>\n");
    for (uint32_t i = 0; i < group->count; i++) {
        const struct report_run *run = &report->runs[group->first + i];
        char started[CLOCK_RFC3339_SIZE], texts[5][SPAN_TEXT_SIZE];
        clock_format_rfc3339(run->started_ms, started);
        buf_add_text(out, "<tr><td>");
        buf_add_html(out, str_of(run->identity.app_id));
        buf_printf(out,
                   "%s</td><td>%.10s %.8s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>"
                   "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
                   run->baseline ? " (baseline)" : "", started, started + 11,
                   span_format_bytes((double)run->data_size_bytes, texts[0]),
                   span_format_count((double)run->records, texts[1]),
                   span_format_seconds(run->duration_s, texts[2]),
                   span_format_count(run->records_per_s, texts[3]),
                   report_number(run->gb_per_h, texts[4]));
    }
    buf_add_text(out, "</table>\n");
}

static void add_group(struct buf *out, const struct report *report,
                      const struct report_pipeline *pipeline, const struct report_group *group) {
    char text[SPAN_TEXT_SIZE];
    struct buf words = {0};
    buf_add_text(out, "<h3>Data size: ");
    report_size_words(group, &words);
    add_words(out, &words);
    buf_printf(out, ", %u run%s</h3>\n", group->count, group->count == 1 ? "" : "s");
    report_range_words(group, &words);
    if (words.len > 0) {
        buf_printf(out, "<p>From %s.</p>\n", buf_text(&words));
        buf_clear(&words);
    }
    buf_add_text(out, "<table><tr><th></th><th class=\"n\">average</th><th class=\"n\">least</th>"
                      "<th class=\"n\">most</th><th class=\"n\">standard deviation</th></tr>\n");
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        add_average(out, group, &measures[i]);
    }
    buf_add_text(out, "</table>\n<p>Performance ratio: ");
    if (group->ratio_to >= 0) {
        buf_printf(out, "<strong>%s</strong>, ", report_number(group->ratio, text));
    }
    report_ratio_words(pipeline, group, &words);
    add_words(out, &words);
    buf_add_text(out, ".</p>\n");
    buf_fini(&words);
    add_runs(out, report, group);
}

static void add_left_out(struct buf *out, const struct report *report,
                         const struct report_pipeline *pipeline) {
    if (pipeline->left_out_count == 0) {
        return;
    }
    buf_add_text(out, "<h3>In no average</h3>\n<ul>\n");
    for (uint32_t i = 0; i < pipeline->left_out_count; i++) {
        const struct report_run *run = &report->runs[pipeline->left_out_first + i];
        buf_add_text(out, "<li>");
        buf_add_html(out, str_of(run->identity.app_id));
        buf_add_text(out, " (");
        buf_add_html(out, str_of(run->log));
        buf_printf(out, "): %s", report_run_left_out(run));
        if (run->status == RUN_FAILED && run->failure[0] != '\0') {
            buf_add_text(out, ": ");
            buf_add_html(out, str_of(run->failure));
        }
        buf_add_text(out, "</li>\n");
    }
    buf_add_text(out, "</ul>\n");
}

static void add_failures(struct buf *out, const struct report *report) {
    if (report->failure_count == 0) {
        return;
    }
    buf_add_text(out, "<h2>Commands that failed</h2>\n<ul>\n");
    for (uint32_t i = 0; i < report->failure_count; i++) {
        buf_add_text(out, "<li>size ");
        buf_add_html(out, str_of(report->failures[i].asked));
        buf_printf(out, ", iteration %u: ", report->failures[i].iteration);
        buf_add_html(out, str_of(report->failures[i].words));
        buf_add_text(out, "</li>\n");
    }
    buf_add_text(out, "</ul>\n");
}

void render_report_html(struct buf *out, const struct report *report, const char *baseline) {
    html_begin(out, "Stoker benchmark report");
    if (baseline != NULL) {
        buf_add_text(out, "<p>Baseline: ");
        buf_add_html(out, str_of(baseline));
        buf_add_text(out, ".</p>\n");
    }
    for (uint32_t p = 0; p < report->pipeline_count; p++) {
        const struct report_pipeline *pipeline = &report->pipelines[p];
        buf_add_text(out, "<h2>");
        buf_add_html(out, str_of(pipeline->name));
        buf_add_text(out, "</h2>\n");
        for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
            add_chart(out, pipeline, &measures[i]);
        }
        for (uint32_t g = 0; g < pipeline->group_count; g++) {
            add_group(out, report, pipeline, &pipeline->groups[g]);
        }
        add_left_out(out, report, pipeline);
    }
    add_failures(out, report);
    html_end(out);
}
