// state_print: how `stoker state` shows what a partition of a state topic holds. Used by
// cmd_state.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "state/table.h"

struct state_print {
    const char *app, *pipeline; // only of these, NULL: of all
    bool values, json;          // every value; for programs
    // sums over what was shown
    int64_t applications, pipelines, alerts, keys, bytes, unreadable;
};

// Prints one partition's state to standard output.
void state_print_partition(struct state_print *print, const char *topic, int32_t partition,
                           const struct state_table *table);
// Appends the tables of all kinds of values, as Markdown.
void state_print_schema(struct buf *out);
