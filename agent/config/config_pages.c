// config_pages: the settings as people read them: the effective ones, a sample file, the reference
// page. Called by `stoker config`; never shows a secret.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/scrub.h"
#include "config/config_priv.h"

static const char *const type_names[] = {
    [SETTING_TEXT] = "text",
    [SETTING_BOOL] = "true or false",
    [SETTING_INT] = "whole number",
    [SETTING_REAL] = "number",
    [SETTING_DURATION] = "duration",
    [SETTING_BYTES] = "size",
    [SETTING_CHOICE] = "choice",
    [SETTING_LIST] = "list of texts",
    [SETTING_MAP] = "names and values",
};

enum { PARTS_MAX = 4 };

// The headings of the last key printed.
struct headings {
    char parts[PARTS_MAX][CONFIG_KEY_MAX + 1];
    int depth;
};

// A text as YAML: quoted if it could be read as something else.
static void add_yaml(struct buf *out, const char *text) {
    bool plain = isalnum((unsigned char)text[0]) && strcmp(text, "null") != 0;
    for (const char *p = text; *p != '\0' && plain; p++) {
        plain = isalnum((unsigned char)*p) || strchr("-_./", *p) != NULL;
    }
    if (plain) {
        buf_add_text(out, text);
    } else {
        buf_add_json(out, str_of(text)); // JSON strings are YAML
    }
}

static void add_list(struct buf *out, const struct entry *entry) {
    buf_add_char(out, '[');
    for (unsigned i = 0; i < entry->item_count; i++) {
        struct buf shown = {0};
        scrub_add(&shown, str_of(entry->items[i]));
        buf_add_text(out, i > 0 ? ", " : "");
        buf_add_json(out, buf_str(&shown));
        buf_fini(&shown);
    }
    buf_add_char(out, ']');
}

static void add_value(struct buf *out, const struct entry *entry) {
    if ((entry->setting->flags & SETTING_SECRET) != 0) {
        buf_add_text(out, entry->text[0] == '\0' ? "\"\"" : "\"" SCRUB_MARK "\"");
    } else if (entry->setting->type == SETTING_LIST) {
        add_list(out, entry);
    } else if (entry->setting->type == SETTING_MAP) {
        buf_add_text(out, "{}");
    } else {
        struct buf shown = {0};
        scrub_add(&shown, str_of(entry->text));
        add_yaml(out, buf_text(&shown));
        buf_fini(&shown);
    }
}

// A property of librdkafka: hidden whole if its name says so, else what of its value is a secret.
static void add_pair(struct buf *out, const struct config_pair *pair) {
    struct buf shown = {0};
    scrub_add(&shown,
              scrub_hides_setting(str_of(pair->key)) ? STR(SCRUB_MARK) : str_of(pair->value));
    buf_add_json(out, str_of(pair->key));
    buf_add_text(out, ": ");
    buf_add_json(out, buf_str(&shown));
    buf_fini(&shown);
}

static void add_origin(struct buf *out, const char *origin) {
    buf_add_text(out, " # ");
    buf_add_printable(out, str_of(origin));
    buf_add_char(out, '\n');
}

// Prints the headings above `key` that are new; returns its last part, *indent its indentation.
static const char *enter_section(struct buf *out, struct headings *last, const char *key,
                                 int *indent) {
    int depth = 0;
    const char *dot;
    while ((dot = strchr(key, '.')) != NULL) {
        require(depth < PARTS_MAX);
        char *part = last->parts[depth];
        size_t len = (size_t)(dot - key);
        if (depth >= last->depth || strncmp(part, key, len) != 0 || part[len] != '\0') {
            snprintf(part, sizeof last->parts[0], "%.*s", (int)len, key);
            buf_printf(out, "%*s%s:\n", 2 * depth, "", part);
            last->depth = depth + 1;
        }
        depth++;
        key = dot + 1;
    }
    last->depth = depth;
    *indent = 2 * depth;
    return key;
}

void config_show(const struct config *config, struct buf *out) {
    struct headings headings = {0};
    for (unsigned i = 0; i < config->count; i++) {
        const struct entry *entry = &config->entries[i];
        int indent;
        const char *name = enter_section(out, &headings, entry->setting->key, &indent);
        buf_printf(out, "%*s%s:", indent, "", name);
        if (entry->pair_count == 0) {
            buf_add_char(out, ' ');
            add_value(out, entry);
            add_origin(out, entry->origin);
            continue;
        }
        buf_add_char(out, '\n');
        for (unsigned p = 0; p < entry->pair_count; p++) {
            const struct config_pair *pair = &entry->pairs[p];
            buf_printf(out, "%*s", indent + 2, "");
            add_pair(out, pair);
            add_origin(out, entry->notes[p].origin);
        }
    }
}

void config_sample(const struct setting_table *tables, unsigned count, struct buf *out) {
    struct headings headings = {0};
    struct config *config = config_new(tables, count);
    buf_add_text(
        out, "# Settings of stoker, every one at its default. Printed by: stoker config sample\n");
    for (unsigned i = 0; i < config->count; i++) {
        const struct entry *entry = &config->entries[i];
        int indent;
        const char *name = enter_section(out, &headings, entry->setting->key, &indent);
        buf_printf(out, "%*s# %s\n%*s%s: ", indent, "", entry->setting->help, indent, "", name);
        add_value(out, entry);
        buf_add_char(out, '\n');
    }
    config_free(config);
}

// The variable that sets a key.
static void add_variable(struct buf *out, const struct setting *setting) {
    buf_add_text(out, "`STOKER_");
    for (const char *p = setting->key; *p != '\0'; p++) {
        if (*p == '.') {
            buf_add_text(out, "__");
        } else {
            buf_add_char(out, (char)toupper((unsigned char)*p));
        }
    }
    buf_add_text(out, setting->type == SETTING_MAP ? "__NAME`" : "`");
}

static void add_default(struct buf *out, const struct setting *s) {
    if (s->def[0] != '\0') {
        buf_printf(out, "`%s`", s->def);
    }
}

void config_doc(const struct setting_table *tables, unsigned count, struct buf *out) {
    buf_add_text(
        out,
        "# Settings\n\n"
        "Printed by `stoker config doc`. Later sources win: defaults, the file (`-c`), the\n"
        "environment, `--set KEY=VALUE`. `stoker config show -c FILE` tells what is in force and\n"
        "why, `stoker check -c FILE` finds every mistake at once; an unknown key is one.\n\n"
        "A secret, and a property below `kafka.*` that looks like one, has a twin `KEY_file`\n"
        "naming a file that holds the value. Below `kafka.*` every property of librdkafka may\n"
        "stand; in a variable's name `_` stands for its dots, as in\n"
        "`STOKER_KAFKA__CONSUMER__SESSION_TIMEOUT_MS`.\n\n"
        "| key | type | default | range | what it is | variable |\n|---|---|---|---|---|---|\n");
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            const struct setting *s = &tables[t].rows[r];
            buf_printf(out, "| `%s` | %s%s | ", s->key,
                       (s->flags & SETTING_SECRET) != 0 ? "secret " : "", type_names[s->type]);
            add_default(out, s);
            buf_add_text(out, " | ");
            config_add_range(out, s);
            buf_printf(out, " | %s | ", s->help);
            add_variable(out, s);
            buf_add_text(out, " |\n");
        }
    }
}
