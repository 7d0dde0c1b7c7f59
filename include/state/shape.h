// shape: what a state value is made of: which numbered fields, what they are called, what is nested
// in them. From the same tables that write and read the values, so that `stoker state` and its page
// show every field by name. Used by engine (which knows the keys) and by the command.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/wire.h"

struct shape;

// A field that is no plain member: nested, and perhaps repeated.
struct shape_part {
    unsigned number;
    const char *name;
    const struct shape *shape; // NULL: a list of 32-bit numbers in one field
    enum shape_times {
        SHAPE_ONCE,
        SHAPE_LIST,  // any number of times
        SHAPE_VALUE, // once, as a value of its own with a version
    } times;
};

struct shape {
    const char *name;            // of the whole in words
    const struct wire_row *rows; // plain members
    const size_t *row_count;     // NULL: none
    const struct shape_part *parts;
    size_t part_count;
    bool by_place; // instead: numbers, each under its place in a list, counted from 1
};

// What state itself keeps: the app in a run's value, and the values under keys of their own.
extern const struct shape shape_app, shape_stage, shape_job, shape_accumulators, shape_executors,
    shape_properties, shape_position;

// Appends a value as one JSON object; fields this release does not know are left out. ST_SKIP with
// words: another version, or damaged bytes; nothing of use was appended then.
enum status shape_to_json(const struct shape *shape, struct str value, struct buf *out,
                          struct err *err) MUST_USE;
// Appends the tables of a shape and of all that is nested in it, as Markdown.
void shape_to_markdown(const struct shape *shape, struct buf *out);
