// alert_body: labels and annotations of one alert, cleaned and rendered with jansson. Called by
// alertmanager.c, on the caller's thread. Must never hand on a byte that Alertmanager refuses: one
// bad alert costs its whole batch an answer of 400.
#include "alert_body.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

// Appends `text` with bad UTF-8 and control characters (but not line ends, if asked) replaced, at
// most `max` bytes long.
static void add_clean(struct buf *out, struct str text, size_t max, bool lines) {
    struct str_char c;
    while (str_next(&text, &c)) {
        bool control = (c.byte < 0x20 && !(lines && c.byte == '\n')) || c.byte == 0x7F;
        struct str piece = control ? STR("\xEF\xBF\xBD") : c.shown;
        if (out->len + piece.len > max) {
            return;
        }
        buf_add_str(out, piece);
    }
}

// Makes a name match [a-zA-Z_][a-zA-Z0-9_]* without a leading "__"; may leave nothing.
static void add_clean_name(struct buf *out, const char *name) {
    while (*name == '_') {
        name++;
    }
    if (isdigit((unsigned char)*name)) {
        buf_add_char(out, '_');
    }
    for (; *name != '\0' && out->len < ALERT_LABEL_MAX; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = c < 0x80 && isalnum(c);
        buf_add_char(out, plain || out->len > 0 ? (plain ? (char)c : '_') : 'x');
    }
}

// A label is added unless it is empty or already there.
static void add_label(json_t *labels, const char *name, const char *value) {
    struct buf clean = {0};
    add_clean(&clean, str_of(value), ALERT_LABEL_MAX, false);
    if (name[0] != '\0' && clean.len > 0 && json_object_get(labels, name) == NULL) {
        json_t *text = json_stringn(clean.data, clean.len);
        require(text != NULL && json_object_set_new(labels, name, text) == 0);
    }
    buf_fini(&clean);
}

static void add_annotation(json_t *annotations, const char *name, const char *value) {
    struct buf clean = {0};
    add_clean(&clean, str_of(value), ALERT_TEXT_MAX, true);
    if (clean.len > 0) {
        json_t *text = json_stringn(clean.data, clean.len);
        require(text != NULL && json_object_set_new(annotations, name, text) == 0);
    }
    buf_fini(&clean);
}

// Takes over `object`.
static char *dump(json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    require(text != NULL);
    json_decref(object);
    char *ours = mem_strdup(text);
    free(text); // the library's
    return ours;
}

char *alert_labels_render(const struct alert *alert, const struct alertmanager_label *external,
                          size_t external_count) {
    json_t *labels = json_object();
    require(labels != NULL);
    add_label(labels, "alertname", alert->name);
    add_label(labels, "severity", alert->severity);
    add_label(labels, "service", "data-pipeline");
    add_label(labels, "pipeline", alert->pipeline);
    add_label(labels, "cluster", alert->cluster);
    add_label(labels, "kind", alert->kind);
    for (size_t i = 0; i < external_count; i++) {
        struct buf name = {0};
        add_clean_name(&name, external[i].name);
        add_label(labels, buf_text(&name), external[i].value);
        buf_fini(&name);
    }
    return dump(labels);
}

char *alert_annotations_render(const struct alert *alert) {
    json_t *annotations = json_object();
    require(annotations != NULL);
    add_annotation(annotations, "summary", alert->summary);
    add_annotation(annotations, "description", alert->description);
    return dump(annotations);
}
