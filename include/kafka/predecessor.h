// predecessor: ends what an agent of an earlier release left open under a transactional id that is
// not used any more. Called by a worker whose id has another form since, once, before it joins its
// group: who joins takes the place of its predecessor, and then nothing tells that there was one.
//
// The old form of an id may be the id of another agent, of another group, which is alive and must
// not be disturbed. So it is taken over, which ends what is open under it, only if an agent of the
// earlier release used it a moment ago: the group still has a member of our name, and the position
// of a partition that it owned was kept by a transaction of the old form.
#pragma once

#include "base/err.h"
#include "kafka/client.h"

// All borrowed for its life.
struct predecessor_options {
    const struct kafka_settings *consumer, *producer;
    const char *group;
    const char *const *topics; // that the group reads
    size_t topic_count;
    const char *member; // our name as a static member of the group
    const char *former; // the transactional id that it would have used
};

struct predecessor;

// Returns before any broker was asked. ST_FATAL for bad settings.
enum status predecessor_new(const struct predecessor_options *options, struct predecessor **out,
                            struct err *err) MUST_USE;
// Takes NULL.
void predecessor_free(struct predecessor *p);
// Waits up to about a second. ST_OK: nothing of it is open any more, or nothing is known of one.
// ST_RETRY: no answer yet, call again. ST_FATAL: the id is refused for good, by an ACL.
enum status predecessor_end(struct predecessor *p, struct err *err) MUST_USE;
