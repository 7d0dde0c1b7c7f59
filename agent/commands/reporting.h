// reporting: a benchmark report out of event logs, for the commands report and bench-job.
#pragma once

#include "judged.h"
#include "runs/groups.h"

enum reporting_format { REPORTING_MARKDOWN, REPORTING_JSON, REPORTING_HTML };
// Its words, for command_choice.
extern const char *const reporting_formats[];

// Adds the log's runs, as of the size that was asked for, if any was. False, and it was said why,
// if the log cannot be read.
bool reporting_add(struct judged *judged, struct report *report, const char *path,
                   const char *asked);
// Prints a report that was built. Returns an exit code.
int reporting_print(const struct command_args *args, const struct report *report,
                    const char *baseline, enum reporting_format format);
