// cmd_demo: `stoker demo`: the whole way in one process: an embedded Kafka (librdkafka's mock
// cluster), real event logs played into it as live applications, the agent judging them, findings
// printed as they come, a summary at the end.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "commands/terminal.h"
#include "demo_logs.h"
#include "demo_print.h"
#include "kafka/kafka_sink.h"
#include "kafka/mock.h"
#include "live/agent.h"
#include "present/render.h"
#include "replay/replay.h"
#include "setup.h"
#include "signals.h"

enum { PARTITIONS = 3, STEP_MS = 20, PATIENCE_MS = 30000 };
#define DEFAULT_SPEED 2.0

static const struct command_option options[] = {
    {"speed", 0, "X", "play so many times as fast as it happened (default 2)"},
};

static const char *const topics[TOPIC_COUNT] = {
    [TOPIC_EVENTS] = "spark-events",
    [TOPIC_RUNS] = "stoker.runs",
    [TOPIC_BOTTLENECKS] = "stoker.bottlenecks",
    [TOPIC_RECOMMENDATIONS] = "stoker.recommendations",
    [TOPIC_WINDOWS] = "stoker.windows",
    [TOPIC_DLQ] = "stoker.dlq",
    [TOPIC_STATE_APPLICATIONS] = "stoker.state.applications",
    [TOPIC_STATE_PIPELINES] = "stoker.state.pipelines",
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

static enum status open_cluster(struct demo *demo, struct err *err) {
    enum status status = mock_cluster_new(1, &demo->cluster, err);
    for (int t = 0; t < TOPIC_COUNT && status == ST_OK; t++) {
        status = mock_cluster_create_topic(demo->cluster, topics[t], PARTITIONS, err);
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
    struct sink_header headers[] = {{"app_id", event->app_id}, {"app_attempt", event->attempt}};
    struct sink_record record = {.topic = topics[TOPIC_EVENTS],
                                 .key = event->key,
                                 .value = event->value,
                                 .headers = headers,
                                 .header_count = event->attempt.len > 0 ? 2 : 1};
    return kafka_sink_send(demo->sink, &record, err);
}

// Plays and judges, turn by turn, until every run was judged to its end.
static enum status play(struct demo *demo, struct err *err) {
    bool played = false;
    int64_t played_ms = 0;
    while (signals_stop == 0 && demo_print_ended(&demo->print) < demo->logs.count) {
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
                           demo_print_ended(&demo->print), demo->logs.count, PATIENCE_MS / 1000);
        }
    }
    return ST_OK;
}

static enum status open_all(struct demo *demo, struct agent_options *agent, double speed,
                            struct err *err) {
    enum status status = demo_logs_unpack(&demo->logs, err);
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
    demo_logs_remove(&demo->logs);
    demo_print_fini(&demo->print);
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
                                  .on_bottleneck = demo_print_bottleneck,
                                  .on_run = demo_print_run};
    memcpy(agent.topics, topics, sizeof agent.topics);
    engine_options_init(&agent.engine);
    agent.engine.cluster = "demo";
    pipelines_options_init(&agent.pipelines);
    demo_print_init(&demo.print, args->color_out, terminal_width(STDOUT_FILENO));
    signals_catch();
    enum status status = open_all(&demo, &agent, speed, &err);
    if (status == ST_OK) {
        demo_print_begin(&demo.print, demo.logs.count, agent_http_port(demo.agent), speed);
        status = play(&demo, &err);
    }
    if (status == ST_OK && signals_stop == 0) {
        demo_print_summary(&demo.print);
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
