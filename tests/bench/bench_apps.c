// bench_apps LOG N...: feeds the first half of a real log under N application ids at once, so that
// all are live with open stages, and prints the memory each N takes. Run by tests/bench/run.sh.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/quiet.h"
#include "base/mem.h"
#include "eventlog/eventlog.h"
#include "resident.h"

static void measure(const char *path, long applications) {
    struct err err = {0};
    struct eventlog *log = NULL;
    if (eventlog_open(path, &log, &err) != ST_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    struct decoder *decoder = decoder_new(&plain_decode);
    struct engine_options options;
    engine_options_init(&options);
    struct engine *engine = engine_new(&options, decoder, &quiet_engine);
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
