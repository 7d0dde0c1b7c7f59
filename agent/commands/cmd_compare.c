// cmd_compare: `stoker compare A B`: two event logs of a pipeline held against each other. Both are
// judged by the engine of the live agent; what differs and why is room runs' to work out.
#include <unistd.h>

#include "commands/terminal.h"
#include "judged.h"
#include "present/render_runs.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", "text (default) or json"},
    {"all", 'a', NULL, "text: stages that hardly differ, too"},
};

enum { FORMAT_TEXT, FORMAT_JSON };
static const char *const formats[] = {"text", "json", NULL};

static int print(const struct command_args *args, int format, const struct run_facts *a,
                 const struct run_facts *b) {
    struct render_style style = {.color = args->color_out,
                                 .width = terminal_width(STDOUT_FILENO),
                                 .all = command_value(args, "all") != NULL};
    struct comparison comparison;
    struct buf out = {0};
    comparison_init(&comparison, a, b);
    if (format == FORMAT_JSON) {
        render_compare_json(&out, &comparison);
    } else {
        render_compare_text(&out, &comparison, &style);
    }
    int code = command_print(args, &out);
    comparison_fini(&comparison);
    buf_fini(&out);
    return code;
}

static int run(const struct command_args *args) {
    struct judged judged;
    int code = EXIT_FINE, format = command_choice(args, "format", formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    if (args->rest_count != 2) {
        return command_usage_error(args, "which two logs?");
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    judged_init(&judged, args, config);
    struct run_facts *a = judged_facts(&judged, args->rest[0]);
    struct run_facts *b = judged_facts(&judged, args->rest[1]);
    code = a == NULL || b == NULL ? EXIT_FAILED : print(args, format, a, b);
    run_facts_free(a);
    run_facts_free(b);
    judged_fini(&judged);
    config_free(config);
    return code;
}

const struct command command_compare = {
    .name = "compare",
    .summary = "hold two runs of a pipeline against each other",
    .usage = "[--format text|json] A B",
    .details =
        "A and B are event logs, as for analyze: A the earlier or better run, B the one in "
        "question.\n"
        "Stages are matched by what they do (place in the code, operators, number among equals), "
        "not by\n"
        "their numbers. For each that got slower or faster: by how many seconds, and why; besides, "
        "what\n"
        "was set otherwise, and which findings are new, worse or gone.\n\n"
        "  stoker compare app-20260101-0001.zstd app-20260102-0001.zstd\n"
        "  stoker compare --format json A B | jq '.stages[0]'\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
