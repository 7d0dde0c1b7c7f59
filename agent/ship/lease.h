// lease: whose a folder is: membership of the folder's consumer group, whose one partition (of the
// topic of the positions) is given to one of those who ask. Nothing is read through it. Used by the
// shipper alone.
#pragma once

#include "kafka/source.h"
#include "ship/ship.h"

// Told from within lease_hear and lease_end: the folder goes to another. `lost`: it has gone
// already; else it is the last moment to commit.
struct lease_callbacks {
    void *ctx;
    void (*going)(void *ctx, bool lost);
    void (*gone)(void *ctx);
};

struct lease {
    const struct ship_options *options; // borrowed, as the next two
    const char *group, *folder;
    struct lease_callbacks callbacks;
    struct kafka_source *source; // owned; NULL: to be opened
    bool ours;
    int64_t fenced_ms[2]; // monotonic: the last two times
};

// Zeroed but for options, group, folder and callbacks at first. Hears whether the folder is ours.
// ST_FATAL: another process has our name, or the settings are wrong.
enum status lease_hear(struct lease *lease, struct err *err) MUST_USE;
// Appends why it is not. True if all is well but that another ships it.
bool lease_standby(struct lease *lease, struct buf *reason);
// Another process took our name, or a broker that came back believes so. ST_FATAL if it happens
// often.
enum status lease_fenced(struct lease *lease, struct err *err) MUST_USE;
// Gives the folder up, if it is ours, and leaves the group.
void lease_end(struct lease *lease);
