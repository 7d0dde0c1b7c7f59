// alert_doors: tells whoever is configured which conditions of pipelines hold and which ended.
// Called by the workers after a commit, any thread. Must never resolve an alert because the agent
// stops, and never log a secret.
//
// Every URL of every door (see alert_door.h) has a queue of its own: a table of conditions keyed by
// their label set, a thread, and a connection. So a slow or dead receiver delays neither the caller
// nor the others. Delivery is at least once, and merged by the receiver on the label set: a change
// goes out at once, a firing alert again every resend interval with an end 4 intervals ahead, an
// ended one again every interval for keep_resolved_ms. A receiver that forgets all at a restart is
// mended by the repeats; one that passes on what it is told (`once`) gets none. What always holds:
// a table never grows beyond alerts_max, an end is never told of what did not end, no lock is held
// while the network is waited for, and one bad alert never keeps the others from being told.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alert_door.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/alert.h"

struct alert_label {
    const char *name, *value;
};

// NULL and 0 mean "not set, take the default".
struct alert_settings {
    const char *const *urls;            // http(s) base URLs; a path in them is kept
    size_t url_count;                   // 0: this door is off
    int64_t resend_interval_ms;         // default 1 minute
    int64_t timeout_ms;                 // of one request; default 10 s
    int64_t keep_resolved_ms;           // default 15 minutes
    const char *username, *password;    // basic authentication
    const char *bearer;                 // or a bearer token, not both
    const char *secret;                 // key of the requests' signature, for a door that signs
    const char *ca_file;                // PEM; default: the system's store
    const struct alert_label *external; // added to an alert that has no such label
    size_t external_count;
    const struct alert_label
        *annotations; // texts (annotation.h) added to an alert without such one
    size_t annotation_count;
    size_t alerts_max; // kept per URL, default 10,000; beyond it the oldest is dropped and counted
};

struct alert_target {
    const struct alert_door *door;
    struct alert_settings settings;
};

struct alert_doors;

// Checks the settings and starts a sending thread per URL; everything but the doors is copied. A
// receiver that does not answer is not an error. ST_FATAL with the reason: a URL that is none, two
// kinds of authentication, an unreadable CA file, no thread.
enum status alert_doors_new(const struct alert_target *targets, size_t count,
                            struct alert_doors **out, struct err *err) MUST_USE;

// Takes conditions that began, changed or ended (ended_ms > 0), keyed by their label set, and
// returns without waiting; one that was silenced is forgotten (below). `now_ms` is wall time: a
// start never lies after it, and an end is brought into started..now. The same condition twice
// changes nothing. `holder` is only compared: who tells a condition holds it from then on.
void alert_doors_update(struct alert_doors *alerts, const void *holder,
                        const struct alert *conditions, size_t count, int64_t now_ms);

// Stops repeating these conditions without resolving them: their partition went to another agent,
// which goes on with the same labels. What another holds by now stays: a worker that learns late
// that it lost a partition must not silence the one that has it.
void alert_doors_forget(struct alert_doors *alerts, const void *holder,
                        const struct alert *conditions, size_t count);

// Appends one line per URL for people (state, alerts firing and waiting, last error; no secret).
// Returns NULL while every door has a URL that took its last request or had none yet, or has no URL
// at all; else the title of one that has not.
const char *alert_doors_health(struct alert_doors *alerts, struct buf *out);

// Alerts that fire now; 0 while no URL is configured.
size_t alert_doors_firing(struct alert_doors *alerts);

// Sends the changes still waiting for at most `timeout_ms` (a request under way may overrun it by a
// second), then stops the threads. Nothing is resolved. True if no change was left behind. May be
// called once; only _health, _firing and _free may follow.
bool alert_doors_drain(struct alert_doors *alerts, int64_t timeout_ms);

// Drains without waiting, if not done yet, and releases everything. Takes NULL.
void alert_doors_free(struct alert_doors *alerts);

// Asks the target's URL number `i` once whether it is ready, with the credentials and the timeout
// of its settings; *shown gets the URL without secrets. ST_OK: ready. ST_RETRY: not reachable or
// not ready, with the reason. ST_FATAL: not a URL. For the command check: the agent itself never
// asks, it sends.
enum status alert_doors_probe(const struct alert_target *target, size_t i, struct buf *shown,
                              struct err *err) MUST_USE;
