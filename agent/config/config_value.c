// config_value: one scalar by its setting's type and range. Called by the store for every value;
// the words of a mistake hold the value only if it is no secret.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "config/config_priv.h"

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

// A number in the largest of the units that it is a multiple of.
static void add_in_units(struct buf *out, double value, const char *const *names,
                         const double *sizes, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (value >= sizes[i] && fmod(value, sizes[i]) == 0) {
            buf_printf(out, "%.15g%s", value / sizes[i], names[i]);
            return;
        }
    }
    buf_printf(out, "%.15g", value);
}

static void add_bound(struct buf *out, enum setting_type type, double value) {
    static const char *const times[] = {"d", "h", "m", "s", "ms"};
    static const double times_ms[] = {86400000, 3600000, 60000, 1000, 1};
    static const char *const sizes[] = {"g", "m", "k"};
    static const double sizes_bytes[] = {1 << 30, 1 << 20, 1 << 10};
    if (type == SETTING_DURATION) {
        add_in_units(out, value, times, times_ms, ARRAY_LEN(times));
    } else if (type == SETTING_BYTES) {
        add_in_units(out, value, sizes, sizes_bytes, ARRAY_LEN(sizes));
    } else {
        buf_printf(out, "%.15g", value);
    }
}

void config_add_range(struct buf *out, const struct setting *setting) {
    switch (setting->type) {
    case SETTING_CHOICE:
        for (const char *const *choice = setting->choices; *choice != NULL; choice++) {
            buf_printf(out, "%s%s", choice == setting->choices ? "" : ", ", *choice);
        }
        break;
    case SETTING_INT:
    case SETTING_REAL:
    case SETTING_DURATION:
    case SETTING_BYTES:
        add_bound(out, setting->type, setting->min);
        buf_add_text(out, " to ");
        add_bound(out, setting->type, setting->max);
        break;
    default:
        break;
    }
}

static const char *const out_of_range = "out of range";
static const char *const not_a_choice = "not a choice";

static bool in_range(const struct setting *setting, double value) {
    return value >= setting->min && value <= setting->max;
}

static const char *take_real(struct entry *entry, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || strpbrk(text, " \tnNxX") != NULL) {
        return "not a number";
    }
    if (!in_range(entry->setting, value)) {
        return out_of_range;
    }
    entry->real = value;
    return NULL;
}

// Parses a number of some kind; NULL if it is fine, else what is wrong and the entry is unchanged.
static const char *take_number(struct entry *entry, const char *text) {
    const struct setting *s = entry->setting;
    struct str view = str_of(text);
    if (s->type == SETTING_REAL) {
        return take_real(entry, text);
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
    if (!in_range(s, (double)value)) {
        return out_of_range;
    }
    entry->integer = value;
    return NULL;
}

static const char *take_choice(const struct setting *setting, const char *text) {
    for (const char *const *choice = setting->choices; *choice != NULL; choice++) {
        if (strcmp(*choice, text) == 0) {
            return NULL;
        }
    }
    return strcmp(setting->key, "avro.framing") == 0 && strcmp(text, "confluent") == 0
               ? "this release has no Schema Registry client yet; use single-object"
               : not_a_choice;
}

// NULL if the value was taken, else what is wrong with it.
static const char *take(struct entry *entry, const char *text) {
    switch (entry->setting->type) {
    case SETTING_TEXT:
        for (const char *p = text; *p != '\0'; p++) {
            if ((unsigned char)*p < ' ' || *p == 0x7f) {
                return "holds a line break or another control character";
            }
        }
        return NULL;
    case SETTING_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return "neither true nor false";
        }
        entry->boolean = text[0] == 't';
        return NULL;
    case SETTING_CHOICE:
        return take_choice(entry->setting, text);
    case SETTING_LIST:
        split_list(entry, text);
        return NULL;
    case SETTING_MAP:
        return text[0] == '\0' ? NULL : "names and values are wanted here, not a text";
    default:
        return text[0] == '\0' ? "has no value" : take_number(entry, text);
    }
}

void config_take(struct config *config, struct entry *entry, const char *text, const char *origin) {
    const struct setting *s = entry->setting;
    const char *wrong = take(entry, text);
    if (wrong == NULL) {
        char *copy = mem_strdup(text), *place = mem_strdup(origin);
        mem_free(entry->text);
        mem_free(entry->origin);
        entry->text = copy;
        entry->origin = place;
        return;
    }
    struct buf words = {0};
    buf_add_text(&words, wrong);
    if ((s->flags & SETTING_SECRET) == 0 && s->type != SETTING_MAP && text[0] != '\0') {
        buf_printf(&words, ": %.80s", text);
    }
    if (wrong == out_of_range || wrong == not_a_choice) {
        buf_add_text(&words, wrong == not_a_choice ? "; one of " : "; ");
        config_add_range(&words, s);
    }
    config_complain(config, origin, s->key, "%s", buf_text(&words));
    buf_fini(&words);
}
