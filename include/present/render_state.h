// render_state: what a partition of a state topic holds, for people or as JSON, and the reference
// page of what values are made of. Pure functions from a table of keys and values to lines.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "keep/table.h"

struct render_state {
    const char *app, *pipeline; // only of this application, or of this pipeline; NULL: of all
    bool values, json;          // every value instead of a line per owner; for programs
    // Takes a line (with --values for people two) without its end; borrowed for the call.
    void (*line)(void *ctx, const char *text);
    void *ctx;
    // Sums over what was shown. `unreadable` counts values that this release cannot read.
    int64_t applications, pipelines, alerts, keys, bytes, unreadable;
};

// Shows one partition of the topic, and adds to the sums. At most one of app and pipeline is set.
void render_state_partition(struct render_state *render, const char *topic, int32_t partition,
                            const struct keep_table *table);
// Appends the tables of all kinds of values, as Markdown.
void render_state_schema(struct buf *out);
