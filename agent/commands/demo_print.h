// demo_print: what the demo shows: a line per finding when it is judged, and a summary per
// pipeline.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/run.h"

struct demo_print {
    bool color;
    int width;
    int64_t started_ms;
    struct pipeline_run *runs; // newest update of each run, owned copies of what is shown
    size_t run_count, run_cap;
};

void demo_print_init(struct demo_print *print, bool color, int width);
void demo_print_fini(struct demo_print *print);
void demo_print_begin(struct demo_print *print, size_t logs, uint16_t http_port, double speed);
// Hooks of the agent; ctx is the struct demo_print.
void demo_print_bottleneck(void *ctx, const struct run_identity *identity,
                           const struct bottleneck *bottleneck);
void demo_print_run(void *ctx, const struct pipeline_run *run);
// Runs that have ended.
size_t demo_print_ended(const struct demo_print *print);
void demo_print_summary(struct demo_print *print);
