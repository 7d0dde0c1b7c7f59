// cmd_run: `stoker run`, the agent itself. Reads the settings, turns the agent's loop until a
// signal comes.
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "commands/setup.h"
#include "commands/signals.h"
#include "live/agent.h"

enum { STEP_MS = 100 };

static int turn(const struct command_args *args, const struct agent_options *options) {
    struct err err = {0};
    struct agent *agent = NULL;
    signals_catch(); // before the first thread: a signal while it starts must end it well, too
    if (agent_new(options, &agent, &err) != ST_OK) {
        command_failed(args, "%s", err.text);
        return EXIT_CONFIG;
    }
    log_info("started", "version=%s librdkafka=%s cluster=%s instance=%s http_port=%d",
             STOKER_VERSION, kafka_library_version(), options->cluster, options->instance,
             (int)agent_http_port(agent));
    enum status status = ST_OK;
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
    char instance[SETUP_INSTANCE_SIZE];
    struct setup_kafka consumer, producer;
    struct agent_options options = {
        .cluster = config_text(config, "cluster"),
        .instance = instance,
        .group = config_text(config, "agent.group"),
        .dlq_enabled = config_bool(config, "topics.dlq_enabled"),
        .dynamic = strcmp(config_text(config, "agent.membership"), "dynamic") == 0,
        .workers = (int)config_int(config, "agent.workers"),
        .commit_interval_ms = config_int(config, "agent.commit_interval"),
        .tick_ms = config_int(config, "agent.tick"),
        .max_record_bytes = config_int(config, "input.max_message_bytes") + SETUP_HEADER_BYTES,
        .http_listen = config_text(config, "http.listen"),
        .metrics_pipelines_max = (size_t)config_int(config, "metrics.max_pipelines"),
    };
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        options.topics[t] = config_text(config, topic_row(t)->setting);
    }
    setup_instance(config, instance);
    setup_kafka_init(&consumer, config, KAFKA_CONSUMER);
    setup_kafka_init(&producer, config, KAFKA_PRODUCER);
    setup_engine(config, &options.engine);
    setup_pipelines(config, &options.pipelines);
    setup_decode(config, &options.decode);
    struct alertmanager_label *labels = setup_alertmanager(config, &options.alerts);
    options.consumer = consumer.settings;
    options.producer = producer.settings;
    code = turn(args, &options);
    mem_free(labels);
    setup_kafka_fini(&consumer);
    setup_kafka_fini(&producer);
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
