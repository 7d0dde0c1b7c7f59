// config_put: one key and its value, from whatever source, to its place in the store: a scalar, an
// entry of a MAP, the _file twin of a secret; an unknown key is complained about with the nearest
// known one. Also the two sources that are single keys anyway: the environment and the command
// line. Called by config_yaml and by the commands; must never put the content of a secret's file
// into a message.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/scrub.h"
#include "config/config_priv.h"

enum { SECRET_MAX = 65536 };

// Notes that `load` sets the entry; false, with the mistake noted, if it did before.
static bool see(struct config *config, unsigned *seen, const char *key, const char *origin,
                unsigned load) {
    if (load != 0 && *seen == load) {
        config_complain(config, origin, key, "is set twice");
        return false;
    }
    *seen = load;
    return true;
}

// The part of `key` with as many dots as `like`; all of it if it has no more.
static size_t same_depth(const char *key, const char *like) {
    const char *end = key;
    for (;;) {
        end += strcspn(end, ".");
        like += strcspn(like, ".");
        if (*end == '\0' || *like == '\0') {
            return (size_t)(end - key);
        }
        end++;
        like++;
    }
}

static const char *last_part(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot == NULL ? key : dot + 1;
}

// The key is in no table: says so with the nearest known one.
static void complain_unknown(struct config *config, const char *origin, const char *key) {
    const char *best = NULL, *rest = "", *same_name = NULL;
    unsigned distance = (unsigned)strlen(key) / 4 + 2;
    for (unsigned i = 0; i < config->count; i++) {
        const struct setting *s = config->entries[i].setting;
        bool map = s->type == SETTING_MAP;
        size_t len = map ? same_depth(key, s->key) : strlen(key);
        unsigned d = str_distance((struct str){key, len}, str_of(s->key));
        if (d < distance) {
            distance = d;
            best = s->key;
            rest = key + len;
        }
        if (strcmp(last_part(key), last_part(s->key)) == 0) {
            same_name = s->key;
        }
    }
    best = best != NULL ? best : same_name;
    if (best != NULL) {
        config_complain(config, origin, key, "unknown key; did you mean %s%s?", best, rest);
    } else {
        config_complain(config, origin, key, "unknown key; stoker config doc lists all");
    }
}

// If `key` is the _file twin of a secret, the secret's key (the caller's to free), else NULL.
static char *twin_of(const struct config *config, const char *key) {
    size_t len = strlen(key);
    if (len <= 5 || strcmp(key + len - 5, "_file") != 0 || config_find(config, key) != NULL) {
        return NULL;
    }
    char *twin = mem_strndup(key, len - 5);
    const struct entry *entry = config_find(config, twin), *map = config_find_map(config, twin);
    bool secret = entry != NULL
                      ? (entry->setting->flags & SETTING_SECRET) != 0
                      : map != NULL && strncmp(twin, "kafka.", 6) == 0 &&
                            scrub_hides_setting(str_of(twin + strlen(map->setting->key) + 1));
    if (!secret) {
        mem_free(twin);
        return NULL;
    }
    return twin;
}

// The whole file, at most SECRET_MAX bytes; NULL if it is fine, else what is wrong.
static const char *read_file(const char *path, struct buf *out) {
    struct stat about;
    if (stat(path, &about) != 0) {
        return "cannot be read";
    }
    if (!S_ISREG(about.st_mode)) { // a pipe might keep us waiting for ever
        return "is not a plain file";
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return "cannot be read";
    }
    size_t n = fread(buf_reserve(out, SECRET_MAX + 1), 1, SECRET_MAX + 1, file);
    bool bad = ferror(file) != 0;
    fclose(file);
    out->len = n;
    out->data[n] = '\0';
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = '\0';
    }
    return bad                                         ? "cannot be read"
           : n > SECRET_MAX                            ? "is larger than 64 KiB"
           : out->len == 0                             ? "is empty"
           : memchr(out->data, '\0', out->len) != NULL ? "holds a NUL byte"
                                                       : NULL;
}

