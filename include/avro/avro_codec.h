// avro_codec: our records as Avro bytes and back, framed as single objects: C3 01, the CRC-64-AVRO
// of the writer's schema in canonical form (little-endian), the binary.
//
// The idea: a schema is a tree, and a tree is bound by name to the fields of our structs. Records
// are written by the trees of schemas/, or of an older release where one is still about. A record
// is read along the tree that its frame names: any in schemas/released/, which are built in, or one
// added while the program runs. What a reader knows goes into its struct; what the writer did not
// know gets the default of the reader's schema; what only the writer knows is passed over. So every
// release reads what earlier ones wrote, and later ones once it is told their schemas.
//
// Invariants: the schemas of a release never change, and later ones only add fields with defaults
// (tests/habits/schemas.py); the frame says by which tree every byte behind it was written; bytes
// to decode are verified along that tree, to their last one, before any is believed. What is wrong
// with the schemas built in ends the process: a fault of the build.
//
// A codec belongs to one thread.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/run.h"

struct avro_codec;

enum avro_record { AVRO_RUN, AVRO_BOTTLENECK, AVRO_RECOMMENDATION, AVRO_WINDOW, AVRO_RECORD_COUNT };

// Knows the schemas built in, writes by this program's own.
struct avro_codec *avro_codec_new(void);
void avro_codec_free(struct avro_codec *codec);

// From now on records are written by the schemas of this release ("0.1.0"), so that agents of that
// release can read them, or by this program's own ("current"); records that the release did not
// have, too. ST_SKIP with words if there is no such release.
enum status avro_codec_write_as(struct avro_codec *codec, const char *version,
                                struct err *err) MUST_USE;

// A schema by which records may have been written, such as a registry's: from now on they are read.
// *fingerprint (may be NULL) is its; one that is known already stays as it is. ST_SKIP with words
// on text that is no schema of a record of ours, differs in a field's type from ours, lacks a field
// that has no default, or has a type that none of our schemas has.
enum status avro_codec_add_writer(struct avro_codec *codec, struct str schema_text,
                                  uint64_t *fingerprint, struct err *err) MUST_USE;

// Each replaces the content of *out with one framed record. Text that is not UTF-8 is mended,
// numbers that are not finite become 0.
void avro_encode_run(struct avro_codec *codec, const struct pipeline_run *run, struct buf *out);
void avro_encode_bottleneck(struct avro_codec *codec, const struct run_identity *identity,
                            const char *run_id, const struct bottleneck *bottleneck,
                            struct buf *out);
void avro_encode_recommendation(struct avro_codec *codec, const struct run_identity *identity,
                                const char *run_id, const struct recommendation *recommendation,
                                struct buf *out);
void avro_encode_window(struct avro_codec *codec, const struct pipeline_window *window,
                        struct buf *out);

// Most of a long run's record is its stages; who does not want them saves their time and memory.
enum avro_stages { AVRO_SKIP_STAGES, AVRO_TAKE_STAGES };

// A framed PipelineRun back into *out (to be released with pipeline_run_fini). ST_RETRY if it is
// well framed, but nobody has told its schema (avro_codec_add_writer): a newer release has written
// it, or nobody of ours. ST_SKIP on anything else. Words with both; *out is zeroed then. An open
// bottleneck of a kind that only a newer release knows is left out and counted.
enum status avro_decode_run(struct avro_codec *codec, struct str bytes, enum avro_stages stages,
                            struct pipeline_run *out, struct err *err) MUST_USE;

// A recommendation as it was published, and of which run.
struct avro_recommendation {
    struct run_identity identity;
    char run_id[ID_TEXT_SIZE];
    struct recommendation recommendation; // what it borrows elsewhere, too, is released with this
    char *when_not;                       // owned: the text that the recommendation points to
};
// A framed Recommendation back into *out, to be released with avro_recommendation_fini. Its action,
// code and settings are texts of whoever wrote the topic. Statuses as for avro_decode_run; ST_SKIP
// too for a kind or an outcome that only a newer release knows.
enum status avro_decode_recommendation(struct avro_codec *codec, struct str bytes,
                                       struct avro_recommendation *out, struct err *err) MUST_USE;
// Releases what it owns and zeroes it.
void avro_recommendation_fini(struct avro_recommendation *recommendation);

// Any of our framed records as one JSON object, fields in the order of its writer's schema,
// appended to *out; *record (may be NULL) says which. ST_RETRY and ST_SKIP as above.
enum status avro_to_json(struct avro_codec *codec, struct str bytes, enum avro_record *record,
                         struct buf *out, struct err *err) MUST_USE;

// Name of a record, the text of this program's own schema for it and the schema's fingerprint.
const char *avro_record_name(enum avro_record record);
const char *avro_schema_text(enum avro_record record);
uint64_t avro_schema_fingerprint(const struct avro_codec *codec, enum avro_record record);

// CRC-64-AVRO of any schema text's Parsing Canonical Form, appended to *canonical (may be NULL).
// ST_SKIP if it is no JSON.
enum status avro_fingerprint(struct str schema_text, uint64_t *out, struct buf *canonical,
                             struct err *err) MUST_USE;

// What avro.write_version may be: "current", then the releases whose schemas this program can write
// by; ends with NULL (static).
const char *const *avro_versions(void);
// The version of the JSON parser that reads schemas (static), for `stoker version`.
const char *avro_json_library_version(void);
