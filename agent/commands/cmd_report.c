// cmd_report: `stoker report LOG...`: a benchmark report of many runs, from their event logs: by
// pipeline and data size, averages with their spread, performance against a baseline.
#include "reporting.h"

static const struct command_option options[] = {
    {"format", 'f', "FORMAT", "markdown (default), json or html"},
    {"baseline", 'b', "RUN|TAG|DATE",
     "the others are held against it: an application id, a log, a tag or a day"},
};

static int report_all(const struct command_args *args, const struct config *config,
                      enum reporting_format format) {
    const char *baseline = command_value(args, "baseline");
    struct judged judged;
    struct report report = {0};
    bool good = true;
    judged_init(&judged, args, config);
    for (int i = 0; i < args->rest_count; i++) {
        good &= reporting_add(&judged, &report, args->rest[i], NULL);
    }
    int code = EXIT_FAILED;
    if (baseline != NULL && report_set_baseline(&report, baseline) == 0) {
        (void)command_failed(args,
                             "--baseline %s names no run: it is neither an application id, a log, "
                             "a tag nor the day of one",
                             baseline);
    } else if (report.run_count > 0) {
        report_build(&report);
        code = reporting_print(args, &report, baseline, format);
    }
    report_fini(&report);
    judged_fini(&judged);
    return good ? code : EXIT_FAILED;
}

static int run(const struct command_args *args) {
    int code = EXIT_FINE, format = command_choice(args, "format", reporting_formats);
    if (format < 0) {
        return EXIT_USAGE;
    }
    if (args->rest_count == 0) {
        return command_usage_error(args, "which logs?");
    }
    struct config *config = setup_config(args, &code);
    if (config == NULL) {
        return code;
    }
    code = report_all(args, config, (enum reporting_format)format);
    config_free(config);
    return code;
}

const struct command command_report = {
    .name = "report",
    .summary = "a benchmark report of many runs, by data size",
    .usage = "[--format markdown|json|html] [--baseline RUN|TAG|DATE] LOG...",
    .details =
        "A LOG is an event log, as for analyze. Runs stand by pipeline and by how much data they "
        "read:\n"
        "average duration, average throughput and performance ratio with their spread. Without\n"
        "--baseline the smallest size is it, which shows how the pipeline scales. A tag is a word "
        "of\n"
        "spark.yarn.tags, or a folder on the log's path. Runs that failed, have not ended or of "
        "which\n"
        "much is missing are named and in no average.\n\n"
        "  stoker report --baseline v1 logs/v1/* logs/v2/*\n"
        "  stoker report --format html /mnt/spark-events/app-* > report.html\n",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .takes_config = true,
    .run = run,
};
