// render_html: judged runs as one self-contained HTML page. Called by cmd_analyze; everything from
// a log goes through the HTML escaper.
#include <string.h>

#include "base/span.h"
#include "findings.h"
#include "html_page.h"
#include "present/render.h"
#include "present/render_settings.h"

void render_html_begin(struct buf *out) {
    html_begin(out, "Stoker: judged runs");
}

void render_html_end(struct buf *out) {
    html_end(out);
}

static void add_limits(struct buf *out, uint32_t limits) {
    for (int limit = 0; limit < LIMIT_COUNT; limit++) {
        if (limit_in(limits, (enum limit)limit)) {
            buf_printf(out, "<p class=\"limit\">Limit hit: <strong>%s</strong>: ",
                       limit_name((enum limit)limit));
            buf_add_html(out, str_of(limit_means((enum limit)limit)));
            buf_add_text(out, "</p>\n");
        }
    }
}

static void add_loss(struct buf *out, const struct app *app) {
    struct buf line = {0};
    if (render_loss(app, &line)) {
        buf_add_text(out, "<p class=\"limit\">");
        buf_add_html(out, buf_str(&line));
        buf_add_text(out, "</p>\n");
    }
    buf_fini(&line);
}

static void add_note(struct buf *out, struct buf *line) {
    buf_add_text(out, "<br><small>");
    buf_add_html(out, buf_str(line));
    buf_add_text(out, "</small>");
    buf_clear(line);
}

// One problem a row: how sure it is, and what it explains, are told in it.
static void add_finding(struct buf *out, const struct findings *findings, uint32_t index) {
    const struct bottleneck *b = findings->verdicts[index];
    char saving[SPAN_TEXT_SIZE];
    struct buf line = {0};
    buf_printf(out, "<tr class=\"%s\"><td>%s</td><td>%s%s%s</td><td class=\"n\">%s</td><td>",
               severity_name(b->severity), severity_name(b->severity), kind_name(b->kind),
               b->cause != CAUSE_NONE ? ", " : "", cause_name(b->cause),
               span_format_seconds(b->saving_s, saving));
    buf_add_html(out, str_of(b->summary));
    if (findings_root_words(findings, index, &line)) {
        add_note(out, &line);
    }
    for (uint32_t i = 0; i < findings->judged; i++) {
        if (findings_is_explained(findings, index, i)) {
            findings_explained_words(findings->verdicts[i], &line);
            add_note(out, &line);
        }
    }
    if (b->confidence != CONFIDENCE_HIGH && b->confidence_why != NULL) {
        buf_printf(&line, "%s confidence: %s", confidence_name(b->confidence), b->confidence_why);
        add_note(out, &line);
    }
    buf_fini(&line);
    buf_add_text(out, "</td></tr>\n");
}

// A line end within <pre> is one of the page, not of a text.
static void add_lines(struct buf *out, const char *lines) {
    struct str rest = str_of(lines);
    buf_add_text(out, rest.len > 0 ? "<pre>" : "");
    bool any = rest.len > 0;
    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;
        buf_add_html(out, (struct str){rest.p, len});
        buf_add_char(out, '\n');
        len += end != NULL;
        rest = (struct str){rest.p + len, rest.len - len};
    }
    buf_add_text(out, any ? "</pre>\n" : "");
}

static void add_advice(struct buf *out, const struct recommendation *recommendation) {
    struct buf settings = {0};
    render_advised_settings(&settings, recommendation, 0);
    buf_printf(out, "<div class=\"advice\"><p><strong>%s</strong>: ", recommendation->kind);
    buf_add_html(out, str_of(recommendation->action));
    buf_add_text(out, "</p>\n");
    add_lines(out, buf_text(&settings));
    add_lines(out, recommendation->code != NULL ? recommendation->code : "");
    if (recommendation->when_not != NULL) {
        buf_add_text(out, "<p>");
        buf_add_html(out, str_of(recommendation->when_not));
        buf_add_text(out, "</p>\n");
    }
    buf_add_text(out, "</div>\n");
    buf_fini(&settings);
}

void render_html(struct buf *out, const struct app *app, enum run_status status,
                 const struct recommendation *recommendations, uint32_t count) {
    struct run_totals totals;
    char took[SPAN_TEXT_SIZE], data[SPAN_TEXT_SIZE];
    app_totals(app, &totals);
    buf_add_text(out, "<h2>");
    buf_add_html(out, str_of(app->identity.pipeline));
    buf_add_text(out, "</h2>\n<p>Run ");
    buf_add_html(out, str_of(app->identity.app_id));
    buf_printf(out, ": %s in %s, %lld tasks in %lld stages, input %s.</p>\n",
               run_status_name(status), span_format_seconds(app_duration_s(app), took),
               (long long)totals.tasks, (long long)totals.stages,
               span_format_bytes((double)totals.data_size_bytes, data));
    add_loss(out, app);
    add_limits(out, app->limits);
    struct findings findings;
    uint32_t shown = 0;
    findings_collect(&findings, app);
    buf_add_text(out, "<table><tr><th>severity</th><th>bottleneck</th><th class=\"n\">up "
                      "to</th><th></th></tr>\n");
    for (uint32_t i = 0; i < findings.judged; i++) {
        // Each stage has a row; only what is explained stands in that of its root.
        if (findings.verdicts[i]->explained_by[0] == '\0' || findings_is_head(&findings, i)) {
            add_finding(out, &findings, i);
            shown++;
        }
    }
    buf_add_text(out, "</table>\n");
    buf_add_text(out, shown == 0 ? "<p>Nothing here costs time worth saving.</p>\n" : "");
    findings_fini(&findings);
    for (uint32_t i = 0; i < count; i++) {
        add_advice(out, &recommendations[i]);
    }
}
