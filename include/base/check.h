// check: asserts for our own mistakes, on in production too. Never used on input: bad input is
// counted and skipped.
//
// The room is what every other stands on and knows none of them: how a call fails (err), what ends
// the process (check), memory that is counted by room (mem), text as views (str) and in the making
// (buf, json_writer), what must not be shown (secret), keyed hash tables (hash), the one clock, the
// log and the numbers of /metrics. Nothing here does I/O but the log, nothing but the log, the
// metrics and the hash key is shared between threads, and nothing here knows Kafka or Spark.
#pragma once

#include <stdint.h>

#include "base/compiler.h"

// Prints the broken promise to stderr and aborts the process.
void check_failed(const char *file, int line, const char *expr) NORETURN;

// Aborts when a promise of our own code does not hold.
#define require(expr) ((expr) ? (void)0 : check_failed(__FILE__, __LINE__, #expr))

// Type-checked void pointers: a struct handed to a library as opaque starts with `uint32_t magic`.
#define MAGIC_CHECK(p, m) require((p) != NULL && (p)->magic == (m))
