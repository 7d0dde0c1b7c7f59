// setup_alerts: the settings of the alert doors: one set of rows for each, under its name, their
// check, and what a door takes of them. Called by setup.c and by the commands that open or ask the
// doors. A door more needs nothing here.
#include <stdio.h>
#include <string.h>

#include "alert/annotation.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/scrub.h"
#include "commands/setup.h"
#include "net/url.h"

enum { DOORS_MAX = 8, DOOR_ROWS = 10, KEY_SIZE = 96, HELP_SIZE = 128 };

// Keys without the door's name, help of `urls` without its title. The last one only a door that
// signs has.
static const struct setting every_door[DOOR_ROWS] = {
    {.key = "urls",
     .type = SETTING_LIST,
     .def = "",
     .help = "s; every one gets every alert. None: no alerts."},
    {.key = "resend_interval",
     .type = SETTING_DURATION,
     .def = "1m",
     .min = 1000,
     .max = 3600000,
     .help = "How often a firing alert is sent again."},
    {.key = "timeout",
     .type = SETTING_DURATION,
     .def = "10s",
     .min = 100,
     .max = 300000,
     .help = "How long one request may take."},
    {.key = "basic_auth_user",
     .type = SETTING_TEXT,
     .def = "",
     .help = "User for basic authentication."},
    {.key = "basic_auth_password",
     .type = SETTING_TEXT,
     .def = "",
     .help = "Password for basic authentication.",
     .flags = SETTING_SECRET},
    {.key = "bearer_token",
     .type = SETTING_TEXT,
     .def = "",
     .help = "Token for bearer authentication.",
     .flags = SETTING_SECRET},
    {.key = "ca_file",
     .type = SETTING_TEXT,
     .def = "",
     .help = "CA certificates (PEM) to trust instead of the system's."},
    {.key = "external_labels",
     .type = SETTING_MAP,
     .def = "",
     .help = "Labels added to every alert that does not have them."},
    {.key = "annotations",
     .type = SETTING_MAP,
     .def = "",
     .help = "Texts added to every alert, such as runbook_url: \"https://runbooks/{kind}\"; with "
             "{alertname}, {severity}, {cluster}, {pipeline} and {kind}."},
    {.key = "secret",
     .type = SETTING_TEXT,
     .def = "",
     .help = "Key of the HMAC-SHA256 that signs each request (header Stoker-Signature).",
     .flags = SETTING_SECRET},
};

static struct setting_table door_table(unsigned number, const struct alert_door *door) {
    static struct setting rows[DOORS_MAX][DOOR_ROWS];
    static char keys[DOORS_MAX][DOOR_ROWS][KEY_SIZE], help[DOORS_MAX][HELP_SIZE];
    require(number < DOORS_MAX);
    for (unsigned i = 0; i < DOOR_ROWS; i++) {
        snprintf(keys[number][i], KEY_SIZE, "%s.%s", door->name, every_door[i].key);
        rows[number][i] = every_door[i];
        rows[number][i].key = keys[number][i];
    }
    snprintf(help[number], HELP_SIZE, "%s%s", door->title, every_door[0].help);
    rows[number][0].help = help[number];
    rows[number][0].flags |= door->hides_path ? SETTING_SECRET : 0;
    return (struct setting_table){rows[number], DOOR_ROWS - !door->signs};
}

static bool in_section(const struct setting *row, const char *name) {
    size_t len = strlen(name);
    return strncmp(row->key, name, len) == 0 && row->key[len] == '.';
}

unsigned setup_alert_tables(struct setting_table *out, unsigned max) {
    const struct setting_table *agent = &settings_agent;
    unsigned doors, n = 0, begin = 0;
    const struct alert_door *const *door = alert_door_table(&doors);
    require(2 * doors + 1 <= max);
    for (unsigned d = 0; d < doors; d++) {
        unsigned end = begin;
        for (unsigned r = begin; r < agent->count; r++) {
            end = in_section(&agent->rows[r], door[d]->name) ? r + 1 : end;
        }
        out[n++] = (struct setting_table){agent->rows + begin, end - begin};
        out[n++] = door_table(d, door[d]);
        begin = end;
    }
    out[n++] = (struct setting_table){agent->rows + begin, agent->count - begin};
    return n;
}

// The key of a setting that every door has, e.g. "alertmanager.urls"; valid until the next call.
static const char *key_of(const struct alert_door *door, const char *name) {
    static _Thread_local char key[KEY_SIZE];
    snprintf(key, sizeof key, "%s.%s", door->name, name);
    return key;
}

