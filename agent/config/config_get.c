// config_get: typed reading of the store, the environment, secrets from files, checks across keys.
// Called by the commands.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "config_priv.h"

static const struct entry *must_find(const struct config *config, const char *key) {
    const struct entry *entry = config_find(config, key);
    require(entry != NULL);
    return entry;
}

const char *config_origin(const struct config *config, const char *key) {
    return must_find(config, key)->origin;
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

// STOKER_KAFKA__CONSUMER__SESSION_TIMEOUT_MS: "__" separates; below a map "_" stands for ".".
static void env_key(const struct config *config, const char *name, char *key, size_t cap) {
    size_t n = 0;
    for (const char *p = name; *p != '\0' && n + 1 < cap; p++) {
        if (p[0] == '_' && p[1] == '_') {
            key[n++] = '.';
            p++;
        } else {
            key[n++] = (char)tolower((unsigned char)*p);
        }
    }
    key[n] = '\0';
    for (unsigned i = 0; i < config->count; i++) {
        const struct setting *s = config->entries[i].setting;
        size_t len = strlen(s->key);
        if (s->type == SETTING_MAP && strncmp(key, s->key, len) == 0 && key[len] == '.') {
            for (char *p = key + len; *p != '\0'; p++) {
                *p = *p == '_' && strstr(p, "_file") != p ? '.' : *p;
            }
        }
    }
}

void config_load_env(struct config *config, char *const *environment) {
    for (; *environment != NULL; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (strncmp(variable, "STOKER_", 7) != 0 || equals == NULL) {
            continue;
        }
        char *name = mem_strndup(variable, (size_t)(equals - variable));
        char key[256];
        env_key(config, name + 7, key, sizeof key);
        size_t len = strlen(key);
        if (len > 5 && strcmp(key + len - 5, "_file") == 0 && config_find(config, key) == NULL) {
            key[len - 5] = '\0'; // a twin: the value lies in a file
            struct buf value = {0};
            buf_printf(&value, "@file:%s", equals + 1);
            config_set(config, key, buf_text(&value), name);
            buf_fini(&value);
        } else {
            config_set(config, key, equals + 1, name);
        }
        mem_free(name);
    }
}

// Reads a secret's file, without the line end at its end. False with an error added.
static bool read_secret(struct config *config, const char *origin, const char *key,
                        const char *path, char text[4096]) {
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(text, 1, 4095, file);
    if (file == NULL) {
        config_complain(config, origin, key, "its file %.200s cannot be read", path);
        return false;
    }
    fclose(file);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return true;
}

// "@file:PATH" is how the loaders note a _file twin.
static void read_twins(struct config *config) {
    static const char mark[] = "@file:";
    const size_t len = sizeof mark - 1;
    char text[4096];
    for (unsigned i = 0; i < config->count; i++) {
        struct entry *entry = &config->entries[i];
        if (entry->setting->type == SETTING_TEXT && strncmp(entry->text, mark, len) == 0) {
            char *path = mem_strdup(entry->text + len);
            if (read_secret(config, entry->origin, entry->setting->key, path, text)) {
                config_take(config, entry, text, path);
            }
            mem_free(path);
        }
        for (unsigned p = 0; p < entry->pair_count; p++) {
            if (strncmp(entry->pairs[p].value, mark, len) == 0 &&
                read_secret(config, entry->origin, entry->pairs[p].key, entry->pairs[p].value + len,
                            text)) {
                mem_free((char *)entry->pairs[p].value);
                entry->pairs[p].value = mem_strdup(text);
            }
        }
    }
}

static void check_urls(struct config *config) {
    unsigned count;
    const char *const *urls = config_list(config, "alertmanager.urls", &count);
    for (unsigned i = 0; i < count; i++) {
        if (strncmp(urls[i], "http://", 7) != 0 && strncmp(urls[i], "https://", 8) != 0) {
            config_complain(config, config_find(config, "alertmanager.urls")->origin,
                            "alertmanager.urls", "%.200s does not begin with http:// or https://",
                            urls[i]);
        }
    }
}

void config_finish(struct config *config) {
    read_twins(config);
    if (config_find(config, "window.length") == NULL) {
        return; // a table of a test
    }
    int64_t length = config_int(config, "window.length"), pane = config_int(config, "window.pane");
    if (length % pane != 0 || length / pane > 1440) {
        config_complain(config, config_find(config, "window.pane")->origin, "window.pane",
                        "must divide window.length into at most 1440 panes");
    }
    check_urls(config);
    if (config_text(config, "kafka.brokers")[0] == '\0') {
        config_complain(config, config_find(config, "kafka.brokers")->origin, "kafka.brokers",
                        "is empty; name at least one broker, host:port");
    }
}
