// failure: why a task attempt failed and why an executor was lost, told by what Spark, its engines
// and its resource managers say. The words are known here and nowhere else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/event.h"
#include "model/kind.h"

// Why a task attempt failed, which is neither a success nor killed.
enum failure_class failure_of_task(const struct event_task *task);
// Why an executor was lost: FAILURE_OOM, FAILURE_CONTAINER_KILLED, else FAILURE_EXECUTOR_LOST.
enum failure_class failure_of_loss(struct str reason);
// Of counts by class, how often some memory of an executor ran out: the heap, or one that the class
// names. A container that was killed for all of its memory is another matter.
int64_t failure_ooms(const int64_t counts[FAILURE_CLASS_COUNT]);
// True if the error by which an SQL execution ended says that the driver's memory ran out.
bool failure_is_drivers_oom(struct str error);
