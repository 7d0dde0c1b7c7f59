// table: see the header. A hash table of copies; called by the agent's restore and by `stoker
// state`, never on the way of an event.
#include "keep/table.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct entry {
    char *key; // owned, with the value behind it
    size_t key_len, value_len;
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

void keep_table_put(struct keep_table *table, struct str key, struct str value) {
    struct entry *entry = find(table, key);
    if (entry != NULL) {
        drop(table, entry);
    }
    if (value.p == NULL) {
        return;
    }
    entry = mem_zalloc(1, sizeof *entry);
    entry->key = mem_alloc(key.len + value.len + 1);
    entry->key_len = key.len;
    entry->value_len = value.len;
    memcpy(entry->key, key.p, key.len);
    memcpy(entry->key + key.len, value.p, value.len);
    HASH_ADD_KEYPTR(hh, table->entries, entry->key, entry->key_len, entry);
}

static struct str value_of(const struct entry *entry) {
    return (struct str){entry->key + entry->key_len, entry->value_len};
}

bool keep_table_get(const struct keep_table *table, struct str key, struct str *value) {
    const struct entry *entry = find(table, key);
    if (entry != NULL) {
        *value = value_of(entry);
    }
    return entry != NULL;
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
