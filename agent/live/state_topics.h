// state_topics: are the topics of state what state needs? Used by the restorer before it trusts
// them.
#pragma once

#include "kafka/changelog.h"
#include "restorer.h"

// ST_OK; ST_RETRY: not known yet, or a right is missing, with words; ST_FATAL: a topic is wrong:
// words with the remedy.
enum status state_topics_check(const struct restorer_options *options, struct changelog *changelog,
                               struct err *err) MUST_USE;
