// err: statuses and their words. Called from every room; allocates nothing, logs nothing.
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status err_set(struct err *err, enum status status, const char *fmt, ...) {
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
        err->status = status;
    }
    return status;
}

enum status err_wrap(struct err *err, const char *fmt, ...) {
    if (err == NULL) {
        return ST_FATAL;
    }
    char context[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n + 3 >= sizeof context) {
        return err->status; // no room for context: the cause matters more
    }
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    memcpy(err->text, context, (size_t)n);
    memcpy(err->text + n, ": ", 2);
    snprintf(err->text + n + 2, sizeof err->text - (size_t)n - 2, "%s", inner);
    return err->status;
}
