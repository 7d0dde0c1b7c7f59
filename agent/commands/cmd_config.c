// cmd_config: `stoker config`: prints the settings in force, a sample file or the reference page.
// The last two are also what config/stoker.yaml and docs/configuration.md are made of
// (deploy/docs.sh).
#include <string.h>

#include "commands/setup.h"

static int run(const struct command_args *args) {
    if (args->rest_count != 1) {
        return command_usage_error(args, "say one of show, sample, doc");
    }
    const char *what = args->rest[0];
    struct buf out = {0};
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    if (strcmp(what, "sample") == 0) {
        config_sample(tables, count, &out);
    } else if (strcmp(what, "doc") == 0) {
        config_doc(tables, count, &out);
        kafka_properties_doc(&out);
    } else if (strcmp(what, "show") == 0) {
        int code = EXIT_FINE;
        struct config *config = setup_config(args, &code);
        if (config == NULL) {
            return code;
        }
        config_show(config, &out);
        config_free(config);
    } else {
        return command_usage_error(args, "there is no page %s; say show, sample or doc", what);
    }
    int code = command_print(args, &out);
    buf_fini(&out);
    return code;
}

const struct command command_config = {
    .name = "config",
    .summary = "print the settings in force, a sample file or the reference page",
    .usage = "show [-c FILE] | sample | doc",
    .details = "show prints every setting with where its value comes from; secrets as [hidden].\n"
               "sample prints a commented file with every setting at its default.\n"
               "doc prints the reference page (Markdown).\n"
               "\n"
               "Examples:\n"
               "  stoker config sample > stoker.yaml\n"
               "  STOKER_KAFKA__BROKERS=kafka:9092 stoker config show -c stoker.yaml\n",
    .takes_config = true,
    .run = run,
};
