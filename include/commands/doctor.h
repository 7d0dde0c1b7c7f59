// doctor: the checks of `stoker doctor` and `stoker check --connect`: each is a function
// doctor_<name> and a row of doctor_checks.def, looks at one thing of the world around the agent,
// and says lines: what is so, and if it is not well, the command or setting that mends it. A check
// changes nothing, waits for Kafka no longer than is left (for receivers of alerts as long as the
// agent would), and goes on where a later question can still be answered. What a line says has gone
// through the printable escaper; no line has a secret.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json_writer.h"
#include "commands/command.h"
#include "config/config.h"
#include "model/topic.h"

enum doctor_mark { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_SKIPPED, DOCTOR_MARKS };

struct doctor {
    const struct command_args *args;
    const struct config *config;
    bool json;
    int64_t deadline_ms, records_max;
    // What a check found and later ones need.
    bool answered;             // a broker did
    bool present[TOPIC_COUNT]; // topics that are there and may be seen
    int partitions;            // of topics.events
    int64_t lag;               // of the group on topics.events, -1: not known
    // What is said.
    const char *check; // whose lines come now
    unsigned said[DOCTOR_MARKS];
    struct buf page; // of the JSON form
    struct json_writer writer;
};

#define DOCTOR_CHECK(name, kafka, connect) void doctor_##name(struct doctor *doctor);
#include "commands/doctor_checks.def"
#undef DOCTOR_CHECK

// One line, printed at once; `remedy` ("" if none) is what a user types or sets.
void doctor_say(struct doctor *doctor, enum doctor_mark mark, const char *remedy, const char *fmt,
                ...) PRINTF_LIKE(4, 5);
// What is left of the time, between 100 ms and `most_ms`.
int doctor_left_ms(const struct doctor *doctor, int most_ms);

// Makes all of the checks, or only those of check --connect; EXIT_FINE if none failed. Everything
// is printed to standard output.
int doctor_examine(const struct command_args *args, const struct config *config, bool connect_only,
                   bool json, int64_t timeout_ms, int64_t records_max);
