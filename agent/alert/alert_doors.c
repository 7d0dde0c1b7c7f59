// alert_doors: hands every alert to the queue of every URL, as labels and annotations that every
// receiver takes. Called by the workers' threads, the agent's loop and the command check. Must
// never wait for the network (drain and probe aside), nor hand on a byte that a receiver refuses:
// one bad alert costs its whole batch.
#include "alert/alert_doors.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/annotation.h"
#include "alert_queue.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    LABEL_MAX = 256, // bytes of a label's value
    TEXT_MAX = 1024, // of an annotation
    ANSWER_MAX_BYTES = 4096
};

#define ALERT_DOOR(name) extern const struct alert_door door_##name;
#include "alert/doors.def"
#undef ALERT_DOOR

const struct alert_door *const *alert_door_table(unsigned *count) {
    static const struct alert_door *const doors[] = {
#define ALERT_DOOR(name) &door_##name,
#include "alert/doors.def"
#undef ALERT_DOOR
    };
    *count = ARRAY_LEN(doors);
    return doors;
}

enum alert_verdict alert_verdict_of(int code) {
    if (code >= 200 && code < 300) {
        return ALERT_TAKEN;
    }
    if (code == 400 || code == 413 || code == 422) {
        return ALERT_REFUSED;
    }
    if (code < 300 || code >= 500 || code == 408 || code == 429) {
        return ALERT_FAILED;
    }
    return ALERT_FORBIDDEN;
}

void alert_add_words(struct str said, struct buf *words) {
    while (said.len > 0 && strchr("\r\n ", said.p[said.len - 1]) != NULL) {
        said.len--;
    }
    buf_add_printable(words, said);
}

const char *alert_verdict_name(enum alert_verdict verdict) {
    static const char *const names[] = {"taken", "refused", "forbidden", "failed"};
    require((unsigned)verdict < ARRAY_LEN(names));
    return names[verdict];
}

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
    for (; *name != '\0' && out->len < LABEL_MAX; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = c < 0x80 && isalnum(c);
        buf_add_char(out, plain || out->len > 0 ? (plain ? (char)c : '_') : 'x');
    }
}

// A label is added unless it is empty or already there.
static void add_label(json_t *labels, const char *name, const char *value) {
    struct buf clean = {0};
    add_clean(&clean, str_of(value), LABEL_MAX, false);
    if (name[0] != '\0' && clean.len > 0 && json_object_get(labels, name) == NULL) {
        json_t *text = json_stringn(clean.data, clean.len);
        require(text != NULL && json_object_set_new(labels, name, text) == 0);
    }
    buf_fini(&clean);
}

static void add_annotation(json_t *annotations, const char *name, const char *value) {
    struct buf clean = {0};
    add_clean(&clean, str_of(value), TEXT_MAX, true);
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

// The label object with sorted keys, compact: equal text is equal identity. Owned by the caller.
static char *render_labels(const struct alert *alert, const struct alert_label *external,
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

static char *render_annotations(const struct alert *alert, const struct alert_label *own,
                                size_t own_count) {
    json_t *annotations = json_object();
    require(annotations != NULL);
    add_annotation(annotations, "summary", alert->summary);
    add_annotation(annotations, "description", alert->description);
    for (size_t i = 0; i < own_count; i++) {
        struct buf name = {0}, text = {0};
        add_clean_name(&name, own[i].name);
        annotation_add(own[i].value, alert, &text);
        if (name.len > 0 && json_object_get(annotations, buf_text(&name)) == NULL) {
            add_annotation(annotations, buf_text(&name), buf_text(&text));
        }
        buf_fini(&name);
        buf_fini(&text);
    }
    return dump(annotations);
}

// One door and a queue for each of its URLs.
struct outlet {
    const struct alert_door *door;
    struct alert_label *external, *annotations; // owned, their texts too
    size_t external_count, annotation_count;
    struct alert_queue **queues;
    size_t count;
};

struct alert_doors {
    struct outlet *outlets;
    size_t count;
    bool drained;
};

static bool has_control(const char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return true;
        }
    }
    return false;
}

