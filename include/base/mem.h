// mem: allocation that ends the process when memory is out, so no caller carries that case. All
// memory from here is released with mem_free (or free).
#pragma once

#include <stddef.h>

// `size` uninitialised bytes, never NULL.
void *mem_alloc(size_t size);
// `count` x `size` zeroed bytes, never NULL.
void *mem_zalloc(size_t count, size_t size);
// Like realloc over count x size with an overflow check, never NULL.
void *mem_resize(void *old, size_t count, size_t size);
// A copy of a C string, never NULL; `text` must not be NULL.
char *mem_strdup(const char *text);
// A NUL-terminated copy of `len` bytes.
char *mem_strndup(const char *text, size_t len);
// free(); takes NULL.
void mem_free(void *p);

// Makes room for one more element in a growing array: `items` (pointer), `len`, `cap`.
#define MEM_GROW(items, len, cap)                                                                  \
    do {                                                                                           \
        if ((len) == (cap)) {                                                                      \
            (cap) = (cap) == 0 ? 8 : (cap)*2;                                                      \
            (items) = mem_resize((items), (cap), sizeof *(items));                                 \
        }                                                                                          \
    } while (0)
