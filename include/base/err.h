// err: what a fallible function returns and the words that travel with it. Statuses are classed by
// what the caller must do, not by cause. Whoever handles an error logs it, once; whoever passes it
// on may only add context.
#pragma once

#include "base/compiler.h"

enum status {
    ST_OK = 0, // done
    ST_SKIP,   // this input is bad: count it, go on with the next
    ST_RETRY,  // nothing is wrong with the input: the same call may succeed later
    ST_ABORT,  // undo the current unit of work and begin it again
    ST_FATAL,  // the program cannot go on; exit with a clear line
};

// The text of an error. Owned by the caller, valid until it is set again.
struct err {
    enum status status;
    char text[512];
};

// Sets *err (which may be NULL) from a format and returns `status`, so `return err_set(...)` works.
// Text beyond the buffer is cut.
enum status err_set(struct err *err, enum status status, const char *fmt, ...) PRINTF_LIKE(3, 4);

// Puts "context: " before the text that *err holds and returns its status.
enum status err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
