// cmd_analyze: `stoker analyze LOG...`: judges event logs with the engine of the live agent and
// prints what it would have published; with limits, it is a gate for pipelines of code: the exit
// code says whether they hold, standard error where they do not. Nothing leaves the process.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "commands/terminal.h"
#include "judged.h"
#include "present/render.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", "text (default), json (one object a run and line) or html"},
    {"all", 'a', NULL, "text: negligible verdicts and rules that could not be judged too"},
    {"max-duration", 0, "SPAN", "breached by a run that takes longer (90s, 30m, 2h)"},
    {"max-skew", 0, "RATIO", "breached by a stage whose longest task is so many times the mean"},
    {"max-spill", 0, "SIZE", "breached by a run that spills more to disk (500m, 2g; 0: any)"},
    {"max-failed-tasks", 0, "N", "breached by a run of which more task attempts failed"},
    {"fail-on", 0, "SEVERITY", "breached by a finding of low, moderate, severe or critical"},
    {"baseline", 0, "LOG", "breached by a run that is slower than this one, for what it reads"},
    {"max-slowdown", 0, "SHARE", "how much longer than the baseline it may take (default: 20%)"},
    {"fail-on-new", 0, "SEVERITY", "breached by such a finding that the baseline has not"},
};

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML };
static const char *const formats[] = {"text", "json", "html", NULL};

struct job {
    const struct command_args *args;
    enum format format;
    struct render_style style;
    struct gate_limits limits;
    bool gated;
    enum gate_verdict verdict; // the worst so far
    struct buf out;
    bool write_failed;
};

static void print_gate(const struct job *job, const struct app *app, const struct gate *gate) {
    struct buf line = {0};
    for (uint32_t i = 0; i < gate->line_count; i++) {
        const struct gate_line *said = &gate->lines[i];
        buf_clear(&line);
        buf_printf(&line, "%s: ", gate_verdict_name(said->verdict));
        if (job->args->rest_count > 1) { // whose?
            buf_add_printable(&line, str_of(app->identity.app_id));
            buf_add_text(&line, ": ");
        }
        buf_printf(&line, "%s%s%s", said->limit[0] != '\0' ? "--" : "", said->limit,
                   said->limit[0] != '\0' ? ": " : "");
        buf_add_printable(&line, str_of(said->words));
        (void)command_failed(job->args, "%s", buf_text(&line));
    }
    buf_fini(&line);
}

static void print_run(void *ctx, const struct app *app, enum run_status status,
                      const struct recommendation *recommendations, uint32_t count) {
    struct job *job = ctx;
    struct gate gate = {0};
    buf_clear(&job->out);
    if (job->gated) {
        struct run_facts *facts = run_facts_new(app, status);
        gate_judge(facts, &job->limits, &gate);
        run_facts_free(facts);
        job->verdict = gate.verdict > job->verdict ? gate.verdict : job->verdict;
    }
    if (job->format == FORMAT_JSON && job->gated) {
        render_json_gated(&job->out, app, status, recommendations, count, &gate);
    } else if (job->format == FORMAT_JSON) {
        render_json(&job->out, app, status, recommendations, count);
    } else if (job->format == FORMAT_HTML) {
        render_html(&job->out, app, status, recommendations, count);
    } else {
        render_text(&job->out, app, status, recommendations, count, &job->style);
        buf_add_char(&job->out, '\n');
    }
    job->write_failed |= fwrite(job->out.data, 1, job->out.len, stdout) != job->out.len;
    if (job->gated) {
        fflush(stdout); // before what is said of it
        print_gate(job, app, &gate);
    }
}

// Of all logs together. A limit that is breached is breached, whatever else cannot be told.
static int exit_code_of(const struct job *job, bool good) {
    if (job->verdict == GATE_BREACHED) {
        return EXIT_BREACHED;
    }
    if (!good) {
        return EXIT_FAILED;
    }
    return job->verdict == GATE_INCONCLUSIVE ? EXIT_INCONCLUSIVE : EXIT_FINE;
}

static int analyze_all(struct job *job, struct judged *judged) {
    bool good = true;
    if (job->format == FORMAT_HTML) {
        render_html_begin(&job->out);
        fputs(buf_text(&job->out), stdout);
    }
    for (int i = 0; i < job->args->rest_count; i++) {
        good &= judged_log(judged, job->args->rest[i], print_run, job);
    }
    if (job->format == FORMAT_HTML) {
        buf_clear(&job->out);
        render_html_end(&job->out);
        fputs(buf_text(&job->out), stdout);
    }
    buf_fini(&job->out);
    if (fflush(stdout) != 0 || job->write_failed) {
        return command_failed(job->args, "cannot write the result: %s", strerror(errno));
    }
    return exit_code_of(job, good);
}

// "20%" or "0.2".
static bool parse_share(const char *text, double *out) {
    char *end;
    double value = strtod(text, &end);
    bool percent = strcmp(end, "%") == 0;
    *out = percent ? value / 100 : value;
    return end != text && (percent || *end == '\0') && isfinite(value) && value >= 0;
}

