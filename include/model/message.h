// message: one record as it came from outside, before anyone looked inside. Plain data, borrowed
// from the door that read it and valid only for the call it is passed to.
#pragma once

#include <stdint.h>

#include "base/str.h"

// What the headers of one record may take, each counted with its name, its value and
// MESSAGE_HEADER_FRAMING bytes, which bounds their number too. What goes beyond is left out and
// counted: a dead letter must have room for all that a message brings.
enum { MESSAGE_HEADERS_MAX_BYTES = 32768, MESSAGE_HEADER_FRAMING = 10 };

// One header of a record. A record may have several of one name.
struct message_header {
    const char *name;
    struct str value; // .p NULL: no value, which is not the same as an empty one
};

struct message {
    struct str value;
    struct str key;                       // .p NULL if none: not the same as an empty key
    const struct message_header *headers; // in the record's order
    uint32_t header_count;
    uint32_t headers_dropped; // beyond MESSAGE_HEADERS_MAX_BYTES
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // the record's own time, 0 if unknown
    void *owner; // what the reader's callback returned when it was given the partition, else NULL
};

// Headers that say whose event a record is.
#define MESSAGE_HEADER_APP_ID "app_id"
#define MESSAGE_HEADER_APP_ATTEMPT "app_attempt"
// The listener's number of the event, from 1 in each driver, and the listener's version.
#define MESSAGE_HEADER_NUMBER "stoker_seq"
#define MESSAGE_HEADER_LISTENER "stoker_listener"
// Set by who ships event logs: in which log an event lies, and in which of its lines, from 1.
#define MESSAGE_HEADER_LOG "stoker_log"
#define MESSAGE_HEADER_LOG_LINE "stoker_log_line"

// The value of the last header of a name; empty (.p may be NULL) if there is none.
static inline struct str message_header_last(const struct message *message, const char *name) {
    for (uint32_t i = message->header_count; i > 0; i--) {
        if (strcmp(message->headers[i - 1].name, name) == 0) {
            return message->headers[i - 1].value;
        }
    }
    return (struct str){0};
}
