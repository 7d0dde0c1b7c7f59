// record: the description of a struct that leaves memory, as a table of its fields. A kept value is
// written and read by it, shown by it, bound to an Avro schema by its names, and the reference page
// is printed from it: none of them knows a struct otherwise. A table stands next to the code that
// owns the struct; here is only its form.
//
// What holds of every table (record_fault says what does not):
// - a number is for ever: it is never used for something else, nor left out when its field goes
//   (RECORD_RETIRED); 0 is the number of fields that are never kept;
// - a name is the field's name everywhere: in a schema if the record is published, in what `stoker
//   state` shows; no two fields of a record have the same;
// - what is zero or empty is not written in a kept value, so a new field needs no version: 0, "",
//   false and an empty list are what an absent field reads as;
// - the order of the rows is the order in a kept value.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/kind.h"

enum record_type {
    RECORD_RETIRED, // a number that was a field's once
    // one field, one value
    RECORD_I64,   // int64_t
    RECORD_I32,   // int32_t or int
    RECORD_BOOL,  // bool
    RECORD_F64,   // double
    RECORD_CHARS, // char[size]
    RECORD_NAME,  // const char *, lasting (run_static_name); NULL: none
    RECORD_TEXT,  // char *, owned by the struct; published, never kept
    RECORD_WORD,  // an enum with `words`
    // structs: `item` is their table
    RECORD_INLINE, // in place, its rows count as rows of this record; kept if its number is not 0
    RECORD_NESTED, // in place
    RECORD_VALUE,  // behind a pointer, reached by `list`; kept with a version of its own
    RECORD_ARRAY,  // in place: at most `max` of them, the uint32_t at `count_offset` says how many
    RECORD_LIST,   // a pointer to them, owned, likewise counted; or reached by `list`
    // numbers in a list; `size` is that of one: 8 (int64_t) or 4 (uint32_t)
    RECORD_PLACES, // in place or reached by `list`: `max` numbers, kept under their place from 1
    RECORD_SPARSE, // in place: `max` numbers, kept as a list of place from 0 and number
};

// What lies in the way of an item that is not just an element of a C array, for a walker to build
// it in or copy it to.
union record_scratch {
    char bytes[4096];
    int64_t aligned;
    void *pointer;
};

// How the items of a list are reached that is no plain C array. `owner` is the struct with the
// list; items live in it, or in the scratch for the time of a call. All but `size` may be NULL when
// a record is never kept.
struct record_list {
    uint32_t (*size)(const void *owner); // places to ask `at` for
    // The item at a place; NULL: there is none at this place.
    const void *(*at)(const void *owner, uint32_t place, union record_scratch *scratch);
    // Room for `count` more (always 1), zeroed; NULL if there may be no more. Owned
    // by `owner` or the (zeroed) scratch.
    void *(*add)(void *owner, uint32_t count, union record_scratch *scratch);
    // What `add` gave was filled; false if it does not fit to what is there already. NULL: it does.
    bool (*added)(void *owner, void *item);
};

struct record_row {
    unsigned number; // in a kept value; 0: never kept
    enum record_type type;
    const char *name;
    size_t offset, size; // of the member; see the types
    // Of a WORD; may be of an I64, which may hold other numbers, too, and of the places of PLACES
    // and SPARSE.
    const struct vocabulary *words;
    const struct record *item;
    const struct record_list *list; // NULL: the types say where
    size_t count_offset;
    uint32_t max; // most items; 1: shown as one, not as a list
    // What a reader accepts, if they differ: numbers from `least` to `most`; reals that are finite
    // and not below `least` (INT64_MIN: any).
    int64_t least, most;
    bool prose; // of CHARS: text of other people, scrubbed again when it is read
};

struct record {
    const char *name; // in words: of the whole
    size_t size;      // of the struct; 0: reached through others only
    const struct record_row *rows;
    size_t row_count;
    // Called when all that was there is read: works out what is not kept, checks what no single row
    // can. False: such a struct cannot be. NULL: nothing to do.
    bool (*whole)(void *object);
};

// Rows, for use in tables. RECORD_ROW names a field after its member, RECORD_AS gives its name;
// further columns follow as designated initializers: .words = &vocabulary_kind, .most = 7 ...
#define RECORD_AS(number_, type_, owner_, member_, name_, ...)                                     \
    {                                                                                              \
        .number = (number_), .type = RECORD_##type_, .name = (name_),                              \
        .offset = offsetof(struct owner_, member_), .size = sizeof(((struct owner_ *)0)->member_), \
        __VA_ARGS__                                                                                \
    }
#define RECORD_ROW(number_, type_, owner_, member_, ...)                                           \
    RECORD_AS(number_, type_, owner_, member_, #member_, __VA_ARGS__)
// A list reached by hooks.
#define RECORD_HOOKED(number_, type_, name_, list_, ...)                                           \
    { .number = (number_), .type = RECORD_##type_, .name = (name_), .list = (list_), __VA_ARGS__ }
#define RECORD_OF(title, owner, table)                                                             \
    {                                                                                              \
        .name = (title), .size = sizeof(struct owner), .rows = (table),                            \
        .row_count = ARRAY_LEN(table)                                                              \
    }

// Calls `each` for every row, those of inlined structs in their place, with its number within the
// whole (0: not kept) and where the row's struct begins there; until it returns false, which is
// then returned.
typedef bool record_each_fn(void *ctx, const struct record_row *row, unsigned number, size_t base);
bool record_each_row(const struct record *record, record_each_fn *each, void *ctx);

// The row with this name, or this number (not 0), inlined structs included; *base is where its
// struct begins within the whole. NULL if there is none.
const struct record_row *record_by_name(const struct record *record, const char *name,
                                        size_t *base);
const struct record_row *record_by_number(const struct record *record, unsigned number,
                                          size_t *base);

// What is wrong with a table and all tables in it, or NULL. For the tests: a table with a fault is
// a mistake of ours.
const char *record_fault(const struct record *record);
