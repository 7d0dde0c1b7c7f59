// config_pages: the settings as people read them: the effective ones, a sample file, the reference
// page. Called by `stoker config`; never shows a secret.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config_priv.h"

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

// A text as YAML: quoted if it could be read as something else.
static void add_yaml(struct buf *out, const char *text) {
    bool plain = text[0] != '\0' && strcmp(text, "~") != 0 && strcmp(text, "null") != 0;
    for (const char *p = text; *p != '\0' && plain; p++) {
        plain = isalnum((unsigned char)*p) || strchr("-_./", *p) != NULL;
    }
    if (plain) {
        buf_add_text(out, text);
    } else {
        buf_add_json(out, str_of(text)); // JSON strings are YAML
    }
}

static void add_value(struct buf *out, const struct entry *entry) {
    if ((entry->setting->flags & SETTING_SECRET) != 0) {
        buf_add_text(out, entry->text[0] == '\0' ? "\"\"" : "\"********\"");
    } else if (entry->setting->type == SETTING_LIST) {
        buf_add_char(out, '[');
        for (unsigned i = 0; i < entry->item_count; i++) {
            buf_add_text(out, i > 0 ? ", " : "");
            buf_add_json(out, str_of(entry->items[i]));
        }
        buf_add_char(out, ']');
    } else if (entry->setting->type == SETTING_MAP) {
        buf_add_char(out, '{');
        for (unsigned i = 0; i < entry->pair_count; i++) {
            buf_add_text(out, i > 0 ? ", " : "");
            buf_add_json(out, str_of(entry->pairs[i].key));
            buf_add_text(out, ": ");
            bool hide = config_is_secret(entry->pairs[i].key);
            buf_add_json(out, str_of(hide ? "********" : entry->pairs[i].value));
        }
        buf_add_char(out, '}');
    } else {
        add_yaml(out, entry->text);
    }
}

// Section headings as the rows go by; returns the key's last part and the indentation in *indent.
static const char *enter_section(struct buf *out, const char *key, char *section, size_t cap,
                                 int *indent) {
    const char *dot = strrchr(key, '.');
    size_t len = dot == NULL ? 0 : (size_t)(dot - key);
    char here[128];
    snprintf(here, sizeof here, "%.*s", (int)len, key);
    if (strcmp(here, section) != 0) {
        snprintf(section, cap, "%s", here);
        const char *inner = strchr(here, '.');
        if (inner != NULL && strncmp(here, "detectors.", 10) == 0) {
            buf_printf(out, "  %s:\n", inner + 1);
        } else if (here[0] != '\0') {
            buf_printf(out, "%s:\n", here);
        }
    }
    *indent = len == 0 ? 0 : strchr(here, '.') != NULL ? 4 : 2;
    return dot == NULL ? key : dot + 1;
}

void config_show(const struct config *config, struct buf *out) {
    char section[128] = "";
    bool detectors = false;
    for (unsigned i = 0; i < config->count; i++) {
        const struct entry *entry = &config->entries[i];
        int indent;
        if (!detectors && strncmp(entry->setting->key, "detectors.", 10) == 0) {
            buf_add_text(out, "detectors:\n");
            detectors = true;
        }
        const char *name =
            enter_section(out, entry->setting->key, section, sizeof section, &indent);
        buf_printf(out, "%*s%s: ", indent, "", name);
        add_value(out, entry);
        buf_add_text(out, " # ");
        buf_add_printable(out, str_of(entry->origin));
        buf_add_char(out, '\n');
    }
}

void config_sample(const struct setting_table *tables, unsigned count, struct buf *out) {
    char section[128] = "";
    bool detectors = false;
    struct config *config = config_new(tables, count);
    buf_add_text(
        out, "# Settings of stoker, every one at its default. Printed by: stoker config sample\n");
    for (unsigned i = 0; i < config->count; i++) {
        const struct entry *entry = &config->entries[i];
        int indent;
        if (!detectors && strncmp(entry->setting->key, "detectors.", 10) == 0) {
            buf_add_text(out, "detectors:\n");
            detectors = true;
        }
        const char *name =
            enter_section(out, entry->setting->key, section, sizeof section, &indent);
        buf_printf(out, "%*s# %s\n%*s%s: ", indent, "", entry->setting->help, indent, "", name);
        add_value(out, entry);
        buf_add_char(out, '\n');
    }
    config_free(config);
}

static void add_range(struct buf *out, const struct setting *s) {
    if (s->type == SETTING_CHOICE) {
        for (const char *const *choice = s->choices; *choice != NULL; choice++) {
            buf_printf(out, "%s%s", choice == s->choices ? "" : ", ", *choice);
        }
    } else if (s->type == SETTING_INT || s->type == SETTING_REAL) {
        buf_printf(out, "%g to %g", s->min, s->max);
    } else if (s->type == SETTING_DURATION) {
        buf_printf(out, "%g ms to %g ms", s->min, s->max);
    } else if (s->type == SETTING_BYTES) {
        buf_printf(out, "%g B to %g B", s->min, s->max);
    }
}

void config_doc(const struct setting_table *tables, unsigned count, struct buf *out) {
    buf_add_text(
        out,
        "# Settings\n\nPrinted by `stoker config doc`. Order of precedence: defaults, the file "
        "(`-c`), the environment, `--set`.\nA key's variable is `STOKER_` and the key in capitals "
        "with "
        "`__` for each dot. Secrets, and properties of\n`kafka.*` that look like one, have a twin "
        "`KEY_file` naming a file that holds the value.\nAn unknown key is an error that names "
        "file, "
        "line and the nearest known key.\n\n| key | type | default | range | what it is "
        "|\n|---|---|---|---|---|\n");
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            const struct setting *s = &tables[t].rows[r];
            buf_printf(out, "| `%s` | %s | %s%s%s | ", s->key, type_names[s->type],
                       s->def[0] != '\0' ? "`" : "", s->def, s->def[0] != '\0' ? "`" : "");
            add_range(out, s);
            buf_printf(out, " | %s |\n", s->help);
        }
    }
}
