// log: one line per event to stderr, `time=... level=... event=... key=value ...` (logfmt) or JSON.
// Written where an error is handled, never where it is passed on. Values are escaped; the text of a
// Spark message must never be a value.
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "base/compiler.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

// Sets what is written from here on; thread-safe to call once at start. Default: info, logfmt.
void log_configure(enum log_level level, enum log_format format);
// The names of the levels in their order, NULL at the end.
extern const char *const log_level_names[];
// Parses one of them. False on other text.
bool log_parse_level(const char *text, enum log_level *out);
// True if lines of this level are written.
bool log_enabled(enum log_level level);

// Writes one line. `event` is a fixed snake_case name. `fmt` gives further fields as
// "key=%s other=%d" (one value per field, fields separated by one space); values are escaped and
// quoted as needed. At most 1,024 bytes a value. Safe from any thread.
void log_write(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_debug(event, ...) log_write(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)

// A complaint that repeats: says true the first time and then at most every `interval_ms`, counting
// what was held back. One static struct per call site, zero-initialised; single-threaded use.
struct log_gate {
    long long next_ms;
    unsigned long suppressed;
};
// True if the caller should log now; *suppressed (may be NULL) gets how many were held back.
bool log_gate_open(struct log_gate *gate, long long now_ms, long long interval_ms,
                   unsigned long *suppressed);
