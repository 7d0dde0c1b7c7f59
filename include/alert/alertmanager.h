// alertmanager: the alert door. Tells every configured Alertmanager which conditions of pipelines
// hold and which ended. Called by the workers after a commit, any thread; one thread per URL sends,
// so a slow or dead Alertmanager delays neither the caller nor the others. Must never resolve an
// alert because the agent stops, and never log a secret.
//
// Delivery is at least once and merged by Alertmanager on the label set: a change goes out at once,
// a firing alert again every resend interval with endsAt = now + 4 intervals, an ended one again
// every interval for keep_resolved_ms. Alertmanager forgets all alerts at a restart; the repeats
// mend that.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/alert.h"

struct alertmanager_label {
    const char *name, *value;
};

// Everything is copied by alertmanager_new; NULL and 0 mean "not set, take the default".
struct alertmanager_settings {
    const char *const *urls;                   // http(s) base URLs; a path in them is kept
    size_t url_count;                          // 0: alerts are off, every call does nothing
    int64_t resend_interval_ms;                // default 1 minute
    int64_t timeout_ms;                        // of one request; default 10 s
    int64_t keep_resolved_ms;                  // default 15 minutes
    const char *username, *password;           // basic authentication
    const char *bearer;                        // or a bearer token, not both
    const char *ca_file;                       // PEM; default: the system's store
    const char *user_agent;                    // default "stoker"
    const struct alertmanager_label *external; // added to an alert that has no such label
    size_t external_count;
    size_t alerts_max; // kept per URL, default 10,000; beyond it the oldest is dropped and counted
};

struct alertmanager;

// Checks the settings and starts a sending thread per URL. An Alertmanager that does not answer is
// not an error. ST_FATAL with the reason: a URL that is none, two kinds of authentication, an
// unreadable CA file, no thread.
enum status alertmanager_new(const struct alertmanager_settings *settings,
                             struct alertmanager **out, struct err *err) MUST_USE;

// Takes conditions that began, changed or ended (ended_ms > 0), keyed by their label set, and
// returns without waiting. `now_ms` is wall time: startsAt never lies after it, and an end is
// brought into started..now. The same condition twice changes nothing. `holder` is only compared:
// who tells a condition holds it from then on.
void alertmanager_update(struct alertmanager *am, const void *holder, const struct alert *alerts,
                         size_t count, int64_t now_ms);

// Stops repeating these conditions without resolving them: their partition went to another agent,
// which goes on with the same labels. What another holds by now stays: a worker that learns late
// that it lost a partition must not silence the one that has it.
void alertmanager_forget(struct alertmanager *am, const void *holder, const struct alert *alerts,
                         size_t count);

// Appends one line per URL for people (state, alerts firing and waiting, last error; no secret).
// Returns true while no URL is configured or at least one took its last request or had none yet.
bool alertmanager_health(struct alertmanager *am, struct buf *out);

// Conditions that hold now, told or not.
size_t alertmanager_firing(struct alertmanager *am);

// Sends the changes still waiting for at most `timeout_ms` (a request under way may overrun it by a
// second), then stops the threads. Nothing is resolved. True if no change was left behind. May be
// called once; only _health and _free may follow.
bool alertmanager_drain(struct alertmanager *am, int64_t timeout_ms);

// Drains without waiting, if not done yet, and releases everything. Takes NULL.
void alertmanager_free(struct alertmanager *am);
