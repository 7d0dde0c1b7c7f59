// cmd_compare: `stoker compare A B`: two runs of a pipeline held against each other, of their event
// logs, judged by the engine of the live agent, or as their records in the topics tell them. What
// differs and why is room runs' to work out.
#include <unistd.h>

#include "commands/terminal.h"
#include "judged.h"
#include "present/render_runs.h"
#include "recall.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", "text (default) or json"},
    {"all", 'a', NULL, "text: stages that hardly differ, too"},
    RECALL_OPTIONS,
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

static int compare_logs(const struct command_args *args, const struct config *config, int format) {
    struct judged judged;
    judged_init(&judged, args, config);
    struct run_facts *a = judged_facts(&judged, args->rest[0]);
    struct run_facts *b = judged_facts(&judged, args->rest[1]);
    int code = a == NULL || b == NULL ? EXIT_FAILED : print(args, format, a, b);
    run_facts_free(a);
    run_facts_free(b);
    judged_fini(&judged);
    return code;
}

static struct run_facts *recalled_facts(struct recall *recall, const struct history_run *run) {
    struct pipeline_run record;
    if (run == NULL || !recall_run(recall, run, &record)) {
        return NULL;
    }
    struct run_facts *facts = run_facts_of_record(&record);
    pipeline_run_fini(&record);
    return facts;
}

// Those that were named, or the one that ended last and the last one before it that succeeded.
// False, and it was said why, if there are not two.
static bool choose(struct recall *recall, const struct history_run **a,
                   const struct history_run **b) {
    const struct command_args *args = recall->args;
    if (args->rest_count == 2) {
        *a = recall_find(recall, args->rest[0]);
        *b = recall_find(recall, args->rest[1]);
        return *a != NULL && *b != NULL;
    }
    *b = history_last(&recall->history);
    *a = *b == NULL ? NULL : history_before(&recall->history, *b);
    if (*a == NULL) {
        (void)command_failed(args, "%s: %s", recall->pipeline,
                             *b == NULL
                                 ? "no run has ended yet"
                                 : "no run succeeded before the one that ended last; name two");
    }
    return *a != NULL;
}

static int compare_recalled(struct recall *recall, const struct config *config, int format) {
    const struct history_run *first = NULL, *second = NULL;
    int code = recall_open(recall, config);
    if (code == EXIT_FINE) {
        bool two = choose(recall, &first, &second);
        struct run_facts *a = two ? recalled_facts(recall, first) : NULL;
        struct run_facts *b = two ? recalled_facts(recall, second) : NULL;
        code = a == NULL || b == NULL ? EXIT_FAILED : print(recall->args, format, a, b);
        run_facts_free(a);
        run_facts_free(b);
    }
    recall_close(recall);
    return code;
}

static int run(const struct command_args *args) {
    struct recall recall;
    bool recalled;
    int code = EXIT_FINE, format = command_choice(args, "format", formats);
    if (format < 0 || recall_line(&recall, args, &recalled) != EXIT_FINE) {
        return EXIT_USAGE;
    }
    if (recalled && args->rest_count != 0 && args->rest_count != 2) {
        return command_usage_error(args,
                                   "which two runs? (none: the last one and the last before it "
                                   "that succeeded)");
    }
    if (!recalled && args->rest_count != 2) {
        return command_usage_error(args, "which two logs? (or --pipeline NAME, out of the topics)");
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code =
        recalled ? compare_recalled(&recall, config, format) : compare_logs(args, config, format);
    config_free(config);
    return code;
}

const struct command command_compare = {
    .name = "compare",
    .summary = "hold two runs of a pipeline against each other",
    .usage = "[--format text|json] A B | --pipeline NAME [RUN_A RUN_B]",
    .details =
        "A and B are event logs, as for analyze: A the earlier or better run, B the one in "
        "question.\n"
        "Stages are matched by what they do (place in the code, operators, number among equals), "
        "not by\n"
        "their numbers. For each that got slower or faster: by how many seconds, and why; besides, "
        "what\n"
        "was set otherwise, and which findings are new, worse or gone. With --pipeline the two are "
        "known\n"
        "by their records in topics.runs, which tell less, and it is said what; a RUN is a run id "
        "or "
        "an\n"
        "application id, without both it is the one that ended last (B) and the last before it "
        "that\n"
        "succeeded (A).\n\n"
        "  stoker compare app-20260101-0001.zstd app-20260102-0001.zstd\n"
        "  stoker compare --format json A B | jq '.stages[0]'\n"
        "  stoker compare -c stoker.yaml --pipeline nightly-orders\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
