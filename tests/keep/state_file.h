// state_file: a whole state in one file: for each key two bytes its length, two bytes the value's,
// low byte first, then both. Shared by the tests that read a kept state and by the fuzz harness.
#pragma once

#include "base/buf.h"
#include "keep/table.h"

static inline size_t state_file_u16(const char *p) {
    return (size_t)(unsigned char)p[0] | (size_t)(unsigned char)p[1] << 8;
}

// Puts all that the bytes hold; what is cut off at the end is passed over.
static inline void state_file_read(struct str bytes, struct keep_table *table) {
    const char *end = bytes.p + bytes.len;
    for (const char *at = bytes.p; end - at >= 4;) {
        size_t key = state_file_u16(at), value = state_file_u16(at + 2);
        at += 4;
        if (key > (size_t)(end - at) || value > (size_t)(end - at) - key) {
            return;
        }
        keep_table_put(table, (struct str){at, key}, (struct str){at + key, value});
        at += key + value;
    }
}

// A keep_each_fn; ctx is a struct buf.
static inline void state_file_add(void *ctx, struct str key, struct str value) {
    struct buf *out = (struct buf *)ctx;
    const char head[4] = {(char)key.len, (char)(key.len >> 8), (char)value.len,
                          (char)(value.len >> 8)};
    buf_add(out, head, sizeof head);
    buf_add_str(out, key);
    buf_add_str(out, value);
}
