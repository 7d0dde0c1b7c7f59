// quiet: what tests, fuzzers and benchmarks need where it does not matter: the plain options of a
// decoder, outputs nobody listens to, and a table that takes what is kept. Knows no cmocka.
#pragma once

#include "engine/engine.h"
#include "fleet/pipelines.h"
#include "keep/table.h"

// The largest message as by default, and no wrapper of one's own.
static const struct decode_options plain_decode = {.max_bytes = 32 << 20,
                                                   .wrapper_event_key = "",
                                                   .wrapper_app_key = "",
                                                   .wrapper_attempt_key = ""};

static inline void quiet_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx, (void)run;
}
static inline void quiet_bottleneck(void *ctx, const struct run_identity *identity,
                                    const char *run_id, const struct bottleneck *bottleneck) {
    (void)ctx, (void)identity, (void)run_id, (void)bottleneck;
}
static inline void quiet_recommendation(void *ctx, const struct run_identity *identity,
                                        const char *run_id, const struct recommendation *advice) {
    (void)ctx, (void)identity, (void)run_id, (void)advice;
}
static const struct engine_output quiet_engine = {NULL, quiet_run, quiet_bottleneck,
                                                  quiet_recommendation};
static inline void quiet_window(void *ctx, const struct pipeline_window *window) {
    (void)ctx, (void)window;
}
static inline void quiet_alert(void *ctx, const struct alert *alert) {
    (void)ctx, (void)alert;
}
static const struct pipelines_output quiet_pipelines = {NULL, quiet_window, quiet_alert,
                                                        quiet_recommendation};

// A keep_each_fn; ctx is a struct keep_table.
static inline void table_put(void *ctx, struct str key, struct str value) {
    keep_table_put((struct keep_table *)ctx, key, value);
}
