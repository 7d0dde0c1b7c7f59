// cmd_report: `stoker report LOG...`: a benchmark report of many runs, from their event logs or out
// of the topics: by pipeline and data size, averages with their spread, performance against a
// baseline.
#include <stdio.h>

#include "recall.h"
#include "reporting.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", "markdown (default), json or html"},
    {"baseline", 'b', "RUN|TAG|DATE",
     "the others are held against it: an application id, a log, a tag or a day"},
    RECALL_OPTIONS,
};

// Marks what the word names, and prints. `kinds` is what it may name.
static int finish(const struct command_args *args, struct report *report, const char *kinds,
                  enum reporting_format format) {
    const char *baseline = command_value(args, "baseline");
    if (baseline != NULL && report_set_baseline(report, baseline) == 0) {
        return command_failed(args,
                              "--baseline %s names no run: it is neither %s nor the day of one",
                              baseline, kinds);
    }
    if (report->run_count == 0) {
        return EXIT_FAILED;
    }
    report_build(report);
    return reporting_print(args, report, baseline, format);
}

static int report_all(const struct command_args *args, const struct config *config,
                      enum reporting_format format) {
    struct judged judged;
    struct report report = {0};
    bool good = true;
    judged_init(&judged, args, config);
    for (int i = 0; i < args->rest_count; i++) {
        good &= reporting_add(&judged, &report, args->rest[i], NULL);
    }
    int code = finish(args, &report, "an application id, a log, a tag", format);
    report_fini(&report);
    judged_fini(&judged);
    return good ? code : EXIT_FAILED;
}

static int report_recalled(struct recall *recall, const struct config *config,
                           enum reporting_format format) {
    struct report report = {0};
    int code = recall_open(recall, config);
    for (uint32_t i = 0; i < recall->history.count && code == EXIT_FINE; i++) {
        const struct history_run *run = recall->history.runs[i];
        char place[RUN_TEXT_MAX + 64];
        snprintf(place, sizeof place, "%s partition %d offset %lld",
                 config_text(config, topic_row(TOPIC_RUNS)->setting), (int)run->partition,
                 (long long)run->offset);
        report_run_of_record(report_add(&report), &run->run, place);
    }
    if (code == EXIT_FINE) {
        code = finish(recall->args, &report, "an application id, a run id", format);
    }
    report_fini(&report);
    recall_close(recall);
    return code;
}

static int run(const struct command_args *args) {
    int code = EXIT_FINE, format = command_choice(args, "format", reporting_formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    struct recall recall;
    bool recalled;
    if (recall_line(&recall, args, &recalled) != EXIT_FINE) {
        return EXIT_USAGE;
    }
    if (recalled && args->rest_count > 0) {
        return command_usage_error(args, "--pipeline is for runs out of the topics, not for %s",
                                   args->rest[0]);
    }
    if (!recalled && args->rest_count == 0) {
        return command_usage_error(args, "which logs? (or --pipeline NAME, out of the topics)");
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = recalled ? report_recalled(&recall, config, (enum reporting_format)format)
                    : report_all(args, config, (enum reporting_format)format);
    config_free(config);
    return code;
}

const struct command command_report = {
    .name = "report",
    .summary = "a benchmark report of many runs, by data size",
    .usage = "[--format markdown|json|html] [--baseline RUN|TAG|DATE] LOG... | --pipeline NAME",
    .details =
        "A LOG is an event log, as for analyze. Runs stand by pipeline and by how much data they "
        "read:\n"
        "average duration, average throughput and performance ratio with their spread. Without\n"
        "--baseline the smallest size is it, which shows how the pipeline scales. A tag is a word "
        "of\n"
        "spark.yarn.tags, or a folder on the log's path. Runs that failed, have not ended or of "
        "which\n"
        "much is missing are named and in no average. With --pipeline the runs are those that an\n"
        "agent has written records of (topics.runs), as of their newest; these have no tags.\n\n"
        "  stoker report --baseline v1 logs/v1/* logs/v2/*\n"
        "  stoker report --format html /mnt/spark-events/app-* > report.html\n"
        "  stoker report -c stoker.yaml --pipeline nightly-orders --since 30d\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
