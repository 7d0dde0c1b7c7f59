// config: the store: one entry per row of the tables, read by type, with the mistakes found so far.
// Called by the files of this room and by the commands; a key that is in no table is a mistake of
// ours. Must never print a secret or be handed one for a message.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/scrub.h"
#include "config/config_priv.h"

struct config *config_new(const struct setting_table *tables, unsigned count) {
    struct config *config = mem_zalloc(1, sizeof *config);
    unsigned rows = 0;
    for (unsigned t = 0; t < count; t++) {
        rows += tables[t].count;
    }
    config->entries = mem_zalloc(rows, sizeof *config->entries);
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            const struct setting *setting = &tables[t].rows[r];
            require(config_find(config, setting->key) == NULL); // a key in one row only
            struct entry *entry = &config->entries[config->count++];
            entry->setting = setting;
            config_take(config, entry, setting->def, "default");
        }
    }
    require(config->errors.len == 0); // a default that its own row refuses
    return config;
}

void config_clear_list(struct entry *entry) {
    for (unsigned i = 0; i < entry->item_count; i++) {
        mem_free(entry->items[i]);
    }
    entry->item_count = 0;
}

void config_free(struct config *config) {
    if (config == NULL) {
        return;
    }
    for (unsigned i = 0; i < config->count; i++) {
        struct entry *entry = &config->entries[i];
        mem_free(entry->text);
        mem_free(entry->origin);
        config_clear_list(entry);
        mem_free(entry->items);
        for (unsigned p = 0; p < entry->pair_count; p++) {
            mem_free((char *)entry->pairs[p].key);
            mem_free((char *)entry->pairs[p].value);
            mem_free(entry->notes[p].origin);
        }
        mem_free(entry->pairs);
        mem_free(entry->notes);
    }
    mem_free(config->entries);
    buf_fini(&config->errors);
    mem_free(config);
}

struct entry *config_find(const struct config *config, const char *key) {
    for (unsigned i = 0; i < config->count; i++) {
        if (strcmp(config->entries[i].setting->key, key) == 0) {
            return &config->entries[i];
        }
    }
    return NULL;
}

struct entry *config_find_map(const struct config *config, const char *key) {
    for (unsigned i = 0; i < config->count; i++) {
        const struct setting *s = config->entries[i].setting;
        size_t len = strlen(s->key);
        if (s->type == SETTING_MAP && strncmp(key, s->key, len) == 0 && key[len] == '.') {
            return &config->entries[i];
        }
    }
    return NULL;
}

bool config_is_section(const struct config *config, const char *key) {
    size_t len = strlen(key);
    for (unsigned i = 0; i < config->count; i++) {
        const char *other = config->entries[i].setting->key;
        if (strncmp(other, key, len) == 0 && other[len] == '.') {
            return true;
        }
    }
    return false;
}

void config_add_item(struct entry *entry, const char *text) {
    MEM_GROW(entry->items, entry->item_count, entry->item_cap);
    entry->items[entry->item_count++] = mem_strdup(text);
}

static void add_error(struct config *config, const char *origin, const char *key, const char *fmt,
                      va_list args) PRINTF_LIKE(4, 0);
static void add_error(struct config *config, const char *origin, const char *key, const char *fmt,
                      va_list args) {
    char said[512], words[512];
    vsnprintf(said, sizeof said, fmt, args);
    scrub_copy(words, sizeof words, str_of(said));
    config->error_count++;
    if (config->error_count > CONFIG_ERRORS_MAX) {
        if (config->error_count == CONFIG_ERRORS_MAX + 1) {
            buf_add_text(&config->errors, "more mistakes are not shown\n");
        }
        return;
    }
    buf_add_printable(&config->errors, str_of(origin));
    buf_add_text(&config->errors, ": ");
    if (key[0] != '\0') {
        buf_add_printable(&config->errors, str_of(key));
        buf_add_text(&config->errors, ": ");
    }
    buf_add_printable(&config->errors, str_of(words));
    buf_add_char(&config->errors, '\n');
}

void config_complain(struct config *config, const char *origin, const char *key, const char *fmt,
                     ...) {
    va_list args;
    va_start(args, fmt);
    add_error(config, origin, key, fmt, args);
    va_end(args);
}

void config_add_error(struct config *config, const char *key, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    add_error(config, config_origin(config, key), key, fmt, args);
    va_end(args);
}

const char *config_errors(const struct config *config) {
    return buf_text(&config->errors);
}

static const struct entry *must_find(const struct config *config, const char *key) {
    const struct entry *entry = config_find(config, key);
    require(entry != NULL);
    return entry;
}

const char *config_origin(const struct config *config, const char *key) {
    const struct entry *map = config_find_map(config, key);
    for (unsigned p = 0; map != NULL && p < map->pair_count; p++) {
        if (strcmp(map->pairs[p].key, key + strlen(map->setting->key) + 1) == 0) {
            return map->notes[p].origin;
        }
    }
    return map != NULL ? NULL : must_find(config, key)->origin;
}

const char *config_text(const struct config *config, const char *key) {
    const struct entry *entry = must_find(config, key);
    require(entry->setting->type == SETTING_TEXT || entry->setting->type == SETTING_CHOICE);
    return entry->text;
}

bool config_bool(const struct config *config, const char *key) {
    const struct entry *entry = must_find(config, key);
    require(entry->setting->type == SETTING_BOOL);
    return entry->boolean;
}

int64_t config_int(const struct config *config, const char *key) {
    const struct entry *entry = must_find(config, key);
    enum setting_type type = entry->setting->type;
    require(type == SETTING_INT || type == SETTING_DURATION || type == SETTING_BYTES);
    return entry->integer;
}

double config_real(const struct config *config, const char *key) {
    const struct entry *entry = must_find(config, key);
    require(entry->setting->type == SETTING_REAL);
    return entry->real;
}

const char *const *config_list(const struct config *config, const char *key, unsigned *count) {
    const struct entry *entry = must_find(config, key);
    require(entry->setting->type == SETTING_LIST);
    *count = entry->item_count;
    return (const char *const *)entry->items;
}

const struct config_pair *config_map(const struct config *config, const char *key,
                                     unsigned *count) {
    const struct entry *entry = must_find(config, key);
    require(entry->setting->type == SETTING_MAP);
    *count = entry->pair_count;
    return entry->pairs;
}
