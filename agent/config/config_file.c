// config_file: YAML to settings, by libyaml's events: nested keys become "section.key". Called by
// the commands; refuses aliases, deep nesting and large files, and names file and line in every
// complaint.
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "config_priv.h"

enum { FILE_MAX = 1 << 20, DEPTH_MAX = 8, KEY_MAX = 512 };

struct loader {
    struct config *config;
    const char *name;
    yaml_parser_t parser;
    char place[600]; // "file:line" of the event at hand
};

static bool next(struct loader *l, yaml_event_t *event) {
    if (!yaml_parser_parse(&l->parser, event)) {
        snprintf(l->place, sizeof l->place, "%.500s:%zu", l->name, l->parser.problem_mark.line + 1);
        config_complain(l->config, l->place, "", "not YAML: %s, column %zu",
                        l->parser.problem != NULL ? l->parser.problem : "unreadable",
                        l->parser.problem_mark.column + 1);
        return false;
    }
    snprintf(l->place, sizeof l->place, "%.500s:%zu", l->name, event->start_mark.line + 1);
    return true;
}

// Passes over the rest of a node whose first event was `type`.
static bool skip(struct loader *l, yaml_event_type_t type) {
    int depth = type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
    while (depth > 0) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return false;
        }
        depth += event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
        depth -= event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        yaml_event_delete(&event);
    }
    return true;
}

static const char *scalar(const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return plain && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0) ? "" : text;
}

static bool is_list(const struct entry *entry) {
    return entry != NULL && entry->setting->type == SETTING_LIST;
}

static bool take_sequence(struct loader *l, const char *key) {
    struct entry *entry = config_find(l->config, key);
    if (!is_list(entry)) {
        if (entry == NULL) {
            config_unknown(l->config, l->place, key);
        } else {
            config_complain(l->config, l->place, key, "a list is not wanted here");
        }
        return skip(l, YAML_SEQUENCE_START_EVENT);
    }
    config_clear_list(entry);
    mem_free(entry->origin);
    entry->origin = mem_strdup(l->place);
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return false;
        }
        yaml_event_type_t type = event.type;
        if (type == YAML_SCALAR_EVENT) {
            config_add_item(entry, scalar(&event));
        } else if (type != YAML_SEQUENCE_END_EVENT) {
            config_complain(l->config, l->place, key, "its elements must be texts");
        }
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        if (type != YAML_SCALAR_EVENT && !skip(l, type)) {
            return false;
        }
    }
}

static void take_scalar(struct loader *l, const char *key, const char *text) {
    size_t len = strlen(key);
    struct entry *entry = config_find(l->config, key);
    if (entry == NULL && len > 5 && strcmp(key + len - 5, "_file") == 0) {
        char *twin = mem_strndup(key, len - 5); // the value lies in a file
        struct buf value = {0};
        buf_printf(&value, "@file:%s", text);
        config_set(l->config, twin, buf_text(&value), l->place);
        buf_fini(&value);
        mem_free(twin);
        return;
    }
    if (entry != NULL && entry->seen_in_file) {
        config_complain(l->config, l->place, key, "is set twice");
        return;
    }
    if (entry != NULL) {
        entry->seen_in_file = true;
    }
    config_set(l->config, key, text, l->place);
}

static bool take_mapping(struct loader *l, const char *prefix, int depth);

static bool take_value(struct loader *l, const char *key, int depth) {
    yaml_event_t event;
    if (!next(l, &event)) {
        return false;
    }
    bool go_on = true;
    switch (event.type) {
    case YAML_SCALAR_EVENT:
        take_scalar(l, key, scalar(&event));
        break;
    case YAML_SEQUENCE_START_EVENT:
        go_on = take_sequence(l, key);
        break;
    case YAML_MAPPING_START_EVENT:
        go_on = take_mapping(l, key, depth + 1);
        break;
    default:
        config_complain(l->config, l->place, key, "aliases and anchors are not taken");
        break;
    }
    yaml_event_delete(&event);
    return go_on;
}

static bool take_mapping(struct loader *l, const char *prefix, int depth) {
    if (depth > DEPTH_MAX) {
        config_complain(l->config, l->place, prefix, "nested too deeply");
        return skip(l, YAML_MAPPING_START_EVENT);
    }
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return false;
        }
        yaml_event_type_t type = event.type;
        if (type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        if (type != YAML_SCALAR_EVENT) {
            config_complain(l->config, l->place, prefix, "keys must be plain words");
            yaml_event_delete(&event);
            return false;
        }
        char key[KEY_MAX];
        snprintf(key, sizeof key, "%.200s%s%.200s", prefix, prefix[0] != '\0' ? "." : "",
                 (const char *)event.data.scalar.value);
        yaml_event_delete(&event);
        if (!take_value(l, key, depth)) {
            return false;
        }
    }
}

static void load(struct loader *l) {
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return;
        }
        yaml_event_type_t type = event.type;
        bool empty = type == YAML_SCALAR_EVENT && scalar(&event)[0] == '\0';
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) {
            return;
        }
        if (type == YAML_MAPPING_START_EVENT) {
            if (!take_mapping(l, "", 0)) {
                return;
            }
        } else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT) {
            if (!empty) {
                config_complain(l->config, l->place, "",
                                "the file must hold sections with settings");
                return;
            }
        }
    }
}

void config_load_text(struct config *config, const char *name, struct str text) {
    struct loader l = {.config = config, .name = name};
    for (unsigned i = 0; i < config->count; i++) {
        config->entries[i].seen_in_file = false;
    }
    if (text.len > FILE_MAX) {
        config_complain(config, name, "", "larger than 1 MiB: is this the right file?");
        return;
    }
    if (!yaml_parser_initialize(&l.parser)) {
        config_complain(config, name, "", "no memory to read it");
        return;
    }
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text.p, text.len);
    load(&l);
    yaml_parser_delete(&l.parser);
}

void config_load_file(struct config *config, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        config_complain(config, path, "", "cannot be read: %m");
        return;
    }
    struct buf text = {0};
    size_t n;
    while (text.len <= FILE_MAX && (n = fread(buf_reserve(&text, 65536), 1, 65536, file)) > 0) {
        text.len += n;
    }
    if (ferror(file)) {
        config_complain(config, path, "", "cannot be read: is it a folder?");
    } else {
        config_load_text(config, path, buf_str(&text));
    }
    fclose(file);
    buf_fini(&text);
}

const char *config_library_version(void) {
    return yaml_get_version_string();
}