// The content of a secret's file without line ends at its end (the caller's to free); NULL with the
// mistake noted.
static char *read_secret(struct config *config, const char *origin, const char *key,
                         const char *path) {
    struct buf content = {0};
    const char *wrong = read_file(path, &content);
    char *secret = NULL;
    if (wrong != NULL) {
        config_complain(config, origin, key, "%.300s %s", path, wrong);
    } else {
        secret = mem_strndup(content.data, content.len);
    }
    buf_fini(&content);
    return secret;
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
    if (!see(config, &map->notes[p].seen, key, origin, load)) {
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
        if (see(config, &entry->seen, key, origin, load)) {
            config_take(config, entry, value, origin);
        }
    } else if (map != NULL) {
        put_pair(config, map, key, value, origin, load);
    } else if (!config_is_section(config, key)) {
        complain_unknown(config, origin, key);
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
    char *secret_key = twin_of(config, key);
    if (secret_key == NULL) {
        put_plain(config, key, value, origin, load);
        return;
    }
    char *secret = read_secret(config, origin, key, value);
    if (secret != NULL) {
        put_plain(config, secret_key, secret, origin, load);
    }
    mem_free(secret);
    mem_free(secret_key);
}

struct entry *config_begin_list(struct config *config, const char *key, const char *origin,
                                unsigned load) {
    struct entry *entry = config_find(config, key);
    if (entry == NULL || entry->setting->type != SETTING_LIST) {
        if (entry == NULL && config_find_map(config, key) == NULL &&
            !config_is_section(config, key)) {
            complain_unknown(config, origin, key);
        } else {
            config_complain(config, origin, key, "a list is not wanted here");
        }
        return NULL;
    }
    if (!see(config, &entry->seen, key, origin, load)) {
        return NULL;
    }
    config_take(config, entry, "", origin);
    return entry;
}

void config_set(struct config *config, const char *key, const char *value, const char *origin) {
    config_put(config, key, value, origin, 0);
}

// KAFKA__CONSUMER__SESSION_TIMEOUT_MS: "__" separates; below kafka.* "_" stands for the dots of
// librdkafka's names, but for that of a _file twin.
static void env_key(const struct config *config, const char *name, char *key) {
    size_t n = 0;
    for (const char *p = name; *p != '\0'; p++) {
        if (p[0] == '_' && p[1] == '_') {
            key[n++] = '.';
            p++;
        } else {
            key[n++] = (char)tolower((unsigned char)*p);
        }
    }
    key[n] = '\0';
    const struct entry *map = config_find_map(config, key);
    if (map == NULL || strncmp(key, "kafka.", 6) != 0) {
        return;
    }
    for (char *p = key + strlen(map->setting->key) + 1; *p != '\0'; p++) {
        *p = *p == '_' && strcmp(p, "_file") != 0 ? '.' : *p;
    }
}

// A service called stoker, or stoker-x, in the same Kubernetes namespace gives every container
// STOKER_SERVICE_HOST, STOKER_X_SERVICE_PORT, STOKER_PORT_9571_TCP_ADDR and more.
static bool is_service_variable(const char *name) {
    if (strstr(name, "__") != NULL) {
        return false;
    }
    static const char *const marks[] = {"_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"};
    for (unsigned i = 0; i < ARRAY_LEN(marks); i++) {
        if (strstr(name, marks[i]) != NULL) {
            return true;
        }
    }
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, "_PORT") == 0;
}

void config_load_env(struct config *config, char *const *environment) {
    for (; *environment != NULL; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (strncmp(variable, "STOKER_", 7) != 0 || equals == NULL) {
            continue;
        }
        char *name = mem_strndup(variable, (size_t)(equals - variable));
        char key[CONFIG_KEY_MAX + 1];
        if (strlen(name + 7) > CONFIG_KEY_MAX) {
            config_complain(config, "environment", "", "the name %.40s... is too long", name);
        } else if (!is_service_variable(name)) {
            env_key(config, name + 7, key);
            config_put(config, key, equals + 1, name, 0);
        }
        mem_free(name);
    }
}
