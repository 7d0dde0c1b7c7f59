// mem: see the header. The only place that decides what running out of memory means.
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p) {
    if (p == NULL) {
        fputs("stoker: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size) {
    return checked(malloc(size == 0 ? 1 : size));
}

void *mem_zalloc(size_t count, size_t size) {
    return checked(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *mem_resize(void *old, size_t count, size_t size) {
    return checked(reallocarray(old, count == 0 ? 1 : count, size == 0 ? 1 : size));
}

char *mem_strdup(const char *text) {
    return checked(strdup(text));
}

char *mem_strndup(const char *text, size_t len) {
    char *copy = mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void mem_free(void *p) {
    free(p);
}
