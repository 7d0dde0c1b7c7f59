// cmd_run: `stoker run`, the agent itself, and what ships event logs for it. Reads the settings,
// turns the agent's loop until a signal comes.
#include "base/check.h"
#include "base/log.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "live/agent.h"
#include "ship/ship_thread.h"

enum { STEP_MS = 100 };

static bool logs_ready(void *ctx, struct buf *reason) {
    return ship_thread_ready(ctx, reason);
}

// The loop, until a signal or a failure comes.
static enum status loop(struct agent *agent, struct ship_thread *logs, struct err *err) {
    enum status status = ST_OK;
    while (signals_stop == 0 && status == ST_OK) {
        struct ship_view view;
        status = agent_step(agent, STEP_MS, err);
        if (status == ST_OK && logs != NULL) {
            status = ship_thread_look(logs, &view, err);
        }
    }
    return status;
}

// What could not be begun; what may be mended without a hand on the settings is tried again.
static int not_begun(const struct command_args *args, enum status status, const struct err *err) {
    int failed = command_failed(args, "%s", err->text);
    return status == ST_RETRY ? failed : EXIT_CONFIG;
}

static int turn(const struct command_args *args, struct agent_options *options,
                const struct ship_options *logs) {
    struct err err = {0};
    struct agent *agent = NULL;
    struct ship_thread *thread = NULL;
    signals_catch(); // before the first thread: a signal while it starts must end it well, too
    if (logs->folder_count > 0) {
        enum status begun = ship_thread_start(logs, &thread, &err);
        if (begun != ST_OK) {
            return not_begun(args, begun, &err);
        }
        options->ready_ctx = thread;
        options->also_ready = logs_ready;
    }
    enum status status = agent_new(options, &agent, &err);
    if (status != ST_OK) {
        ship_thread_end(thread);
        return not_begun(args, status, &err);
    }
    log_info("started", "version=%s librdkafka=%s cluster=%s instance=%s http_port=%d",
             STOKER_VERSION, kafka_library_version(), options->cluster, options->instance,
             (int)agent_http_port(agent));
    status = loop(agent, thread, &err);
    if (status != ST_OK) {
        log_error("ended", "error=%s", err.text);
    } else {
        log_info("stopping", "reason=%s", "signal");
    }
    ship_thread_end(thread);
    agent_free(agent);
    return status == ST_OK ? EXIT_FINE : EXIT_FAILED;
}

static int run(const struct command_args *args) {
    int code = EXIT_FINE;
    if (args->rest_count > 0) {
        return command_usage_error(args, "takes no argument: %s", args->rest[0]);
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    struct setup_agent agent;
    setup_agent_init(&agent, config);
    struct setup_ship logs;
    const char *twice;
    unsigned count;
    const char *const *folders = config_list(config, "input.event_logs", &count);
    require(setup_ship_init(&logs, config, folders, count, "agent", &twice)); // as was checked
    code = turn(args, &agent.options, &logs.options);
    setup_ship_fini(&logs);
    setup_agent_fini(&agent);
    config_free(config);
    return code;
}

const struct command command_run = {
    .name = "run",
    .summary = "the agent: judge what comes from Kafka, publish, alert",
    .usage = "-c FILE [--set KEY=VALUE]...",
    .details = "Reads Spark listener events from topics.events, publishes runs, bottlenecks,\n"
               "recommendations and windows as Avro, and sends alerts. A broker or Alertmanager\n"
               "that is away is waited for; http://http.listen/readyz says what is missing.\n"
               "More agents in the same agent.group share the partitions.\n\n"
               "  stoker config sample > stoker.yaml     every setting, explained\n"
               "  stoker check -c stoker.yaml            all mistakes at once\n"
               "  stoker topics --create -c stoker.yaml  make the topics\n"
               "  stoker run -c stoker.yaml\n",
    .takes_config = true,
    .run = run,
};
