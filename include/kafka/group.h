// group: who is in a consumer group, asked from outside: nothing joins, nothing is moved. Called by
// the command doctor.
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "kafka/client.h"

struct group_view {
    size_t members;
    char state[32]; // as Kafka calls it: Stable, Empty, PreparingRebalance, Dead (no such group)
};

// Asks for the members; `who` gets their names (group.instance.id, else client.id) and hosts, the
// first few, as they came: print them through an escaper. ST_RETRY: not answered within
// `timeout_ms`, or not allowed, with words.
enum status group_look(const struct kafka_settings *settings, const char *group, int timeout_ms,
                       struct group_view *out, struct buf *who, struct err *err) MUST_USE;
