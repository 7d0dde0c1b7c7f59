// line: what the bytes of a line of an event log tell without being decoded: when it happened,
// whose the log is, and which event it is. Called by whoever sends lines on as they are: replay and
// ship.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

// The time of the event in ms since 1970, 0 if the line tells none.
int64_t line_time_ms(struct str line);
// If `line` is an ApplicationStart that tells a usable application id: true, and the id and attempt
// ("" if none) as views into the line.
bool line_identity(struct str line, struct str *app_id, struct str *attempt);
// Its "Event", a view into the line; "" if it begins in another way.
struct str line_event(struct str line);
