// join_code: the lines that make a join cheaper where no setting does, for DataFrame (PySpark) and
// SQL. Static texts of agent/advise/join.c, for whoever advises without a run, too.
#pragma once

// A hint to broadcast the small side.
const char *join_broadcast_code(void);
// A hot key spread over 10 buckets.
const char *join_salt_code(void);