static enum status check_settings(const struct alert_settings *settings, struct err *err) {
    for (size_t i = 0; i < settings->annotation_count; i++) {
        if (annotation_check(settings->annotations[i].value, err) != ST_OK) {
            return err_wrap(err, "annotations.%s", settings->annotations[i].name);
        }
    }
    if (settings->username != NULL && settings->bearer != NULL) {
        return err_set(err, ST_FATAL, "basic authentication and a bearer token exclude each other");
    }
    if (has_control(settings->bearer)) {
        return err_set(err, ST_FATAL,
                       "the bearer token holds a line end or another control character");
    }
    if (settings->ca_file != NULL && access(settings->ca_file, R_OK) != 0) {
        return err_set(err, ST_FATAL, "cannot read the CA file %s", settings->ca_file);
    }
    return ST_OK;
}

static int64_t either(int64_t value, int64_t otherwise) {
    return value > 0 ? value : otherwise;
}

static struct alert_settings with_defaults(const struct alert_settings *given) {
    struct alert_settings settings = *given;
    settings.resend_interval_ms = either(given->resend_interval_ms, 60000);
    settings.timeout_ms = either(given->timeout_ms, 10000);
    settings.keep_resolved_ms = either(given->keep_resolved_ms, 900000);
    settings.alerts_max = given->alerts_max > 0 ? given->alerts_max : 10000;
    return settings;
}

static struct http_settings http_of(const struct alert_settings *settings) {
    return (struct http_settings){.timeout_ms = settings->timeout_ms,
                                  .answer_max_bytes = ANSWER_MAX_BYTES,
                                  .username = settings->username,
                                  .password = settings->password,
                                  .bearer = settings->bearer,
                                  .ca_file = settings->ca_file};
}

static struct alert_label *copy_labels(const struct alert_label *from, size_t count) {
    struct alert_label *copy = mem_zalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = mem_strdup(from[i].name);
        copy[i].value = mem_strdup(from[i].value);
    }
    return copy;
}

static void free_labels(struct alert_label *labels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        mem_free((char *)labels[i].name);
        mem_free((char *)labels[i].value);
    }
    mem_free(labels);
}

static enum status open_outlet(const struct alert_target *target, bool shows_active,
                               struct outlet *outlet, struct err *err) {
    enum status status = check_settings(&target->settings, err);
    if (status != ST_OK) {
        return err_wrap(err, "%s", target->door->name);
    }
    struct alert_settings settings = with_defaults(&target->settings);
    struct http_settings http = http_of(&settings);
    outlet->door = target->door;
    outlet->external_count = settings.external_count;
    outlet->external = copy_labels(settings.external, settings.external_count);
    outlet->annotation_count = settings.annotation_count;
    outlet->annotations = copy_labels(settings.annotations, settings.annotation_count);
    outlet->queues = mem_zalloc(settings.url_count + 1, sizeof(struct alert_queue *));
    for (size_t i = 0; i < settings.url_count; i++) {
        status = alert_queue_new(target->door, &settings, settings.urls[i], &http,
                                 shows_active && i == 0, &outlet->queues[i], err);
        if (status != ST_OK) {
            return err_wrap(err, "%s.urls[%zu]", target->door->name, i);
        }
        outlet->count++;
    }
    return ST_OK;
}

enum status alert_doors_new(const struct alert_target *targets, size_t count,
                            struct alert_doors **out, struct err *err) {
    struct alert_doors *alerts = mem_zalloc(1, sizeof *alerts);
    alerts->outlets = mem_zalloc(count + 1, sizeof *alerts->outlets);
    bool shown = false;
    for (size_t i = 0; i < count; i++) {
        alerts->count++;
        enum status status = open_outlet(&targets[i], !shown, &alerts->outlets[i], err);
        if (status != ST_OK) {
            alert_doors_free(alerts);
            return status;
        }
        shown = shown || alerts->outlets[i].count > 0;
    }
    *out = alerts;
    return ST_OK;
}

static void tell(const struct outlet *outlet, const void *holder, const struct alert *condition,
                 int64_t now_ms) {
    char *labels = render_labels(condition, outlet->external, outlet->external_count);
    char *annotations =
        render_annotations(condition, outlet->annotations, outlet->annotation_count);
    for (size_t i = 0; i < outlet->count; i++) {
        alert_queue_put(outlet->queues[i], holder, labels, annotations, condition->started_ms,
                        condition->ended_ms, now_ms);
    }
    mem_free(annotations);
    mem_free(labels);
}

