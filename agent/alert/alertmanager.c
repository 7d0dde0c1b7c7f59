// alertmanager: the door to Prometheus Alertmanagers: POST /api/v2/alerts of its API v2, and what
// it answers. Called through its row in doors.def; must never trust an answer's bytes.
#include <jansson.h>

#include "alert/alert_door.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "base/json_writer.h"

static void render(const struct alert_message *messages, size_t count, struct buf *body) {
    struct json_writer json = {.out = body};
    json_begin_list(&json);
    for (size_t i = 0; i < count; i++) {
        char starts_at[CLOCK_RFC3339_SIZE], ends_at[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339(messages[i].starts_ms, starts_at);
        clock_format_rfc3339(messages[i].ends_ms, ends_at);
        json_begin_object(&json);
        json_put_key(&json, STR("labels"));
        json_put_raw(&json, str_of(messages[i].labels));
        json_put_key(&json, STR("annotations"));
        json_put_raw(&json, str_of(messages[i].annotations));
        json_member_text(&json, "startsAt", starts_at);
        json_member_text(&json, "endsAt", ends_at);
        json_end_object(&json);
    }
    json_end_list(&json);
}

// Appends what the answer says. Alertmanager answers with a bare JSON string or with
// {"code":..,"message":".."}; a proxy, or another server, with anything. True if it is of the first
// kind.
static bool describe(struct str answer, struct buf *words) {
    json_t *root = json_loadb(answer.p, answer.len, JSON_DECODE_ANY, NULL);
    json_t *text = json_is_object(root) ? json_object_get(root, "message") : root;
    bool known = json_is_string(text);
    struct str said =
        known ? (struct str){json_string_value(text), json_string_length(text)} : answer;
    alert_add_words(said, words);
    json_decref(root);
    return known;
}

// One bad alert gives a 400 although the good ones of its batch are kept, one that breaks the API's
// schema a 422 for the whole batch. Only Alertmanager's own word is taken for that: a 400 from
// someone else, e.g. for plain HTTP to a TLS port, says nothing against the alerts.
static enum alert_verdict judge(int code, struct str answer, struct buf *words) {
    enum alert_verdict verdict = alert_verdict_of(code);
    if (verdict == ALERT_TAKEN) {
        return verdict;
    }
    bool known = describe(answer, words);
    return (code == 400 || code == 422) && !known ? ALERT_FORBIDDEN : verdict;
}

const struct alert_door door_alertmanager = {
    .name = "alertmanager",
    .title = "Alertmanager",
    .path = "/api/v2/alerts",
    .ready_path = "/-/ready",
    .batch_max = 256,
    .render = render,
    .judge = judge,
};
