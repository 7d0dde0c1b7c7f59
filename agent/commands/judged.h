// judged: event logs read to their end by the engine of the live agent, one engine a log, for the
// commands that judge logs: analyze, advise, compare, report, bench-job. Says what cannot be read
// on standard error, and shows how far it is on a terminal.
#pragma once

#include "commands/setup.h"
#include "runs/facts.h"

struct judged {
    const struct command_args *args;
    struct engine_options engine;
    struct decoder *decoder; // owned
    uint64_t skipped;        // lines that could not be used, of all logs
    uint64_t ignored;        // of the last log: lines that never were events
};

// As the settings say; the config must outlive it. Released with judged_fini.
void judged_init(struct judged *judged, const struct command_args *args,
                 const struct config *config);
void judged_fini(struct judged *judged);

typedef void judged_run_fn(void *ctx, const struct app *app, enum run_status status,
                           const struct recommendation *recommendations, uint32_t count);
// Judges the log and hands out its runs. False, and it was said why, if it cannot be read or holds
// no event of Spark.
bool judged_log(struct judged *judged, const char *path, judged_run_fn *each, void *ctx);
// The log's run as facts, the last one if it holds several, which is said. NULL as above; freed
// with run_facts_free.
struct run_facts *judged_facts(struct judged *judged, const char *path);
