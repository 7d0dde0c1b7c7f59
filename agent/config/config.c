// config: the store: one entry per row of the tables, values checked as they come in. Called by the
// loaders and by the commands; must never print or keep a secret in a message.
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "config_priv.h"

struct config *config_new(const struct setting_table *tables, unsigned count) {
    struct config *config = mem_zalloc(1, sizeof *config);
    for (unsigned t = 0; t < count; t++) {
        config->count += tables[t].count;
    }
    config->entries = mem_zalloc(config->count, sizeof *config->entries);
    unsigned at = 0;
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            struct entry *entry = &config->entries[at++];
            entry->setting = &tables[t].rows[r];
            config_take(config, entry, entry->setting->def, "default");
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

bool config_see(struct config *config, unsigned *seen, const char *key, const char *origin,
                unsigned load) {
    if (load != 0 && *seen == load) {
        config_complain(config, origin, key, "is set twice");
        return false;
    }
    *seen = load;
    return true;
}

void config_add_item(struct entry *entry, const char *text) {
    MEM_GROW(entry->items, entry->item_count, entry->item_cap);
    entry->items[entry->item_count++] = mem_strdup(text);
}

// The place of a name in a MAP; a new one is added, without a value.
static unsigned pair_place(struct entry *entry, const char *name) {
    for (unsigned p = 0; p < entry->pair_count; p++) {
        if (strcmp(entry->pairs[p].key, name) == 0) {
            return p;
        }
    }
    MEM_GROW(entry->pairs, entry->pair_count, entry->pair_cap);
    MEM_GROW(entry->notes, entry->note_count, entry->note_cap);
    entry->pairs[entry->pair_count++] = (struct config_pair){mem_strdup(name), mem_strdup("")};
    entry->notes[entry->note_count++] = (struct pair_note){mem_strdup(""), 0};
    return entry->pair_count - 1;
}

static void put_pair(struct config *config, struct entry *map, const char *key, const char *value,
                     const char *origin, unsigned load) {
    const char *name = key + strlen(map->setting->key) + 1;
    if (name[0] == '\0') {
        config_complain(config, origin, map->setting->key, "an entry without a name");
        return;
    }
    unsigned p = pair_place(map, name);
    if (!config_see(config, &map->notes[p].seen, key, origin, load)) {
        return;
    }
    mem_free((char *)map->pairs[p].value);
    mem_free(map->notes[p].origin);
    map->pairs[p].value = mem_strdup(value);
    map->notes[p].origin = mem_strdup(origin);
}

static void put_plain(struct config *config, const char *key, const char *value, const char *origin,
                      unsigned load) {
    struct entry *entry = config_find(config, key), *map = config_find_map(config, key);
    if (entry != NULL) {
        if (config_see(config, &entry->seen, key, origin, load)) {
            config_take(config, entry, value, origin);
        }
    } else if (map != NULL) {
        put_pair(config, map, key, value, origin, load);
    } else if (!config_is_section(config, key)) {
        config_unknown(config, origin, key);
    } else if (value[0] != '\0') {
        config_complain(config, origin, key, "is a section; its settings go below it, indented");
    }
}

void config_put(struct config *config, const char *key, const char *value, const char *origin,
                unsigned load) {
    if (strlen(key) > CONFIG_KEY_MAX || !str_is_utf8(str_of(key))) {
        config_complain(config, origin, "", "a key of more than %d bytes, or not UTF-8",
                        CONFIG_KEY_MAX);
        return;
    }
    if (!str_is_utf8(str_of(value))) {
        config_complain(config, origin, key, "its value is not UTF-8");
        return;
    }
    char *secret_key = config_twin_of(config, key);
    if (secret_key == NULL) {
        put_plain(config, key, value, origin, load);
        return;
    }
    char *secret = config_read_secret(config, origin, key, value);
    if (secret != NULL) {
        put_plain(config, secret_key, secret, origin, load);
    }
    mem_free(secret);
    mem_free(secret_key);
}

void config_set(struct config *config, const char *key, const char *value, const char *origin) {
    config_put(config, key, value, origin, 0);
}
