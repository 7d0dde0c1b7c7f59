// demo_logs: the real event logs that travel inside the program for `stoker demo`, and a folder for
// them while it runs.
#pragma once

#include <stddef.h>

#include "base/err.h"

enum { DEMO_LOGS_MAX = 16 };

struct demo_logs {
    char folder[64];
    char *paths[DEMO_LOGS_MAX]; // owned
    size_t count;
};

// Writes the logs to a fresh folder under TMPDIR (or /tmp).
enum status demo_logs_unpack(struct demo_logs *logs, struct err *err) MUST_USE;
// Removes the folder with what is in it.
void demo_logs_remove(struct demo_logs *logs);
