// avro_priv: what the files of the codec share. The only header in the house that names Avro C's
// types: it parses our schemas, once.
#pragma once

#include <avro.h>

#include "avro/avro_codec.h"

enum {
    AVRO_FRAME_BYTES = 10,
    AVRO_MAP_MAX = 64 // entries in a map; evidence and settings have far fewer
};

// A schema of ours, or a part of one.
struct avro_node {
    avro_type_t type;
    char *name;                  // owned; of the field that this is, else NULL
    const struct field_row *row; // what the field is, NULL if no row says so
    unsigned part;               // of which struct
    struct avro_node *children;  // owned: fields, branches, or the one kind of item
    unsigned count;
};

struct avro_codec {
    struct avro_node kinds[AVRO_RECORD_COUNT];
    uint64_t fingerprints[AVRO_RECORD_COUNT];
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
    avro_rows_stage[], avro_rows_open[], avro_rows_bottleneck[], avro_rows_recommendation[],
    avro_rows_window[];
extern const unsigned avro_rows_identity_count, avro_rows_run_count, avro_rows_totals_count,
    avro_rows_stage_count, avro_rows_open_count, avro_rows_bottleneck_count,
    avro_rows_recommendation_count, avro_rows_window_count;

// avro_node.c
void avro_node_init(struct avro_node *node, const char *schema_text);
void avro_node_fini(struct avro_node *node);
// The record's field of this name, which must be there.
struct avro_node *avro_node_field(const struct avro_node *record, const char *name);
// These rows are fields of the record, in the struct that is given as number `part` to whoever
// reads or writes one.
void avro_node_bind(struct avro_node *record, unsigned part, const struct field_row *rows,
                    unsigned count);

// avro_put.c: each appends to *out.
void avro_put_long(struct buf *out, int64_t number);
void avro_put_double(struct buf *out, double number);
void avro_put_text(struct buf *out, struct str text);
// Before and after the items of an array or map; the end is there even if it has none.
void avro_put_count(struct buf *out, size_t count);
void avro_put_end(struct buf *out);
// A map of at most AVRO_MAP_MAX entries. Keys that are alike when mended are one, the last counts.
typedef struct str avro_map_key(const void *ctx, uint32_t i);
typedef void avro_put_value(struct buf *out, const void *ctx, uint32_t i);
void avro_put_map(struct buf *out, uint32_t count, avro_map_key *key, avro_put_value *value,
                  const void *ctx);
// A field that no row knows.
typedef void avro_put_rest(struct buf *out, const struct avro_node *field, const void *ctx);
// A record, its rows from the structs in `parts`; rest may be NULL if rows know all its fields.
void avro_put_record(struct buf *out, const struct avro_node *record, const void *const parts[],
                     avro_put_rest *rest, const void *ctx);

// Avro binary that is being read.
struct avro_bytes {
    const unsigned char *at, *end;
};

// avro_verify.c: true if `bytes` hold exactly one value of the schema.
bool avro_verify(const struct avro_node *node, struct str bytes);
// One step over a value, a zig-zag integer, so many bytes; false where they are not there.
bool avro_walk(struct avro_bytes *w, const struct avro_node *node);
bool avro_read_long(struct avro_bytes *w, int64_t *out);
bool avro_skip_bytes(struct avro_bytes *w, int64_t len);

// avro_read.c: out of verified bytes.
int64_t avro_take_long(struct avro_bytes *from);
struct str avro_take_text(struct avro_bytes *from); // lives as long as the bytes
// True while an array has another item; *block starts at 0.
bool avro_take_item(struct avro_bytes *from, int64_t *block);
// A field where its row says, in one of the structs in `parts`; one without a row is passed over.
// False if a word is none of ours.
bool avro_take_field(struct avro_bytes *from, const struct avro_node *field, void *const parts[]);
void avro_take_json(struct avro_bytes *from, const struct avro_node *node, struct buf *out);
