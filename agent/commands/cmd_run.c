// cmd_run: `stoker run`, the agent itself. Reads the settings, turns the agent's loop until a
// signal comes.
#include "base/log.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "live/agent.h"

enum { STEP_MS = 100 };

static int turn(const struct command_args *args, const struct agent_options *options) {
    struct err err = {0};
    struct agent *agent = NULL;
    signals_catch(); // before the first thread: a signal while it starts must end it well, too
    enum status status = agent_new(options, &agent, &err);
    if (status != ST_OK) { // what may be mended without a hand on the settings is tried again
        int failed = command_failed(args, "%s", err.text);
        return status == ST_RETRY ? failed : EXIT_CONFIG;
    }
    log_info("started", "version=%s librdkafka=%s cluster=%s instance=%s http_port=%d",
             STOKER_VERSION, kafka_library_version(), options->cluster, options->instance,
             (int)agent_http_port(agent));
    while (signals_stop == 0 && status == ST_OK) {
        status = agent_step(agent, STEP_MS, &err);
    }
    if (status != ST_OK) {
        log_error("ended", "error=%s", err.text);
    } else {
        log_info("stopping", "reason=%s", "signal");
    }
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
    code = turn(args, &agent.options);
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
