// oracle: the second opinion on decode.h, by jansson and written apart from it. Called by
// tests, fuzzers and the benchmark, never by the agent: it is slow, allocates per message, and
// refuses objects that hold a key twice, of which decode.h makes what it likes.
#pragma once

#include "decode/decode.h"

struct oracle;

// Same options as decoder_new, borrowed for the oracle's life.
struct oracle *oracle_new(const struct decode_options *options);
// Takes NULL.
void oracle_free(struct oracle *oracle);

// What decoder_decode does; *out lives until the next call.
enum status oracle_decode(struct oracle *oracle, struct str value, const struct idmap *wanted,
                          struct event *out, struct err *err);
// Why the last oracle_decode was ST_SKIP.
enum decode_error oracle_last_error(const struct oracle *oracle);
