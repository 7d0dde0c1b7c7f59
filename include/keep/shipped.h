// shipped: how far an event log is shipped, and what of it was not sent, as kept under keys of its
// own in the topic of the positions. Written by who ships event logs, in the transaction of the
// events it speaks of; read back by whoever goes on; shown by `stoker state --schema`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "keep/keep.h"

enum { SHIPPED_POSITION_SIZE = 224, SHIPPED_ID_SIZE = 129, SHIPPED_ATTEMPT_SIZE = 33 };
enum { SHIPPED_EVENT_SIZE = 97 };
// Kinds of events that are counted by name; the last one is for all others.
enum { SHIPPED_KINDS = 16 };

// What a log's key stands for: lines up to here are in the topic of the events.
struct shipped {
    char position[SHIPPED_POSITION_SIZE]; // as the reader of logs writes it
    int64_t lines;                        // so far: sent, and what the topic did not take
    int64_t missing_ms; // wall clock: since when the log is not to be found; 0: it is there
    char app_id[SHIPPED_ID_SIZE],
        attempt[SHIPPED_ATTEMPT_SIZE]; // as a line told; else "": its name
};

// Events of a log that its topic did not take.
struct shipped_loss {
    char event[SHIPPED_EVENT_SIZE];
    int64_t count;
};
struct shipped_losses {
    struct shipped_loss kinds[SHIPPED_KINDS];
    uint32_t kind_count;
    int64_t total;
    int64_t told;    // how many of them the topic has been told of
    int64_t time_ms; // event time of the last of them, as far as it told one
};

// One more of this kind ("": unknown).
void shipped_lose(struct shipped_losses *losses, struct str event, int64_t event_ms);

// 'l' and 'd', for those who show them.
extern const struct keep_kinds shipped_kinds;

// Replaces *key: `kind` is 'l' or 'd'.
void shipped_key(char kind, struct str cluster, struct str shipper, struct str log,
                 struct buf *key);
// True if it is a key of this cluster and shipper; *kind and *log (a view) say the rest.
bool shipped_key_read(struct str key, struct str cluster, struct str shipper, char *kind,
                      struct str *log);

// Replace *value, and read it back: ST_SKIP with words on damaged bytes or a newer version.
void shipped_write(const struct shipped *shipped, struct buf *value);
enum status shipped_read(struct str value, struct shipped *out, struct err *err) MUST_USE;
void shipped_losses_write(const struct shipped_losses *losses, struct buf *value);
enum status shipped_losses_read(struct str value, struct shipped_losses *out,
                                struct err *err) MUST_USE;
