// names: what a worker is called in Kafka: as a member of its group and as a writer of
// transactions. The same after a restart, and nobody else's. Called by the workers; pure.
//
// The member's name needs to be told from others of its group only: GROUP-INSTANCE-NUMBER. The
// transactional id is one of the whole cluster, and must tell the agent `host1` of the group
// `stoker-eu` from the agent `eu-host1` of the group `stoker`. Where the group has no '-' that form
// can be read in one way, and is kept; else the length of the group is put behind it, after a '.',
// which the first form never has behind its last '-'. Ids begin with the group either way, so that
// an ACL on that prefix covers them.
#pragma once

#include <stddef.h>

// Group and instance have 230 bytes together at most, which settings are held to: brokers and tools
// take 249 as a member's name.
enum { NAMES_SIZE = 256 };

struct names {
    char member[NAMES_SIZE];
    char transactional_id[NAMES_SIZE];
    char former_id[NAMES_SIZE]; // up to release 0.1.0; "" if it is the same
};

void names_of(const char *group, const char *instance, int number, struct names *out);
