// cmd_state: `stoker state`: what the agents of a group keep in the state topics, read as a restart
// would read it. Changes nothing, joins no group.
#include <stdio.h>
#include <string.h>

#include "commands/setup.h"
#include "kafka/changelog.h"
#include "kafka/topics.h"
#include "present/render_state.h"

enum { TIMEOUT_MS = 15000 };

static const struct command_option options[] = {
    {"app", 'a', "ID", "only this application"},
    {"pipeline", 'p', "NAME", "only this pipeline"},
    {"partition", 0, "N", "only this partition of both topics"},
    {"values", 0, NULL, "every value, field by field"},
    {"format", 'f', "FORMAT", "text (default) or json, one object a line"},
    {"schema", 0, NULL, "print what values are made of (Markdown) and end"},
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

struct reading {
    const struct command_args *args;
    struct render_state show;
    int64_t only;   // partition, -1: all
    int partitions; // of the state topic that has more
};

static void put(void *ctx, const struct message *message) {
    keep_table_put(ctx, message->key, message->value);
}

static void print_line(void *ctx, const char *text) {
    (void)ctx;
    puts(text);
}

static enum status show_partition(struct reading *reading, struct changelog *changelog,
                                  const char *topic, int32_t partition, struct err *err) {
    int64_t first, end;
    struct keep_table *table = keep_table_new();
    enum status status =
        changelog_bounds(changelog, topic, partition, TIMEOUT_MS, &first, &end, err);
    if (status == ST_OK && end > first) {
        struct changelog_reading read = {.topic = topic,
                                         .partition = partition,
                                         .end = end,
                                         .timeout_ms = TIMEOUT_MS,
                                         .ctx = table,
                                         .take = put};
        status = changelog_read(changelog, &read, err);
    }
    if (status == ST_OK) {
        render_state_partition(&reading->show, topic, partition, table);
    }
    keep_table_free(table);
    return status;
}

static enum status show_topic(struct reading *reading, const struct config *config,
                              struct changelog *changelog, const char *topic, struct err *err) {
    struct setup_kafka kafka;
    int count = 0;
    setup_kafka_init(&kafka, config, KAFKA_PRODUCER);
    enum status status = topics_partitions(&kafka.settings, topic, TIMEOUT_MS, &count, err);
    setup_kafka_fini(&kafka);
    reading->partitions = count > reading->partitions ? count : reading->partitions;
    for (int partition = 0; partition < count && status == ST_OK; partition++) {
        if (reading->only < 0 || reading->only == partition) {
            status = show_partition(reading, changelog, topic, partition, err);
        }
    }
    return status;
}

static void print_sums(const struct render_state *show) {
    if (show->json) {
        return;
    }
    printf("%lld applications, %lld pipelines, %lld alerts, %lld keys, %lld bytes",
           (long long)show->applications, (long long)show->pipelines, (long long)show->alerts,
           (long long)show->keys, (long long)show->bytes);
    printf(show->unreadable > 0 ? ", %lld unreadable\n" : "\n", (long long)show->unreadable);
}

static int show(struct reading *reading, const struct config *config) {
    struct setup_kafka kafka;
    struct err err = {0};
    struct changelog *changelog = NULL;
    setup_kafka_init(&kafka, config, KAFKA_CONSUMER);
    enum status status =
        changelog_new(&kafka.settings, config_text(config, "agent.group"), &changelog, &err);
    for (enum topic t = 0; t < TOPIC_COUNT && status == ST_OK; t++) {
        if (topic_row(t)->use == TOPIC_STATE) {
            const char *topic = config_text(config, topic_row(t)->setting);
            status = show_topic(reading, config, changelog, topic, &err);
        }
    }
    changelog_free(changelog);
    setup_kafka_fini(&kafka);
    if (status != ST_OK) {
        command_failed(reading->args, "%s", err.text);
        return status == ST_FATAL ? EXIT_CONFIG : EXIT_FAILED;
    }
    if (reading->only >= reading->partitions) {
        return command_failed(reading->args, "there is no partition %lld, only 0 to %d",
                              (long long)reading->only, reading->partitions - 1);
    }
    if (!reading->show.values) {
        print_sums(&reading->show);
    }
    return reading->show.unreadable == 0
               ? EXIT_FINE
               : command_failed(reading->args, "%lld values cannot be read",
                                (long long)reading->show.unreadable);
}

static int print_schema(void) {
    struct buf page = {0};
    render_state_schema(&page);
    fputs(buf_text(&page), stdout);
    buf_fini(&page);
    return EXIT_FINE;
}

static int run(const struct command_args *args) {
    const char *partition = command_value(args, "partition");
    struct reading reading = {.args = args, .only = -1};
    if (args->rest_count > 0) {
        return command_usage_error(args, "takes no argument: %s", args->rest[0]);
    }
    if (command_value(args, "schema") != NULL) {
        return print_schema();
    }
    if (command_value(args, "app") != NULL && command_value(args, "pipeline") != NULL) {
        return command_usage_error(args, "give --app or --pipeline, not both");
    }
    int format = command_choice(args, "format", formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    if (partition != NULL && (!str_to_i64(str_of(partition), &reading.only) || reading.only < 0)) {
        return command_usage_error(args, "--partition wants a number, not %s", partition);
    }
    reading.show = (struct render_state){.app = command_value(args, "app"),
                                         .pipeline = command_value(args, "pipeline"),
                                         .values = command_value(args, "values") != NULL,
                                         .json = format == FORMAT_JSON,
                                         .line = print_line};
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = show(&reading, config);
    config_free(config);
    return code;
}

const struct command command_state = {
    .name = "state",
    .summary = "show what the agents keep in Kafka",
    .usage = "[--app ID | --pipeline NAME] [--partition N] [--values] [--format text|json] -c FILE",
    .details = "Reads the state topics as a restart would, committed records only, and prints one "
               "line per\napplication and pipeline; with --values every value, field by field.\n\n"
               "  stoker state -c stoker.yaml\n"
               "  stoker state -c stoker.yaml --app application_1_0001 --values --format json\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
