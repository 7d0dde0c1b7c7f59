// cmd_demo: `stoker demo`: the whole way in one process: an embedded Kafka (librdkafka's mock
// cluster), real event logs played into it as live applications, the agent judging them, a line per
// finding as it comes, a summary at the end. Text of a log is always escaped; nothing is left
// behind.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "commands/terminal.h"
#include "kafka/mock.h"
#include "kafka/sink.h"
#include "live/agent.h"
#include "present/render.h"
#include "replay/replay_send.h"

enum { PARTITIONS = 3, STEP_MS = 20, PATIENCE_MS = 30000, LOGS_MAX = 16 };
#define DEFAULT_SPEED 2.0

static const struct command_option options[] = {
    {"speed", 0, "X", "play so many times as fast as it happened (default 2)"},
};

// The logs that travel inside the program: a table that the build makes of tests/fixtures/logs.
struct demo_log {
    const char *name;
    const char *start, *end;
};
extern const struct demo_log demo_log_table[]; // ends with a NULL name

// The logs in a folder of their own while the demo runs.
struct demo_logs {
    char folder[64];
    char *paths[LOGS_MAX]; // owned
    size_t count;
};

// What is shown.
struct demo_print {
    bool color;
    int width;
    int64_t started_ms;
    struct pipeline_run *runs; // newest update of each run, owned copies of what is shown
    size_t run_count, run_cap;
};

struct demo {
    const struct command_args *args;
    struct demo_logs logs;
    struct demo_print print;
    struct mock_cluster *cluster;
    struct kafka_sink *sink;
    struct replay *replay;
    struct agent *agent;
};

static enum status write_log(const char *path, const struct demo_log *log, struct err *err) {
    FILE *file = fopen(path, "wb");
    size_t size = (size_t)(log->end - log->start);
    bool good = file != NULL && fwrite(log->start, 1, size, file) == size;
    if (file != NULL && fclose(file) != 0) {
        good = false;
    }
    return good ? ST_OK : err_set(err, ST_FATAL, "%s: %s", path, strerror(errno));
}

// Writes the logs to a fresh folder under TMPDIR (or /tmp).
static enum status unpack_logs(struct demo_logs *logs, struct err *err) {
    const char *base = getenv("TMPDIR");
    *logs = (struct demo_logs){0};
    snprintf(logs->folder, sizeof logs->folder, "%.40s/stoker-demo-XXXXXX",
             base == NULL || base[0] == '\0' ? "/tmp" : base);
    if (mkdtemp(logs->folder) == NULL) {
        enum status status = err_set(err, ST_FATAL, "no folder for the demo's logs: %s: %s",
                                     logs->folder, strerror(errno));
        logs->folder[0] = '\0';
        return status;
    }
    for (const struct demo_log *log = demo_log_table; log->name != NULL && logs->count < LOGS_MAX;
         log++) {
        struct buf path = {0};
        buf_printf(&path, "%s/%s.jsonl.zst", logs->folder, log->name);
        logs->paths[logs->count++] = mem_strdup(buf_text(&path));
        buf_fini(&path);
        enum status status = write_log(logs->paths[logs->count - 1], log, err);
        if (status != ST_OK) {
            return status;
        }
    }
    return ST_OK;
}

static void remove_logs(struct demo_logs *logs) {
    for (size_t i = 0; i < logs->count; i++) {
        unlink(logs->paths[i]);
        mem_free(logs->paths[i]);
    }
    if (logs->folder[0] != '\0') {
        rmdir(logs->folder);
    }
    *logs = (struct demo_logs){0};
}

static void print_init(struct demo_print *print, bool color, int width) {
    *print = (struct demo_print){.color = color, .width = width, .started_ms = clock_mono_ms()};
}

static void print_fini(struct demo_print *print) {
    for (size_t i = 0; i < print->run_count; i++) {
        pipeline_run_fini(&print->runs[i]);
    }
    mem_free(print->runs);
}

static const char *bold(const struct demo_print *print) {
    return print->color ? "\033[1m" : "";
}
static const char *plain(const struct demo_print *print) {
    return print->color ? "\033[0m" : "";
}

static void print_begin(struct demo_print *print, size_t logs, uint16_t http_port, double speed) {
    printf("%sStoker demo%s: %zu recorded Spark applications run again, %g times as fast, through "
           "a Kafka inside this\n"
           "process; the agent judges them as their events arrive. Its own pages while it runs:\n"
           "  http://127.0.0.1:%u/   http://127.0.0.1:%u/metrics\n\n",
           bold(print), plain(print), logs, speed, (unsigned)http_port, (unsigned)http_port);
    fflush(stdout);
    print->started_ms = clock_mono_ms();
}

