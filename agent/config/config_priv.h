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
// Sets a scalar or a twin; `load` as in entry.seen, 0 if it may be set again.
void config_put(struct config *config, const char *key, const char *value, const char *origin,
                unsigned load);
// Notes that `load` sets the entry; false, with the mistake noted, if it did before.
bool config_see(struct config *config, unsigned *seen, const char *key, const char *origin,
                unsigned load);
void config_clear_list(struct entry *entry);
void config_add_item(struct entry *entry, const char *text);

// config_error.c
// Adds "origin: key: words" to the errors.
void config_complain(struct config *config, const char *origin, const char *key, const char *fmt,
                     ...) PRINTF_LIKE(4, 5);
// The key is in no table: says so with the nearest known one.
void config_unknown(struct config *config, const char *origin, const char *key);

// config_file.c
// The number of the line that holds byte `offset`, from 0.
size_t config_line_of(struct str text, size_t offset);
// True if a tab is among the blanks that begin a line.
bool config_tab_indented(struct str text, size_t line);

// config_value.c
// Takes a scalar for an entry, checked by its type.
void config_take(struct config *config, struct entry *entry, const char *text, const char *origin);
// The range or the choices of a setting in words, e.g. "10ms to 1m"; nothing if it has none.
void config_add_range(struct buf *out, const struct setting *setting);

// config_secret.c
// A URL with what stands before the @ of its host hidden.
void config_add_url(struct buf *out, const char *url);
// If `key` is the _file twin of a secret, the secret's key (the caller's to free), else NULL.
char *config_twin_of(const struct config *config, const char *key);
// The content of a secret's file without line ends at its end (the caller's to free); NULL with the
// mistake noted.
char *config_read_secret(struct config *config, const char *origin, const char *key,
                         const char *path);
