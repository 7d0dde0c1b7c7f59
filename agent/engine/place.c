// place: whose event is it? Headers, then the key, then the value. Called by engine.c for every
// message; allocates nothing, trusts nothing: what is not a decent id is refused.
#include <string.h>

#include "engine_priv.h"

// App id and attempt of a message: headers, then key, then the value (`event`, may be NULL while
// the value is not decoded yet). False if there is none that can be used.
bool place_message(const struct engine_options *options, const struct message *message,
                   const struct event *event, struct run_key *key) {
    struct str app_id = message->app_id, attempt = message->app_attempt;
    if (app_id.len == 0 && message->key.len > 0) {
        app_id = message->key;
        const char *slash = memrchr(app_id.p, '/', app_id.len);
        if (slash != NULL && attempt.len == 0) {
            app_id.len = (size_t)(slash - app_id.p);
            attempt = (struct str){slash + 1, message->key.len - app_id.len - 1};
        }
    }
    if (app_id.len == 0 && event != NULL) {
        app_id = event->app_id;
        attempt = event->app_attempt;
    }
    *key = (struct run_key){.app_id = app_id, .attempt = attempt};
    if (options->one_application) {
        key->len = 1; // all one key
        return true;
    }
    if (app_id.len == 0 || app_id.len > RUN_TEXT_MAX || attempt.len > 32 || !str_is_utf8(app_id) ||
        !str_is_utf8(attempt)) {
        return false;
    }
    for (size_t i = 0; i < app_id.len; i++) {
        if ((unsigned char)app_id.p[i] < 0x20 || app_id.p[i] == 0x7F) {
            return false;
        }
    }
    memcpy(key->text, app_id.p, app_id.len);
    key->text[app_id.len] = '\n'; // no app id holds one
    if (attempt.len > 0) {
        memcpy(key->text + app_id.len + 1, attempt.p, attempt.len);
    }
    key->len = app_id.len + 1 + attempt.len;
    return true;
}

enum metric place_skip_metric(enum decode_error error) {
    static const enum metric metrics[] = {
        [DECODE_MALFORMED] = METRIC_SKIP_MALFORMED,
        [DECODE_NOT_AN_EVENT] = METRIC_SKIP_NOT_AN_EVENT,
        [DECODE_INVALID_FIELD] = METRIC_SKIP_INVALID_FIELD,
        [DECODE_TOO_LARGE] = METRIC_SKIP_TOO_LARGE,
        [DECODE_TOO_DEEP] = METRIC_SKIP_TOO_DEEP,
    };
    return metrics[error];
}
