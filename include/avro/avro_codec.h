// avro_codec: our records to Avro bytes and back, framed as single objects: C3 01, the CRC-64-AVRO
// of the schema's canonical form (little-endian), the binary. Schemas are the files in schemas/,
// built in. Called by the commands from one thread. Bytes to decode are never trusted: they are
// walked along the schema first.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/run.h"

struct avro_codec;

enum avro_record { AVRO_RUN, AVRO_BOTTLENECK, AVRO_RECOMMENDATION, AVRO_WINDOW, AVRO_RECORD_COUNT };

// Parses the built-in schemas; ends the process if they are broken (a fault of the build).
struct avro_codec *avro_codec_new(void);
void avro_codec_free(struct avro_codec *codec);

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

// A framed PipelineRun back into *out (to be released with pipeline_run_fini). ST_SKIP with words
// on anything else, *out is zeroed then.
enum status avro_decode_run(struct avro_codec *codec, struct str bytes, enum avro_stages stages,
                            struct pipeline_run *out, struct err *err) MUST_USE;

// Any of our framed records as one JSON object, fields in the schema's order, appended to *out;
// *record (may be NULL) says which. ST_SKIP with words on anything else.
enum status avro_to_json(struct avro_codec *codec, struct str bytes, enum avro_record *record,
                         struct buf *out, struct err *err) MUST_USE;

// Name of a record, its schema's text and the schema's fingerprint.
const char *avro_record_name(enum avro_record record);
const char *avro_schema_text(enum avro_record record);
uint64_t avro_schema_fingerprint(const struct avro_codec *codec, enum avro_record record);

// CRC-64-AVRO of any schema text's Parsing Canonical Form, appended to *canonical (may be NULL).
// ST_SKIP if it is no JSON.
enum status avro_fingerprint(const char *schema_text, uint64_t *out, struct buf *canonical,
                             struct err *err) MUST_USE;

// The version of the JSON parser that reads schemas (static), for `stoker version`.
const char *avro_json_library_version(void);
