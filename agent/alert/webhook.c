// webhook: the door to anything that takes JSON by POST: one request for each alert that begins or
// ends, whose member `text` is what chats show. Called through its row in doors.def; must never
// trust an answer's bytes, nor send what an earlier request said.
#include <jansson.h>
#include <stdio.h>

#include "alert/alert_door.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json_writer.h"

// Members of the identity that receivers look for, at the top.
static const char *const plain[] = {"alertname", "severity", "cluster", "pipeline", "kind"};

static struct str member(const json_t *object, const char *name) {
    const json_t *text = json_object_get(object, name);
    return json_is_string(text) ? (struct str){json_string_value(text), json_string_length(text)}
                                : STR("");
}

// The same for the same condition, whoever tells it: two requests with one id and status are one.
static void add_id(struct json_writer *json, const struct alert_message *message) {
    char starts_at[CLOCK_RFC3339_SIZE], id[17];
    struct buf identity = {0};
    clock_format_rfc3339(message->starts_ms, starts_at);
    buf_printf(&identity, "%s %s", message->labels, starts_at);
    snprintf(id, sizeof id, "%016llx",
             (unsigned long long)hash_siphash13(0, 0, identity.data, identity.len));
    json_member_text(json, "id", id);
    buf_fini(&identity);
}

// "FIRING PipelineDataSkew (warning): Pipeline orders, run app-1: ..."
static void add_text(struct json_writer *json, const struct alert_message *message,
                     const json_t *labels, const json_t *annotations) {
    struct buf text = {0};
    struct str words = member(annotations, "description");
    buf_add_text(&text, message->firing ? "FIRING " : "RESOLVED ");
    buf_add_str(&text, member(labels, "alertname"));
    buf_add_text(&text, " (");
    buf_add_str(&text, member(labels, "severity"));
    buf_add_text(&text, "): ");
    buf_add_str(&text, words.len > 0 ? words : member(annotations, "summary"));
    json_member_str(json, "text", buf_str(&text));
    buf_fini(&text);
}

static void render_one(const struct alert_message *message, struct json_writer *json) {
    char starts_at[CLOCK_RFC3339_SIZE], ends_at[CLOCK_RFC3339_SIZE];
    json_t *labels = json_loads(message->labels, 0, NULL);
    json_t *annotations = json_loads(message->annotations, 0, NULL);
    require(json_is_object(labels) && json_is_object(annotations)); // ours
    clock_format_rfc3339(message->starts_ms, starts_at);
    clock_format_rfc3339(message->ends_ms, ends_at);
    json_begin_object(json);
    json_member_text(json, "version", "1");
    add_id(json, message);
    json_member_text(json, "status", message->firing ? "firing" : "resolved");
    add_text(json, message, labels, annotations);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        json_member_str(json, plain[i], member(labels, plain[i]));
    }
    json_member_text(json, "starts_at", starts_at);
    if (message->firing) { // when it will have ended nobody knows
        json_member_null(json, "ends_at");
    } else {
        json_member_text(json, "ends_at", ends_at);
    }
    json_put_key(json, STR("labels"));
    json_put_raw(json, str_of(message->labels));
    json_put_key(json, STR("annotations"));
    json_put_raw(json, str_of(message->annotations));
    json_end_object(json);
    json_decref(labels);
    json_decref(annotations);
}

static void render(const struct alert_message *messages, size_t count, struct buf *body) {
    require(count == 1); // batch_max
    struct json_writer json = {.out = body};
    render_one(messages, &json);
}

// A body that a receiver will never take is given up; what it says of the address or the
// credentials somebody has to mend.
static enum alert_verdict judge(int code, struct str answer, struct buf *words) {
    enum alert_verdict verdict = alert_verdict_of(code);
    if (verdict != ALERT_TAKEN) {
        alert_add_words(answer, words);
    }
    return verdict;
}

const struct alert_door door_webhook = {
    .name = "webhook",
    .title = "Webhook",
    .path = "",
    .ready_path = "",
    .batch_max = 1,
    .once = true,
    .signs = true,
    .hides_path = true,
    .render = render,
    .judge = judge,
};
