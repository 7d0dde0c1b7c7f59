// clock: reading and formatting time. Called by live, the doors, replay and the commands; must
// never be called where time is an argument: see the header.
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_mono_ms(void) {
    return clock_mono_ns() / 1000000;
}

void clock_sleep_ms(int64_t ms) {
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

void clock_format_rfc3339(int64_t ms, char out[CLOCK_RFC3339_SIZE]) {
    const int64_t first = -62167219200000, last = 253402300799999; // years 0 and 9999
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t fraction = ms % 1000;
    time_t seconds = (time_t)(ms / 1000);
    if (fraction < 0) {
        fraction += 1000;
        seconds--;
    }
    struct tm utc;
    gmtime_r(&seconds, &utc);
    snprintf(out, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
             (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
             (unsigned)utc.tm_sec % 100, (unsigned)fraction);
}
