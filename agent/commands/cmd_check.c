// cmd_check: `stoker check`: all mistakes of a configuration at once, and with --connect whether
// the world around fits: the topics and the Alertmanagers. Changes nothing anywhere.
#include <stdio.h>
#include <stdlib.h>

#include "commands/setup.h"

enum { TIMEOUT_MS = 15000 };

// Every mistake, those of the kafka.* properties too, so that one run shows them all.
static bool check_settings(const struct config *config) {
    const char *errors = config_errors(config);
    fputs(errors, stderr);
    bool good = setup_kafka_check(config);
    return errors[0] == '\0' && good;
}

static void print_topic(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    static const char *const words[] = {"ok  ", "note", "BAD ", "BAD "};
    struct buf line = {0};
    (void)ctx;
    buf_add_printable(&line, str_of(topic));
    buf_add_text(&line, ": ");
    buf_add_printable(&line, str_of(text));
    printf("%s  topic %s\n", words[mark], buf_text(&line));
    buf_fini(&line);
}

static bool check_topics(const struct config *config) {
    struct topic_spec specs[TOPIC_COUNT];
    size_t count = setup_topics(config, specs), wrong = 0;
    struct topics_report report = {.line = print_topic};
    struct setup_kafka kafka;
    struct err err;
    setup_kafka_init(&kafka, config, KAFKA_PRODUCER);
    enum status status =
        topics_verify(&kafka.settings, specs, count, TIMEOUT_MS, report, &wrong, &err);
    if (status == ST_OK) {
        printf("%s  Kafka at %s\n", "ok  ", kafka.settings.brokers);
    } else {
        printf("%s  Kafka at %s: %s\n", "BAD ", kafka.settings.brokers, err.text);
    }
    setup_kafka_fini(&kafka);
    return status == ST_OK && wrong == 0;
}

static bool check_receivers(const struct alert_target *target) {
    bool good = true;
    for (size_t i = 0; i < target->settings.url_count; i++) {
        struct err err;
        struct buf shown = {0};
        bool ready = alert_doors_probe(target, i, &shown, &err) == ST_OK;
        printf("%s  %s %s%s%s\n", ready ? "ok  " : "BAD ", target->door->title, buf_text(&shown),
               ready ? "" : ": ", ready ? "" : err.text);
        buf_fini(&shown);
        good = good && ready;
    }
    return good;
}

static bool check_alert_doors(const struct config *config) {
    struct setup_alerts alerts;
    bool good = true;
    setup_alerts_init(&alerts, config);
    for (size_t i = 0; i < alerts.count; i++) {
        good = check_receivers(&alerts.targets[i]) && good;
    }
    setup_alerts_fini(&alerts);
    return good;
}

static int run(const struct command_args *args) {
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    struct config *config = setup_config_raw(args);
    int code = EXIT_FINE;
    if (!check_settings(config)) {
        code = EXIT_CONFIG;
    } else {
        printf("ok    %s\n", args->config_file != NULL ? args->config_file : "settings");
        if (command_value(args, "connect") != NULL) {
            bool good = check_topics(config);
            good = check_alert_doors(config) && good;
            code = good ? EXIT_FINE : EXIT_FAILED;
        }
    }
    config_free(config);
    return code;
}

static const struct command_option options[] = {
    {"connect", 0, NULL, "also ask Kafka for the topics and every Alertmanager"},
};

const struct command command_check = {
    .name = "check",
    .summary = "find all mistakes of a configuration",
    .usage = "[-c FILE] [--connect]",
    .details =
        "Reads the settings as run would and prints every mistake with its place.\n"
        "Exits 78 if there is one. With --connect it also looks at the topics and asks every "
        "Alertmanager\nwhether it is ready; exits 1 if something does not fit. Changes "
        "nothing.\n"
        "\n"
        "Examples:\n"
        "  stoker check -c stoker.yaml\n"
        "  stoker check -c stoker.yaml --connect\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
