// metrics_doc: the Markdown table of all metrics. Called by the command that prints it and by the
// test that compares docs/metrics.md with it.
#include "serve/metrics_doc.h"

#include "base/metrics.h"
#include "families.h"

static void add_row(struct buf *out, const char *name, const char *type, const char *labels,
                    const char *help) {
    buf_printf(out, "| `%s` | %s | %s | %s |\n", name, type, labels, help);
}

// The label's name and all values in the family that begins at row `m`: `reason`: a, b.
static int add_family(struct buf *out, int m) {
    const struct metric_row *first = metrics_row((enum metric)m);
    struct buf labels = {0};
    for (; m < METRIC_COUNT; m++) {
        const struct metric_row *row = metrics_row((enum metric)m);
        const char *value = strchr(row->label, '"');
        if (strcmp(row->name, first->name) != 0) {
            break;
        }
        if (value != NULL) {
            if (labels.len == 0) {
                buf_printf(&labels, "`%.*s`: ", (int)(value - 1 - row->label), row->label);
            } else {
                buf_add_text(&labels, ", ");
            }
            buf_add(&labels, value + 1, strlen(value + 1) - 1);
        }
    }
    add_row(out, first->name, first->type == METRIC_COUNTER ? "counter" : "gauge",
            buf_text(&labels), first->help);
    buf_fini(&labels);
    return m;
}

void metrics_doc_render(struct buf *out) {
    buf_add_text(out,
                 "# Metrics\n\n"
                 "What the agent serves at `/metrics` (Prometheus text format 0.0.4). This page is "
                 "written from the\nprogram's own tables; a test fails when the two differ.\n\n"
                 "Pipelines have series of their own up to `metrics.max_pipelines`; the others are "
                 "added up under\n`pipeline=\"other\"`. Rules that use these metrics: "
                 "`deploy/prometheus/alerts.yml`.\n\n"
                 "| name | type | labels | meaning |\n|---|---|---|---|\n");
    for (int m = 0; m < METRIC_COUNT;) {
        m = add_family(out, m);
    }
    for (int id = 0; id < FAMILY_COUNT; id++) {
        const struct family *family = family_of((enum family_id)id);
        struct buf labels = {0};
        if (family->labels[0] != '\0') {
            buf_printf(&labels, "`%s`", family->labels);
        }
        add_row(out, family->name, family->type, buf_text(&labels), family->help);
        buf_fini(&labels);
    }
}
