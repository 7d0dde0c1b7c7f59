// cmd_analyze: `stoker analyze LOG...`: judges event logs with the engine of the live agent and
// prints what it would have published. Nothing leaves the process.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/terminal.h"
#include "judged.h"
#include "present/render.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", "text (default), json (one object a run and line) or html"},
    {"all", 'a', NULL, "text: negligible verdicts and rules that could not be judged too"},
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML };
static const char *const formats[] = {"text", "json", "html", NULL};

struct job {
    const struct command_args *args;
    enum format format;
    struct render_style style;
    struct buf out;
    bool write_failed;
};

static void print_run(void *ctx, const struct app *app, enum run_status status,
                      const struct recommendation *recommendations, uint32_t count) {
    struct job *job = ctx;
    buf_clear(&job->out);
    if (job->format == FORMAT_JSON) {
        render_json(&job->out, app, status, recommendations, count);
    } else if (job->format == FORMAT_HTML) {
        render_html(&job->out, app, status, recommendations, count);
    } else {
        render_text(&job->out, app, status, recommendations, count, &job->style);
        buf_add_char(&job->out, '\n');
    }
    job->write_failed |= fwrite(job->out.data, 1, job->out.len, stdout) != job->out.len;
}

static int analyze_all(struct job *job, const struct config *config) {
    struct judged judged;
    bool good = true;
    judged_init(&judged, job->args, config);
    if (job->format == FORMAT_HTML) {
        render_html_begin(&job->out);
        fputs(buf_text(&job->out), stdout);
    }
    for (int i = 0; i < job->args->rest_count; i++) {
        good &= judged_log(&judged, job->args->rest[i], print_run, job);
    }
    if (job->format == FORMAT_HTML) {
        buf_clear(&job->out);
        render_html_end(&job->out);
        fputs(buf_text(&job->out), stdout);
    }
    judged_fini(&judged);
    buf_fini(&job->out);
    if (fflush(stdout) != 0 || job->write_failed) {
        return command_failed(job->args, "cannot write the result: %s", strerror(errno));
    }
    return good ? EXIT_FINE : EXIT_FAILED;
}

static int run(const struct command_args *args) {
    struct job job = {.args = args,
                      .style = {.color = args->color_out,
                                .width = terminal_width(STDOUT_FILENO),
                                .all = command_value(args, "all") != NULL}};
    if (args->rest_count == 0) {
        return command_usage_error(args, "which log? (- is standard input)");
    }
    int format = command_choice(args, "format", formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    job.format = (enum format)format;
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = analyze_all(&job, config);
    config_free(config);
    return code;
}

const struct command command_analyze = {
    .name = "analyze",
    .summary = "judge event logs, no Kafka needed",
    .usage = "[--format text|json|html] LOG...",
    .details =
        "A LOG is an event log as Spark writes it: plain, .zst, .gz, .lz4 or .snappy; a rolled\n"
        "log's folder; or - for standard input. The same engine as the live agent judges it.\n\n"
        "  stoker analyze app-20260101120000-0001.zstd\n"
        "  stoker analyze --format json eventlog_v2_app-1/ | jq .bottlenecks\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
