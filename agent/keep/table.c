// table: see the header. A hash table of copies. A whole one is filled by the agent's restore and
// by `stoker state`; of the keys in pieces alone, which are few, every commit asks for each key
// that it writes. Never asked for each event. A value of which pieces are missing shows as what
// stands under its key, which no release reads.
#include "keep/table.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

// Stands in place of a value's version: read as one, it is refused.
#define SPLIT_MARK '\xfe'

struct entry {
    char *key; // owned, with the value behind it
    size_t key_len, value_len;
    uint32_t pieces, taken; // of its value: those there must be, those that came
    struct buf joined;      // these
    UT_hash_handle hh;
};

struct keep_table {
    struct entry *entries;
};

struct keep_table *keep_table_new(void) {
    return mem_zalloc(1, sizeof(struct keep_table));
}

static void drop(struct keep_table *table, struct entry *entry) {
    HASH_DEL(table->entries, entry);
    buf_fini(&entry->joined);
    mem_free(entry->key);
    mem_free(entry);
}

void keep_table_free(struct keep_table *table) {
    if (table == NULL) {
        return;
    }
    while (table->entries != NULL) {
        drop(table, table->entries);
    }
    mem_free(table);
}

static struct entry *find(const struct keep_table *table, struct str key) {
    struct entry *entry;
    HASH_FIND(hh, table->entries, key.p, key.len, entry);
    return entry;
}

static void forget(struct keep_table *table, struct str key) {
    struct entry *entry = find(table, key);
    if (entry != NULL) {
        drop(table, entry);
    }
}

// Of a key that is not there.
static struct entry *add(struct keep_table *table, struct str key, struct str value) {
    struct entry *entry = mem_zalloc(1, sizeof *entry);
    entry->key = mem_alloc(key.len + value.len + 1);
    entry->key_len = key.len;
    entry->value_len = value.len;
    memcpy(entry->key, key.p, key.len);
    memcpy(entry->key + key.len, value.p, value.len);
    HASH_ADD_KEYPTR(hh, table->entries, entry->key, entry->key_len, entry);
    return entry;
}

// "#12.key" -> 12, and *key.
static bool is_piece(struct str text, int64_t *number, struct str *key) {
    const char *dot = text.len < 2 || text.p[0] != '#' ? NULL : memchr(text.p, '.', text.len);
    if (dot == NULL || !str_to_i64((struct str){text.p + 1, (size_t)(dot - text.p) - 1}, number)) {
        return false;
    }
    *key = (struct str){dot + 1, text.len - (size_t)(dot + 1 - text.p)};
    return *number >= 0;
}

static uint32_t pieces_said(struct str value) {
    int64_t pieces;
    return value.len > 1 && value.p[0] == SPLIT_MARK &&
                   str_to_i64((struct str){value.p + 1, value.len - 1}, &pieces) && pieces > 0 &&
                   pieces <= UINT32_MAX
               ? (uint32_t)pieces
               : 0;
}

// One that does not follow is of an older value.
static void put_piece(struct entry *entry, int64_t number, struct str value) {
    if (entry != NULL && value.p != NULL && entry->taken < entry->pieces &&
        number == entry->taken) {
        buf_add_str(&entry->joined, value);
        entry->taken++;
    }
}

void keep_table_put(struct keep_table *table, struct str key, struct str value) {
    int64_t number;
    struct str whole;
    if (is_piece(key, &number, &whole)) {
        put_piece(find(table, whole), number, value);
        return;
    }
    forget(table, key);
    if (value.p != NULL) {
        add(table, key, value)->pieces = pieces_said(value);
    }
}

void keep_table_note_pieces(struct keep_table *table, struct str key, uint32_t pieces) {
    forget(table, key);
    if (pieces > 0) {
        add(table, key, STR(""))->pieces = pieces;
    }
}

static struct str value_of(const struct entry *entry) {
    if (entry->pieces > 0 && entry->taken == entry->pieces) {
        return buf_str(&entry->joined);
    }
    return (struct str){entry->key + entry->key_len, entry->value_len};
}

bool keep_table_get(const struct keep_table *table, struct str key, struct str *value) {
    const struct entry *entry = find(table, key);
    if (entry != NULL) {
        *value = value_of(entry);
    }
    return entry != NULL;
}

uint32_t keep_table_pieces(const struct keep_table *table, struct str key) {
    const struct entry *entry = find(table, key);
    return entry == NULL ? 0 : entry->pieces;
}

struct keep_table *keep_table_split(const struct keep_table *table) {
    struct keep_table *split = keep_table_new();
    for (const struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->pieces > 0) {
            keep_table_note_pieces(split, (struct str){entry->key, entry->key_len}, entry->pieces);
        }
    }
    return split;
}

size_t keep_table_count(const struct keep_table *table) {
    return HASH_COUNT(table->entries);
}

static int by_key(const void *x, const void *y) {
    const struct entry *a = *(struct entry *const *)x, *b = *(struct entry *const *)y;
    int order = memcmp(a->key, b->key, a->key_len < b->key_len ? a->key_len : b->key_len);
    return order != 0 ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

void keep_table_each(const struct keep_table *table, keep_each_fn each, void *ctx) {
    size_t count = keep_table_count(table), n = 0;
    struct entry **sorted = mem_alloc((count + 1) * sizeof *sorted);
    for (struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        sorted[n++] = entry;
    }
    if (n > 0) {
        qsort(sorted, n, sizeof *sorted, by_key);
    }
    for (size_t i = 0; i < n; i++) {
        each(ctx, (struct str){sorted[i]->key, sorted[i]->key_len}, value_of(sorted[i]));
    }
    mem_free(sorted);
}

static struct str piece_key(struct buf *out, uint32_t number, struct str key) {
    buf_clear(out);
    buf_printf(out, "#%u.", number);
    buf_add_str(out, key);
    return buf_str(out);
}

uint32_t keep_split(struct str key, struct str value, size_t piece_bytes, keep_each_fn each,
                    void *ctx) {
    require(piece_bytes > 0);
    uint32_t pieces = (uint32_t)((value.len + piece_bytes - 1) / piece_bytes);
    struct buf text = {0};
    buf_printf(&text, "%c%u", SPLIT_MARK, pieces);
    each(ctx, key, buf_str(&text));
    for (uint32_t i = 0; i < pieces; i++) {
        size_t at = i * piece_bytes, left = value.len - at;
        struct str piece = {value.p + at, left < piece_bytes ? left : piece_bytes};
        each(ctx, piece_key(&text, i, key), piece);
    }
    buf_fini(&text);
    return pieces;
}

void keep_split_forget(struct str key, uint32_t from, uint32_t to, keep_each_fn each, void *ctx) {
    struct buf text = {0};
    for (uint32_t i = from; i < to; i++) {
        each(ctx, piece_key(&text, i, key), (struct str){NULL, 0});
    }
    buf_fini(&text);
}