// NULL for an empty text: "not set".
static const char *text_of(const struct config *config, const struct alert_door *door,
                           const char *name) {
    const char *text = config_text(config, key_of(door, name));
    return text[0] == '\0' ? NULL : text;
}

static void check_annotations(struct config *config, const struct alert_door *door) {
    unsigned count;
    const struct config_pair *pairs = config_map(config, key_of(door, "annotations"), &count);
    for (unsigned i = 0; i < count; i++) {
        struct err err;
        if (annotation_check(pairs[i].value, &err) != ST_OK) {
            struct buf key = {0};
            buf_printf(&key, "%s.%s", key_of(door, "annotations"), pairs[i].key);
            config_add_error(config, buf_text(&key), "%s", err.text);
            buf_fini(&key);
        }
    }
}

static void check_door(struct config *config, const struct alert_door *door) {
    check_annotations(config, door);
    unsigned count;
    const char *const *urls = config_list(config, key_of(door, "urls"), &count);
    for (unsigned i = 0; i < count; i++) {
        struct url url;
        if (url_parse(urls[i], "", &url, NULL) != ST_OK) {
            struct buf shown = {0};
            scrub_add(&shown, door->hides_path ? STR(SCRUB_MARK) : str_of(urls[i]));
            config_add_error(config, key_of(door, "urls"),
                             "not a URL such as http://host:9093: %.200s", buf_text(&shown));
            buf_fini(&shown);
        }
        url_fini(&url);
    }
    bool user = text_of(config, door, "basic_auth_user") != NULL;
    bool password = text_of(config, door, "basic_auth_password") != NULL;
    if (text_of(config, door, "bearer_token") != NULL && (user || password)) {
        config_add_error(config, key_of(door, "bearer_token"),
                         "basic and bearer authentication exclude each other");
    } else if (password && !user) {
        config_add_error(config, key_of(door, "basic_auth_password"), "needs %s.basic_auth_user",
                         door->name);
    }
}

void setup_alerts_check(struct config *config) {
    unsigned count;
    const struct alert_door *const *doors = alert_door_table(&count);
    for (unsigned i = 0; i < count; i++) {
        check_door(config, doors[i]);
    }
}

// Owned by the caller, their texts by the configuration.
static struct alert_label *labels_of(const struct config *config, const struct alert_door *door,
                                     const char *name, size_t *count) {
    unsigned pairs;
    const struct config_pair *pair = config_map(config, key_of(door, name), &pairs);
    struct alert_label *labels = mem_zalloc(pairs + 1, sizeof *labels);
    for (unsigned i = 0; i < pairs; i++) {
        labels[i] = (struct alert_label){pair[i].key, pair[i].value};
    }
    *count = pairs;
    return labels;
}

static struct alert_settings settings_of(const struct config *config,
                                         const struct alert_door *door) {
    unsigned urls;
    size_t labels, annotations;
    const char *const *url = config_list(config, key_of(door, "urls"), &urls);
    const struct alert_label *external = labels_of(config, door, "external_labels", &labels);
    const struct alert_label *own = labels_of(config, door, "annotations", &annotations);
    return (struct alert_settings){
        .urls = url,
        .url_count = urls,
        .resend_interval_ms = config_int(config, key_of(door, "resend_interval")),
        .timeout_ms = config_int(config, key_of(door, "timeout")),
        .username = text_of(config, door, "basic_auth_user"),
        .password = text_of(config, door, "basic_auth_password"),
        .bearer = text_of(config, door, "bearer_token"),
        .secret = door->signs ? text_of(config, door, "secret") : NULL,
        .ca_file = text_of(config, door, "ca_file"),
        .external = external,
        .external_count = labels,
        .annotations = own,
        .annotation_count = annotations,
        // More than a partition holds, shrunk pipelines included: a flood of alerts must not push
        // out here what was kept there.
        .alerts_max = 4 * (size_t)config_int(config, "limits.pipelines"),
    };
}

void setup_alerts_init(struct setup_alerts *alerts, const struct config *config) {
    unsigned count;
    const struct alert_door *const *doors = alert_door_table(&count);
    *alerts = (struct setup_alerts){mem_zalloc(count, sizeof *alerts->targets), count};
    for (unsigned i = 0; i < count; i++) {
        alerts->targets[i] = (struct alert_target){doors[i], settings_of(config, doors[i])};
    }
}

void setup_alerts_fini(struct setup_alerts *alerts) {
    for (size_t i = 0; i < alerts->count; i++) {
        mem_free((struct alert_label *)alerts->targets[i].settings.external);
        mem_free((struct alert_label *)alerts->targets[i].settings.annotations);
    }
    mem_free(alerts->targets);
}
