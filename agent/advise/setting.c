// setting: the table of settings, their values as Spark writes them, and what a run has of them.
// Called by advisors and coherent for what they give, by `stoker man` for the table. Nothing is
// printed here that is not of a row and within its bounds.
#include "advise/setting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/span.h"

#define BY(kind) (1u << (ADVICE_##kind - ADVICE_PARTITIONING))

static const struct setting_row rows[] = {
#define SETTING(id, key_, type_, least_, most_, defaults_, since_, place_, by_, example_)          \
    [SETTING_##id] = {.key = (key_),                                                               \
                      .least = (least_),                                                           \
                      .most = (most_),                                                             \
                      .defaults = (defaults_),                                                     \
                      .example = (example_),                                                       \
                      .example_name = "",                                                          \
                      .type = (type_),                                                             \
                      .place = (place_),                                                           \
                      .since = (since_),                                                           \
                      .by = (by_)},
#define SETTING_FAMILY(id, key_, since_, place_, by_, name_, example_)                             \
    [SETTING_##id] = {.key = (key_),                                                               \
                      .least = "0",                                                                \
                      .most = "256",                                                               \
                      .defaults = "",                                                              \
                      .example = (example_),                                                       \
                      .example_name = (name_),                                                     \
                      .type = AS_TEXT,                                                             \
                      .place = (place_),                                                           \
                      .since = (since_),                                                           \
                      .by = (by_),                                                                 \
                      .family = true},
#include "advise/settings.def"
#undef SETTING
#undef SETTING_FAMILY
};

const struct setting_row *setting_row(enum setting setting) {
    require(setting >= 0 && setting < SETTING_COUNT);
    return &rows[setting];
}

int setting_of_key(struct str key) {
    for (int i = 0; i < SETTING_COUNT; i++) {
        struct str own = str_of(rows[i].key);
        bool is = rows[i].family ? key.len > own.len && str_starts(key, own) : str_eq(key, own);
        if (is) {
            return i;
        }
    }
    return -1;
}

int setting_spark_of(const struct app *app) {
    return app->spark_major * 100 + app->spark_minor;
}

// The text up to the next comma, which is taken off.
static struct str next_part(struct str *rest) {
    const char *comma = memchr(rest->p, ',', rest->len);
    struct str part = {rest->p, comma != NULL ? (size_t)(comma - rest->p) : rest->len};
    size_t taken = comma != NULL ? part.len + 2 : part.len; // ", "
    rest->p += taken;
    rest->len -= taken;
    return part;
}

struct str setting_default(enum setting setting, int spark) {
    struct str rest = str_of(setting_row(setting)->defaults), value = next_part(&rest);
    if (spark == 0 && rest.len > 0) {
        return STR("");
    }
    while (rest.len > 0) { // "302 true"
        struct str part = next_part(&rest);
        int64_t from;
        require(part.len > 4 && str_to_i64((struct str){part.p, 3}, &from));
        value = spark >= from ? (struct str){part.p + 4, part.len - 4} : value;
    }
    return value;
}