static void forget(const struct outlet *outlet, const void *holder, const struct alert *condition) {
    char *labels = render_labels(condition, outlet->external, outlet->external_count);
    for (size_t i = 0; i < outlet->count; i++) {
        alert_queue_remove(outlet->queues[i], holder, labels);
    }
    mem_free(labels);
}

void alert_doors_update(struct alert_doors *alerts, const void *holder,
                        const struct alert *conditions, size_t count, int64_t now_ms) {
    require(!alerts->drained);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < alerts->count; k++) {
            if (conditions[i].silenced) {
                forget(&alerts->outlets[k], holder, &conditions[i]);
            } else {
                tell(&alerts->outlets[k], holder, &conditions[i], now_ms);
            }
        }
    }
}

void alert_doors_forget(struct alert_doors *alerts, const void *holder,
                        const struct alert *conditions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < alerts->count; k++) {
            forget(&alerts->outlets[k], holder, &conditions[i]);
        }
    }
}

const char *alert_doors_health(struct alert_doors *alerts, struct buf *out) {
    const char *silent = NULL;
    for (size_t k = 0; k < alerts->count; k++) {
        const struct outlet *outlet = &alerts->outlets[k];
        bool any = outlet->count == 0;
        for (size_t i = 0; i < outlet->count; i++) {
            any |= alert_queue_health(outlet->queues[i], out);
        }
        silent = silent == NULL && !any ? outlet->door->title : silent;
    }
    return silent;
}

size_t alert_doors_firing(struct alert_doors *alerts) {
    for (size_t k = 0; k < alerts->count; k++) {
        if (alerts->outlets[k].count > 0) {
            return alert_queue_firing(alerts->outlets[k].queues[0]);
        }
    }
    return 0;
}

bool alert_doors_drain(struct alert_doors *alerts, int64_t timeout_ms) {
    require(!alerts->drained);
    alerts->drained = true;
    int64_t deadline_ms = clock_mono_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    for (size_t k = 0; k < alerts->count; k++) {
        for (size_t i = 0; i < alerts->outlets[k].count; i++) {
            alert_queue_stop(alerts->outlets[k].queues[i], deadline_ms);
        }
    }
    bool all = true;
    for (size_t k = 0; k < alerts->count; k++) {
        for (size_t i = 0; i < alerts->outlets[k].count; i++) {
            all &= alert_queue_join(alerts->outlets[k].queues[i]);
        }
    }
    return all;
}

static void close_outlet(struct outlet *outlet) {
    for (size_t i = 0; i < outlet->count; i++) {
        alert_queue_free(outlet->queues[i]);
    }
    free_labels(outlet->external, outlet->external_count);
    free_labels(outlet->annotations, outlet->annotation_count);
    mem_free(outlet->queues);
}

void alert_doors_free(struct alert_doors *alerts) {
    if (alerts == NULL) {
        return;
    }
    if (!alerts->drained) {
        alert_doors_drain(alerts, 0);
    }
    for (size_t k = 0; k < alerts->count; k++) {
        close_outlet(&alerts->outlets[k]);
    }
    mem_free(alerts->outlets);
    mem_free(alerts);
}

enum status alert_doors_probe(const struct alert_target *target, size_t i, struct buf *shown,
                              struct err *err) {
    require(i < target->settings.url_count);
    struct url url;
    enum status status = url_parse(target->settings.urls[i], target->door->ready_path, &url, err);
    if (status != ST_OK) {
        return status;
    }
    if (target->door->hides_path) {
        url_hide_path(&url);
    }
    buf_add_text(shown, url.shown);
    struct alert_settings settings = with_defaults(&target->settings);
    struct http_settings http = http_of(&settings);
    struct http_client *client = http_client_new(&http);
    struct http_request request = {.url = &url};
    struct http_answer answer;
    status = http_client_send(client, &request, &answer, err);
    bool told = target->door->ready_path[0] != '\0'; // else what it answers says nothing
    if (status == ST_OK && told && answer.code != 200) {
        status = err_set(err, ST_RETRY, "answers %d to %s", answer.code, target->door->ready_path);
    }
    http_client_free(client);
    url_fini(&url);
    return status;
}
