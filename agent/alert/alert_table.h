// alert_table: what one Alertmanager should know, and what is due to be sent to it. Called by
// alert_queue.c under the queue's lock. No I/O, no clock, no thread: time is an argument, wall
// time for what Alertmanager reads, a steady clock for when to send.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct alert_time {
    int64_t wall_ms, mono_ms;
};

struct alert_table_options {
    int64_t resend_interval_ms, keep_resolved_ms;
    size_t alerts_max, batch_max;
};

enum alert_outcome {
    ALERTS_TAKEN,   // accepted
    ALERTS_LATER,   // not this time: due again at once
    ALERTS_REFUSED, // the content was refused: tried one by one, a refused single one is dropped
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

// Fills `body` with the JSON array of the next batch, changes before repeats, and returns its size;
// 0 (and an empty body) when nothing is due. `changes_only` leaves repeats out. The batch stays
// under way until alert_table_settle. Alerts that ended keep_resolved_ms ago are forgotten here;
// *lost grows by those that were never delivered.
size_t alert_table_take(struct alert_table *table, bool changes_only, struct alert_time now,
                        struct buf *body, size_t *lost);
// Says how the batch under way went; an alert that changed meanwhile stays due. Returns how many
// alerts were given up (0 or 1).
size_t alert_table_settle(struct alert_table *table, enum alert_outcome outcome,
                          struct alert_time now);

// When alert_table_take has work next on the steady clock: 0 = now, INT64_MAX = never.
int64_t alert_table_due_ms(const struct alert_table *table);
size_t alert_table_firing(const struct alert_table *table);
// Changes not delivered yet.
size_t alert_table_waiting(const struct alert_table *table);
