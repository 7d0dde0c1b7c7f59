// limit: the bounds on what is kept of a run, by name. What lies beyond one is let go, and whoever
// shows the run says so: a record by the names, `analyze` in words. A set of limits is a bit for
// each; which were hit is part of a run's state, so a restart forgets none.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/kind.h"

// The limit was reached: notes it in the set and counts it (stoker_limits_hit_total).
void limit_hit(uint32_t *limits, enum limit limit);
// True if it is in the set.
bool limit_in(uint32_t limits, enum limit limit);
// What went beyond it and what that means for the run's results, in words (static).
const char *limit_means(enum limit limit);
