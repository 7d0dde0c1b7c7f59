// decode_owner: which keys of an object around an event hold the event, which say whose it is, and
// what is made of these. Private to the room.
#pragma once

#include "decode_shape.h"

extern "C" {
#include "model/log_name.h"
}

namespace decode {

// What a key beside or around an event may be good for; several at once.
enum role : uint8_t {
    ROLE_EVENT = 1,     // holds the event, or an envelope that does
    ROLE_APP = 2,       // names the application
    ROLE_ATTEMPT = 4,   // and the attempt
    ROLE_PATH = 8,      // the path of the event log that the event was a line of
    ROLE_HOLDER = 16,   // an object with such keys
    ROLE_CATEGORY = 32, // says what kind of record this is
    ROLE_MANY = 64,     // of ROLE_EVENT: an array of them is a batch
};
constexpr uint8_t OWNER_ROLES = ROLE_APP | ROLE_ATTEMPT | ROLE_PATH | ROLE_HOLDER;

// How many keys may hold an event; it is looked for in their order.
constexpr size_t EVENT_ROWS = 23;
// Keys that the user named, which take the place of the usual ones of their role; "" for the usual.
struct named_keys {
    str event, app, attempt;
};
// What a raw key may be good for, 0 for nothing; *row is its place among those that hold an event.
// Letters count without their case, and '_', '-', '.' and '@' not at all: "file_path", "FilePath"
// and "file.path" are one. A key with a blank is none. `named` for the outermost object alone, else
// NULL; its keys are compared as they are.
uint8_t envelope_roles(const named_keys *named, const char *raw, size_t *row);

// Whether a raw key is exactly that. Stops at the first difference, so it never reads behind the
// quote that ends the key.
inline bool key_is(const char *raw, str key) {
    for (size_t i = 0; i < key.len; i++) {
        if (raw[i] != key.p[i] || raw[i] == '"') {
            return false;
        }
    }
    return raw[key.len] == '"';
}

// Whose event it is, by what stands around it. What was said first stays.
struct owner {
    str app_id, attempt;
    log_name log; // by a path
    char number[24];
};
// Takes what a field says by its roles; an object that holds such keys is looked into.
void owner_note(struct owner *o, context &c, uint8_t roles, value v);
// Writes it into the event: it stands on every message of the stream, unlike what an event says of
// itself, so it wins, and the attempt is of whom the id is.
void owner_settle(const struct owner *o, event *out);

} // namespace decode