// Hook of the agent; ctx is the struct demo_print.
static void print_bottleneck(void *ctx, const struct run_identity *identity,
                             const struct bottleneck *b) {
    struct demo_print *print = ctx;
    if (b->severity < SEVERITY_MODERATE && b->life != LIFE_RETRACTED) {
        return; // shown in the summary
    }
    struct buf line = {0};
    buf_printf(&line, "%5.1f s  %s%*s ", (double)(clock_mono_ms() - print->started_ms) / 1000,
               render_severity(b->severity, print->color),
               10 - (int)strlen(severity_name(b->severity)), "");
    buf_add_printable(&line, str_of(identity->pipeline));
    buf_printf(&line, "  %s", kind_name(b->kind));
    if (b->cause != CAUSE_NONE) {
        buf_printf(&line, " (%s)", cause_name(b->cause));
    }
    buf_printf(&line, " %s\n                    ", life_name(b->life));
    struct str summary = str_of(b->summary);
    summary.len = str_cut_utf8(summary, print->width > 40 ? (size_t)print->width - 21 : 60);
    buf_add_printable(&line, summary);
    puts(buf_text(&line));
    fflush(stdout);
    buf_fini(&line);
}

// Hook of the agent: keeps the newest of each run for the summary.
static void keep_run(void *ctx, const struct pipeline_run *run) {
    struct demo_print *print = ctx;
    size_t i = 0;
    while (i < print->run_count && strcmp(print->runs[i].id, run->id) != 0) {
        i++;
    }
    if (i == print->run_count) {
        MEM_GROW(print->runs, print->run_count, print->run_cap);
        print->run_count++;
    } else {
        pipeline_run_fini(&print->runs[i]);
    }
    pipeline_run_copy(&print->runs[i], run);
}

static size_t ended_runs(const struct demo_print *print) {
    size_t ended = 0;
    for (size_t i = 0; i < print->run_count; i++) {
        ended += print->runs[i].ended_ms > 0;
    }
    return ended;
}

static double loss_of(const struct pipeline_run *run) {
    return run->open_count > 0 ? run->open[0].saving_s + 1000.0 * run->open[0].severity : 0;
}

static int worse_first(const void *a, const void *b) {
    double x = loss_of(a), y = loss_of(b);
    if (x != y) {
        return x > y ? -1 : 1;
    }
    return strcmp(((const struct pipeline_run *)a)->identity.pipeline,
                  ((const struct pipeline_run *)b)->identity.pipeline);
}

static void print_run(const struct demo_print *print, const struct pipeline_run *run) {
    struct buf out = {0};
    char took[SPAN_TEXT_SIZE], saving[SPAN_TEXT_SIZE];
    buf_add_text(&out, bold(print));
    buf_add_printable(&out, str_of(run->identity.pipeline));
    buf_printf(&out, "%s  %s after %s, %lld tasks\n", plain(print), run_status_name(run->status),
               span_format_seconds(run->duration_s, took), (long long)run->totals.tasks);
    for (uint32_t i = 0; i < run->open_count && i < 3; i++) {
        const struct open_bottleneck *b = &run->open[i];
        buf_printf(&out, "  %s%*s %s%s%s%s, up to %s: ", render_severity(b->severity, print->color),
                   10 - (int)strlen(severity_name(b->severity)), "", kind_name(b->kind),
                   b->cause != CAUSE_NONE ? " (" : "", cause_name(b->cause),
                   b->cause != CAUSE_NONE ? ")" : "", span_format_seconds(b->saving_s, saving));
        buf_add_printable(&out, str_of(b->summary));
        buf_add_char(&out, '\n');
    }
    if (run->open_count > 3) {
        buf_printf(&out, "  and %u more\n", run->open_count - 3);
    }
    if (run->open_count == 0) {
        buf_add_text(&out, "  nothing here costs time worth saving\n");
    }
    fputs(buf_text(&out), stdout);
    buf_fini(&out);
}

static void print_summary(struct demo_print *print) {
    printf("\n%sWhat was found%s\n\n", bold(print), plain(print));
    if (print->run_count > 0) {
        qsort(print->runs, print->run_count, sizeof *print->runs, worse_first);
    }
    for (size_t i = 0; i < print->run_count; i++) {
        print_run(print, &print->runs[i]);
        putchar('\n');
    }
    printf("%sWhere to go from here%s\n"
           "  stoker analyze LOG            judge an event log of your own, with advice\n"
           "  stoker config sample          every setting, explained\n"
           "  stoker run -c stoker.yaml     the agent beside your Kafka cluster\n"
           "  stoker tail -c stoker.yaml    read what it publishes\n",
           bold(print), plain(print));
}

static enum status open_cluster(struct demo *demo, struct err *err) {
    enum status status = mock_cluster_new(1, &demo->cluster, err);
    for (enum topic t = 0; t < TOPIC_COUNT && status == ST_OK; t++) {
        status = mock_cluster_create_topic(demo->cluster, topic_row(t)->def, PARTITIONS, err);
    }
    if (status != ST_OK) {
        return status;
    }
    struct kafka_settings settings = {.brokers = mock_cluster_bootstrap(demo->cluster),
                                      .client_id = "stoker-demo-spark"};
    struct kafka_sink_options sink = {0};
    return kafka_sink_new(&settings, &sink, (struct kafka_sink_callbacks){0}, &demo->sink, err);
}

// The address of the pages: the usual one, or any free port if it is taken.
static enum status open_agent(struct demo *demo, struct agent_options *agent, struct err *err) {
    agent->http_listen = "127.0.0.1:9571";
    if (agent_new(agent, &demo->agent, err) == ST_OK) {
        return ST_OK;
    }
    agent->http_listen = "127.0.0.1:0";
    return agent_new(agent, &demo->agent, err);
}

