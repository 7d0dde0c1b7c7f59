// bench_apps LOG N...: feeds the first half of a real log under N application ids at once, so that
// all are live with open stages, and prints the memory each N takes. Run by tests/bench/run.sh.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "eventlog/eventlog.h"
#include "resident.h"

static void no_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    (void)run;
}
static void no_bottleneck(void *ctx, const struct run_identity *identity, const char *run_id,
                          const struct bottleneck *bottleneck) {
    (void)ctx;
    (void)identity;
    (void)run_id;
    (void)bottleneck;
}
static void no_recommendation(void *ctx, const struct run_identity *identity, const char *run_id,
                              const struct recommendation *recommendation) {
    (void)ctx;
    (void)identity;
    (void)run_id;
    (void)recommendation;
}

static void measure(const char *path, long applications) {
    struct err err = {0};
    struct eventlog *log = NULL;
    if (eventlog_open(path, &log, &err) != ST_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    struct decode_options decode = {.max_bytes = 32 << 20,
                                    .wrapper_event_key = "",
                                    .wrapper_app_key = "",
                                    .wrapper_attempt_key = ""};
    struct decoder *decoder = decoder_new(&decode);
    struct engine_options options;
    engine_options_init(&options);
    struct engine_output output = {NULL, no_run, no_bottleneck, no_recommendation};
    struct engine *engine = engine_new(&options, decoder, &output);
    long before = resident_kib(), events = 0;
    struct str line;
    size_t readable;
    while (events < 200 && eventlog_next(log, &line, &readable, &err) == ST_OK && line.p != NULL) {
        for (long a = 0; a < applications; a++) {
            char key[32];
            int len = snprintf(key, sizeof key, "app-%ld", a);
            struct message message = {
                .value = line, .key = {key, (size_t)len}, .topic = "bench", .offset = events};
            if (engine_feed(engine, &message, readable, NULL, &err) == ST_FATAL) {
                exit(1);
            }
        }
        events++;
    }
    long used = resident_kib() - before;
    printf("%ld live applications, %ld events each: %.1f MiB, %.1f KiB an application\n",
           applications, events, (double)used / 1024, (double)used / (double)applications);
    engine_free(engine);
    decoder_free(decoder);
    eventlog_free(log);
}

int main(int argc, char **argv) {
    for (int i = 2; i < argc; i++) {
        fflush(stdout);
        pid_t child = fork(); // a fresh heap for each
        if (child == 0) {
            measure(argv[1], atol(argv[i]));
            fflush(stdout);
            _exit(0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
            return 1;
        }
    }
    return argc > 2 ? 0 : 64;
}