static bool parse_fraction(struct str text, double *out) {
    char copy[SETTING_NUMBER_SIZE], *end;
    if (text.len == 0 || text.len >= sizeof copy || !str_copy(copy, sizeof copy, text)) {
        return false;
    }
    double value = strtod(copy, &end);
    if (end == copy || *end != '\0' || !isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}

static bool parse_bool(struct str text, double *out) {
    bool yes = text.len == 4 && strncasecmp(text.p, "true", 4) == 0;
    if (!yes && (text.len != 5 || strncasecmp(text.p, "false", 5) != 0)) {
        return false;
    }
    *out = yes;
    return true;
}

bool setting_parse(enum setting setting, struct str text, double *out) {
    int64_t whole;
    bool good = false;
    switch (setting_row(setting)->type) {
    case AS_TEXT:
        return false;
    case AS_BOOL:
        return parse_bool(text, out);
    case AS_FRACTION:
        return parse_fraction(text, out);
    case AS_INT:
        good = str_to_i64(text, &whole);
        break;
    case AS_BYTES: // below 0: switched off
        good = str_to_i64(text, &whole) || span_parse_bytes(text, 1, &whole);
        break;
    case AS_MIB:
        good = span_parse_bytes(text, 1 << 20, &whole);
        break;
    case AS_MS:
        good = span_parse_ms(text, 1, &whole);
        break;
    case AS_S:
        good = span_parse_ms(text, 1000, &whole);
        break;
    }
    if (good) {
        *out = (double)whole;
    }
    return good;
}

// What its environment says, and what the program set since; "" if nothing.
static void look_up(const struct app *app, enum setting setting, struct str *environment,
                    struct str *session) {
    const char *key = setting_row(setting)->key;
    enum property property = event_property_of(str_of(key));
    require(!rows[setting].family);
    *environment = *session = STR("");
    if (property != PROPERTY_NONE) {
        bool member = property_is_family(property);
        const char *name = member ? key + strlen(property_key(property)) : NULL;
        *environment = properties_get(&app->properties, property, name);
        *session = app_session_property(app, property, name);
    }
}

struct str setting_told(const struct app *app, enum setting setting) {
    struct str environment, session;
    look_up(app, setting, &environment, &session);
    return session.len > 0 ? session : environment;
}

bool setting_is_programs(const struct app *app, enum setting setting) {
    struct str environment, session;
    look_up(app, setting, &environment, &session);
    return session.len > 0 && !str_eq(session, environment);
}

bool setting_number(const struct app *app, enum setting setting, double *out) {
    struct str told = setting_told(app, setting);
    return setting_parse(
        setting, told.len > 0 ? told : setting_default(setting, setting_spark_of(app)), out);
}

// In the largest unit that leaves nothing over.
static void write_in_units(double value, const char *const *units, const double *factors,
                           unsigned count, char out[SETTING_NUMBER_SIZE]) {
    unsigned i = 0;
    while (i + 1 < count && (value < factors[i] || fmod(value, factors[i]) != 0)) {
        i++;
    }
    snprintf(out, SETTING_NUMBER_SIZE, "%.0f%s", value / factors[i], value > 0 ? units[i] : "");
}

// A whole number of the unit that Spark counts in: rounded up, so that what must fit does.
static void write_value(enum setting_type type, double value, char out[SETTING_NUMBER_SIZE]) {
    static const char *const bytes[] = {"g", "m", "k", "b"}, *const times[] = {"s", "ms"};
    static const double byte_factors[] = {1 << 30, 1 << 20, 1 << 10, 1}, time_factors[] = {1000, 1};
    switch (type) {
    case AS_BYTES:
        write_in_units(ceil(value), bytes, byte_factors, ARRAY_LEN(bytes), out);
        break;
    case AS_MIB:
        write_in_units(ceil(value / (1 << 20)) * (1 << 20), bytes, byte_factors, 2, out);
        break;
    case AS_MS:
        write_in_units(ceil(value), times, time_factors, ARRAY_LEN(times), out);
        break;
    case AS_S:
        write_in_units(ceil(value / 1000) * 1000, times, time_factors, 1, out);
        break;
    case AS_BOOL:
        snprintf(out, SETTING_NUMBER_SIZE, "%s", value != 0 ? "true" : "false");
        break;
    case AS_INT:
        snprintf(out, SETTING_NUMBER_SIZE, "%.0f", floor(value));
        break;
    case AS_FRACTION:
    case AS_TEXT:
        snprintf(out, SETTING_NUMBER_SIZE, "%.4g", value);
        break;
    }
}

static bool is_within(enum setting setting, double value) {
    double least, most;
    bool known = setting_parse(setting, str_of(rows[setting].least), &least) &&
                 setting_parse(setting, str_of(rows[setting].most), &most);
    return known && value >= least && value <= most; // not a number: neither
}

bool setting_write(enum setting setting, double value, char out[SETTING_NUMBER_SIZE]) {
    require(setting_row(setting)->type != AS_TEXT);
    bool within = is_within(setting, value);
    if (within) {
        write_value(rows[setting].type, value, out);
    }
    return within;
}

bool setting_known(enum setting setting, int spark) {
    enum { OLDEST = 300 };
    return setting_row(setting)->since <= (spark > 0 ? spark : OLDEST);
}

bool advice_sets(const struct recommendation *recommendation, enum setting setting) {
    for (uint32_t i = 0; i < recommendation->setting_count; i++) {
        if (strcmp(recommendation->settings[i].key, setting_row(setting)->key) == 0) {
            return true;
        }
    }
    return false;
}

// Which of the kinds that a row names it is: all that answers a kind of bottleneck alone is
// general.
static uint32_t kind_of(const struct recommendation *recommendation) {
    int kind = advice_kind_parse(str_of(recommendation->kind));
    return 1u << ((kind >= ADVICE_PARTITIONING ? kind : ADVICE_GENERAL) - ADVICE_PARTITIONING);
}

static bool set(struct recommendation *r, enum setting setting, const char *name,
                const char *value) {
    require((setting_row(setting)->by & kind_of(r)) != 0);
    struct buf key = {0};
    buf_printf(&key, "%s%s", rows[setting].key, name);
    for (uint32_t i = 0; i < r->setting_count; i++) {
        if (strcmp(r->settings[i].key, buf_text(&key)) == 0) {
            buf_fini(&key);
            return false;
        }
    }
    r->settings = mem_resize(r->settings, r->setting_count + 1, sizeof *r->settings);
    r->settings[r->setting_count++] =
        (struct setting_advice){.key = mem_strdup(buf_text(&key)), .value = mem_strdup(value)};
    buf_fini(&key);
    return true;
}

static bool set_number(struct recommendation *r, enum setting setting, double value) {
    char text[SETTING_NUMBER_SIZE];
    return setting_write(setting, value, text) && set(r, setting, "", text);
}

bool advice_set_int(struct recommendation *recommendation, enum setting setting, double value) {
    require(setting_row(setting)->type == AS_INT);
    return set_number(recommendation, setting, value);
}

bool advice_set_bytes(struct recommendation *recommendation, enum setting setting, double bytes) {
    require(setting_row(setting)->type == AS_BYTES || rows[setting].type == AS_MIB);
    return set_number(recommendation, setting, bytes);
}

bool advice_set_ms(struct recommendation *recommendation, enum setting setting, double ms) {
    require(setting_row(setting)->type == AS_MS || rows[setting].type == AS_S);
    return set_number(recommendation, setting, ms);
}

bool advice_set_fraction(struct recommendation *recommendation, enum setting setting,
                         double value) {
    require(setting_row(setting)->type == AS_FRACTION);
    return set_number(recommendation, setting, value);
}

bool advice_set_bool(struct recommendation *recommendation, enum setting setting, bool value) {
    require(setting_row(setting)->type == AS_BOOL);
    return set_number(recommendation, setting, value);
}

// One word of at most so many visible ASCII characters: it is pasted into a shell.
static bool is_word(const char *text, const char *most) {
    int64_t longest;
    size_t len = strlen(text);
    require(str_to_i64(str_of(most), &longest));
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7F || strchr("\"'`\\", text[i]) != NULL) {
            return false;
        }
    }
    return len > 0 && len <= (size_t)longest;
}

