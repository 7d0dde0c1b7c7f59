// terminal: what kind of place standard output and error are: colour, width, and a progress bar for
// long work that only ever shows on a terminal.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// True if a stream may be coloured: `choice` is "always", "never" or "auto" (NULL counts as auto):
// a terminal, NO_COLOR unset or empty, TERM not "dumb".
bool terminal_color(int fd, const char *choice);
// Columns of the terminal, 100 if it is none; between 40 and 120.
int terminal_width(int fd);

// A bar on standard error. Nothing is shown if that is no terminal or before the work has taken a
// second.
struct progress {
    const char *what; // borrowed
    const char *more; // put behind it all, NULL: nothing
    int64_t started_ms, shown_ms;
    bool on, visible;
};
// Starts the bar's clock; shows nothing yet.
void progress_begin(struct progress *progress, const char *what);
// done of total bytes (total 0: unknown). Cheap: draws at most ten times a second.
void progress_update(struct progress *progress, uint64_t done_bytes, uint64_t total_bytes);
// Words in place of the bar, as often and as soon as it; cut to the line.
void progress_words(struct progress *progress, const char *words);
// Wipes the bar.
void progress_end(struct progress *progress);
