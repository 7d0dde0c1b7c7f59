// delivery: how much of what a run's listener had to send has come. A listener numbers the events
// of its driver from 1, before it drops any, so a gap is a loss, wherever it happened; and it
// reports what it dropped or cut itself. A producer that does neither loses nothing as far as is
// known here. Owned by an app; written only by state.
//
// Numbers may come again, a little out of order, or be nonsense: an event is never refused for its
// number. Bounded: of gaps only the latest are kept, older ones count as lost for good.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "model/record.h"
#include "stats/rangeset.h"

enum {
    DELIVERY_RANGES_MAX = 64, // one more than gaps that may still be filled
    DELIVERY_HEAD_MAX = 64,   // events before an ApplicationStart
    DELIVERY_LISTENER_MAX = 32,
};
// A number so far beyond all before is nonsense: more than a listener drops in an outage of hours.
#define DELIVERY_JUMP_MAX (INT64_C(1) << 32)

struct delivery {
    struct rangeset numbers;                  // that came, or count as lost for good
    int64_t came;                             // different ones that came
    struct event_listener_report report;      // the largest totals that were reported
    char listener[DELIVERY_LISTENER_MAX + 1]; // its version, "" unknown
    // The first number is that of an ApplicationStart, and what came before it went to the run that
    // this one follows. Not kept: it is used up by that event.
    bool follows;
};

void delivery_fini(struct delivery *delivery);
// An event came under this number. True if that changes what is known to be missing.
bool delivery_take(struct delivery *delivery, int64_t number);
// Totals were reported; those that are smaller than known ones change nothing.
void delivery_report(struct delivery *delivery, const struct event_listener_report *report);
// The version of the listener; kept once, if it looks like one.
void delivery_name(struct delivery *delivery, struct str listener);

// What is known to be missing.
struct delivery_loss {
    int64_t sent;      // events that there were to send, as far as is known
    int64_t lost;      // of them, that did not come
    int64_t task_ends; // of the lost, ends of tasks: at least so many
    int64_t unread;    // of the lost, events that no verdict asks for
    int64_t cut;       // that came without some of what they said
};
struct delivery_loss delivery_loss(const struct delivery *delivery);
// The share of the events that came whole, 0..1, of those lost `known` ones left out, which are
// told elsewhere.
double delivery_share(const struct delivery *delivery, int64_t known);

extern const struct record record_delivery;
