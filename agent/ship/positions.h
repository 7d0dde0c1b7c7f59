// positions: the topic of the positions, looked at and read back into a ledger. Used by the shipper
// before it begins. The producer must be open by then, so that nothing is on its way any more.
#pragma once

#include "ledger.h"
#include "ship/ship.h"

// ST_FATAL: the topic deletes old records, say: logs would be shipped again. ST_RETRY: it is
// missing, or nobody answers.
enum status positions_check(const struct ship_options *options, struct err *err) MUST_USE;
// Fills an empty ledger. ST_RETRY: no answer. ST_FATAL: a newer release wrote it.
enum status positions_read(const struct ship_options *options, const char *group,
                           struct ledger *ledger, struct err *err) MUST_USE;
