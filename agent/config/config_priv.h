// config_priv: what the files of config share.
#pragma once

#include "config/config.h"

// Beyond CONFIG_ERRORS_MAX mistakes a file is read no further.
enum { CONFIG_ERRORS_MAX = 100, CONFIG_KEY_MAX = 200, CONFIG_FILE_MAX = 1 << 20 };

struct pair_note {
    char *origin;  // owned
    unsigned seen; // as entry.seen
};

struct entry {
    const struct setting *setting;
    char *text;    // as it was written; owned
    char *origin;  // "default", "file:line", "STOKER_X"; owned
    unsigned seen; // the load that set it; twice in one load is a mistake
    union {
        int64_t integer;
        double real;
        bool boolean;
    };
    char **items; // LIST: owned texts
    unsigned item_count, item_cap;
    struct config_pair *pairs; // MAP: owned texts
    unsigned pair_count, pair_cap;
    struct pair_note *notes; // beside pairs
    unsigned note_count, note_cap;
};

struct config {
    struct entry *entries;
    unsigned count;
    struct buf errors;
    unsigned error_count;
    unsigned load; // number of the file being read, from 1
};

// config.c
struct entry *config_find(const struct config *config, const char *key);
// The MAP that `key` lies below, or NULL.
struct entry *config_find_map(const struct config *config, const char *key);
// True if `key` is the beginning of other keys.
bool config_is_section(const struct config *config, const char *key);
void config_clear_list(struct entry *entry);
void config_add_item(struct entry *entry, const char *text);
// Adds "origin: key: words" to the errors.
void config_complain(struct config *config, const char *origin, const char *key, const char *fmt,
                     ...) PRINTF_LIKE(4, 5);

// config_put.c
// Sets a scalar or a twin; `load` as in entry.seen, 0 if it may be set again.
void config_put(struct config *config, const char *key, const char *value, const char *origin,
                unsigned load);
// The LIST of that key, emptied for its elements to come; NULL, with the mistake noted, if there is
// none or `load` has set it before.
struct entry *config_begin_list(struct config *config, const char *key, const char *origin,
                                unsigned load);

// config_value.c
// Takes a scalar for an entry, checked by its type.
void config_take(struct config *config, struct entry *entry, const char *text, const char *origin);
// The range or the choices of a setting in words, e.g. "10ms to 1m"; nothing if it has none.
void config_add_range(struct buf *out, const struct setting *setting);
