// config: the store: one entry per row of the tables, values checked as they come in. Called by the
// loaders and by the commands; must never print or keep a secret in a message.
#include "config_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/span.h"

static void set_text(char **to, const char *text) {
    char *copy = mem_strdup(text);
    mem_free(*to);
    *to = copy;
}

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
        }
        mem_free(entry->pairs);
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

static void add_error(struct config *config, const char *origin, const char *key, const char *fmt,
                      va_list args) {
    char words[512];
    vsnprintf(words, sizeof words, fmt, args);
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

void config_unknown(struct config *config, const char *origin, const char *key) {
    const char *best = NULL;
    unsigned distance = 8;
    for (unsigned i = 0; i < config->count; i++) {
        unsigned d = str_distance(str_of(key), str_of(config->entries[i].setting->key));
        if (d < distance) {
            distance = d;
            best = config->entries[i].setting->key;
        }
    }
    if (best != NULL) {
        config_complain(config, origin, key, "unknown key; did you mean %s?", best);
    } else {
        config_complain(config, origin, key, "unknown key; stoker config doc lists all");
    }
}

bool config_is_secret(const char *key) {
    static const char *const marks[] = {"password", "secret", "token",
                                        "key.pem",  "jaas",   "credential"};
    for (unsigned i = 0; i < ARRAY_LEN(marks); i++) {
        if (str_contains_nocase(str_of(key), str_of(marks[i]))) {
            return true;
        }
    }
    return false;
}

const char *config_errors(const struct config *config) {
    return buf_text(&config->errors);
}

void config_add_item(struct entry *entry, const char *text) {
    MEM_GROW(entry->items, entry->item_count, entry->item_cap);
    entry->items[entry->item_count++] = mem_strdup(text);
}

void config_add_pair(struct config *config, struct entry *entry, const char *key, const char *value,
                     const char *origin) {
    if (key[0] == '\0') {
        config_complain(config, origin, entry->setting->key, "an entry without a name");
        return;
    }
    set_text(&entry->origin, origin);
    for (unsigned p = 0; p < entry->pair_count; p++) {
        if (strcmp(entry->pairs[p].key, key) == 0) {
            set_text((char **)&entry->pairs[p].value, value);
            return;
        }
    }
    MEM_GROW(entry->pairs, entry->pair_count, entry->pair_cap);
    entry->pairs[entry->pair_count++] = (struct config_pair){mem_strdup(key), mem_strdup(value)};
}

// "a, b" into items.
static void split_list(struct entry *entry, const char *text) {
    config_clear_list(entry);
    while (*text != '\0') {
        text += strspn(text, " ,");
        size_t len = strcspn(text, ",");
        size_t keep = len;
        while (keep > 0 && text[keep - 1] == ' ') {
            keep--;
        }
        if (keep > 0) {
            char *item = mem_strndup(text, keep);
            config_add_item(entry, item);
            mem_free(item);
        }
        text += len;
    }
}

static bool in_range(const struct setting *setting, double value) {
    return value >= setting->min && value <= setting->max;
}

// Parses a number of some kind; NULL if it is fine, else what is wrong.
static const char *take_number(struct entry *entry, const char *text) {
    const struct setting *s = entry->setting;
    struct str view = str_of(text);
    if (s->type == SETTING_REAL) {
        char *end;
        double value = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(value)) {
            return "not a number";
        }
        entry->real = value;
        return in_range(s, value) ? NULL : "out of range";
    }
    int64_t value = 0;
    bool good = s->type == SETTING_INT        ? str_to_i64(view, &value)
                : s->type == SETTING_DURATION ? span_parse_ms(view, 1, &value)
                                              : span_parse_bytes(view, 1, &value);
    if (!good) {
        return s->type == SETTING_INT        ? "not a whole number"
               : s->type == SETTING_DURATION ? "not a duration such as 250ms, 1s, 5m or 1h"
                                             : "not a size such as 512k, 32m or 1g";
    }
    entry->integer = value;
    return in_range(s, (double)value) ? NULL : "out of range";
}

static const char *take_choice(const struct setting *setting, const char *text) {
    for (const char *const *choice = setting->choices; *choice != NULL; choice++) {
        if (strcmp(*choice, text) == 0) {
            return NULL;
        }
    }
    return strcmp(setting->key, "avro.framing") == 0 && strcmp(text, "confluent") == 0
               ? "this release has no Schema Registry client yet; use single-object"
               : "not one of its choices";
}

void config_take(struct config *config, struct entry *entry, const char *text, const char *origin) {
    const struct setting *s = entry->setting;
    const char *wrong = NULL;
    switch (s->type) {
    case SETTING_TEXT:
        break;
    case SETTING_BOOL:
        entry->boolean = strcmp(text, "true") == 0;
        wrong = entry->boolean || strcmp(text, "false") == 0 ? NULL : "neither true nor false";
        break;
    case SETTING_CHOICE:
        wrong = take_choice(s, text);
        break;
    case SETTING_LIST:
        split_list(entry, text);
        break;
    case SETTING_MAP:
        wrong = text[0] == '\0' ? NULL : "a list of names and values is wanted here";
        break;
    default:
        wrong = take_number(entry, text);
        break;
    }
    if (wrong != NULL) {
        bool hide = (s->flags & SETTING_SECRET) != 0;
        config_complain(config, origin, s->key, "%s%s%.80s", wrong, hide ? "" : ": ",
                        hide ? "" : text);
        return;
    }
    set_text(&entry->text, text);
    set_text(&entry->origin, origin);
}

void config_set(struct config *config, const char *key, const char *value, const char *origin) {
    struct entry *entry = config_find(config, key);
    if (entry != NULL) {
        config_take(config, entry, value, origin);
        return;
    }
    for (unsigned i = 0; i < config->count; i++) {
        const struct setting *s = config->entries[i].setting;
        size_t len = strlen(s->key);
        if (s->type == SETTING_MAP && strncmp(key, s->key, len) == 0 && key[len] == '.') {
            config_add_pair(config, &config->entries[i], key + len + 1, value, origin);
            return;
        }
    }
    config_unknown(config, origin, key);
}
