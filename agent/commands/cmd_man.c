// man: prints the reference pages that need the whole program: the man page and the list of
// metrics. Called by deploy/docs.sh; hidden, because users read the results.
#include <string.h>

#include "commands/command.h"
#include "serve/metrics_doc.h"

static int run(const struct command_args *args) {
    struct buf out = {0};
    if (args->rest_count == 0) {
        command_render_man(&out);
    } else if (args->rest_count == 1 && strcmp(args->rest[0], "metrics") == 0) {
        metrics_doc_render(&out);
    } else {
        return command_usage_error(args, "say nothing, or metrics");
    }
    int code = command_print(args, &out);
    buf_fini(&out);
    return code;
}

const struct command command_man = {
    .name = "man",
    .summary = "print the man page, or the reference of the metrics",
    .usage = "[metrics]",
    .details = "Without an argument: stoker(1). With metrics: docs/metrics.md.\n",
    .hidden = true,
    .run = run,
};
