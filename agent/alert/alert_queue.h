// alert_queue: what one receiver at one URL should know, when it is told, and the thread that tells
// it. Called by alert_doors.c, safe from any thread; the caller never waits for the network, except
// in alert_queue_join. The table is shown here for its unit tests: it does no I/O, has no thread
// and takes time as an argument, wall time for what the receiver reads, a steady clock for when to
// send.
#pragma once

#include "alert/alert_doors.h"
#include "net/http_client.h"

struct alert_time {
    int64_t wall_ms, mono_ms;
};

struct alert_table_options {
    int64_t resend_interval_ms, keep_resolved_ms;
    size_t alerts_max, batch_max;
    bool once; // nothing is due again once it was taken, and what changes while it fires is no news
};

struct alert_table;

struct alert_table *alert_table_new(const struct alert_table_options *options);
void alert_table_free(struct alert_table *table); // takes NULL
// Inserts or updates the condition with these labels; both texts are copied JSON objects. Times as
// in struct alert. Returns how many other alerts a full table gave up for it (0 or 1).
size_t alert_table_put(struct alert_table *table, const void *holder, const char *labels,
                       const char *annotations, int64_t started_ms, int64_t ended_ms,
                       struct alert_time now);
// Forgets the condition, if `holder` was the last to put it.
void alert_table_remove(struct alert_table *table, const void *holder, const char *labels);
// Begins the next batch, changes before repeats: returns its size, 0 when nothing is due, and its
// alerts in *messages, valid until the table changes. `changes_only` leaves repeats out. The batch
// stays under way until alert_table_settle. Alerts that ended keep_resolved_ms ago are forgotten
// here; *lost grows by those that were never delivered.
size_t alert_table_take(struct alert_table *table, bool changes_only, struct alert_time now,
                        const struct alert_message **messages, size_t *lost);
// Says how the batch under way went; an alert that changed meanwhile stays due. What failed or was
// forbidden is due again at once; what was refused is tried one by one, a refused single one is
// dropped. Returns how many alerts were given up (0 or 1).
size_t alert_table_settle(struct alert_table *table, enum alert_verdict verdict,
                          struct alert_time now);
// When alert_table_take has work next on the steady clock: 0 = now, INT64_MAX = never.
int64_t alert_table_due_ms(const struct alert_table *table);
size_t alert_table_firing(const struct alert_table *table);
// Changes not delivered yet.
size_t alert_table_waiting(const struct alert_table *table);

// How long nothing is sent after an answer: not at all after what was taken or refused (the others
// of the batch must not wait for the culprit); 1 s, 2 s, 4 s ... up to the resend interval after
// failures in a row; the whole interval after what only a human can mend. `last_ms` is what this
// said of the request before, 0 at first.
int64_t alert_pause_ms(enum alert_verdict verdict, int64_t last_ms, int64_t resend_interval_ms);

struct alert_queue;

// Starts the thread. The settings are borrowed for the call, with no default left to take; so is
// `http`, whose give_up_ms is the queue's own. `shows_active` puts the number of firing alerts into
// the gauge. ST_FATAL: the URL is none, or no thread could be started.
enum status alert_queue_new(const struct alert_door *door, const struct alert_settings *settings,
                            const char *url, const struct http_settings *http, bool shows_active,
                            struct alert_queue **out, struct err *err) MUST_USE;
// As alert_table_put; now_ms is wall time.
void alert_queue_put(struct alert_queue *queue, const void *holder, const char *labels,
                     const char *annotations, int64_t started_ms, int64_t ended_ms, int64_t now_ms);
void alert_queue_remove(struct alert_queue *queue, const void *holder, const char *labels);
// Appends one line; true unless the last request failed.
bool alert_queue_health(struct alert_queue *queue, struct buf *out);
// Alerts that fire now.
size_t alert_queue_firing(struct alert_queue *queue);
// Lets the thread send the waiting changes until deadline_ms (steady clock, not 0), then end.
void alert_queue_stop(struct alert_queue *queue, int64_t deadline_ms);
// Waits for the end of a stopped thread. True if no change was left behind.
bool alert_queue_join(struct alert_queue *queue);
void alert_queue_free(struct alert_queue *queue); // takes NULL
