// config_error: the mistakes found, one line each, and the known key nearest to an unknown one.
// Called by every file of this room; must never be handed a secret.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "config_priv.h"

static void add_error(struct config *config, const char *origin, const char *key, const char *fmt,
                      va_list args) PRINTF_LIKE(4, 0);
static void add_error(struct config *config, const char *origin, const char *key, const char *fmt,
                      va_list args) {
    char words[512];
    vsnprintf(words, sizeof words, fmt, args);
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
    const struct entry *entry = config_find(config, key);
    require(entry != NULL);
    va_list args;
    va_start(args, fmt);
    add_error(config, entry->origin, key, fmt, args);
    va_end(args);
}

const char *config_errors(const struct config *config) {
    return buf_text(&config->errors);
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

void config_unknown(struct config *config, const char *origin, const char *key) {
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
