// config_yaml: YAML to settings, by libyaml's events: nested keys become "section.key". Called by
// the commands; refuses aliases, deep nesting and large files (it never reads more than
// CONFIG_FILE_MAX bytes), and names file and line in every complaint.
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "config/config_priv.h"

enum { DEPTH_MAX = 8, SECTIONS_MAX = 64 };

struct loader {
    struct config *config;
    const char *name;
    struct str text;
    yaml_parser_t parser;
    char place[600];              // "file:line" of the event at hand
    char *sections[SECTIONS_MAX]; // known sections met so far; owned
    unsigned section_count;
};

// The number of the line that holds byte `offset`, from 0.
static size_t line_of(struct str text, size_t offset) {
    size_t line = 0;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        line += text.p[i] == '\n';
    }
    return line;
}

// True if a tab is among the blanks that begin a line.
static bool tab_indented(struct str text, size_t line) {
    size_t at = 0;
    for (; line > 0 && at < text.len; at++) {
        line -= text.p[at] == '\n';
    }
    while (at < text.len && text.p[at] == ' ') {
        at++;
    }
    return at < text.len && text.p[at] == '\t';
}

static void set_place(struct loader *l, size_t line) {
    snprintf(l->place, sizeof l->place, "%.500s:%zu", l->name, line + 1);
}

static void complain_yaml(struct loader *l) {
    const yaml_parser_t *parser = &l->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "unreadable";
    if (parser->error == YAML_READER_ERROR) { // has no mark
        set_place(l, line_of(l->text, parser->problem_offset));
        config_complain(l->config, l->place, "", "not YAML: %s", problem);
        return;
    }
    size_t line = parser->problem_mark.line;
    set_place(l, line);
    config_complain(l->config, l->place, "", "not YAML: %s, column %zu%s", problem,
                    parser->problem_mark.column + 1,
                    tab_indented(l->text, line) ? "; indent with spaces, not with a tab" : "");
}

// The next event; false, with the mistake noted, when there is none or too much is wrong already.
static bool next(struct loader *l, yaml_event_t *event) {
    if (l->config->error_count > CONFIG_ERRORS_MAX) {
        return false;
    }
    if (!yaml_parser_parse(&l->parser, event)) {
        complain_yaml(l);
        return false;
    }
    set_place(l, event->start_mark.line);
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
        if (depth > DEPTH_MAX) { // libyaml's time grows with the square of the depth
            config_complain(l->config, l->place, "", "nested too deeply");
            return false;
        }
    }
    return true;
}

// The text of a scalar, "" for a null; NULL if it holds a NUL byte.
static const char *scalar(const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) != event->data.scalar.length) {
        return NULL;
    }
    return plain && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0) ? "" : text;
}

static void take_element(struct loader *l, struct entry *entry, const yaml_event_t *event) {
    const char *key = entry->setting->key;
    const char *text = event->type == YAML_SCALAR_EVENT ? scalar(event) : NULL;
    if (text == NULL) {
        config_complain(l->config, l->place, key, "its elements must be texts");
    } else if (text[0] == '\0') {
        config_complain(l->config, l->place, key, "an element is empty");
    } else {
        config_add_item(entry, text);
    }
}

static bool take_sequence(struct loader *l, const char *key) {
    struct entry *entry = config_begin_list(l->config, key, l->place, l->config->load);
    if (entry == NULL) {
        return skip(l, YAML_SEQUENCE_START_EVENT);
    }
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return false;
        }
        yaml_event_type_t type = event.type;
        if (type != YAML_SEQUENCE_END_EVENT) {
            take_element(l, entry, &event);
        }
        yaml_event_delete(&event);
        if (type == YAML_SEQUENCE_END_EVENT || !skip(l, type)) {
            return type == YAML_SEQUENCE_END_EVENT;
        }
    }
}

static void take_scalar(struct loader *l, const char *key, const yaml_event_t *event) {
    const char *text = scalar(event);
    if (text == NULL) {
        config_complain(l->config, l->place, key, "holds a NUL byte");
    } else {
        config_put(l->config, key, text, l->place, l->config->load);
    }
}

// Notes that a section begins; false, with the mistake noted, if it did before.
static bool see_section(struct loader *l, const char *key) {
    const struct entry *entry = config_find(l->config, key);
    bool map = entry != NULL && entry->setting->type == SETTING_MAP;
    if ((!map && !config_is_section(l->config, key)) || l->section_count == SECTIONS_MAX) {
        return true; // what lies below is complained about one by one
    }
    for (unsigned i = 0; i < l->section_count; i++) {
        if (strcmp(l->sections[i], key) == 0) {
            config_complain(l->config, l->place, key, "this section is there twice");
            return false;
        }
    }
    l->sections[l->section_count++] = mem_strdup(key);
    return true;
}

