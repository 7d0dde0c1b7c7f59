// clock: the only place that reads a clock. Called by live, the doors, replay, the commands and the
// log; every room below live that is no door takes time as an argument and must never include this
// header.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Milliseconds since 1970 UTC.
int64_t clock_wall_ms(void);
// Nanoseconds of a clock that never steps back; the origin means nothing.
int64_t clock_mono_ns(void);
// Milliseconds of the same clock.
int64_t clock_mono_ms(void);
// Sleeps; returns early on a signal.
void clock_sleep_ms(int64_t ms);

// Writes `ms` since 1970 as RFC 3339 UTC with milliseconds ("2026-01-02T03:04:05.678Z", 24 bytes
// and NUL). Times outside years 0..9999 are clamped.
#define CLOCK_RFC3339_SIZE 25
void clock_format_rfc3339(int64_t ms, char out[CLOCK_RFC3339_SIZE]);
