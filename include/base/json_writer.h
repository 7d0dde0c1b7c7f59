// json_writer: JSON text in the order of the calls, with its commas, colons and quotes where they
// belong. A value goes at the top, into a list, or behind a key of an object; what is begun must be
// ended. A call out of its place is our own mistake and ends the process: what is written is JSON
// whatever the texts and numbers hold.
//
//     struct json_writer json = {.out = &buf};
//     json_begin_object(&json);
//     json_member_text(&json, "app_id", id);
//     json_end_object(&json);
//
// Texts are escaped and mended by buf_add_json, numbers are in the form of buf_add_json_number.
// Takes no memory but the buffer's. (jansson's names start with json_ too, so none of them is
// taken here: the linker would mix them up.)
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSON_DEPTH_MAX = 32 };

struct json_writer {
    struct buf *out;  // appended to
    uint32_t objects; // bit d: what is open at depth d is an object
    uint8_t depth;    // how many are open
    bool more;        // a member or item stands before in what is open: the next takes a comma
    bool after_key;   // the value of a key is due
};

// A value that is an object or a list, open until it is ended.
void json_begin_object(struct json_writer *json);
void json_end_object(struct json_writer *json);
void json_begin_list(struct json_writer *json);
void json_end_list(struct json_writer *json);

// The key of the next value. Keys are written as they come: that none repeats is the caller's.
void json_put_key(struct json_writer *json, struct str key);

// One value.
void json_put_str(struct json_writer *json, struct str value);
void json_put_i64(struct json_writer *json, int64_t value);
// NaN and infinities become null.
void json_put_number(struct json_writer *json, double value);
void json_put_bool(struct json_writer *json, bool value);
void json_put_null(struct json_writer *json);
// A value that is JSON already, as it stands; it must be one whole value.
void json_put_raw(struct json_writer *json, struct str value);

// Key and value of a member at once.
void json_member_text(struct json_writer *json, const char *key, const char *value);
void json_member_str(struct json_writer *json, const char *key, struct str value);
void json_member_i64(struct json_writer *json, const char *key, int64_t value);
void json_member_number(struct json_writer *json, const char *key, double value);
void json_member_bool(struct json_writer *json, const char *key, bool value);
void json_member_null(struct json_writer *json, const char *key);
// The key of an object or a list, which is then open.
void json_member_object(struct json_writer *json, const char *key);
void json_member_list(struct json_writer *json, const char *key);
