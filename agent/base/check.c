// check: the one place where a broken promise ends the process. Must never be reached by input.
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *expr) {
    fprintf(stderr, "stoker: internal error at %s:%d: %s does not hold\n", file, line, expr);
    abort();
}
