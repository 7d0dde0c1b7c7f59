// config_get: typed reading of the store. Called by the commands; a key that is in no table is a
// mistake of ours.
#include <string.h>

#include "base/check.h"
#include "config_priv.h"

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