static enum status send_event(void *ctx, const struct replay_event *event, struct err *err) {
    struct demo *demo = ctx;
    return replay_send_event(demo->sink, topic_row(TOPIC_EVENTS)->def, event, NULL, 0, err);
}

// Plays and judges, turn by turn, until every run was judged to its end.
static enum status play(struct demo *demo, struct err *err) {
    bool played = false;
    int64_t played_ms = 0;
    while (signals_stop == 0 && ended_runs(&demo->print) < demo->logs.count) {
        int64_t now_ms = clock_mono_ms();
        enum status status = ST_OK;
        if (!played) {
            status = replay_step(demo->replay, now_ms, send_event, demo, &played, err);
            played_ms = now_ms;
        }
        if (status == ST_OK || status == ST_RETRY) {
            kafka_sink_poll(demo->sink);
            status = agent_step(demo->agent, STEP_MS, err);
        }
        if (status != ST_OK) {
            return status;
        }
        if (played && now_ms - played_ms > PATIENCE_MS) {
            return err_set(err, ST_FATAL, "only %zu of %zu runs were judged to their end in %d s",
                           ended_runs(&demo->print), demo->logs.count, PATIENCE_MS / 1000);
        }
    }
    return ST_OK;
}

static enum status open_all(struct demo *demo, struct agent_options *agent, double speed,
                            struct err *err) {
    enum status status = unpack_logs(&demo->logs, err);
    struct replay_options replay = {.speed = speed, .align_starts = true};
    if (status == ST_OK) {
        status = replay_new((const char *const *)demo->logs.paths, demo->logs.count, &replay,
                            &demo->replay, err);
    }
    if (status == ST_OK) {
        status = open_cluster(demo, err);
    }
    if (status == ST_OK) {
        agent->consumer = agent->producer =
            (struct kafka_settings){.brokers = mock_cluster_bootstrap(demo->cluster)};
        status = open_agent(demo, agent, err);
    }
    return status;
}

static void close_all(struct demo *demo) {
    agent_free(demo->agent);
    replay_free(demo->replay);
    kafka_sink_free(demo->sink);
    mock_cluster_free(demo->cluster);
    remove_logs(&demo->logs);
    print_fini(&demo->print);
}

static int run_demo(const struct command_args *args, double speed) {
    struct demo demo = {.args = args};
    struct err err = {0};
    struct agent_options agent = {.cluster = "demo",
                                  .instance = "demo",
                                  .group = "stoker-demo",
                                  .dlq_enabled = true,
                                  .alone = true,
                                  .topics_trusted = true,
                                  .commit_interval_ms = 200,
                                  .metrics_pipelines_max = 100,
                                  .decode = {.max_bytes = 32 << 20,
                                             .wrapper_event_key = "",
                                             .wrapper_app_key = "",
                                             .wrapper_attempt_key = ""},
                                  .hook_ctx = &demo.print,
                                  .on_bottleneck = print_bottleneck,
                                  .on_run = keep_run};
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        agent.topics[t] = topic_row(t)->def;
    }
    engine_options_init(&agent.engine);
    pipelines_options_init(&agent.pipelines);
    agent.engine.cluster = agent.pipelines.cluster = "demo";
    print_init(&demo.print, args->color_out, terminal_width(STDOUT_FILENO));
    signals_catch();
    enum status status = open_all(&demo, &agent, speed, &err);
    if (status == ST_OK) {
        print_begin(&demo.print, demo.logs.count, agent_http_port(demo.agent), speed);
        status = play(&demo, &err);
    }
    if (status == ST_OK && signals_stop == 0) {
        print_summary(&demo.print);
    }
    close_all(&demo);
    if (status != ST_OK) {
        return command_failed(args, "%s", err.text);
    }
    return signals_stop == 0 ? EXIT_FINE : EXIT_FAILED;
}

static int run(const struct command_args *args) {
    const char *text = command_value(args, "speed");
    char *end = NULL;
    double speed = text == NULL ? DEFAULT_SPEED : strtod(text, &end);
    if (args->rest_count > 0) {
        return command_usage_error(args, "takes no argument: %s", args->rest[0]);
    }
    if (text != NULL && (end == text || *end != '\0' || !(speed >= 0.01 && speed <= 1000))) {
        return command_usage_error(args, "--speed wants a number from 0.01 to 1000, not %s", text);
    }
    enum log_level level = LOG_ERROR; // the findings are the story here
    if (args->log_level != NULL) {
        log_parse_level(args->log_level, &level);
    }
    log_configure(level, LOG_LOGFMT);
    return run_demo(args, speed);
}

const struct command command_demo = {
    .name = "demo",
    .summary = "watch real Spark runs being judged; needs nothing else",
    .usage = "[--speed X]",
    .details =
        "Starts a small Kafka inside this process, plays recorded event logs of real Spark runs "
        "into it\n"
        "as if they were running now, and judges them as the agent does. Nothing is left behind.\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .run = run,
};
