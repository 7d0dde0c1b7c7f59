// replay_scan: what replay must know of a line without decoding it: when it happened and whose it
// is. Called for every line of every log that is played; reads only, trusts nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

// The time of the event in ms since 1970, 0 if the line tells none (or one
// outside the years 2000 to 9999). Found by looking for the key
// that fits the kind of event, else for any key that holds a time.
int64_t replay_scan_time(struct str line);

// If `line` is an ApplicationStart that tells a usable application id: true, and the id and attempt
// ("" if none) as views into the line.
bool replay_scan_identity(struct str line, struct str *app_id, struct str *attempt);