bool advice_set_text(struct recommendation *recommendation, enum setting setting,
                     const char *value) {
    require(setting_row(setting)->type == AS_TEXT && !rows[setting].family);
    return is_word(value, rows[setting].most) && set(recommendation, setting, "", value);
}

bool advice_set_member(struct recommendation *recommendation, enum setting family, const char *name,
                       const char *value) {
    const struct setting_row *row = setting_row(family);
    require(row->family);
    return is_word(name, row->most) && is_word(value, row->most) &&
           set(recommendation, family, name, value);
}

static void add_defaults(enum setting setting, struct buf *out) {
    struct str rest = str_of(rows[setting].defaults), part = next_part(&rest);
    if (part.len > 0) {
        buf_printf(out, "`%.*s`", (int)part.len, part.p);
    }
    while (rest.len > 0) {
        part = next_part(&rest);
        buf_printf(out, ", from %c.%d `%.*s`", part.p[0], atoi((char[]){part.p[1], part.p[2], 0}),
                   (int)part.len - 4, part.p + 4);
    }
}

static void add_kinds(uint32_t by, struct buf *out) {
    const char *between = "";
    for (int kind = ADVICE_PARTITIONING; advice_kind_known(kind); kind++) {
        if ((by & (1u << (kind - ADVICE_PARTITIONING))) != 0) {
            buf_printf(out, "%s%s", between, advice_kind_name((enum advice_kind)kind));
            between = ", ";
        }
    }
}

void settings_to_markdown(struct buf *out) {
    static const char *const types[] = {
        [AS_INT] = "whole number", [AS_BOOL] = "true or false",    [AS_FRACTION] = "number",
        [AS_TEXT] = "text",        [AS_BYTES] = "bytes",           [AS_MIB] = "bytes, plain: MiB",
        [AS_MS] = "time",          [AS_S] = "time, plain: seconds"};
    static const char *const places[] = {
        [IN_SESSION] = "session", [IN_APPLICATION] = "application", [IN_CLUSTER] = "cluster"};
    buf_add_text(out,
                 "| setting | value | from | to | Spark's own | since | set in | by advice on | "
                 "example |\n|---|---|--:|--:|---|---|---|---|---|\n");
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &rows[i];
        bool bounded = row->type != AS_TEXT && row->type != AS_BOOL;
        buf_printf(out, "| `%s%s` | %s | %s | %s | ", row->key, row->family ? "*" : "",
                   types[row->type], bounded ? row->least : "", bounded ? row->most : "");
        add_defaults((enum setting)i, out);
        buf_printf(out, " | %d.%d | %s | ", row->since / 100, row->since % 100, places[row->place]);
        add_kinds(row->by, out);
        buf_printf(out, " | `%s%s%s` |\n", row->example_name, row->family ? "=" : "", row->example);
    }
}