// Of an option that names a severity; -1 if it is not given, -2 if it is none, which was said.
static int parse_severity(const struct command_args *args, const char *name) {
    const char *text = command_value(args, name);
    int severity = text == NULL ? -1 : severity_parse(str_of(text));
    if (text != NULL && severity <= SEVERITY_NEGLIGIBLE) {
        (void)command_usage_error(args, "--%s wants low, moderate, severe or critical, not %s",
                                  name, text);
        return -2;
    }
    return severity;
}

// The numbers of the gate but its severities. Returns an exit code.
static int parse_numbers(const struct command_args *args, struct gate_limits *limits) {
    const char *duration = command_value(args, "max-duration");
    const char *skew = command_value(args, "max-skew"), *spill = command_value(args, "max-spill");
    const char *failed = command_value(args, "max-failed-tasks");
    const char *slowdown = command_value(args, "max-slowdown");
    char *end = NULL;
    if (duration != NULL && !span_parse_ms(str_of(duration), 1000, &limits->duration_ms)) {
        return command_usage_error(args, "--max-duration wants a time such as 30m, not %s",
                                   duration);
    }
    limits->skew = skew == NULL ? 0 : strtod(skew, &end);
    if (skew != NULL &&
        (end == skew || *end != '\0' || !(limits->skew >= 1) || !isfinite(limits->skew))) {
        return command_usage_error(args, "--max-skew wants a number from 1 on, not %s", skew);
    }
    if (spill != NULL && !span_parse_bytes(str_of(spill), 1, &limits->spill_bytes)) {
        return command_usage_error(args, "--max-spill wants a size such as 500m, not %s", spill);
    }
    if (failed != NULL &&
        (!str_to_i64(str_of(failed), &limits->failed_tasks) || limits->failed_tasks < 0)) {
        return command_usage_error(args, "--max-failed-tasks wants a number, not %s", failed);
    }
    if (slowdown != NULL && !parse_share(slowdown, &limits->slowdown)) {
        return command_usage_error(args, "--max-slowdown wants a share such as 20%%, not %s",
                                   slowdown);
    }
    return EXIT_FINE;
}

static int parse_limits(const struct command_args *args, struct gate_limits *limits) {
    gate_limits_init(limits);
    int code = parse_numbers(args, limits);
    if (code != EXIT_FINE) {
        return code;
    }
    limits->fail_on = parse_severity(args, "fail-on");
    limits->fail_on_new = limits->fail_on == -2 ? -2 : parse_severity(args, "fail-on-new");
    if (limits->fail_on_new == -2) {
        return EXIT_USAGE;
    }
    bool has_baseline = command_value(args, "baseline") != NULL;
    if (!has_baseline && limits->fail_on_new >= 0) {
        return command_usage_error(args, "--fail-on-new wants a --baseline");
    }
    if (!has_baseline && command_value(args, "max-slowdown") != NULL) {
        return command_usage_error(args, "--max-slowdown wants a --baseline");
    }
    return EXIT_FINE;
}

static int analyze(struct job *job, const struct config *config) {
    const char *path = command_value(job->args, "baseline");
    struct judged judged;
    judged_init(&judged, job->args, config);
    struct run_facts *baseline = path == NULL ? NULL : judged_facts(&judged, path);
    job->limits.baseline = baseline;
    job->gated = gate_limits_any(&job->limits);
    int code = path != NULL && baseline == NULL ? EXIT_FAILED : analyze_all(job, &judged);
    run_facts_free(baseline);
    judged_fini(&judged);
    return code;
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
    int code = parse_limits(args, &job.limits);
    if (code != EXIT_FINE) {
        return code;
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = analyze(&job, config);
    config_free(config);
    return code;
}

const struct command command_analyze = {
    .name = "analyze",
    .summary = "judge event logs, no Kafka needed",
    .usage = "[--format text|json|html] [LIMIT...] LOG...",
    .details =
        "A LOG is an event log as Spark writes it: plain, .zst, .gz, .lz4 or .snappy; a rolled\n"
        "log's folder; or - for standard input. The same engine as the live agent judges it.\n\n"
        "  stoker analyze app-20260101120000-0001.zstd\n"
        "  stoker analyze --format json eventlog_v2_app-1/ | jq .bottlenecks\n\n"
        "With limits (--max-*, --fail-on, --baseline) it is a gate: a line on standard error for\n"
        "each limit that is breached, and the exit code is 0 if all hold, 2 if one is breached,\n"
        "3 if it cannot be told (the run has not ended, failed, or much of it is missing), 1 if a\n"
        "log cannot be read. What is breached outweighs what cannot be told.\n\n"
        "  stoker analyze --max-duration 45m --fail-on severe LOG\n"
        "  stoker analyze --baseline last-good.zstd --max-slowdown 15% LOG\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .gate = true,
    .run = run,
};
