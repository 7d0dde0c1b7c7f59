// avro_priv: what the files of the codec share. The only header in the house that names Avro C's
// types.
#pragma once

#include <avro.h>

#include "sink/avro_codec.h"

enum { AVRO_FRAME_BYTES = 10 };

struct avro_kind {
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t value; // reused for every record
    uint64_t fingerprint;
};

struct avro_codec {
    struct avro_kind kinds[AVRO_RECORD_COUNT];
    struct buf text; // mended text of the field at hand
};

// How a field of one of our structs is stored.
enum field_type {
    FIELD_CHARS,   // char[]
    FIELD_TEXT,    // const char *
    FIELD_I64,     // int64_t
    FIELD_I32,     // int32_t
    FIELD_F64,     // double
    FIELD_BOOL,    // bool
    FIELD_TIME,    // int64_t, 0 = null
    FIELD_OPT_I32, // int32_t, -1 = null
    FIELD_WORD,    // an enum with a name
};

struct field_row {
    const char *name; // in the schema
    enum field_type type;
    size_t offset, size;            // size: of a char array
    const char *(*word)(int value); // FIELD_WORD
    int (*parse)(struct str text);  // FIELD_WORD, for reading back
};

extern const struct field_row avro_rows_identity[], avro_rows_run[], avro_rows_totals[],
    avro_rows_stage[], avro_rows_open[], avro_rows_bottleneck[], avro_rows_window[];
extern const unsigned avro_rows_identity_count, avro_rows_run_count, avro_rows_totals_count,
    avro_rows_stage_count, avro_rows_open_count, avro_rows_bottleneck_count, avro_rows_window_count;

// avro_put.c: struct to value, by rows; text is mended, numbers are made finite.
void avro_put_rows(struct avro_codec *codec, avro_value_t *record, const void *from,
                   const struct field_row *rows, unsigned count);
void avro_put_text(struct avro_codec *codec, avro_value_t *record, const char *name,
                   struct str text);
void avro_put_text_value(struct avro_codec *codec, avro_value_t *value, struct str text);
void avro_put_double(avro_value_t *value, double number);
// The entry of a map under this key, a new one or the one that is there.
avro_value_t avro_put_key(struct avro_codec *codec, avro_value_t *map, struct str key);
avro_value_t avro_field(avro_value_t *record, const char *name);

// Avro binary that is being read.
struct avro_bytes {
    const unsigned char *at, *end;
};

// avro_verify.c: true if `bytes` hold exactly one value of the schema.
bool avro_verify(avro_schema_t schema, struct str bytes);
// One step over a value, a zig-zag integer, so many bytes; false where they are not there.
bool avro_walk(struct avro_bytes *w, avro_schema_t schema);
bool avro_read_long(struct avro_bytes *w, int64_t *out);
bool avro_skip_bytes(struct avro_bytes *w, int64_t len);

// Where fields of a record go.
struct avro_part {
    const struct field_row *rows;
    unsigned count;
    void *into;
    unsigned next; // where the next search begins
};

// avro_read.c: out of verified bytes.
int64_t avro_take_long(struct avro_bytes *from);
struct str avro_take_text(struct avro_bytes *from); // lives as long as the bytes
// True while an array has another item; *block starts at 0.
bool avro_take_item(struct avro_bytes *from, int64_t *block);
// The field `name` into the part that has a row for it, or past it. False if a word is none of
// ours.
bool avro_take_field(struct avro_bytes *from, avro_schema_t schema, const char *name,
                     struct avro_part *parts, unsigned count);
void avro_take_json(struct avro_bytes *from, avro_schema_t schema, struct buf *out);
