// check: asserts for our own mistakes, on in production too. Never used on input: bad input is
// counted and skipped.
#pragma once

#include <stdint.h>

#include "base/compiler.h"

// Prints the broken promise to stderr and aborts the process.
void check_failed(const char *file, int line, const char *expr) NORETURN;

// Aborts when a promise of our own code does not hold.
#define require(expr) ((expr) ? (void)0 : check_failed(__FILE__, __LINE__, #expr))

// Type-checked void pointers: a struct handed to a library as opaque starts with `uint32_t magic`.
#define MAGIC_CHECK(p, m) require((p) != NULL && (p)->magic == (m))
