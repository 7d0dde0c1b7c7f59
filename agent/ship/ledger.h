// ledger: what is known of the logs of one folder: how far each is shipped and what of it was lost,
// as read back from the topic of the positions and changed since. Used by the shipper alone; does
// no I/O. What was handed out as changed counts as written: after a failure the ledger is thrown
// away and read again.
#pragma once

#include "base/hash.h"
#include "eventlog/follow.h"
#include "keep/shipped.h"

struct ledger_log {
    char *name; // owned
    struct shipped at;
    struct follow_position position; // if it moved: newer than that of `at`
    bool moved;
    struct shipped_losses *losses; // owned; NULL: none
    bool known;                    // a position of it is kept, or will be with the next changes
    const struct follow_log *from; // the follower's; NULL: not met yet, or gone
    bool changed;                  // since they were handed out: it is one of ledger.changed
    struct ledger_log *next_changed;
    UT_hash_handle hh;
};

// Zeroed, with both names (borrowed), at first.
struct ledger {
    const char *cluster, *shipper;
    struct ledger_log *logs;    // by name
    struct ledger_log *changed; // in no order that shows
    struct buf key, value;      // scratch
};

// Forgets all logs.
void ledger_fini(struct ledger *ledger);
// One record of the topic, in its order. Those of other shippers are passed over. ST_FATAL: a newer
// release wrote it.
enum status ledger_take(struct ledger *ledger, struct str key, struct str value,
                        struct err *err) MUST_USE;
// The log of a name; added if it is new.
struct ledger_log *ledger_of(struct ledger *ledger, struct str name);
// Its position or its losses are about to change.
void ledger_touch(struct ledger *ledger, struct ledger_log *log);
// One more event of it was not taken.
void ledger_lose(struct ledger *ledger, struct ledger_log *log, struct str event, int64_t event_ms);
// Another log has taken the name.
void ledger_begin_again(struct ledger *ledger, struct ledger_log *log);
// Hands out every record that differs from what is kept, once.
void ledger_changes(struct ledger *ledger, keep_each_fn each, void *ctx);
