// reporting: see the header. Numbers are groups.c's, forms are present's.
#include "reporting.h"

#include "present/render_runs.h"

const char *const reporting_formats[] = {"markdown", "json", "html", NULL};

struct adding {
    struct report *report;
    const char *path, *asked;
};

static void add_run(void *ctx, const struct app *app, enum run_status status,
                    const struct recommendation *recommendations, uint32_t count) {
    struct adding *adding = ctx;
    (void)recommendations, (void)count;
    report_run_init(report_add(adding->report), app, status, adding->path, adding->asked);
}

bool reporting_add(struct judged *judged, struct report *report, const char *path,
                   const char *asked) {
    struct adding adding = {report, path, asked};
    return judged_log(judged, path, add_run, &adding);
}

int reporting_print(const struct command_args *args, const struct report *report,
                    const char *baseline, enum reporting_format format) {
    struct buf page = {0};
    if (format == REPORTING_JSON) {
        render_report_json(&page, report, baseline);
    } else if (format == REPORTING_HTML) {
        render_report_html(&page, report, baseline);
    } else {
        render_report_markdown(&page, report, baseline);
    }
    int code = command_print(args, &page);
    buf_fini(&page);
    return code;
}
