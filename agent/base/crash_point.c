// crash_point: see the header. Called from any thread of the live agent; empty in what users run.
#include "base/crash_point.h"

#ifdef STOKER_CRASH_POINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic int passed;

static bool is_due(const char *name) {
    const char *wanted = getenv("CRASH_POINT");
    size_t len = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, len) != 0 || wanted[len] != ':') {
        return false;
    }
    return atomic_fetch_add(&passed, 1) + 1 == atoi(wanted + len + 1);
}

void crash_point(const char *name) {
    if (is_due(name)) {
        kill(getpid(), SIGKILL);
    }
}

static void *kill_soon(void *unused) {
    (void)unused;
    usleep(3000);
    kill(getpid(), SIGKILL);
    return NULL;
}

void crash_point_soon(const char *name) {
    pthread_t thread;
    if (is_due(name)) {
        pthread_create(&thread, NULL, kill_soon, NULL);
    }
}
#endif
