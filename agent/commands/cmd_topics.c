// cmd_topics: `stoker topics --create|--verify`: makes the agent's topics, or looks whether they
// fit.
#include <stdio.h>

#include "commands/setup.h"
#include "kafka/topics.h"

enum { TIMEOUT_MS = 30000 };

static const struct command_option options[] = {
    {"create", 0, NULL, "make the topics that are missing"},
    {"verify", 0, NULL, "look at every topic; fails if one is missing or does not fit"},
};

static void print_line(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    const struct command_args *args = ctx;
    static const char *const words[] = {"ok", "note", "WRONG", "WRONG"};
    static const char *const colors[] = {"\033[32m", "\033[33m", "\033[31m", "\033[31m"};
    struct buf line = {0};
    buf_printf(&line, "%s%-5s%s ", args->color_out ? colors[mark] : "", words[mark],
               args->color_out ? "\033[0m" : "");
    buf_add_printable(&line, str_of(topic));
    buf_add_text(&line, ": ");
    buf_add_printable(&line, str_of(text));
    puts(buf_text(&line));
    buf_fini(&line);
}

static int ask(const struct command_args *args, const struct config *config, bool create) {
    struct topic_spec specs[TOPIC_COUNT];
    size_t count = setup_topics(config, specs), wrong = 0;
    struct setup_kafka kafka;
    struct err err = {0};
    struct topics_report report = {(void *)args, print_line};
    setup_kafka_init(&kafka, config, KAFKA_PRODUCER);
    enum status status =
        create ? topics_create(&kafka.settings, specs, count, TIMEOUT_MS, report, &wrong, &err)
               : topics_verify(&kafka.settings, specs, count, TIMEOUT_MS, report, &wrong, &err);
    setup_kafka_fini(&kafka);
    if (status != ST_OK) {
        command_failed(args, "%s", err.text);
        return status == ST_FATAL ? EXIT_CONFIG : EXIT_FAILED;
    }
    return wrong == 0 ? EXIT_FINE
                      : command_failed(args, "%zu of %zu topics are wrong", wrong, count);
}

static int run(const struct command_args *args) {
    bool create = command_value(args, "create") != NULL,
         verify = command_value(args, "verify") != NULL;
    if (create == verify || args->rest_count > 0) {
        return command_usage_error(args, "give one of --create and --verify");
    }
    int code = EXIT_FINE;
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = ask(args, config, create);
    config_free(config);
    return code;
}

const struct command command_topics = {
    .name = "topics",
    .summary = "make the agent's topics, or check them",
    .usage = "--create|--verify -c FILE",
    .details =
        "The agent never makes topics by itself. --create uses the broker's default "
        "replication and\n"
        "topics.partitions; the state topics are compacted and get as many partitions as\n"
        "their input really has. A topic that exists is left as it is. --verify also tells\n"
        "limits (max.message.bytes) below what may be written: dead letters are as large as\n"
        "input.max_message_bytes lets messages in.\n\n"
        "  stoker topics --create -c stoker.yaml\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
