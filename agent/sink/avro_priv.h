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

// avro_put.c: struct to value, value to struct, by rows.
void avro_put_rows(struct avro_codec *codec, avro_value_t *record, const void *from,
                   const struct field_row *rows, unsigned count);
void avro_put_text(struct avro_codec *codec, avro_value_t *record, const char *name,
                   struct str text);
void avro_put_text_value(struct avro_codec *codec, avro_value_t *value, struct str text);
avro_value_t avro_field(avro_value_t *record, const char *name);
// False if a word is none of ours.
bool avro_get_rows(avro_value_t *record, void *into, const struct field_row *rows, unsigned count);
struct str avro_get_text(avro_value_t *value);

// avro_verify.c: walks `bytes` along the schema; false unless they hold exactly one value of it.
bool avro_verify(avro_schema_t schema, struct str bytes);
