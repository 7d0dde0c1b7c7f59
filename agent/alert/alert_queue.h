// alert_queue: one Alertmanager's queue and the thread that empties it. Called by alertmanager.c,
// safe from any thread; the caller never waits for the network, except in alert_queue_join.
#pragma once

#include "alert/alertmanager.h"
#include "alert_table.h"
#include "base/err.h"

struct queue;

// Starts the thread. The settings are borrowed for the call. `shows_active` puts the number of
// firing alerts into the gauge. ST_FATAL: the URL is none, or no thread could be started.
enum status alert_queue_new(const struct alertmanager_settings *settings, const char *url,
                            const struct alert_table_options *options, bool shows_active,
                            struct queue **out, struct err *err) MUST_USE;
// As alert_table_put; now_ms is wall time.
void alert_queue_put(struct queue *queue, const void *holder, const char *labels,
                     const char *annotations, int64_t started_ms, int64_t ended_ms, int64_t now_ms);
void alert_queue_remove(struct queue *queue, const void *holder, const char *labels);
// Appends one line; true unless the last request failed.
bool alert_queue_health(struct queue *queue, struct buf *out);
// Alerts that fire now.
size_t alert_queue_firing(struct queue *queue);
// Lets the thread send the waiting changes until deadline_ms (steady clock, not 0), then end.
void alert_queue_stop(struct queue *queue, int64_t deadline_ms);
// Waits for the end of a stopped thread. True if no change was left behind.
bool alert_queue_join(struct queue *queue);
void alert_queue_free(struct queue *queue); // takes NULL
