// json_writer: see the header. Called by every room that shows something as JSON; must never write
// what a JSON parser refuses.
#include "base/json_writer.h"

#include "base/check.h"

static bool in_object(const struct json_writer *json) {
    return json->depth > 0 && (json->objects >> (json->depth - 1) & 1) != 0;
}

// Every value passes here: the comma before it, unless its key has written that.
static struct buf *value(struct json_writer *json) {
    require(json->after_key == in_object(json));
    require(json->depth > 0 || !json->more); // one value at the top
    if (json->more && !json->after_key) {
        buf_add_char(json->out, ',');
    }
    json->after_key = false;
    json->more = true;
    return json->out;
}

static void begin(struct json_writer *json, bool object) {
    buf_add_char(value(json), object ? '{' : '[');
    require(json->depth < JSON_DEPTH_MAX);
    json->objects &= ~(UINT32_C(1) << json->depth);
    json->objects |= (uint32_t)object << json->depth;
    json->depth++;
    json->more = false;
}

static void end(struct json_writer *json, bool object) {
    require(json->depth > 0 && in_object(json) == object && !json->after_key);
    buf_add_char(json->out, object ? '}' : ']');
    json->depth--;
    json->more = true;
}

void json_begin_object(struct json_writer *json) {
    begin(json, true);
}

void json_end_object(struct json_writer *json) {
    end(json, true);
}

void json_begin_list(struct json_writer *json) {
    begin(json, false);
}

void json_end_list(struct json_writer *json) {
    end(json, false);
}

void json_put_key(struct json_writer *json, struct str key) {
    require(in_object(json) && !json->after_key);
    if (json->more) {
        buf_add_char(json->out, ',');
    }
    buf_add_json(json->out, key);
    buf_add_char(json->out, ':');
    json->after_key = true;
}

void json_put_str(struct json_writer *json, struct str text) {
    buf_add_json(value(json), text);
}

void json_put_i64(struct json_writer *json, int64_t number) {
    buf_printf(value(json), "%lld", (long long)number);
}

void json_put_number(struct json_writer *json, double number) {
    buf_add_json_number(value(json), number);
}

void json_put_bool(struct json_writer *json, bool truth) {
    buf_add_text(value(json), truth ? "true" : "false");
}

void json_put_null(struct json_writer *json) {
    buf_add_text(value(json), "null");
}

void json_put_raw(struct json_writer *json, struct str text) {
    require(text.len > 0);
    buf_add_str(value(json), text);
}

void json_member_text(struct json_writer *json, const char *key, const char *text) {
    json_member_str(json, key, str_of(text));
}

void json_member_str(struct json_writer *json, const char *key, struct str text) {
    json_put_key(json, str_of(key));
    json_put_str(json, text);
}

void json_member_i64(struct json_writer *json, const char *key, int64_t number) {
    json_put_key(json, str_of(key));
    json_put_i64(json, number);
}

void json_member_number(struct json_writer *json, const char *key, double number) {
    json_put_key(json, str_of(key));
    json_put_number(json, number);
}

void json_member_bool(struct json_writer *json, const char *key, bool truth) {
    json_put_key(json, str_of(key));
    json_put_bool(json, truth);
}

void json_member_null(struct json_writer *json, const char *key) {
    json_put_key(json, str_of(key));
    json_put_null(json);
}

void json_member_object(struct json_writer *json, const char *key) {
    json_put_key(json, str_of(key));
    json_begin_object(json);
}

void json_member_list(struct json_writer *json, const char *key) {
    json_put_key(json, str_of(key));
    json_begin_list(json);
}
