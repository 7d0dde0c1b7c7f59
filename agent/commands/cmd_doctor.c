// cmd_doctor: `stoker doctor`: what is missing between Spark and a verdict, in one screen. Changes
// nothing, joins no group.
#include <stdio.h>

#include "base/log.h"
#include "base/span.h"
#include "commands/doctor.h"
#include "commands/setup.h"

enum { TIMEOUT_MS = 30000, RECORDS = 200, RECORDS_MAX = 100000 };

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

static const struct command_option options[] = {
    {"timeout", 0, "TIME", "how long it may take in all (30s)"},
    {"records", 'n', "N", "how many of the newest events to look at (200)"},
    {"format", 'f', "FORMAT", "text (default) or json"},
};

// What the checks find wrong they say themselves; the library's own lines are for --log-level.
static void quiet(const struct command_args *args) {
    enum log_level level = LOG_ERROR;
    if (args->log_level != NULL) {
        (void)log_parse_level(args->log_level, &level);
    }
    log_configure(level, LOG_LOGFMT);
}

static int run(const struct command_args *args) {
    const char *timeout = command_value(args, "timeout"), *records = command_value(args, "records");
    int64_t timeout_ms = TIMEOUT_MS, count = RECORDS;
    if (args->rest_count != 0) {
        return command_usage_error(args, "%s is too much", args->rest[0]);
    }
    int format = command_choice(args, "format", formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    if (timeout != NULL &&
        (!span_parse_ms(str_of(timeout), 1000, &timeout_ms) || timeout_ms < 1000)) {
        return command_usage_error(args, "--timeout wants a time of at least 1s, not %s", timeout);
    }
    if (records != NULL &&
        (!str_to_i64(str_of(records), &count) || count < 1 || count > RECORDS_MAX)) {
        return command_usage_error(args, "--records wants a number from 1 to %d, not %s",
                                   RECORDS_MAX, records);
    }
    struct config *config = setup_config_raw(args);
    quiet(args);
    int code = setup_all_good(config)
                   ? doctor_examine(args, config, false, format == FORMAT_JSON, timeout_ms, count)
                   : EXIT_CONFIG;
    config_free(config);
    return code;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "say in one screen what is missing between Spark and a verdict",
    .usage = "[-c FILE] [--timeout TIME] [--records N] [--format text|json]",
    .details =
        "Looks at the brokers, the topics, what the user may do, the newest events (how old, "
        "whose, "
        "by\nwhom they were sent, whether they decode), the agents of the group and how far they "
        "are behind,\nthe Alertmanagers and the agent's own port. A line each: ok, warn or FAIL, "
        "and below it what\nmends it. Exits 1 if something fails, 78 if the settings are wrong.\n"
        "\n"
        "Reads without joining the group and moves no position. To learn what the user may write, "
        "it opens\na transaction for each output under the id GROUP-doctor and takes it back: no "
        "record is written.\n"
        "\n"
        "  stoker doctor -c stoker.yaml\n"
        "  stoker doctor -c stoker.yaml --format json | jq '.checks[] | select(.mark == "
        "\"FAIL\")'\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
