// shipper: one folder of event logs on its way into Kafka. Used by ship alone, in one thread.
#pragma once

#include "ship/ship.h"

struct shipper;

// ST_FATAL for settings that cannot work. `folder` is borrowed for its life.
enum status shipper_new(const struct ship_options *options, const char *folder,
                        struct shipper **out, struct err *err) MUST_USE;
// Works for about `budget_ms`; *idle: there is nothing to do now; *done: nor was anything left.
enum status shipper_turn(struct shipper *shipper, int budget_ms, bool *idle, bool *done,
                         struct err *err) MUST_USE;
// Commits what is done. ST_FATAL: it could not, and why.
enum status shipper_finish(struct shipper *shipper, struct err *err) MUST_USE;
// Adds what it did and how far it is.
void shipper_look(const struct shipper *shipper, struct ship_view *sum);
// Takes NULL.
void shipper_free(struct shipper *shipper);
