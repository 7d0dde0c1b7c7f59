// mem: allocation that ends the process when memory is out, so no caller carries that case, and
// that counts what each room holds. Memory from here is released with mem_free, never with free: a
// header stands before it. What a library hands out to be freed is not memory from here. Any
// thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The rooms whose memory is counted. The build tells each source file its own: MEM_ROOM.
enum mem_room {
#define MEM_ROOM_ROW(room) MEM_ROOM_##room,
#include "base/mem_rooms.def"
#undef MEM_ROOM_ROW
    MEM_ROOM_COUNT
};
#ifndef MEM_ROOM
#define MEM_ROOM MEM_ROOM_other
#endif

// Bytes that code of the room asked for and that nobody has released yet; grown memory stays with
// the room that took it first. Headers and the allocator's own rounding are not in it.
int64_t mem_room_bytes(enum mem_room room);
// Name of a room as on /metrics (static).
const char *mem_room_name(enum mem_room room);

// `size` uninitialised bytes, never NULL.
#define mem_alloc(size) mem_room_alloc(MEM_ROOM, (size))
// `count` x `size` zeroed bytes, never NULL.
#define mem_zalloc(count, size) mem_room_zalloc(MEM_ROOM, (count), (size))
// Like realloc over count x size with an overflow check, never NULL.
#define mem_resize(old, count, size) mem_room_resize(MEM_ROOM, (old), (count), (size))
// A copy of a C string, never NULL; `text` must not be NULL.
#define mem_strdup(text) mem_room_strdup(MEM_ROOM, (text))
// A NUL-terminated copy of `len` bytes.
#define mem_strndup(text, len) mem_room_strndup(MEM_ROOM, (text), (len))
// Takes NULL.
void mem_free(void *p);

// What the macros above call, with the room whose memory it is.
void *mem_room_alloc(enum mem_room room, size_t size);
void *mem_room_zalloc(enum mem_room room, size_t count, size_t size);
void *mem_room_resize(enum mem_room room, void *old, size_t count, size_t size);
char *mem_room_strdup(enum mem_room room, const char *text);
char *mem_room_strndup(enum mem_room room, const char *text, size_t len);

// Makes room for one more element in a growing array: `items` (pointer), `len`, `cap`.
#define MEM_GROW(items, len, cap)                                                                  \
    do {                                                                                           \
        if ((len) == (cap)) {                                                                      \
            (cap) = (cap) == 0 ? 8 : (cap)*2;                                                      \
            (items) = mem_resize((items), (cap), sizeof *(items));                                 \
        }                                                                                          \
    } while (0)