static bool take_mapping(struct loader *l, const char *prefix, int depth);

static bool take_section(struct loader *l, const char *key, int depth) {
    const struct entry *entry = config_find(l->config, key);
    if (entry != NULL && entry->setting->type != SETTING_MAP) {
        config_complain(l->config, l->place, key, "%s is wanted here, not a section",
                        entry->setting->type == SETTING_LIST ? "a list" : "a value");
        return skip(l, YAML_MAPPING_START_EVENT);
    }
    if (!see_section(l, key)) {
        return skip(l, YAML_MAPPING_START_EVENT);
    }
    return take_mapping(l, key, depth + 1);
}

static bool take_value(struct loader *l, const char *key, int depth) {
    yaml_event_t event;
    if (!next(l, &event)) {
        return false;
    }
    bool go_on = true;
    switch (event.type) {
    case YAML_SCALAR_EVENT:
        take_scalar(l, key, &event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        go_on = take_sequence(l, key);
        break;
    case YAML_MAPPING_START_EVENT:
        go_on = take_section(l, key, depth);
        break;
    default:
        config_complain(l->config, l->place, key, "aliases and anchors are not taken");
        break;
    }
    yaml_event_delete(&event);
    return go_on;
}

// "prefix.name" of a key event; false, with the mistake noted, if it is none.
static bool read_key(struct loader *l, const char *prefix, const yaml_event_t *event,
                     char key[CONFIG_KEY_MAX + 1]) {
    const char *name = event->type == YAML_SCALAR_EVENT ? scalar(event) : NULL;
    if (name == NULL || name[0] == '\0') {
        config_complain(l->config, l->place, prefix, "keys must be plain words");
        return false;
    }
    int len =
        snprintf(key, CONFIG_KEY_MAX + 1, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", name);
    if (len > CONFIG_KEY_MAX) {
        config_complain(l->config, l->place, prefix, "a key of more than %d bytes", CONFIG_KEY_MAX);
        return false;
    }
    return true;
}

static bool take_mapping(struct loader *l, const char *prefix, int depth) {
    if (depth > DEPTH_MAX) {
        config_complain(l->config, l->place, prefix, "nested too deeply");
        return false;
    }
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return false;
        }
        char key[CONFIG_KEY_MAX + 1];
        bool end = event.type == YAML_MAPPING_END_EVENT;
        bool good = !end && read_key(l, prefix, &event, key);
        yaml_event_delete(&event);
        if (!good || !take_value(l, key, depth)) {
            return end;
        }
    }
}

static bool take_document(struct loader *l, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
        return take_mapping(l, "", 0);
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.length == 0) {
            return true;
        }
        break;
    case YAML_SEQUENCE_START_EVENT:
        break;
    default:
        return true;
    }
    config_complain(l->config, l->place, "", "the file must hold sections with settings");
    return false;
}

static void load(struct loader *l) {
    bool go_on = true;
    for (int documents = 0; go_on;) {
        yaml_event_t event;
        if (!next(l, &event)) {
            return;
        }
        documents += event.type == YAML_DOCUMENT_START_EVENT;
        if (documents > 1) {
            config_complain(l->config, l->place, "", "a second document; one is wanted");
        }
        go_on = documents < 2 && event.type != YAML_STREAM_END_EVENT && take_document(l, &event);
        yaml_event_delete(&event);
    }
}

void config_load_text(struct config *config, const char *name, struct str text) {
    struct loader l = {.config = config, .name = name, .text = text};
    config->load++;
    if (text.len > CONFIG_FILE_MAX) {
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
    for (unsigned i = 0; i < l.section_count; i++) {
        mem_free(l.sections[i]);
    }
}

void config_load_file(struct config *config, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        config_complain(config, path, "", "cannot be read: %m");
        return;
    }
    struct buf text = {0};
    size_t n;
    while (text.len <= CONFIG_FILE_MAX &&
           (n = fread(buf_reserve(&text, 65536), 1, 65536, file)) > 0) {
        text.len += n;
    }
    if (ferror(file)) {
        config_complain(config, path, "", "cannot be read: %m");
    } else {
        config_load_text(config, path, buf_str(&text));
    }
    fclose(file);
    buf_fini(&text);
}

const char *config_library_version(void) {
    return yaml_get_version_string();
}
