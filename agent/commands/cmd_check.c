// cmd_check: `stoker check`: all mistakes of a configuration at once, and with --connect whether
// the world around fits: the topics and the Alertmanagers. Changes nothing anywhere.
#include <stdio.h>

#include "commands/doctor.h"
#include "commands/setup.h"

enum { TIMEOUT_MS = 15000 };

static int run(const struct command_args *args) {
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    struct config *config = setup_config_raw(args);
    int code = EXIT_FINE;
    if (!setup_all_good(config)) {
        code = EXIT_CONFIG;
    } else if (command_value(args, "connect") != NULL) {
        code = doctor_examine(args, config, true, false, TIMEOUT_MS, 0);
    } else {
        printf("ok    %s\n", args->config_file != NULL ? args->config_file : "settings");
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
