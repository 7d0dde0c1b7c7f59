// recall: the runs of one pipeline out of the topics that an agent writes, for the commands that
// take
// --pipeline: report, compare, advise. Reads committed records and nothing else of Kafka; joins no
// group. Says on standard error what could not be read and what was left out, and shows how far it
// is on a terminal.
#pragma once

#include "commands/setup.h"
#include "kafka/past.h"
#include "runs/given.h"
#include "runs/history.h"

// Options of those commands, at the end of their own.
#define RECALL_OPTIONS                                                                             \
    {"pipeline", 'p', "NAME",                                                                      \
     "of the runs of this pipeline, out of topics.runs, instead of logs"},                         \
        {"brokers", 0, "LIST", "with --pipeline: brokers, instead of kafka.brokers"},              \
        {"since", 0, "AGE|DATE", "with --pipeline: of records written since (30d, 2026-11-30)"}, { \
        "limit", 0, "N", "with --pipeline: of the N runs that began last (default: 1000)"          \
    }

struct recall {
    const struct command_args *args;
    const struct config *config;
    const char *pipeline;
    int64_t since_ms; // 0: from the beginning
    int64_t limit;
    // Once it is open.
    struct setup_kafka kafka;
    struct avro_codec *codec;
    struct past *past;
    struct history history;
};

// What the line says of it. *wanted: it gives --pipeline. EXIT_USAGE, and it was said why, if an
// option makes no sense.
int recall_line(struct recall *recall, const struct command_args *args, bool *wanted) MUST_USE;
// Reads the runs. Anything but EXIT_FINE was explained; recall_close must follow in every case.
// `config` must outlive it. With EXIT_FINE there is a run at least.
int recall_open(struct recall *recall, const struct config *config) MUST_USE;
void recall_close(struct recall *recall);

// The run of that run id or application id; NULL, and it was said, if there is none.
const struct history_run *recall_find(struct recall *recall, const char *word);
// The whole of a run, read again where it lies; released with pipeline_run_fini. False, and it was
// said why, if it is not there any more.
bool recall_run(struct recall *recall, const struct history_run *run, struct pipeline_run *out);
// Fills *given, which was begun, from topics.recommendations. False, and it was said why, if that
// cannot be read.
bool recall_given(struct recall *recall, struct given *given);
