// mem: see the header. The only place that decides what running out of memory means, and that knows
// of the header before each block. Called from every room and thread; must never lock.
#include "base/mem.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HEADERS_ARE_GUARDED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HEADERS_ARE_GUARDED
#endif
#ifdef HEADERS_ARE_GUARDED // a write before a block is found, as without a header
#include <sanitizer/asan_interface.h>
#define GUARD(header) ASAN_POISON_MEMORY_REGION((header), sizeof *(header))
#define UNGUARD(header) ASAN_UNPOISON_MEMORY_REGION((header), sizeof *(header))
#else
#define GUARD(header) ((void)0)
#define UNGUARD(header) ((void)0)
#endif

// Before each block; as long as the strictest alignment, so that the block has it too.
struct header {
    _Alignas(max_align_t) size_t size; // of the block behind it
    enum mem_room room;                // that took it
};

// A line of the cache each, so that rooms do not slow each other down.
static struct { _Alignas(64) _Atomic int64_t bytes; } rooms[MEM_ROOM_COUNT];

static void count(enum mem_room room, int64_t bytes) {
    atomic_fetch_add_explicit(&rooms[room].bytes, bytes, memory_order_relaxed);
}

int64_t mem_room_bytes(enum mem_room room) {
    require((unsigned)room < MEM_ROOM_COUNT);
    return atomic_load_explicit(&rooms[room].bytes, memory_order_relaxed);
}

const char *mem_room_name(enum mem_room room) {
    static const char *const names[MEM_ROOM_COUNT] = {
#define MEM_ROOM_ROW(name) [MEM_ROOM_##name] = #name,
#include "base/mem_rooms.def"
#undef MEM_ROOM_ROW
    };
    require((unsigned)room < MEM_ROOM_COUNT);
    return names[room];
}

static struct header *header_of(void *block) {
    struct header *header = (struct header *)block - 1;
    UNGUARD(header);
    require((unsigned)header->room < MEM_ROOM_COUNT); // or it is no memory from here
    return header;
}

// Counts the memory (NULL: there is none left) and returns its block.
static void *block_of(struct header *header, enum mem_room room, size_t size) {
    if (header == NULL) {
        fputs("stoker: out of memory\n", stderr);
        abort();
    }
    header->size = size;
    header->room = room;
    count(room, (int64_t)size);
    GUARD(header);
    return header + 1;
}

// Bytes of count x size with the header, 0 if there is no such number.
static size_t whole(size_t elements, size_t size) {
    size_t product, sum;
    return __builtin_mul_overflow(elements, size, &product) ||
                   __builtin_add_overflow(product, sizeof(struct header), &sum) || sum > PTRDIFF_MAX
               ? 0
               : sum;
}

void *mem_room_alloc(enum mem_room room, size_t size) {
    size_t bytes = whole(1, size);
    return block_of(bytes == 0 ? NULL : malloc(bytes), room, size);
}

void *mem_room_zalloc(enum mem_room room, size_t elements, size_t size) {
    size_t bytes = whole(elements, size);
    return block_of(bytes == 0 ? NULL : calloc(1, bytes), room, elements * size);
}

void *mem_room_resize(enum mem_room room, void *old, size_t elements, size_t size) {
    struct header *header = NULL;
    if (old != NULL) {
        header = header_of(old);
        room = header->room;
        count(room, -(int64_t)header->size);
    }
    size_t bytes = whole(elements, size);
    return block_of(bytes == 0 ? NULL : realloc(header, bytes), room, elements * size);
}

char *mem_room_strdup(enum mem_room room, const char *text) {
    return mem_room_strndup(room, text, strlen(text));
}

char *mem_room_strndup(enum mem_room room, const char *text, size_t len) {
    char *copy = mem_room_alloc(room, len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void mem_free(void *p) {
    if (p != NULL) {
        struct header *header = header_of(p);
        count(header->room, -(int64_t)header->size);
        free(header);
    }
}
