// avro_priv: what the files of the codec share: schemas as trees, their fields bound to the rows of
// our records (model/record.h).
#pragma once

#include <jansson.h>

#include "avro/avro_codec.h"

enum {
    AVRO_FRAME_BYTES = 10,
    AVRO_MAP_MAX = 64 // entries in a map; evidence and settings have far fewer
};

enum avro_type {
    AVRO_T_NULL,
    AVRO_T_BOOLEAN,
    AVRO_T_INT,
    AVRO_T_LONG,
    AVRO_T_DOUBLE,
    AVRO_T_STRING,
    AVRO_T_ARRAY,
    AVRO_T_MAP,
    AVRO_T_UNION,
    AVRO_T_RECORD,
    AVRO_T_FOREIGN // one that no schema of ours has; never in a tree
};

// A schema of ours, or a part of one.
struct avro_node {
    enum avro_type type;
    unsigned count;
    struct avro_node *children;      // owned: fields, branches, or the one kind of item
    const struct record_row *row;    // what the field is to us, NULL if no row says so
    enum record_type row_type;       // of the row: one look less at another place in memory
    unsigned part;                   // in which of the structs that a writer or reader is given
    size_t at, base;                 // where the row's member, and the struct it is of, are in it
    char *name;                      // owned; of the field that this is, else NULL
    char *initial;                   // owned: the field's default as Avro binary, NULL: it has none
    const struct avro_node **absent; // owned list of the reader's fields that a record lacks
    unsigned absent_count, initial_bytes;
};

// What a record about a run has beside the record and the run's identity.
struct avro_of_run {
    const char *run_id;
};

struct avro_schema {
    char *name; // owned, in full
    uint64_t fingerprint;
    enum avro_record record;
    struct avro_node root;
};

struct avro_codec {
    struct avro_schema current[AVRO_RECORD_COUNT];
    struct avro_schema **others; // owned: released ones unlike the current, then added ones
    unsigned other_count, other_cap, released;
    const struct avro_schema *writes[AVRO_RECORD_COUNT]; // what records are written by
};

// avro_schema.c: a schema from its text, its fields bound to nothing yet. ST_SKIP with words if it
// is none that we could walk; *schema is zeroed then.
enum status avro_schema_init(struct avro_schema *schema, struct str text, struct err *err) MUST_USE;
void avro_schema_fini(struct avro_schema *schema);
// The record's field of this name, or NULL.
struct avro_node *avro_node_field(const struct avro_node *record, const char *name);
// Binds the fields of a writer's tree as the reader's of the same names are bound, and notes which
// the writer does not have; the reader's tree must outlive the writer's. ST_SKIP with words if a
// field has another type, or has no default where it is missing. Once for each tree.
enum status avro_resolve(struct avro_node *writer, const struct avro_node *reader,
                         struct err *err) MUST_USE;

// avro_codec.c: the schema with this fingerprint, NULL if it is unknown.
const struct avro_schema *avro_codec_find(const struct avro_codec *codec, uint64_t fingerprint);

// avro_write.c: appends a default of a schema's text as the binary it stands for. False if it is
// none of its type.
bool avro_put_default(struct buf *out, const struct avro_node *node, const json_t *value);

// avro_read.c: true if `bytes` hold exactly one value of the schema.
bool avro_verify(const struct avro_node *node, struct str bytes);
