// rights: what a user may write, found out by trying: the only question that Kafka answers to a
// user who may not read ACLs. Called by the command doctor alone; the agent writes, and is told
// then.
//
// What is tried is a transaction of its own for each topic, which is taken back before a record has
// left: the coordinator asks for the right when a partition is added. So no reader ever sees
// anything of it, committed or not; a partition keeps the mark of an end of a transaction (one
// offset). Must never use the transactional id of an agent.
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "kafka/client.h"

// Gets each answer in the order of the topics: ST_OK, or words that name the topic and the right
// (ST_ABORT), or why there is none (ST_RETRY).
struct rights_report {
    void *ctx;
    void (*topic)(void *ctx, const char *topic, enum status status, const char *text);
};

// Tries to write to topics, which must be there. ST_OK: the id may be used, every topic was
// reported. ST_FATAL: bad settings, or the id may not be used. ST_RETRY: no answer within
// `timeout_ms` in all.
enum status rights_try_writes(const struct kafka_settings *settings, const char *transactional_id,
                              const char *const *topics, size_t count, int timeout_ms,
                              struct rights_report report, struct err *err) MUST_USE;
