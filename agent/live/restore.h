// restore: reads one partition's state. Used by the restorer.
#pragma once

#include <stdatomic.h>

#include "kafka/changelog.h"
#include "restorer.h"

// Fills the answer's fields of `load`. ST_RETRY: Kafka does not answer, or *give_up was set: the
// same call may succeed later. ST_FATAL: state and position do not fit, or cannot be read.
enum status restore_load(const struct restorer_options *options, struct changelog *changelog,
                         const _Atomic bool *give_up, struct load *load, struct err *err) MUST_USE;
