// render_settings: settings in the forms in which they are pasted. Called by the forms for people,
// and by commands that print nothing else. Quotes for whoever reads the form (a shell, YAML), as a
// key may have a star in it.
#include "present/render_settings.h"

#include <string.h>

#include "advise/setting.h"
#include "base/check.h"
#include "base/compiler.h"

static const char *const names[] = {[SETTINGS_CONF] = "conf",
                                    [SETTINGS_DEFAULTS] = "defaults",
                                    [SETTINGS_SQL] = "sql",
                                    [SETTINGS_OPERATOR] = "operator"};

const char *settings_form_name(enum settings_form form) {
    return (size_t)form < ARRAY_LEN(names) ? names[form] : NULL;
}

static bool may_be_set_in_session(const struct setting_advice *setting) {
    int id = setting_of_key(str_of(setting->key));
    return id >= 0 && setting_row((enum setting)id)->place == IN_SESSION;
}

// A shell takes anything else for something of its own.
static bool needs_quotes(const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "._-:/=,@%+";
    return text[strspn(text, plain)] != '\0';
}

static void add_conf(struct buf *out, const char *key, const char *value) {
    bool quoted = needs_quotes(key) || needs_quotes(value);
    buf_add_text(out, quoted ? "--conf '" : "--conf ");
    buf_add_printable(out, str_of(key));
    buf_add_char(out, '=');
    buf_add_printable(out, str_of(value));
    buf_add_text(out, quoted ? "'" : "");
}

static void add_line(struct buf *out, enum settings_form form,
                     const struct setting_advice *setting) {
    switch (form) {
    case SETTINGS_CONF:
        add_conf(out, setting->key, setting->value);
        break;
    case SETTINGS_DEFAULTS:
        buf_add_printable(out, str_of(setting->key));
        buf_add_char(out, ' ');
        buf_add_printable(out, str_of(setting->value));
        break;
    case SETTINGS_SQL:
        buf_add_text(out, "SET ");
        buf_add_printable(out, str_of(setting->key));
        buf_add_char(out, '=');
        buf_add_printable(out, str_of(setting->value));
        buf_add_char(out, ';');
        break;
    case SETTINGS_OPERATOR: // strings of JSON are strings of YAML
        buf_add_text(out, "  ");
        buf_add_json(out, str_of(setting->key));
        buf_add_text(out, ": ");
        buf_add_json(out, str_of(setting->value));
        break;
    }
    buf_add_char(out, '\n');
}

uint32_t render_settings(struct buf *out, enum settings_form form,
                         const struct setting_advice *settings, uint32_t count, int indent) {
    uint32_t left_out = 0;
    if (form == SETTINGS_OPERATOR && count > 0) {
        buf_printf(out, "%*ssparkConf:\n", indent, "");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (form == SETTINGS_SQL && !may_be_set_in_session(&settings[i])) {
            left_out++;
            continue;
        }
        buf_printf(out, "%*s", indent, "");
        add_line(out, form, &settings[i]);
    }
    return left_out;
}

void render_advised_settings(struct buf *out, const struct recommendation *recommendation,
                             int indent) {
    (void)!render_settings(out, SETTINGS_CONF, recommendation->settings,
                           recommendation->setting_count, indent);
    for (uint32_t i = 0; i < recommendation->own_count; i++) {
        const struct own_setting *own = &recommendation->own[i];
        buf_printf(out, "%*s# ", indent, "");
        add_conf(out, own->key, own->fits);
        if (own->value[0] == '\0') {
            buf_add_text(out, " (counts only with what this run sets otherwise)\n");
            continue;
        }
        buf_add_text(out, own->by_program ? " (the program itself sets " : " (this run sets ");
        buf_add_printable(out, str_of(own->value));
        buf_add_text(out, own->by_program ? ", probably on purpose, which wins)\n"
                                          : ", probably on purpose)\n");
    }
}
