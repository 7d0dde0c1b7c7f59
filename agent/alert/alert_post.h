// alert_post: one HTTP connection to one Alertmanager. Called by the sending thread of
// alert_queue.c only; not thread-safe.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "alert/alertmanager.h"
#include "base/buf.h"
#include "base/err.h"

enum post_class {
    POST_TAKEN,     // 2xx
    POST_REFUSED,   // 413, and Alertmanager's own 400 and 422: the content will never be taken
    POST_FORBIDDEN, // other 3xx and 4xx: someone has to mend the configuration
    POST_FAILED,    // 5xx, 408, 429, timeout, no connection: may work next time
};

struct post_result {
    enum post_class class;
    long code;      // HTTP status, 0 without an answer
    char text[300]; // what went wrong, fit to be logged; "" when taken
};

struct post;

// Prepares a connection to `url` (nothing is sent yet). *deadline_ms, on the steady clock, ends
// requests under way when it is passed; 0 means none. It must outlive the object.
enum status post_new(const struct alertmanager_settings *settings, const char *url,
                     const _Atomic int64_t *deadline_ms, struct post **out,
                     struct err *err) MUST_USE;
void post_free(struct post *post); // takes NULL
// The URL without user, password, query and fragment: for logs and pages.
const char *post_shown_url(const struct post *post);
// Sends `body` and waits for the answer.
void post_send(struct post *post, const struct buf *body, struct post_result *result);
// The name of a class in logs: "taken", "refused", "forbidden", "failed".
const char *post_class_name(enum post_class class);
