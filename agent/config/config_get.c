// config_get: typed reading of the store, and the checks across keys. Called by the commands; a key
// that is in no table is a mistake of ours.
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

static void check_urls(struct config *config) {
    unsigned count;
    const char *const *urls = config_list(config, "alertmanager.urls", &count);
    for (unsigned i = 0; i < count; i++) {
        const char *url = urls[i];
        size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
                        : strncmp(url, "https://", 8) == 0 ? 8
                                                           : 0;
        if (scheme == 0 || strchr("/?#:", url[scheme]) != NULL || strpbrk(url, " \t\r\n") != NULL) {
            struct buf shown = {0};
            config_add_url(&shown, url);
            config_add_error(config, "alertmanager.urls",
                             "not a URL such as http://host:9093: %.200s", buf_text(&shown));
            buf_fini(&shown);
        }
    }
}

static void check_authentication(struct config *config) {
    bool user = config_text(config, "alertmanager.basic_auth_user")[0] != '\0';
    bool password = config_text(config, "alertmanager.basic_auth_password")[0] != '\0';
    bool bearer = config_text(config, "alertmanager.bearer_token")[0] != '\0';
    if (bearer && (user || password)) {
        config_add_error(config, "alertmanager.bearer_token",
                         "basic and bearer authentication exclude each other");
    } else if (password && !user) {
        config_add_error(config, "alertmanager.basic_auth_password",
                         "needs alertmanager.basic_auth_user");
    }
}

static void check_topics(struct config *config) {
    static const char *const keys[] = {"topics.events",      "topics.runs",
                                       "topics.bottlenecks", "topics.recommendations",
                                       "topics.windows",     "topics.dlq"};
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const char *name = config_text(config, keys[i]);
        if (name[0] == '\0') {
            config_add_error(config, keys[i], "is empty; name a topic");
        }
        for (unsigned other = 0; other < i; other++) {
            if (name[0] != '\0' && strcmp(name, config_text(config, keys[other])) == 0) {
                config_add_error(config, keys[i], "is the same topic as %s", keys[other]);
            }
        }
    }
}

void config_finish(struct config *config) {
    if (config_find(config, "window.length") == NULL) {
        return; // a table of a test
    }
    int64_t length = config_int(config, "window.length"), pane = config_int(config, "window.pane");
    if (length % pane != 0 || length / pane > 1440) {
        config_add_error(config, "window.pane",
                         "must divide window.length into at most 1440 panes");
    }
    if (config_text(config, "kafka.brokers")[0] == '\0') {
        config_add_error(config, "kafka.brokers", "is empty; name at least one broker, host:port");
    }
    if (config_text(config, "agent.group")[0] == '\0') {
        config_add_error(config, "agent.group", "is empty; name a consumer group");
    }
    check_topics(config);
    check_urls(config);
    check_authentication(config);
}
