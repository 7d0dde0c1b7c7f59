// config_priv: what the files of config share.
#pragma once

#include "config/config.h"

struct entry {
    const struct setting *setting;
    char *text;   // as it was written; owned
    char *origin; // "default", "file:line", "STOKER_X"; owned
    bool seen_in_file;
    union {
        int64_t integer;
        double real;
        bool boolean;
    };
    char **items; // LIST: owned texts
    unsigned item_count, item_cap;
    struct config_pair *pairs; // MAP: owned texts
    unsigned pair_count, pair_cap;
};

struct config {
    struct entry *entries;
    unsigned count;
    struct buf errors;
};

// config.c
struct entry *config_find(const struct config *config, const char *key);
// Adds "origin: key: words" to the errors.
void config_complain(struct config *config, const char *origin, const char *key, const char *fmt,
                     ...) PRINTF_LIKE(4, 5);
// The key is in no table: says so with the nearest known one.
void config_unknown(struct config *config, const char *origin, const char *key);
// Takes a scalar for an entry, checked by its type.
void config_take(struct config *config, struct entry *entry, const char *text, const char *origin);
void config_clear_list(struct entry *entry);
void config_add_item(struct entry *entry, const char *text);
// Sets or replaces an entry of a MAP.
void config_add_pair(struct config *config, struct entry *entry, const char *key, const char *value,
                     const char *origin);
// True if a key's value must not be shown.
bool config_is_secret(const char *key);
