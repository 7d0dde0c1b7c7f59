// message: one record as it came from outside, before anyone looked inside. Plain data, borrowed
// from the door that read it and valid only for the call it is passed to.
#pragma once

#include <stdint.h>

#include "base/str.h"

struct message {
    struct str value;
    struct str key;         // .p NULL if none: not the same as an empty key
    struct str app_id;      // header `app_id`, empty if none
    struct str app_attempt; // header `app_attempt`, empty if none
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // the record's own time, 0 if unknown
};
