// alert_door: one kind of receiver of alerts as one row: what a request to it looks like and what
// its answers mean. All else is the same for every door and none of its business: which alerts are
// due, batches, repeats, back-off, threads, TLS, credentials, health, the reading of its settings.
// A door is one file under agent/alert and one row in alert/doors.def; its functions are pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// One alert as it is to be told now; borrowed for the call.
struct alert_message {
    const char *labels;      // a JSON object with sorted keys: the identity, fit for any receiver
    const char *annotations; // a JSON object
    int64_t starts_ms;       // wall time
    int64_t ends_ms;         // wall time; while it fires, when it lapses unless it is told again
    bool firing;
};

// What an answer means for the alerts that were sent.
enum alert_verdict {
    ALERT_TAKEN,     // accepted
    ALERT_REFUSED,   // the content will never be taken: sent one by one to find the culprit
    ALERT_FORBIDDEN, // someone has to mend the configuration
    ALERT_FAILED,    // may work next time
};

struct alert_door {
    const char *name;  // section of its settings and beginning of its log events: "alertmanager"
    const char *title; // for people: "Alertmanager"
    const char *path;  // behind the path of a configured URL; alerts are posted there
    // Likewise; `stoker check --connect` gets it and wants a 200. "": there is none, any answer of
    // the server will do.
    const char *ready_path;
    size_t batch_max; // alerts in one request
    // Told when it begins and when it ends, never again: a receiver that passes every request on to
    // people. Else news of what fires are told, too, and all of it again each resend interval.
    bool once;
    bool hides_path; // the path of a configured URL is as good as a password: shown nowhere
    bool signs;      // its requests can carry a signature: it has the setting `secret`
    // Appends the body of a request, which is JSON.
    void (*render)(const struct alert_message *messages, size_t count, struct buf *body);
    // Judges an answer by its status and body (cut to a few KiB, hostile); appends to `words` what
    // the receiver said, fit to be logged.
    enum alert_verdict (*judge)(int code, struct str answer, struct buf *words);
};

// The rows of doors.def (static).
const struct alert_door *const *alert_door_table(unsigned *count);

// What HTTP itself says of a status: 2xx taken; 400, 413 and 422 refused; 408, 429 and 5xx failed;
// all else forbidden, redirects too. (RFC 9110, 15; RFC 6585, 4.)
enum alert_verdict alert_verdict_of(int code);
// For judges: appends what a receiver said, hostile, fit to be logged, without line ends at its
// end.
void alert_add_words(struct str said, struct buf *words);
// "taken", "refused", "forbidden", "failed".
const char *alert_verdict_name(enum alert_verdict verdict);
