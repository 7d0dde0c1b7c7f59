// cmd_analyze: `stoker analyze LOG...`: judges event logs with the engine of the live agent and
// prints what it would have published. One engine per log; nothing leaves the process.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/setup.h"
#include "commands/terminal.h"
#include "eventlog/eventlog.h"
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
    uint64_t skipped; // lines that could not be used
    uint64_t ignored; // of this log: lines that never were events
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

// Words that name their place themselves, as those of an event log do, come without one (NULL).
static void warn(const char *place, const char *words) {
    struct buf line = {0};
    if (place != NULL) {
        buf_add_printable(&line, str_of(place));
        buf_add_text(&line, ": ");
    }
    buf_add_printable(&line, str_of(words));
    fprintf(stderr, "stoker analyze: %s\n", buf_text(&line));
    buf_fini(&line);
}

// Feeds one log to the engine; the number of lines is its clock of offsets.
static void feed(struct job *job, struct eventlog *log, struct engine *engine, struct str app_id,
                 struct str attempt) {
    struct progress progress;
    struct str line;
    size_t readable;
    struct err err;
    int64_t number = 0;
    const struct message_header headers[] = {{MESSAGE_HEADER_APP_ID, app_id},
                                             {MESSAGE_HEADER_APP_ATTEMPT, attempt}};
    progress_begin(&progress, "reading");
    for (;;) {
        enum status status = eventlog_next(log, &line, &readable, &err);
        if (status == ST_OK && line.p == NULL) {
            break;
        }
        number++;
        if (status == ST_RETRY) {
            continue;
        }
        if (status != ST_OK) {
            job->skipped++;
            warn(NULL, err.text);
            continue;
        }
        struct message message = {.value = line,
                                  .topic = "",
                                  .offset = number,
                                  .headers = headers,
                                  .header_count = ARRAY_LEN(headers)};
        enum metric reason;
        if (engine_feed(engine, &message, readable, &reason, &err) == ST_OK) {
            job->ignored += reason != METRIC_COUNT;
        } else {
            bool cut =
                eventlog_cut(log); // the last line of a log that is being written, or was cut off
            job->skipped += !cut;
            if (!cut && job->skipped <= 5) {
                char words[600];
                snprintf(words, sizeof words, "line %lld: %s", (long long)number, err.text);
                warn(eventlog_name(log), words);
            }
        }
        if (number % 1024 == 0) {
            uint64_t done, total;
            eventlog_progress(log, &done, &total);
            progress_update(&progress, done, total);
        }
    }
    progress_end(&progress);
}

static bool analyze(struct job *job, const struct engine_options *engine_options,
                    struct decoder *decoder, const char *path) {
    struct err err;
    struct eventlog *log = NULL;
    if (eventlog_open(path, &log, &err) != ST_OK) {
        warn(NULL, err.text);
        return false;
    }
    struct engine *engine = engine_new(engine_options, decoder, NULL);
    struct str app_id, attempt;
    if (!eventlog_name_app_id(log, &app_id, &attempt)) {
        app_id = attempt = (struct str){"", 0};
    }
    uint64_t before = job->skipped;
    job->ignored = 0;
    feed(job, log, engine, app_id, attempt);
    engine_finish(engine, eventlog_in_progress(log));
    bool any = engine_application_count(engine) > 0;
    if (!any) {
        warn(path, "holds no Spark event");
    } else if (job->skipped > before) {
        char words[64];
        snprintf(words, sizeof words, "%llu lines could not be used",
                 (unsigned long long)(job->skipped - before));
        warn(path, words);
    }
    if (job->ignored > 0) {
        char words[80];
        snprintf(words, sizeof words, "%llu lines are no events of Spark and were passed over",
                 (unsigned long long)job->ignored);
        warn(path, words);
    }
    if (engine_let_go_count(engine) > 0) {
        char words[160];
        snprintf(words, sizeof words,
                 "%lu runs are not shown: the log holds more than limits.applications and "
                 "limits.memory have room for",
                 (unsigned long)engine_let_go_count(engine));
        warn(path, words);
    }
    engine_each_run(engine, print_run, job);
    engine_free(engine);
    eventlog_free(log);
    return any;
}

static int analyze_all(struct job *job, const struct config *config) {
    struct engine_options engine;
    struct decode_options decode;
    setup_engine(config, &engine);
    setup_decode(config, &decode);
    engine.one_application = true;
    engine.budget = budget_new(config_int(config, "limits.memory"));
    struct decoder *decoder = decoder_new(&decode);
    bool good = true;
    if (job->format == FORMAT_HTML) {
        render_html_begin(&job->out);
        fputs(buf_text(&job->out), stdout);
    }
    for (int i = 0; i < job->args->rest_count; i++) {
        good &= analyze(job, &engine, decoder, job->args->rest[i]);
    }
    if (job->format == FORMAT_HTML) {
        buf_clear(&job->out);
        render_html_end(&job->out);
        fputs(buf_text(&job->out), stdout);
    }
    decoder_free(decoder);
    budget_free(engine.budget);
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
